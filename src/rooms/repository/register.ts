/** The register of certificates: written down before they are signed, kept when they are. */

import type { ClientBase } from 'pg'
import { type Bytes, view } from '../../ground/bytes.ts'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { copyInto } from '../../ground/store/copy.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Family } from '../../policy/profile.ts'
import { bySerial } from './by-serial.ts'

/** Numbers of the families in the table `certificate`. */
export const families: Readonly<Record<Family, number>> = {
  ca: 0,
  device: 1,
  organisation: 2,
  iki: 3,
  dccki: 4,
  s1spki: 5,
  tls: 6,
}

/** `DS` digitalSignature alone, `KA` keyAgreement alone, `-` anything else. */
export type Usage = 'DS' | 'KA' | '-'
export const usages: Readonly<Record<Usage, number>> = { '-': 0, DS: 1, KA: 2 }

/** A certificate about to be signed. */
export interface Intended {
  readonly authority: number
  readonly family: Family
  readonly usage: Usage
  readonly role: number | undefined
  /** 8 octets; with it goes an ordinal, unique for the identifier. */
  readonly eui64: Bytes | undefined
  readonly ordinal: number | undefined
  readonly serial: Bytes
  readonly keyId: Bytes
  readonly tbs: Bytes
}

/** Columns of a row of `certificate`, as COPY takes them. */
export const certificateColumns = {
  signing: 'int8',
  position: 'int2',
  authority: 'int2',
  family: 'int2',
  usage: 'int2',
  role: 'int2',
  ordinal: 'int4',
  eui64: 'bytea',
  serial: 'bytea',
  key_id: 'bytea',
  tbs: 'bytea',
} as const

/** Octets that one signature may have: 72 holds every ECDSA-Sig-Value of P-256, 512 that of RSA-4096. */
export type Slot = 72 | 256 | 512

/**
 * Writes down what is about to be signed. After the caller's commit, whatever stops us, each of these can be found.
 * @param signer the signer process that will sign, so that others can give it up when that ended (issuance/signers.ts)
 * @returns the number of the signing.
 * @throws the store's unique violation (23505) when a serial number or an ordinal is taken: nothing was written.
 */
export async function intend(
  client: ClientBase,
  at: Date,
  slot: Slot,
  group: readonly Intended[],
  signer?: number,
): Promise<bigint> {
  const { rows } = await client.query<{ id: bigint }>({
    name: 'intend',
    text: 'INSERT INTO signing (count, at, slot, signer) VALUES ($1, $2, $3, $4) RETURNING id',
    values: [group.length, at, slot, signer],
  })
  const signing = rows[0]!.id
  await copyInto(
    client,
    'certificate',
    certificateColumns,
    group.map((one, position) => [
      signing,
      position,
      one.authority,
      families[one.family],
      usages[one.usage],
      one.role ?? null,
      one.ordinal ?? null,
      one.eui64 ?? null,
      one.serial,
      one.keyId,
      one.tbs,
    ]),
  )
  return signing
}

/** The signing was not in the state that this step needs: another took it over. Nothing was written. */
export class SigningLost extends Error {
  override name = 'SigningLost'
}

/** Keeps the signatures, in the order of `intend`: from the commit on these certificates exist, and are lodged. */
export async function keep(
  client: ClientBase,
  signing: bigint,
  slot: Slot,
  signatures: readonly Bytes[],
): Promise<void> {
  const { rowCount } = await client.query({
    name: 'keep',
    text: "UPDATE signing SET state = 'complete', signatures = $2 WHERE id = $1 AND state = 'intended' AND count = $3",
    values: [signing, slotsOf(slot, signatures), signatures.length],
  })
  if (rowCount !== 1) throw new SigningLost(`signing ${signing} is not open any more`)
}

/** The signatures, each at the beginning of a slot of its own. */
export function slotsOf(slot: Slot, signatures: readonly Bytes[]): Buffer {
  const slots = Buffer.alloc(slot * signatures.length)
  signatures.forEach((signature, position) => {
    if (signature.length > slot) throw new RangeError('a signature is longer than its slot')
    slots.set(signature, position * slot)
  })
  return slots
}

/**
 * Gives up those of these signings that were not completed, and journals it: what they wrote down stays, so that a stray
 * certificate with one of their serial numbers can be recognised.
 */
export async function giveUp(client: ClientBase, at: Date, signings: readonly bigint[]): Promise<void> {
  const { rows } = await client.query<{ id: bigint }>(
    "UPDATE signing SET state = 'abandoned' WHERE id = ANY($1) AND state = 'intended' RETURNING id",
    [signings],
  )
  for (const { id } of rows) await append(client, entry('abandon', at, { signing: String(id) }))
}

/**
 * The same for the signing that one of our certificates was written down in, if it was: for whoever saw a step fail, and
 * cannot know whether it took effect. Left open, it would count against every later request for the same Device ID. What
 * was kept stays kept.
 */
export async function giveUpWritten(store: Store, at: Date, one: Intended): Promise<void> {
  await store.transaction(async client => {
    const { rows } = await client.query<{ signing: bigint }>(
      `SELECT c.signing FROM certificate c WHERE ${bySerial('$1::bytea')} AND c.authority = $2 AND c.tbs = $3`,
      [one.serial, one.authority, one.tbs],
    )
    await giveUp(
      client,
      at,
      rows.map(row => row.signing),
    )
  })
}

/** The signature in its slot: a DER SEQUENCE says itself where it ends; an RSA signature fills its slot. */
export function fromSlot(slot: Bytes): Bytes {
  return slot[0] === 0x30 && slot.length === 72 ? view(slot).subarray(0, 2 + slot[1]!) : slot
}
