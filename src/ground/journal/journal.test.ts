import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import { act, at, journalScene, verifierKeys } from '../../../test/journal/log.ts'
import type { Bytes } from '../bytes.ts'
import type { Store } from '../store/store.ts'
import { openCheckpoint } from './checkpoint.ts'
import { type Entry, entry } from './entry.ts'
import { append, type Transactions } from './journal.ts'
import { leafHash } from './merkle.ts'
import { lastCheckpoint, positionOf } from './stored.ts'
import { slowRoot, testKey } from './testing.ts'

const scene = journalScene()
const { anew, grow, appendAll, numbers, check, all } = scene

describe('the journal', () => {
  it('holds an act and its entry in one transaction', async () => {
    await anew()
    assert.equal(await grow(), 0, 'nothing yet, and no checkpoint of it')
    await scene.store.transaction(client => append(client, act(0)))
    await assert.rejects(
      scene.store.transaction(async client => {
        await append(client, act(1))
        throw new Error('the act failed')
      }),
      /the act failed/,
    )
    await appendAll([act(2), act(3)])
    assert.equal(await grow(), 3)
    assert.equal(await grow(), 0)
    assert.deepEqual(await all(), [0, 2, 3])
    const stored = (await scene.store.transaction(lastCheckpoint))!
    const root = slowRoot([act(0), act(2), act(3)].map(leafHash))
    assert.deepEqual(openCheckpoint(stored.note, verifierKeys), {
      origin: testKey.name,
      size: 3,
      root: Buffer.from(root),
    })
    assert.equal((await check()).holds, true)
  })

  it('gives ids in the order of the entries', async () => {
    await anew()
    const one = await scene.store.transaction(client => append(client, act(0)))
    const many = await appendAll(numbers(1, 500))
    assert.deepEqual(
      [one, ...many],
      [...[one, ...many]].sort((a, b) => a - b),
    )
    assert.deepEqual(await appendAll([]), [])
    const position = (id: number) => scene.store.transaction(client => positionOf(client, id))
    assert.equal(await position(many[7]!), undefined)
    await grow()
    assert.equal(await position(many[7]!), 8)
    const { rows } = await scene.store.query<{ id: bigint }>('SELECT id FROM journal_entry ORDER BY position')
    assert.deepEqual(
      rows.map(({ id }) => Number(id)),
      [one, ...many],
    )
    assert.deepEqual(await all(), [...Array(500).keys()])
  })

  it('takes the largest entry, and no larger one even past our own check', async () => {
    await anew()
    const largest = entry('issued', at, { filler: 'x'.repeat(65_535 - entry('issued', at, { filler: '' }).length) })
    assert.equal(largest.length, 65_535)
    await appendAll([largest])
    await assert.rejects(appendAll([Buffer.alloc(65_536) as Bytes as Entry]), /journal_pending_octets_check/)
    await assert.rejects(appendAll([Buffer.alloc(0) as Bytes as Entry]), /journal_pending_octets_check/)
    assert.equal(await grow(), 1)
    assert.equal((await check()).holds, true)
  })

  it('gives an entry that commits late a later position, and none to one that never does', async () => {
    await anew()
    const slow = await openTransaction(scene.store, client => append(client, act(0)))
    const lost = await openTransaction(scene.store, client => append(client, act(1)))
    await appendAll([act(2)])
    assert.equal(await grow(), 1)
    await slow.commit()
    await lost.rollback()
    await appendAll([act(3)])
    assert.equal(await grow(), 2)
    assert.deepEqual(await all(), [2, 0, 3])
    assert.equal((await check()).holds, true)
  })

  it('does not wait for the integrator when it is appended to, nor the integrator for it', async () => {
    await anew()
    await appendAll([act(0)])
    const writing = await openTransaction(scene.store, client => append(client, act(1)))
    const integrating = sleepingIntegrator(scene.store)
    const growing = grow({ store: integrating.store })
    await integrating.asleep
    await appendAll([act(2)])
    integrating.wake()
    assert.equal(await growing, 1)
    await writing.commit()
    assert.equal(await grow(), 2)
    assert.deepEqual(await all(), [0, 1, 2])
  })

  it('takes up as many entries at once as it is told', async () => {
    await anew()
    await appendAll(numbers(0, 25))
    assert.deepEqual(
      [await grow({ atMost: 10 }), await grow({ atMost: 10 }), await grow(), await grow()],
      [10, 10, 5, 0],
    )
    assert.deepEqual(await all(), [...Array(25).keys()])
    assert.equal((await check()).checkpoints, 3)
  })

  it('never forks and never skips under two integrators, four writers, and a hand that ends integrators', async () => {
    await anew()
    const each = 120
    let writing = true
    const writers = [0, 1, 2, 3].map(async writer => {
      for (let n = 0; n < each; n += 2) {
        const number = writer * each + n
        await scene.store.transaction(async client => {
          await append(client, act(number))
          if (n % 6 === 0) await sleep(3)
          await append(client, act(number + 1))
        })
        // Some give up: their entries must never appear.
        if (n % 10 === 0) {
          await scene.store
            .transaction(async client => {
              await append(client, act(-1))
              throw new Error('given up')
            })
            .catch(() => {})
        }
      }
    })
    let failed = 0
    let grown = 0
    const integrators = [0, 1].map(async () => {
      while (writing) {
        try {
          grown += await grow()
        } catch {
          failed += 1
        }
      }
    })
    const hand = (async () => {
      while (writing) {
        await sleep(7)
        // Whoever holds the lock of integrators, or waits for it.
        await scene.store.query(`SELECT pg_terminate_backend(pid) FROM pg_locks
          WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
      }
    })()
    await Promise.all(writers)
    writing = false
    await Promise.all([...integrators, hand])
    await grow()

    const found = await all()
    assert.equal(found.length, 4 * each)
    assert.deepEqual(
      found.toSorted((a, b) => a - b),
      [...Array(4 * each).keys()],
      'every entry once',
    )
    assert.ok(failed > 0 && grown > 0, `${failed} integrators were ended, ${grown} entries taken meanwhile`)
    const report = await check()
    assert.deepEqual([report.holds, report.entries], [true, 4 * each], JSON.stringify(report.faults))
    assert.ok(report.checkpoints > 3, `${report.checkpoints} checkpoints`)
  })

  it('is whole after the integrator is ended before any one of its statements, the commit included', async () => {
    await anew()
    await appendAll(numbers(0, 300))
    await grow()
    let number = 300
    let ended = 0
    for (let step = 1; ; step++) {
      await appendAll(numbers(number, number + 40))
      number += 40
      const result = await grow({ store: endedBefore(scene.store, step) }).catch((error: Error) => error)
      if (!(result instanceof Error)) break
      ended += 1
      const report = await check()
      assert.deepEqual([report.holds, report.entries], [true, 300], `before statement ${step}`)
    }
    // Lock, checkpoint, two tiles of the edge of 300, placing, tiles, checkpoint, COMMIT.
    assert.equal(ended, 8)
    const report = await check()
    assert.deepEqual([report.holds, report.entries, report.signed.size], [true, number, number])
    assert.deepEqual(await all(), [...Array(number).keys()])
  })

  it('takes up a backlog in several rounds of one transaction', async () => {
    await anew()
    await appendAll(numbers(0, 8_300))
    assert.equal(await grow(), 8_300)
    assert.deepEqual(await all(), [...Array(8_300).keys()])
    const report = await check()
    assert.deepEqual([report.holds, report.entries, report.checkpoints], [true, 8_300, 1])
  })
})

/** A transaction that has done its work and stays open until it is told how to end. */
async function openTransaction(store: Store, work: (client: ClientBase) => Promise<unknown>) {
  const end = Promise.withResolvers<boolean>()
  const worked = Promise.withResolvers<void>()
  const done = store
    .transaction(async client => {
      await work(client)
      worked.resolve()
      if (!(await end.promise)) throw new Error('rolled back')
    })
    .catch(worked.reject)
  await worked.promise
  const ended = (keep: boolean) => {
    end.resolve(keep)
    return done
  }
  return { commit: () => ended(true), rollback: () => ended(false) }
}

/** A store whose integrator sleeps once it has placed its entries. */
function sleepingIntegrator(store: Store) {
  const asleep = Promise.withResolvers<void>()
  const awake = Promise.withResolvers<void>()
  const sleeping: Transactions = {
    transaction: work =>
      store.transaction(client =>
        work(
          watched(client, async (text, run) => {
            const result = await run()
            if (text.includes('journal_pending')) {
              asleep.resolve()
              await awake.promise
            }
            return result
          }),
        ),
      ),
  }
  return { store: sleeping, asleep: asleep.promise, wake: awake.resolve }
}

/** A store that ends its own backend before statement `step` of the work, or before COMMIT when that comes first. */
function endedBefore(store: Store, step: number): Transactions {
  return {
    transaction: work =>
      store.transaction(async client => {
        const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
        const end = async () => {
          await store.query('SELECT pg_terminate_backend($1, 5000)', [rows[0]!.pid])
        }
        let statements = 0
        const result = await work(
          watched(client, async (_, run) => {
            statements += 1
            if (statements === step) await end()
            return run()
          }),
        )
        if (statements === step - 1) await end()
        return result
      }),
  }
}

function watched(
  client: ClientBase,
  each: (text: string, run: () => Promise<unknown>) => Promise<unknown>,
): ClientBase {
  return new Proxy(client, {
    get: (target, name) => {
      if (name !== 'query') return Reflect.get(target, name)
      return (statement: string | { text: string }, values?: unknown[]) =>
        each(typeof statement === 'string' ? statement : statement.text, () =>
          target.query(statement as string, values),
        )
    },
  })
}
