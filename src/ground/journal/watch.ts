/** Watching a log from outside: each checkpoint must have grown out of the last one that was seen. */

import { equal } from '../bytes.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { checkpointIn, type LogFiles, tilesIn } from './files.ts'
import { BadNote, type VerifierKey } from './note.ts'
import { consistencyProof, rootAt, verifyConsistency } from './proof.ts'
import { hashesOf, TileMissing } from './tiles.ts'
import type { WitnessMemory } from './witness.ts'

/** What one look found. `fork` and `forged` are evidence: keep both notes. */
export type Sighting =
  | { readonly seen: 'first' | 'grown' | 'same'; readonly size: number; readonly before: number }
  | {
      readonly seen: 'absent' | 'forged' | 'back' | 'fork' | 'incomplete'
      readonly says: string
      readonly note?: string
      readonly kept?: string
    }

/**
 * Looks once, and remembers what it saw when it is good. The hashes of the log's own tiles must give the root that is
 * signed now and the root that was kept, so nothing is taken on trust but the log's key.
 */
export async function look(
  files: LogFiles,
  logKeys: readonly VerifierKey[],
  memory: WitnessMemory,
): Promise<Sighting> {
  const note = await checkpointIn(files)
  if (note === undefined) return { seen: 'absent', says: 'the log shows no checkpoint' }
  let now: Checkpoint
  try {
    now = openCheckpoint(note, logKeys)
  } catch (cause) {
    if (!(cause instanceof BadNote)) throw cause
    return {
      seen: 'forged',
      says: `the checkpoint is not one that the key of the log signed: ${cause.message}`,
      note,
    }
  }
  const kept = await memory.last(now.origin)
  const last = kept === undefined ? undefined : openCheckpoint(kept, logKeys)
  const before = last?.size ?? 0
  const evidence = { note, ...(kept !== undefined && { kept }) }

  if (now.size < before) {
    return { seen: 'back', says: `the log shows size ${now.size}, and ${before} was signed before`, ...evidence }
  }
  const grown = await grew(files, last, now)
  if (grown === 'fork') {
    const says = `the tree of size ${now.size} does not begin with the tree of size ${before} that was signed before`
    return { seen: 'fork', says, ...evidence }
  }
  if (grown !== 'grown') return { seen: 'incomplete', says: grown, ...evidence }
  if (now.size === before) return { seen: 'same', size: now.size, before }
  await memory.keep(now.origin, note)
  return { seen: last === undefined ? 'first' : 'grown', size: now.size, before }
}

/** @returns why it cannot be told, where it cannot */
async function grew(files: LogFiles, last: Checkpoint | undefined, now: Checkpoint): Promise<string> {
  if (last?.size === now.size) return equal(last.root, now.root) ? 'grown' : 'fork'
  try {
    const hashAt = hashesOf(tilesIn(files, now.size))
    if (!equal(await rootAt(now.size, hashAt), now.root))
      return `the hashes that the log shows do not give the root that it signed at size ${now.size}`
    if (last === undefined || last.size === 0) return 'grown'
    const proof = await consistencyProof(last.size, now.size, hashAt)
    const claim = { from: last.size, to: now.size, fromRoot: last.root, toRoot: now.root, proof }
    return verifyConsistency(claim) ? 'grown' : 'fork'
  } catch (cause) {
    if (cause instanceof TileMissing) return cause.message
    throw cause
  }
}
