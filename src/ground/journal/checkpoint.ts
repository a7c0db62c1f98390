/** Checkpoints: the signed size and root of a log (C2SP tlog-checkpoint). */

import type { Bytes } from '../bytes.ts'
import { hashLength } from './merkle.ts'
import { BadNote, type NoteSigner, openNote, signNote, type VerifierKey } from './note.ts'

export interface Checkpoint {
  /** The log's identity, which is also the name of its key. */
  readonly origin: string
  /** Entries in the tree. */
  readonly size: number
  readonly root: Bytes
}

/** The note that binds the log to its size and root for good. */
export async function signCheckpoint(size: number, root: Bytes, signer: NoteSigner): Promise<string> {
  return signNote(`${signer.name}\n${size}\n${Buffer.from(root).toString('base64')}\n`, signer)
}

/** What a checkpoint says, when one of `keys` signed it and is of its origin. @throws BadNote */
export function openCheckpoint(note: string, keys: readonly VerifierKey[]): Checkpoint {
  const { text, signedBy } = openNote(note, keys)
  // No extension lines: we write none, and nobody could audit them (tlog-checkpoint, Note text).
  const [, origin, digits, encoded] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text) ?? []
  if (origin === undefined || digits === undefined || encoded === undefined) throw new BadNote('not a checkpoint')
  const [size, root] = [Number(digits), Buffer.from(encoded, 'base64')]
  if (!Number.isSafeInteger(size) || root.length !== hashLength || root.toString('base64') !== encoded) {
    throw new BadNote('not a checkpoint')
  }
  // A key that we trust for one log does not speak for another.
  if (!signedBy.some(key => key.name === origin)) throw new BadNote(`a checkpoint of ${origin}, signed by another`)
  return { origin, size, root }
}
