/** Raises an alarm when a serial number that was retrieved belongs to certificates of two issuers. */

import { toHexUpper } from '../../ground/bytes.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Log } from './answer.ts'

export interface SharedSerials {
  /** Never waits, and never fails. */
  watch(serial: Buffer): void
  /** Resolves when everything that was handed in has been looked at. */
  settled(): Promise<void>
}

/** Retrievals of so long are looked at together, after they were answered: none of them waits for it. */
const togetherMs = 100

/**
 * Serial numbers are unique for each issuer only, and the web service asks by serial number alone (repository 10, trap
 * 6). Whoever asked got an answer, which may not be what they meant.
 */
export function sharedSerials(store: Pick<Store, 'query'>, log: Log): SharedSerials {
  const waiting = new Map<string, Buffer>()
  let work: Promise<void> | undefined
  let hurry = () => {}

  async function lookAtAll(): Promise<void> {
    while (waiting.size > 0) {
      await new Promise<void>(resolve => {
        hurry = resolve
        setTimeout(resolve, togetherMs)
      })
      const serials = [...waiting.values()]
      waiting.clear()
      await look(serials)
    }
    work = undefined
  }

  async function look(serials: readonly Buffer[]): Promise<void> {
    try {
      for (const { serial, authorities } of await shared(store, serials)) {
        const alarm = { alarm: 'SERIAL_SHARED', serial: toHexUpper(serial), authorities }
        log.error(alarm, 'two issuers share a serial number that was retrieved')
      }
    } catch (err) {
      log.error({ err }, 'the serial numbers that were retrieved could not be looked at')
    }
  }

  return {
    watch(serial) {
      waiting.set(serial.toString('latin1'), serial)
      work ??= lookAtAll()
    },
    async settled() {
      hurry()
      await work
    },
  }
}

async function shared(store: Pick<Store, 'query'>, serials: readonly Buffer[]) {
  const { rows } = await store.query<{ serial: Buffer; authorities: number[] }>({
    name: 'shared_serials',
    text: `SELECT c.serial, array_agg(c.authority ORDER BY c.authority) AS authorities
             FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'complete'
            WHERE c.serial = ANY($1) GROUP BY c.serial HAVING count(*) > 1`,
    values: [serials],
  })
  return rows
}
