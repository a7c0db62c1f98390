/** The S1SP as a program of its own: its home, its store, its key store, its journal. It never opens a DCO's store. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { dcoLine } from '../doors/dco/client.ts'
import { fromHex, toHex, view } from '../ground/bytes.ts'
import { integrate } from '../ground/journal/journal.ts'
import { verifierKey, verifierKeyText } from '../ground/journal/note.ts'
import { Refusal } from '../ground/refusal.ts'
import type { Store } from '../ground/store/store.ts'
import { assumed } from '../policy/settings.ts'
import { moduleSettingsSchema } from '../policy/symmetric/module-settings.ts'
import { modelsOf, symmetricSettings } from '../policy/symmetric/settings.ts'
import { type DcoPeer, dcoPeerSchema, readPeer, type S1spPeer } from '../rooms/symmetric/peers.ts'
import { collect, expectSource, forward, silentSources } from '../rooms/symmetric/s1sp/environment.ts'
import type { S1spHands } from '../rooms/symmetric/s1sp/hands.ts'
import { removeFromStore } from '../rooms/symmetric/s1sp/housekeeping.ts'
import { type ImportParties, takeHsmKeys } from '../rooms/symmetric/s1sp/hsm-keys.ts'
import { tcpDial } from '../rooms/symmetric/s1sp/line.ts'
import { notebook } from '../rooms/symmetric/s1sp/notebook.ts'
import { no } from '../rooms/symmetric/s1sp/refusals.ts'
import { warnOfReview } from '../rooms/symmetric/s1sp/review.ts'
import { s1spSettings } from '../rooms/symmetric/s1sp/settings.ts'
import { s1spMigrations } from '../rooms/symmetric/s1sp/tables.ts'
import { type RoundOptions, round } from '../rooms/symmetric/s1sp/worker.ts'
import { privateFolder, writePrivate } from './home.ts'
import { requireModule } from './module-keys.ts'
import { openOwnStore } from './own-store.ts'
import { makePeerTls, readPeerTls } from './peer-tls.ts'
import { labels, makeS1spKeys, openS1spKeys, requirePassphrase } from './s1sp-keys.ts'
import { serveReport } from './s1sp-report-door.ts'
import { systemChance, systemClock } from './world.ts'

const configSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/),
  kind: z.enum(['test', 'production']),
  /** The system title that its APDUs go out under: 8 octets, lower-case hexadecimal. */
  title: z.string().regex(/^[0-9a-f]{16}$/),
  /** As its DCO has it: models above all. */
  symmetric: symmetricSettings(assumed).prefault({}),
  work: s1spSettings.prefault({}),
  /** Where its keys are, and the Shared Key with them. */
  module: moduleSettingsSchema.prefault({}),
})

export type S1spConfig = z.output<typeof configSchema>

/** One folder, and what lies where in it. */
export interface S1spHome {
  readonly path: string
  /** Written last: its presence says that the S1SP was set up. */
  readonly config: string
  readonly store: string
  readonly keys: string
  readonly passphrase: string
  readonly tls: string
  /** What its DCO is told of it, and what it was told of its DCO. */
  readonly peer: string
  readonly dco: string
  readonly journalKey: string
  readonly environmentLog: string
}

export function s1spHomeAt(path: string): S1spHome {
  const at = resolve(path)
  return {
    path: at,
    config: join(at, 'config.json'),
    store: join(at, 'store'),
    keys: join(at, 'keys', 'keys'),
    passphrase: join(at, 'keys', 'passphrase'),
    tls: join(at, 'tls'),
    peer: join(at, 's1sp.json'),
    dco: join(at, 'dco.json'),
    journalKey: join(at, 'journal.vkey'),
    environmentLog: join(at, 'environment.log'),
  }
}

export interface InitS1sp {
  readonly name: string
  readonly kind: 'test' | 'production'
  readonly title: string
  /** Changes to the defaults, as in the configuration file. */
  readonly settings?: Record<string, unknown>
  /** Of the key store, or the PIN of the token; a test S1SP without one makes its own, and keeps it beside the store. */
  readonly passphrase?: Buffer
  /** Cost of opening the key store, for tests. */
  readonly log2N?: number
}

/** @throws Refusal S1SP_EXISTS, CONFIG_INVALID, SOFTWARE_KEYS_REFUSED, PASSPHRASES_NEEDED, KEYSTORE_…, MODULE_… */
export async function initS1sp(home: S1spHome, options: InitS1sp): Promise<S1spPeer> {
  if (existsSync(home.path) && readdirSync(home.path).length > 0) throw no('S1SP_EXISTS', home.path)
  const { name, kind, title, settings, log2N } = options
  const chosen = { name, kind, title, ...settings }
  const config = parseConfig(chosen, 'the settings')
  requireModule(config)
  requirePassphrase(config, options.passphrase)
  privateFolder(home.path)
  const passphrase = options.passphrase ?? Buffer.from(view(systemChance(24)).toString('base64url'))
  mkdirSync(join(home.path, 'keys'), { mode: 0o700 })
  const { keys, module, close } = makeS1spKeys(home, config, passphrase, log2N)
  if (!options.passphrase) writePrivate(home.passphrase, passphrase)
  try {
    const publicKey = keys.generate(labels.messages, 'P-256')
    const journal = keys.generate(labels.journal, 'Ed25519')
    const transportKey = module.makeTransportKey(labels.transport)
    makePeerTls(home.tls, name)
    const tls = readPeerTls(home.tls)
    const peer: S1spPeer = {
      name,
      title,
      publicKey: toHex(publicKey),
      certificates: [tls.fingerprint],
      authority: tls.authority,
      transportKey: toHex(transportKey),
    }
    writePrivate(home.peer, `${JSON.stringify(peer, null, 2)}\n`)
    writePrivate(home.journalKey, `${verifierKeyText(verifierKey(logName(config), journal.subarray(-32)))}\n`)
    writePrivate(home.config, `${JSON.stringify(chosen, null, 2)}\n`)
    return peer
  } finally {
    close()
  }
}

/** Takes what people were told of the DCO; the Shared Key is fetched once the DCO serves. */
export function joinDco(home: S1spHome, peer: DcoPeer): void {
  writeFileSync(home.dco, `${JSON.stringify(peer, null, 2)}\n`, { mode: 0o600 })
}

export interface OpenedS1sp {
  readonly hands: S1spHands & { readonly store: Store }
  readonly config: S1spConfig
  readonly home: S1spHome
  /** Resolves when its embedded store ended without being asked to. */
  readonly ended: Promise<void>
  /** Takes in the Shared Keys that wait at the DCO. @returns their labels */
  takeHsmKeys(): Promise<string[]>
  /** Gives journal entries their places, and signs. */
  integrate(): Promise<number>
  close(): Promise<void>
}

export interface OpenOptions {
  /** Beside a running program: its store is used, not started. */
  readonly share: boolean
  readonly passphrase?: Buffer
  /** Changes what the work needs of the world: for simulations. */
  readonly change?: (hands: S1spHands) => Partial<S1spHands>
}

/** @throws Refusal S1SP_MISSING, CONFIG_INVALID, SOFTWARE_KEYS_REFUSED, STORE_IN_USE, KEYSTORE_…, MODULE_…, PASSPHRASE_… */
export async function openS1sp(home: S1spHome, options: OpenOptions): Promise<OpenedS1sp> {
  const config = loadConfig(home)
  requireModule(config)
  const opened = await openOwnStore(home.store, s1spMigrations, options.share)
  const { keys, module, close } = await openS1spKeys(home, config, options.passphrase).catch(async cause => {
    await opened.close()
    throw cause
  })
  const self = { name: config.name, sign: (octets: Uint8Array) => keys.sign(labels.messages, octets) }
  const dco = existsSync(home.dco) ? readPeer(dcoPeerSchema, readFileSync(home.dco)) : undefined
  const tls = readPeerTls(home.tls)
  const line =
    dco &&
    dcoLine({
      dco: { url: dco.url, authority: dco.authority, name: dco.name, publicKey: fromHex(dco.messages) },
      signer: self,
      tls: { key: tls.key, chain: tls.chain },
    })
  const { connectSeconds, replySeconds } = config.work
  const usual: S1spHands = {
    store: opened.store,
    clock: systemClock,
    chance: systemChance,
    dco: line ?? { ask: () => Promise.reject(no('DCO_UNREACHABLE', 'none was joined: smki s1sp join')) },
    dial: tcpDial({ connectMs: connectSeconds * 1000, replyMs: replySeconds * 1000 }),
    models: modelsOf(config.symmetric),
    symmetric: config.symmetric,
    settings: config.work,
    notebook: notebook(opened.store),
    recordKey: dco ? fromHex(dco.records) : new Uint8Array(),
  }
  const hands = { ...usual, ...options.change?.(usual), store: opened.store }
  return {
    hands,
    config,
    home,
    ended: opened.ended,
    takeHsmKeys() {
      if (!dco) throw no('DCO_UNREACHABLE', 'none was joined: smki s1sp join')
      const sender = { name: dco.name, publicKey: fromHex(dco.distribution) }
      const parties: ImportParties = { module, transport: labels.transport, self, sender }
      return takeHsmKeys(hands, parties)
    },
    integrate: () => {
      const publicKey = keys.publicKey(labels.journal).subarray(-32)
      const sign = (octets: Uint8Array) => keys.sign(labels.journal, octets)
      return integrate({ store: opened.store, at: systemClock(), name: logName(config), publicKey, sign })
    },
    async close() {
      line?.close()
      close()
      await opened.close()
    },
  }
}

/** Works on an S1SP's store: that of the running program, or started for as long as the work takes. */
export async function withS1sp<T>(home: S1spHome, work: (opened: OpenedS1sp) => Promise<T>): Promise<T> {
  const opened = await openS1sp(home, { share: true })
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}

export interface RunningS1sp extends OpenedS1sp {
  readonly stopped: Promise<void>
  stop(): Promise<void>
}

const roundEveryMs = 1000
const integrateEveryMs = 1000
const housekeepEveryMs = 60_000
/** The program's own sign of life in the environment log; silence for longer is an alarm. */
const program = { source: 's1sp', everyMinutes: 5 } as const

/** Runs rounds until it is stopped: what is commissioned is rotated, and no person is asked (Policy (d)(i)). */
export async function serveS1sp(
  home: S1spHome,
  options: Partial<OpenOptions> & Pick<RoundOptions, 'onTried'> & { onFault?: (cause: Error) => void } = {},
): Promise<RunningS1sp> {
  const opened = await openS1sp(home, { share: false, ...options })
  const { hands } = opened
  const reports = await serveReport(home, hands).catch(async cause => {
    await opened.close()
    throw cause
  })
  const { onTried, onFault = cause => console.error(`s1sp: ${cause.message}`) } = options
  const stopping = new AbortController()
  const every = async (ms: number, work: () => Promise<unknown>): Promise<void> => {
    while (!stopping.signal.aborted) {
      await work().catch(onFault)
      await sleep(ms, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  await expectSource(hands, program.source, program.everyMinutes)
  const tell = (kind: string) =>
    collect(hands, program.source, [
      { source: program.source, at: hands.clock(), kind, says: `process ${process.pid}` },
    ])
  await tell('program.started')
  const loops = [
    every(roundEveryMs, async () => {
      const { signal } = stopping
      const { faults } = await round(hands, { signal, ...(onTried && { onTried }) })
      for (const { cause } of faults) onFault(cause as Error)
    }),
    every(integrateEveryMs, opened.integrate),
    every(housekeepEveryMs, async () => {
      await opened.takeHsmKeys()
      await removeFromStore(hands)
      await warnOfReview(hands)
      await tell('program.alive')
      await silentSources(hands)
      const lines = (events: readonly unknown[]) =>
        `${events.map(each => JSON.stringify(each, plain)).join('\n')}\n`
      await forward(hands, events => appendFile(home.environmentLog, lines(events), { mode: 0o600 }))
    }),
  ]
  const { promise: stopped, resolve: end } = Promise.withResolvers<void>()
  let once: Promise<void> | undefined
  const stop = (): Promise<void> => {
    once ??= (async () => {
      stopping.abort()
      await reports?.close()
      await Promise.all(loops)
      await opened.integrate().catch(() => {})
      await opened.close()
      end()
    })()
    return once
  }
  void opened.ended.then(() => stop())
  return { ...opened, stopped, stop }
}

const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)

export const logName = ({ name }: Pick<S1spConfig, 'name'>): string => `opensmki/s1sp/${name}`

/** @throws Refusal S1SP_MISSING, CONFIG_INVALID */
export function loadConfig(home: S1spHome): S1spConfig {
  if (!existsSync(home.config)) throw no('S1SP_MISSING', home.path)
  try {
    return parseConfig(JSON.parse(readFileSync(home.config, 'utf8')), home.config)
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new Refusal('CONFIG_INVALID', `${home.config} is not JSON`, { cause })
    throw cause
  }
}

function parseConfig(json: unknown, where: string): S1spConfig {
  const parsed = configSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new Refusal('CONFIG_INVALID', `${where} is not a configuration: ${z.prettifyError(parsed.error)}`)
}
