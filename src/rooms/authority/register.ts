/** The register of certification authorities: what each is, and how far its key has been used. */

import type { ClientBase } from 'pg'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import { type Certificate, readCertificate } from '../../ground/x509/certificate.ts'
import type { PkiName } from '../../policy/profile.ts'

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
}

const columns = 'id, pki, part, level, name, key_label, store, state, allotted, first_used_at, der'

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
  }
}

export async function authorities(store: Pick<Store, 'query'>): Promise<AuthorityRecord[]> {
  const { rows } = await store.query<Row>(`SELECT ${columns} FROM authority ORDER BY id`)
  return rows.map(record)
}

/** The authority that issues now in a PKI where one key serves all along (all but the Device PKI). */
export async function issuingAuthority(store: Pick<Store, 'query'>, pki: PkiName): Promise<AuthorityRecord> {
  const { rows } = await store.query<Row>(
    `SELECT ${columns} FROM authority WHERE pki = $1 AND level = 'issuing' AND state = 'current' ORDER BY id LIMIT 1`,
    [pki],
  )
  if (!rows[0]) throw new Refusal('NO_AUTHORITY', `no authority of ${pki} issues certificates in this environment`)
  return record(rows[0])
}

export type NewAuthority = Omit<AuthorityRecord, 'id' | 'allotted' | 'firstUsedAt'>

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
