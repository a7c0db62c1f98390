/** Epochs of a store: each restore to an earlier moment that lost something begins another. */

import type { Client, Store } from './store.ts'

export interface Epoch {
  /** 1 from the ceremony on. */
  readonly number: number
  /** The name of the journal's log in it; undefined in the first, whose name the settings give. */
  readonly log: string | undefined
}

export interface NewEpoch extends Epoch {
  readonly log: string
  readonly at: Date
  /** A reference. */
  readonly by: string
  readonly words: string
}

/** All but the first, in their order. */
export async function laterEpochs(store: Pick<Store, 'query'>): Promise<Epoch[]> {
  const { rows } = await store.query<{ number: number; log: string }>(
    'SELECT number, log FROM store_epoch ORDER BY number',
  )
  return rows
}

/** @throws the store's unique violation (23505) when it was begun already */
export async function beginEpoch(client: Client, { number, log, at, by, words }: NewEpoch): Promise<void> {
  await client.query(
    'INSERT INTO store_epoch (number, began_at, begun_by, words, log) VALUES ($1, $2, $3, $4, $5)',
    [number, at, by, words, log],
  )
}

/** The next number that a sequence gives, at least: what it counts has a name outside. */
export interface Sequence {
  readonly name: string
  readonly last: bigint
  /** How many more it can give. */
  readonly left: bigint
}

/** Every sequence of the schema. */
export async function sequences(store: Pick<Store, 'query'>): Promise<Sequence[]> {
  const { rows } = await store.query<Sequence>(
    `SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename) AS name,
            coalesce(last_value, start_value - increment_by) AS last,
            max_value - coalesce(last_value, 0) AS left
       FROM pg_sequences WHERE schemaname = current_schema() ORDER BY 1`,
  )
  return rows
}

/** What was given up to there is not given again. Not undone by a rollback, as everything that a sequence does. */
export async function advanceSequence(client: Client, name: string, to: bigint): Promise<void> {
  await client.query('SELECT setval($1::regclass, $2)', [name, to])
}
