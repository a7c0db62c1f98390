/** Parties, and what they show at the doors: the records that decide what a credential may do. */

import { hash } from 'node:crypto'
import { type Bytes, fromHex, toHex } from '../../ground/bytes.ts'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import type { CertificateKind } from '../../policy/registration/credentials.ts'
import type { Acting } from './act.ts'
import { become, credentialRecord } from './life.ts'
import { no } from './refusals.ts'
import { authorisedSql } from './standing.ts'

export interface PartyRole {
  readonly role: number
  /** 16 hexadecimal digits. */
  readonly eui64: string
}

export interface NewParty {
  /** Short, for folders and commands. */
  readonly name: string
  readonly tradingName: string
  /** Whether it is an Authorised Subscriber for Device Certificates without the procedures of registration. */
  readonly deviceSubscriber: boolean
  readonly roles: readonly PartyRole[]
}

export interface Party extends NewParty {
  readonly id: number
  /** Whether it is an Authorised Subscriber for Device Certificates, by the procedures or without. */
  readonly deviceSubscriber: boolean
}

/** Enters a Party of a test environment at once; `apply` (organisation.ts) is how a real one begins. */
export async function registerParty(client: Client, party: NewParty, at: Date): Promise<number> {
  const { rows } = await client.query<{ id: number }>(
    'INSERT INTO party (name, trading_name, device_subscriber, registered_at) VALUES ($1, $2, $3, $4) RETURNING id',
    [party.name, party.tradingName, party.deviceSubscriber, at],
  )
  const { id } = rows[0]!
  for (const { role, eui64 } of party.roles) {
    await client.query('INSERT INTO party_role (party, role, eui64) VALUES ($1, $2, $3)', [
      id,
      role,
      fromHex(eui64),
    ])
  }
  return id
}

export async function parties(store: Pick<Store, 'query'>): Promise<Party[]> {
  const { rows } = await store.query<{
    id: number
    name: string
    trading_name: string
    device_subscriber: boolean
    role: number | null
    eui64: Buffer | null
  }>(
    `SELECT p.id, p.name, p.trading_name, ${deviceSubscriber} AS device_subscriber, r.role, r.eui64
       FROM party p LEFT JOIN party_role r ON r.party = p.id ORDER BY p.id, r.role`,
  )
  return [...Map.groupBy(rows, row => row.id).values()].map(of => ({
    id: of[0]!.id,
    name: of[0]!.name,
    tradingName: of[0]!.trading_name,
    deviceSubscriber: of[0]!.device_subscriber,
    roles: of.flatMap(row => (row.role === null ? [] : [{ role: row.role, eui64: toHex(row.eui64!) }])),
  }))
}

/** Of `p`, a row of `party`: entered so, or become so by what is recorded of it. */
const deviceSubscriber = `(p.ceased_at IS NULL AND p.device_subscriber OR ${authorisedSql('smki-device')})`

/** The Party that provides SMKI Services; undefined before the first appointments. */
export async function operatorName(store: Pick<Store, 'query'>): Promise<string | undefined> {
  const { rows } = await store.query<{ name: string }>('SELECT name FROM party WHERE operator')
  return rows[0]?.name
}

export type CredentialKind = CertificateKind

/** The registration record of an IKI Certificate. */
export interface Credential {
  readonly party: number
  readonly partyName: string
  readonly deviceSubscriber: boolean
  readonly kind: CredentialKind
  readonly role: number | undefined
  readonly systemName: string
  readonly state: 'issued' | 'active' | 'suspended' | 'locked' | 'revoked' | 'expired' | 'returned'
  /** Reference of the person who holds it; undefined for one of a system. */
  readonly person: string | undefined
  /** Number of its record from request to end; undefined for one that was entered without. */
  readonly life: number | undefined
}

export interface NewCredential {
  readonly party: number
  readonly kind: CredentialKind
  readonly role: number | undefined
  readonly systemName: string
  /** The number of the approved request (credentials.ts); without it the credential is active at once. */
  readonly life?: number | undefined
}

/**
 * Records what a certificate is for, in the transaction that keeps the certificate. One that was requested is issued by
 * that, and opens doors once it was handed over.
 * @throws Refusal CREDENTIAL_STATE when the request is not approved (any more), CREDENTIAL_REQUEST_UNFIT when it is
 * another's
 */
export async function recordCredential(
  client: Client,
  certificate: { issuer: { der: Bytes }; serial: Bytes; notAfter?: { ms: number } },
  credential: NewCredential,
  at: Date,
): Promise<void> {
  const { life } = credential
  if (life !== undefined) await requireSame(client, life, credential)
  await client.query(
    `INSERT INTO credential (issuer, serial, party, kind, role, system_name, state, issued_at, life)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      digest(certificate.issuer.der),
      certificate.serial,
      credential.party,
      credential.kind,
      credential.role ?? null,
      credential.systemName,
      life === undefined ? 'active' : 'issued',
      at,
      life ?? null,
    ],
  )
  if (life === undefined) return
  const expires = certificate.notAfter && new Date(certificate.notAfter.ms)
  await client.query('UPDATE credential_life SET expires_at = $2 WHERE id = $1', [life, expires ?? null])
  const note: Acting['note'] = async (act, body) => {
    await append(client, entry(act, at, { ...body, by: 'issuance' }))
  }
  await become({ client, at, note }, life, 'issued', { serial: toHex(certificate.serial) })
}

/** What was approved is what is issued: not another Party's, not for another interface, not under another name. */
async function requireSame(client: Client, life: number, { party, kind, role, systemName }: NewCredential) {
  const record = await credentialRecord(client, life)
  const same = record.party === party && record.kind === kind && record.role === role
  if (!same || record.systemName !== systemName) throw no('CREDENTIAL_REQUEST_UNFIT', `credential ${life}`)
}

/** The record of (issuer, serial): the certificate itself does not say what it may do (certificates.md section 6). */
export async function credentialOf(
  store: Pick<Store, 'query'>,
  issuer: Bytes,
  serial: Bytes,
): Promise<Credential | undefined> {
  const { rows } = await store.query<{
    party: number
    name: string
    device_subscriber: boolean
    kind: CredentialKind
    role: number | null
    system_name: string
    state: Credential['state']
    person: string | null
    life: number | null
  }>({
    name: 'credential_of',
    text: `SELECT c.party, p.name, ${deviceSubscriber} AS device_subscriber, c.kind, c.role, c.system_name, c.state,
                  h.reference AS person, c.life
             FROM credential c JOIN party p ON p.id = c.party
             LEFT JOIN credential_life l ON l.id = c.life LEFT JOIN person h ON h.id = l.person
            WHERE c.issuer = $1 AND c.serial = $2`,
    values: [digest(issuer), serial],
  })
  const row = rows[0]
  return (
    row && {
      party: row.party,
      partyName: row.name,
      deviceSubscriber: row.device_subscriber,
      kind: row.kind,
      role: row.role ?? undefined,
      systemName: row.system_name,
      state: row.state,
      person: row.person ?? undefined,
      life: row.life ?? undefined,
    }
  )
}

/** Enters a key of the Repository's web service. Only its SHA-256 is kept. */
export async function enterApiKey(client: Client, party: number, key: string, at: Date): Promise<void> {
  await client.query("INSERT INTO api_key (sha256, party, state, issued_at) VALUES ($1, $2, 'active', $3)", [
    hash('sha256', key, 'buffer'),
    party,
    at,
  ])
}

/**
 * The Party whose key that is, letter for letter. Looked up by hash, so the time it takes tells nothing of the keys there
 * are. Expired keys are ended by a job (expiry.ts).
 */
export async function partyOfApiKey(store: Pick<Store, 'query'>, key: string): Promise<number | undefined> {
  const { rows } = await store.query<{ party: number }>({
    name: 'party_of_api_key',
    text: "SELECT party FROM api_key WHERE sha256 = $1 AND state = 'active'",
    values: [hash('sha256', key, 'buffer')],
  })
  return rows[0]?.party
}

function digest(octets: Bytes): Buffer {
  return hash('sha256', octets, 'buffer')
}
