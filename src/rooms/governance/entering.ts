/** Versions of documents as people bring them: entered with their octets for the owner, decided on for the approver. */

import { hash } from 'node:crypto'
import type { Client } from '../../ground/store/store.ts'
import type { DocumentDefinition } from '../../policy/documents/document-set.ts'
import { deciding, entering } from '../../policy/documents/keepers.ts'
import { mediaTypeFrom, misfitOf } from '../../policy/documents/media.ts'
import { isLater, isVersion } from '../../policy/documents/version.ts'
import type { Office } from '../../policy/registration/offices.ts'
import { act, type Hands, type HandsWithChance } from './act.ts'
import {
  type DocumentVersion,
  heldDocument,
  readVersion,
  selectVersion,
  type VersionRow,
  versionOf,
} from './document-rows.ts'
import { addIn, decideIn, enterOne, type VersionDecision } from './documents.ts'
import { keep } from './files.ts'
import { no } from './refusals.ts'

/** Somebody in an office here, which acts for a body. */
export interface Keeper {
  readonly person: string
  readonly as: Office
}

/**
 * Puts a document on the register that is not there yet: of another cohort, or of another Symmetric Key Arrangement. What is
 * there is changed by nobody alone: whoever changed its approver could approve it.
 * @throws Refusal NOT_THE_OWNER, DOCUMENT_EXISTS, DOCUMENT_UNFIT
 */
export function registerDocument(
  hands: Hands,
  { person, as }: Keeper,
  definition: DocumentDefinition,
): Promise<DocumentDefinition> {
  return act(hands, person, 'enter documents', definition.ref, async acting => {
    requireOffice('NOT_THE_OWNER', as, entering(definition), definition.owner)
    if (await heldDocument(acting.client, definition.ref)) throw no('DOCUMENT_EXISTS', definition.ref)
    // L9 and L14.9 to L14.11; of the DCCKI's own its PMA Functions (dccki.md section 7).
    if (definition.kind === 'CPS' && !['SMKI PMA', 'DCCKI PMA Functions'].includes(definition.approver))
      throw no('DOCUMENT_UNFIT', 'a CPS is approved by the SMKI PMA, or by the DCCKI PMA Functions')
    const now = await enterOne(acting, definition)
    await acting.note({ document: definition.ref, ...now! })
    return definition
  })
}

export interface EnteredVersion {
  readonly document: string
  readonly version: string
  /** As whoever sends the octets knows them, 64 hexadecimal digits: what arrived must be that. */
  readonly sha256: string
  /** A Content-Type. */
  readonly mediaType: string
  readonly octets: Buffer
}

/**
 * Enters a draft with its octets, for whoever looks after the document.
 * @param most octets, of the setting `governance.documentMiB`
 * @throws Refusal DOCUMENT_UNKNOWN, NOT_THE_OWNER, FILE_TOO_LARGE, FILE_HASH_WRONG, FILE_TYPE_REFUSED, FILE_ACTIVE,
 *   FILE_NOT_AS_SAID, VERSION_NOT_LATER, VERSION_EXISTS, DOCUMENT_UNFIT
 */
export function enterVersion(
  hands: Hands,
  { person, as }: Keeper,
  given: EnteredVersion,
  most: number,
): Promise<DocumentVersion> {
  return act(hands, person, 'enter version', given.document, async acting => {
    const { client, note } = acting
    const { document: ref, version, octets } = given
    // 1. Whose document it is.
    const document = await heldDocument(client, ref)
    if (!document) throw no('DOCUMENT_UNKNOWN', ref)
    requireOffice('NOT_THE_OWNER', as, entering(document), document.owner)

    // 2. That it is what it is said to be.
    const mediaType = await requireFit(given, most)
    if (!isVersion(version)) throw no('VERSION_NOT_LATER', `${ref} has none called so`)
    const before = (await versionsOf(client, ref)).findLast(one => !isLater(version, one.version))
    if (before?.version === version) throw no('VERSION_EXISTS', `${ref} ${version}`)
    if (before) throw no('VERSION_NOT_LATER', `${ref} has ${before.version}`)

    // 3. The version, its octets and its entry: all of it, or nothing.
    const kept = { document: ref, version, sha256: given.sha256, octets: octets.length, mediaType, heldAt: 'store' }
    const id = await addIn(acting, kept, { enteredBy: person })
    await keep(client, id, octets)
    await note({ ...kept, as })
    return (await versionOf(client, ref, version))!
  })
}

/**
 * As `decideVersion`, by somebody in an office that acts for whoever approves the document.
 * @throws Refusal DOCUMENT_UNKNOWN, NOT_THE_APPROVER, and those of `decideVersion`
 */
export function decideEntered(
  hands: HandsWithChance,
  { person, as }: Keeper,
  decision: VersionDecision,
): Promise<DocumentVersion> {
  return act(hands, person, 'decide version', decision.document, async acting => {
    const document = await heldDocument(acting.client, decision.document)
    if (!document) throw no('DOCUMENT_UNKNOWN', decision.document)
    requireOffice('NOT_THE_APPROVER', as, deciding(document), document.approver)
    return decideIn(acting, hands.chance, decision)
  })
}

function requireOffice(
  code: 'NOT_THE_OWNER' | 'NOT_THE_APPROVER',
  as: Office,
  may: readonly Office[],
  body: string,
) {
  if (!may.includes(as)) throw no(code, `that is the ${body}, for which ${may.join(' or ')} acts here`)
}

async function requireFit({ octets, sha256, mediaType }: EnteredVersion, most: number): Promise<string> {
  if (octets.length > most) throw no('FILE_TOO_LARGE', `at most ${most} octets`)
  if (octets.length === 0) throw no('FILE_NOT_AS_SAID', 'there are none')
  const type = mediaTypeFrom(mediaType)
  if (type === undefined) throw no('FILE_TYPE_REFUSED')
  const found = hash('sha256', octets, 'hex')
  if (found !== sha256) throw no('FILE_HASH_WRONG', found)
  const misfit = await misfitOf(type, octets)
  if (misfit) throw no(misfit.is === 'active' ? 'FILE_ACTIVE' : 'FILE_NOT_AS_SAID', misfit.says)
  return type
}

async function versionsOf(client: Client, ref: string): Promise<DocumentVersion[]> {
  const { rows } = await client.query<VersionRow>(`${selectVersion} WHERE v.document = $1 ORDER BY v.id`, [ref])
  return rows.map(readVersion)
}
