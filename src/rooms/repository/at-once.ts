/** Writing down and keeping a small group in one statement each: two flushes and two round trips, no more. */

import { type Bytes, view } from '../../ground/bytes.ts'
import type { Entry } from '../../ground/journal/entry.ts'
import type { Store } from '../../ground/store/store.ts'
import { families, type Intended, SigningLost, type Slot, slotsOf, usages } from './register.ts'

/** Numbers of signings, fetched by the dozen: the journal entry names the signing that its own statement makes. */
export function signingNumbers(store: Pick<Store, 'query'>): () => Promise<bigint> {
  let numbers: bigint[] = []
  return async () => {
    if (numbers.length === 0) {
      const { rows } = await store.query<{ id: bigint }>(
        "SELECT nextval(pg_get_serial_sequence('signing', 'id')) AS id FROM generate_series(1, 64)",
      )
      numbers = [...numbers, ...rows.map(row => row.id)]
    }
    return numbers.shift()!
  }
}

/**
 * As `intend` of register.ts, committed when it returns.
 * @throws the store's unique violation (23505) when a serial number or an ordinal is taken: nothing was written.
 */
export async function intendAtOnce(
  store: Pick<Store, 'query'>,
  signing: bigint,
  at: Date,
  slot: Slot,
  group: readonly Intended[],
  entry: Entry,
  signer?: number,
): Promise<void> {
  await store.query({
    name: 'intend_at_once',
    text: `WITH made AS (
        INSERT INTO signing (id, count, at, slot, signer) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $15)),
      noted AS (INSERT INTO journal_pending (octets) VALUES ($5))
      INSERT INTO certificate
        (signing, position, authority, family, usage, role, ordinal, eui64, serial, key_id, tbs)
      SELECT $1, place - 1, authority, family, usage, role, ordinal, eui64, serial, key_id, tbs
        FROM unnest($6::int2[], $7::int2[], $8::int2[], $9::int2[], $10::int4[], $11::bytea[], $12::bytea[],
                    $13::bytea[], $14::bytea[])
             WITH ORDINALITY AS one (authority, family, usage, role, ordinal, eui64, serial, key_id, tbs, place)`,
    values: [
      signing,
      group.length,
      at,
      slot,
      entry,
      group.map(one => one.authority),
      group.map(one => families[one.family]),
      group.map(one => usages[one.usage]),
      group.map(one => one.role ?? null),
      group.map(one => one.ordinal ?? null),
      group.map(one => (one.eui64 ? view(one.eui64) : null)),
      group.map(one => view(one.serial)),
      group.map(one => view(one.keyId)),
      group.map(one => view(one.tbs)),
      signer,
    ],
  })
}

/** As `keep` of register.ts, committed when it returns, with its journal entries. @throws SigningLost */
export async function keepAtOnce(
  store: Pick<Store, 'query'>,
  signing: bigint,
  slot: Slot,
  signatures: readonly Bytes[],
  entries: readonly Entry[],
): Promise<void> {
  const { rows } = await store.query<{ kept: bigint }>({
    name: 'keep_at_once',
    text: `WITH kept AS (
        UPDATE signing SET state = 'complete', signatures = $2
         WHERE id = $1 AND state = 'intended' AND count = $3 RETURNING id),
      noted AS (INSERT INTO journal_pending (octets) SELECT octets FROM kept, unnest($4::bytea[]) AS given (octets))
      SELECT count(*) AS kept FROM kept`,
    values: [signing, slotsOf(slot, signatures), signatures.length, entries],
  })
  if (rows[0]!.kept !== 1n) throw new SigningLost(`signing ${signing} is not open any more`)
}
