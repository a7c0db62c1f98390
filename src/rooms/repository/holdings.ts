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
  readonly ordinal: number
  /** It was signed, or is just about to be. One that was given up is not, though its ordinal stays taken. */
  readonly counts: boolean
}

interface Row {
  eui64: Buffer | null
  key_id: Buffer
  usage: number
  family: number
  ordinal: number | null
  state: string
}

/** Everything held by these identifiers (8 octets each). */
export async function heldBy(store: Pick<Store, 'query'>, eui64s: readonly Bytes[]): Promise<Held[]> {
  const { rows } = await store.query<Row>({
    name: 'held_by',
    text: `SELECT c.eui64, c.key_id, c.usage, c.family, c.ordinal, s.state
             FROM certificate c JOIN signing s ON s.id = c.signing WHERE c.eui64 = ANY($1)`,
    values: [eui64s],
  })
  return rows.map(held)
}

/** Everything that was certified for these key identifiers (8 octets each). */
export async function certifiedFor(
  store: Pick<Store, 'query'>,
  keyIds: readonly Bytes[],
  except?: bigint,
): Promise<Held[]> {
  const { rows } = await store.query<Row>({
    name: 'certified_for',
    text: `SELECT c.eui64, c.key_id, c.usage, c.family, c.ordinal, s.state
             FROM certificate c JOIN signing s ON s.id = c.signing
            WHERE c.key_id = ANY($1) AND s.state <> 'abandoned' AND c.signing <> $2`,
    values: [keyIds, except ?? 0n],
  })
  return rows.map(held)
}

function held(row: Row): Held {
  return {
    eui64: row.eui64 ? toHex(row.eui64) : undefined,
    keyId: toHex(row.key_id),
    usage: row.usage,
    family: row.family,
    ordinal: row.ordinal ?? 0,
    counts: row.state !== 'abandoned',
  }
}

/** Whether it is a Device Certificate of that usage. */
export function isDevice(one: Held, usage?: 'DS' | 'KA'): boolean {
  return one.family === families.device && (usage === undefined || one.usage === usages[usage])
}
