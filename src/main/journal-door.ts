/** The journal's public door: a listener beside the Repository's, in the same program, which has no key of any authority. */

import type { Logger } from 'pino'
import { bodyOctets, journalDoor } from '../doors/journal/door.ts'
import { listen, tlsListener } from '../ground/http/listen.ts'
import { publishedFiles } from '../ground/journal/published.ts'
import { type Connection, openStore } from '../ground/store/store.ts'
import type { Settings } from '../policy/settings.ts'
import { crowdOf } from './crowd.ts'
import type { Home } from './home.ts'
import { serverCredentials } from './tls-ca.ts'
import { systemChance } from './world.ts'

export interface JournalDoorStart {
  readonly settings: Settings
  readonly home: Home
  /** How to reach the store. */
  readonly target: Connection | string
  readonly log: Pick<Logger, 'info' | 'error'>
}

export interface RunningJournalDoor {
  /** Undefined when the settings publish no journal. */
  readonly port: number | undefined
  /** Requests under way are answered first. */
  close(): Promise<void>
}

/** Statements under way at a time, and with them processes of the store: issuing goes before reading. */
const connections = 2

/**
 * TLS with the server's certificate, and no credential asked.
 * @throws Refusal PORT_IN_USE, PORT_DENIED, STORE_TOO_OLD. Nothing is left open then.
 */
export async function startJournalDoor(start: JournalDoorStart): Promise<RunningJournalDoor> {
  const { settings, home, target, log } = start
  const { host, journalPort, idleSeconds, headSeconds, connections: most, tls13 } = settings.services
  if (journalPort === null) return { port: undefined, close: async () => {} }
  const store = await openStore(target, { max: connections })
  const limits = {
    idleSeconds,
    headSeconds,
    requestSeconds: headSeconds,
    bodyOctets,
    connections: most,
    tls13,
    ...crowdOf(settings),
  }
  const { app } = tlsListener(serverCredentials(home), limits)
  const close = async () => {
    await app.close()
    await store.close()
  }
  try {
    journalDoor({ app, files: publishedFiles(store), chance: systemChance, log })
    return { port: await listen(app, host, journalPort), close }
  } catch (cause) {
    await close()
    throw cause
  }
}
