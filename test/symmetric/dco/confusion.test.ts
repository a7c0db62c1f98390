/** Type confusion is refused: each row of the table in smets1-keys.md section 3, and every way to damage a record. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '../../../src/ground/bytes.ts'
import { readAarq } from '../../../src/ground/dlms/aarq.ts'
import type { KeyType } from '../../../src/ground/keystore/dlms-cipher.ts'
import { roleOf, type SymmetricModule } from '../../../src/ground/keystore/symmetric.ts'
import { makeRecord } from '../../../src/rooms/symmetric/dco/records.ts'
import { questions } from '../../../src/rooms/symmetric/messages.ts'
import { readRecord } from '../../../src/rooms/symmetric/record.ts'
import { makeRooms, type Rooms, refused, type TakenOn } from './rooms.ts'

let rooms: Rooms
let one: TakenOn
let other: TakenOn
before(async () => {
  rooms = await makeRooms()
  one = await rooms.takeOn({ model: 'usual-mk', switches: { dedicatedKey: 'uses' } })
  other = await rooms.takeOn()
})
after(() => rooms.close())

const commissioned = () => ({ ground: 'commissioned', at: rooms.now.toISOString() }) as const

/** Opens an association with those records in the places of AK and GUEK. */
const openWith = (ak: string, guek: string, device = one.device) =>
  rooms.ask('open-association', { device, client: 'management', ak, guek, dedicated: false })

describe('a record', () => {
  it('of an AK, an MK or a DK is no GUEK, and a GUEK is no AK, in any message that takes one', async () => {
    const open = await one.associate('management', { dedicated: true })
    const { association, ak, guek } = open.keys
    const dk = open.keys.dk!
    const mk = one.record('device', 'MK')
    const wrong = refused('RECORD_WRONG_TYPE')
    for (const record of [ak, mk, dk]) await assert.rejects(openWith(ak, record), wrong)
    for (const record of [guek, mk, dk]) await assert.rejects(openWith(record, guek), wrong)
    for (const record of [ak, mk, dk]) {
      await assert.rejects(rooms.ask('protect-proof-read', { ...open.keys, guek: record }), wrong)
      await assert.rejects(rooms.ask('open-reply', { ...open.keys, guek: record, apdu: 'cc00' }), wrong)
    }
    for (const record of [ak, mk, guek]) {
      await assert.rejects(rooms.ask('protect-proof-read', { association, ak, guek, dk: record }), wrong)
    }
    for (const record of [ak, guek, dk]) {
      await assert.rejects(rooms.ask('offer-keys', { ...open.keys, mk: record, keys: [guek] }), wrong)
    }
    await assert.rejects(rooms.ask('offer-keys', { ...open.keys, mk, keys: [dk] }), wrong)
    const raise = { device: one.device, client: 'management', counter: 7 } as const
    for (const record of [ak, mk, dk])
      await assert.rejects(rooms.ask('raise-counter', { ...raise, guek: record }), wrong)
  })

  it('of another Device or another client is refused, in every place', async () => {
    const open = await one.associate('management')
    const { ak, guek } = open.keys
    const wrong = refused('RECORD_WRONG_DEVICE')
    const strangers = (type: 'AK' | 'GUEK') => [other.record('management', type), one.record('firmware', type)]
    for (const stranger of strangers('AK')) {
      await assert.rejects(openWith(stranger, guek), wrong)
      await assert.rejects(rooms.ask('protect-proof-read', { ...open.keys, ak: stranger }), wrong)
    }
    for (const stranger of strangers('GUEK')) {
      await assert.rejects(openWith(ak, stranger), wrong)
      await assert.rejects(rooms.ask('open-reply', { ...open.keys, guek: stranger, apdu: 'cc00' }), wrong)
    }
    const { record } = await rooms.ask('make-key', {
      device: one.device,
      holder: 'management',
      keyType: 'AK',
      ground: commissioned(),
      records: [...one.records.values()],
    })
    const mk = other.record('device', 'MK')
    await assert.rejects(rooms.ask('offer-keys', { ...open.keys, mk, keys: [record] }), wrong)
    await assert.rejects(
      rooms.ask('make-key', {
        device: other.device,
        holder: 'management',
        keyType: 'AK',
        ground: commissioned(),
        records: [ak],
      }),
      wrong,
    )
    await rooms.ask('abandon-key', { record })
  })

  it('of a DK is good in its own association and in no other, and not at all once that is closed', async () => {
    const first = await one.associate('firmware', { dedicated: true })
    const second = await one.associate('management', { dedicated: true })
    await rooms.ask('protect-proof-read', second.keys)
    const firmware = { ...second.keys, dk: first.keys.dk! }
    await assert.rejects(rooms.ask('protect-proof-read', firmware), refused('RECORD_WRONG_DEVICE'))
    const { dk, ...without } = second.keys
    await assert.rejects(rooms.ask('protect-proof-read', without), refused('RECORD_WRONG_GENERATION'))
    const third = await one.associate('management', { dedicated: true })
    await assert.rejects(
      rooms.ask('protect-proof-read', { ...third.keys, dk: dk! }),
      refused('RECORD_WRONG_GENERATION'),
    )
    // The newest proven association of a client is its only one.
    await assert.rejects(rooms.ask('protect-proof-read', second.keys), refused('ASSOCIATION_UNKNOWN'))
  })

  it('of another S1SP is refused, and so is its Device', async () => {
    const by = 's1sp-2'
    await assert.rejects(rooms.ask('tell-device', { device: one.device }, { by }), refused('DEVICE_NOT_YOURS'))
    const { association, ak, guek } = (await one.associate('management')).keys
    const opening = { device: one.device, client: 'management', ak, guek, dedicated: false } as const
    const making = {
      device: one.device,
      holder: 'device',
      keyType: 'MK',
      ground: commissioned(),
      records: [] as string[],
    } as const
    for (const attempt of [
      () => rooms.ask('open-association', opening, { by }),
      () => rooms.ask('protect-proof-read', { association, ak, guek }, { by }),
      () => rooms.ask('close-association', { association }, { by }),
      () => rooms.ask('make-key', making, { by }),
    ]) {
      await assert.rejects(attempt(), refused('DEVICE_NOT_YOURS'))
    }
  })

  it('whose package is under the other HSM Key is refused, though its seal holds', async () => {
    for (const [type, holder] of [
      ['GUEK', 'management'],
      ['AK', 'management'],
    ] as const) {
      // The HSM Key follows from the type: only a DCO that is broken could seal such a record.
      const wrongRole = roleOf[type] === 'DCO Key' ? 'GUEK' : 'AK'
      const hsmKey = await rooms.hands.hsm.newestFor(wrongRole, 's1sp-1')
      const octets = readRecord(fromHex(one.record(holder, type))).record.package
      const packaged = { hsmKey: hsmKey.label, packaging: 'AES-128-ECB', octets } as const
      const what = { device: one.device, holder, type, generation: 0, packaged, hsmGeneration: hsmKey.generation }
      const forged = toHex((await makeRecord(rooms.hands, what)).octets)
      const [ak, guek] = [one.record('management', 'AK'), one.record('management', 'GUEK')]
      const attempt = type === 'AK' ? openWith(forged, guek) : openWith(ak, forged)
      await assert.rejects(attempt, refused('RECORD_WRONG_HSM_KEY'))
      // The module would refuse it too.
      assert.throws(() => rooms.module.openPackage(type, 'x', packaged), refused('HSM_KEY_ROLE'))
    }
  })

  it('of the Shared Key with another S1SP is refused', async () => {
    const theirs = await rooms.hands.hsm.newestFor('GUEK', 's1sp-2')
    const made = rooms.module.makeKey('GUEK', 'x', theirs.label)
    made.key.close()
    const what = { device: one.device, holder: 'management', type: 'GUEK', generation: 0 } as const
    const record = await makeRecord(rooms.hands, {
      ...what,
      packaged: made.packaged,
      hsmGeneration: theirs.generation,
    })
    await assert.rejects(
      openWith(one.record('management', 'AK'), toHex(record.octets)),
      refused('RECORD_WRONG_HSM_KEY'),
    )
  })

  it('of which any one octet was changed is corrupt or none, is never opened, and is found', async () => {
    const [ak, guek] = [one.record('management', 'AK'), one.record('management', 'GUEK')]
    const whole = fromHex(guek)
    const sealEnd = whole.length - 2 - readRecord(whole).signature.length
    let opened = 0
    const watched = watching(rooms.module, () => opened++)
    const hands = rooms.restarted({ module: watched })
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(whole)
        changed[at]! ^= change
        const hex = toHex(changed)
        // The S1SP's own check is the signature; the DCO's is the seal. Both are looked at here.
        const { sound } = await rooms.ask('check-records', { records: [hex, guek] })
        assert.deepEqual(sound, [false, true])
        if (at >= sealEnd) return
        const attempt = { device: one.device, client: 'management', ak, guek: hex, dedicated: false } as const
        await assert.rejects(rooms.ask('open-association', attempt, { hands }), (cause: { code: string }) =>
          ['RECORD_CORRUPT', 'RECORD_UNREADABLE'].includes(cause.code),
        )
      }),
      { numRuns: 40 },
    )
    assert.equal(opened, 0)
    const corrupt = (await rooms.acts()).filter(({ act }) => act === 'record.corrupt')
    assert.ok(corrupt.length >= 40)
  })

  it('with the package of another record in it is corrupt', async () => {
    const [ak, guek] = [fromHex(one.record('management', 'AK')), fromHex(one.record('management', 'GUEK'))]
    const [from, to] = [readRecord(ak).record.package, readRecord(guek).record.package]
    const at = guek.indexOf(to)
    const changed = Buffer.from(guek)
    changed.set(from, at)
    await assert.rejects(openWith(toHex(ak), toHex(changed)), refused('RECORD_CORRUPT'))
  })
})

describe('one of our own requests, offered as a reply,', () => {
  it('is not deciphered: neither the AARQ with its DK, nor pass 3, nor a key_transfer, in either framing', async () => {
    for (const model of ['usual-mk', 'strict-hub'] as const) {
      const hub = model === 'strict-hub'
      const meter = await rooms.takeOn({
        model,
        switches: hub ? { counterRule: 'strictly-next' } : { dedicatedKey: 'uses' },
      })
      const { device } = meter
      const [ak, guek] = [meter.record('management', 'AK'), meter.record('management', 'GUEK')]
      const session = new Map()
      const opened = await rooms.ask('open-association', {
        device,
        client: 'management',
        ak,
        guek,
        dedicated: !hub,
      })
      const under = { association: opened.association, ak, guek, ...(opened.dk && { dk: opened.dk }) }
      const line = { session, client: 'management' } as const
      const pass3 = await rooms.ask('answer-association', { ...under, apdu: meter.send(line, opened.apdu) })
      await rooms.ask('finish-association', { ...under, apdu: meter.send(line, pass3.apdu) })
      const { record } = await rooms.ask('make-key', {
        device,
        holder: 'management',
        keyType: 'AK',
        ground: commissioned(),
        records: [...meter.records.values()],
      })
      const offered = await rooms.ask('offer-keys', { ...under, mk: meter.record('device', 'MK'), keys: [record] })
      // The glo-initiateRequest as it stands in the AARQ.
      const aarq = opened.apdu
      const initiate = toHex(readAarq(fromHex(aarq)).userInformation)
      const codes: string[] = []
      for (const apdu of [initiate, aarq, pass3.apdu, offered.apdu]) {
        await rooms.ask('open-reply', { ...under, apdu }).then(
          () => assert.fail('it was deciphered'),
          (cause: { code: string }) => codes.push(cause.code),
        )
      }
      const expected = hub
        ? ['DLMS_DIRECTION', 'DLMS_FRAMING', 'DLMS_TITLE', 'DLMS_TITLE']
        : ['DLMS_FRAMING', 'DLMS_FRAMING', 'DLMS_FRAMING', 'DLMS_DIRECTION']
      assert.deepEqual(codes, expected)
    }
  })

  it('nor is a title of our own taken for a Device', async () => {
    const meter = await rooms.takeOn({ switches: { hostile: 'wrong title' } })
    await assert.rejects(meter.associate('management'))
    const title = toHex(rooms.title)
    const [ak, guek] = [meter.record('management', 'AK'), meter.record('management', 'GUEK')]
    const body = { device: meter.device, client: 'management', ak, guek, dedicated: false, title } as const
    const { association } = await rooms.ask('open-association', body)
    const honest = await rooms.takeOn()
    // An AARE that gives our own title: built from a real one, whose title stands in it once.
    const aare = honest.send(
      { session: new Map(), client: 'management' },
      (
        await rooms.ask('open-association', {
          ...body,
          device: honest.device,
          ak: honest.record('management', 'AK'),
          guek: honest.record('management', 'GUEK'),
        })
      ).apdu,
    )
    const ours = aare.replace(toHex(honest.meter.title), title)
    assert.notEqual(ours, aare)
    await assert.rejects(
      rooms.ask('answer-association', { association, ak, guek, apdu: ours }),
      refused('DLMS_OWN_TITLE'),
    )
  })
})

describe('the interface', () => {
  it('has no way from one HSM Key to another: what is renewed keeps its role, and nothing names an HSM Key to use', async () => {
    const named = Object.entries(questions).filter(([, { shape }]) =>
      Object.keys(shape).some(name => /hsm|under|wrap|package$|key$/i.test(name) && name !== 'keyType'),
    )
    // The one is to prove that an HSM Key has arrived; what it brings is no record and becomes none.
    assert.deepEqual(
      named.map(([type]) => type),
      ['prove-hsm-key'],
    )
    const record = one.record('management', 'AK')
    await assert.rejects(rooms.ask('renew-records', { records: [record] }), refused('RENEWAL_NOT_OPEN'))
    const { package: octets, hsmKey } = readRecord(fromHex(record)).record
    const shared = await rooms.hands.hsm.newestFor('GUEK', 's1sp-1')
    const packaged = { hsmKey, packaging: 'AES-128-ECB', octets } as const
    assert.throws(() => rooms.module.repackage('AK', packaged, shared.label), refused('HSM_KEY_ROLE'))
  })

  it('makes no two keys of a Device equal, nor a new key equal to an old one, though the module did', async () => {
    const meter = await rooms.takeOn()
    const body = { device: meter.device, holder: 'management', keyType: 'AK', ground: commissioned() } as const
    const records = [...meter.records.values()]
    const old = readRecord(fromHex(meter.record('firmware', 'AK'))).record
    const broken = new Proxy(rooms.module, {
      get: (of, name) => {
        if (name === 'makeKey') {
          return (type: KeyType, id: string) => {
            const packaged = { hsmKey: old.hsmKey, packaging: old.packaging, octets: old.package }
            return { key: of.openPackage(type, id, packaged), packaged }
          }
        }
        const found = Reflect.get(of, name, of) as unknown
        return typeof found === 'function' ? found.bind(of) : found
      },
    })
    const hands = rooms.restarted({ module: broken })
    await assert.rejects(rooms.ask('make-key', { ...body, records }, { hands }), refused('KEYS_EQUAL'))
    await rooms.ask('make-key', { ...body, records })
  })
})

function watching(module: SymmetricModule, opened: () => void): SymmetricModule {
  return new Proxy(module, {
    get: (of, name) => {
      const found = Reflect.get(of, name, of) as unknown
      if (typeof found !== 'function') return found
      if (name !== 'openPackage') return found.bind(of)
      return (type: KeyType, ...rest: unknown[]) => {
        // The AK beside it is sound; what is counted is the damaged one.
        if (type === 'GUEK') opened()
        return found.call(of, type, ...rest)
      }
    },
  })
}
