/** Events of Default (L2.5): material breach of the SMKI Document Set, from the finding of the SMKI PMA to its outcome. */

import type { Client, Store } from '../../ground/store/store.ts'
import type { DefaultStep } from '../../policy/revocation/default.ts'
import { citeDecision } from '../governance/decisions.ts'
import {
  type Acting,
  type Actor,
  act,
  type Evidence,
  type Given,
  readGiven,
  requireOffice,
} from '../registration/act.ts'
import { notify } from '../registration/notices.ts'
import { organisationOf } from '../registration/party.ts'
import { isPlainText } from '../registration/text.ts'
import type { RevocationHands } from './hands.ts'
import { no } from './refusals.ts'

export interface EventOfDefault {
  readonly id: number
  readonly party: number
  /** The provision that was broken. */
  readonly provision: string
  readonly flow: readonly DefaultStep[]
  readonly steps: readonly {
    readonly step: string
    readonly person: string
    readonly decision: string | undefined
    readonly words: string
    readonly evidence: readonly Evidence[]
    readonly at: Date
  }[]
  /** The step that comes next; undefined when the outcome is on record. */
  readonly due: string | undefined
  readonly foundAt: Date
  readonly closedAt: Date | undefined
}

/** What goes with a step beside its words and evidence. */
export interface StepTaken extends Given {
  /** Reference of the decision `event of default`, whose subject is `party:<number>`, where the step cites one. */
  readonly decision?: string | undefined
}

/**
 * The SMKI PMA finds a material breach: the first step of the flow (REG-A12).
 * @throws Refusal DEFAULT_UNFIT, PARTY_UNKNOWN, NOT_FOR_THIS_OFFICE, and those of `citeDecision`
 */
export function recordFinding(
  hands: RevocationHands,
  by: Actor,
  found: { readonly party: number; readonly provision: string },
  taken: StepTaken,
): Promise<EventOfDefault> {
  const { party, provision } = found
  const { defaultFlow } = hands.revocation
  return act(hands, by, { act: 'Event of Default', says: { party } }, async acting => {
    const { client, at } = acting
    if (!isPlainText(provision, 200) || provision === '') throw no('DEFAULT_UNFIT')
    await organisationOf(client, party)
    const { rows } = await client.query<{ id: number }>(
      'INSERT INTO event_of_default (party, provision, flow, found_at) VALUES ($1, $2, $3, $4) RETURNING id',
      [party, provision, JSON.stringify(defaultFlow), at],
    )
    return take(acting, by, await eventOf(client, rows[0]!.id), defaultFlow[0]!.step, taken)
  })
}

/**
 * Takes the next step: notice to the Panel, its process, its outcome.
 * @throws Refusal DEFAULT_UNKNOWN, DEFAULT_STEP, NOT_FOR_THIS_OFFICE, and those of `citeDecision`
 */
export function takeDefaultStep(
  hands: RevocationHands,
  by: Actor,
  id: number,
  step: string,
  taken: StepTaken,
): Promise<EventOfDefault> {
  return act(hands, by, { act: 'Event of Default', says: { event: id } }, async acting => {
    await acting.client.query('SELECT FROM event_of_default WHERE id = $1 FOR UPDATE', [id])
    return take(acting, by, await eventOf(acting.client, id), step, taken)
  })
}

/** @throws Refusal DEFAULT_UNKNOWN */
export async function eventOf(store: Reader, id: number): Promise<EventOfDefault> {
  const [one] = await read(store, 'WHERE e.id = $1', [id])
  if (!one) throw no('DEFAULT_UNKNOWN', String(id))
  return one
}

/** All on record, oldest first. */
export function eventsOfDefault(store: Reader): Promise<EventOfDefault[]> {
  return read(store, '', [])
}

async function take(
  acting: Acting,
  by: Actor,
  event: EventOfDefault,
  step: string,
  taken: StepTaken,
): Promise<EventOfDefault> {
  const { client, at, note } = acting
  const rule = event.flow[event.steps.length]
  if (!rule || rule.step !== step) throw no('DEFAULT_STEP', rule ? rule.step : 'it is closed')
  requireOffice(acting.by, rule.by, undefined)
  const { decision } = taken
  const { words, evidence } = readGiven(taken)
  if (rule.decision === true || decision !== undefined) {
    const subjects = [`party:${event.party}`]
    await citeDecision(client, { reference: decision ?? '', act: 'event of default', subjects, at })
  }
  const number = event.steps.length + 1
  const isLast = number === event.flow.length
  await client.query(
    `INSERT INTO event_of_default_step (event, number, step, person, office, decision, words, evidence, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [event.id, number, step, personOf(by), acting.by.as, decision ?? null, words, JSON.stringify(evidence), at],
  )
  if (isLast) await client.query('UPDATE event_of_default SET closed_at = $2 WHERE id = $1', [event.id, at])
  const about = { event: event.id, party: event.party, provision: event.provision, step }
  await note('Event of Default', { ...about, words, evidence, ...(decision !== undefined && { decision }) })
  if (rule.notice !== undefined) await notify(acting, rule.notice, `Event of Default: ${step}`, about)
  return eventOf(client, event.id)
}

/** `act` has found the officer in office: it is not the ceremony. */
function personOf(by: Actor): string {
  return by === 'ceremony' ? by : by.person
}

type Reader = Pick<Store, 'query'> | Client

async function read(store: Reader, where: string, values: unknown[]): Promise<EventOfDefault[]> {
  const { rows } = await (store as Client).query<{
    id: number
    party: number
    provision: string
    flow: DefaultStep[]
    found_at: Date
    closed_at: Date | null
    steps: {
      step: string
      person: string
      decision: string | null
      words: string
      evidence: Evidence[]
      at: string
    }[]
  }>(
    `SELECT e.id, e.party, e.provision, e.flow, e.found_at, e.closed_at,
       (SELECT coalesce(json_agg(json_build_object('step', s.step, 'person', s.person, 'decision', s.decision,
          'words', s.words, 'evidence', s.evidence, 'at', s.at) ORDER BY s.number), '[]')
          FROM event_of_default_step s WHERE s.event = e.id) AS steps
       FROM event_of_default e ${where} ORDER BY e.id`,
    values,
  )
  return rows.map(({ found_at, closed_at, ...row }) => ({
    ...row,
    steps: row.steps.map(one => ({ ...one, decision: one.decision ?? undefined, at: new Date(one.at) })),
    due: row.flow[row.steps.length]?.step,
    foundAt: found_at,
    closedAt: closed_at ?? undefined,
  }))
}
