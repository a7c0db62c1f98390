/** Fills the store of a test environment with real certificates by COPY: on every processor, in a stream, and going on where it was. */

import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { integrate } from '../src/ground/journal/journal.ts'
import { readPassphraseFile } from '../src/ground/keystore/passphrase.ts'
import { Refusal } from '../src/ground/refusal.ts'
import { addIssuingDcas, journalKey, journalVerifier } from '../src/main/ceremony.ts'
import { type Home, homeAt, isMade, loadSettings } from '../src/main/home.ts'
import { init } from '../src/main/init.ts'
import { openKeyStore } from '../src/main/key-stores.ts'
import { type OpenedStore, openHomeStore, systemChance, systemClock } from '../src/main/world.ts'
import { hierarchies } from '../src/policy/hierarchies.ts'
import type { Settings } from '../src/policy/settings.ts'
import { authorities } from '../src/rooms/authority/register.ts'
import { parties } from '../src/rooms/registration/parties.ts'
import { bench, type Context, rounded, shown } from './bench.ts'
import { groupProgress } from './grow-progress.ts'
import type { GrowStart, GrowTold } from './grow-worker.ts'
import { entriesOfGroup, type Grown, groupPlan, groupsOf, readGrown, writeGrown } from './grown.ts'

type GrowFigures = {
  readonly certificates: number
  /** Of this run. */
  readonly written: number
  readonly seconds: number
  readonly certificatesPerSecond: number
  /** Making the indexes again, and integrating the journal. */
  readonly indexSeconds: number
  readonly journalSeconds: number
}

export const grow = bench({
  says: 'fills a store with real certificates, for the benchmarks that take --home; an empty folder is made an environment',
  options: { home: '', certificates: 10_000_000, months: 6, threads: availableParallelism() },
  run: run,
  table: (figures: GrowFigures) =>
    Object.entries(figures).map(([name, figure]) => [name, shown(figure, figure < 100 ? 1 : 0)]),
})

const groupSize = 1000
const groupsOfBatch = 50
/** Issuing DCAs that are left for whoever issues into the full store. */
const spare = 30

interface Sizes {
  readonly home: string
  readonly certificates: number
  readonly months: number
  readonly threads: number
}

async function run({ home: path, certificates, months, threads }: Sizes, context: Context): Promise<GrowFigures> {
  if (path === '') throw new Refusal('NO_HOME', 'say which environment is filled: --home FOLDER')
  const home = homeAt(resolve(path))
  if (!isMade(home)) await makeEnvironment(home, certificates, months, context)
  const settings = loadSettings(home)
  if (settings.kind !== 'test')
    throw new Refusal('NOT_A_TEST', 'only a test environment is filled with such certificates')
  const opened = await openHomeStore(home, { share: true, max: 2 })
  try {
    const grown = readGrown(home) ?? (await plan(home, settings, opened, certificates))
    if (grown.certificates !== certificates) {
      const says = `this store was given ${shown(grown.certificates)} certificates: it takes no other number`
      throw new Refusal('GROWN_ALREADY', says)
    }
    return await fill({ home, settings, opened, grown, threads, context })
  } finally {
    await opened.close()
  }
}

/** As `smki init` makes it, so many months ago: its authorities are older than what they sign. */
async function makeEnvironment(home: Home, certificates: number, months: number, { say }: Context): Promise<void> {
  if (existsSync(home.path) && readdirSync(home.path).length > 0)
    throw new Refusal('HOME_NOT_EMPTY', `${home.path} is neither an environment nor empty`)
  say('holding the key ceremony of an environment')
  const ago = Date.now() - shift(months)
  await init(home, {
    environment: 'bench',
    kind: 'test',
    with: [],
    clock: () => new Date(Date.now() - ago),
    settings: {
      services: { devicePort: 0, repositoryPort: 0, plainRepositoryPort: null, journalPort: null, operatorPort: 0 },
      certificates: { issuingDcaStock: Math.min(200, Math.ceil(certificates / 100_000) + spare) },
    },
    witness: () => {},
  })
}

function shift(months: number): number {
  const then = new Date()
  then.setUTCMonth(then.getUTCMonth() - months)
  return then.getTime()
}

/** Decides everything, reserves its numbers, and takes the Issuing DCAs out of the stock. */
async function plan(home: Home, settings: Settings, opened: OpenedStore, certificates: number): Promise<Grown> {
  const { store } = opened
  const limit = hierarchies(settings)['smki-device'].issuing.keyUse!.certificates
  const groupsOfDca = Math.floor(limit / groupSize)
  const groups = groupsOf({ certificates, groupSize })
  const needed = Math.ceil(groups / groupsOfDca)
  const free = async () =>
    (await authorities(store)).filter(
      one => one.pki === 'smki-device' && one.level === 'issuing' && one.state === 'stock' && one.allotted === 0,
    )
  const missing = needed + spare - (await free()).length
  if (missing > 0) {
    const keys = {
      root: openKeyStore(home, settings, 'root', readPassphraseFile(home.rootPassphrase)),
      issuing: openKeyStore(home, settings, 'issuing', readPassphraseFile(home.issuingPassphrase)),
    }
    await addIssuingDcas({ store, clock: systemClock, chance: systemChance }, settings, keys, missing, () => {})
    keys.root.close()
    keys.issuing.close()
  }
  const dcas = (await free()).slice(0, needed)
  const subscribers = (await parties(store)).filter(one => one.deviceSubscriber)
  return store.transaction(async client => {
    const block = async (sequence: string, count: number) => {
      const { rows } = await client.query<{ first: bigint }>(
        `SELECT setval($1::regclass, nextval($1::regclass) + $2) - $2 AS first`,
        [sequence, count],
      )
      return String(rows[0]!.first)
    }
    const { rows: indexes } = await client.query<{ indexdef: string }>(
      `SELECT indexdef FROM pg_indexes WHERE tablename = 'certificate' AND indexname <> 'certificate_pkey'
        ORDER BY indexname`,
    )
    const grown: Grown = {
      certificates,
      groupSize,
      groupsOfBatch,
      from: Math.max(...dcas.map(one => one.certificate.notBefore.ms)) + 60_000,
      until: Date.now() - 60_000,
      signing: await block('signing_id_seq', groups),
      entry: await block('journal_pending_id_seq', groups * entriesOfGroup),
      batch: await block('batch_id', Math.ceil(groups / groupsOfBatch)),
      dcas: dcas.map(one => one.id),
      groupsOfDca,
      parties: subscribers.map(one => one.id),
      indexes: indexes.map(one => one.indexdef),
      finished: false,
    }
    // Nobody else is allotted anything of them from here on; their keys stay until all is written.
    await client.query('UPDATE authority SET allotted = $2 WHERE id = ANY($1)', [grown.dcas, limit])
    writeGrown(home, grown)
    return grown
  })
}

interface Filling {
  readonly home: Home
  readonly settings: Settings
  readonly opened: OpenedStore
  readonly grown: Grown
  readonly threads: number
  readonly context: Context
}

async function fill(filling: Filling): Promise<GrowFigures> {
  const { home, settings, opened, grown, context } = filling
  const { store } = opened
  const missing = await unwritten(opened, grown)
  const began = performance.now()
  const passphrase = readPassphraseFile(home.issuingPassphrase)
  const keys = openKeyStore(home, settings, 'issuing', passphrase)
  try {
    if (missing.length > 0) {
      const names = grown.indexes.map(nameOf)
      if (names.length > 0) await store.query(`DROP INDEX IF EXISTS ${names.join(', ')}`)
      await enterBatches(filling)
      await writeAll(filling, missing, keys.grant())
    }
    const seconds = (performance.now() - began) / 1000
    context.say('making the indexes again')
    const indexSeconds = await timed(() => makeIndexes(filling))
    context.say('giving the journal’s entries their positions')
    const journalSeconds = await timed(async () => {
      const { name, publicKey } = journalVerifier(settings, keys)
      const sign = (octets: Uint8Array) => keys.sign(journalKey, octets)
      while ((await integrate({ store, at: systemClock(), name, publicKey, sign })) > 0);
    })
    if (!grown.finished) await finish(filling)
    const written = missing.reduce((sum, n) => sum + Math.min(groupSize, grown.certificates - n * groupSize), 0)
    return {
      certificates: grown.certificates,
      written,
      seconds: rounded(seconds, 1),
      certificatesPerSecond: rounded(written / seconds),
      indexSeconds: rounded(indexSeconds, 1),
      journalSeconds: rounded(journalSeconds, 1),
    }
  } finally {
    keys.close()
  }
}

/**
 * Every batch, half a minute before its first portion, before any thread writes a portion of one. What was uploaded is not
 * kept: nobody reads it once the portions are made.
 */
async function enterBatches({ opened, grown }: Filling): Promise<void> {
  const groups = groupsOf(grown)
  const size = grown.groupSize
  for (let first = 0; first < groups; first += grown.groupsOfBatch) {
    const last = groupPlan(grown, Math.min(first + grown.groupsOfBatch, groups) - 1)
    const { batch, party, moment } = groupPlan(grown, first)
    const count = (last.number - first) * size + last.count
    const at = new Date(moment.getTime() - 30_000)
    await opened.store.query(
      `INSERT INTO batch (id, party, reference, state, received_at, sha256, octets, count, decided_by, decided_at,
         queued_at, completed_at, turn)
       VALUES ($1, $2, $3, 'COMPLETED', $4, $5, $6, $7, 'standing rule', $4, $4, $8, nextval('batch_turn'))
       ON CONFLICT (id) DO NOTHING`,
      [batch, party, `grown-${batch}`, at, systemChance(32), count * 420, count, last.moment],
    )
  }
}

const nameOf = (definition: string): string => /INDEX (\S+) ON/.exec(definition)![1]!

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

/** Numbers of groups that are not there yet: each is one transaction. */
async function unwritten({ store }: OpenedStore, grown: Grown): Promise<number[]> {
  const groups = groupsOf(grown)
  const first = BigInt(grown.signing)
  const { rows } = await store.query<{ id: bigint }>('SELECT id FROM signing WHERE id >= $1 AND id < $2', [
    first,
    first + BigInt(groups),
  ])
  const there = new Set(rows.map(row => Number(row.id - first)))
  return Array.from({ length: groups }, (_, n) => n).filter(n => !there.has(n))
}

/** Groups that a thread has in hand: one is made while another is written. */
const lanes = 2

async function writeAll(
  { settings, opened, grown, threads, context }: Filling,
  missing: readonly number[],
  grant: GrowStart['grant'],
): Promise<void> {
  const workerData = { target: opened.target, settings, grant, grown } satisfies GrowStart
  const shown = groupProgress(missing.length, groupSize)
  let next = 0
  const one = () =>
    new Promise<void>((done, failed) => {
      const worker = new Worker(new URL('./grow-worker.ts', import.meta.url), { workerData })
      let inHand = 0
      const give = () => {
        if (next < missing.length && !context.signal.aborted) {
          inHand++
          worker.postMessage(missing[next++])
        } else if (inHand === 0) worker.postMessage('end')
      }
      worker.on('message', (told: GrowTold) => {
        inHand--
        if ('fault' in told) {
          void worker.terminate()
          failed(new Error(told.fault))
          return
        }
        shown.one()
        give()
      })
      worker.on('error', failed)
      worker.on('exit', () => done())
      for (let i = 0; i < lanes; i++) give()
    })
  try {
    await Promise.all(Array.from({ length: Math.min(threads, missing.length) }, one))
  } finally {
    shown.end()
  }
  context.signal.throwIfAborted()
}

/** As they were: what the product's own migrations made, compared by definition. */
async function makeIndexes({ opened, grown }: Filling): Promise<void> {
  const { store } = opened
  const there = async () =>
    (
      await store.query<{ indexdef: string }>(
        `SELECT indexdef FROM pg_indexes WHERE tablename = 'certificate' AND indexname <> 'certificate_pkey'
          ORDER BY indexname`,
      )
    ).rows.map(row => row.indexdef)
  const missing = grown.indexes.filter(
    (
      (now: readonly string[]) => one =>
        !now.includes(one)
    )(await there()),
  )
  for (const definition of missing) {
    await store.transaction(async client => {
      await client.query("SET LOCAL maintenance_work_mem = '1GB'")
      await client.query(definition)
    })
  }
  const now = await there()
  const lost = grown.indexes.filter(one => !now.includes(one))
  if (lost.length > 0) throw new Error(`indexes are not what they were: ${lost.join('; ')}`)
  if (missing.length > 0) await store.query('VACUUM (ANALYZE) certificate, signing, batch, portion, not_in_use')
}

async function finish({ home, opened, grown }: Filling): Promise<void> {
  const { groupSize, groupsOfDca, from, until } = grown
  const perDca = (groupSize * groupsOfDca) / grown.certificates
  for (const [i, id] of grown.dcas.entries()) {
    const used = Math.min(groupSize * groupsOfDca, grown.certificates - i * groupSize * groupsOfDca)
    await opened.store.query(
      "UPDATE authority SET allotted = $2, state = 'exhausted', first_used_at = $3 WHERE id = $1",
      [id, used, new Date(from + Math.min(1, i * perDca) * (until - from))],
    )
  }
  await opened.store.query('CHECKPOINT')
  writeGrown(home, { ...grown, finished: true })
}
