/** The signer: the one program with the issuing authorities' keys. It has no listener that the world can reach. */

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import { entry } from '../ground/journal/entry.ts'
import { append, integrate } from '../ground/journal/journal.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import { Refusal } from '../ground/refusal.ts'
import { type Connection, openStore, type Store } from '../ground/store/store.ts'
import { hierarchies } from '../policy/hierarchies.ts'
import type { Settings } from '../policy/settings.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { endByTime, endRevoked, markUsedUp, stockLevel } from '../rooms/authority/stock.ts'
import { advance, decideBatch, pendingBatches, removeStale } from '../rooms/issuance/batch.ts'
import { unansweredCredentials } from '../rooms/issuance/iki-issue.ts'
import { unansweredSubmissions } from '../rooms/issuance/organisation-issue.ts'
import { recover } from '../rooms/issuance/portion.ts'
import { unansweredRequests } from '../rooms/issuance/profiled-issue.ts'
import type { RoomQuestion } from '../rooms/issuance/signing.ts'
import { isOpen } from '../rooms/issuance/window.ts'
import { currentIntervals } from '../rooms/repository/lists.ts'
import { listsAtRisk, renewLists } from '../rooms/revocation/schedule.ts'
import { type Stops, watchStops } from '../rooms/revocation/stops.ts'
import { revokedAuthorities } from '../rooms/revocation/suspended.ts'
import { journalKey, journalVerifier } from './ceremony.ts'
import type { Home } from './home.ts'
import { inventoryOf } from './inventory.ts'
import { openKeyStore } from './key-stores.ts'
import { nightGuard, performanceTask } from './signer-performance.ts'
import type { Order, Report, WorkerStart } from './signer-worker.ts'
import { systemChance, systemClock } from './world.ts'

export interface SignerStart {
  readonly home: Home
  readonly settings: Settings
  readonly target: Connection | string
  /** A folder that only we can enter; the sockets of the workers lie there. */
  readonly run: string
  readonly passphrase: Uint8Array
  readonly log: Logger
  /** Is told when each of its tasks was done. */
  readonly done?: ((task: string, at: Date) => void) | undefined
}

export interface Signer {
  /** Where doors ask for single certificates. */
  readonly sockets: readonly string[]
  close(): Promise<void>
}

/** @throws Refusal SIGNER_RUNS when another signer works on this store; KEYSTORE_…; CLOCK_BEHIND */
export async function startSigner(start: SignerStart): Promise<Signer> {
  const { home, settings, target, log } = start
  const store = await openStore(target, { max: 4 })
  const hands: Hands = { store, clock: systemClock, chance: systemChance }
  const release = await beTheOnly(store)
  const keys = openKeyStore(home, settings, 'issuing', start.passphrase)
  const { kind, certificate } = settings.keyStore
  log.info({ identity: keys.identity, kind, ...(certificate !== '' && { certificate }) }, 'the key store is open')
  const seen = await newest(store)
  if (seen && seen.getTime() - systemClock().getTime() > 1000) {
    throw new Refusal(
      'CLOCK_BEHIND',
      `the clock says ${systemClock().toISOString()}, but certificates were issued at ${seen.toISOString()}: set the clock right`,
    )
  }
  const found = await recover(hands)
  if (found.portions + found.signings > 0) log.warn(found, 'work that was cut short is taken up again')

  // Each thread reads it for itself; one that cannot be read is refused here, in words.
  inventoryOf(home.path, settings.registration.smiStatuses, () => {})
  const workers = await startWorkers({ ...start, seen, grant: keys.grant() })
  const stops = await watchStops(store, systemClock, fault => log.error({ fault }, 'suspensions could not be read'))
  const stop = loop(hands, settings, keys, workers, stops, log, start.done)
  return {
    sockets: workers.map(worker => worker.socket),
    async close() {
      stops.close()
      await stop()
      await Promise.all(workers.map(worker => worker.thread.terminate()))
      keys.close()
      release()
      await store.close()
    },
  }
}

/** One signer to a store: its sockets and its stock of keys are its own. The lock falls with our connection. */
async function beTheOnly(store: Store): Promise<() => void> {
  const { promise: ended, resolve: release } = Promise.withResolvers<void>()
  return new Promise((resolve, reject) => {
    store
      .transaction(async client => {
        const { rows } = await client.query<{ got: boolean }>(
          "SELECT pg_try_advisory_xact_lock(hashtext('opensmki signer')) AS got",
        )
        if (!rows[0]!.got) throw new Refusal('SIGNER_RUNS', 'another signer works on this store: stop it first')
        resolve(release)
        await ended
      })
      .catch(reject)
  })
}

async function newest(store: Store): Promise<Date | undefined> {
  const { rows } = await store.query<{ at: Date | null }>('SELECT at FROM signing ORDER BY id DESC LIMIT 1')
  return rows[0]?.at ?? undefined
}

interface WorkerHandle {
  readonly thread: Worker
  readonly socket: string
  readonly order: (order: Order) => void
  onReport: (report: Report) => void
}

async function startWorkers(
  start: SignerStart & { seen: Date | undefined; grant: WorkerStart['grant'] },
): Promise<WorkerHandle[]> {
  const threads = start.settings.issuing.threads || availableParallelism()
  return Promise.all(
    Array.from({ length: threads }, async (_, i) => {
      const socket = join(start.run, `signer-${i}.sock`)
      const workerData: WorkerStart = {
        name: `${process.pid}/${i}`,
        target: start.target,
        grant: start.grant,
        settings: start.settings,
        socket,
        home: start.home.path,
        seen: start.seen,
      }
      const thread = new Worker(new URL('./signer-worker.ts', import.meta.url), { workerData })
      const handle: WorkerHandle = { thread, socket, order: order => thread.postMessage(order), onReport: () => {} }
      await new Promise<void>((resolve, reject) => {
        thread.once('error', reject)
        thread.on('message', (report: Report) => (report.report === 'ready' ? resolve() : handle.onReport(report)))
      })
      // A thread that dies leaves work half done: the whole signer starts anew, and takes it up.
      thread.on('error', (cause: unknown) => {
        start.log.fatal({ fault: String(cause) }, 'a thread of the signer died')
        process.exit(1)
      })
      return handle
    }),
  )
}

/** What happens by itself: batches go their way, lists are renewed, used-up keys destroyed, the journal integrated. */
function loop(
  hands: Hands,
  settings: Settings,
  keys: KeyStore,
  workers: readonly WorkerHandle[],
  stops: Stops,
  log: Logger,
  done: SignerStart['done'],
): () => Promise<void> {
  const limit = hierarchies(settings)['smki-device'].issuing.keyUse!
  const parsing = new Set<bigint>()
  const idle = new Set(workers)
  const retired = new Map<number, number>()
  let heldUntil = 0
  const warnedLists = new Map<string, number>()
  let warnedOf: number | undefined

  for (const worker of workers) {
    worker.onReport = report => {
      if (report.report === 'idle') idle.add(worker)
      else if (report.report === 'parsed') {
        // One that met a fault waits before it is tried again: what made it fail may take a while to pass.
        setTimeout(() => parsing.delete(report.batch), report.state === undefined ? 2000 : 0).unref()
      } else if (report.report === 'retired')
        retired.set(report.authority, (retired.get(report.authority) ?? 0) + 1)
      else if (report.report === 'fault' || report.report === 'held') {
        // A moment's pause: whatever is wrong may be right by then, and the log is not filled by one trouble.
        if (report.report === 'fault')
          log.error({ fault: report.fault }, 'a group was not issued; it is tried again')
        else if (Date.now() > heldUntil) log.error({ why: report.why }, 'issuing is held')
        heldUntil = Date.now() + 1000
      }
    }
  }

  const night = nightGuard(hands, settings.performance, log)
  const batches = async () => {
    if (settings.issuing.approval === 'automatic') {
      const portal = settings.issuing.portalApproval === 'as approval'
      for (const id of await pendingBatches(hands.store, { portal }))
        await decideBatch(hands, id, { approve: true, by: 'standing rule' }).catch(unlessDecided)
    }
    const state = await advance(
      hands,
      isOpen(settings.issuing.window, hands.clock()) &&
        !stops.stopped({ interface: 'BATCH_WS' }) &&
        (await night()),
    )
    const held = Date.now() <= heldUntil
    state.parsing
      .filter(id => !held && !parsing.has(id))
      .forEach((batch, i) => {
        parsing.add(batch)
        workers[i % workers.length]!.order({ order: 'parse', batch })
      })
    if (state.waiting && !held) {
      for (const worker of idle) worker.order({ order: 'portions' })
      idle.clear()
    }
    for (const id of state.completed) log.info({ batch: String(id) }, 'batch completed')
  }

  // What was approved is issued, also when the signer that was asked is no more: at the start all of it, later what has
  // waited longer than any answer takes.
  let started = false
  let late = 0
  let turn = 0
  const answers = async () => {
    const before = new Date(hands.clock().getTime() - (started ? patienceMs : 0))
    const waiting: RoomQuestion[] = [
      ...(await unansweredSubmissions(hands.store, before)).map(
        submission => ({ ask: 'organisation', submission }) as const,
      ),
      ...(await unansweredCredentials(hands.store, before)).map(one => ({ ask: 'iki', ...one }) as const),
      ...(await unansweredRequests(hands.store, before)).map(request => ({ ask: 'profiled', request }) as const),
    ]
    started = true
    if (waiting.length > 0 && waiting.length !== late)
      log.warn({ waiting: waiting.length }, 'approved certificates are issued late')
    late = waiting.length
    for (const question of waiting) workers[turn++ % workers.length]!.order({ order: 'answer', question })
  }

  const destroyed = async () => {
    await endByTime(hands.store, limit, hands.clock())
    await endRevoked(hands.store, await revokedAuthorities(hands.store))
    const level = await stockLevel(hands.store, limit)
    for (const { id, name, keyLabel } of level.exhausted) {
      const agreed = retired.get(id)
      if (agreed === undefined) {
        retired.set(id, 0)
        for (const worker of workers) worker.order({ order: 'retire', authority: id })
      } else if (agreed === workers.length) {
        destroyKey(keys, keyLabel)
        await hands.store.transaction(async client => {
          await markUsedUp(client, id)
          await append(
            client,
            entry('destroy key', hands.clock(), { authority: id, name, keyStore: keys.identity }),
          )
        })
        retired.delete(id)
        log.info({ authority: name }, 'the key of a used-up Issuing DCA was destroyed')
      }
    }
    if (level.inStock <= settings.certificates.issuingDcaStockWarning && level.inStock !== warnedOf) {
      log.warn(
        { inStock: level.inStock, certificatesLeft: level.left },
        'the stock of Issuing DCAs is low: hold a ceremony',
      )
    }
    warnedOf = level.inStock
  }

  const journal = () =>
    integrate({
      store: hands.store,
      at: hands.clock(),
      ...journalVerifier(settings, keys),
      sign: octets => keys.sign(journalKey, octets),
    })

  const lists = async () => {
    for (const list of await renewLists(hands, keys, scheduleOf(settings)))
      log.info({ list: list.name, number: String(list.number) }, 'list published')
    for (const { name, nextUpdate } of listsAtRisk(await currentIntervals(hands.store), hands.clock())) {
      if (warnedLists.get(name) === nextUpdate.getTime()) continue
      warnedLists.set(name, nextUpdate.getTime())
      log.error(
        { list: name, nextUpdate },
        'a list is near its end: renew it, a root list by `smki ceremony lists`',
      )
    }
  }

  const stale = () => removeStale(hands.store, { now: hands.clock(), pickupDays: settings.issuing.pickupDays })
  const reported = () => performanceTask(hands, settings.performance, log)
  const periods = [
    ['batches', 25, batches],
    ['answers', 10_000, answers],
    ['destroyed', 1000, destroyed],
    ['journal', 250, journal],
    ['lists', 60_000, lists],
    ['stale', 3_600_000, stale],
    ['performance', 3_600_000, reported],
  ] as const
  const tasks = periods.map(([name, ms, task]) => {
    const told = async () => {
      await task()
      done?.(name, hands.clock())
    }
    // From now on it is known how long it has not been done.
    done?.(name, hands.clock())
    // At a start what was cut short comes first; what is due by the day waits a minute.
    return every(ms, told, log, name === 'performance' ? 60_000 : 0)
  })
  return async () => {
    await Promise.all(tasks.map(stop => stop()))
    // What was written last is in the tree before we go.
    await journal()
  }
}

/** An approved CSR that has waited so long is not being worked on any more. */
const patienceMs = 20_000

/** A crash between the destruction and its record leaves a key that is gone already. */
function destroyKey(keys: KeyStore, label: string): void {
  keys.reload()
  if (keys.has(label)) keys.destroy(label)
}

function unlessDecided(cause: unknown): void {
  if (!(cause instanceof Refusal)) throw cause
}

function scheduleOf(settings: Settings) {
  const known = hierarchies(settings)
  return ({ pki, level }: { pki: string; level: string }) =>
    known[pki as keyof typeof known]?.[level as 'root' | 'issuing'].list
}

/** Runs a task again and again, never twice at a time; a fault is logged and the next turn tries again. */
function every(ms: number, task: () => Promise<unknown>, log: Logger, after = 0): () => Promise<void> {
  let stopped = false
  let wake = () => {}
  const run = async () => {
    if (after > 0) await sleep(after)
    while (!stopped) {
      try {
        await task()
      } catch (cause) {
        if (!stopped)
          log.error({ fault: (cause as Error).message }, 'a task of the signer failed; it is tried again')
        await sleep(1000)
      }
      await sleep(ms)
    }
  }
  const sleep = (time: number) =>
    stopped
      ? Promise.resolve()
      : new Promise<void>(resolve => {
          const timer = setTimeout(resolve, time)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
  const done = run()
  return async () => {
    stopped = true
    wake()
    await done
  }
}
