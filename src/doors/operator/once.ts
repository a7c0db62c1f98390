/** Requests that a client repeats because it heard no answer: done once, and answered as before. */

import { hash } from 'node:crypto'
import type { Clock } from '../../ground/clock.ts'
import { Refusal } from '../../ground/refusal.ts'
import { refuse } from './refusals.ts'

/** Answers are kept for so long, and so many of them; what is older was done, and doing it again says so by a refusal. */
const keptMs = 3_600_000
const mostKept = 5_000

interface Kept {
  readonly at: number
  readonly digest: string
  readonly answer: Promise<unknown>
}

/**
 * Runs work once for each (caller, key). In memory, of this program: after a restart the rooms' own rules hold, by
 * which nearly nothing happens twice (a task is decided once, a name is taken once).
 * @throws Refusal RETRY_KEY_REUSED for another request under the same key; and what the work throws
 */
export type Once = (
  key: { readonly person: string; readonly key: string; readonly request: string },
  work: () => Promise<unknown>,
) => Promise<unknown>

export function onlyOnce(clock: Clock): Once {
  const kept = new Map<string, Kept>()
  return ({ person, key, request }, work) => {
    const now = clock().getTime()
    // In the order in which they came: the oldest are first.
    for (const [name, { at }] of kept) {
      if (now - at < keptMs && kept.size < mostKept) break
      kept.delete(name)
    }
    const name = `${person} ${key}`
    const digest = hash('sha256', request)
    const before = kept.get(name)
    if (before) {
      return before.digest === digest ? before.answer : Promise.reject(refuse('RETRY_KEY_REUSED'))
    }
    const answer = work()
    kept.set(name, { at: now, digest, answer })
    // A fault is nobody's answer: it may be tried again.
    answer.catch(cause => {
      if (!(cause instanceof Refusal)) kept.delete(name)
    })
    return answer
  }
}
