/** Supplier of Last Resort (L16): by decision of the SMKI PMA a failed supplier's revocations wait, and come back due at once. */

import type { Client } from '../../ground/store/store.ts'
import { citeDecision } from '../governance/decisions.ts'
import { type Actor, type Given, readGiven } from '../registration/act.ts'
import { notify } from '../registration/notices.ts'
import { organisationOf } from '../registration/party.ts'
import { isPlainText } from '../registration/text.ts'
import { bringBack, type EndedDeferral, finish } from './bring-back.ts'
import { caseOf, cases, heldCase, type RevocationCase } from './case.ts'
import { type Deferral, deferralOf, deferrals, join } from './covering.ts'
import { actAlone, bySchedule, type RevocationHands } from './hands.ts'
import { holdParty } from './inside/below.ts'
import { cite } from './kinds.ts'
import { type CertificateRef, revocableAt, subjectOf } from './object.ts'
import { certificatesOfParty } from './party.ts'
import { no } from './refusals.ts'

export interface NewDeferral {
  /** Reference of the decision `defer revocation`, whose subject is `party:<number>`. */
  readonly decision: string
  readonly party: number
  readonly userIds: readonly string[]
  readonly mpids: readonly string[]
  /** Those alone; absent: every certificate of the supplier, later ones too. */
  readonly certificates?: readonly CertificateRef[] | undefined
  readonly reviewAt: Date
  /** When it lapses unless it is extended; absent: when a decision ends it. */
  readonly endsAt?: Date | undefined
}

/**
 * Begins a deferral. Cases of that supplier that are open join it.
 * @throws Refusal DEFERRAL_WITHOUT_CERTIFICATES, DEFERRAL_EXISTS, DEFERRAL_DATES, DEFERRAL_UNFIT, NOT_OF_PARTY,
 * PARTY_UNKNOWN, and those of `citeDecision`
 */
export function beginDeferral(
  hands: RevocationHands,
  by: Actor,
  asked: NewDeferral,
  given: Given,
): Promise<Deferral> {
  const { party, decision, reviewAt, endsAt } = asked
  return actAlone(hands, by, 'begin deferral', { party }, undefined, async acting => {
    const { client, at, note } = acting
    await organisationOf(client, party)
    await holdParty(client, party)
    requireLists(asked)
    requireDates(at, reviewAt, endsAt)
    const covered = await coveredBy(client, hands, asked, at)
    if (covered.length === 0) throw no('DEFERRAL_WITHOUT_CERTIFICATES')
    if ((await deferrals(client, { party, open: true })).length > 0) throw no('DEFERRAL_EXISTS')
    await citeDecision(client, { reference: decision, act: 'defer revocation', subjects: [`party:${party}`], at })

    const deferral = await enter(client, asked, covered, at)
    await note('begin deferral', { ...says(deferral), certificates: covered.length, ...readGiven(given) })
    await notify(acting, `party ${party}`, 'revocation is deferred (L16)', says(deferral))
    for (const { id } of await cases(client, { party, states: ['received', 'authenticated'] })) {
      const one = await heldCase(client, id)
      const isCovered = deferral.whole || covered.some(ref => subjectOf(ref) === subjectOf(one.certificate))
      if (isCovered && one.object !== 'RA staff') await join(acting, one, deferral)
    }
    return deferralOf(client, deferral.id)
  })
}

/** By a decision of its own. @throws Refusal DEFERRAL_UNKNOWN, DEFERRAL_ENDED, DEFERRAL_DATES, and of `citeDecision` */
export function extendDeferral(
  hands: RevocationHands,
  by: Actor,
  id: number,
  asked: { readonly decision: string; readonly reviewAt: Date; readonly endsAt?: Date | undefined },
  given: Given,
): Promise<Deferral> {
  const { decision, reviewAt, endsAt } = asked
  return actAlone(hands, by, 'extend deferral', { deferral: id }, undefined, async acting => {
    const { client, at, note } = acting
    const deferral = await heldOpen(client, id)
    // What has run out brought its revocations back: whoever wants another deferral decides another.
    if (deferral.endsAt && deferral.endsAt <= at) throw no('DEFERRAL_ENDED', 'its time has run out')
    requireDates(at, reviewAt, endsAt)
    const subjects = [`party:${deferral.party}`]
    await citeDecision(client, { reference: decision, act: 'extend deferral', subjects, at })
    await client.query(
      `INSERT INTO deferral_extension (deferral, number, decision, review_at, ends_at, at) VALUES ($1, $2, $3, $4, $5, $6)`,
      [id, deferral.extensions.length + 1, decision, reviewAt, endsAt ?? null, at],
    )
    await client.query('UPDATE revocation_deferral SET review_at = $2, ends_at = $3 WHERE id = $1', [
      id,
      reviewAt,
      endsAt ?? null,
    ])
    const extended = await deferralOf(client, id)
    await note('extend deferral', { ...says(extended), extension: decision, ...readGiven(given) })
    return extended
  })
}

/**
 * Ends a deferral by decision: what waited under it is revoked at once, but for the cases that the SMKI PMA decided
 * otherwise about, which are cancelled.
 * @throws Refusal DEFERRAL_UNKNOWN, DEFERRAL_ENDED, CASE_STATE for a cancelled case that does not wait under it, and
 * those of `citeDecision`
 */
export function endDeferral(
  hands: RevocationHands,
  by: Actor,
  id: number,
  asked: { readonly decision: string; readonly cancel?: readonly number[] | undefined },
  given: Given,
): Promise<EndedDeferral> {
  const { decision, cancel = [] } = asked
  return actAlone(hands, by, 'end deferral', { deferral: id }, undefined, async acting => {
    const { client, at, note } = acting
    const deferral = await heldOpen(client, id)
    await citeDecision(client, {
      reference: decision,
      act: 'end deferral',
      subjects: [`party:${deferral.party}`],
      at,
    })
    await client.query('UPDATE revocation_deferral SET ended_at = $2, end_decision = $3 WHERE id = $1', [
      id,
      at,
      decision,
    ])
    await note('end deferral', { ...says(deferral), end: decision, cancel, ...readGiven(given) })
    return bringBack(acting, hands, id, cancel)
  })
}

/** Ends every deferral whose time has run out without an extension. A job; it may run twice. */
export async function lapseDeferrals(hands: RevocationHands): Promise<EndedDeferral[]> {
  const ended: EndedDeferral[] = []
  for (const { id, endsAt } of await deferrals(hands.store, { open: true })) {
    const at = hands.clock()
    if (!endsAt || endsAt > at) continue
    const one = await hands.store.transaction(async client => {
      const doing = bySchedule(client, at)
      const deferral = await held(client, id)
      // Another run may have ended it meanwhile, or a decision extended it.
      if (deferral.endedAt || !deferral.endsAt || deferral.endsAt > at) return undefined
      await client.query('UPDATE revocation_deferral SET ended_at = $2 WHERE id = $1', [id, at])
      await doing.note('end deferral', { ...says(deferral), end: null })
      await notify(doing, 'SMKI PMA', 'a deferral has run out: its revocations are done', says(deferral))
      return bringBack(doing, hands, id, [])
    })
    if (one) ended.push(one)
  }
  return ended
}

/**
 * Revokes one deferred certificate although the deferral goes on: the SMKI PMA decided so about it, as of a Compromise.
 * @throws Refusal CASE_UNKNOWN, CASE_STATE, ALREADY_REVOKED, and those of `citeDecision`
 */
export function releaseCase(
  hands: RevocationHands,
  by: Actor,
  id: number,
  decision: string,
  given: Given,
): Promise<RevocationCase> {
  return actAlone(hands, by, 'release case', { case: id }, undefined, async acting => {
    const { client, at, note } = acting
    await holdParty(client, (await caseOf(client, id)).party)
    const one = await heldCase(client, id)
    if (one.state !== 'deferred') throw no('CASE_STATE', one.state)
    await cite(client, one, decision, at)
    await note('release case', { case: id, decision, ...readGiven(given) })
    return finish(acting, hands, one, 'revoke')
  })
}

async function heldOpen(client: Client, id: number): Promise<Deferral> {
  const deferral = await held(client, id)
  if (deferral.endedAt) throw no('DEFERRAL_ENDED')
  return deferral
}

async function held(client: Client, id: number): Promise<Deferral> {
  const { party } = await deferralOf(client, id)
  await holdParty(client, party)
  return deferralOf(client, id)
}

async function enter(
  client: Client,
  { decision, party, userIds, mpids, certificates, reviewAt, endsAt }: NewDeferral,
  covered: readonly CertificateRef[],
  at: Date,
): Promise<Deferral> {
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO revocation_deferral (decision, party, user_ids, mpids, whole, started_at, review_at, ends_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
    [decision, party, userIds, mpids, certificates === undefined, at, reviewAt, endsAt ?? null],
  )
  const { id } = rows[0]!
  await client.query(
    `INSERT INTO deferral_certificate (deferral, authority, serial)
     SELECT DISTINCT $1::int, authority, serial FROM unnest($2::int2[], $3::bytea[]) AS given (authority, serial)`,
    [id, covered.map(one => one.authority), covered.map(one => Buffer.from(one.serial, 'hex'))],
  )
  return deferralOf(client, id)
}

/** What it is about: the certificates that are named, each found to be the supplier's; else all that it holds. */
async function coveredBy(
  client: Client,
  hands: RevocationHands,
  { party, certificates }: NewDeferral,
  at: Date,
): Promise<CertificateRef[]> {
  if (certificates === undefined) return certificatesOfParty(client, party, at)
  const refs: CertificateRef[] = []
  for (const one of certificates) {
    const found = await revocableAt(client, hands.schedules, one, at)
    if (found.party !== party || found.object === 'RA staff') throw no('NOT_OF_PARTY', subjectOf(one))
    refs.push(found.ref)
  }
  return refs
}

function requireLists({ userIds, mpids, certificates }: NewDeferral): void {
  const fit = [...userIds, ...mpids].every(one => isPlainText(one, 64) && one !== '')
  const short = userIds.length <= 200 && mpids.length <= 200 && (certificates?.length ?? 1) <= 1000
  if (!fit || !short || certificates?.length === 0) throw no('DEFERRAL_UNFIT')
}

function requireDates(at: Date, reviewAt: Date, endsAt: Date | undefined): void {
  // An end that has passed would make what is decided now lapse at once.
  if (!(reviewAt > at) || (endsAt && !(endsAt >= reviewAt))) throw no('DEFERRAL_DATES')
}

function says({ id, decision, party, whole, userIds, mpids, reviewAt, endsAt }: Deferral) {
  return {
    deferral: id,
    decision,
    party,
    whole,
    userIds,
    mpids,
    review: reviewAt.toISOString(),
    ends: endsAt?.toISOString() ?? null,
  }
}
