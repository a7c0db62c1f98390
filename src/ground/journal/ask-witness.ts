/** Asking a witness to sign under a checkpoint: it is told what it does not know yet, and its answer is checked. */

import { Refusal } from '../refusal.ts'
import type { Checkpoint } from './checkpoint.ts'
import { type Cosignature, cosignaturesOf } from './cosignature.ts'
import { BadNote, type VerifierKey } from './note.ts'
import { consistencyProof, type HashAt } from './proof.ts'
import { ask, type RemoteOptions, type RemoteRefusal } from './remote.ts'
import { writeSubmission } from './submission.ts'

export type WitnessRefusal = 'WITNESS_REFUSES' | 'WITNESS_AHEAD' | 'WITNESS_FORGES'

export interface WitnessAt extends RemoteOptions {
  /** `add-checkpoint` follows it. */
  readonly prefix: string
  readonly key: VerifierKey
}

/**
 * @param checkpoint what `note` says; `hashAt` gives the hashes of its tree
 * @throws Refusal WitnessRefusal, RemoteRefusal
 */
export async function askWitness(
  { prefix, key, ...options }: WitnessAt,
  { note, checkpoint, hashAt }: { note: string; checkpoint: Checkpoint; hashAt: HashAt },
): Promise<Cosignature> {
  const url = `${prefix.replace(/\/+$/, '')}/add-checkpoint`
  // It tells its size to who asks from another; twice, because another may ask at the same time.
  for (let old = 0, asked = 0; ; asked++) {
    const proof = await consistencyProof(old, checkpoint.size, hashAt)
    const { status, body } = await ask(url, options, writeSubmission({ old, proof, note }))
    const said = body.toString()
    if (status >= 500)
      throw new Refusal<RemoteRefusal>('BAD_ANSWER', `${url} answers ${status}: ${said.trim().slice(0, 200)}`)
    if (status === 200) return judged(note + said, key)
    const size = status === 409 && /^(0|[1-9]\d{0,15})\n$/.test(said) ? Number(said) : undefined
    if (size !== undefined && size > checkpoint.size) {
      const sentence = `the witness ${key.name} has signed under ${size} entries already, and this checkpoint has ${checkpoint.size}`
      throw new Refusal<WitnessRefusal>('WITNESS_AHEAD', sentence)
    }
    if (size === undefined || size === old || asked === 2) {
      const why = size === undefined ? said.trim().slice(0, 200) : 'it signed under another tree of this size'
      throw new Refusal<WitnessRefusal>('WITNESS_REFUSES', `the witness ${key.name} refuses (${status}): ${why}`)
    }
    old = size
  }
}

function judged(note: string, key: VerifierKey): Cosignature {
  try {
    const [cosignature] = cosignaturesOf(note, [key])
    if (cosignature) return cosignature
    throw new BadNote('there is no signature of its key')
  } catch (cause) {
    if (!(cause instanceof BadNote)) throw cause
    const sentence = `what the witness ${key.name} answered is not its cosignature: ${cause.message}`
    throw new Refusal<WitnessRefusal>('WITNESS_FORGES', sentence, { cause })
  }
}
