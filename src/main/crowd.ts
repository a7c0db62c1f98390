/** What one stranger may take of a listener, out of the settings: the same at every door. */

import type { Limits } from '../ground/http/listen.ts'
import type { Settings } from '../policy/settings.ts'

export function crowdOf({
  services,
}: Pick<Settings, 'services'>): Required<
  Pick<Limits, 'connectionsOfAddress' | 'newOfAddress' | 'octetsPerSecond'>
> {
  return {
    connectionsOfAddress: services.connectionsOfAddress,
    newOfAddress: services.newConnectionsOfAddress,
    octetsPerSecond: services.bodyOctetsPerSecond,
  }
}

/** Of a door whose messages are small: one that takes longer than its head may is slow by intent. */
export function limitsOfSmall({ services }: Pick<Settings, 'services'>, bodyOctets: number): Limits {
  const { idleSeconds, headSeconds, connections, tls13 } = services
  return {
    idleSeconds,
    headSeconds,
    requestSeconds: headSeconds,
    bodyOctets,
    connections,
    tls13,
    ...crowdOf({ services }),
  }
}
