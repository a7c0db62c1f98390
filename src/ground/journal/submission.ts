/** What a log sends to a witness: the checkpoint, and the proof that it grew out of an earlier one (C2SP tlog-witness). */

import type { Bytes } from '../bytes.ts'
import { hashLength } from './merkle.ts'
import { fromBase64 } from './note.ts'

export interface Submission {
  /** Size of the earlier tree; 0 is none. */
  readonly old: number
  /** The consistency proof from it. */
  readonly proof: readonly Bytes[]
  /** The checkpoint with its signatures. */
  readonly note: string
}

/** More hashes than a tree can need (tlog-witness, add-checkpoint). */
const mostHashes = 63

/** Octets that are no such text. */
export class NotASubmission extends Error {
  override readonly name = 'NotASubmission'
}

/** The text: `old SIZE`, a hash a line, an empty line, the checkpoint. */
export function writeSubmission({ old, proof, note }: Submission): string {
  return `old ${old}\n${proof.map(hashLine).join('')}\n${note}`
}

/** @throws NotASubmission */
export function readSubmission(text: string): Submission {
  const end = text.indexOf('\n\n')
  const [first = '', ...hashes] = text.slice(0, Math.max(end, 0)).split('\n')
  const [, digits] = /^old (0|[1-9]\d{0,15})$/.exec(first) ?? []
  const old = Number(digits)
  const proof = readHashes(hashes)
  if (end < 0 || !Number.isSafeInteger(old) || proof === undefined || proof.length > mostHashes)
    throw new NotASubmission('not a checkpoint with the proof that it follows an earlier one')
  return { old, proof, note: text.slice(end + 2) }
}

/** A hash as a line of its own. */
export function hashLine(hash: Bytes): string {
  return `${Buffer.from(hash).toString('base64')}\n`
}

/** Lines, without their ends, that each are a hash; nothing when one is not. */
export function readHashes(lines: readonly string[]): Buffer[] | undefined {
  const hashes = lines.map(fromBase64)
  return hashes.every(hash => hash?.length === hashLength) ? (hashes as Buffer[]) : undefined
}
