/** The Repository's files as a program: they are made when they are due, and fetched by SFTP. It has no key of any authority. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { sftpDoor } from '../doors/sftp/door.ts'
import { type Connection, openStore, type Store } from '../ground/store/store.ts'
import type { Settings } from '../policy/settings.ts'
import { filesTurn } from '../rooms/repository/files/schedule.ts'
import { watchStops } from '../rooms/revocation/stops.ts'
import type { Home } from './home.ts'
import { fileScheduleOf, makingOf } from './repository-files.ts'
import { sshHostKey } from './ssh-host-key.ts'
import { systemChance, systemClock } from './world.ts'

export interface SftpDoorStart {
  readonly settings: Settings
  readonly home: Home
  /** How to reach the store. */
  readonly target: Connection | string
  readonly log: Pick<Logger, 'info' | 'error'>
}

export interface RunningSftpDoor {
  readonly port: number
  /** Ends every connection. A file that is being made is left, and made again by the next that runs. */
  close(): Promise<void>
}

/** Statements under way at a time, and with them processes of the store. */
const connections = 4
/** How long a file that has become due waits at most. */
const turnMs = 30_000
/** How long the end waits for a file to be finished. */
const patienceMs = 5000

/** @throws Refusal PORT_IN_USE, PORT_DENIED, STORE_TOO_OLD. Nothing is left open then. */
export async function startSftpDoor(start: SftpDoorStart): Promise<RunningSftpDoor> {
  const { settings, home, target, log } = start
  const { host, sftpPort, sftpConnections, sftpConnectionsOfParty, headSeconds, idleSeconds } = settings.services
  const store = await openStore(target, { max: connections })
  const stops = await watchStops(store, systemClock, fault => log.error({ fault }, 'suspensions could not be read'))
  const needs = {
    store,
    clock: systemClock,
    chance: systemChance,
    stops,
    folder: home.files,
    hostKey: sshHostKey(home),
    limits: {
      connections: sftpConnections,
      connectionsOfParty: sftpConnectionsOfParty,
      loginSeconds: headSeconds,
      idleSeconds,
    },
    log,
  }
  try {
    const door = await sftpDoor(needs, host, sftpPort!)
    const making = turns(store, home, settings, log)
    return {
      port: door.port,
      async close() {
        await door.close()
        stops.close()
        if (await making.stop()) await store.close()
      },
    }
  } catch (cause) {
    stops.close()
    await store.close()
    throw cause
  } finally {
    needs.hostKey.fill(0)
  }
}

/** Makes what is due, again and again; a fault is logged, and the next turn tries again. */
function turns(
  store: Store,
  home: Home,
  settings: Settings,
  log: SftpDoorStart['log'],
): { stop(): Promise<boolean> } {
  const over = new AbortController()
  const run = async () => {
    while (!over.signal.aborted) {
      try {
        const making = await makingOf({ store, clock: systemClock }, home, settings)
        const { made, removed } = await filesTurn(making, fileScheduleOf(settings))
        for (const { name: file, records, octets } of made) log.info({ file, records, octets }, 'a file was made')
        for (const file of removed) log.info({ file }, 'a file was taken away')
      } catch (cause) {
        if (!over.signal.aborted)
          log.error({ fault: (cause as Error).message }, 'files could not be made; it is tried again')
      }
      await sleep(turnMs, undefined, { signal: over.signal }).catch(() => {})
    }
    return true
  }
  const done = run()
  return {
    stop() {
      over.abort()
      return Promise.race([done, sleep(patienceMs, false)])
    },
  }
}
