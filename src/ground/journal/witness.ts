/** A witness: it keeps the last checkpoint of each log that it knows, and signs only what grew out of it (C2SP tlog-witness). */

import { equal } from '../bytes.ts'
import type { Clock } from '../clock.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { cosign } from './cosignature.ts'
import { emptyRoot } from './merkle.ts'
import { BadNote, type NoteSigner, readNote, type VerifierKey } from './note.ts'
import { verifyConsistency } from './proof.ts'
import { NotASubmission, readSubmission } from './submission.ts'

/** What a witness remembers of a log: the last note that it signed under. */
export interface WitnessMemory {
  /** @param origin the log's */
  last(origin: string): Promise<string | undefined>
  /** Durable when it returns, and whole or not at all. */
  keep(origin: string, note: string): Promise<void>
}

export interface WitnessParts {
  /** Keys of the logs, each under the log's origin; several of one name are keys that followed each other. */
  readonly logs: readonly VerifierKey[]
  readonly memory: WitnessMemory
  readonly signer: NoteSigner
  readonly clock: Clock
}

/** The answer to `POST /add-checkpoint`, as tlog-witness has it. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly type: string
  readonly body: string
  /** For the witness's own log: which log, and what was wrong. */
  readonly origin?: string
  readonly says?: string
}

export interface Witness {
  addCheckpoint(text: string): Promise<WitnessAnswer>
}

/** One at a time: the size that was compared is the size that is replaced (tlog-witness, add-checkpoint). */
export function witness(parts: WitnessParts): Witness {
  let before: Promise<unknown> = Promise.resolve()
  return {
    addCheckpoint(text) {
      const answer = before.then(() => answerTo(parts, text))
      before = answer.catch(() => {})
      return answer
    },
  }
}

async function answerTo({ logs, memory, signer, clock }: WitnessParts, text: string): Promise<WitnessAnswer> {
  // 1. Is it a question, about a log that we know, signed by that log?
  let question: ReturnType<typeof readSubmission>
  let signed: string
  try {
    question = readSubmission(text)
    signed = readNote(question.note).text
  } catch (cause) {
    if (cause instanceof NotASubmission || cause instanceof BadNote) return no(400, cause.message)
    throw cause
  }
  const origin = signed.slice(0, signed.indexOf('\n'))
  const keys = logs.filter(key => key.name === origin)
  if (keys.length === 0) return no(404, 'this witness does not know that log')
  let next: Checkpoint
  try {
    next = openCheckpoint(question.note, keys)
  } catch (cause) {
    if (cause instanceof BadNote) return no(403, cause.message, origin)
    throw cause
  }
  if (question.old > next.size) return no(400, 'the old size is larger than the new one', origin)

  // 2. Does it grow out of what we signed last?
  const kept = await memory.last(origin)
  const last = kept === undefined ? undefined : openCheckpoint(kept, keys)
  const size = last?.size ?? 0
  if (question.old !== size) return conflict(size, origin, `the log begins at ${question.old}, we are at ${size}`)
  if (last && size === next.size && !equal(last.root, next.root)) {
    return conflict(size, origin, `FORK: another tree of size ${size} than the one we signed`)
  }
  const grows = verifyConsistency({
    from: size,
    to: next.size,
    fromRoot: last?.root ?? emptyRoot,
    toRoot: next.root,
    proof: question.proof,
  })
  if (!grows) return no(422, `the proof does not show that size ${next.size} grew out of size ${size}`, origin)

  // 3. Remember it before anybody sees a signature: if we stop in between, nobody has one of ours that we forgot.
  await memory.keep(origin, question.note)

  // 4. Say that we saw it.
  return { status: 200, type: plain, body: await cosign(signed, clock(), signer), origin }
}

const plain = 'text/plain; charset=utf-8'

function no(status: 400 | 403 | 404 | 422, says: string, origin?: string): WitnessAnswer {
  return { status, type: plain, body: `${says}\n`, says, ...(origin !== undefined && { origin }) }
}

/** Who asked from another size is told ours, and asks again. */
function conflict(size: number, origin: string, says: string): WitnessAnswer {
  return { status: 409, type: 'text/x.tlog.size', body: `${size}\n`, origin, says }
}
