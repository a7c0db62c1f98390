/** Many rows out at once: binary COPY, read in a stream; a million rows never become a million objects at a time. */

import { to } from 'pg-copy-streams'
import type { Client } from './store.ts'

/** Signature, flags, and length of the extension of a binary COPY (PostgreSQL, COPY: Binary Format). */
const headLength = 19

/**
 * Hands on the fields of each row, in PostgreSQL's binary form; a field that is NULL is undefined. The buffers are
 * good until the next row only.
 * @param query a SELECT, without parameters: it stands in the COPY statement as it is
 * @returns how many rows there were
 */
export async function copyOut(
  client: Client,
  query: string,
  onRow: (fields: readonly (Buffer | undefined)[]) => void,
): Promise<number> {
  const stream = client.query(to(`COPY (${query}) TO STDOUT (FORMAT binary)`))
  let rest: Buffer = Buffer.alloc(0)
  let head = false
  let rows = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const octets = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    if (!head) {
      if (octets.length < headLength) {
        rest = octets
        continue
      }
      at = headLength + octets.readUInt32BE(15)
      head = true
    }
    for (let end = rowEnd(octets, at); end !== undefined; end = rowEnd(octets, at)) {
      onRow(fieldsOf(octets, at))
      rows++
      at = end
    }
    rest = octets.subarray(at)
  }
  return rows
}

/** Where the row that begins there ends; undefined when it has not come whole, or the trailer stands there. */
function rowEnd(octets: Buffer, from: number): number | undefined {
  if (from + 2 > octets.length) return undefined
  const count = octets.readInt16BE(from)
  if (count < 0) return undefined
  let at = from + 2
  for (let i = 0; i < count; i++) {
    if (at + 4 > octets.length) return undefined
    at += 4 + Math.max(0, octets.readInt32BE(at))
  }
  return at <= octets.length ? at : undefined
}

function fieldsOf(octets: Buffer, from: number): (Buffer | undefined)[] {
  const fields: (Buffer | undefined)[] = []
  let at = from + 2
  for (let i = octets.readInt16BE(from); i > 0; i--) {
    const length = octets.readInt32BE(at)
    at += 4
    fields.push(length < 0 ? undefined : octets.subarray(at, at + length))
    at += Math.max(0, length)
  }
  return fields
}

/** Milliseconds since 1970 of a timestamptz in its binary form: microseconds since 2000. */
export function timestampMs(field: Buffer): number {
  return Math.floor((field.readInt32BE(0) * 2 ** 32 + field.readUInt32BE(4)) / 1000) + Date.UTC(2000, 0, 1)
}
