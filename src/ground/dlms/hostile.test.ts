import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Bytes, equal } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import { readAare, writeAare } from './aare.ts'
import { readAarq, writeAarq } from './aarq.ts'
import { readActionRequest } from './action.ts'
import { checkPass4, readAnswer } from './associate.ts'
import { readWholeData, writeData } from './data.ts'
import { newFloor } from './floor.ts'
import { readProtected, writeProtected } from './frame.ts'
import { checkAnswer } from './hls.ts'
import { readPlain, writePlain } from './plain.ts'
import { protect } from './protect.ts'
import { dlmsRefusals } from './refusals.ts'
import { readRelease, writeRelease } from './release.ts'
import { remove } from './remove.ts'
import { keyTransfer, readKeyTransfer } from './setup.ts'
import { counterAt, example, hold, octets, transcript, upper, vectors } from './testing.ts'
import { readWrapped, wrapperReader, writeWrapped } from './wrapper.ts'

const { glo, ded } = hold()
const { client, server } = example
const whole = (text: ReturnType<typeof writePlain>) =>
  text instanceof Uint8Array ? text : Buffer.concat(text as Bytes[])

/** Every way in. Those that can write what they read give it back: one value has one encoding. */
const readers: Readonly<Record<string, (octets: Bytes) => Bytes | undefined>> = {
  protected: octets => writeProtected(readProtected(octets)),
  plain: octets => whole(writePlain(readPlain(octets))),
  data: octets => writeData(readWholeData(octets)),
  aarq: octets => writeAarq(readAarq(octets)),
  aare: octets => writeAare(readAare(octets)),
  release: octets => writeRelease(readRelease(octets)),
  wrapped: octets => writeWrapped(readWrapped(octets)),
  stream: octets => void wrapperReader(1070).push(octets),
  transfer: octets => void keyTransfer('0.0.43.0.0.255', readKeyTransfer(readActionRequest(octets))),
  request: octets => void remove(glo, octets, { from: 'client', title: server, floor: newFloor() }),
  reply: octets => void remove(ded, octets, { from: 'server', title: client, floor: newFloor() }),
  authenticated: octets =>
    void remove(glo, octets, { from: 'client', title: server, floor: newFloor(), protection: 'authenticated' }),
  encrypted: octets =>
    void remove(glo, octets, { from: 'client', title: server, floor: newFloor(), protection: 'encrypted' }),
  answer: octets => void checkAnswer(glo, octets, server, { title: server, floor: newFloor() }),
  pass2: octets => void readAnswer(glo, octets, opening),
  pass4: octets => void checkPass4(glo, octets, opening),
}

const opening = { title: client, challenge: Buffer.alloc(16, 7), peerTitle: server, floor: newFloor() }

/** One good APDU of each kind, and those of the vectors. */
const good: Bytes[] = [
  ...[
    'C0 01 C1 0001 00002B0100FF 02 00',
    'C3 01 C1 000F 0000280000FF 01 01 09 11 100000000285F30626044ED52F2EEEFB9B',
    'C7 01 C1 00 01 00 02 02 16 01 04 0B FFE0',
    'C1 01 C1 0008 0000010000FF 02 00 01 02 12 0001 06 00000001',
    '01 01 10 00112233445566778899AABBCCDDEEFF 00 00 06 5F1F0400 007E1F 04B0',
    '08 00 06 5F1F0400 221E5D 0400 0007',
    'D8 01 06 00000010',
    '62 03 80 01 00',
    '60 1D A1 09 06 07 60857405080101 BE 10 04 0E 01000000065F1F040000301DFFFF',
    '61 29 A1 09 06 07 60857405080101 A2 03 020100 A3 05 A1 03 020100 BE 10 04 0E 0800065F1F040000301D19000007',
    '0001 0010 0001 0005 C5 01 C1 00 00',
    '02 02 16 02 09 03 010203',
  ].map(octets),
  example.apdu,
  ...vectors()
    .flatMap(({ given, expect }) => [given.apdu, given.plain, expect.apdu, expect.plain])
    .filter(hex => hex !== undefined)
    .map(octets),
  ...(vectors().length > 0
    ? transcript().frames.flatMap(each => [octets(each.frame), octets(each.frame).subarray(8)])
    : []),
]

/** A good one with some octets changed, left out, put in, or cut off; or octets of no meaning. */
const edit = fc.record({
  how: fc.constantFrom('change', 'bit', 'leave out', 'put in', 'cut', 'double', 'length'),
  at: fc.nat(),
  octet: fc.integer({ min: 0, max: 255 }),
})
const mutated = fc
  .tuple(fc.constantFrom(...good), fc.array(edit, { minLength: 1, maxLength: 4 }))
  .map(([octets, edits]) => edits.reduce<Buffer>(apply, Buffer.from(octets)))
const hostile = fc.oneof(
  { weight: 4, arbitrary: mutated },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200, size: 'max' }) },
)

function apply(octets: Buffer, { how, at, octet }: { how: string; at: number; octet: number }): Buffer {
  if (octets.length === 0) return Buffer.of(octet)
  const here = at % octets.length
  const [before, after] = [octets.subarray(0, here), octets.subarray(here)]
  const out = Buffer.from(octets)
  switch (how) {
    case 'leave out':
      return Buffer.concat([before, after.subarray(1)])
    case 'put in':
      return Buffer.concat([before, Buffer.of(octet), after])
    case 'cut':
      return Buffer.from(before)
    case 'double':
      return Buffer.concat([octets, after])
    case 'length':
      out[here] = [0x00, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0xff][octet % 8]!
      return out
    case 'bit':
      out[here]! ^= 1 << (octet % 8)
      return out
    default:
      out[here] = octet
      return out
  }
}

describe('Hostile octets', () => {
  it('are refused by name, or read as the one value that they are the encoding of', () => {
    const counts = { read: 0, refused: 0 }
    fc.assert(
      fc.property(hostile, octets => {
        for (const [name, read] of Object.entries(readers)) {
          const before = upper(octets)
          let again: Bytes | undefined
          try {
            again = read(octets)
            counts.read++
          } catch (error) {
            assert.ok(error instanceof Refusal && error.code in dlmsRefusals, `${name}: ${before}: ${error}`)
            counts.refused++
          }
          assert.ok(
            again === undefined || equal(again, octets),
            `${name}: ${before} came back as ${again && upper(again)}`,
          )
          assert.equal(upper(octets), before, `${name} changed what it read`)
        }
      }),
      { numRuns: 10_000 },
    )
    // Neither may be all there was.
    assert.ok(counts.read > 500 && counts.refused > 100_000, JSON.stringify(counts))
  })

  it('are never more than was protected: what comes through is a text that somebody protected', async () => {
    const texts = new Set<string>()
    const made: Buffer[] = []
    for (const [index, framing] of (['glo', 'general-glo'] as const).entries()) {
      for (const [n, text] of ['C001C1000100002B0100FF0200', 'C301C1000F0000280000FF0100'].entries()) {
        made.push(protect(glo, await counterAt(glo.key, server, 10 * index + n), octets(text), { framing }))
        texts.add(text)
      }
    }
    let through = 0
    fc.assert(
      fc.property(fc.constantFrom(...made), fc.array(edit, { maxLength: 3 }), (apdu, edits) => {
        const octets = edits.reduce<Buffer>(apply, Buffer.from(apdu))
        try {
          const { text } = remove(glo, octets, { from: 'client', title: server, floor: newFloor() })
          assert.ok(made.some(each => each.equals(octets)) && texts.has(upper(text)))
          through++
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
          assert.ok(!made.some(each => each.equals(octets)))
        }
      }),
      { numRuns: 5000 },
    )
    assert.ok(through > 20, `${through} came through`)
  })
})
