/** The result of a completed batch, read portion by portion, in the order of submission. */

import type { Store } from '../../ground/store/store.ts'
import type { DeviceCode } from '../../policy/smki-device/codes.ts'
import { certificatesInBulk } from '../repository/signings.ts'
import type { ResultRow } from './portion.ts'

export type ItemResult =
  | { readonly id: string; readonly certificate: Buffer }
  | { readonly id: string; readonly code: DeviceCode; readonly text: string }

/**
 * One list for each portion; the next is fetched while the caller works on one, so memory stays flat.
 * @throws RangeError at the end unless there was one for each request: they may be removed while they are read
 */
export async function* resultsOf(
  store: Store,
  { id, count }: { readonly id: bigint; readonly count: number },
): AsyncGenerator<ItemResult[]> {
  let given = 0
  let next = resultsOfPortion(store, id, 0)
  for (let number = 1; ; number++) {
    const results = await next
    if (!results) break
    given += results.length
    next = resultsOfPortion(store, id, number)
    // Should the caller stop here, nobody waits for it any more.
    next.catch(() => {})
    yield results
  }
  if (given !== count) throw new RangeError(`batch ${id} has ${given} results for ${count} requests`)
}

async function resultsOfPortion(store: Store, batch: bigint, number: number): Promise<ItemResult[] | undefined> {
  const { rows } = await store.query<{ signing: bigint | null; results: ResultRow[] }>({
    name: 'results_of',
    text: 'SELECT signing, results FROM portion WHERE batch = $1 AND number = $2',
    values: [batch, number],
  })
  const row = rows[0]
  if (!row) return undefined
  const certificates = row.signing === null ? [] : await certificatesInBulk(store, row.signing)
  return row.results.map(result =>
    typeof result[1] === 'number'
      ? { id: result[0], certificate: certificates[result[1]]! }
      : { id: result[0], code: result[1], text: result[2]! },
  )
}
