/** Which of many inputs reached something new: looking costs much more than running, so one looks seldom. */

import type { Coverage } from './coverage.ts'

/**
 * Runs them all, looks once, and halves as long as there is something new. What was reached counts as seen afterwards.
 * @returns those that reached it, each by itself
 */
export async function newOnes(
  inputs: readonly Buffer[],
  coverage: Coverage,
  run: (input: Buffer) => void | Promise<void>,
): Promise<Buffer[]> {
  for (const input of inputs) await run(input)
  const ran = coverage.fresh()
  if (ran === undefined) return []
  const half = inputs.length >> 1
  const found =
    half === 0
      ? [...inputs]
      : [
          ...(await newOnes(inputs.slice(0, half), coverage, run)),
          ...(await newOnes(inputs.slice(half), coverage, run)),
        ]
  // What none of them reaches again by itself was a matter of order.
  coverage.mark(ran)
  return found
}
