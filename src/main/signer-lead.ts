/** The lead of the signer processes: batches go their way, lists are renewed, used-up keys destroyed, the journal integrated. */

import type { Logger } from 'pino'
import { entry } from '../ground/journal/entry.ts'
import { append, integrate, type Memory } from '../ground/journal/journal.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import { Refusal } from '../ground/refusal.ts'
import { hierarchies } from '../policy/hierarchies.ts'
import type { Settings } from '../policy/settings.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { endByTime, endRevoked, markUsedUp, stockLevel } from '../rooms/authority/stock.ts'
import { advance, decideBatch, removeStale } from '../rooms/issuance/batch.ts'
import { unansweredCredentials } from '../rooms/issuance/iki-issue.ts'
import { unansweredSubmissions } from '../rooms/issuance/organisation-issue.ts'
import { takeOver } from '../rooms/issuance/portion.ts'
import { unansweredRequests } from '../rooms/issuance/profiled-issue.ts'
import { givenUpByAll } from '../rooms/issuance/signers.ts'
import type { RoomQuestion } from '../rooms/issuance/signing.ts'
import { isOpen } from '../rooms/issuance/window.ts'
import { currentIntervals } from '../rooms/repository/lists.ts'
import { listsAtRisk, renewLists } from '../rooms/revocation/schedule.ts'
import { watchStops } from '../rooms/revocation/stops.ts'
import { revokedAuthorities } from '../rooms/revocation/suspended.ts'
import { journalKey, journalVerifier } from './ceremony.ts'
import { lookout, type Marks, rememberStore } from './epoch.ts'
import type { EpochLog } from './epoch-log.ts'
import { every } from './signer-every.ts'
import { nightGuard, performanceTask } from './signer-performance.ts'
import type { Threads } from './signer-threads.ts'

export interface Lead {
  readonly hands: Hands
  readonly settings: Settings
  readonly keys: KeyStore
  readonly threads: Threads
  readonly log: Logger
  readonly epoch: { readonly marks: Marks; readonly log: EpochLog }
  /** Is told when each of its tasks was done. */
  readonly done?: ((task: string, at: Date) => void) | undefined
}

/** Begins with all that happens by itself. @returns ends it; what was written last is in the journal's tree then */
export async function startLead({
  hands,
  settings,
  keys,
  threads,
  log,
  epoch,
  done,
}: Lead): Promise<() => Promise<void>> {
  const stops = await watchStops(hands.store, hands.clock, fault =>
    log.error({ fault }, 'suspensions could not be read'),
  )
  const limit = hierarchies(settings)['smki-device'].issuing.keyUse!
  const warnedLists = new Map<string, number>()
  let warnedOf: number | undefined

  const night = nightGuard(hands, settings.performance, log)
  const portal = settings.issuing.portalApproval === 'as approval'
  const batches = async () => {
    const state = await advance(
      hands,
      isOpen(settings.issuing.window, hands.clock()) &&
        !stops.stopped({ interface: 'BATCH_WS' }) &&
        (await night()),
    )
    if (settings.issuing.approval === 'automatic') {
      for (const { id } of state.pending.filter(one => portal || !one.zip))
        await decideBatch(hands, id, { approve: true, by: 'standing rule' }).catch(unlessDecided)
    }
    if (!threads.held()) {
      for (const batch of state.parsing) threads.parse(batch)
      if (state.waiting) threads.portions()
    }
    for (const id of state.completed) log.info({ batch: String(id) }, 'batch completed')
  }

  // What was approved is issued, also when the signer that was asked is no more: at the start all of it, later what has
  // waited longer than any answer takes.
  let started = false
  let late = 0
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
    for (const question of waiting) threads.answer(question)
  }

  const destroyed = async () => {
    await endByTime(hands.store, limit, hands.clock())
    await endRevoked(hands.store, await revokedAuthorities(hands.store))
    const level = await stockLevel(hands.store, limit)
    for (const { id, name, keyLabel } of level.exhausted) {
      if (!(await givenUpByAll(hands.store, id))) continue
      destroyKey(keys, keyLabel)
      await hands.store.transaction(async client => {
        await markUsedUp(client, id)
        await append(client, entry('destroy key', hands.clock(), { authority: id, name, keyStore: keys.identity }))
      })
      log.info({ authority: name }, 'the key of a used-up Issuing DCA was destroyed')
    }
    if (level.inStock <= settings.certificates.issuingDcaStockWarning && level.inStock !== warnedOf) {
      log.warn(
        { inStock: level.inStock, certificatesLeft: level.left },
        'the stock of Issuing DCAs is low: hold a ceremony',
      )
    }
    warnedOf = level.inStock
  }

  const look = lookout(hands.store, epoch.marks, epoch.log.epoch)
  const memory: Memory = {}
  const journal = async () => {
    const grown = await integrate({
      store: hands.store,
      at: hands.clock(),
      ...journalVerifier(settings, keys),
      name: epoch.log.name,
      formerNames: epoch.log.formerNames,
      sign: octets => keys.sign(journalKey, octets),
      memory,
    })
    await look(grown)
  }

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

  // Other signer processes that ended: what each had in hand goes to whoever comes first.
  const gone = async () => {
    const found = await takeOver(hands)
    if (found.portions + found.signings > 0) log.warn(found, 'work of a signer that ended is taken over')
  }

  const stale = () => removeStale(hands.store, { now: hands.clock(), pickupDays: settings.issuing.pickupDays })
  const reported = () => performanceTask(hands, settings.performance, log)
  const periods = [
    ['batches', 25, batches],
    ['gone', 1000, gone],
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
    stops.close()
    await Promise.all(tasks.map(stop => stop()))
    // What was written last is in the tree before we go.
    await journal()
    await rememberStore(hands.store, epoch.marks, epoch.log.epoch)
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
