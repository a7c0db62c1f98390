import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { noVectors, octets, transcript, upper, vector, vectors } from '../../src/ground/dlms/testing.ts'
import { coveredTag, readSecured, readTransfers, writeSecured } from './apdu.ts'
import { answer, answered, cover, uncover, unwrap } from './cipher.ts'
import { startField } from './field.ts'
import { forgetfulKeeper } from './memory.ts'
import { Meter } from './meter.ts'
import { meterModel } from './model.ts'

const hex = (text: string | undefined): Buffer => octets(text ?? '')

describe('The codec of a simulated meter', { skip: noVectors }, () => {
  it('makes and reads every APDU of the vectors, octet for octet', () => {
    const known = vectors('apdu')
    assert.ok(known.length >= 11, `${known.length} vectors`)
    for (const { id, given, expect } of known) {
      const keys = { guek: hex(given.key), ak: hex(given.ak) }
      const [title, plain] = [hex(given.systemTitle), hex(given.plain)]
      const [control, counter] = [hex(given.sc)[0]!, hex(given.ic).readUInt32BE()]
      const general = given.framing!.startsWith('general')
      const dedicated = given.framing!.endsWith('ded')
      const tag = general ? (dedicated ? 0xdc : 0xdb) : coveredTag(plain[0]!, dedicated)
      const body = cover(keys, title, control, counter, plain)
      const made = writeSecured({ tag, control, counter, body, ...(general && { title }) })
      assert.equal(upper(made), expect.apdu, id)
      const read = readSecured(hex(expect.apdu))
      assert.equal(upper(uncover(keys, title, read.control, read.counter, read.body)!), given.plain, id)
    }
  })

  it('answers challenges as the published example does, and knows a wrong answer', () => {
    for (const id of ['V5', 'V6']) {
      const { given, expect } = vector(id)
      const keys = { guek: hex(given.key), ak: hex(given.ak) }
      const counter = hex(given.ic).readUInt32BE()
      const made = answer(keys, hex(given.systemTitle), counter, hex(given.challenge))
      assert.equal(upper(made), expect.value)
      assert.equal(answered(keys, hex(given.systemTitle), hex(given.challenge), made), counter)
      made[16]! ^= 1
      assert.equal(answered(keys, hex(given.systemTitle), hex(given.challenge), made), undefined)
    }
  })

  it('opens wrapped keys, and reads a transfer of two', () => {
    for (const id of ['V7', 'W1']) {
      const { given, expect } = vector(id)
      assert.equal(upper(unwrap(hex(given.kek), hex(expect.wrapped))!), given.key)
      assert.equal(unwrap(hex(given.kek), Buffer.alloc(24)), undefined)
    }
    const { given, expect } = vector('X1')
    const keys = readTransfers(hex(expect.plain).subarray(13))
    assert.deepEqual(
      keys.map(({ keyId, wrapped }) => ({ keyId, wrapped: upper(wrapped) })),
      given.keys!.map(({ keyId, wrapped }) => ({ keyId, wrapped })),
    )
  })

  it('refuses what is cut short or changed', () => {
    let looked = 0
    for (const { id, given, expect } of vectors('refuse')) {
      const keys = { guek: hex(given.key), ak: hex(given.ak) }
      const read = () => readSecured(hex(given.apdu))
      if (expect.refused === 'length') assert.throws(read, id)
      else if (expect.refused === 'tag') {
        const { control, counter, body } = read()
        assert.equal(uncover(keys, hex(given.systemTitle), control, counter, body), undefined, id)
      } else continue
      looked++
    }
    assert.ok(looked >= 8, `${looked} vectors`)
  })
})

describe('A simulated meter', { skip: noVectors }, () => {
  it('answers the recorded rotation as the recorded server did, octet for octet, over TCP', async () => {
    const { given, frames } = transcript()
    const challenges = frames.filter(one => one.from === 'server' && one.challenge).map(one => hex(one.challenge))
    const model = meterModel(
      'as recorded',
      { hlsCounter: 'one value' },
      {
        maxPdu: 1024,
        serverAddress: 1,
        clients: [
          {
            address: 1,
            association: '0.0.40.0.0.255',
            frameCounter: '0.0.43.1.0.255',
            securitySetup: '0.0.43.0.0.255',
          },
        ],
      },
    )
    const old = { ak: hex(given.old.ak), guek: hex(given.old.guek) }
    const meter = new Meter({
      number: 0,
      model,
      title: hex(given.serverTitle),
      keys: { mk: hex(given.mk), clients: new Map([[1, old]]) },
      keeper: forgetfulKeeper,
      chance: () => challenges.shift()!,
      clock: () => new Date(Date.UTC(2026, 10, 20, 3)),
    })
    const field = await startField([meter], { ports: 'own' })
    const socket = connect(field.addresses[0]!.port, '127.0.0.1')
    try {
      let compared = 0
      for (let i = 0; i < frames.length; i += 2) {
        const [asked, due] = [frames[i]!, frames[i + 1]!]
        assert.deepEqual([asked.from, due.from], ['client', 'server'])
        socket.write(hex(asked.frame))
        const [chunk] = (await once(socket, 'data')) as [Buffer]
        if (due.plain.startsWith('C401')) {
          // The clock is of its own time: its octets differ, and all before them does not.
          assert.equal(upper(chunk).slice(0, 30), due.frame.slice(0, 30))
        } else {
          assert.equal(upper(chunk), due.frame, `frame ${due.n}`)
        }
        compared++
      }
      assert.equal(compared, 6)
      assert.equal(upper(meter.keysOf(1).ak), given.new.ak)
      assert.equal(upper(meter.keysOf(1).guek), given.new.guek)
    } finally {
      socket.destroy()
      await field.close()
    }
  })
})
