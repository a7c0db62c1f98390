/** Group commit: works on the store that come while one transaction is under way share the next. */

import type { Client, Store } from '../../ground/store/store.ts'

const groups = new WeakMap<object, Together>()

/** One for each store. */
export function inGroup(store: Pick<Store, 'transaction'>): Together {
  const known = groups.get(store)
  if (known) return known
  const made = together(store)
  groups.set(store, made)
  return made
}

/** Runs work in a transaction that others may share; it may be run again, so it has no effect but through its client. */
export type Together = <T>(work: (client: Client) => Promise<T>) => Promise<T>

interface Waiting {
  readonly work: (client: Client) => Promise<unknown>
  readonly resolve: (value: never) => void
  readonly reject: (cause: unknown) => void
}

/** Works in one transaction: bounds what one failure has to be done again for. */
const most = 64

/**
 * One transaction for all that waits, so one commit is paid for by many. Works in it go on side by side on one connection;
 * so each is about rows that no other is about (one Device has one work at a time). When one of them fails, nothing of
 * the transaction is kept, and each is done by itself.
 * @param lanes transactions under way at a time
 */
export function together(store: Pick<Store, 'transaction'>, lanes = 2): Together {
  const waiting: Waiting[] = []
  let running = 0

  async function run(): Promise<void> {
    running++
    while (waiting.length > 0) await inOne(store, waiting.splice(0, most))
    running--
  }

  return work =>
    new Promise((resolve, reject) => {
      waiting.push({ work, resolve, reject })
      // Whoever comes in the same turn goes along.
      if (running < lanes) setImmediate(() => void (running < lanes && waiting.length > 0 && run()))
    })
}

async function inOne(store: Pick<Store, 'transaction'>, all: readonly Waiting[]): Promise<void> {
  if (all.length === 1) return alone(store, all)
  try {
    const works = all.map(({ work }) => work)
    const results = await sideBySide(store, works)
    if (results === null) return alone(store, all)
    for (const [i, value] of results.entries()) all[i]!.resolve(value as never)
  } catch (cause) {
    for (const { reject } of all) reject(cause)
  }
}

async function alone(store: Pick<Store, 'transaction'>, all: readonly Waiting[]): Promise<void> {
  for (const { work, resolve, reject } of all) await store.transaction(work).then(resolve as never, reject)
}

/**
 * Works side by side in one transaction.
 * @returns null when one of them failed: then none of it was kept, and each may be done by itself
 * @throws when the transaction itself failed: whether it was kept is not known
 */
export async function sideBySide<T>(
  store: Pick<Store, 'transaction'>,
  works: readonly ((client: Client) => Promise<T>)[],
): Promise<T[] | null> {
  let failed = false
  try {
    return await store.transaction(async client => {
      // All have ended before the transaction does, so that none of them writes into whatever comes after it.
      const shared = inTurn(client)
      const ended = await Promise.allSettled(works.map(work => work(shared)))
      const fault = ended.find(one => one.status === 'rejected')
      failed = fault !== undefined
      if (fault) throw fault.reason
      return ended.map(one => (one as PromiseFulfilledResult<T>).value)
    })
  } catch (cause) {
    if (failed) return null
    throw cause
  }
}

/** One statement at a time, in the order in which they are asked for: a connection does not take two at once. */
function inTurn(client: Client): Client {
  let before: Promise<unknown> = Promise.resolve()
  const query = (...asked: [string]): Promise<unknown> => {
    const next = () => client.query(...asked)
    before = before.then(next, next)
    return before
  }
  return { query } as unknown as Client
}
