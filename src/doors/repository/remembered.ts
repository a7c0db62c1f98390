/** Answers that stay good for a moment: asked for again only when it has passed. */

import type { Clock } from '../../ground/clock.ts'

/**
 * Gives what `ask` answered for that key less than `lifeMs` ago; those who ask at the same time share one question.
 * A question that failed or found nothing is not remembered, so strangers cannot fill the memory.
 */
export function remembered<T>(
  clock: Clock,
  lifeMs: number,
): (key: string, ask: () => Promise<T | undefined>) => Promise<T | undefined> {
  const answers = new Map<string, { at: number; answer: Promise<T | undefined> }>()
  return (key, ask) => {
    const now = clock().getTime()
    const known = answers.get(key)
    // A clock that went back lengthens no answer's life.
    if (known && known.at <= now && now < known.at + lifeMs) return known.answer
    const fresh = { at: now, answer: ask() }
    answers.set(key, fresh)
    const forget = () => {
      if (answers.get(key) === fresh) answers.delete(key)
    }
    fresh.answer.then(found => {
      if (found === undefined) forget()
    }, forget)
    return fresh.answer
  }
}
