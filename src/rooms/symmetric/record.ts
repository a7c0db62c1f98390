/** The key record: a packaged key with what it belongs to, its seal and its signature (docs/formats/key-record.md). */

import { type Bytes, equal, fromHex, toHex, view } from '../../ground/bytes.ts'
import { verifySignature } from '../../ground/keystore/check.ts'
import type { KeyType } from '../../ground/keystore/dlms-cipher.ts'
import type { Packaging } from '../../ground/keystore/symmetric.ts'
import { belongs, type KeyHolder, keyHolders, keyIdOf, keyTypes } from '../../policy/symmetric/keys.ts'
import { no } from './refusals.ts'

/**
 * What a record says. A package alone has no integrity and belongs to nobody; everything that gives it either stands here
 * (smets1-keys.md section 3). It holds no key check value, and nothing else that is made from the key but its package.
 */
export interface KeyRecord {
  /** 32 lower-case hexadecimal digits, at random: names the record. */
  readonly id: string
  /** EUI-64, 16 lower-case hexadecimal digits. */
  readonly device: string
  readonly holder: KeyHolder
  readonly type: KeyType
  /** 0 inherited, 1 and up made by a DCO; of a DK always 0. */
  readonly generation: number
  readonly packaging: Packaging
  /** Label and generation of the HSM Key that the package is under. */
  readonly hsmKey: string
  readonly hsmGeneration: number
  /** 16 octets. */
  readonly package: Bytes
  /** To the millisecond. */
  readonly madeAt: Date
  /** The DCO. */
  readonly madeBy: string
  /** Of a DK, and of nothing else: 32 lower-case hexadecimal digits. */
  readonly association?: string | undefined
  /** Label of the key that made the seal. */
  readonly sealedBy: string
  /** Name of the key that made the signature. */
  readonly signedBy: string
}

/** A record as it is stored and sent. Read, it is not yet believed. */
export interface SealedRecord {
  readonly record: KeyRecord
  /** The canonical encoding that the seal is over. */
  readonly body: Bytes
  /** AES-CMAC, 16 octets; only a DCO can check it. */
  readonly seal: Bytes
  /** ECDSA P-256, DER, over `signedOctets`; anybody can check it. */
  readonly signature: Bytes
  /** The whole. */
  readonly octets: Bytes
}

/** The one encoding: the label, then every field in this order, each after its length in two octets. */
export function bodyOf(record: KeyRecord): Buffer {
  if (!belongs(record.type, record.holder)) throw new RangeError(`a key of type ${record.type} of ${record.holder}`)
  const fields = [
    Buffer.from(label),
    fromHex(record.id),
    fromHex(record.device),
    Buffer.from(record.holder),
    Buffer.from(record.type),
    number(record.generation),
    Buffer.from(record.packaging),
    Buffer.from(record.hsmKey),
    number(record.hsmGeneration),
    record.package,
    Buffer.from(record.madeAt.toISOString()),
    Buffer.from(record.madeBy),
    fromHex(record.association ?? ''),
    Buffer.from(record.sealedBy),
    Buffer.from(record.signedBy),
  ]
  return Buffer.concat(fields.flatMap(lengthened))
}

/** What the signature is over: body and seal, so that neither can be exchanged. */
export function signedOctets(body: Bytes, seal: Bytes): Buffer {
  return Buffer.concat([
    ...lengthened(Buffer.from('OpenSMKI key record signature 1')),
    ...lengthened(body),
    ...lengthened(seal),
  ])
}

/** Puts a record together: body, seal and signature, each after its length. */
export function writeRecord(record: KeyRecord, seal: Bytes, sign: (octets: Bytes) => Bytes): SealedRecord {
  const body = bodyOf(record)
  const signature = sign(signedOctets(body, seal))
  return { record, body, seal, signature, octets: Buffer.concat([body, seal, signature].flatMap(lengthened)) }
}

/**
 * Reads a record, strictly: what `writeRecord` would not write is none. Neither seal nor signature is checked here.
 * @throws Refusal RECORD_UNREADABLE
 */
export function readRecord(octets: Bytes): SealedRecord {
  const [body, seal, signature, ...more] = split(octets)
  if (body === undefined || seal === undefined || signature === undefined || more.length > 0) {
    throw no('RECORD_UNREADABLE')
  }
  const record = readBody(body)
  return { record, body, seal, signature, octets: Buffer.from(octets) }
}

/** Whether the DCO's signature holds. @param spki its key for records, SubjectPublicKeyInfo in DER, P-256 */
export function isSigned({ body, seal, signature }: SealedRecord, spki: Bytes): boolean {
  return verifySignature({ spki, kind: 'P-256', octets: signedOctets(body, seal), signature })
}

/** Which key is in it, whatever package it lies in: see `keyIdOf`. */
export const keyIdOfRecord = (record: KeyRecord): string => keyIdOf(record)

const label = 'OpenSMKI key record 1'

/** A field is no longer than this; defends memory. */
const longest = 0xffff

function number(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(value)
  return out
}

function lengthened(octets: Bytes): Bytes[] {
  if (octets.length > longest) throw new RangeError('a field of a record is too long')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(octets.length)
  return [length, octets]
}

function split(octets: Bytes): Buffer[] {
  const all = view(octets)
  const parts: Buffer[] = []
  for (let at = 0; at < all.length; ) {
    if (all.length - at < 2) throw no('RECORD_UNREADABLE')
    const end = at + 2 + all.readUInt16BE(at)
    if (end > all.length) throw no('RECORD_UNREADABLE')
    parts.push(Buffer.from(all.subarray(at + 2, end)))
    at = end
  }
  return parts
}

function readBody(body: Buffer): KeyRecord {
  const fields = split(body)
  if (fields.length !== 15 || fields[0]!.toString('latin1') !== label) throw no('RECORD_UNREADABLE')
  const [, id, device, holder, type, generation, packaging, hsmKey, hsmGeneration, octets, madeAt, madeBy] = fields
  const [association, sealedBy, signedBy] = fields.slice(12)
  if (id!.length !== 16 || device!.length !== 8 || octets!.length !== 16) throw no('RECORD_UNREADABLE')
  if (generation!.length !== 4 || hsmGeneration!.length !== 4) throw no('RECORD_UNREADABLE')
  const at = new Date(text(madeAt!))
  if (Number.isNaN(at.getTime())) throw no('RECORD_UNREADABLE')
  const record: KeyRecord = {
    id: toHex(id!),
    device: toHex(device!),
    holder: oneOf(keyHolders, text(holder!)),
    type: oneOf(keyTypes, text(type!)),
    generation: generation!.readUInt32BE(),
    packaging: oneOf(packagings, text(packaging!)),
    hsmKey: text(hsmKey!),
    hsmGeneration: hsmGeneration!.readUInt32BE(),
    package: octets!,
    madeAt: at,
    madeBy: text(madeBy!),
    ...(association!.length > 0 && { association: toHex(association!) }),
    sealedBy: text(sealedBy!),
    signedBy: text(signedBy!),
  }
  const isDk = record.type === 'DK'
  const fits = belongs(record.type, record.holder) && association!.length === (isDk ? 16 : 0)
  // What was read is written again: two different encodings are never one record.
  if (!fits || (isDk && record.generation !== 0) || !equal(bodyOf(record), body)) throw no('RECORD_UNREADABLE')
  return record
}

const packagings = ['AES-128-ECB'] as const satisfies readonly Packaging[]

function text(octets: Buffer): string {
  const read = octets.toString('latin1')
  if (!/^[\x20-\x7e]{1,100}$/.test(read)) throw no('RECORD_UNREADABLE')
  return read
}

function oneOf<T extends string>(known: readonly T[], name: string): T {
  const found = known.find(each => each === name)
  if (found === undefined) throw no('RECORD_UNREADABLE')
  return found
}
