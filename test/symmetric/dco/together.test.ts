/** Messages that come together: one transaction for many Devices, and what one of them meets is not the others'. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex, toHex } from '../../../src/ground/bytes.ts'
import { answerMessage, answerMessages } from '../../../src/rooms/symmetric/dco/answer.ts'
import { openAnswer } from '../../../src/rooms/symmetric/envelope.ts'
import { makeRooms, type Rooms, refused, type TakenOn } from './rooms.ts'

let rooms: Rooms
let devices: TakenOn[]
before(async () => {
  rooms = await makeRooms()
  devices = [await rooms.takeOn(), await rooms.takeOn(), await rooms.takeOn()]
})
after(() => rooms.close())

const opening = ({ device, record }: TakenOn) =>
  rooms.seal('open-association', {
    device,
    client: 'management',
    ak: record('management', 'AK'),
    guek: record('management', 'GUEK'),
    dedicated: false,
  })

type Sealed = ReturnType<typeof opening>

const together = (all: readonly { envelope: Buffer }[]) =>
  answerMessages(
    rooms.hands,
    all.map(({ envelope }) => envelope),
    's1sp-1',
  )

async function associationIn(answered: PromiseSettledResult<Buffer>, { message }: Sealed): Promise<string> {
  if (answered.status === 'rejected') throw answered.reason
  const dco = { name: 'dco-1', publicKey: fromHex(rooms.identity.messages) }
  return openAnswer(answered.value, message, dco).association
}

/** The transaction that each message's answer was kept in. */
async function transactions(all: readonly Sealed[]): Promise<string[]> {
  const { rows } = await rooms.store.query<{ id: string; transaction: string }>(
    "SELECT encode(id, 'hex') AS id, xmin::text AS transaction FROM dco_message",
  )
  return all.map(({ message }) => rows.find(({ id }) => id === message.id)!.transaction)
}

async function counters(): Promise<number[]> {
  const acts = await rooms.acts()
  return acts.filter(({ act }) => act === 'association.opened').map(({ body }) => body.counter as number)
}

describe('messages that come together', () => {
  it('about different Devices are acted on in one transaction, each with its entries and its stored answer', async () => {
    const all = devices.map(opening)
    const answered = await together(all)
    const associations = await Promise.all(answered.map((one, i) => associationIn(one, all[i]!)))
    assert.equal(new Set(associations).size, 3)
    assert.equal(new Set(await transactions(all)).size, 1)
    for (const [i, { envelope }] of all.entries()) {
      const again = await answerMessage(rooms.hands, envelope, 's1sp-1')
      assert.deepEqual(again, (answered[i] as PromiseFulfilledResult<Buffer>).value, 'octet for octet')
    }
    const { rows } = await rooms.store.query<{ opened: number }>(
      'SELECT opened::float8 AS opened FROM dco_association WHERE id = ANY ($1)',
      [associations.map(fromHex)],
    )
    assert.equal(new Set(rows.map(({ opened }) => opened)).size, 3, 'each has a place of its own in the order')
    assert.equal((await counters()).length, 3)
  })

  it('about one Device are acted on one after the other, and never under one counter', async () => {
    const all = [opening(devices[0]!), opening(devices[0]!), opening(devices[1]!)]
    const answered = await together(all)
    await Promise.all(answered.map((one, i) => associationIn(one, all[i]!)))
    const [first, second, other] = await transactions(all)
    assert.notEqual(first, second)
    assert.equal(first, other)
    const acts = (await rooms.acts()).filter(
      ({ body }) => body.device === devices[0]!.device && body.counter !== undefined,
    )
    const used = acts.map(({ body }) => body.counter)
    assert.ok(used.length >= 3)
    assert.equal(new Set(used).size, used.length)
  })

  it('with one id are acted on once, and get one answer', async () => {
    const one = opening(devices[2]!)
    const answered = await together([one, one, one])
    const ids = await Promise.all(answered.map(each => associationIn(each, one)))
    assert.equal(new Set(ids).size, 1)
    const values = answered.map(each => toHex((each as PromiseFulfilledResult<Buffer>).value))
    assert.equal(new Set(values).size, 1)
  })

  it('are each judged for themselves: what is refused, unsigned, or fails, takes none of the others along', async () => {
    const good = [opening(devices[0]!), opening(devices[1]!)]
    const unknown = rooms.seal('tell-device', { device: '00005e90ffffffff' })
    const unsigned = { ...opening(devices[2]!) }
    unsigned.envelope = rooms.seal('tell-device', { device: devices[2]!.device }, { by: 's1sp-2' }).envelope
    // An MK that exists already in the stage to come: keeping it fails in the transaction, whatever was planned.
    const clash = rooms.seal('make-key', {
      device: devices[2]!.device,
      holder: 'firmware',
      keyType: 'AK',
      ground: { ground: 'commissioned', at: rooms.now.toISOString() },
      records: [...devices[2]!.records.values()],
    })
    await rooms.store.query(
      'CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE; END $$',
    )
    await rooms.store.query('CREATE TRIGGER fail BEFORE INSERT ON dco_key FOR EACH ROW EXECUTE FUNCTION fail()')
    const answered = await together([good[0]!, unknown, unsigned, clash, good[1]!])
    await rooms.store.query('DROP TRIGGER fail ON dco_key')
    assert.deepEqual(
      answered.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'rejected', 'fulfilled'],
    )
    await associationIn(answered[0]!, good[0]!)
    await associationIn(answered[4]!, good[1]!)
    await assert.rejects(associationIn(answered[1]!, unknown as never), refused('DEVICE_UNKNOWN'))
    assert.equal((answered[2] as PromiseRejectedResult).reason.code, 'SENDER_UNKNOWN')
    assert.match(String((answered[3] as PromiseRejectedResult).reason), /RAISE/i)
    // Nothing of it was kept: the same message may come again, and is acted on.
    const [after] = await together([clash])
    assert.equal(after!.status, 'fulfilled')
    const all = await Promise.all(good.map(one => transactions([one])))
    assert.notDeepEqual(all[0], all[1], 'done each by itself, once the shared transaction had failed')
  })
})
