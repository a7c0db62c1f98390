/** Many rows at once: binary COPY, with the rows encoded here. */

import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from } from 'pg-copy-streams'
import { encodeRows, type FieldType, type Value } from './copy-format.ts'
import type { Client } from './store.ts'

export type { FieldType, Value } from './copy-format.ts'

/**
 * Writes the rows with one COPY: all of them or, when it throws, none.
 *
 * @param table its name, with the schema before a point where it needs one.
 * @param columns the type of each column by name, in the order of the values in a row. A column that is not named gets
 *   its default.
 * @param rows read once, as fast as the server takes them.
 * @returns how many rows were written.
 * @throws TypeError, RangeError on a value that its column cannot hold; the server's errors as they are.
 */
export async function copyInto(
  client: Client,
  table: string,
  columns: Readonly<Record<string, FieldType>>,
  rows: Iterable<readonly Value[]>,
): Promise<number> {
  const name = table.split('.').map(pg.escapeIdentifier).join('.')
  const names = Object.keys(columns).map(pg.escapeIdentifier).join(', ')
  const copy = client.query(from(`COPY ${name} (${names}) FROM STDIN (FORMAT binary)`))
  await pipeline(encodeRows(Object.values(columns), rows), copy)
  return copy.rowCount
}
