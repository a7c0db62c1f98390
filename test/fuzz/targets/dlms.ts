/** Every reader of what a meter, or somebody in its place, may send: APDUs, protected ones, the wrapper, associations. */

import type { Bytes } from '../../../src/ground/bytes.ts'
import { readAare, writeAare } from '../../../src/ground/dlms/aare.ts'
import { readAarq, writeAarq } from '../../../src/ground/dlms/aarq.ts'
import { readActionRequest } from '../../../src/ground/dlms/action.ts'
import { checkPass4, readAnswer } from '../../../src/ground/dlms/associate.ts'
import { checkPeerChallenge } from '../../../src/ground/dlms/challenge.ts'
import { readWholeData, writeData } from '../../../src/ground/dlms/data.ts'
import { newFloor } from '../../../src/ground/dlms/floor.ts'
import { readProtected, writeProtected } from '../../../src/ground/dlms/frame.ts'
import { checkAnswer } from '../../../src/ground/dlms/hls.ts'
import { readPlain, writePlain } from '../../../src/ground/dlms/plain.ts'
import { dlmsRefusals } from '../../../src/ground/dlms/refusals.ts'
import { readRelease, writeRelease } from '../../../src/ground/dlms/release.ts'
import { remove } from '../../../src/ground/dlms/remove.ts'
import { keyTransfer, readKeyTransfer } from '../../../src/ground/dlms/setup.ts'
import { example, octets as hex, hold, transcript, vectors } from '../../../src/ground/dlms/testing.ts'
import { readWrapped, wrapperReader, writeWrapped } from '../../../src/ground/dlms/wrapper.ts'
import { Refusal } from '../../../src/ground/refusal.ts'
import { Broken, same, type Target } from '../target.ts'

const { glo, ded } = hold()
const { client, server } = example
const opening = { title: client, challenge: Buffer.alloc(16, 7), peerTitle: server, floor: newFloor() }
const whole = (text: ReturnType<typeof writePlain>) =>
  text instanceof Uint8Array ? text : Buffer.concat(text as Bytes[])

/** Those that can write what they read give it back. */
const readers: readonly ((octets: Buffer) => Bytes | undefined)[] = [
  octets => writeProtected(readProtected(octets)),
  octets => whole(writePlain(readPlain(octets))),
  octets => writeData(readWholeData(octets)),
  octets => writeAarq(readAarq(octets)),
  octets => writeAare(readAare(octets)),
  octets => writeRelease(readRelease(octets)),
  octets => writeWrapped(readWrapped(octets)),
  octets => void keyTransfer('0.0.43.0.0.255', readKeyTransfer(readActionRequest(octets))),
  octets => void remove(glo, octets, { from: 'client', title: server, floor: newFloor() }),
  octets => void remove(ded, octets, { from: 'server', title: client, floor: newFloor() }),
  octets => void checkAnswer(glo, octets, server, { title: server, floor: newFloor() }),
  octets => void readAnswer(glo, octets, opening),
  octets => void checkPass4(glo, octets, opening),
]

export const dlms: Target = {
  name: 'dlms',
  says: 'APDUs plain and protected, data, AARQ, AARE, release, the wrapper whole and in pieces, passes of HLS',
  watches: /\/src\/ground\/(dlms|der)\//,
  longest: 2048,
  form: 'der',
  words: [
    '60857405080101',
    '60857405080103',
    '60857405080205',
    '0780',
    '065f1f04',
    '00010010000100',
    'c001',
    'c301',
    'c701',
    'db08',
  ].map(text => Buffer.from(text, 'hex')),
  seeds: () => [
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
    ].map(hex),
    example.apdu,
    ...vectors()
      .flatMap(({ given, expect }) => [given.apdu, given.plain, expect.apdu, expect.plain])
      .filter(text => text !== undefined)
      .map(hex),
    ...(vectors().length === 0 ? [] : transcript().frames.map(({ frame }) => hex(frame))),
  ],
  read: octets => {
    let first: unknown
    let wasRead = false
    // Most octets are a challenge: whether these are says nothing of them.
    attempt(() => checkPeerChallenge(octets, opening.challenge))
    attempt(() => inPieces(octets))
    for (const read of readers) {
      try {
        const again = read(octets)
        wasRead = true
        if (again) same(again, octets, 'an APDU')
      } catch (cause) {
        if (refused(cause) === undefined) throw cause
        // The refusal that came furthest says most of the input.
        if (first === undefined || offset(cause) > offset(first)) first = cause
      }
    }
    if (!wasRead && first !== undefined) throw first
  },
  no: refused,
}

function attempt(read: () => void): void {
  try {
    read()
  } catch (cause) {
    if (refused(cause) === undefined) throw cause
  }
}

function refused(cause: unknown): string | undefined {
  return cause instanceof Refusal && cause.code in dlmsRefusals ? cause.code : undefined
}

const offset = (cause: unknown): number => Number((cause as Refusal).details.offset ?? 0)

/** A stream gives the same APDUs however it is cut. */
function inPieces(octets: Buffer): void {
  const apdus = (...pieces: Buffer[]) => {
    const reader = wrapperReader(1070)
    return Buffer.concat(pieces.flatMap(piece => reader.push(piece)).map(({ apdu }) => apdu))
  }
  const at = octets.length === 0 ? 0 : octets[octets.length >> 1]! % octets.length
  const once = apdus(octets)
  if (!apdus(octets.subarray(0, at), octets.subarray(at)).equals(once))
    throw new Broken('pieces are read otherwise')
}
