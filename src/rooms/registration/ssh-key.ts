/** SSH public keys as they are handed in, one line of OpenSSH's form, and as the protocol has them (RFC 4253 6.6). */

import type { Bytes } from '../../ground/bytes.ts'
import { no } from './refusals.ts'

/** The longest line that is read: that of an RSA key of 8192 bits has some 1,500 characters. */
const longest = 4096

/**
 * The octets of the key. Taken are Ed25519 (RFC 8709), ECDSA on P-256 (RFC 5656) and RSA from 3072 bits.
 * @throws Refusal SSH_KEY_UNFIT
 */
export function readSshKey(line: string): Buffer {
  const [type, text, ...comment] = line.trim().split(' ')
  if (line.length > longest || type === undefined || text === undefined || comment.length > 8)
    throw no('SSH_KEY_UNFIT')
  const octets = Buffer.from(text, 'base64')
  // What Buffer passes over in silence comes back different.
  if (octets.toString('base64') !== text) throw no('SSH_KEY_UNFIT', 'not base64')
  const fields = readFields(octets)
  const name = fields[0] && Buffer.from(fields[0]).toString('latin1')
  if (name !== type) throw no('SSH_KEY_UNFIT', 'the type before the key is not the type in it')
  if (!isTaken(type, fields)) throw no('SSH_KEY_UNFIT', 'Ed25519, ECDSA on P-256, or RSA from 3072 bits')
  return octets
}

/** Strings with a length of 32 bits before each (RFC 4251 5). */
function readFields(octets: Buffer): Bytes[] {
  const fields: Bytes[] = []
  for (let at = 0; at < octets.length; ) {
    const length = at + 4 <= octets.length ? octets.readUInt32BE(at) : Number.POSITIVE_INFINITY
    if (at + 4 + length > octets.length || fields.length === 4) throw no('SSH_KEY_UNFIT', 'cut short')
    fields.push(octets.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return fields
}

function isTaken(type: string, fields: readonly Bytes[]): boolean {
  const [, a, b, more] = fields
  if (more !== undefined || a === undefined) return false
  if (type === 'ssh-ed25519') return a.length === 32 && b === undefined
  if (b === undefined) return false
  if (type === 'ecdsa-sha2-nistp256') {
    return Buffer.from(a).toString('latin1') === 'nistp256' && b.length === 65 && b[0] === 4
  }
  // An mpint begins with a zero octet where its highest bit is set: 3072 bits are 385 octets.
  return type === 'ssh-rsa' && a.length > 0 && a[0]! < 0x80 && b[0] === 0 && b[1]! >= 0x80 && b.length >= 385
}
