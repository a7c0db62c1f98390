/** The register of documents: every version with its hash, who approved it, and from when until when it is in force. */

import { fromHex, toHex } from '../../ground/bytes.ts'
import type { Chance } from '../../ground/clock.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { type Day, dayOf, isDay } from '../../policy/documents/day.ts'
import {
  approvalAct,
  bodies,
  type DocumentDefinition,
  documentKinds,
  documentSets,
  mayRead,
  type Reader,
} from '../../policy/documents/document-set.ts'
import { type Acting, act, committed, type Hands, type HandsWithChance } from './act.ts'
import { citeDecision } from './decisions.ts'
import { no } from './refusals.ts'
import { isPlainText, isProse } from './text.ts'

export interface DocumentVersion {
  readonly document: string
  readonly version: string
  /** Of its octets, 64 hexadecimal digits. */
  readonly sha256: string
  readonly octets: number
  readonly mediaType: string
  /** Where its octets lie: a reference of the repository or of an archive, never a public address of a confidential one. */
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
}

/**
 * Enters documents that are not there yet, and what changed of those that are. An entry never opens what is confidential.
 * One that has a period of review is under review from the day of its entry.
 * @returns the references of those that were entered or changed
 * @throws Refusal DOCUMENT_UNFIT, DOCUMENT_STAYS_CONFIDENTIAL
 */
export function enterDocuments(
  hands: Hands,
  by: string,
  definitions: readonly DocumentDefinition[],
): Promise<string[]> {
  return act(hands, by, 'enter documents', 'the register of documents', async acting => {
    const entered: string[] = []
    for (const definition of definitions) if (await enterOne(acting, definition)) entered.push(definition.ref)
    return entered
  })
}

async function enterOne({ client, at, note }: Acting, definition: DocumentDefinition): Promise<boolean> {
  const { ref, title, kind, sets, owner, approver, confidential, reviewMonths = null } = definition
  const fits =
    [ref, title].every(one => one !== '' && isPlainText(one, 200)) &&
    documentKinds.includes(kind) &&
    sets.length > 0 &&
    sets.every(one => documentSets.includes(one)) &&
    [owner, approver].every(one => bodies.includes(one))
  // A CPS is confidential (L9), whoever enters it.
  if (!fits || (kind === 'CPS' && !confidential))
    throw no('DOCUMENT_UNFIT', isPlainText(ref, 200) ? ref : undefined)
  const before = await heldDocument(client, ref)
  if (before?.confidential && !confidential) throw no('DOCUMENT_STAYS_CONFIDENTIAL', ref)
  const now = { title, kind, sets, owner, approver, confidential, reviewMonths }
  if (before) {
    const { ref: _, ...was } = before
    if (JSON.stringify({ ...was, reviewMonths: was.reviewMonths ?? null }) === JSON.stringify(now)) return false
  }
  await client.query(
    `INSERT INTO document (ref, title, kind, sets, owner, approver, confidential, review_months, entered_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (ref) DO UPDATE SET title = $2, kind = $3, sets = $4,
       owner = $5, approver = $6, confidential = $7, review_months = $8`,
    [ref, title, kind, sets, owner, approver, confidential, reviewMonths, at],
  )
  if (reviewMonths !== null) {
    await client.query(
      `INSERT INTO review_subject (subject, every_months, starts_on, entered_at) VALUES ($1, $2, $3::date, $4)
       ON CONFLICT (subject) DO UPDATE SET every_months = $2`,
      [`document:${ref}`, reviewMonths, dayOf(at), at],
    )
  }
  await note({ document: ref, ...now })
  return true
}

export interface NewVersion {
  readonly document: string
  readonly version: string
  readonly sha256: string
  readonly octets: number
  readonly mediaType: string
  readonly heldAt: string
}

/** A draft. @throws Refusal DOCUMENT_UNKNOWN, DOCUMENT_UNFIT, VERSION_EXISTS */
export function addVersion(hands: Hands, by: string, given: NewVersion): Promise<DocumentVersion> {
  const { document, version, sha256, octets, mediaType, heldAt } = given
  return act(hands, by, 'add version', document, async ({ client, at, note }) => {
    const fits =
      [version, mediaType, heldAt].every(one => one !== '' && isPlainText(one, 200)) &&
      /^[0-9a-f]{64}$/.test(sha256) &&
      Number.isSafeInteger(octets) &&
      octets > 0
    if (!fits) throw no('DOCUMENT_UNFIT')
    if (!(await heldDocument(client, document))) throw no('DOCUMENT_UNKNOWN', document)
    const { rows } = await client.query(
      `INSERT INTO document_version (document, version, sha256, octets, media_type, held_at, entered_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id`,
      [document, version, fromHex(sha256), octets, mediaType, heldAt, at],
    )
    if (rows.length === 0) throw no('VERSION_EXISTS', `${document} ${version}`)
    await note({ document, version, sha256, octets, mediaType, heldAt })
    return (await versionOf(client, document, version))!
  })
}

export interface VersionDecision {
  readonly document: string
  readonly version: string
  /** Of what was looked at: it is decided on these octets and no others. */
  readonly sha256: string
  readonly outcome: 'approved' | 'not rejected' | 'rejected'
  /** The day from which it is in force; not for one that is rejected. */
  readonly from?: Day | undefined
  /** The SMKI PMA's decision; a direction, designation or modification where another body approves. */
  readonly under: { readonly decision: string } | { readonly basis: string }
  /** What the SMKI PMA directed to be amended. */
  readonly amendments?: string | undefined
}

/**
 * Decides on a draft. A version in force ends where the next begins.
 * @throws Refusal VERSION_UNKNOWN, VERSION_DECIDED, VERSION_ORDER, APPROVAL_NEEDS_DECISION, DOCUMENT_UNFIT, and those of
 *   `citeDecision`: the decision is to `approve document` (`s1spki approval` for documents of an S1SPKI) on
 *   `document:<ref>`
 */
export function decideVersion(
  hands: HandsWithChance,
  by: string,
  given: VersionDecision,
): Promise<DocumentVersion> {
  return act(hands, by, 'decide version', given.document, acting => decideIn(acting, hands.chance, given))
}

/** As `decideVersion`, in an act of this room that has begun. */
export async function decideIn(
  { client, at, note }: Acting,
  chance: Chance,
  { document: ref, version, sha256, outcome, from, under, amendments = '' }: VersionDecision,
): Promise<DocumentVersion> {
  const inForce = outcome !== 'rejected'
  if (inForce ? !isDay(from) : from !== undefined) throw no('DOCUMENT_UNFIT', 'the day from which it is in force')
  if (!isProse(amendments, 10_000)) throw no('DOCUMENT_UNFIT', 'the amendments')
  const document = await heldDocument(client, ref)
  const draft = document && (await versionOf(client, ref, version))
  if (!document || draft?.sha256 !== sha256) throw no('VERSION_UNKNOWN', `${ref} ${version} of these octets`)
  if (draft.state !== 'draft') throw no('VERSION_DECIDED', draft.state)

  // 1. Under what it is decided.
  if ('decision' in under) {
    const subjects = [`document:${ref}`]
    await citeDecision(client, { reference: under.decision, act: approvalAct(document), subjects, at })
  } else if (document.approver === 'SMKI PMA') throw no('APPROVAL_NEEDS_DECISION', ref)
  else if (under.basis === '' || !isPlainText(under.basis, 200)) throw no('DOCUMENT_UNFIT', 'its basis')

  // 2. What it takes the place of.
  if (inForce) {
    const { rows } = await client.query<{ last: Day | null }>(
      'SELECT max(effective_from)::text AS last FROM document_version WHERE document = $1',
      [ref],
    )
    const last = rows[0]?.last
    if (last && from! <= last) throw no('VERSION_ORDER', `the one before is in force from ${last}`)
    await client.query(
      `UPDATE document_version SET effective_until = $2::date
        WHERE document = $1 AND effective_from IS NOT NULL AND (effective_until IS NULL OR effective_until > $2::date)`,
      [ref, from],
    )
  }

  // 3. The version itself.
  const decision = 'decision' in under ? under.decision : null
  const basis = 'basis' in under ? under.basis : null
  // Amendments may quote a document that is confidential.
  const { salt, digest } = committed(chance, amendments)
  await client.query(
    `UPDATE document_version SET state = $3, decided_at = $4, decision = $5, basis = $6, amendments = $7,
       effective_from = $8::date, salt = $9 WHERE document = $1 AND version = $2`,
    [ref, version, outcome, at, decision, basis, amendments, from ?? null, salt],
  )
  await note({ document: ref, version, sha256, outcome, decision, basis, amendments: digest, from: from ?? null })
  return (await versionOf(client, ref, version))!
}

type From = Pick<Store, 'query'> | Client

/** Every document that this reader may see, in the order of the register. */
export async function documentsFor(store: From, reader: Reader): Promise<DocumentDefinition[]> {
  const { rows } = await (store as Client).query<DocumentRow>('SELECT * FROM document ORDER BY entered_at, ref')
  return rows.map(readDocument).filter(one => mayRead(reader, one))
}

/**
 * All versions of a document, the latest entered last.
 * @throws Refusal DOCUMENT_UNKNOWN, DOCUMENT_CONFIDENTIAL
 */
export async function versionsFor(store: From, reader: Reader, ref: string): Promise<DocumentVersion[]> {
  const document = await documentOf(store, ref)
  if (!document) throw no('DOCUMENT_UNKNOWN', ref)
  if (!mayRead(reader, document)) throw no('DOCUMENT_CONFIDENTIAL', ref)
  const { rows } = await (store as Client).query<VersionRow>(`${selectVersion} WHERE document = $1 ORDER BY id`, [
    ref,
  ])
  return rows.map(readVersion)
}

/** What the public Repository may hold on that day: the versions in force of documents that are not confidential. */
export async function inForceForPublic(store: From, on: Day): Promise<DocumentVersion[]> {
  const { rows } = await (store as Client).query<VersionRow>(
    `${selectVersion} WHERE effective_from <= $1::date AND (effective_until IS NULL OR effective_until > $1::date)
        AND document IN (SELECT ref FROM document WHERE NOT confidential) ORDER BY document`,
    [on],
  )
  return rows.map(readVersion)
}

export async function documentOf(store: From, ref: string): Promise<DocumentDefinition | undefined> {
  const { rows } = await (store as Client).query<DocumentRow>('SELECT * FROM document WHERE ref = $1', [ref])
  return rows[0] && readDocument(rows[0])
}

/** Held until the end of the transaction: versions of one document are decided on one after another. */
async function heldDocument(client: Client, ref: string): Promise<DocumentDefinition | undefined> {
  await client.query('SELECT FROM document WHERE ref = $1 FOR UPDATE', [ref])
  return documentOf(client, ref)
}

async function versionOf(client: Client, ref: string, version: string): Promise<DocumentVersion | undefined> {
  const { rows } = await client.query<VersionRow>(`${selectVersion} WHERE document = $1 AND version = $2`, [
    ref,
    version,
  ])
  return rows[0] && readVersion(rows[0])
}

type DocumentRow = Omit<DocumentDefinition, 'reviewMonths'> & { readonly review_months: number | null }

function readDocument({ ref, title, kind, sets, owner, approver, confidential, review_months }: DocumentRow) {
  const reviewed = review_months === null ? {} : { reviewMonths: review_months }
  return { ref, title, kind, sets, owner, approver, confidential, ...reviewed } satisfies DocumentDefinition
}

// As text: `pg` would make an instant of a day.
const selectVersion = `SELECT document, version, sha256, octets, media_type, held_at, state, decided_at, decision, basis,
  amendments, effective_from::text, effective_until::text FROM document_version`

interface VersionRow {
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
}

function readVersion(row: VersionRow): DocumentVersion {
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
  }
}
