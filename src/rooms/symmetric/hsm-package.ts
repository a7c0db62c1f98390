/** The signed package in which an HSM Key travels, and the receipts for it (smets1-keys.md section 6.6). */

import { hash } from 'node:crypto'
import { z } from 'zod'
import { type Bytes, fromHex, toHex } from '../../ground/bytes.ts'
import { no } from './refusals.ts'
import { parsed, readSigned, type Signer, writeSigned } from './signed.ts'

const text = z.string().regex(/^[\x20-\x7e]{1,200}$/)
const digest = z.string().regex(/^[0-9a-f]{64}$/)

const hsmPackage = z.strictObject({
  /** Label of the HSM Key: names it in records, and is never used again. */
  hsmKey: text,
  generation: z.int().min(1),
  role: z.enum(['DCO Key', 'Shared Key']),
  /** For Shared Keys: between which S1SP and the DCO. */
  between: text.nullable(),
  sender: text,
  recipient: text,
  /** SHA-256 over the recipient's transport key (SubjectPublicKeyInfo), compared by persons over another channel. */
  fingerprint: digest,
  at: z.iso.datetime(),
  /** Reference of the SMKI PMA's agreement to the way of distribution. */
  agreement: text,
  /** The key under RSA-OAEP to the transport key. */
  wrapped: z
    .string()
    .regex(/^([0-9a-f]{2}){384}$/)
    .transform(fromHex),
})

export type HsmPackage = z.output<typeof hsmPackage>

export const fingerprintOf = (spki: Bytes): string => hash('sha256', spki)

export function writeHsmPackage(what: HsmPackage, signer: Signer): Buffer {
  return writeSigned('HSM Key package', { ...what, wrapped: toHex(what.wrapped) }, signer)
}

/**
 * What the recipient checks before its module unwraps anything.
 * @param expected.known labels of the HSM Keys that it has, or ever had
 * @throws Refusal PACKAGE_UNREADABLE, PACKAGE_UNSIGNED, PACKAGE_NOT_FOR_US, PACKAGE_SEEN
 */
export function openHsmPackage(
  envelope: Bytes,
  expected: {
    readonly sender: { readonly name: string; readonly publicKey: Bytes }
    readonly recipient: string
    readonly transportKey: Bytes
    readonly known: readonly string[]
  },
): HsmPackage {
  const unreadable = (about?: string) => no('PACKAGE_UNREADABLE', about)
  const { sender, recipient, transportKey, known } = expected
  const signed = readSigned('HSM Key package', envelope, unreadable)
  if (signed.by !== sender.name || !signed.holds(sender.publicKey)) throw no('PACKAGE_UNSIGNED')
  const what = parsed(hsmPackage, signed.octets, unreadable)
  if (what.sender !== sender.name) throw no('PACKAGE_UNSIGNED')
  if (what.recipient !== recipient) throw no('PACKAGE_NOT_FOR_US', `it is for ${what.recipient}`)
  if (what.fingerprint !== fingerprintOf(transportKey)) throw no('PACKAGE_NOT_FOR_US', 'another transport key')
  if (known.includes(what.hsmKey)) throw no('PACKAGE_SEEN', what.hsmKey)
  return what
}

const receipt = z.strictObject({
  hsmKey: text,
  generation: z.int().min(1),
  recipient: text,
  /** SHA-256 of the package's envelope. */
  package: digest,
  at: z.iso.datetime(),
})

export type HsmReceipt = z.output<typeof receipt>

/** Each side signs one, and both journals hold it. */
export const writeHsmReceipt = (what: HsmReceipt, signer: Signer): Buffer =>
  writeSigned('HSM Key receipt', what, signer)

/** @throws Refusal PACKAGE_UNREADABLE, PACKAGE_UNSIGNED */
export function openHsmReceipt(
  envelope: Bytes,
  by: { readonly name: string; readonly publicKey: Bytes },
): HsmReceipt {
  const unreadable = (about?: string) => no('PACKAGE_UNREADABLE', about)
  const signed = readSigned('HSM Key receipt', envelope, unreadable)
  if (signed.by !== by.name || !signed.holds(by.publicKey)) throw no('PACKAGE_UNSIGNED')
  return parsed(receipt, signed.octets, unreadable)
}
