/** What a key store file holds once it is open: entries under their labels (docs/formats/key-store.md, section 3). */

import type { Bytes } from '../bytes.ts'
import { view } from '../bytes.ts'
import type { KeyKind } from './keystore.ts'
import { refusal } from './refusals.ts'

/** `secret` is the private key as PKCS #8, DER, or the kept secret, which has an empty `spki`. */
export interface Entry {
  readonly kind: KeyKind | 'secret'
  readonly spki: Bytes
  readonly secret: Buffer
}

export type Contents = Map<string, Entry>

/** The plaintext of a key store file. It is full of secrets: the caller zeroes it. */
export function encodeContents(contents: Contents): Buffer {
  const entries = [...contents].sort(([a], [b]) => (a < b ? -1 : 1))
  const length = entries.reduce((sum, [label, entry]) => sum + entryLength(label, entry), countLength)
  const plain = Buffer.alloc(length)
  let at = plain.writeUInt32BE(entries.length)
  for (const [label, { kind, spki, secret }] of entries) {
    at = plain.writeUInt8(codeOf(kind), at)
    at = plain.writeUInt8(label.length, at)
    at += plain.write(label, at, 'latin1')
    at = plain.writeUInt16BE(spki.length, at)
    at += view(spki).copy(plain, at)
    at = plain.writeUInt16BE(secret.length, at)
    at += secret.copy(plain, at)
  }
  return plain
}

/**
 * The entries of a plaintext. Their secrets are views of it, and end when it is zeroed; all else is copied.
 * @throws Refusal KEYSTORE_DAMAGED for whatever `encodeContents` would not have written
 */
export function decodeContents(plain: Buffer): Contents {
  const contents: Contents = new Map()
  let at = 0
  const take = (length: number): Buffer => {
    if (at + length > plain.length) throw damaged('ends within an entry')
    at += length
    return plain.subarray(at - length, at)
  }
  let last = ''
  for (let left = take(countLength).readUInt32BE(); left > 0; left--) {
    const kind = kindOf(take(1).readUInt8())
    const label = take(take(1).readUInt8()).toString('latin1')
    if (!isLabel(label) || label <= last) throw damaged('labels are not in order')
    const spki = Buffer.from(take(take(2).readUInt16BE()))
    const secret = take(take(2).readUInt16BE())
    if (secret.length === 0 || (kind === 'secret') !== (spki.length === 0)) throw damaged('an entry is not whole')
    contents.set(label, { kind, spki, secret })
    last = label
  }
  if (at !== plain.length) throw damaged('octets after the last entry')
  return contents
}

/** 1 to 128 printable ASCII characters, no space at either end: what a file, a module and a journal all can carry. */
export function isLabel(label: string): boolean {
  return /^[!-~](?:[ -~]{0,126}[!-~])?$/.test(label)
}

const countLength = 4

function entryLength(label: string, { spki, secret }: Entry): number {
  return 1 + 1 + label.length + 2 + spki.length + 2 + secret.length
}

const kinds: readonly (readonly [code: number, kind: Entry['kind']])[] = [
  [0x01, 'P-256'],
  [0x02, 'RSA-2048'],
  [0x03, 'RSA-4096'],
  [0x04, 'Ed25519'],
  [0x80, 'secret'],
]

function codeOf(kind: Entry['kind']): number {
  return kinds.find(row => row[1] === kind)![0]
}

function kindOf(code: number): Entry['kind'] {
  const row = kinds.find(row => row[0] === code)
  // Authentic, so written by a later version of us and not by a hostile hand.
  if (row === undefined) throw refusal('KEYSTORE_FORMAT_UNKNOWN', `kind ${code}`)
  return row[1]
}

function damaged(where: string) {
  return refusal('KEYSTORE_DAMAGED', where)
}
