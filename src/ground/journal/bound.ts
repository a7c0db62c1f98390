/** Proof that one thing of an act is in the log: the entry stands in the proof, and what leads from the thing to it. */

import { hash } from 'node:crypto'
import { type Bytes, fromHex, toHex, view } from '../bytes.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { type Cosignature, cosignaturesOf } from './cosignature.ts'
import { type Act, type JsonValue, NotAnEntry, readEntry } from './entry.ts'
import { CompactRange, leafHash } from './merkle.ts'
import { BadNote, type VerifierKey } from './note.ts'
import { inclusionProof, verifyInclusion } from './proof.ts'
import { NotAProof, readProof, type TlogProof, writeProof } from './tlog-proof.ts'

/** Where a thing stands in the group that its entry binds by one root. */
export interface Member {
  readonly position: number
  /** The octets of every member, in the order of the act. */
  readonly group: readonly Bytes[]
}

/**
 * The text of a proof for an entry and, with `member`, for one thing of the group that its `root` binds. (An entry that
 * binds one thing does so by its `sha256`, and needs no member.)
 */
export async function writeBoundProof(
  place: Pick<TlogProof, 'index' | 'proof' | 'note'>,
  entry: Bytes,
  member?: Member,
): Promise<string> {
  const group = member && { group: await groupOf(member) }
  const extra = { entry: view(entry).toString(), ...group }
  return writeProof({ ...place, extra: Buffer.from(JSON.stringify(extra)) })
}

export interface Proven {
  readonly act: Act
  /** Of the entry in the log. */
  readonly position: number
  readonly checkpoint: Checkpoint
  /** Of the witnesses that were named. */
  readonly cosignatures: readonly Cosignature[]
}

/**
 * What a proof proves of `thing`, or of its entry alone where no thing is given. Nothing is needed but the keys.
 * @throws NotAProof with a sentence that says where it breaks
 */
export function checkBoundProof(
  text: string,
  keys: { readonly log: readonly VerifierKey[]; readonly witnesses?: readonly VerifierKey[] },
  thing?: Bytes,
): Proven {
  // 1. The log's key signed this tree.
  const { index, proof, note, extra } = readProof(text)
  const checkpoint = asProof(() => openCheckpoint(note, keys.log))
  const cosignatures = asProof(() => cosignaturesOf(note, keys.witnesses ?? []))

  // 2. The entry is in it.
  const { entry, group } = readExtra(extra)
  const octets = Buffer.from(entry)
  const { size, root } = checkpoint
  if (!verifyInclusion({ index, size, leaf: leafHash(octets), proof, root }))
    throw new NotAProof(`the entry is not the one at position ${index} of the log`)
  const act = asProof(() => readEntry(octets))

  // 3. The entry binds the thing.
  if (thing !== undefined && !binds(act, thing, group))
    throw new NotAProof(`the proof is of another thing: entry ${index} does not bind this one`)
  return { act, position: index, checkpoint, cosignatures }
}

interface GroupProof {
  readonly position: number
  readonly size: number
  readonly proof: readonly string[]
}

async function groupOf({ position, group }: Member): Promise<GroupProof> {
  const leaves = group.map(leafHash)
  const proof = await inclusionProof(position, leaves.length, (height, index) => {
    const range = new CompactRange()
    for (const leaf of leaves.slice(index * 2 ** height, (index + 1) * 2 ** height)) range.append(leaf)
    return range.root()
  })
  return { position, size: leaves.length, proof: proof.map(toHex) }
}

function binds({ body }: Act, thing: Bytes, group: GroupProof | undefined): boolean {
  if (typeof body.sha256 === 'string') return body.sha256 === hash('sha256', thing, 'hex')
  // The size is the entry's own: in a tree of another size the same hashes could prove another place.
  if (group === undefined || typeof body.root !== 'string' || body.count !== group.size) return false
  const { position, size, proof } = group
  const claim = {
    index: position,
    size,
    leaf: leafHash(thing),
    proof: proof.map(fromHex),
    root: fromHex(body.root),
  }
  return verifyInclusion(claim)
}

/** Nobody signed what stands here: it is believed only as far as it leads to what was signed. */
function readExtra(extra: Bytes | undefined): { entry: string; group?: GroupProof } {
  const broken = new NotAProof('the proof does not hold the entry that it proves')
  let read: JsonValue
  try {
    read = JSON.parse(view(extra ?? new Uint8Array()).toString()) as JsonValue
  } catch (cause) {
    throw new NotAProof(broken.message, { cause })
  }
  const { entry, group } = (read ?? {}) as { entry?: unknown; group?: Partial<GroupProof> }
  if (typeof entry !== 'string') throw broken
  if (group === undefined) return { entry }
  const { position, size, proof } = group ?? {}
  const hashes = Array.isArray(proof) && proof.every(one => typeof one === 'string' && /^[0-9a-f]{64}$/.test(one))
  if (typeof position !== 'number' || typeof size !== 'number' || !hashes) throw broken
  return { entry, group: { position, size, proof } }
}

function asProof<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof BadNote || cause instanceof NotAnEntry) throw new NotAProof(cause.message, { cause })
    throw cause
  }
}
