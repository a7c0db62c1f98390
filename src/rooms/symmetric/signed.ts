/** A signed JSON text in its envelope: the one form of everything that S1SP, DCO and others hand to one another. */

import { z } from 'zod'
import { type Bytes, equal, fromHex, toHex, view } from '../../ground/bytes.ts'
import { verifySignature } from '../../ground/keystore/check.ts'
import type { Refusal } from '../../ground/refusal.ts'

/** What is signed. The kind is signed too, so that one is never taken for another. */
export type SignedKind =
  | 'message'
  | 'answer'
  | 'instruction'
  | 'inherited keys'
  | 'HSM Key package'
  | 'HSM Key receipt'

/** Who signs: an organisation's name, and its ECDSA P-256 key (`KeyStore.sign` or `KeyPair.sign`). */
export interface Signer {
  readonly name: string
  sign(octets: Bytes): Bytes
}

export interface Signed {
  /** The name that is claimed; it holds when the signature does. */
  readonly by: string
  /** The JSON text, exactly as it was signed. */
  readonly octets: Bytes
  /** @param spki the key of that organisation, SubjectPublicKeyInfo in DER, P-256 */
  holds(spki: Bytes): boolean
}

/** JSON `{ "by", "signature", "octets" }`: name, signature in hexadecimal, the signed JSON text in base64. */
export function writeSigned(kind: SignedKind, value: unknown, signer: Signer): Buffer {
  const octets = Buffer.from(JSON.stringify(value))
  const signature = toHex(signer.sign(signedOctets(kind, signer.name, octets)))
  return Buffer.from(JSON.stringify({ by: signer.name, signature, octets: octets.toString('base64') }))
}

/** Reads an envelope; its signature is not checked yet. @param unreadable the Refusal when it is none */
export function readSigned(kind: SignedKind, envelope: Bytes, unreadable: () => Refusal): Signed {
  const { by, signature, octets: base64 } = parsed(envelopeSchema, envelope, unreadable)
  const octets = Buffer.from(base64, 'base64')
  if (octets.toString('base64') !== base64) throw unreadable()
  const signed = { kind: 'P-256', octets: signedOctets(kind, by, octets), signature: fromHex(signature) } as const
  return { by, octets, holds: spki => verifySignature({ ...signed, spki }) }
}

/** JSON that a schema fits. @param unreadable the Refusal when it does not, told what is wrong */
export function parsed<T extends z.ZodType>(
  schema: T,
  octets: Bytes,
  unreadable: (about?: string) => Refusal,
): z.output<T> {
  const text = view(octets).toString()
  // Octets that are no UTF-8 would be repaired in silence.
  if (!equal(Buffer.from(text), octets)) throw unreadable()
  const result = schema.safeParse(jsonOf(text, unreadable))
  if (result.success) return result.data
  const faults = result.error.issues.slice(0, 5).map(({ path, code }) => `${path.join('.') || '(top)'} ${code}`)
  throw unreadable(faults.join('; '))
}

const envelopeSchema = z.strictObject({
  by: z.string().regex(/^[\x20-\x7e]{1,64}$/),
  signature: z.string().regex(/^([0-9a-f]{2}){1,80}$/),
  octets: z.base64(),
})

function jsonOf(text: string, unreadable: () => Refusal): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (cause instanceof SyntaxError) throw unreadable()
    throw cause
  }
}

function signedOctets(kind: SignedKind, by: string, octets: Bytes): Buffer {
  return Buffer.concat([Buffer.from(`OpenSMKI DCO ${kind} 1\n${by}\n`), octets])
}
