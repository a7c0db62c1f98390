/** How documents and their versions stand in their tables, read back; for the files of this room. */

import { toHex } from '../../ground/bytes.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import type { Day } from '../../policy/documents/day.ts'
import type { DocumentDefinition } from '../../policy/documents/document-set.ts'

export interface DocumentVersion {
  readonly document: string
  readonly version: string
  /** Of its octets, 64 hexadecimal digits. */
  readonly sha256: string
  readonly octets: number
  readonly mediaType: string
  /** Where its octets lie: `store`, or a reference of an archive, never a public address of a confidential one. */
  readonly heldAt: string
  /** The SMKI PMA approves a CPS of an S1SPKI "or does not reject it" (L14.9 to L14.11). */
  readonly state: 'draft' | 'approved' | 'not rejected' | 'rejected'
  readonly decidedAt?: Date | undefined
  readonly decision?: string | undefined
  readonly basis?: string | undefined
  readonly amendments: string
  readonly from?: Day | undefined
  /** The first day on which it is in force no more. */
  readonly until?: Day | undefined
  /** Whether its octets are kept here. */
  readonly kept: boolean
  /** Who entered the octets that are kept: a person's reference. What was generated here nobody entered. */
  readonly enteredBy?: string | undefined
}

export type From = Pick<Store, 'query'> | Client

export async function documentOf(store: From, ref: string): Promise<DocumentDefinition | undefined> {
  const { rows } = await (store as Client).query<DocumentRow>('SELECT * FROM document WHERE ref = $1', [ref])
  return rows[0] && readDocument(rows[0])
}

/** Held until the end of the transaction: versions of one document are decided on one after another. */
export async function heldDocument(client: Client, ref: string): Promise<DocumentDefinition | undefined> {
  await client.query('SELECT FROM document WHERE ref = $1 FOR UPDATE', [ref])
  return documentOf(client, ref)
}

export async function versionOf(client: From, ref: string, version: string): Promise<DocumentVersion | undefined> {
  const { rows } = await (client as Client).query<VersionRow>(
    `${selectVersion} WHERE v.document = $1 AND v.version = $2`,
    [ref, version],
  )
  return rows[0] && readVersion(rows[0])
}

export type DocumentRow = Omit<DocumentDefinition, 'reviewMonths'> & { readonly review_months: number | null }

export function readDocument({
  ref,
  title,
  kind,
  sets,
  owner,
  approver,
  confidential,
  review_months,
}: DocumentRow) {
  const reviewed = review_months === null ? {} : { reviewMonths: review_months }
  return { ref, title, kind, sets, owner, approver, confidential, ...reviewed } satisfies DocumentDefinition
}

// As text: `pg` would make an instant of a day.
export const selectVersion = `SELECT v.document, v.version, v.sha256, v.octets, media_type, held_at, state, decided_at, decision, basis,
  amendments, effective_from::text, effective_until::text, kept, entered_by
  FROM document_version v`

export interface VersionRow {
  readonly document: string
  readonly version: string
  readonly sha256: Buffer
  readonly octets: bigint
  readonly media_type: string
  readonly held_at: string
  readonly state: DocumentVersion['state']
  readonly decided_at: Date | null
  readonly decision: string | null
  readonly basis: string | null
  readonly amendments: string
  readonly effective_from: Day | null
  readonly effective_until: Day | null
  readonly kept: boolean
  readonly entered_by: string | null
}

export function readVersion(row: VersionRow): DocumentVersion {
  const { document, version, state, amendments } = row
  return {
    document,
    version,
    sha256: toHex(row.sha256),
    octets: Number(row.octets),
    mediaType: row.media_type,
    heldAt: row.held_at,
    state,
    ...(row.decided_at && { decidedAt: row.decided_at }),
    ...(row.decision !== null && { decision: row.decision }),
    ...(row.basis !== null && { basis: row.basis }),
    amendments,
    ...(row.effective_from !== null && { from: row.effective_from }),
    ...(row.effective_until !== null && { until: row.effective_until }),
    kept: row.kept,
    ...(row.entered_by !== null && { enteredBy: row.entered_by }),
  }
}
