/** Revocation cases as they stand: one certificate each, from the request to the list (section 6.3). */

import { toHex } from '../../ground/bytes.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import type { Ground } from '../../policy/revocation/grounds.ts'
import type { RevocableObject } from '../../policy/revocation/objects.ts'
import type { CertificateRef } from './inside/below.ts'
import { no } from './refusals.ts'

export type CaseState =
  | 'received'
  | 'authenticated'
  | 'deferred'
  | 'approved'
  | 'revoked'
  | 'listed'
  | 'refused'
  | 'cancelled'

export interface RevocationCase {
  readonly id: number
  readonly object: RevocableObject
  readonly certificate: CertificateRef
  readonly expiresAt: Date
  /** SHA-256 of the certificate, hexadecimal. */
  readonly sha256: string
  readonly party: number | undefined
  /** Number of the credential's record from request to end. */
  readonly credential: number | undefined
  readonly origin: 'request' | 'rejection' | 'credential' | 'duty'
  readonly ground: Ground
  /** RFC 5280 5.3.1. */
  readonly reason: number
  readonly form: string | undefined
  readonly decision: string | undefined
  readonly urgent: boolean
  readonly state: CaseState
  readonly task: number | undefined
  readonly deferral: number | undefined
  /** The notice by which the SMKI PMA was asked about a Compromise under a deferral. */
  readonly question: number | undefined
  readonly receivedAt: Date
  readonly revokedAt: Date | undefined
  /** Until when the list that names it is to be lodged. */
  readonly listDueAt: Date | undefined
  readonly listNumber: bigint | undefined
  readonly listedAt: Date | undefined
}

type Reader = Pick<Store, 'query'> | Client

/** @throws Refusal CASE_UNKNOWN */
export async function caseOf(store: Reader, id: number): Promise<RevocationCase> {
  const [one] = await read(store, 'WHERE id = $1', [id])
  if (!one) throw no('CASE_UNKNOWN', String(id))
  return one
}

/** The case, held until the end of the transaction. @throws Refusal CASE_UNKNOWN */
export async function heldCase(client: Client, id: number): Promise<RevocationCase> {
  await client.query('SELECT FROM revocation_case WHERE id = $1 FOR UPDATE', [id])
  return caseOf(client, id)
}

export interface CaseFilter {
  readonly party?: number | undefined
  /** With a smaller number only. */
  readonly before?: number | undefined
  /** The newest of them, so many at most. */
  readonly atMost?: number | undefined
  readonly deferral?: number | undefined
  readonly states?: readonly CaseState[] | undefined
}

/** Oldest first. */
export function cases(
  store: Reader,
  { party, deferral, states, before, atMost }: CaseFilter = {},
): Promise<RevocationCase[]> {
  return read(
    store,
    `WHERE id IN (SELECT id FROM revocation_case WHERE ($1::int IS NULL OR party = $1)
       AND ($2::int IS NULL OR deferral = $2) AND ($3::text[] IS NULL OR state = ANY($3))
       AND ($4::int IS NULL OR id < $4) ORDER BY id DESC LIMIT $5)`,
    [party ?? null, deferral ?? null, states ?? null, before ?? null, atMost ?? null],
  )
}

/** The case that a certificate is in, if it is in one that was not refused or cancelled. */
export async function caseAbout(
  store: Reader,
  { authority, serial }: CertificateRef,
): Promise<RevocationCase | undefined> {
  const [one] = await read(
    store,
    "WHERE authority = $1 AND serial = $2 AND state NOT IN ('refused', 'cancelled')",
    [authority, Buffer.from(serial, 'hex')],
  )
  return one
}

/** The subject of a case's task. */
export const taskSubject = (id: number): string => `case ${id}`
export const caseNumber = (subject: string): number => Number(subject.slice('case '.length))

interface Row {
  id: number
  object: RevocableObject
  authority: number
  serial: Buffer
  expires_at: Date
  sha256: Buffer
  party: number | null
  credential: number | null
  origin: RevocationCase['origin']
  ground: Ground
  reason: number
  form: string | null
  decision: string | null
  urgent: boolean
  state: CaseState
  task: number | null
  deferral: number | null
  question: number | null
  received_at: Date
  revoked_at: Date | null
  list_due_at: Date | null
  list_number: bigint | null
  listed_at: Date | null
}

async function read(store: Reader, where: string, values: unknown[]): Promise<RevocationCase[]> {
  const { rows } = await (store as Client).query<Row>(
    `SELECT id, object, authority, serial, expires_at, sha256, party, credential, origin, ground, reason, form, decision,
            urgent, state, task, deferral, question, received_at, revoked_at, list_due_at, list_number, listed_at
       FROM revocation_case ${where} ORDER BY id`,
    values,
  )
  return rows.map(row => ({
    id: row.id,
    object: row.object,
    certificate: { authority: row.authority, serial: toHex(row.serial) },
    expiresAt: row.expires_at,
    sha256: toHex(row.sha256),
    party: row.party ?? undefined,
    credential: row.credential ?? undefined,
    origin: row.origin,
    ground: row.ground,
    reason: row.reason,
    form: row.form ?? undefined,
    decision: row.decision ?? undefined,
    urgent: row.urgent,
    state: row.state,
    task: row.task ?? undefined,
    deferral: row.deferral ?? undefined,
    question: row.question ?? undefined,
    receivedAt: row.received_at,
    revokedAt: row.revoked_at ?? undefined,
    listDueAt: row.list_due_at ?? undefined,
    listNumber: row.list_number ?? undefined,
    listedAt: row.listed_at ?? undefined,
  }))
}
