import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '../refusal.ts'
import { controlOf, type Protection } from './control.ts'
import { newFloor } from './floor.ts'
import { writeProtected } from './frame.ts'
import { type Keys, type Outside, protect } from './protect.ts'
import { type DlmsCode, dlmsRefusals } from './refusals.ts'
import { type Expected, remove } from './remove.ts'
import { byDedTag, byGloTag, byPlainTag, services } from './services.ts'
import { counterAt, example, hold, noVectors, octets, refused, upper, vectors } from './testing.ts'

const { client, server, plain } = example
const fromClient: Expected = { from: 'client', title: server, floor: newFloor() }

/** The four framings: which keys, and what is asked for. */
const framings: readonly [string, (held: ReturnType<typeof hold>) => Keys, Outside][] = [
  ['glo', held => held.glo, { framing: 'glo' }],
  ['general-glo', held => held.glo, { framing: 'general-glo' }],
  ['ded', held => held.ded, { framing: 'glo' }],
  ['general-ded', held => held.ded, { framing: 'general-glo' }],
]

/** Each as it stands in the vectors. */
const reasons: Readonly<Record<string, DlmsCode>> = {
  tag: 'DLMS_TAG',
  'service mismatch': 'DLMS_SERVICE_MISMATCH',
  suite: 'DLMS_SUITE',
  'key set': 'DLMS_KEY_SET',
  compression: 'DLMS_COMPRESSION',
  length: 'DLMS_LENGTH',
  'protection too weak': 'DLMS_PROTECTION_TOO_WEAK',
  counter: 'DLMS_COUNTER',
}

describe('A protected APDU', { skip: noVectors }, () => {
  it('is, in both directions, what each of the 13 vectors says', async () => {
    const found = vectors('apdu')
    assert.equal(found.length, 13)
    for (const { id, given, expect } of found) {
      const ded = given.framing!.endsWith('ded')
      const held = hold({ [ded ? 'dk' : 'guek']: octets(given.key!), ak: octets(given.ak!) })
      const keys = ded ? held.ded : held.glo
      const protection = (['authenticated', 'encrypted', 'both'] as const).find(
        each => controlOf[each] === Number(`0x${given.sc}`),
      )!
      const title = octets(given.systemTitle!)
      const counter = await counterAt(keys.key, title, Number(`0x${given.ic}`))
      const framing = given.framing!.startsWith('general') ? 'general-glo' : 'glo'
      const made = protect(keys, counter, octets(given.plain!), { framing, protection })
      assert.equal(upper(made), expect.apdu, id)

      const from = byPlainTag.get(octets(given.plain!)[0]!)!.from
      const removed = remove(keys, made, { from, title, floor: newFloor(), protection })
      assert.equal(upper(removed.text), given.plain, id)
      assert.deepEqual(
        [removed.framing, removed.counter, removed.floor.lowest],
        [given.framing, Number(`0x${given.ic}`), Number(`0x${given.ic}`) + 1],
        id,
      )
    }
  })

  it('is refused for its own reason in each of the 14 vectors', () => {
    const found = vectors('refuse')
    assert.equal(found.length, 14)
    assert.deepEqual(new Set(found.map(({ expect }) => expect.refused!)), new Set(Object.keys(reasons)))
    for (const { id, given, expect } of found) {
      const { glo } = hold({ guek: octets(given.key!), ak: octets(given.ak!) })
      const lowest = Number(`0x${given.lowestAcceptableIc ?? '0'}`)
      const expected = {
        from: 'client',
        title: octets(given.systemTitle!),
        floor: { lowest, rule: 'greater' },
      } as const
      assert.throws(
        () => remove(glo, octets(given.apdu!), expected),
        (error: unknown) => error instanceof Refusal && error.code === reasons[expect.refused!],
        id,
      )
    }
  })
})

describe('Protection', () => {
  it('makes the published example, and comes off it again', async () => {
    const { glo } = hold()
    const made = protect(glo, await counterAt(glo.key, server, example.counter), plain)
    assert.equal(upper(made), upper(example.apdu))
    const removed = remove(glo, made, fromClient)
    assert.deepEqual(removed, {
      text: Buffer.from(plain),
      service: 'get-request',
      framing: 'glo',
      counter: example.counter,
      floor: { lowest: example.counter + 1, rule: 'greater' },
    })
  })

  it('comes off whatever it was put on, in each framing and strength', async () => {
    const held = hold()
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...services),
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom(...framings),
        fc.constantFrom<Protection>('authenticated', 'encrypted', 'both'),
        fc.nat(0xffff_fffe),
        async (service, rest, [framing, keysOf, outside], protection, value) => {
          const keys = keysOf(held)
          const text = Buffer.from([service.plain, ...rest])
          const counter = await counterAt(keys.key, client, value)
          const put = () => protect(keys, counter, text, { ...outside, protection })
          if (keys.key.type === 'DK' && service.name.startsWith('initiate')) {
            return assert.throws(put, refused('DLMS_GUEK_ONLY'))
          }
          const expected = { from: service.from, title: client, floor: newFloor(), protection }
          const removed = remove(keys, put(), expected)
          assert.deepEqual([removed.framing, removed.service], [framing, service.name])
          assert.equal(upper(removed.text), upper(text))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is refused whichever one octet was changed, and to whatever', async () => {
    let looked = 0
    for (const [name, keysOf, outside] of framings) {
      const keys = keysOf(hold())
      const good = protect(keys, await counterAt(keys.key, server, 5), plain, outside)
      assert.equal(upper(remove(keys, good, fromClient).text), upper(plain))
      for (let at = 0; at < good.length; at++) {
        for (let change = 1; change < 256; change++) {
          const bad = Buffer.from(good)
          bad[at]! ^= change
          let code: unknown
          try {
            remove(keys, bad, fromClient)
          } catch (error) {
            if (!(error instanceof Refusal)) throw error
            code = error.code
          }
          assert.ok(
            code !== undefined && (code as string) in dlmsRefusals,
            `${name}: octet ${at} changed by ${change}`,
          )
          looked++
        }
      }
    }
    assert.ok(looked > 30_000)
  })

  it('is refused when cut anywhere, or followed by anything', async () => {
    for (const [, keysOf, outside] of framings) {
      const keys = keysOf(hold())
      const good = protect(keys, await counterAt(keys.key, server, 5), plain, outside)
      for (let end = 0; end < good.length; end++) {
        assert.throws(() => remove(keys, good.subarray(0, end), fromClient), refused('DLMS_LENGTH'))
      }
      assert.throws(() => remove(keys, Buffer.concat([good, good]), fromClient), refused('DLMS_LENGTH'))
    }
  })

  it('names the first reason when there are several, in the order of dlms.md section 1', async () => {
    // A get-response where a request is due, in the framing that has a title; then one fault after another on top.
    const { glo } = hold()
    const text = octets('C4 01 C1 00 00')
    const apdu = protect(glo, await counterAt(glo.key, server, 5), text, { framing: 'general-glo' })
    const expected = { ...fromClient }
    const control = 11
    assert.equal(apdu[control], 0x30)
    const faults: [DlmsCode, () => void][] = [
      ['DLMS_SERVICE_MISMATCH', () => {}],
      ['DLMS_TAG', () => apdu.writeUInt8(apdu.at(-1)! ^ 1, apdu.length - 1)],
      ['DLMS_COUNTER', () => Object.assign(expected, { floor: { lowest: 6, rule: 'greater' } })],
      ['DLMS_TITLE', () => Object.assign(expected, { title: client })],
      ['DLMS_PROTECTION_TOO_WEAK', () => apdu.writeUInt8(apdu[control]! & ~0x10, control)],
      ['DLMS_KEY_SET', () => apdu.writeUInt8(apdu[control]! | 0x40, control)],
      ['DLMS_COMPRESSION', () => apdu.writeUInt8(apdu[control]! | 0x80, control)],
      ['DLMS_SUITE', () => apdu.writeUInt8(apdu[control]! | 0x01, control)],
      ['DLMS_LENGTH', () => apdu.writeUInt8(apdu[10]! + 1, 10)],
    ]
    for (const [code, add] of faults) {
      add()
      assert.throws(() => remove(glo, apdu, expected), refused(code), code)
    }
  })

  it('is opened from the side that was due only: a request of ours that comes back is not deciphered', async () => {
    const { glo } = hold()
    const reply: Expected = { ...fromClient, from: 'server', title: client }
    const request = protect(glo, await counterAt(glo.key, client, 5), plain)
    assert.throws(() => remove(glo, request, reply), refused('DLMS_DIRECTION'))
    const general = protect(glo, await counterAt(glo.key, client, 6), plain, { framing: 'general-glo' })
    assert.throws(() => remove(glo, general, reply), refused('DLMS_SERVICE_MISMATCH'))
    assert.throws(() => remove(glo, general, { ...reply, title: server }), refused('DLMS_TITLE'))
  })

  it('keeps GUEK and Dedicated Key apart, also where their octets are equal', async () => {
    const { glo, ded } = hold({ dk: example.guek })
    const under = async (keys: Keys, outside: Outside) =>
      protect(keys, await counterAt(keys.key, server, 7), plain, outside)
    for (const framing of ['glo', 'general-glo'] as const) {
      const underGuek = await under(glo, { framing })
      const underDk = await under(ded, { framing })
      assert.throws(() => remove(ded, underGuek, fromClient), refused('DLMS_FRAMING'))
      assert.throws(() => remove(glo, underDk, fromClient), refused('DLMS_FRAMING'))
    }
  })

  it('never has a Dedicated Key on an initiate, also when a peer does it', async () => {
    const { ded } = hold()
    const text = octets('01 00 00 00 06 5F1F0400 00FFFF 04B0')
    assert.throws(
      () => protect(ded, forged, text),
      refused('DLMS_GUEK_ONLY'),
      'refused before the counter is looked at',
    )
    const made = protect(ded, await counterAt(ded.key, server, 1), plain)
    made[0] = 0x41
    assert.throws(() => remove(ded, made, fromClient), refused('DLMS_GUEK_ONLY'))

    // In a general framing it shows only when it has been deciphered.
    const { cipher, key, ak } = ded
    const body = cipher.seal(key, ak, await counterAt(key, server, 2), 0x30, text)
    const outside = {
      framing: 'general-ded',
      service: undefined,
      title: server,
      control: 0x30,
      counter: 2,
    } as const
    const general = writeProtected({ ...outside, body })
    assert.throws(() => remove(ded, general, fromClient), refused('DLMS_GUEK_ONLY'))
  })

  it('does not let a Dedicated Key travel in the clear', async () => {
    const { glo, dk } = hold()
    const text = [octets('01 01 10'), dk, octets('00 00 06 5F1F0400 007E1F 04B0')]
    const counter = await counterAt(glo.key, client, 1)
    assert.throws(() => protect(glo, counter, text, { protection: 'authenticated' }), TypeError)
    protect(glo, counter, text)
  })

  it('is refused when nothing is protected, or there is not even room for the tag', () => {
    const { glo } = hold()
    const tooShort = [
      'C800',
      'C80430000000',
      'C8053000000001',
      'C8052000000001',
      `C8113000000001${'00'.repeat(12)}`,
    ]
    for (const hex of tooShort) {
      assert.throws(() => remove(glo, octets(hex), fromClient), refused('DLMS_LENGTH'), hex)
    }
  })

  it('is refused below the floor, and where the next is due above it too', async () => {
    const { glo } = hold()
    const made = protect(glo, await counterAt(glo.key, server, 9), plain)
    const at = (lowest: number, rule: 'greater' | 'strictly-next') => () =>
      remove(glo, made, { ...fromClient, floor: { lowest, rule } })
    assert.throws(at(10, 'greater'), refused('DLMS_COUNTER'))
    assert.throws(at(10, 'strictly-next'), refused('DLMS_COUNTER'))
    assert.throws(at(8, 'strictly-next'), refused('DLMS_COUNTER'))
    assert.equal(at(8, 'greater')().floor.lowest, 10)
    assert.deepEqual(at(9, 'strictly-next')().floor, { lowest: 10, rule: 'strictly-next' })
  })

  it('leaves the floor where it was when the tag is wrong: the highest counter of all does not lift it', async () => {
    const { glo } = hold()
    const made = protect(glo, await counterAt(glo.key, server, 9), plain)
    const pushed = Buffer.from(made)
    pushed.writeUInt32BE(0xffff_ffff, 3)
    const floor = newFloor()
    assert.throws(() => remove(glo, pushed, { ...fromClient, floor }), refused('DLMS_TAG'))
    assert.deepEqual(floor, { lowest: 0, rule: 'greater' })
    assert.equal(remove(glo, made, { ...fromClient, floor }).floor.lowest, 10)
  })

  it('is not put on what is no APDU of a service, nor on more than the framing can say', async () => {
    const { glo } = hold()
    for (const hex of ['', '60 00', 'C8 1E 30', 'D8 01 02', 'DD', 'FF']) {
      const counter = await counterAt(glo.key, client, 1)
      assert.throws(() => protect(glo, counter, octets(hex)), refused('DLMS_NOT_USED'), hex)
    }
    const long = (length: number) => Buffer.concat([Buffer.of(0xc1), Buffer.alloc(length - 1)])
    const most = 0xffff - 5 - 12
    for (const [length, header] of [
      [127 - 17, 'C97F'],
      [128 - 17, 'C98180'],
      [255 - 17, 'C981FF'],
      [256 - 17, 'C9820100'],
      [most, 'C982FFFF'],
    ] as const) {
      const made = protect(glo, await counterAt(glo.key, server, 1), long(length))
      assert.ok(upper(made).startsWith(header), `${length}`)
      assert.equal(remove(glo, made, fromClient).text.length, length)
    }
    const counter = await counterAt(glo.key, client, 1)
    assert.throws(() => protect(glo, counter, long(most + 1)), refused('DLMS_TOO_LONG'))
  })

  it('refuses the ciphered services that are not used here by name, and unknown tags', () => {
    const { glo } = hold()
    for (const tag of [0xdd, 0xdf, 0xe0]) {
      assert.throws(() => remove(glo, Buffer.of(tag, 1, 2), fromClient), refused('DLMS_NOT_USED'))
    }
    const known = new Set([...byGloTag.keys(), ...byDedTag.keys(), 0xdb, 0xdc, 0xdd, 0xdf, 0xe0])
    for (let tag = 0; tag < 256; tag++) {
      if (known.has(tag)) continue
      const apdu = Buffer.concat([Buffer.of(tag), example.apdu.subarray(1)])
      assert.throws(() => remove(glo, apdu, fromClient), refused('DLMS_FRAMING'), `${tag}`)
    }
  })
})

/** Something that no keeper made. */
const forged = { value: 1, title: server } as never
