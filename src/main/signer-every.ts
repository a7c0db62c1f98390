/** A task that is done again and again, never twice at a time: a fault is logged, and the next turn tries again. */

import type { Logger } from 'pino'

/**
 * @param ms of rest after each turn; a function is asked each time
 * @param after this time the first turn
 * @returns stops it, when the turn that is under way has ended
 */
export function every(
  ms: number | (() => number),
  task: () => Promise<unknown>,
  log: Pick<Logger, 'error'>,
  after = 0,
): () => Promise<void> {
  let stopped = false
  let wake = () => {}
  const run = async () => {
    if (after > 0) await sleep(after)
    while (!stopped) {
      try {
        await task()
      } catch (cause) {
        if (!stopped)
          log.error({ fault: (cause as Error).message }, 'a task of the signer failed; it is tried again')
        await sleep(1000)
      }
      await sleep(typeof ms === 'number' ? ms : ms())
    }
  }
  const sleep = (time: number) =>
    stopped
      ? Promise.resolve()
      : new Promise<void>(resolve => {
          const timer = setTimeout(resolve, time)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
  const done = run()
  return async () => {
    stopped = true
    wake()
    await done
  }
}
