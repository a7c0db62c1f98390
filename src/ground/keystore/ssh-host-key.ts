/** The key by which an SSH server is known: Ed25519 (RFC 8709), in a file of OpenSSH's form, without a passphrase. */

import { hash } from 'node:crypto'
import { type Bytes, view } from '../bytes.ts'
import { makeKeyPair } from './pair.ts'

export interface SshHostKey {
  /** The private key's file: octets, to be zeroed when it is written. A file of it belongs to mode 0600. */
  readonly file: Buffer
  /** What stands in the public file: `ssh-ed25519 AAAA…`. */
  readonly line: string
}

export function makeSshHostKey(): SshHostKey {
  const pair = makeKeyPair('Ed25519')
  // RFC 8410: the last 32 octets of either form are the key itself.
  const point = view(pair.publicKey).subarray(-32)
  const pkcs8 = pair.pkcs8()
  const wire = Buffer.concat([text(type), text(point)])
  const section = privateSection(point, pkcs8.subarray(-32))
  const whole = Buffer.concat([magic, text('none'), text('none'), text(''), count(1), text(wire), text(section)])
  try {
    return { file: armoured(whole), line: `${type} ${wire.toString('base64')}` }
  } finally {
    for (const one of [pkcs8, section, whole]) one.fill(0)
  }
}

/** `SHA256:…` of a key as it stands in the protocol, the way OpenSSH shows it. */
export function sshFingerprint(wire: Bytes): string {
  return `SHA256:${hash('sha256', wire, 'base64').replace(/=+$/, '')}`
}

const type = 'ssh-ed25519'
/** OpenSSH, PROTOCOL.key. */
const magic = Buffer.from('openssh-key-v1\0')

function privateSection(point: Buffer, seed: Buffer): Buffer {
  // Two equal numbers tell a reader that a passphrase was right; here there is none.
  const fields = [count(0), count(0), text(type), text(point), count(64), seed, point, text('')]
  const length = fields.reduce((sum, one) => sum + one.length, 0)
  const padding = Buffer.from(Array.from({ length: (8 - (length % 8)) % 8 }, (_, i) => i + 1))
  return Buffer.concat([...fields, padding])
}

function count(value: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value)
  return octets
}

/** A string of RFC 4251 section 5. */
function text(value: string | Buffer): Buffer {
  const octets = Buffer.from(value)
  return Buffer.concat([count(octets.length), octets])
}

function armoured(octets: Buffer): Buffer {
  const lines = octets.toString('base64').replace(/.{70}(?=.)/g, '$&\n')
  return Buffer.from(`-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`)
}
