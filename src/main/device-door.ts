/** The program behind port 8443: the Device CSR web services. It holds no key of any authority. */

import type { Logger } from 'pino'
import { deviceDoor } from '../doors/device-csr/door.ts'
import type { SigningAnswer, SigningQuestion } from '../doors/device-csr/signing.ts'
import { openChannel } from '../ground/channel.ts'
import { type ClientTrust, type Limits, listen, tlsListener } from '../ground/http/listen.ts'
import { type Connection, openStore, type Store } from '../ground/store/store.ts'
import { toPem } from '../ground/x509/pem.ts'
import type { Settings } from '../policy/settings.ts'
import { configuredCodes } from '../policy/smki-device/codes.ts'
import { authorities } from '../rooms/authority/register.ts'
import { currentLists } from '../rooms/repository/lists.ts'
import { watchStops } from '../rooms/revocation/stops.ts'
import { build } from './build.ts'
import type { Home } from './home.ts'
import { serverCredentials } from './tls-ca.ts'
import { systemChance, systemClock } from './world.ts'

export interface DeviceDoorStart {
  readonly home: Home
  readonly settings: Settings
  readonly target: Connection | string
  readonly signers: readonly string[]
  readonly log: Logger
}

export interface OpenDoor {
  readonly port: number
  close(): Promise<void>
}

/** How often the lists at the door are compared with the Repository's. */
const listsEveryMs = 5000

export async function startDeviceDoor({
  home,
  settings,
  target,
  signers,
  log,
}: DeviceDoorStart): Promise<OpenDoor> {
  const store = await openStore(target, { max: 8 })
  const server = serverCredentials(home)
  let trust = await ikiTrust(store)
  const { app, renew } = tlsListener(server, limitsOf(settings), trust, (fault, from) =>
    log.info({ fault, from }, 'a handshake was refused'),
  )
  const channels = signers.map(path => openChannel<SigningQuestion, SigningAnswer>(path))
  const stops = await watchStops(store, systemClock, fault => log.error({ fault }, 'suspensions could not be read'))
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
  })
  const port = await listen(app, settings.services.host, settings.services.devicePort)

  const watch = setInterval(async () => {
    try {
      const current = await ikiTrust(store)
      if (current.lists.join() !== trust.lists.join()) renew(server, current)
      trust = current
    } catch (cause) {
      log.error({ fault: (cause as Error).message }, 'the lists at the door could not be renewed')
    }
  }, listsEveryMs).unref()

  return {
    port,
    async close() {
      clearInterval(watch)
      stops.close()
      await app.close()
      for (const channel of channels) channel.close()
      await store.close()
    },
  }
}

/** The IKI authorities with their current lists: what a client certificate is held against in the handshake. */
async function ikiTrust(store: Store): Promise<ClientTrust> {
  const iki = (await authorities(store)).filter(one => one.pki === 'iki')
  const lists = (await currentLists(store)).filter(list => iki.some(one => one.id === list.authority))
  return {
    authorities: iki.map(one => toPem('CERTIFICATE', one.certificate.der)),
    lists: lists.map(list => toPem('X509 CRL', list.der)),
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
  }
}
