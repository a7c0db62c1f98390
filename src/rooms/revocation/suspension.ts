/** Emergency suspension by direction of the SMKI PMA (L2.14): of what, until which later direction, who was informed. */

import type { JsonValue } from '../../ground/journal/entry.ts'
import {
  type Interface,
  interfaceNames,
  type SuspendedThing,
  type SuspensionGround,
  type SuspensionScope,
  suspendedThings,
  suspensionGrounds,
} from '../../policy/revocation/suspension.ts'
import { authorities } from '../authority/register.ts'
import { citeDecision, decisionOf } from '../governance/decisions.ts'
import { type Acting, type Actor, type Given, readGiven } from '../registration/act.ts'
import { notify } from '../registration/notices.ts'
import { organisationOf } from '../registration/party.ts'
import { isPlainText } from '../registration/text.ts'
import { actAlone, type RevocationHands } from './hands.ts'
import { asStore, type CertificateRef, lodgedAt, subjectOf } from './object.ts'
import { no } from './refusals.ts'
import { certificateColumns, type Suspension, suspensionHeld } from './suspended.ts'

/** What is suspended: one of the scopes, with what it names. */
export type SuspendedScope =
  | { readonly scope: 'service' }
  | { readonly scope: 'interface'; readonly interface: Interface }
  | { readonly scope: 'authority'; readonly authority: number }
  | { readonly scope: 'party'; readonly party: number }
  | { readonly scope: 'certificates'; readonly certificates: readonly CertificateRef[] }

export interface NewSuspension {
  /** Reference of the decision `suspend`; its subjects name the scope: `service`, `interface:…`, `authority:…`, … */
  readonly decision: string
  readonly of: SuspendedScope
  readonly stops: SuspendedThing
  readonly ground: SuspensionGround
  /** Interfaces that go on under every suspension that does not name them: those that this one does name. */
  readonly named?: readonly Interface[] | undefined
}

/**
 * Suspends, from this instant. Doors learn of it at their next question.
 * @returns the suspension
 * @throws Refusal SUSPENSION_SCOPE, PARTY_UNKNOWN, CERTIFICATE_UNKNOWN, and those of `citeDecision`
 */
export function suspend(
  hands: RevocationHands,
  by: Actor,
  asked: NewSuspension,
  given: Given,
): Promise<Suspension> {
  return actAlone(hands, by, 'suspend', { scope: asked.of.scope }, undefined, async acting => {
    const { client, at, note } = acting
    const subjects = await subjectsOf(acting, hands, asked)
    const { decision, of, stops, ground } = asked
    await citeDecision(client, { reference: decision, act: 'suspend', subjects, at })
    const goesOn = goingOn(hands, asked)
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO suspension (decision, scope, interface, authority, party, stops, ground, goes_on, started_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
      [
        decision,
        of.scope,
        of.scope === 'interface' ? of.interface : null,
        of.scope === 'authority' ? of.authority : null,
        of.scope === 'party' ? of.party : null,
        stops,
        ground,
        goesOn,
        at,
      ],
    )
    const { id } = rows[0]!
    if (of.scope === 'certificates') {
      await client.query(
        `INSERT INTO suspension_certificate (suspension, authority, serial)
         SELECT DISTINCT $1::int, authority, serial FROM unnest($2::int2[], $3::bytea[]) AS given (authority, serial)`,
        [id, ...certificateColumns(of.certificates)],
      )
    }
    const about = {
      suspension: id,
      decision,
      scope: of.scope,
      subjects: subjects.slice(0, 200),
      stops,
      ground,
      goesOn,
    }
    await note('suspend', { ...about, count: subjects.length, ...readGiven(given) })
    await tell(acting, 'SMKI Services are suspended (L2.14)', about, of)
    return suspensionHeld(client, id)
  })
}

/**
 * Ends a suspension by a later direction.
 * @throws Refusal SUSPENSION_UNKNOWN, SUSPENSION_ENDED, SUSPENSION_FOR_GOOD, SUSPENSION_LATER_DIRECTION, and those of
 * `citeDecision`
 */
export function resume(
  hands: RevocationHands,
  by: Actor,
  id: number,
  decision: string,
  given: Given,
): Promise<Suspension> {
  return actAlone(hands, by, 'resume from suspension', { suspension: id }, undefined, async acting => {
    const { client, at, note } = acting
    const one = await suspensionHeld(client, id)
    if (one.endedAt) throw no('SUSPENSION_ENDED')
    if (one.forGood) throw no('SUSPENSION_FOR_GOOD')
    const subjects = await subjectsOnRecord(acting, one)
    const later = await citeDecision(client, { reference: decision, act: 'resume', subjects, at })
    const first = await decisionOf(client, one.decision)
    if (first && later.decidedAt <= first.decidedAt) throw no('SUSPENSION_LATER_DIRECTION')
    await client.query('UPDATE suspension SET ended_at = $2, end_decision = $3 WHERE id = $1', [id, at, decision])
    const about = { suspension: id, decision, began: one.decision }
    await note('resume from suspension', { ...about, ...readGiven(given) })
    await tell(acting, 'a suspension has ended', about, one)
    return suspensionHeld(client, id)
  })
}

/** Who else was told, and how: `SEC Panel`, `party 3`, a person's reference. @throws Refusal INFORMED_UNFIT, SUSPENSION_UNKNOWN */
export function recordInformed(
  hands: RevocationHands,
  by: Actor,
  id: number,
  informed: { readonly who: string; readonly how: string },
): Promise<void> {
  return actAlone(hands, by, 'record informed', { suspension: id }, undefined, async acting => {
    const { who, how } = informed
    if (!isPlainText(who, 64) || !isPlainText(how, 200) || who === '' || how === '') throw no('INFORMED_UNFIT')
    await suspensionHeld(acting.client, id)
    await keepInformed(acting, id, who, how)
    await acting.note('record informed', { suspension: id, who, how })
  })
}

async function keepInformed({ client, at }: Acting, id: number, who: string, how: string): Promise<void> {
  await client.query(
    `INSERT INTO suspension_informed (suspension, number, who, how, at)
     SELECT $1, count(*) + 1, $2, $3, $4 FROM suspension_informed WHERE suspension = $1`,
    [id, who, how, at],
  )
}

/** Those whom it concerns are told at once, and that they were stands on the record. */
async function tell(
  acting: Acting,
  subject: string,
  about: Readonly<Record<string, JsonValue>> & { readonly suspension: number },
  of: { readonly scope: SuspensionScope; readonly party?: number | undefined },
): Promise<void> {
  const recipients = ['Registration Authority', 'SEC Panel']
  if (of.scope === 'party') recipients.push(`party ${of.party}`)
  for (const recipient of recipients) {
    const notice = await notify(acting, recipient, subject, about)
    await keepInformed(acting, about.suspension, recipient, `notice ${notice}`)
  }
}

/** What the direction has to name, each of it. @throws Refusal SUSPENSION_SCOPE, … */
async function subjectsOf(
  { client, at }: Acting,
  hands: RevocationHands,
  { of, stops, ground, named = [] }: NewSuspension,
): Promise<string[]> {
  if (!hands.revocation.suspensionScopes.includes(of.scope)) throw no('SUSPENSION_SCOPE', of.scope)
  if (!suspendedThings.includes(stops) || !suspensionGrounds.includes(ground)) throw no('SUSPENSION_SCOPE', 'L2.14')
  if (!named.every(one => interfaceNames.includes(one))) throw no('SUSPENSION_SCOPE', 'named')
  const also = of.scope === 'interface' ? [] : named.map(one => `interface:${one}`)
  switch (of.scope) {
    case 'service':
      return ['service', ...also]
    case 'interface':
      if (!interfaceNames.includes(of.interface)) throw no('SUSPENSION_SCOPE', 'interface')
      return [`interface:${of.interface}`]
    case 'authority':
      if (!(await authorities(asStore(client))).some(one => one.id === of.authority))
        throw no('SUSPENSION_SCOPE', 'authority')
      return [`authority:${of.authority}`, ...also]
    case 'party':
      await organisationOf(client, of.party)
      return [`party:${of.party}`, ...also]
    case 'certificates':
      if (of.certificates.length === 0 || of.certificates.length > 10_000)
        throw no('SUSPENSION_SCOPE', 'certificates')
      for (const one of of.certificates) await lodgedAt(client, one, at)
      return [...of.certificates.map(subjectOf), ...also]
  }
}

/** The same of a suspension on record: a later direction names what the first one named, but for interfaces beside it. */
async function subjectsOnRecord({ client }: Acting, one: Suspension): Promise<string[]> {
  if (one.scope === 'interface') return [`interface:${one.interface}`]
  if (one.scope === 'authority') return [`authority:${one.authority}`]
  if (one.scope === 'party') return [`party:${one.party}`]
  if (one.scope === 'service') return ['service']
  const { rows } = await client.query<{ subject: string }>(
    `SELECT 'certificate:' || authority || ':' || encode(serial, 'hex') AS subject FROM suspension_certificate
      WHERE suspension = $1 ORDER BY authority, serial`,
    [one.id],
  )
  return rows.map(row => row.subject)
}

/** REG-A11, DCK-A08: lists are published and the Repository answers unless they are named; the DCCKI likewise. */
function goingOn({ revocation }: RevocationHands, { of, named = [] }: NewSuspension): Interface[] {
  if (of.scope === 'interface') return []
  const spared: Interface[] = [
    ...revocation.goesOn,
    ...(revocation.suspensionSparesDccki ? ['DCCKI' as const] : []),
  ]
  return [...new Set(spared)].filter(one => !named.includes(one))
}
