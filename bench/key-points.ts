/** Public keys of P-256 by the million: each key pair that is drawn gives two, for n - d belongs to -P when d belongs to P. */

import { createECDH } from 'node:crypto'

/** SEC 2, section 2.4.2. */
const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
/** SubjectPublicKeyInfo up to the point, which ends it (RFC 5480). */
const head = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex')

/** Each call gives the SubjectPublicKeyInfo of another key pair, whose private half nobody keeps. */
export function keyPoints(): () => Buffer {
  const pair = createECDH('prime256v1')
  let mirrored: Buffer | undefined
  return () => {
    const next = mirrored
    mirrored = undefined
    if (next) return next
    const spki = Buffer.concat([head, pair.generateKeys()])
    mirrored = Buffer.from(spki)
    const y = BigInt(`0x${spki.toString('hex', head.length + 33)}`)
    mirrored.write((p - y).toString(16).padStart(64, '0'), head.length + 33, 'hex')
    return spki
  }
}
