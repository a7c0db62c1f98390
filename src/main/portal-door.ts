/** The Portal as a program: pages for people. It has no key of any authority, and asks the signer over its socket. */

import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { type Entry, type PortalWorld, portalDoor } from '../doors/portal/door.ts'
import { openChannel } from '../ground/channel.ts'
import type { Clock } from '../ground/clock.ts'
import { type Limits, listen, plainListener, tlsListener } from '../ground/http/listen.ts'
import { type Connection, openStore } from '../ground/store/store.ts'
import { listSchedules } from '../policy/revocation/schedules.ts'
import type { Settings } from '../policy/settings.ts'
import type { RoomAnswer, RoomQuestion } from '../rooms/issuance/signing.ts'
import { turningAway } from '../rooms/registration/turned-away.ts'
import { build } from './build.ts'
import { crowdOf } from './crowd.ts'
import { verifierKeysOf } from './epoch-log.ts'
import type { Home } from './home.ts'
import { ikiTrust, watchTrust } from './iki-trust.ts'
import { followReports } from './s1sp-reports.ts'
import { sampleZip } from './sample-zip.ts'
import { testIdentities } from './test-identities.ts'
import { serverCredentials } from './tls-ca.ts'
import { systemChance, systemClock } from './world.ts'

export interface PortalDoorStart {
  readonly home: Home
  readonly settings: Settings
  readonly target: Connection | string
  /** Sockets of whoever holds the keys. */
  readonly signers: readonly string[]
  readonly log: Logger
  /** The system's by default; tests turn their own. */
  readonly clock?: Clock
}

export interface RunningPortalDoor {
  /** Those that the listeners got: by certificate, by password, and for test identities. */
  readonly ports: { readonly portal?: number; readonly repositoryPortal?: number; readonly testPortal?: number }
  /** Asks every S1SP that was joined for its report, now; by itself it does so each minute. */
  readReports(): Promise<void>
  /** Requests under way are answered first. */
  close(): Promise<void>
}

/** @throws Refusal TLS_MISSING, STORE_TOO_OLD, PORT_IN_USE, PORT_DENIED. Nothing is left open then. */
export async function startPortalDoor(start: PortalDoorStart): Promise<RunningPortalDoor> {
  const { home, settings, target, signers, log, clock = systemClock } = start
  const { host, portalPort, repositoryPortalPort } = settings.services
  const store = await openStore(target, { max: 8 })
  const channels = signers.map(path => openChannel<RoomQuestion, RoomAnswer>(path))
  const apps: FastifyInstance[] = []
  const unread = (s1sp: string, { message: fault }: Error) => log.warn({ s1sp, fault }, 'a report cannot be read')
  const reports = followReports(home, clock, unread)
  let watch: { stop(): void } | undefined
  const close = async () => {
    watch?.stop()
    reports.stop()
    for (const app of apps) await app.close()
    for (const channel of channels) channel.close()
    await store.close()
  }
  const world: Omit<PortalWorld, 'entry'> = {
    store,
    clock,
    chance: systemChance,
    rules: settings.registration,
    revocation: settings.revocation,
    schedules: listSchedules(settings),
    settings,
    signers: channels,
    journalKeys: verifierKeysOf(home),
    build,
    log,
    smets1Reports: reports.latest,
    turnedAway: turningAway({ store, clock, log }),
  }
  const open = async (
    app: FastifyInstance,
    entry: Entry,
    at: string,
    port: number,
    more: Partial<PortalWorld> = {},
  ) => {
    apps.push(app)
    portalDoor(app, { ...world, entry, ...more })
    return listen(app, at, port)
  }
  try {
    const limits = limitsOf(settings)
    const ports: { portal?: number; repositoryPortal?: number; testPortal?: number } = {}
    if (portalPort !== null) {
      const server = serverCredentials(home)
      const trust = await ikiTrust(store)
      const refused = (fault: string, from: string) => log.info({ fault, from }, 'a handshake was refused')
      const { app, renew } = tlsListener(server, limits, trust, refused)
      ports.portal = await open(app, 'certificate', host, portalPort)
      const onFault = (cause: Error) =>
        log.error({ fault: cause.message }, 'the lists at the door could not be renewed')
      watch = watchTrust(store, trust, current => renew(server, current), onFault)
    }
    if (repositoryPortalPort !== null) {
      ports.repositoryPortal = await open(
        tlsListener(serverCredentials(home), limits).app,
        'password',
        host,
        repositoryPortalPort,
      )
    }
    const test = testPortalOf(settings)
    if (test) {
      const identities = await testIdentities(home, store)
      ports.testPortal = await open(plainListener(limits), 'test', test.host, test.port, {
        testIdentities: identities,
        sample: count => sampleZip(count, clock, systemChance),
      })
    }
    return { ports, readReports: reports.refresh, close }
  } catch (cause) {
    await close()
    throw cause
  }
}

/** Where the page of test identities listens: nowhere but in a test environment, on a loopback address of its own. */
export function testPortalOf({ kind, services }: Settings): { host: string; port: number } | undefined {
  if (kind !== 'test' || services.testPortalPort === null) return undefined
  return { host: '127.0.0.1', port: services.testPortalPort }
}

/** Files are read within bounds of their own; forms are small. */
function limitsOf({ services }: Settings): Limits {
  const { idleSeconds, headSeconds, requestSeconds, connections, tls13 } = services
  return {
    idleSeconds,
    headSeconds,
    requestSeconds,
    bodyOctets: 131_072,
    connections,
    tls13,
    ...crowdOf({ services }),
  }
}
