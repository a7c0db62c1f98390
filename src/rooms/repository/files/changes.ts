/** What changed in a time, and what there is in all: the rows of a delta and of a full file, streamed. */

import type { Client } from '../../../ground/store/store.ts'
import { readCertificate } from '../../../ground/x509/certificate.ts'
import { everyCertificate, findBySerials, type Lodged, type Reader } from '../find.ts'
import { families } from '../register.ts'
import { kinds, row } from './record.ts'

export interface Period {
  readonly from: Date
  readonly until: Date
}

const numbers = Object.keys(kinds).map(kind => families[kind as keyof typeof families])

/** Every certificate with its status at that instant; the work of one transaction, so that all is of one moment. */
export async function* everything(client: Client, until: Date): AsyncGenerator<string> {
  for await (const one of everyCertificate(client as unknown as Reader, until)) {
    if (one.issuedAt < until && kinds[one.family]) yield row('A', one.issuedAt, one)
  }
}

/**
 * Certificates that were added, then those known before whose status changed. A certificate that was added and changed
 * its status within the period stands once, with the status it has at the end.
 * @param again signings that an earlier file found unfinished
 */
export async function* changes(
  client: Client,
  { from, until }: Period,
  again: readonly bigint[],
): AsyncGenerator<string> {
  const added = new Set<string>()
  for await (const one of listed(client, addedSql, [from, until, again, numbers], until)) {
    added.add(keyOf(one))
    yield row('A', one.issuedAt, one)
  }
  // Each way in which a status changes; a certificate that changed twice stands once.
  const told = new Set<string>()
  for (const sql of [revokedSql, withdrawnSql, replacedSql, expiredSql]) {
    for await (const one of listed(client, sql, [from, until, numbers], until)) {
      if (added.has(keyOf(one)) || told.has(keyOf(one))) continue
      told.add(keyOf(one))
      yield row('S', until, one)
    }
  }
}

const keyOf = ({ authority, serial }: Lodged) => `${authority} ${serial.toString('hex')}`

const complete = "JOIN signing s ON s.id = c.signing AND s.state = 'complete'"
const addedSql = `SELECT c.serial, c.authority, c.signing, c.position FROM certificate c ${complete}
  WHERE (s.at >= $1 AND s.at < $2 OR s.id = ANY($3)) AND c.family = ANY($4) ORDER BY c.signing, c.position`
const revokedSql = `SELECT c.serial, c.authority, c.signing, c.position FROM revoked r
  JOIN certificate c ON c.serial = r.serial AND c.authority = r.authority ${complete}
  WHERE r.at >= $1 AND r.at < $2 AND c.family = ANY($3) ORDER BY c.signing, c.position`
const withdrawnSql = `SELECT c.serial, c.authority, c.signing, c.position FROM not_in_use n
  JOIN certificate c ON c.signing = n.signing AND c.position = n.position ${complete}
  WHERE n.since >= $1 AND n.since < $2 AND c.family = ANY($3) ORDER BY c.signing, c.position`
// A newer Device Certificate of the same usage takes the place in use of the one before it (REP-A04).
const replacedSql = `SELECT o.serial, o.authority, o.signing, o.position FROM certificate c ${complete}
  JOIN certificate o ON o.eui64 = c.eui64 AND o.family = c.family AND o.usage = c.usage AND o.ordinal < c.ordinal
  JOIN signing t ON t.id = o.signing AND t.state = 'complete' AND t.at < $1
  WHERE s.at >= $1 AND s.at < $2 AND c.family = ${families.device} AND c.family = ANY($3) ORDER BY o.signing, o.position`
/** Whether one expired is in its octets: those issued so long ago that they may have are looked at. */
const expiredSql = `SELECT c.serial, c.authority, c.signing, c.position FROM certificate c ${complete}
  WHERE c.family <> ${families.device} AND c.family = ANY($3) AND s.at < $1 AND $2::timestamptz IS NOT NULL
  ORDER BY c.signing, c.position`

const atOnce = 1000

/** The certificates that a statement names, a thousand at a time. */
async function* listed(client: Client, sql: string, values: unknown[], at: Date): AsyncGenerator<Lodged> {
  const cursor = `files_${cursors++}`
  await client.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}`, values)
  for (;;) {
    const { rows } = await client.query<{ serial: Buffer; authority: number }>(`FETCH ${atOnce} FROM ${cursor}`)
    if (rows.length === 0) break
    const wanted = new Map(rows.map((one, i) => [`${one.authority} ${one.serial.toString('hex')}`, i]))
    const found = await findBySerials(
      client as unknown as Reader,
      rows.map(one => one.serial),
      at,
    )
    const inOrder = found
      .filter(one => wanted.has(keyOf(one)))
      .toSorted((a, b) => wanted.get(keyOf(a))! - wanted.get(keyOf(b))!)
    for (const one of inOrder) if (sql !== expiredSql || expiredIn(one, values[0] as Date)) yield one
  }
  await client.query(`CLOSE ${cursor}`)
}

let cursors = 0

/** It is expired at the end of the period, and was not at its beginning. */
function expiredIn(one: Lodged, from: Date): boolean {
  return one.status === 'E' && readCertificate(one.der).notAfter.ms >= from.getTime()
}
