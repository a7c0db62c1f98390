/** The proof that a certificate stands in the journal: made from the register and the log, and checked before it is shown. */

import { checkBoundProof, type Proven, writeBoundProof } from '../../ground/journal/bound.ts'
import { openCheckpoint } from '../../ground/journal/checkpoint.ts'
import { readEntry } from '../../ground/journal/entry.ts'
import { tilesIn } from '../../ground/journal/files.ts'
import type { VerifierKey } from '../../ground/journal/note.ts'
import { inclusionProof } from '../../ground/journal/proof.ts'
import { publishedFiles } from '../../ground/journal/published.ts'
import { findEntry, lastCheckpoint } from '../../ground/journal/stored.ts'
import { hashesOf, TileMissing } from '../../ground/journal/tiles.ts'
import { NotAProof } from '../../ground/journal/tlog-proof.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Lodged } from './find.ts'
import { certificatesOf } from './signings.ts'

export interface Inclusion extends Proven {
  /** For whoever checks it elsewhere: the text that `smki journal check-proof` reads. */
  readonly proof: string
}

/**
 * @param keys those of the log
 * @throws Refusal NO_POSITION_YET within the first second of a certificate; PROOF_FAILS, an alarm: what the register
 * holds, or the journal, was changed
 */
export async function inclusionOf(
  store: Pick<Store, 'query'>,
  keys: readonly VerifierKey[],
  lodged: Lodged,
): Promise<Inclusion> {
  const sought = { act: 'issue', contains: `"signing":"${lodged.signing}"`, since: lodged.issuedAt }
  const found = await findEntry(store, sought)
  const checkpoint = await lastCheckpoint(store)
  if (!found || !checkpoint || found.position >= checkpoint.size) {
    const says = 'the journal has not taken up the entry of this Certificate yet: load the page again in a second'
    throw new Refusal('NO_POSITION_YET', says)
  }
  try {
    const { note } = checkpoint
    const { size } = openCheckpoint(note, keys)
    const proof = await inclusionProof(found.position, size, hashesOf(tilesIn(publishedFiles(store), size)))
    const alone = readEntry(found.octets).body.root === undefined
    const member = alone
      ? undefined
      : { position: lodged.position, group: await certificatesOf(store, lodged.signing) }
    const text = await writeBoundProof({ index: found.position, note, proof }, found.octets, member)
    // A proof that its holder could not use must not leave here.
    return { ...checkBoundProof(text, { log: keys }, lodged.der), proof: text }
  } catch (cause) {
    if (!(cause instanceof NotAProof) && !(cause instanceof TileMissing)) throw cause
    const says = `the journal does not bear this Certificate out (${cause.message}): tell the Service Desk`
    throw new Refusal('PROOF_FAILS', says, { cause })
  }
}
