/** Transaction IDs: positive integers, unique for ever, fetched a hundred at a time. */

import type { Store } from '../../ground/store/store.ts'

/** What the sequence `adhoc_transaction` advances by. */
const block = 100n

export function transactionIds(store: Pick<Store, 'query'>): () => Promise<bigint> {
  let next = 0n
  let end = 0n
  let fetching: Promise<void> | undefined

  async function fetch(): Promise<void> {
    try {
      const { rows } = await store.query<{ id: bigint }>("SELECT nextval('adhoc_transaction') AS id")
      next = rows[0]!.id
      end = next + block
    } finally {
      // Whoever comes after a failure tries again.
      fetching = undefined
    }
  }

  return async () => {
    while (next >= end) {
      fetching ??= fetch()
      await fetching
    }
    return next++
  }
}
