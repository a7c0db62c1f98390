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
