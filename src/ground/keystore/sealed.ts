/** The key store file: a header in the clear, and the contents sealed under a key from the passphrase. */

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  scryptSync,
  timingSafeEqual,
} from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { equal, view } from '../bytes.ts'
import { refusal } from './refusals.ts'

/** scrypt's parameters (RFC 7914): N is 2^log2N; memory is 128·N·r octets. */
export interface Cost {
  readonly log2N: number
  readonly r: number
  readonly p: number
}

/** What stands in the clear, and is authenticated with the contents. docs/formats/key-store.md, section 2. */
export interface Header {
  readonly cost: Cost
  /** 16 octets, drawn when the store is created; never changes. */
  readonly id: Bytes
  readonly name: string
  /** 32 octets. A new one with every new passphrase. */
  readonly salt: Bytes
  /** 16 octets that only the right passphrase gives. */
  readonly check: Bytes
  /** One more with every change. */
  readonly generation: bigint
  /** 12 octets, drawn for every change. */
  readonly nonce: Bytes
}

/** A file taken apart, and not yet opened. */
export interface Sealed {
  readonly header: Header
  readonly headerOctets: Buffer
  readonly ciphertext: Buffer
  readonly tag: Buffer
}

/** What a passphrase gives: the key of the file, and the check that says it was the right one. */
export interface Derived {
  readonly fileKey: KeyObject
  readonly check: Buffer
}

export const standardCost: Cost = { log2N: 17, r: 8, p: 1 }

/** Less than the standard is guessed at too fast. */
export function isWeak({ log2N, r, p }: Cost): boolean {
  return log2N < standardCost.log2N || r < standardCost.r || p < standardCost.p
}

/** A third of a second and 128 MiB with the standard cost. @throws RangeError for a cost beyond 1 GiB */
export function derive(passphrase: Bytes, salt: Bytes, cost: Cost): Derived {
  if (!affordable(cost)) throw new RangeError('scrypt may not ask for more than 1 GiB')
  const { log2N, r, p } = cost
  const N = 2 ** log2N
  // scrypt's last step is PBKDF2, whose blocks do not tell of one another: the check, which is public, says nothing of
  // the key (RFC 7914 section 6, RFC 8018 section 5.2).
  const octets = scryptSync(passphrase, salt, 48, { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 })
  try {
    return { fileKey: createSecretKey(octets.subarray(0, 32)), check: Buffer.from(octets.subarray(32)) }
  } finally {
    octets.fill(0)
  }
}

/** @throws Refusal KEYSTORE_WRONG_PASSPHRASE */
export function checkPassphrase(derived: Derived, header: Header, path: string): void {
  if (!timingSafeEqual(derived.check, header.check)) throw refusal('KEYSTORE_WRONG_PASSPHRASE', path)
}

/** The whole file. `plain` stays the caller's to zero. */
export function seal(header: Header, plain: Bytes, fileKey: KeyObject): Buffer {
  const headerOctets = encodeHeader(header, plain.length)
  const cipher = createCipheriv('aes-256-gcm', fileKey, header.nonce, { authTagLength: tagLength })
  cipher.setAAD(headerOctets)
  const parts = [headerOctets, cipher.update(plain), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat([...parts, checksum(Buffer.concat(parts))])
}

/** The plaintext, which the caller zeroes. @throws Refusal KEYSTORE_DAMAGED */
export function unseal(
  { header, headerOctets, ciphertext, tag }: Sealed,
  fileKey: KeyObject,
  path: string,
): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', fileKey, header.nonce, { authTagLength: tagLength })
  decipher.setAAD(headerOctets)
  decipher.setAuthTag(tag)
  const plain = decipher.update(ciphertext)
  try {
    decipher.final()
    return plain
  } catch (cause) {
    plain.fill(0)
    throw refusal('KEYSTORE_DAMAGED', path, cause)
  }
}

/**
 * Takes a file apart. Says nothing about its authenticity: only `unseal` does.
 * @throws Refusal KEYSTORE_DAMAGED, KEYSTORE_FORMAT_UNKNOWN
 */
export function parseSealed(octets: Buffer, path: string): Sealed {
  if (!looksWhole(octets)) throw refusal('KEYSTORE_DAMAGED', path)
  const headerOctets = octets.subarray(0, headerLength)
  const header = decodeHeader(headerOctets, path)
  const end = octets.length - checksumLength - tagLength
  if (headerOctets.readUInt32BE(at.ciphertextLength) !== end - headerLength) throw refusal('KEYSTORE_DAMAGED', path)
  return {
    header,
    headerOctets,
    ciphertext: octets.subarray(headerLength, end),
    tag: octets.subarray(end, end + tagLength),
  }
}

/**
 * Whether the octets begin as a key store file does and bear their checksum. It finds accidents before the passphrase
 * is asked for and scrypt is paid for; whoever changes the file on purpose computes it anew, and fails at the tag.
 */
export function looksWhole(octets: Buffer): boolean {
  if (octets.length < headerLength + tagLength + checksumLength) return false
  const end = octets.length - checksumLength
  return (
    equal(octets.subarray(0, magic.length), magic) && equal(octets.subarray(end), checksum(octets.subarray(0, end)))
  )
}

/** `a-z` first, then `a-z`, `0-9` and `-`; at most 32 characters. */
export function isName(name: string): boolean {
  return /^[a-z][a-z0-9-]{0,31}$/.test(name)
}

const magic = Buffer.from('SMKIKEYS')
const formatVersion = 1
const scrypt = 1
const tagLength = 16
const checksumLength = 32
const headerLength = 136

const at = {
  version: 8,
  derivation: 9,
  log2N: 10,
  r: 11,
  p: 12,
  id: 16,
  name: 32,
  salt: 64,
  check: 96,
  generation: 112,
  nonce: 120,
  ciphertextLength: 132,
} as const

function encodeHeader(header: Header, plainLength: number): Buffer {
  const octets = Buffer.alloc(headerLength)
  const put = (value: Bytes, offset: number, length: number) => {
    if (value.length !== length) throw new RangeError(`a field of ${length} octets was given ${value.length}`)
    octets.set(value, offset)
  }
  octets.set(magic)
  octets.writeUInt8(formatVersion, at.version)
  octets.writeUInt8(scrypt, at.derivation)
  octets.writeUInt8(header.cost.log2N, at.log2N)
  octets.writeUInt8(header.cost.r, at.r)
  octets.writeUInt8(header.cost.p, at.p)
  put(header.id, at.id, 16)
  octets.write(header.name, at.name, 32, 'latin1')
  put(header.salt, at.salt, 32)
  put(header.check, at.check, 16)
  octets.writeBigUInt64BE(header.generation, at.generation)
  put(header.nonce, at.nonce, 12)
  octets.writeUInt32BE(plainLength, at.ciphertextLength)
  return octets
}

function decodeHeader(octets: Buffer, path: string): Header {
  if (octets[at.version] !== formatVersion || octets[at.derivation] !== scrypt) {
    throw refusal('KEYSTORE_FORMAT_UNKNOWN', path)
  }
  const cost = { log2N: octets[at.log2N]!, r: octets[at.r]!, p: octets[at.p]! }
  const nameField = octets.subarray(at.name, at.salt)
  const name = nameField.toString('latin1').replace(/\0+$/, '')
  if (!affordable(cost) || !isName(name)) {
    throw refusal('KEYSTORE_DAMAGED', path)
  }
  const take = (offset: number, length: number) => Buffer.from(octets.subarray(offset, offset + length))
  return {
    cost,
    id: take(at.id, 16),
    name,
    salt: take(at.salt, 32),
    check: take(at.check, 16),
    generation: octets.readBigUInt64BE(at.generation),
    nonce: take(at.nonce, 12),
  }
}

/** The header is believed before it is authenticated, so it must not be able to ask for all memory or all day. */
function affordable({ log2N, r, p }: Cost): boolean {
  return log2N >= 1 && log2N <= 22 && r >= 1 && p >= 1 && p <= 16 && 128 * 2 ** log2N * r <= 2 ** 30
}

function checksum(octets: Bytes): Buffer {
  return createHash('sha256').update(view(octets)).digest()
}
