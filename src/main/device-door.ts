/** The program behind port 8443: the Device CSR web services. It holds no key of any authority. */

import type { Logger } from 'pino'
import { deviceDoor } from '../doors/device-csr/door.ts'
import { paceGuard } from '../doors/device-csr/pace.ts'
import type { SigningAnswer, SigningQuestion } from '../doors/device-csr/signing.ts'
import { openChannel } from '../ground/channel.ts'
import { type Limits, listen, tlsListener } from '../ground/http/listen.ts'
import { type Connection, openStore } from '../ground/store/store.ts'
import type { Settings } from '../policy/settings.ts'
import { configuredCodes } from '../policy/smki-device/codes.ts'
import { watchStops } from '../rooms/revocation/stops.ts'
import { build } from './build.ts'
import { crowdOf } from './crowd.ts'
import type { Home } from './home.ts'
import { ikiTrust, watchTrust } from './iki-trust.ts'
import { measuring, type Shown } from './measuring.ts'
import { serverCredentials } from './tls-ca.ts'
import { systemChance, systemClock } from './world.ts'

export interface DeviceDoorStart {
  readonly home: Home
  readonly settings: Settings
  readonly target: Connection | string
  readonly signers: readonly string[]
  readonly log: Logger
  /** Is given what was measured, each second. */
  readonly shown?: Shown | undefined
}

export interface OpenDoor {
  readonly port: number
  close(): Promise<void>
}

export async function startDeviceDoor({
  home,
  settings,
  target,
  signers,
  log,
  shown,
}: DeviceDoorStart): Promise<OpenDoor> {
  const store = await openStore(target, { max: 8 })
  const server = serverCredentials(home)
  const trust = await ikiTrust(store)
  const { app, renew } = tlsListener(server, limitsOf(settings), trust, (fault, from) =>
    log.info({ fault, from }, 'a handshake was refused'),
  )
  const channels = signers.map(path => openChannel<SigningQuestion, SigningAnswer>(path))
  const stops = await watchStops(store, systemClock, fault => log.error({ fault }, 'suspensions could not be read'))
  const measurements = measuring(store, settings.performance, log, shown)
  deviceDoor(app, {
    store,
    clock: systemClock,
    chance: systemChance,
    settings,
    build,
    signers: channels,
    log,
    stops,
    codes: configuredCodes(settings.issuing.codes),
    measure: measurements.measure,
    pace: paceGuard(systemClock, settings.performance, log),
  })
  const port = await listen(app, settings.services.host, settings.services.devicePort)

  const watch = watchTrust(
    store,
    trust,
    current => renew(server, current),
    cause => log.error({ fault: cause.message }, 'the lists at the door could not be renewed'),
  )

  return {
    port,
    async close() {
      watch.stop()
      stops.close()
      await app.close()
      for (const channel of channels) channel.close()
      await measurements.close()
      await store.close()
    },
  }
}

export function limitsOf({ services }: Settings): Limits {
  return {
    idleSeconds: services.idleSeconds,
    headSeconds: services.headSeconds,
    requestSeconds: services.requestSeconds,
    bodyOctets: 65_536,
    connections: services.connections,
    tls13: services.tls13,
    ...crowdOf({ services }),
  }
}
