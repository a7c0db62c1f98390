/** What S1SP and DCO are told of one another before the first message: two files, exchanged and compared by people. */

import { z } from 'zod'
import { view } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/)
/** SubjectPublicKeyInfo, DER, lower-case hexadecimal. */
const publicKey = z.string().regex(/^([0-9a-f]{2}){40,600}$/)
/** The TLS authority that the other side's connections chain to, PEM. */
const authority = z.string().startsWith('-----BEGIN CERTIFICATE-----')

/** Of an S1SP, for a DCO. */
export const s1spPeerSchema = z.strictObject({
  name,
  /** Signs its messages. */
  publicKey,
  /** The system title of its APDUs. */
  title: z.string().regex(/^[0-9a-f]{16}$/),
  /** SHA-256 of its TLS client certificates, DER. */
  certificates: z.array(z.string().regex(/^[0-9a-f]{64}$/)).min(1),
  authority,
  /** Its module's transport key, RSA-3072: the Shared Key is wrapped to it. */
  transportKey: publicKey,
})

/** Of a DCO, for S1SPs and for previous holders of keys. */
export const dcoPeerSchema = z.strictObject({
  name,
  /** Verify key records, answers, and packages of HSM Keys. */
  records: publicKey,
  messages: publicKey,
  distribution: publicKey,
  /** RSA-3072: inherited keys are wrapped to it. */
  importKey: publicKey,
  authority,
  /** `https://host:port` */
  url: z.string().startsWith('https://'),
})

export type S1spPeer = z.output<typeof s1spPeerSchema>
export type DcoPeer = z.output<typeof dcoPeerSchema>

/** @throws Refusal PEER_UNREADABLE */
export function readPeer<T extends typeof s1spPeerSchema | typeof dcoPeerSchema>(
  schema: T,
  octets: Uint8Array,
): z.output<T> {
  try {
    const parsed = schema.safeParse(JSON.parse(view(octets).toString()))
    if (parsed.success) return parsed.data as z.output<T>
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
  }
  throw new Refusal('PEER_UNREADABLE', 'the file does not describe an S1SP or a DCO')
}
