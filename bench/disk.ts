/** What a certificate takes of the disk, by table and index, beside the length of its DER. */

import type { Store } from '../src/ground/store/store.ts'
import { assembleCertificate } from '../src/ground/x509/assemble.ts'
import { howMany } from '../src/rooms/repository/find.ts'
import { fromSlot } from '../src/rooms/repository/register.ts'
import { rounded } from './bench.ts'

export interface Disk {
  readonly octetsEach: number
  /** Of a sample, the mean. */
  readonly derOctets: number
  readonly ratio: number
  /** Octets of each certificate by table, with what does not fit into its rows, and by index. */
  readonly parts: Readonly<Record<string, number>>
}

export async function diskOf(store: Pick<Store, 'query'>): Promise<Disk> {
  const count = await howMany(store)
  const { rows } = await store.query<{ name: string; octets: bigint }>(
    `SELECT c.relname AS name, CASE WHEN c.relkind = 'i' THEN pg_relation_size(c.oid)
              ELSE pg_table_size(c.oid) END::int8 AS octets
       FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
      WHERE c.relkind IN ('r', 'i', 'p') AND c.relnamespace = 'public'::regnamespace
        AND coalesce(i.indrelid, c.oid) IN ('certificate'::regclass, 'signing'::regclass, 'not_in_use'::regclass, 'revoked'::regclass)
      ORDER BY octets DESC`,
  )
  const parts = rows.map(row => [row.name, rounded(Number(row.octets) / count, 2)] as const)
  const octetsEach = rows.reduce((sum, row) => sum + Number(row.octets), 0) / count
  const derOctets = await meanDer(store)
  return {
    octetsEach: rounded(octetsEach, 1),
    derOctets: rounded(derOctets, 1),
    ratio: rounded(octetsEach / derOctets, 3),
    parts: Object.fromEntries(parts),
  }
}

async function meanDer(store: Pick<Store, 'query'>): Promise<number> {
  const { rows } = await store.query<{ tbs: Buffer; slot: Buffer }>(
    `SELECT c.tbs, substr(s.signatures, c.position::int * s.slot + 1, s.slot) AS slot
       FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'complete'
      WHERE c.family = 1 ORDER BY c.signing DESC, c.position DESC LIMIT 2000`,
  )
  const all = rows.map(row => assembleCertificate(row.tbs, fromSlot(row.slot)).length)
  return all.reduce((sum, one) => sum + one, 0) / all.length
}
