/** What changed in a time, and what there is in all: the rows of a delta and of a full file, streamed. */

import type { Client } from '../../../ground/store/store.ts'
import { readCertificate } from '../../../ground/x509/certificate.ts'
import { bySerial } from '../by-serial.ts'
import { everyCertificate, findWhere, type Lodged, type Reader } from '../find.ts'
import { families } from '../register.ts'
import { kinds, row } from './record.ts'

export interface Period {
  readonly from: Date
  readonly until: Date
}

/** Every certificate with its status at that instant; the work of one transaction, so that all is of one moment. */
export async function* everything(client: Client, until: Date): AsyncGenerator<string> {
  for await (const one of everyCertificate(client as unknown as Reader, until)) {
    if (one.issuedAt < until && kinds[one.family]) yield row('A', one.issuedAt, one)
  }
}

/**
 * Certificates that were added, then those known before whose status changed. A certificate that was added and changed
 * its status within the period stands once, with the status it has at the end; so does one that changed it twice. The
 * store puts them together, so that a delta of a national night takes no more memory than one of a quiet day.
 * @param again signings that an earlier file found unfinished
 */
export async function* changes(
  client: Client,
  { from, until }: Period,
  again: readonly bigint[],
): AsyncGenerator<string> {
  const values = [from, until, again]
  for await (const { one } of listed(client, addedSql, values, until)) yield row('A', one.issuedAt, one)
  for await (const { one, sure } of listed(client, changedSql, values, until)) {
    if (sure || expiredIn(one, from)) yield row('S', until, one)
  }
}

/** What the earlier files did not tell of. */
const added = "s.state = 'complete' AND (s.at >= $1 AND s.at < $2 OR s.id = ANY($3))"
/** And what they did. */
const known = "s.state = 'complete' AND s.at < $1 AND s.id <> ALL($3)"

// Look-ups by index whatever the statistics say (holdings.ts): OFFSET 0 keeps the planner from taking the parts together.
const withCertificates = `FROM signing s CROSS JOIN LATERAL (
    SELECT signing, position, family, usage, ordinal, eui64 FROM certificate o WHERE o.signing = s.id OFFSET 0) c`
const addedSql = `SELECT c.signing, c.position, true AS sure ${withCertificates} WHERE ${added}
  ORDER BY c.signing, c.position`

const others = Object.keys(kinds)
  .map(kind => families[kind as keyof typeof families])
  .filter(family => family !== families.device)
/** Each way in which a status changes. Whether a certificate expired is in its octets: those that may have are looked at. */
const changedSql = `SELECT w.signing, w.position, bool_or(w.sure) AS sure FROM (
    SELECT c.signing, c.position, true AS sure
      FROM revoked r JOIN certificate c ON ${bySerial('r.serial')} AND c.authority = r.authority
     WHERE r.at >= $1 AND r.at < $2
    UNION ALL
    SELECT signing, position, true FROM not_in_use WHERE since >= $1 AND since < $2
    UNION ALL
    -- A newer Device Certificate of the same usage takes the place in use of the one before it (REP-A04).
    SELECT older.signing, older.position, true ${withCertificates} CROSS JOIN LATERAL (
        SELECT o.signing, o.position FROM certificate o
         WHERE o.eui64 = c.eui64 AND o.family = c.family AND o.usage = c.usage AND o.ordinal < c.ordinal
           AND EXISTS (SELECT FROM signing s WHERE s.id = o.signing AND ${known})
         ORDER BY o.ordinal DESC LIMIT 1) older
     WHERE ${added} AND c.family = ${families.device}
    UNION ALL
    SELECT signing, position, false FROM certificate
     WHERE family <> ${families.device} AND family IN (${others.join(', ')})) w
  JOIN signing s ON s.id = w.signing AND ${known}
  GROUP BY w.signing, w.position ORDER BY w.signing, w.position`

const atOnce = 1000

interface Listed {
  readonly one: Lodged
  /** Its status changed, whatever its octets say. */
  readonly sure: boolean
}

/** The certificates that a statement names and the files carry, a thousand at a time. */
async function* listed(client: Client, sql: string, values: unknown[], at: Date): AsyncGenerator<Listed> {
  const cursor = `files_${cursors++}`
  await client.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}`, values)
  for (;;) {
    const { rows } = await client.query<{ signing: bigint; position: number; sure: boolean }>(
      `FETCH ${atOnce} FROM ${cursor}`,
    )
    if (rows.length === 0) break
    const found = await findWhere(
      client as unknown as Reader,
      '(c.signing, c.position) IN (SELECT * FROM unnest($1::int8[], $2::int2[])) ORDER BY c.signing, c.position',
      [rows.map(one => one.signing), rows.map(one => one.position)],
      at,
    )
    // Both are in the same order, and every one is found: they are of one moment.
    for (const [n, one] of found.entries()) if (kinds[one.family]) yield { one, sure: rows[n]!.sure }
  }
  await client.query(`CLOSE ${cursor}`)
}

let cursors = 0

/** It is expired at the end of the period, and was not at its beginning. */
function expiredIn(one: Lodged, from: Date): boolean {
  return one.status === 'E' && readCertificate(one.der).notAfter.ms >= from.getTime()
}
