/** The DCO as a program of its own: its keys, its journal, its door; and the work of its people beside it. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dcoDoor, longestMessage } from '../doors/dco/door.ts'
import { toHex } from '../ground/bytes.ts'
import { listen, tlsListener } from '../ground/http/listen.ts'
import { Refusal } from '../ground/refusal.ts'
import type { Store } from '../ground/store/store.ts'
import type { DcoSettings } from '../policy/symmetric/dco-settings.ts'
import { answerMessages } from '../rooms/symmetric/dco/answer.ts'
import { type EnvironmentLog, environmentLog } from '../rooms/symmetric/dco/environment.ts'
import { dcoHands, type Hands } from '../rooms/symmetric/dco/hands.ts'
import { housekeep } from '../rooms/symmetric/dco/housekeeping.ts'
import { dcoMigrations } from '../rooms/symmetric/dco/tables.ts'
import { type DcoHome, loadDcoSettings } from './dco-home.ts'
import { integrateJournal } from './dco-journal.ts'
import { type DcoKeys, openDcoKeys } from './dco-keys.ts'
import { requireModule } from './module-keys.ts'
import { openOwnStore } from './own-store.ts'
import { passphraseOf } from './passphrases.ts'
import { readPeerTls } from './peer-tls.ts'
import { systemChance, systemClock } from './world.ts'

/** Works on a DCO's store and keys: those of the running program, or started for as long as the work takes. */
export async function withDco<T>(
  home: DcoHome,
  work: (hands: Hands) => Promise<T>,
  passphrase?: Buffer,
): Promise<T> {
  const settings = loadDcoSettings(home)
  const opened = await openOwnStore(home.store, dcoMigrations, true)
  try {
    const { keys, module, close } = await openKeys(home, settings, passphrase)
    try {
      const environment = environmentLog(home.environmentLog, systemClock, module.identity)
      return await work(dcoHands({ ...world(opened.store), module, keys, settings, environment }))
    } finally {
      close()
    }
  } finally {
    await opened.close()
  }
}

export interface RunningDco {
  readonly port: number
  readonly settings: DcoSettings
  readonly hands: Hands
  /** Resolves when the program ended: asked to, or because its store did. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

const integrateEveryMs = 1000
const housekeepEveryMs = 3_600_000
const aliveEveryMs = 60_000

/** @throws Refusal DCO_MISSING, CONFIG_INVALID, SOFTWARE_KEYS_REFUSED, STORE_IN_USE, KEYSTORE_…, PORT_IN_USE */
export async function serveDco(home: DcoHome, options: { passphrase?: Buffer } = {}): Promise<RunningDco> {
  const settings = loadDcoSettings(home)
  requireModule(settings)
  const opened = await openOwnStore(home.store, dcoMigrations, false)
  const { keys, module, close: closeKeys } = await openKeysOr(home, settings, options.passphrase, opened.close)
  const log = environmentLog(home.environmentLog, systemClock, module.identity)
  log.tell({ event: 'module.opened' })
  const hands = dcoHands({ ...world(opened.store), module, keys, settings, environment: log })
  const timers: NodeJS.Timeout[] = []
  const every = (ms: number, work: () => unknown) =>
    timers.push(
      setInterval(async () => {
        try {
          await work()
        } catch (cause) {
          console.error(`dco: ${(cause as Error).message}`)
        }
      }, ms),
    )
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let stopping: Promise<void> | undefined
  let close = async (): Promise<void> => {}
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      for (const timer of timers) clearInterval(timer)
      await close()
      // What it cannot place now, because the store is gone, it places at the next start.
      await integrateJournal(hands).catch(() => {})
      log.tell({ event: 'program.stopped' })
      closeKeys()
      await opened.close()
      end()
    })()
    return stopping
  }
  try {
    const door = openDoor(home, settings, hands, log)
    close = () => door.app.close().then(() => {})
    const port = await listen(door.app, settings.door.host, settings.door.port)
    log.tell({ event: 'program.started', about: { port } })
    every(integrateEveryMs, () => integrateJournal(hands))
    every(housekeepEveryMs, () => housekeep(hands))
    every(aliveEveryMs, () => log.tell({ event: 'program.alive' }))
    void opened.ended.then(() => stop())
    return { port, settings, hands, ended, stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

function openDoor(home: DcoHome, settings: DcoSettings, hands: Hands, log: EnvironmentLog) {
  const authorities = readdirSync(home.peers).map(file => readFileSync(join(home.peers, file), 'utf8'))
  const { key, chain } = readPeerTls(home.tls)
  const { idleSeconds, headSeconds, requestSeconds, connections, tls13 } = settings.door
  const limits = { idleSeconds, headSeconds, requestSeconds, connections, tls13, bodyOctets: longestMessage }
  // With no S1SP yet, nobody comes in: an authority is needed to refuse by, and our own has signed no client.
  const trusted = authorities.length > 0 ? authorities : [readPeerTls(home.tls).authority]
  const { app } = tlsListener({ key, chain }, limits, { authorities: trusted, lists: [] }, (fault, from) =>
    log.tell({ event: 'handshake.refused', about: { fault, from } }),
  )
  const byCertificate = new Map(
    settings.s1sps.flatMap(({ name, certificates }) => certificates.map(each => [each, name] as const)),
  )
  dcoDoor(app, {
    answer: (envelopes, s1sp) => answerMessages(hands, envelopes, s1sp),
    s1spOf: certificate => byCertificate.get(certificate),
    incident: () => toHex(systemChance(6)),
    onFault: (incident, { name, message }) => console.error(`dco: incident ${incident}: ${name}: ${message}`),
  })
  return { app }
}

async function openKeys(home: DcoHome, settings: DcoSettings, given?: Buffer): Promise<DcoKeys> {
  const passphrase = given ?? (await passphraseOf('DCO', undefined, home.passphrase))
  try {
    return openDcoKeys(home.keys, settings, passphrase)
  } catch (cause) {
    // A failed log-in belongs to what is watched over, also when nothing else comes of it.
    if (cause instanceof Refusal) {
      const log = environmentLog(home.environmentLog, systemClock, settings.module.kind)
      log.tell({ event: 'module.refused', about: { code: cause.code } })
    }
    throw cause
  } finally {
    passphrase.fill(0)
  }
}

async function openKeysOr(
  home: DcoHome,
  settings: DcoSettings,
  given: Buffer | undefined,
  otherwise: () => Promise<void>,
): Promise<DcoKeys> {
  try {
    return await openKeys(home, settings, given)
  } catch (cause) {
    await otherwise()
    throw cause
  }
}

const world = (store: Store) => ({ store, clock: systemClock, chance: systemChance })
