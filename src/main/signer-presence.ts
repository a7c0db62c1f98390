/** A signer process among others: it says each second that it is there, and ends when others must take it for gone. */

import type { Clock } from '../ground/clock.ts'
import { openSession } from '../ground/store/session.ts'
import type { Connection } from '../ground/store/store.ts'
import { enrol, lead, report } from '../rooms/issuance/signers.ts'

export interface Presence {
  /** What this process is known by as long as it lives, and no other ever. */
  readonly id: number
  /** To be called each second. @returns the authorities that sign no more; undefined when we are taken for gone */
  report(givenUp: readonly number[]): Promise<number[] | undefined>
  /** Resolves when our locks are lost, and with them what says that we live; never after `close`. */
  readonly lost: Promise<string>
  close(): Promise<void>
}

/** A store that is silent for so long may have dropped us without our knowing. */
const silenceMs = 60_000

/**
 * @param number 1 is the lead, of which there is one to a store
 * @throws Refusal SIGNER_RUNS
 */
export async function bePresent(target: Connection | string, number: number, clock: Clock): Promise<Presence> {
  const session = await openSession(target)
  const { promise: lost, resolve: lose } = Promise.withResolvers<string>()
  void session.lost.then(cause => lose(cause.message))
  try {
    if (number === 1) await lead(session)
    const id = await enrol(session, number, clock())
    return {
      id,
      async report(givenUp) {
        const timer = setTimeout(lose, silenceMs, 'the store has been silent too long')
        try {
          const exhausted = await report(session, id, clock(), givenUp)
          if (!exhausted) lose('other signers took this one for gone')
          return exhausted
        } finally {
          clearTimeout(timer)
        }
      },
      lost,
      close: () => session.close(),
    }
  } catch (cause) {
    await session.close()
    throw cause
  }
}
