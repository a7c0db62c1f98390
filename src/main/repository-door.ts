/** The Repository as a program: its listeners, and a store. It has no key of any authority, and opens no key store. */

import type { FastifyInstance } from 'fastify'
import type { Log } from '../doors/repository/answer.ts'
import { bodyOctets, repositoryDoor } from '../doors/repository/door.ts'
import { listen, plainListener, tlsListener } from '../ground/http/listen.ts'
import { type Connection, openStore } from '../ground/store/store.ts'
import type { Settings } from '../policy/settings.ts'
import { watchStops } from '../rooms/revocation/stops.ts'
import { limitsOfSmall } from './crowd.ts'
import type { Home } from './home.ts'
import { measuring, type Shown } from './measuring.ts'
import { serverCredentials } from './tls-ca.ts'
import { systemChance, systemClock } from './world.ts'

export interface RepositoryDoorStart {
  readonly settings: Settings
  readonly home: Home
  /** How to reach the store. */
  readonly target: Connection | string
  readonly log: Log
  /** Is given what was measured, each second. */
  readonly shown?: Shown | undefined
}

export interface RunningRepositoryDoor {
  /** Those that the listeners got. */
  readonly ports: { readonly tls: number; readonly plain?: number }
  /** Requests under way are answered first. */
  close(): Promise<void>
}

/** Statements under way at a time, and with them processes of the store. */
const connections = 4

/**
 * TLS with the server's certificate only: the API key is the credential. In test environments, when a port is set for
 * it, plain HTTP besides, which Smart DCC's client expects.
 * @throws Refusal CONFIG_INVALID, STORE_TOO_OLD; the system's errors when a port or a file cannot be had. Nothing is
 * left open then.
 */
export async function startRepositoryDoor(start: RepositoryDoorStart): Promise<RunningRepositoryDoor> {
  const { settings, home, target, log, shown } = start
  const { host, repositoryPort, plainRepositoryPort } = settings.services
  const test = settings.kind === 'test'
  const credentials = serverCredentials(home)
  const store = await openStore(target, { max: connections })

  const doors: FastifyInstance[] = []
  const stops = await watchStops(store, systemClock, fault => log.error({ fault }, 'suspensions could not be read'))
  const measurements = measuring(store, settings.performance, log, shown)
  const close = async () => {
    stops.close()
    for (const app of doors) await app.close()
    await measurements.close()
    await store.close()
  }
  const open = (app: FastifyInstance, port: number) => {
    doors.push(app)
    repositoryDoor({
      app,
      store,
      clock: systemClock,
      chance: systemChance,
      settings: settings.repository,
      test,
      log,
      stops,
      measure: measurements.measure,
    })
    return listen(app, host, port)
  }
  try {
    const limits = limitsOfSmall(settings, bodyOctets)
    const tls = await open(tlsListener(credentials, limits).app, repositoryPort)
    if (!test || plainRepositoryPort === null) return { ports: { tls }, close }
    const plain = await open(plainListener(limits), plainRepositoryPort)
    return { ports: { tls, plain }, close }
  } catch (cause) {
    await close()
    throw cause
  }
}
