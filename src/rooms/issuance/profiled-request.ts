/** A request for a DCCKI or S1SPKI Certificate on record: what was asked for, by whom, and what was decided. */

import { fromHex, toHex, toHexUpper } from '../../ground/bytes.ts'
import type { JsonValue } from '../../ground/journal/entry.ts'
import type { Refusal } from '../../ground/refusal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import type { AdmittedProfiled, ProfiledSubject } from './profiled-csr.ts'
import { refuse } from './refusals.ts'

export type Reader = Pick<Store, 'query'> | Client

export type ProfiledPki = 'dccki' | 's1spki-foc' | 's1spki-moc'

/**
 * dccki.md section 4; `received` is passed within the transaction that puts it on record. verified: somebody of the
 * Registration Authority decides. approved: every check was passed, the signer has not answered yet.
 */
export type RequestState = 'verified' | 'approved' | 'issued' | 'refused' | 'ineligible'

/** Who sent it: a person, by reference; or a system, by the serial number of its credential, hexadecimal. */
export type SentBy = { readonly person: string } | { readonly credential: string }

export interface ProfiledRequest {
  readonly id: bigint
  readonly pki: ProfiledPki
  readonly party: number | undefined
  readonly by: SentBy
  /** Of the CSR, hexadecimal. */
  readonly sha256: string
  readonly receivedAt: Date
  /** What it asks for; undefined where it could not be read. */
  readonly asks:
    | { readonly profile: string; readonly subject: ProfiledSubject; readonly names: readonly string[] }
    | undefined
  readonly state: RequestState
  readonly refusal: { readonly code: string; readonly says: string } | undefined
  readonly approvedAt: Date | undefined
  readonly answeredAt: Date | undefined
  readonly certificate: { readonly authority: number; readonly serial: Buffer } | undefined
}

/** What is decided of it. */
export interface Decision {
  readonly state: Exclude<RequestState, 'issued'>
  readonly refusal?: Refusal
}

/** @throws Refusal REQUEST_UNKNOWN */
export async function requestOf(store: Reader, id: bigint): Promise<ProfiledRequest> {
  const [found] = await list(store, 'id = $1', [id])
  if (!found) throw refuse('REQUEST_UNKNOWN')
  return found
}

export interface RequestFilter {
  readonly pki?: ProfiledPki | undefined
  readonly party?: number | undefined
  readonly state?: RequestState | undefined
  /** Hexadecimal, of a certificate that was issued. */
  readonly serial?: string | undefined
  /** One of the names of the subject: its OU, its CN or a host. */
  readonly named?: string | undefined
}

/** Newest first, some at most. */
export function requests(store: Reader, filter: RequestFilter, atMost = 200): Promise<ProfiledRequest[]> {
  const { pki, party, state, serial, named } = filter
  return list(
    store,
    `($1::text IS NULL OR pki = $1) AND ($2::int IS NULL OR party = $2) AND ($3::text IS NULL OR state = $3)
      AND ($4::bytea IS NULL OR serial = $4)
      AND ($5::text IS NULL OR subject->>'organizationalUnitName' = $5 OR subject->>'commonName' = $5 OR $5 = ANY(names))
      ORDER BY id DESC LIMIT $6`,
    [
      pki ?? null,
      party ?? null,
      state ?? null,
      serial === undefined ? null : fromHex(serial),
      named ?? null,
      atMost,
    ],
  )
}

/** The same octets of the same Subscriber, if they were not answered with a no. */
export async function sameRequest(
  client: Client,
  pki: ProfiledPki,
  party: number | undefined,
  sha256: Buffer,
): Promise<ProfiledRequest | undefined> {
  const live = "state IN ('verified', 'approved', 'issued')"
  const [found] = await list(client, `pki = $1 AND party IS NOT DISTINCT FROM $2 AND sha256 = $3 AND ${live}`, [
    pki,
    party ?? null,
    sha256,
  ])
  return found
}

/**
 * Whether a key was asked for under another subject or profile, in this PKI or another (dccki.md 3, row 5).
 * @param except the request that is judged, once it is on record
 */
export async function keyOfAnother(
  client: Reader,
  pki: ProfiledPki,
  { profile, subject, keyId }: AdmittedProfiled,
  except?: bigint,
): Promise<boolean> {
  const { rowCount } = await (client as Client).query(
    `SELECT FROM profiled_request WHERE key_id = $1 AND state IN ('verified', 'approved', 'issued')
        AND id IS DISTINCT FROM $2 AND (pki <> $3 OR profile <> $4 OR subject <> $5) LIMIT 1`,
    [keyId, except ?? null, pki, profile.name, JSON.stringify(subject)],
  )
  return rowCount !== 0
}

/** Puts a request on record with what was decided of it. @returns its number */
export async function keepRequest(
  { client, at }: { readonly client: Client; readonly at: Date },
  what: {
    readonly pki: ProfiledPki
    readonly party: number | undefined
    readonly by: SentBy
    readonly csr: Uint8Array
    readonly sha256: Buffer
  },
  asks: AdmittedProfiled | undefined,
  { state, refusal }: Decision,
): Promise<bigint> {
  const answered = state === 'refused' || state === 'ineligible'
  const { rows } = await client.query<{ id: bigint }>(
    `INSERT INTO profiled_request (pki, party, person, credential, sha256, csr, received_at, profile, subject, names,
       key_id, state, code, says, approved_at, answered_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING id`,
    [
      what.pki,
      what.party ?? null,
      'person' in what.by ? what.by.person : null,
      'credential' in what.by ? what.by.credential : null,
      what.sha256,
      what.csr,
      at,
      asks?.profile.name ?? null,
      asks ? JSON.stringify(asks.subject) : null,
      asks?.names ?? null,
      asks?.keyId ?? null,
      state,
      refusal?.code ?? null,
      refusal?.message ?? null,
      state === 'approved' ? at : null,
      answered ? at : null,
    ],
  )
  return rows[0]!.id
}

/** What of a request stands on its journal entries: names of hosts and people's references are the certificate's to say. */
export function asksSays({ profile, keyId }: AdmittedProfiled): Record<string, JsonValue> {
  return { profile: profile.name, keyId: toHexUpper(keyId) }
}

interface Row {
  id: bigint
  pki: ProfiledPki
  party: number | null
  person: string | null
  credential: string | null
  sha256: Buffer
  received_at: Date
  profile: string | null
  subject: ProfiledSubject | null
  names: string[] | null
  state: RequestState
  code: string | null
  says: string | null
  approved_at: Date | null
  answered_at: Date | null
  authority: number | null
  serial: Buffer | null
}

async function list(store: Reader, where: string, values: unknown[]): Promise<ProfiledRequest[]> {
  const { rows } = await (store as Client).query<Row>(
    `SELECT id, pki, party, person, credential, sha256, received_at, profile, subject, names, state, code, says,
            approved_at, answered_at, authority, serial FROM profiled_request WHERE ${where}`,
    values,
  )
  return rows.map(row => ({
    id: row.id,
    pki: row.pki,
    party: row.party ?? undefined,
    by: row.person === null ? { credential: row.credential! } : { person: row.person },
    sha256: toHex(row.sha256),
    receivedAt: row.received_at,
    asks:
      row.profile === null ? undefined : { profile: row.profile, subject: row.subject!, names: row.names ?? [] },
    state: row.state,
    refusal: row.code === null ? undefined : { code: row.code, says: row.says! },
    approvedAt: row.approved_at ?? undefined,
    answeredAt: row.answered_at ?? undefined,
    certificate: row.serial === null ? undefined : { authority: row.authority!, serial: row.serial },
  }))
}
