/** Lessons, rows 6 to 9 and 15: a list is never late, of this environment, complete, numbered without gap, and made by schedule. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '../../src/ground/bytes.ts'
import type { KeyStore } from '../../src/ground/keystore/keystore.ts'
import { openStore, type Store } from '../../src/ground/store/store.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import { type AuthorityRecord, authorities } from '../../src/rooms/authority/register.ts'
import { currentLists, type LodgedList, markRevoked } from '../../src/rooms/repository/lists.ts'
import { checkList, ListFault } from '../../src/rooms/revocation/check-list.ts'
import { publishList } from '../../src/rooms/revocation/list.ts'
import { readmitList } from '../../src/rooms/revocation/readmit.ts'
import { listsAtRisk, renewLists } from '../../src/rooms/revocation/schedule.ts'
import { listWatch } from '../../src/rooms/revocation/watch.ts'
import { makeRooms, type Rooms } from '../issuing/rooms.ts'
import { entriesOf, hours } from './scene.ts'

let now = Date.parse('2026-11-20T09:00:00.000Z')
const clock = () => new Date(now)
let rooms: Rooms
let issuing: AuthorityRecord
let root: AuthorityRecord
let schedules: ReturnType<typeof listSchedules>
let serials = 0

before(async () => {
  rooms = await makeRooms({ pkis: ['smki-organisation', 'smki-device'], clock })
  schedules = listSchedules(rooms.settings)
  const known = await authorities(rooms.store)
  issuing = known.find(one => one.part === 'Issuing OCA')!
  root = known.find(one => one.part === 'Root OCA')!
})
after(() => rooms.close())

const renew = (store: Store = rooms.store) => renewLists({ store, clock }, rooms.keys.issuing, schedules)
const publish = (keys: KeyStore = rooms.keys.issuing, at = clock) =>
  publishList({ store: rooms.store, clock: at }, issuing, keys, schedules(issuing)!)
const newSerial = () => Buffer.from((++serials).toString(16).padStart(30, '0').padStart(32, '01'), 'hex')
const revoke = async (expiresAt = new Date(now + hours(24 * 365)), reason = 1) => {
  const serial = newSerial()
  const revoked = { serial, at: clock(), reason, expiresAt }
  await rooms.store.transaction(client => markRevoked(client, issuing.id, revoked))
  return toHex(serial)
}
const currentList = async () => (await currentLists(rooms.store)).find(one => one.authority === issuing.id)!
const watched = async (name = 'Organisation CRL') =>
  (await listWatch(rooms.store, clock(), schedules)).find(one => one.name === name)!
const numbers = async () => {
  const { rows } = await rooms.store.query<{ number: bigint }>(
    'SELECT number FROM list WHERE authority = $1 ORDER BY number',
    [issuing.id],
  )
  return rows.map(row => Number(row.number))
}
const isUnbroken = (all: readonly number[]) => all.every((number, i) => number === i + 1)

describe('Row 6: a list is never late', () => {
  it('while its worker turns, hour after hour and with revocations, and no number is skipped', async () => {
    const first = (await currentList()).number
    for (let hour = 0; hour < 60; hour++) {
      now += hours(1)
      if (hour % 7 === 3) await revoke()
      // Just before its turn the worst that a list may be is due, or to wait for what was revoked in this hour.
      assert.notEqual((await watched()).state, 'late', `hour ${hour}`)
      await renew()
      const { state, age, waiting, margin } = await watched()
      assert.deepEqual([state, waiting], ['ok', 0])
      assert.ok(age < hours(12 * 0.9) && margin > hours(36), `${age}`)
    }
    const made = Number((await currentList()).number - first)
    assert.ok(made >= 9 && made <= 16, `${made} lists`)
    assert.ok(isUnbroken(await numbers()))
  })

  it('and the alarm is raised when its worker has stopped, before anybody is refused', async () => {
    await renew()
    await publish()
    const alarms: [number, string, boolean][] = []
    const from = now
    for (const after of [0, 10.7, 10.9, 12.1, 37, 49]) {
      now = from + hours(after)
      const { state, margin, age } = await watched()
      const list = await currentList()
      assert.equal(age, hours(after))
      assert.equal(margin, hours(48 - after))
      alarms.push([after, state, listsAtRisk([list], clock()).length === 1])
    }
    assert.deepEqual(alarms, [
      [0, 'ok', false],
      [10.7, 'ok', false],
      [10.9, 'due', false],
      [12.1, 'late', false],
      [37, 'late', true],
      [49, 'late', true],
    ])
    // Started again, it makes good at once, and says no more.
    assert.equal((await renew()).length, 1)
    assert.equal((await watched()).state, 'ok')
  })

  it('nor after a revocation: that it waits is seen, and an hour later it is late', async () => {
    await renew()
    await revoke()
    now += hours(0.5)
    const { state, waiting, dueBy } = await watched()
    assert.deepEqual([state, waiting, dueBy.getTime()], ['waiting revocations', 1, now + hours(0.5)])
    now += hours(0.5)
    assert.equal((await watched()).state, 'late')
    await renew()
    assert.equal((await watched()).state, 'ok')
  })

  it('and one that does not exist at all, or waits for a ceremony, is seen too', async () => {
    const everybody = () => schedules(issuing)
    const all = await listWatch(rooms.store, clock(), everybody)
    const missing = all.filter(one => one.part === 'Issuing DCA')
    assert.ok(missing.length > 0)
    for (const one of missing) assert.deepEqual([one.number, one.state], [0n, 'late'])

    const arl = () => watched('Organisation ARL')
    assert.equal((await arl()).state, 'ok')
    now += hours(24 * 340)
    assert.equal((await arl()).state, 'due')
    await renew()
    assert.equal((await arl()).state, 'due', 'its key is not here')
    await publishList({ store: rooms.store, clock }, root, rooms.keys.root, schedules(root)!)
    assert.equal((await arl()).state, 'ok')
  })
})

describe('Row 7: the publisher', () => {
  it('signs nothing with the key of another environment, though it has the same names and labels', async () => {
    const other = await makeRooms({ pkis: ['smki-organisation', 'smki-device'], clock })
    try {
      assert.ok(other.keys.issuing.has(issuing.keyLabel))
      const before = await numbers()
      let signed = 0
      const keys = wrapped(other.keys.issuing, {
        sign: (label, octets) => {
          signed++
          return other.keys.issuing.sign(label, octets)
        },
      })
      await assert.rejects(publish(keys), (cause: Error) => {
        assert.ok(cause instanceof ListFault)
        assert.match(cause.message, /another environment/)
        return true
      })
      assert.equal(signed, 0)
      // One that shows our public key, and signs with its own, is found out by the signature.
      const lying = wrapped(other.keys.issuing, { publicKey: label => rooms.keys.issuing.publicKey(label) })
      await assert.rejects(publish(lying), (cause: Error) => {
        assert.match(cause.message, /wrong in: signature$/)
        return true
      })
      assert.deepEqual(await numbers(), before)
      // And their list, brought here as it is, is not ours.
      const theirs = (await currentLists(other.store)).find(one => one.name === 'Organisation CRL')!
      const schedule = schedules(issuing)!
      await assert.rejects(readmitList({ store: rooms.store, clock }, issuing, schedule, theirs.der), ListFault)
    } finally {
      await other.close()
    }
  })

  it('checks issuer, key identifier, signature, number, thisUpdate and its order, each by itself', async () => {
    const list = await publish()
    const entries = entriesOf(list.der).size
    const previous = { ...list, number: list.number - 1n }
    const wrong = (parts: Partial<LodgedList>, before = previous, authority = issuing) => {
      try {
        checkList(authority, { ...list, ...parts }, entries, before)
        return 'nothing'
      } catch (cause) {
        return (cause as Error).message.replace(/^.* wrong in: /, '')
      }
    }
    const minute = (date: Date) => new Date(date.getTime() + 60_000)
    const changed = Buffer.from(list.der)
    changed[changed.length - 1]! ^= 1
    assert.equal(wrong({}), 'nothing')
    assert.throws(() => checkList(issuing, list, entries), /wrong in: order of numbers$/)
    assert.equal(wrong({ der: changed }), 'signature')
    assert.equal(wrong({ number: list.number + 1n }), 'number, order of numbers')
    assert.equal(wrong({ thisUpdate: minute(list.thisUpdate) }), 'thisUpdate')
    assert.equal(wrong({ nextUpdate: minute(list.nextUpdate) }), 'nextUpdate')
    assert.equal(wrong({}, { ...previous, number: list.number }), 'order of numbers')
    assert.equal(wrong({}, { ...previous, thisUpdate: minute(list.thisUpdate) }), 'order of thisUpdate')
    assert.equal(wrong({}, { ...previous, covers: list.covers + 1n }), 'revocations covered')
    assert.equal(wrong({}, previous, root), 'issuer, authority key identifier, signature')
    assert.match(wrong({ der: (await publish()).der }), /number/)
  })

  it('dates no list before the one that it follows: a small step of the clock is held, a large one is a fault', async () => {
    const { thisUpdate, number } = await publish()
    const back = (ms: number) => () => new Date(thisUpdate.getTime() - ms)
    const held = await publish(rooms.keys.issuing, back(30_000))
    assert.equal(held.thisUpdate.getTime(), thisUpdate.getTime())
    await assert.rejects(publish(rooms.keys.issuing, back(120_000)), (cause: Error) => {
      assert.match(cause.message, /set the clock right/)
      return cause instanceof ListFault
    })
    assert.equal((await currentList()).number, number + 1n)
  })

  it('renews the other lists when one cannot be', async () => {
    now += hours(12)
    const both = () => schedules(issuing)
    // The Issuing DCAs get a schedule here; the OCA's key refuses.
    const keys = wrapped(rooms.keys.issuing, {
      sign: (label, octets) => {
        if (label === issuing.keyLabel) throw new Error('the module is gone')
        return rooms.keys.issuing.sign(label, octets)
      },
    })
    await assert.rejects(renewLists({ store: rooms.store, clock }, keys, both), /the module is gone/)
    const made = (await currentLists(rooms.store)).filter(
      one => one.authority !== issuing.id && one.authority !== root.id,
    )
    assert.ok(made.length > 1)
    await renew()
  })
})

describe('Row 8: for random histories', () => {
  it('every revoked and unexpired serial is on every full list, and once more after it expired', async () => {
    type Step = { readonly revoke: number } | { readonly pass: number } | 'publish'
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ revoke: fc.integer({ min: 1, max: 96 }) }) },
      { weight: 2, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 40 }) }) },
      { weight: 3, arbitrary: fc.constant('publish' as const) },
    )
    let checked = 0
    let ended = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (history: Step[]) => {
        const due = new Map<string, { expiresAt: number; once: boolean }>()
        // What earlier histories left is expired, and had its last list.
        now += hours(24 * 400)
        await publish()
        await publish()
        for (const one of [...history, 'publish' as const, { pass: 100 }, 'publish' as const, 'publish' as const]) {
          if (one === 'publish') {
            const { der, thisUpdate } = await publish()
            const named = entriesOf(der)
            for (const [serial, state] of due) {
              const expired = state.expiresAt < thisUpdate.getTime()
              assert.equal(named.has(serial), !(expired && state.once), serial)
              if (expired && named.has(serial)) {
                state.once = true
                ended++
              }
              checked++
            }
            assert.equal(named.size, [...due.keys()].filter(serial => named.has(serial)).length, 'and nothing else')
          } else if ('pass' in one) now += hours(one.pass)
          else {
            const expiresAt = now + hours(one.revoke)
            due.set(await revoke(new Date(expiresAt), one.revoke % 6), { expiresAt, once: false })
          }
        }
        assert.ok([...due.values()].every(({ once }) => once))
      }),
      { numRuns: 12 },
    )
    assert.ok(checked > 50 && ended > 10, `${checked} looks, ${ended} ends`)
  })
})

describe('Row 9: numbers', () => {
  it('have no gap and no repetition with two schedulers at once, and a list that is due is made once', async () => {
    const second = await openStore(rooms.connection, { max: 4 })
    try {
      const before = await numbers()
      const at = { store: second, clock }
      await Promise.all(
        Array.from({ length: 6 }, (_, i) =>
          i % 2 === 0 ? publish() : publishList(at, issuing, rooms.keys.issuing, schedules(issuing)!),
        ),
      )
      assert.equal((await numbers()).length, before.length + 6)
      now += hours(12)
      const made = await Promise.all([renew(), renew(second), renew(), renew(second)])
      assert.equal(made.flat().filter(list => list.authority === issuing.id).length, 1)
      assert.ok(isUnbroken(await numbers()))
      const { rows } = await rooms.store.query<{ count: bigint }>(
        'SELECT count(*) AS count FROM list WHERE authority = $1 AND superseded_at IS NULL',
        [issuing.id],
      )
      assert.equal(rows[0]!.count, 1n)
    } finally {
      await second.close()
    }
  })

  it('have no gap when a scheduler is killed at any moment, and no list is half there', async () => {
    const whole = async () => {
      assert.ok(isUnbroken(await numbers()))
      const { number, der } = await currentList()
      return { number, named: entriesOf(der) }
    }
    const serial = await revoke()
    const before = await whole()
    assert.ok(!before.named.has(serial))
    // The server ends the connection of the scheduler while it signs: as when its machine is gone.
    let killed = 0
    const doomed = await openStore(rooms.connection, { max: 1 })
    const pid = (await doomed.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid
    const keys = wrapped(rooms.keys.issuing, {
      sign: (label, octets) => {
        killed++
        return rooms.keys.issuing.sign(label, octets)
      },
    })
    const dying = publishList(
      {
        store: doomed,
        clock: () => {
          // Asked first for thisUpdate, and then when the list is there and about to be lodged.
          if (killed > 0) void rooms.store.query('SELECT pg_terminate_backend($1)', [pid])
          return clock()
        },
      },
      issuing,
      keys,
      schedules(issuing)!,
    )
    await dying.then(() => undefined).catch(() => undefined)
    await doomed.close().catch(() => undefined)
    assert.equal(killed, 1)
    const between = await whole()
    await renew()
    const made = await whole()
    assert.ok(made.named.has(serial))
    assert.ok(made.number - before.number === 1n && between.number <= made.number)
  })

  it('go on after a restore where the world knows them to be, and what was revoked since is revoked', async () => {
    const copy = await currentList()
    const [known, forgotten] = [await revoke(), await revoke()]
    const published = [await publish(), await publish()]
    // The store as it was when the copy was made: two lists and a revocation are gone.
    await rooms.store.query('DELETE FROM list WHERE authority = $1 AND number > $2', [issuing.id, copy.number])
    await rooms.store.query('UPDATE list SET superseded_at = NULL WHERE authority = $1 AND number = $2', [
      issuing.id,
      copy.number,
    ])
    await rooms.store.query('DELETE FROM revoked WHERE authority = $1 AND serial = ANY($2)', [
      issuing.id,
      [fromHex(forgotten), fromHex(known)],
    ])
    const again = (der: Buffer) => readmitList({ store: rooms.store, clock }, issuing, schedules(issuing)!, der)
    await assert.rejects(again(published[1]!.der), ListFault)
    assert.equal((await again(published[0]!.der)).revoked, 2)
    assert.equal((await again(published[1]!.der)).revoked, 0)
    await assert.rejects(again(published[1]!.der), ListFault)
    const next = await publish()
    assert.equal(next.number, published[1]!.number + 1n)
    assert.ok(entriesOf(next.der).has(forgotten) && entriesOf(next.der).has(known))
    assert.ok(isUnbroken(await numbers()))
  })
})

describe('Row 15: revoking', () => {
  it('is the same work whatever stands on the list, and makes no list', async () => {
    const work = async () => {
      const before = await numbers()
      let statements = 0
      const serial = newSerial()
      await rooms.store.transaction(client => {
        const counting = new Proxy(client, {
          get: (of, name) =>
            name === 'query'
              ? (...args: unknown[]) => {
                  statements++
                  return (of.query as (...given: unknown[]) => unknown)(...args)
                }
              : Reflect.get(of, name, of),
        })
        return markRevoked(counting, issuing.id, {
          serial,
          at: clock(),
          reason: 1,
          expiresAt: new Date(now + hours(24)),
        })
      })
      assert.deepEqual(await numbers(), before)
      return statements
    }
    const few = await work()
    await rooms.store.query(
      `INSERT INTO revoked (authority, serial, at, reason, expires_at)
       SELECT $1, set_byte(decode(md5(i::text), 'hex'), 0, 1 + i % 127), now(), 1, now() + interval '9 years'
         FROM generate_series(1, 20000) AS i`,
      [issuing.id],
    )
    assert.equal(await work(), few)
    const { rows } = await rooms.store.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN INSERT INTO revoked (authority, serial, at, reason, expires_at)
       VALUES (1, '\\x01', now(), 1, now()) ON CONFLICT DO NOTHING`,
    )
    assert.doesNotMatch(rows.map(row => row['QUERY PLAN']).join('\n'), /Scan/)
    // The next turn of the worker names all of them.
    await renew()
    assert.ok(entriesOf((await currentList()).der).size >= 20_000)
  })
})

/** A key store in which some calls are others. */
function wrapped(keys: KeyStore, changes: Partial<KeyStore>): KeyStore {
  return new Proxy(keys, {
    get: (of, name) => {
      const found = (changes as Record<string | symbol, unknown>)[name] ?? Reflect.get(of, name, of)
      return typeof found === 'function' ? (found as (...args: unknown[]) => unknown).bind(of) : found
    },
  })
}
