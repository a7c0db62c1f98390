/** What this room looks up of the rooms below by ranges and by states, all in one place: whose a certificate is. */

import { fromHex, toHex } from '../../../ground/bytes.ts'
import type { Client, Store } from '../../../ground/store/store.ts'
import { readTbs } from '../../../ground/x509/certificate.ts'
import { families } from '../../repository/register.ts'

/** The issuer's number in the register of authorities, and the serial number in 32 lower-case hexadecimal digits. */
export interface CertificateRef {
  readonly authority: number
  readonly serial: string
}

export interface PartyCertificate extends CertificateRef {
  readonly expiresAt: Date
}

type Reader = Pick<Store, 'query'> | Client

/**
 * Holds a Party's row until the end of the transaction, whether it ceased or not: what is decided of one Party is decided
 * in turn, so that a revocation is either before a deferral or under it. Tasks hold it before themselves, and so do we.
 */
export async function holdParty(client: Client, party: number | undefined): Promise<void> {
  if (party !== undefined) await client.query('SELECT FROM party WHERE id = $1 FOR NO KEY UPDATE', [party])
}

/**
 * The Party that the EUI-64 (16 hexadecimal digits) was declared by when the certificate was issued: by the form that was
 * in force then, or, in a test environment, by its entry. Certificates know whole seconds only.
 */
export async function ownerAt(store: Reader, eui64: string, issuedAt: Date): Promise<number | undefined> {
  const rows = await ask<{ party: number }>(
    store,
    `SELECT f.party FROM eui64_range r JOIN organisation_form f ON f.id = r.form
      WHERE r.first <= $1 AND r.last >= $1 AND date_trunc('second', f.in_force_at) <= $2 AND coalesce(f.ended_at, 'infinity') > $2
     UNION ALL SELECT party FROM party_role WHERE eui64 = $3 LIMIT 1`,
    [String(BigInt(`0x${eui64}`)), issuedAt, fromHex(eui64)],
  )
  return rows[0]?.party
}

/** The Organisation Certificates of a Party that are neither revoked nor expired, by authority and serial number. */
export async function organisationCertificates(
  store: Reader,
  party: number,
  at: Date,
): Promise<PartyCertificate[]> {
  const declared = await ask<{ first: string; last: string; since: Date; until: Date | null }>(
    store,
    `SELECT r.first, r.last, f.in_force_at AS since, f.ended_at AS until
       FROM eui64_range r JOIN organisation_form f ON f.id = r.form WHERE f.party = $1 AND f.in_force_at IS NOT NULL`,
    [party],
  )
  const entered = await ask<{ eui64: Buffer }>(store, 'SELECT eui64 FROM party_role WHERE party = $1', [party])
  const spans = [
    ...declared.map(({ first, last, ...time }) => ({ first: octets(first), last: octets(last), ...time })),
    ...entered.map(({ eui64 }) => ({ first: eui64, last: eui64, since: new Date(0), until: null })),
  ]
  const found = new Map<string, PartyCertificate>()
  for (const { first, last, since, until } of spans) {
    const rows = await ask<{ authority: number; serial: Buffer; tbs: Buffer }>(
      store,
      `SELECT c.authority, c.serial, c.tbs FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'complete'
        WHERE c.eui64 BETWEEN $1 AND $2 AND c.family = ${families.organisation} AND s.at >= date_trunc('second', $3::timestamptz)
          AND s.at < coalesce($4::timestamptz, 'infinity')
          AND NOT EXISTS (SELECT FROM revoked r WHERE r.authority = c.authority AND r.serial = c.serial)`,
      [first, last, since, until],
    )
    for (const { authority, serial, tbs } of rows) {
      const expiresAt = new Date(readTbs(tbs).notAfter.ms)
      const ref = { authority, serial: toHex(serial), expiresAt }
      if (expiresAt >= at) found.set(`${authority} ${ref.serial}`, ref)
    }
  }
  return [...found.values()].toSorted((a, b) => a.authority - b.authority || (a.serial < b.serial ? -1 : 1))
}

/** IKI Certificates of an authority (by SHA-256 of its name) whose credential has ended, and which are not revoked. */
export async function endedCredentials(
  store: Reader,
  issuer: Buffer,
  authority: number,
  most: number,
): Promise<{ serial: string; life: number | undefined; state: 'revoked' | 'returned' }[]> {
  const rows = await ask<{ serial: Buffer; life: number | null; state: 'revoked' | 'returned' }>(
    store,
    `SELECT c.serial, c.life, c.state FROM credential c
      WHERE c.issuer = $1 AND c.state IN ('revoked', 'returned')
        AND NOT EXISTS (SELECT FROM revoked r WHERE r.authority = $2 AND r.serial = c.serial)
        AND NOT EXISTS (SELECT FROM revocation_case k WHERE k.authority = $2 AND k.serial = c.serial
          AND k.state NOT IN ('refused', 'received', 'authenticated'))
      ORDER BY c.serial LIMIT $3`,
    [issuer, authority, most],
  )
  return rows.map(row => ({ serial: toHex(row.serial), life: row.life ?? undefined, state: row.state }))
}

/** Closes the door on a credential that was entered without the procedures, and so has no life to end. */
export async function closeEntered(client: Client, issuer: Buffer, serial: string): Promise<void> {
  await client.query("UPDATE credential SET state = 'revoked' WHERE issuer = $1 AND serial = $2 AND life IS NULL", [
    issuer,
    fromHex(serial),
  ])
}

/**
 * Whether an application to be an Authorised Subscriber for Organisation Certificates was accepted once and has ended; a
 * Party of a test environment never made one.
 */
export async function hadApplication(store: Reader, party: number): Promise<boolean> {
  const rows = await ask(
    store,
    "SELECT party FROM application WHERE party = $1 AND policy = 'smki-organisation' AND state = 'ended' LIMIT 1",
    [party],
  )
  return rows.length > 0
}

/** Revocations that the current list of their authority does not name yet: how many, and since when. */
export async function unlisted(store: Reader): Promise<{ authority: number; count: number; since: Date }[]> {
  const rows = await ask<{ authority: number; count: bigint; since: Date }>(
    store,
    `SELECT a.id AS authority, count(*) AS count, min(r.at) AS since
       FROM authority a LEFT JOIN list l ON l.authority = a.id AND l.superseded_at IS NULL
       JOIN revoked r ON r.authority = a.id AND r.seq > coalesce(l.covers, 0) GROUP BY a.id`,
    [],
  )
  return rows.map(row => ({ ...row, count: Number(row.count) }))
}

/** Serial numbers, hexadecimal, of all that an authority's lists name or have named. */
export async function revokedBy(store: Reader, authority: number): Promise<Set<string>> {
  const rows = await ask<{ serial: Buffer }>(store, 'SELECT serial FROM revoked WHERE authority = $1', [authority])
  return new Set(rows.map(row => toHex(row.serial)))
}

/** Whether a certificate is revoked, by whatever way. */
export async function isRevoked(store: Reader, { authority, serial }: CertificateRef): Promise<boolean> {
  const rows = await ask(store, 'SELECT authority FROM revoked WHERE authority = $1 AND serial = $2', [
    authority,
    fromHex(serial),
  ])
  return rows.length > 0
}

/** The newest revocation of an authority; 0n when there is none. */
export async function newestRevocation(store: Reader, authority: number): Promise<bigint> {
  const rows = await ask<{ seq: bigint }>(
    store,
    'SELECT coalesce(max(seq), 0) AS seq FROM revoked WHERE authority = $1',
    [authority],
  )
  return rows[0]!.seq
}

function octets(value: string): Buffer {
  return fromHex(BigInt(value).toString(16).padStart(16, '0'))
}

async function ask<R extends object>(store: Reader, text: string, values: unknown[]): Promise<R[]> {
  const { rows } = await (store as Pick<Store, 'query'>).query<R & Record<string, unknown>>(text, values)
  return rows
}
