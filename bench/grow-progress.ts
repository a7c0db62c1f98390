/** How far the filling of a store is, and how long it will take: redrawn on a terminal, else a line each minute. */

import { progress } from '../src/doors/cli/progress.ts'

export interface GroupProgress {
  /** One more group is written. */
  one(): void
  end(): void
}

const everyMs = 60_000

export function groupProgress(groups: number, groupSize: number): GroupProgress {
  const bar = progress('certificates', groups * groupSize)
  const began = performance.now()
  let done = 0
  let said = began
  return {
    one() {
      done++
      bar.at(done * groupSize)
      const now = performance.now()
      if (process.stderr.isTTY || now - said < everyMs) return
      said = now
      const perSecond = (done * groupSize * 1000) / (now - began)
      const left = Math.ceil(((groups - done) * groupSize) / perSecond)
      process.stderr.write(
        `${done * groupSize} of ${groups * groupSize}, ${Math.round(perSecond)}/s, ${left} s left\n`,
      )
    },
    end: bar.end,
  }
}
