/** Deferrals under Section L16 as they stand, and whether one covers a certificate (registration-revocation.md 6.5). */

import { fromHex, toHex } from '../../ground/bytes.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { groundRow } from '../../policy/revocation/grounds.ts'
import { notify } from '../registration/notices.ts'
import type { RevocationCase } from './case.ts'
import type { Doing } from './hands.ts'
import type { CertificateRef } from './inside/below.ts'
import { subjectOf } from './object.ts'
import { no } from './refusals.ts'

export interface Deferral {
  readonly id: number
  /** Reference of the SMKI PMA's decision. */
  readonly decision: string
  readonly party: number
  readonly userIds: readonly string[]
  readonly mpids: readonly string[]
  /** Whether it covers every certificate of the supplier, later ones too; else those listed alone. */
  readonly whole: boolean
  readonly startedAt: Date
  readonly reviewAt: Date
  /** When it lapses unless it is extended. */
  readonly endsAt: Date | undefined
  readonly endedAt: Date | undefined
  readonly endDecision: string | undefined
  readonly extensions: readonly {
    readonly decision: string
    readonly reviewAt: Date
    readonly endsAt: Date | undefined
    readonly at: Date
  }[]
}

type Reader = Pick<Store, 'query'> | Client

export function deferrals(
  store: Reader,
  filter: { readonly party?: number; readonly open?: true } = {},
): Promise<Deferral[]> {
  return read(store, 'WHERE ($1::int IS NULL OR d.party = $1) AND (NOT $2 OR d.ended_at IS NULL)', [
    filter.party ?? null,
    filter.open ?? false,
  ])
}

/** @throws Refusal DEFERRAL_UNKNOWN */
export async function deferralOf(store: Reader, id: number): Promise<Deferral> {
  const [one] = await read(store, 'WHERE d.id = $1', [id])
  if (!one) throw no('DEFERRAL_UNKNOWN', String(id))
  return one
}

/** The certificates that the supplier held when the deferral began. */
export async function certificatesOfDeferral(store: Reader, id: number): Promise<CertificateRef[]> {
  const { rows } = await (store as Client).query<{ authority: number; serial: Buffer }>(
    'SELECT authority, serial FROM deferral_certificate WHERE deferral = $1 ORDER BY authority, serial',
    [id],
  )
  return rows.map(({ authority, serial }) => ({ authority, serial: toHex(serial) }))
}

/** Families that Section L16 reaches: Organisation, IKI and DCCKI Certificates (MP134A). */
const deferrable: readonly string[] = ['organisation', 'iki', 'DCCKI']

/** The deferral that makes a revocation wait at that instant; one that has run out, and was not ended yet, does not. */
export async function coveringDeferral(
  store: Reader,
  { object, party, certificate }: Pick<RevocationCase, 'object' | 'party' | 'certificate'>,
  at: Date,
): Promise<Deferral | undefined> {
  if (party === undefined || !deferrable.includes(object)) return undefined
  const [one] = await read(
    store,
    `WHERE d.party = $1 AND d.ended_at IS NULL AND d.started_at <= $4 AND (d.ends_at IS NULL OR d.ends_at > $4)
       AND (d.whole OR EXISTS (SELECT FROM deferral_certificate c
         WHERE c.deferral = d.id AND c.authority = $2 AND c.serial = $3))`,
    [party, certificate.authority, fromHex(certificate.serial), at],
  )
  return one
}

/**
 * A case joins the deferral that covers it: it is seen there from now on, and waits once it is authenticated. Of a
 * Compromise the SMKI PMA is asked at once.
 */
export async function join(doing: Doing, one: RevocationCase, deferral: Deferral): Promise<void> {
  const { client, at, note } = doing
  const waits = one.state === 'authenticated'
  await client.query(
    `UPDATE revocation_case SET deferral = $2, state = CASE WHEN $3 THEN 'deferred' ELSE state END,
       deferred_at = CASE WHEN $3 THEN $4 ELSE deferred_at END WHERE id = $1`,
    [one.id, deferral.id, waits, at],
  )
  const about = {
    case: one.id,
    deferral: deferral.id,
    decision: deferral.decision,
    certificate: subjectOf(one.certificate),
    review: deferral.reviewAt.toISOString(),
  }
  await note(waits ? 'defer revocation' : 'join deferral', about)
  if (groundRow(one.ground).compromise !== true || one.question !== undefined) return
  const question = await notify(doing, 'SMKI PMA', 'Compromise under a deferral: decide now', {
    ...about,
    ground: one.ground,
    ...(one.party !== undefined && { party: one.party }),
  })
  await client.query('UPDATE revocation_case SET question = $2 WHERE id = $1', [one.id, question])
}

/** What a refusal says of the deferral that is in the way. */
export function deferred(deferral: Deferral): ReturnType<typeof no> {
  const review = deferral.reviewAt.toISOString()
  return no('REVOCATION_DEFERRED', `decision ${deferral.decision}, review on ${review}`, {
    deferral: deferral.id,
    decision: deferral.decision,
    review,
  })
}

interface Row {
  id: number
  decision: string
  party: number
  user_ids: string[]
  mpids: string[]
  whole: boolean
  started_at: Date
  review_at: Date
  ends_at: Date | null
  ended_at: Date | null
  end_decision: string | null
  extensions: { decision: string; review_at: string; ends_at: string | null; at: string }[]
}

async function read(store: Reader, where: string, values: unknown[]): Promise<Deferral[]> {
  const { rows } = await (store as Client).query<Row>(
    `SELECT d.id, d.decision, d.party, d.user_ids, d.mpids, d.whole, d.started_at, d.review_at, d.ends_at, d.ended_at,
            d.end_decision, (SELECT coalesce(json_agg(json_build_object('decision', e.decision, 'review_at', e.review_at,
              'ends_at', e.ends_at, 'at', e.at) ORDER BY e.number), '[]')
              FROM deferral_extension e WHERE e.deferral = d.id) AS extensions
       FROM revocation_deferral d ${where} ORDER BY d.id`,
    values,
  )
  return rows.map(row => ({
    id: row.id,
    decision: row.decision,
    party: row.party,
    userIds: row.user_ids,
    mpids: row.mpids,
    whole: row.whole,
    startedAt: row.started_at,
    reviewAt: row.review_at,
    endsAt: row.ends_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    endDecision: row.end_decision ?? undefined,
    extensions: row.extensions.map(one => ({
      decision: one.decision,
      reviewAt: new Date(one.review_at),
      endsAt: one.ends_at === null ? undefined : new Date(one.ends_at),
      at: new Date(one.at),
    })),
  }))
}
