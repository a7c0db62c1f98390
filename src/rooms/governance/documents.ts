/** The register of documents: every version with its hash, who approved it, and from when until when it is in force. */

import { fromHex } from '../../ground/bytes.ts'
import type { Chance } from '../../ground/clock.ts'
import type { Client } from '../../ground/store/store.ts'
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
import {
  type DocumentRow,
  type DocumentVersion,
  documentOf,
  type From,
  heldDocument,
  readDocument,
  readVersion,
  selectVersion,
  type VersionRow,
  versionOf,
} from './document-rows.ts'
import { no } from './refusals.ts'
import { isPlainText, isProse } from './text.ts'

export { type DocumentVersion, documentOf }

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
    for (const definition of definitions) {
      const now = await enterOne(acting, definition)
      if (!now) continue
      await acting.note({ document: definition.ref, ...now })
      entered.push(definition.ref)
    }
    return entered
  })
}

/** In an act of this room, which notes it. @returns what was entered or changed, undefined when it stood so already */
export async function enterOne({ client, at }: Acting, definition: DocumentDefinition) {
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
    if (JSON.stringify({ ...was, reviewMonths: was.reviewMonths ?? null }) === JSON.stringify(now)) return undefined
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
  return now
}

export interface NewVersion {
  readonly document: string
  readonly version: string
  readonly sha256: string
  readonly octets: number
  readonly mediaType: string
  readonly heldAt: string
}

/** A draft whose octets lie elsewhere. @throws Refusal DOCUMENT_UNKNOWN, DOCUMENT_UNFIT, VERSION_EXISTS */
export function addVersion(hands: Hands, by: string, given: NewVersion): Promise<DocumentVersion> {
  return act(hands, by, 'add version', given.document, async acting => {
    if (!(await heldDocument(acting.client, given.document))) throw no('DOCUMENT_UNKNOWN', given.document)
    await addIn(acting, given)
    const { document, version, sha256, octets, mediaType, heldAt } = given
    await acting.note({ document, version, sha256, octets, mediaType, heldAt })
    return (await versionOf(acting.client, document, version))!
  })
}

/** Of a version whose octets are kept here. */
export interface KeptBy {
  /** A person's reference; absent where they are generated here. */
  readonly enteredBy?: string | undefined
}

/**
 * As `addVersion`, in an act of this room that holds the document, and notes it.
 * @param kept where its octets are kept here: the caller keeps them in the same transaction
 * @returns the number of its row
 */
export async function addIn({ client, at }: Acting, given: NewVersion, kept?: KeptBy): Promise<number> {
  const { document, version, sha256, octets, mediaType, heldAt } = given
  const fits =
    [version, mediaType, heldAt].every(one => one !== '' && isPlainText(one, 200)) &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    Number.isSafeInteger(octets) &&
    octets > 0
  if (!fits) throw no('DOCUMENT_UNFIT')
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO document_version (document, version, sha256, octets, media_type, held_at, entered_at, kept, entered_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id`,
    [
      document,
      version,
      fromHex(sha256),
      octets,
      mediaType,
      heldAt,
      at,
      kept !== undefined,
      kept?.enteredBy ?? null,
    ],
  )
  if (!rows[0]) throw no('VERSION_EXISTS', `${document} ${version}`)
  return rows[0].id
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
 * @throws Refusal VERSION_UNKNOWN, VERSION_DECIDED, VERSION_ORDER, VERSION_SAME_PERSON, APPROVAL_NEEDS_DECISION,
 *   DOCUMENT_UNFIT, and those of `citeDecision`: the decision is to `approve document` (`s1spki approval` for documents of an S1SPKI) on
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
  { client, at, by, note }: Acting,
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
  // What is in force was seen by two people at least.
  if (draft.enteredBy === by) throw no('VERSION_SAME_PERSON', `${ref} ${version}`)

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
  const { rows } = await (store as Client).query<VersionRow>(
    `${selectVersion} WHERE v.document = $1 ORDER BY v.id`,
    [ref],
  )
  return rows.map(readVersion)
}

/** Every version that was approved, or not rejected, of documents that are not confidential, with the document's title. */
export async function publishedVersions(store: From): Promise<(DocumentVersion & { readonly title: string })[]> {
  const all = await documentsFor(store, 'public')
  const { rows } = await (store as Client).query<VersionRow>(
    `${selectVersion} WHERE v.effective_from IS NOT NULL AND v.document = ANY ($1) ORDER BY v.document, v.id`,
    [all.map(one => one.ref)],
  )
  const titles = new Map(all.map(one => [one.ref, one.title]))
  return rows.map(row => ({ ...readVersion(row), title: titles.get(row.document)! }))
}

/** What the public Repository may hold on that day: the versions in force of documents that are not confidential. */
export async function inForceForPublic(store: From, on: Day): Promise<DocumentVersion[]> {
  const { rows } = await (store as Client).query<VersionRow>(
    `${selectVersion} WHERE effective_from <= $1::date AND (effective_until IS NULL OR effective_until > $1::date)
        AND v.document IN (SELECT ref FROM document WHERE NOT confidential) ORDER BY v.document`,
    [on],
  )
  return rows.map(readVersion)
}
