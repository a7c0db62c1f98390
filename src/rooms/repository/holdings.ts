/** What a Device ID or a key already has: the facts that issuing decides by. */

import { type Bytes, toHex } from '../../ground/bytes.ts'
import type { Store } from '../../ground/store/store.ts'
import { families, usages } from './register.ts'

export interface Held {
  /** 16 hexadecimal digits; undefined where the subject has no EUI-64. */
  readonly eui64: string | undefined
  readonly keyId: string
  readonly usage: number
  readonly family: number
  /** Remote Party Role; undefined where the subject has none. */
  readonly role: number | undefined
  readonly ordinal: number
  /** It was signed, or is just about to be. One that was given up is not, though its ordinal stays taken. */
  readonly counts: boolean
}

interface Row {
  by_key: boolean
  eui64: Buffer | null
  key_id: Buffer
  usage: number
  family: number
  role: number | null
  ordinal: number | null
  state: string
}

// Look-ups by index whatever the statistics say: on tables that were not analysed yet, a join or `= ANY` of some
// hundred values goes through the whole table, and every batch would be slower than the one before. OFFSET 0 keeps
// the planner from taking the parts together.
const column = { eui64: 'c.eui64', key_id: 'c.key_id' } as const
const lookUp = (by: keyof typeof column, parameter: string) => `
  SELECT ${by === 'key_id'} AS by_key, c.eui64, c.key_id, c.usage, c.family, c.role, c.ordinal, s.state
    FROM unnest(${parameter}::bytea[]) AS asked (value)
   CROSS JOIN LATERAL (SELECT * FROM certificate c WHERE ${column[by]} = asked.value OFFSET 0) c
   CROSS JOIN LATERAL (SELECT state FROM signing WHERE signing.id = c.signing OFFSET 0) s`

/** Everything held by these identifiers (8 octets each), those that were given up included. */
export async function heldBy(store: Pick<Store, 'query'>, eui64s: readonly Bytes[]): Promise<Held[]> {
  const { rows } = await store.query<Row>({ name: 'held_by', text: lookUp('eui64', '$1'), values: [eui64s] })
  return rows.map(held)
}

/** Everything that was certified for these key identifiers (8 octets each), but for one signing. */
export async function certifiedFor(
  store: Pick<Store, 'query'>,
  keyIds: readonly Bytes[],
  except?: bigint,
): Promise<Held[]> {
  const { rows } = await store.query<Row>({
    name: 'certified_for',
    text: `${lookUp('key_id', '$1')} WHERE s.state <> 'abandoned' AND c.signing <> $2`,
    values: [keyIds, except ?? 0n],
  })
  return rows.map(held)
}

export interface Holdings {
  readonly held: readonly Held[]
  readonly certified: readonly Held[]
  /** Of the Device IDs that have one of their own: by 16 hexadecimal digits. */
  readonly thresholds: ReadonlyMap<string, number>
}

/** Both, and the thresholds of these Device IDs, in one question. */
export async function holdings(
  store: Pick<Store, 'query'>,
  eui64s: readonly Bytes[],
  keyIds: readonly Bytes[],
): Promise<Holdings> {
  const { rows } = await store.query<Row & { threshold: number | null }>({
    name: 'holdings',
    text: `SELECT *, NULL::int AS threshold FROM (${lookUp('eui64', '$1')}) AS held
       UNION ALL SELECT *, NULL FROM (${lookUp('key_id', '$2')} WHERE s.state <> 'abandoned') AS certified
       UNION ALL SELECT false, eui64, NULL, NULL, NULL, NULL, NULL, NULL, threshold
         FROM device_threshold WHERE eui64 = ANY($1)`,
    values: [eui64s, keyIds],
  })
  const found = { held: [] as Held[], certified: [] as Held[], thresholds: new Map<string, number>() }
  for (const row of rows) {
    if (row.threshold !== null) found.thresholds.set(toHex(row.eui64!), row.threshold)
    else found[row.by_key ? 'certified' : 'held'].push(held(row))
  }
  return found
}

function held(row: Row): Held {
  return {
    eui64: row.eui64 ? toHex(row.eui64) : undefined,
    keyId: toHex(row.key_id),
    usage: row.usage,
    family: row.family,
    role: row.role ?? undefined,
    ordinal: row.ordinal ?? 0,
    counts: row.state !== 'abandoned',
  }
}

/** Whether it is a Device Certificate of that usage. */
export function isDevice(one: Held, usage?: 'DS' | 'KA'): boolean {
  return one.family === families.device && (usage === undefined || one.usage === usages[usage])
}
