/** A passphrase held by k of n people: shares by Shamir's scheme, each in an envelope that says whose it is. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { combine, split } from 'shamir-secret-sharing'
import { z } from 'zod'
import type { Bytes } from '../bytes.ts'
import { equal, fromHex, toHex, view } from '../bytes.ts'
import type { Chance } from '../clock.ts'
import { refusal } from './quorum-refusals.ts'

const hex = (octets: number) => z.string().regex(new RegExp(`^[0-9a-f]{${octets * 2}}$`))
const reference = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/)
const small = z.int().min(1).max(255)

/** What is known of a quorum to everybody. It opens nothing. */
export const quorumSchema = z.strictObject({
  format: z.literal('opensmki quorum v1'),
  /** Names this sharing: shares of another are of no use in it. */
  ceremony: hex(16),
  /** The key store that the passphrase opens: its identity. */
  store: z.string().min(1).max(200),
  threshold: small.min(2),
  holders: z
    .array(
      z.strictObject({
        index: small,
        /** Who holds the share, by reference to the register of nominations; never a name. */
        holder: reference,
        /** SHA-256 of the envelope's contents: tells a right share from a wrong one. */
        commitment: hex(32),
        /** When the holder left. A share of theirs is refused from then on. */
        left: z.iso.datetime().optional(),
      }),
    )
    .min(2)
    .max(255),
  /** SHA-256 of what was shared: whoever combines shares sees whether the result is right. */
  check: hex(32),
})
export type Quorum = z.output<typeof quorumSchema>

/** What one holder keeps. `share` is a secret. */
export const envelopeSchema = z.strictObject({
  format: z.literal('opensmki share v1'),
  ceremony: hex(16),
  store: z.string().min(1).max(200),
  threshold: small.min(2),
  of: small.min(2),
  index: small,
  holder: reference,
  share: z.string().regex(/^([0-9a-f]{2}){18,2048}$/),
})
export type Envelope = z.output<typeof envelopeSchema>

export interface Sharing {
  readonly store: string
  /** How many holders are needed. */
  readonly threshold: number
  /** References, each of another person. */
  readonly holders: readonly string[]
}

/**
 * Shares a passphrase. It stays the caller's to zero. What is shared is a salt of 16 octets and then the passphrase:
 * without enough shares the salt is unknown, so that neither check nor commitments help to guess a weak passphrase.
 * The randomness of the shares is the library's own, from the system's: it takes no other.
 * @throws Refusal QUORUM_SIZE, QUORUM_HOLDER_TWICE
 */
export async function share(
  passphrase: Bytes,
  { store, threshold, holders }: Sharing,
  chance: Chance,
): Promise<{ quorum: Quorum; envelopes: readonly Envelope[] }> {
  if (new Set(holders).size !== holders.length) throw refusal('QUORUM_HOLDER_TWICE')
  if (threshold < 2 || threshold > holders.length || holders.length > 255) {
    throw refusal('QUORUM_SIZE', `${threshold} of ${holders.length}`)
  }
  if (passphrase.length === 0) throw refusal('QUORUM_SIZE', 'the passphrase is empty')
  const ceremony = toHex(chance(16))
  const secret = new Uint8Array(saltLength + passphrase.length)
  try {
    secret.set(chance(saltLength))
    secret.set(passphrase, saltLength)
    const shares = await split(secret, holders.length, threshold)
    const envelopes = holders.map((holder, i): Envelope => {
      const said = { ceremony, store, threshold, of: holders.length, index: i + 1, holder: reference.parse(holder) }
      return { format: 'opensmki share v1', ...said, share: toHex(shares[i]!) }
    })
    for (const one of shares) one.fill(0)
    const quorum: Quorum = {
      format: 'opensmki quorum v1',
      ceremony,
      store,
      threshold,
      holders: envelopes.map(one => ({ index: one.index, holder: one.holder, commitment: commitmentOf(one) })),
      check: checkOf(ceremony, secret),
    }
    return { quorum, envelopes }
  } finally {
    secret.fill(0)
  }
}

/**
 * The passphrase, from the envelopes of enough holders; the caller zeroes it. Each envelope is looked at by itself
 * first, so that a refusal names the holder whose share it is about.
 * @throws Refusal QUORUM_OTHER_CEREMONY, QUORUM_HOLDER_UNKNOWN, QUORUM_HOLDER_LEFT, QUORUM_SHARE_CORRUPT,
 * QUORUM_HOLDER_TWICE, QUORUM_TOO_FEW, QUORUM_CHECK_FAILED
 */
export async function unite(quorum: Quorum, envelopes: readonly Envelope[]): Promise<Buffer> {
  for (const envelope of envelopes) mustBeGood(quorum, envelope)
  const holders = new Set<string>()
  for (const { holder } of envelopes) {
    if (holders.has(holder)) throw refusal('QUORUM_HOLDER_TWICE', holder)
    holders.add(holder)
  }
  if (holders.size < quorum.threshold) throw refusal('QUORUM_TOO_FEW', `${holders.size} of ${quorum.threshold}`)
  // The library takes plain arrays of octets, and no subclass of them.
  const shares = envelopes.map(({ share }) => Uint8Array.from(fromHex(share)))
  let secret: Uint8Array | undefined
  try {
    secret = await combine(shares)
    if (!timingSafeEqual(fromHex(checkOf(quorum.ceremony, secret)), fromHex(quorum.check))) {
      throw refusal('QUORUM_CHECK_FAILED')
    }
    const passphrase = Buffer.alloc(secret.length - saltLength)
    passphrase.set(secret.subarray(saltLength))
    return passphrase
  } finally {
    secret?.fill(0)
    for (const one of shares) one.fill(0)
  }
}

/**
 * The quorum without a holder. The share stays what it was: to make it worthless, share anew.
 * @throws Refusal QUORUM_HOLDER_UNKNOWN, QUORUM_HOLDER_LEFT; QUORUM_SIZE when too few would be left to unite
 */
export function without(quorum: Quorum, holder: string, at: Date): Quorum {
  const leaving = quorum.holders.find(one => one.holder === holder)
  if (!leaving) throw refusal('QUORUM_HOLDER_UNKNOWN', holder)
  if (leaving.left !== undefined) throw refusal('QUORUM_HOLDER_LEFT', holder)
  const staying = quorum.holders.filter(one => one.left === undefined).length - 1
  if (staying < quorum.threshold)
    throw refusal('QUORUM_SIZE', `${staying} would be left, ${quorum.threshold} are needed`)
  const holders = quorum.holders.map(one => (one === leaving ? { ...one, left: at.toISOString() } : one))
  return { ...quorum, holders }
}

/** SHA-256 over the canonical text of the record: what the journal says of it. */
export function digestOf(quorum: Quorum): string {
  return createHash('sha256')
    .update(JSON.stringify(quorumSchema.parse(quorum)))
    .digest('hex')
}

const saltLength = 16

function mustBeGood(quorum: Quorum, envelope: Envelope): void {
  const who = `${envelope.holder}, share ${envelope.index}`
  if (envelope.ceremony !== quorum.ceremony) throw refusal('QUORUM_OTHER_CEREMONY', who)
  const known = quorum.holders.find(({ holder }) => holder === envelope.holder)
  if (!known) throw refusal('QUORUM_HOLDER_UNKNOWN', who)
  if (known.left !== undefined) throw refusal('QUORUM_HOLDER_LEFT', who)
  const right = equal(fromHex(commitmentOf(envelope)), fromHex(known.commitment))
  const same =
    envelope.store === quorum.store &&
    envelope.threshold === quorum.threshold &&
    envelope.of === quorum.holders.length &&
    envelope.index === known.index
  if (!right || !same) throw refusal('QUORUM_SHARE_CORRUPT', who)
}

/** Over every field with its length: two different envelopes never encode alike. */
function commitmentOf({ ceremony, store, index, holder, share }: Envelope): string {
  const parts = ['opensmki share v1', ceremony, store, String(index), holder].map(text => Buffer.from(text))
  return digest(...parts, fromHex(share))
}

function checkOf(ceremony: string, secret: Bytes): string {
  return digest(Buffer.from('opensmki quorum v1'), Buffer.from(ceremony), secret)
}

function digest(...parts: readonly Bytes[]): string {
  const sha256 = createHash('sha256')
  for (const part of parts) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    sha256.update(length).update(view(part))
  }
  return sha256.digest('hex')
}
