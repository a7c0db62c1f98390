/** Retrieval by serial number, for many who ask at the same time. */

import { toHex } from '../../ground/bytes.ts'
import type { Clock } from '../../ground/clock.ts'
import { findBySerials, type Lodged, type Reader } from './find.ts'

export interface Retrieved {
  readonly lodged: Lodged
  /** Authorities that gave the same serial number to another certificate: none, unless something is wrong. */
  readonly sharedWith: readonly number[]
}

/** Serial numbers that one statement asks for at most. */
const together = 64

/**
 * One statement is under way at a time; what is asked for meanwhile goes into the next. A statement for sixty serial
 * numbers costs the store little more than one for a single number.
 */
export function retriever(store: Reader, clock: Clock): (serial: Buffer) => Promise<Retrieved | undefined> {
  let waiting = new Map<string, { serial: Buffer; answers: PromiseWithResolvers<Retrieved | undefined> }>()
  let busy = false

  async function work(): Promise<void> {
    busy = true
    while (waiting.size > 0) {
      const all = [...waiting]
      const now = all.slice(0, together)
      waiting = new Map(all.slice(together))
      try {
        const found = await findBySerials(
          store,
          now.map(([, { serial }]) => serial),
          clock(),
        )
        const bySerial = Map.groupBy(found, one => toHex(one.serial))
        for (const [key, { answers }] of now) {
          const [lodged, ...others] = bySerial.get(key) ?? []
          answers.resolve(lodged && { lodged, sharedWith: others.map(one => one.authority) })
        }
      } catch (cause) {
        for (const [, { answers }] of now) answers.reject(cause)
      }
    }
    busy = false
  }

  return serial => {
    const key = toHex(serial)
    const asked = waiting.get(key) ?? { serial, answers: Promise.withResolvers<Retrieved | undefined>() }
    waiting.set(key, asked)
    // One turn of the event loop: what came in the same packets is asked for together.
    if (!busy) {
      busy = true
      setImmediate(() => void work())
    }
    return asked.answers.promise
  }
}
