/** Several signer processes as the store knows them: who lives, what is taken over from whom, and who leads. */

import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { entry } from '../../src/ground/journal/entry.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import { openSession, type Session } from '../../src/ground/store/session.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { encodeItems, portionsWait, recover, takeOver, takePortion } from '../../src/rooms/issuance/portion.ts'
import { enrol, givenUpByAll, lead, report } from '../../src/rooms/issuance/signers.ts'
import { intendAtOnce, signingNumbers } from '../../src/rooms/repository/at-once.ts'
import { type Intended, intend } from '../../src/rooms/repository/register.ts'
import { acts, makeRooms, type Rooms } from './rooms.ts'

let rooms: Rooms
let sessions: Session[] = []

before(async () => {
  rooms = await makeRooms()
})
after(() => rooms.close())
afterEach(async () => {
  for (const session of sessions) await session.close()
  sessions = []
  await recover(rooms.hands)
  await rooms.store.query('DELETE FROM signer')
  await rooms.store.query('TRUNCATE batch, portion')
})

const open = async () => {
  const session = await openSession(rooms.connection)
  sessions.push(session)
  return session
}
/** A signer process, as far as the store sees it. */
async function signer(number: number) {
  const session = await open()
  const id = await enrol(session, number, rooms.hands.clock())
  return {
    id,
    says: (givenUp: number[] = []) => report(session, id, rooms.hands.clock(), givenUp),
    async ends() {
      sessions = sessions.filter(one => one !== session)
      await session.close()
    },
  }
}

let serial = 1
async function planned(): Promise<Intended> {
  const dca = (await authorities(rooms.store)).find(one => one.pki === 'smki-device' && one.level === 'issuing')!
  const octets = Buffer.alloc(16)
  octets.fill(serial++)
  const [keyId, tbs] = [octets.subarray(0, 8), Buffer.from('to be signed')]
  const of = { authority: dca.id, family: 'device', usage: 'DS', role: undefined } as const
  return { ...of, eui64: undefined, ordinal: undefined, serial: octets, keyId, tbs }
}
/** Written down by that process, and neither kept nor given up. */
async function left(by: number, how: 'portion' | 'single'): Promise<bigint> {
  const at = rooms.hands.clock()
  if (how === 'portion') {
    return rooms.store.transaction(async client => intend(client, at, 72, [await planned()], by))
  }
  const signing = await signingNumbers(rooms.store)()
  const says = entry('intend', at, { signing: String(signing) })
  await intendAtOnce(rooms.store, signing, at, 72, [await planned()], says, by)
  return signing
}
const stateOf = async (signing: bigint) => {
  const { rows } = await rooms.store.query<{ state: string }>('SELECT state FROM signing WHERE id = $1', [signing])
  return rows[0]!.state
}
async function batchOf(portions: number): Promise<void> {
  await rooms.store.query(
    `INSERT INTO batch (id, party, reference, state, received_at, sha256, octets, count)
     VALUES (1, 1, 'a batch', 'PROCESSING', $1, $2, 1, 1)`,
    [rooms.hands.clock(), Buffer.alloc(32)],
  )
  await rooms.store.query(
    'INSERT INTO portion (batch, number, count, items) SELECT 1, n, 1, $1 FROM generate_series(0, $2 - 1) n',
    [encodeItems([{ id: 'one', csr: Buffer.from('a request') }]), portions],
  )
}
const taken = async () => {
  const { rows } = await rooms.store.query<{ worker: string }>(
    "SELECT worker FROM portion WHERE state = 'taken' ORDER BY number",
  )
  return rows.map(row => row.worker)
}

describe('What a signer process has in hand', () => {
  it('is taken over when it ends, and not before; what others have stays theirs', async () => {
    const [a, b] = [await signer(1), await signer(2)]
    await batchOf(3)
    for (const one of [a, b, b]) await takePortion(rooms.hands, `${one.id}/0/0`)
    const mine = await left(a.id, 'portion')
    const its = [await left(b.id, 'portion'), await left(b.id, 'single')]
    assert.deepEqual(await takeOver(rooms.hands), { portions: 0, signings: 0 })
    assert.equal((await taken()).length, 3)
    assert.equal(await portionsWait(rooms.store, rooms.hands.clock()), false)

    await b.ends()
    assert.deepEqual(await takeOver(rooms.hands), { portions: 2, signings: 2 })
    assert.deepEqual(await taken(), [`${a.id}/0/0`])
    assert.equal(await portionsWait(rooms.store, rooms.hands.clock()), true)
    assert.deepEqual(
      [await stateOf(mine), ...(await Promise.all(its.map(stateOf)))],
      ['intended', 'abandoned', 'abandoned'],
    )
    const abandoned = (await acts(rooms.store)).filter(one => one.act === 'abandon').map(one => one.body.signing)
    assert.deepEqual(abandoned.slice(-2), its.map(String))
    const { rows } = await rooms.store.query<{ number: number }>('SELECT number FROM signer WHERE gone_at IS NULL')
    assert.deepEqual(rows, [{ number: 1 }])
  })

  it('is taken over too when the store finished a last statement of it after that', async () => {
    const a = await signer(2)
    await a.ends()
    assert.deepEqual(await takeOver(rooms.hands), { portions: 0, signings: 0 })
    const late = await left(a.id, 'single')
    assert.deepEqual(await takeOver(rooms.hands), { portions: 0, signings: 1 })
    assert.equal(await stateOf(late), 'abandoned')
  })

  it('stays its own when a new lead starts, which takes whatever nobody living has', async () => {
    const [a, b] = [await signer(1), await signer(2)]
    await batchOf(3)
    for (const worker of [`${a.id}/0/0`, `${b.id}/1/0`, 'of an older program'])
      await takePortion(rooms.hands, worker)
    const [its, mine] = [await left(a.id, 'single'), await left(b.id, 'single')]
    await a.ends()
    assert.deepEqual(await recover(rooms.hands), { portions: 2, signings: 1 })
    assert.deepEqual(await taken(), [`${b.id}/1/0`])
    assert.deepEqual([await stateOf(its), await stateOf(mine)], ['abandoned', 'intended'])
  })
})

describe('A signer process', () => {
  it('has a number that is never given again', async () => {
    const a = await signer(2)
    await a.ends()
    const b = await signer(2)
    assert.notEqual(a.id, b.id)
  })

  it('is told when it was taken for gone', async () => {
    const a = await signer(2)
    assert.deepEqual(await a.says(), [])
    await rooms.store.query('UPDATE signer SET gone_at = $1', [rooms.hands.clock()])
    assert.equal(await a.says(), undefined)
  })

  it('is told which authorities sign no more; their keys are free when all that live have given them up', async () => {
    const [a, b] = [await signer(1), await signer(2)]
    const dca = (await authorities(rooms.store)).find(one => one.pki === 'smki-device' && one.level === 'issuing')!
    await rooms.store.query("UPDATE authority SET state = 'exhausted' WHERE id = $1", [dca.id])
    assert.deepEqual(await a.says(), [dca.id])
    await a.says([dca.id])
    assert.equal(await givenUpByAll(rooms.store, dca.id), false)
    await b.says([dca.id])
    assert.equal(await givenUpByAll(rooms.store, dca.id), true)
    const c = await signer(3)
    assert.equal(await givenUpByAll(rooms.store, dca.id), false, 'it has not said anything yet')
    await c.ends()
    await takeOver(rooms.hands)
    assert.equal(await givenUpByAll(rooms.store, dca.id), true)
    await rooms.store.query('DELETE FROM signer')
    assert.equal(await givenUpByAll(rooms.store, dca.id), false, 'nobody said so')
    await rooms.store.query("UPDATE authority SET state = 'current' WHERE id = $1", [dca.id])
  })

  it('leads alone, and waits for one that is just ending', async () => {
    const [a, b] = [await open(), await open()]
    await lead(a)
    await assert.rejects(lead(b), cause => cause instanceof Refusal && cause.code === 'SIGNER_RUNS')
    const next = lead(b)
    sessions = [b]
    await a.close()
    await next
  })

  it('hears that its connection broke, and nothing when it closed it', async () => {
    const [a, b] = [await open(), await open()]
    const { rows } = await a.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await rooms.store.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid])
    assert.match((await a.lost).message, /terminat|closed/)
    let heard = false
    void b.lost.then(() => {
      heard = true
    })
    sessions = []
    await b.close()
    assert.equal(heard, false)
  })
})
