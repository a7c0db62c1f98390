/** What protects a GBCS message: the plain signature, and the octets that key agreement and MAC are made of. */

import { verify } from 'node:crypto'
import { type Bytes, view } from '../bytes.ts'
import { Der } from '../der/read.ts'
import type { Grouping } from './message.ts'
import { notGbcs } from './refusals.ts'

/** For what a key is derived: the MAC, or encryption, which has an octet of its own in place of the kind of message. */
export type KeyFor = 'mac' | 'encryption'

/** OtherInfo of the key derivation, 33 octets (GBCS, recovery.md section 9). */
export function otherInfo(message: Grouping, purpose: KeyFor = 'mac'): Buffer {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(message.counter)
  return Buffer.concat([
    algorithm,
    message.originator,
    Buffer.of(0x09, purpose === 'mac' ? message.cra : 0x04),
    counter,
    message.recipient,
  ])
}

const algorithm = Buffer.from('60857406080300', 'hex')

/** The IV of the MAC, 12 octets. */
export function macIv(message: Pick<Grouping, 'originator'>): Buffer {
  return Buffer.concat([message.originator, Buffer.alloc(4)])
}

/** The associated data of the MAC: its control octets, then DF through the signature. */
export function macData(grouped: Bytes): Buffer {
  return Buffer.concat([Buffer.from('110000000000', 'hex'), grouped])
}

/**
 * @param spki the SubjectPublicKeyInfo, P-256, of whoever should have signed
 * @throws Refusal GBCS_SIGNATURE also when there is none
 */
export function requireSignature(
  message: { signed: Bytes; signature: Bytes | 'none' | undefined },
  spki: Bytes,
): void {
  const { signature, signed } = message
  if (signature === undefined || signature === 'none') throw notGbcs('GBCS_SIGNATURE', 'there is none')
  const key = { key: view(spki), format: 'der', type: 'spki', dsaEncoding: 'ieee-p1363' } as const
  if (!verify('sha256', signed, key, signature)) throw notGbcs('GBCS_SIGNATURE', 'it does not verify')
}

/** r and s of an ECDSA signature in DER, each in 32 octets. @throws NotDer */
export function plainSignature(der: Bytes): Buffer {
  const whole = new Der(der)
  const pair = whole.sequence('the signature')
  whole.finish('the signature')
  const r = padded(pair.integer('r'))
  const s = padded(pair.integer('s'))
  pair.finish('s')
  return Buffer.concat([r, s])
}

function padded(integer: Bytes): Buffer {
  const octets = integer[0] === 0 ? integer.subarray(1) : integer
  if (octets.length > 32) throw new RangeError('not a signature over P-256')
  const out = Buffer.alloc(32)
  out.set(octets, 32 - octets.length)
  return out
}
