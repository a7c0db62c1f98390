/** The register of certification authorities: what each is, and how far its key has been used. */

import { hash } from 'node:crypto'
import type { ClientBase } from 'pg'
import { equal } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { type Certificate, readCertificate } from '../../ground/x509/certificate.ts'
import type { PkiName } from '../../policy/profile.ts'
import { isMarkedRevoked } from '../repository/revoked.ts'

export type AuthorityState = 'offline' | 'stock' | 'current' | 'exhausted' | 'used-up'

export interface AuthorityRecord {
  readonly id: number
  readonly pki: PkiName
  /** `Issuing DCA` */
  readonly part: string
  readonly level: 'root' | 'issuing'
  /** Its common name, or for the IKI its whole name: unique in its PKI. */
  readonly name: string
  readonly keyLabel: string
  readonly store: 'root' | 'issuing'
  readonly state: AuthorityState
  readonly allotted: number
  readonly firstUsedAt: Date | undefined
  readonly certificate: Certificate
  /** When the Compromise of its key was confirmed: it signs nothing more, and its lists go on. */
  readonly compromisedAt?: Date | undefined
}

interface Row {
  id: number
  pki: PkiName
  part: string
  level: 'root' | 'issuing'
  name: string
  key_label: string
  store: 'root' | 'issuing'
  state: AuthorityState
  allotted: number
  first_used_at: Date | null
  der: Buffer
  compromised_at: Date | null
}

const columns = 'id, pki, part, level, name, key_label, store, state, allotted, first_used_at, der, compromised_at'

function record(row: Row): AuthorityRecord {
  return {
    id: row.id,
    pki: row.pki,
    part: row.part,
    level: row.level,
    name: row.name,
    keyLabel: row.key_label,
    store: row.store,
    state: row.state,
    allotted: row.allotted,
    firstUsedAt: row.first_used_at ?? undefined,
    certificate: readCertificate(row.der),
    compromisedAt: row.compromised_at ?? undefined,
  }
}

export async function authorities(store: Pick<Store, 'query'>): Promise<AuthorityRecord[]> {
  const { rows } = await store.query<Row>(`SELECT ${columns} FROM authority ORDER BY id`)
  return rows.map(record)
}

/**
 * The authority that issues now in a PKI where one key serves all along (all but the Device PKI): the newest that is in
 * use, valid at that instant, and neither revoked nor Compromised, nor below a root that is.
 * @param at without it validity is not looked at
 * @throws Refusal NO_AUTHORITY
 */
export async function issuingAuthority(
  store: Pick<Store, 'query'>,
  pki: PkiName,
  at?: Date,
): Promise<AuthorityRecord> {
  const found = await issuingNow(store, pki, at)
  if (found) return found
  const inUse = (await authorities(store)).some(one => one.pki === pki && isInUse(one))
  const why = inUse ? ': those in use are revoked, Compromised or not valid now' : ''
  throw new Refusal('NO_AUTHORITY', `no authority of ${pki} issues certificates in this environment${why}`)
}

/** As `issuingAuthority`, or undefined where there is none. */
export async function issuingNow(
  store: Pick<Store, 'query'>,
  pki: PkiName,
  at?: Date,
): Promise<AuthorityRecord | undefined> {
  const all = await authorities(store)
  return newestFit(
    store,
    all,
    all.filter(one => one.pki === pki && isInUse(one)),
    at,
  )
}

const isInUse = ({ level, state }: AuthorityRecord) => level === 'issuing' && state === 'current'

/** The newest root of a PKI that may still certify. @throws Refusal NO_AUTHORITY */
export async function certifyingRoot(
  store: Pick<Store, 'query'>,
  pki: PkiName,
  at?: Date,
): Promise<AuthorityRecord> {
  const all = await authorities(store)
  const roots = all.filter(one => one.pki === pki && one.level === 'root')
  const found = await newestFit(store, all, roots, at)
  if (!found) throw new Refusal('NO_AUTHORITY', `no root of ${pki} may certify in this environment`)
  return found
}

async function newestFit(
  store: Pick<Store, 'query'>,
  all: readonly AuthorityRecord[],
  candidates: readonly AuthorityRecord[],
  at: Date | undefined,
): Promise<AuthorityRecord | undefined> {
  for (const one of candidates.toSorted((a, b) => b.id - a.id)) if (await isFit(store, all, one, at)) return one
  return undefined
}

/** Whether it may sign certificates: itself, and whoever certified it. */
async function isFit(
  store: Pick<Store, 'query'>,
  all: readonly AuthorityRecord[],
  { pki, certificate, compromisedAt }: AuthorityRecord,
  at: Date | undefined,
): Promise<boolean> {
  if (compromisedAt !== undefined) return false
  const { notBefore, notAfter, issuer, subject, serial } = certificate
  if (at !== undefined && (at.getTime() < notBefore.ms || at.getTime() > notAfter.ms)) return false
  if (equal(issuer.der, subject.der)) return true
  const above = all.find(one => one.pki === pki && equal(one.certificate.subject.der, issuer.der))
  if (!above || (await isMarkedRevoked(store, { authority: above.id, serial }))) return false
  return isFit(store, all, above, at)
}

/**
 * From now on the authorities of that key certify and issue nothing: its Compromise is confirmed. Their lists go on.
 * @param key SHA-256 of its SubjectPublicKeyInfo
 * @returns those that it stopped, by number
 */
export async function markCompromised(client: Client, key: Uint8Array, at: Date): Promise<number[]> {
  const all = await authorities(client as unknown as Pick<Store, 'query'>)
  const stopped = all
    .filter(
      one =>
        one.compromisedAt === undefined && equal(hash('sha256', one.certificate.publicKey.spki, 'buffer'), key),
    )
    .map(one => one.id)
  await client.query('UPDATE authority SET compromised_at = $2 WHERE id = ANY($1)', [stopped, at])
  return stopped
}

export type NewAuthority = Omit<AuthorityRecord, 'id' | 'allotted' | 'firstUsedAt' | 'compromisedAt'>

/** Enters an authority; its certificate is in the Repository's register already, under `id`. */
export async function enterAuthority(
  client: ClientBase,
  id: number,
  authority: NewAuthority,
  at: Date,
): Promise<void> {
  await client.query(
    `INSERT INTO authority (id, pki, part, level, name, key_label, store, state, der, made_at)
     OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      id,
      authority.pki,
      authority.part,
      authority.level,
      authority.name,
      authority.keyLabel,
      authority.store,
      authority.state,
      authority.certificate.der,
      at,
    ],
  )
}

/** A number for an authority that is about to be made. */
export async function nextAuthorityId(store: Pick<Store, 'query'>): Promise<number> {
  const { rows } = await store.query<{ id: bigint }>(
    "SELECT nextval(pg_get_serial_sequence('authority', 'id')) AS id",
  )
  return Number(rows[0]!.id)
}
