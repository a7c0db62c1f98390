/** Who fetched what: for the rule that downloads stay within 120 % of what was forecast (repository.md sections 7 and 8). */

import type { Store } from '../../../ground/store/store.ts'

export interface Download {
  readonly party: number
  readonly name: string
  readonly at: Date
  /** Sent of the file; a download that was resumed stands in two records. */
  readonly octets: number
}

/** A measurement, as response times are: it stands outside the journal. */
export async function recordDownload(
  store: Pick<Store, 'query'>,
  { party, name, at, octets }: Download,
): Promise<void> {
  await store.query('INSERT INTO repository_download (party, name, at, octets) VALUES ($1, $2, $3, $4)', [
    party,
    name,
    at,
    octets,
  ])
}

/** Oldest first. */
export async function downloads(store: Pick<Store, 'query'>, party?: number): Promise<Download[]> {
  const { rows } = await store.query<{ party: number; name: string; at: Date; octets: bigint }>(
    'SELECT party, name, at, octets FROM repository_download WHERE $1::integer IS NULL OR party = $1 ORDER BY at, id',
    [party ?? null],
  )
  return rows.map(row => ({ ...row, octets: Number(row.octets) }))
}
