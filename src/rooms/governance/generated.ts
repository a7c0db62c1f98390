/** Reports that are generated here, kept as versions of documents with the act that they come of. */

import { hash } from 'node:crypto'
import { dayOf } from '../../policy/documents/day.ts'
import { type DocumentDefinition, documentSets } from '../../policy/documents/document-set.ts'
import type { Acting } from './act.ts'
import { documentOf } from './document-rows.ts'
import { addIn, enterOne } from './documents.ts'
import { keep } from './files.ts'

/** A report that is generated here, of an act of this room that has begun. */
export interface Generated {
  readonly definition: DocumentDefinition
  readonly version: string
  readonly text: string
  /** Under what it stands. */
  readonly basis: string
}

/**
 * Keeps a generated report as a version that is published with it, in the act that it comes of.
 * @returns what the act's entry says of it
 * @throws Refusal DOCUMENT_UNFIT, DOCUMENT_STAYS_CONFIDENTIAL, VERSION_EXISTS
 */
export async function keepReport(acting: Acting, { definition, version, text, basis }: Generated) {
  const { client, at } = acting
  const octets = Buffer.from(text)
  const { ref } = definition
  await enterOne(acting, definition)
  const kept = { document: ref, version, sha256: hash('sha256', octets, 'hex'), octets: octets.length }
  const id = await addIn(acting, { ...kept, mediaType: 'text/markdown', heldAt: 'store' }, {})
  await keep(client, id, octets)
  await client.query(
    `UPDATE document_version SET state = 'approved', decided_at = $2, basis = $3, effective_from = $4::date
      WHERE id = $1`,
    [id, at, basis, dayOf(at)],
  )
  return kept
}

/**
 * What a report about these documents is in the register: the DCC's, in the sets that they are in, and confidential when
 * one of them is.
 */
export async function reportOn(
  { client }: Acting,
  ref: string,
  title: string,
  about: readonly string[],
): Promise<DocumentDefinition> {
  const known: DocumentDefinition[] = []
  for (const one of about) {
    const found = await documentOf(client, one)
    if (found) known.push(found)
  }
  const sets = documentSets.filter(set => known.some(one => one.sets.includes(set)))
  return {
    ref,
    title: title.slice(0, 200),
    kind: 'report',
    sets: sets.length > 0 ? sets : ['other'],
    owner: 'DCC',
    approver: 'DCC',
    confidential: known.some(one => one.confidential),
  }
}
