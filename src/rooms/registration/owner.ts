/** Whose an EUI-64 is, by the Organisation Information Forms in force. */

import type { Client, Store } from '../../ground/store/store.ts'

/** Numbers of the Parties in one of whose ranges it lies; one at most where REG-A05 holds. */
export async function ownersOf(store: Pick<Store, 'query'> | Client, identifier: bigint): Promise<number[]> {
  const { rows } = await (store as Pick<Store, 'query'>).query<{ party: number }>({
    name: 'owners_of',
    text: `SELECT DISTINCT f.party FROM eui64_range r JOIN organisation_form f ON f.id = r.form
            WHERE f.state = 'in force' AND r.first <= $1 AND $1 <= r.last ORDER BY f.party`,
    values: [String(identifier)],
  })
  return rows.map(row => row.party)
}
