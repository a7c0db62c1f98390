/** Journal entries of many rotations, written together: durable before the act that they announce. */

import type { Entry } from '../../../ground/journal/entry.ts'
import { appendMany } from '../../../ground/journal/journal.ts'
import type { Store } from '../../../ground/store/store.ts'

/** Entries that are announcements; an entry about a change in the store is written in the transaction of that change. */
export interface Notebook {
  /** Resolves when the entry is committed. Entries of one moment share a transaction. */
  write(entry: Entry): Promise<void>
}

/**
 * A notebook that has one transaction on its way at a time: what comes meanwhile waits for the next. One commit then
 * carries the entries of all Devices that are being worked on.
 */
export function notebook(store: Pick<Store, 'transaction'>): Notebook {
  let waiting: { entry: Entry; done: () => void; failed: (cause: unknown) => void }[] = []
  let running = false

  async function run(): Promise<void> {
    running = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await store.transaction(client =>
          appendMany(
            client,
            batch.map(({ entry }) => entry),
          ).then(() => {}),
        )
        for (const { done } of batch) done()
      } catch (cause) {
        for (const { failed } of batch) failed(cause)
      }
    }
    running = false
  }

  return {
    write: entry =>
      new Promise((done, failed) => {
        waiting.push({ entry, done, failed })
        if (!running) void run()
      }),
  }
}
