/** Questions of many who ask at the same time, put to the store together. */

import { toHex } from '../../ground/bytes.ts'

/** Questions in one statement at most. */
const most = 64

/**
 * One statement is under way at a time; what is asked meanwhile goes into the next. A statement for sixty questions costs
 * the store little more than one for a single question.
 * @param ask the answers by the hexadecimal digits of what was asked; what has none is not there
 */
export function together<T>(
  ask: (asked: readonly Buffer[]) => Promise<ReadonlyMap<string, T>>,
): (question: Buffer) => Promise<T | undefined> {
  let waiting = new Map<string, { asked: Buffer; answers: PromiseWithResolvers<T | undefined> }>()
  let busy = false

  async function work(): Promise<void> {
    busy = true
    while (waiting.size > 0) {
      const all = [...waiting]
      const now = all.slice(0, most)
      waiting = new Map(all.slice(most))
      try {
        const found = await ask(now.map(([, { asked }]) => asked))
        for (const [key, { answers }] of now) answers.resolve(found.get(key))
      } catch (cause) {
        for (const [, { answers }] of now) answers.reject(cause)
      }
    }
    busy = false
  }

  return asked => {
    const key = toHex(asked)
    const known = waiting.get(key) ?? { asked, answers: Promise.withResolvers<T | undefined>() }
    waiting.set(key, known)
    // One turn of the event loop: what came in the same packets is asked for together.
    if (!busy) {
      busy = true
      setImmediate(() => void work())
    }
    return known.answers.promise
  }
}
