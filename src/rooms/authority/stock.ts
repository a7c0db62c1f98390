/** The stock of Issuing DCAs: each key signs so many certificates for so long; then the next one takes over. */

import type { ClientBase } from 'pg'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'

export interface KeyUse {
  readonly certificates: number
  readonly months: number
}

/** So many certificates may be signed by that authority. They are counted now, whether or not they come to be. */
export interface Allotment {
  readonly authority: number
  readonly count: number
  /** The key is used up from this instant on, whatever is left. */
  readonly until: Date
}

/**
 * Allots `wanted` certificates to Issuing DCAs, the current one first, moving on to the next of the stock where its
 * limit is reached (CERT-A07). Committed before it returns: a crash loses part of an allotment, never a count.
 * @throws Refusal NO_ISSUING_DCA when the stock cannot cover it; nothing is allotted then.
 */
export async function allot(store: Store, wanted: number, limit: KeyUse, now: Date): Promise<Allotment[]> {
  return store.transaction(async client => {
    const { rows } = await client.query<{
      id: number
      state: string
      allotted: number
      first_used_at: Date | null
    }>({
      name: 'allot_candidates',
      text: `SELECT id, state, allotted, first_used_at FROM authority
              WHERE pki = 'smki-device' AND level = 'issuing' AND state IN ('current', 'stock')
                AND compromised_at IS NULL ORDER BY state, id FOR UPDATE`,
    })
    const allotments: Allotment[] = []
    let missing = wanted
    for (const row of rows) {
      const until = monthsLater(row.first_used_at ?? now, limit.months)
      const left = until <= now ? 0 : Math.max(0, limit.certificates - row.allotted)
      const count = Math.min(left, missing)
      if (count > 0) allotments.push({ authority: row.id, count, until })
      missing -= count
      await client.query({
        name: 'allot',
        text: 'UPDATE authority SET allotted = allotted + $2, state = $3, first_used_at = coalesce(first_used_at, $4) WHERE id = $1',
        values: [row.id, Math.max(0, count), count >= left ? 'exhausted' : 'current', now],
      })
      if (missing === 0) break
    }
    if (missing > 0) {
      throw new Refusal(
        'NO_ISSUING_DCA',
        `the stock of Issuing DCAs is used up: ${missing} certificates have no key to sign them; ` +
          'run `smki ceremony issuing-dca` with the root store',
        { details: { wanted, missing } },
      )
    }
    return allotments
  })
}

/** After a restore: so many certificates may have been signed with the key, whatever the register says. */
export async function allottedAtLeast(client: ClientBase, authority: number, count: number): Promise<void> {
  await client.query(
    `UPDATE authority SET allotted = greatest(allotted, $2)
      WHERE id = $1 AND pki = 'smki-device' AND level = 'issuing'`,
    [authority, count],
  )
}

/** Ends the use of a key whose time is over, also when nobody asks for a certificate. */
export async function endByTime(store: Pick<Store, 'query'>, limit: KeyUse, now: Date): Promise<void> {
  await store.query({
    name: 'end_by_time',
    text: `UPDATE authority SET state = 'exhausted' WHERE pki = 'smki-device' AND level = 'issuing' AND state = 'current'
             AND (first_used_at AT TIME ZONE 'UTC' + make_interval(months => $1)) AT TIME ZONE 'UTC' <= $2`,
    values: [limit.months, now],
  })
}

/** An Issuing DCA whose certificate was revoked signs no more: its key goes the way of a used-up one. */
export async function endRevoked(store: Pick<Store, 'query'>, revoked: readonly number[]): Promise<void> {
  if (revoked.length === 0) return
  await store.query(
    `UPDATE authority SET state = 'exhausted'
      WHERE id = ANY($1) AND pki = 'smki-device' AND level = 'issuing' AND state IN ('current', 'stock')`,
    [revoked],
  )
}

export interface StockLevel {
  readonly current: { readonly name: string; readonly left: number } | undefined
  readonly inStock: number
  /** Certificates that can still be signed before a ceremony is needed. */
  readonly left: number
  readonly exhausted: readonly { readonly id: number; readonly name: string; readonly keyLabel: string }[]
}

export async function stockLevel(store: Pick<Store, 'query'>, limit: KeyUse): Promise<StockLevel> {
  const { rows } = await store.query<{
    id: number
    name: string
    key_label: string
    state: string
    allotted: number
  }>(
    "SELECT id, name, key_label, state, allotted FROM authority WHERE pki = 'smki-device' AND level = 'issuing' ORDER BY id",
  )
  const current = rows.find(row => row.state === 'current')
  const inStock = rows.filter(row => row.state === 'stock').length
  const left = current ? limit.certificates - current.allotted : 0
  return {
    current: current && { name: current.name, left },
    inStock,
    left: left + inStock * limit.certificates,
    exhausted: rows
      .filter(row => row.state === 'exhausted')
      .map(row => ({ id: row.id, name: row.name, keyLabel: row.key_label })),
  }
}

/** The private key was destroyed; the certificate stays valid and is not revoked (CERT-A07). */
export async function markUsedUp(client: ClientBase, authority: number): Promise<void> {
  await client.query("UPDATE authority SET state = 'used-up' WHERE id = $1 AND state = 'exhausted'", [authority])
}

function monthsLater(from: Date, months: number): Date {
  const later = new Date(from)
  later.setUTCMonth(later.getUTCMonth() + months)
  if (later.getUTCDate() !== from.getUTCDate()) later.setUTCDate(0)
  return later
}
