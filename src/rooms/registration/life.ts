/** The life of a credential: one state after another, and the same in the tables that open doors. */

import { toHex } from '../../ground/bytes.ts'
import type { JsonValue } from '../../ground/journal/entry.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import {
  type AnyCredentialKind,
  type CredentialState,
  credentialLife,
  endStates,
} from '../../policy/registration/credentials.ts'
import type { Acting } from './act.ts'
import { no } from './refusals.ts'

export interface CredentialRecord {
  readonly id: number
  readonly party: number
  /** The holder's reference; a credential of a system has none. */
  readonly person: string | undefined
  readonly kind: AnyCredentialKind
  /** Remote Party Role in the OU of a certificate. */
  readonly role: number | undefined
  readonly systemName: string
  readonly state: CredentialState
  readonly requestedAt: Date
  readonly issuedAt: Date | undefined
  readonly expiresAt: Date | undefined
  readonly endedAt: Date | undefined
  readonly replaces: number | undefined
  /** Of an IKI Certificate: SHA-256 of the issuer's name in DER, and the serial number; hexadecimal. */
  readonly certificate: { readonly issuer: string; readonly serial: string } | undefined
}

type Reader = Pick<Store, 'query'> | Client

/** @throws Refusal CREDENTIAL_UNKNOWN */
export async function credentialRecord(store: Reader, id: number): Promise<CredentialRecord> {
  const [record] = await list(store, 'l.id = $1', [id])
  if (!record) throw no('CREDENTIAL_UNKNOWN', String(id))
  return record
}

/** Of one Party, ended ones too, oldest first. */
export function credentialRecords(store: Reader, party: number): Promise<CredentialRecord[]> {
  return list(store, 'l.party = $1', [party])
}

/** Those of a person, by number, that have not ended. */
export function credentialsHeldBy(store: Reader, person: number): Promise<CredentialRecord[]> {
  return list(store, 'l.person = $1 AND l.state <> ALL($2)', [person, endStates])
}

export function credentialsEnding(store: Reader, until: Date): Promise<CredentialRecord[]> {
  return list(store, "l.state IN ('issued', 'active', 'locked') AND l.expires_at <= $1", [until])
}

/** The record, held until the end of the transaction. @throws Refusal CREDENTIAL_UNKNOWN */
export async function heldRecord(client: Client, id: number): Promise<CredentialRecord> {
  await client.query('SELECT FROM credential_life WHERE id = $1 FOR UPDATE', [id])
  return credentialRecord(client, id)
}

/**
 * The next state, in the record and wherever the credential opens a door.
 * @throws Refusal CREDENTIAL_STATE when it does not follow
 */
export async function become(
  acting: Pick<Acting, 'client' | 'at' | 'note'>,
  id: number,
  state: CredentialState,
  says: Readonly<Record<string, JsonValue>> = {},
): Promise<CredentialRecord> {
  const { client, at } = acting
  const record = await heldRecord(client, id)
  if (!credentialLife[record.state].includes(state)) throw no('CREDENTIAL_STATE', `${record.state}, not ${state}`)
  await client.query(
    `UPDATE credential_life SET state = $2,
       issued_at = CASE WHEN $2 = 'issued' THEN $3 ELSE issued_at END,
       active_at = CASE WHEN $2 = 'active' THEN coalesce(active_at, $3) ELSE active_at END,
       ended_at = CASE WHEN $4 THEN $3 ELSE ended_at END
     WHERE id = $1`,
    [id, state, at, endStates.includes(state)],
  )
  await client.query('UPDATE credential SET state = $2 WHERE life = $1', [id, state])
  await client.query('UPDATE api_key SET state = $2 WHERE life = $1', [id, state])
  const { party, kind, person } = record
  await acting.note(`credential ${state}`, {
    credential: id,
    party,
    kind,
    ...(person && { holder: person }),
    ...says,
  })
  return { ...record, state }
}

async function list(store: Reader, where: string, values: unknown[]): Promise<CredentialRecord[]> {
  const { rows } = await (store as Pick<Store, 'query'>).query<{
    id: number
    party: number
    person: string | null
    kind: AnyCredentialKind
    role: number | null
    system_name: string
    state: CredentialState
    requested_at: Date
    issued_at: Date | null
    expires_at: Date | null
    ended_at: Date | null
    replaces: number | null
    issuer: Buffer | null
    serial: Buffer | null
  }>(
    `SELECT l.id, l.party, p.reference AS person, l.kind, l.role, l.system_name, l.state, l.requested_at, l.issued_at,
            l.expires_at, l.ended_at, l.replaces, c.issuer, c.serial
       FROM credential_life l LEFT JOIN person p ON p.id = l.person LEFT JOIN credential c ON c.life = l.id
      WHERE ${where} ORDER BY l.id`,
    values,
  )
  return rows.map(row => ({
    id: row.id,
    party: row.party,
    person: row.person ?? undefined,
    kind: row.kind,
    role: row.role ?? undefined,
    systemName: row.system_name,
    state: row.state,
    requestedAt: row.requested_at,
    issuedAt: row.issued_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    replaces: row.replaces ?? undefined,
    certificate: row.issuer && row.serial ? { issuer: toHex(row.issuer), serial: toHex(row.serial) } : undefined,
  }))
}
