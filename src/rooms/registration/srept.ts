/** SREPT: an organisation's plan, what it showed, and its completion, told to the Panel (L7). */

import { hash } from 'node:crypto'
import type { Client, Store } from '../../ground/store/store.ts'
import { procedures } from '../../policy/registration/procedure.ts'
import { type SreptInterface, scenariosFor, sreptInterfaces } from '../../policy/registration/srept.ts'
import { type Actor, act, actAlone, type Evidence, type Given, type Hands, readGiven } from './act.ts'
import type { RegistrationRules } from './form.ts'
import { notify } from './notices.ts'
import { partyHeld } from './party.ts'
import { no } from './refusals.ts'
import { following } from './standing.ts'
import { changed, type Kind, type Kinds, openTask } from './tasks.ts'

/**
 * Sets what the organisation is going to use, and so which scenarios it runs. May be changed until completion.
 * @throws Refusal SREPT_INTERFACES, SREPT_COMPLETED
 */
export function planSrept(
  hands: Hands,
  by: Actor,
  party: number,
  interfaces: readonly SreptInterface[],
  given: Given = {},
): Promise<void> {
  return actAlone(hands, by, 'plan SREPT', party, {}, async acting => {
    const { client, at } = acting
    const distinct = [...new Set(interfaces)].sort()
    if (distinct.length === 0 || !distinct.every(one => sreptInterfaces.includes(one))) throw no('SREPT_INTERFACES')
    await partyHeld(client, party)
    const { rows } = await client.query(
      `INSERT INTO srept (party, interfaces, planned_at, started_at) VALUES ($1, $2, $3, $3)
       ON CONFLICT (party) DO UPDATE SET interfaces = $2, planned_at = $3, completed_at = NULL, withdrawn_at = NULL,
           started_at = CASE WHEN srept.withdrawn_at IS NULL THEN srept.started_at ELSE $3 END
         WHERE srept.completed_at IS NULL OR srept.withdrawn_at IS NOT NULL RETURNING party`,
      [party, distinct, at],
    )
    if (rows.length === 0) throw no('SREPT_COMPLETED')
    await acting.note('plan SREPT', { party, interfaces: distinct, ...readGiven(given) })
    await changed(acting, sreptCompletions(hands.rules), 'SREPT completion', `SREPT ${party}`)
  })
}

export interface ScenarioResult extends Given {
  readonly scenario: string
  readonly passed: boolean
  /** Produced by a program that ran the scenario, not by a person who watched. */
  readonly automatic?: boolean | undefined
}

/** @throws Refusal SREPT_NOT_PLANNED, SREPT_SCENARIO_UNKNOWN, SREPT_COMPLETED, EVIDENCE_MISSING */
export function recordResult(hands: Hands, by: Actor, party: number, result: ScenarioResult): Promise<void> {
  const { scenario, passed, automatic = false } = result
  return actAlone(hands, by, 'record SREPT result', party, {}, async acting => {
    const { client, at } = acting
    await partyHeld(client, party)
    const plan = await planOf(client, party)
    if (!plan) throw no('SREPT_NOT_PLANNED')
    if (plan.completedAt) throw no('SREPT_COMPLETED')
    if (!plan.scenarios.some(one => one.id === scenario)) throw no('SREPT_SCENARIO_UNKNOWN')
    const { words, evidence } = readGiven(result)
    if (evidence.length === 0) throw no('EVIDENCE_MISSING', 'a result names where its evidence is')
    await client.query(
      `INSERT INTO srept_result (party, scenario, passed, automatic, words, evidence, person, at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [party, scenario, passed, automatic, words, JSON.stringify(evidence), acting.by.person, at],
    )
    await acting.note('record SREPT result', { party, scenario, passed, automatic, words, evidence })
    // A completion that waits was verified on other results.
    await changed(acting, sreptCompletions(hands.rules), 'SREPT completion', `SREPT ${party}`)
  })
}

/**
 * Requests that the completion be confirmed.
 * @throws Refusal SREPT_NOT_PLANNED, SREPT_COMPLETED, SREPT_INCOMPLETE (with the scenarios that were not passed)
 */
export function requestCompletion(
  hands: Hands,
  by: Actor,
  party: number,
  given: Given,
): Promise<{ task: number; digest: string }> {
  return act(hands, by, { act: 'request SREPT completion', says: { party } }, async acting => {
    await partyHeld(acting.client, party)
    requireComplete(await planOf(acting.client, party))
    const about = { subject: `SREPT ${party}`, party }
    const { rows } = await acting.client.query<{ id: number }>(
      "SELECT id FROM task WHERE kind = 'SREPT completion' AND subject = $1 AND state = 'open'",
      [about.subject],
    )
    if (rows[0]) throw no('SREPT_COMPLETED', `task ${rows[0].id} waits for it`)
    return openTask(acting, sreptCompletions(hands.rules), 'SREPT completion', about, given)
  })
}

export function sreptCompletions(rules: RegistrationRules): Kinds {
  return { 'SREPT completion': { procedure: procedures(rules)['SREPT completion']!, ...completing } }
}

export interface SreptRecord {
  readonly interfaces: readonly SreptInterface[]
  readonly plannedAt: Date
  readonly completedAt: Date | undefined
  /** Every scenario of the plan, with its latest result. */
  readonly scenarios: readonly {
    readonly id: string
    readonly says: string
    readonly passed: boolean | undefined
    readonly automatic: boolean | undefined
    readonly at: Date | undefined
    readonly words: string | undefined
    readonly evidence: readonly Evidence[]
  }[]
}

export async function planOf(
  store: Pick<Store, 'query'> | Client,
  party: number,
): Promise<SreptRecord | undefined> {
  const reader = store as Pick<Store, 'query'>
  const { rows } = await reader.query<{
    interfaces: SreptInterface[]
    planned_at: Date
    completed_at: Date | null
  }>(
    'SELECT interfaces, planned_at, CASE WHEN withdrawn_at IS NULL THEN completed_at END AS completed_at FROM srept WHERE party = $1',
    [party],
  )
  const [plan] = rows
  if (!plan) return undefined
  const { rows: results } = await reader.query<{
    scenario: string
    passed: boolean
    automatic: boolean
    at: Date
    words: string
    evidence: Evidence[]
  }>(
    // After a completion was withdrawn, what was shown before it counts no more.
    `SELECT DISTINCT ON (r.scenario) r.scenario, r.passed, r.automatic, r.at, r.words, r.evidence
       FROM srept_result r JOIN srept s ON s.party = r.party AND r.at >= s.started_at
      WHERE r.party = $1 ORDER BY r.scenario, r.id DESC`,
    [party],
  )
  return {
    interfaces: plan.interfaces,
    plannedAt: plan.planned_at,
    completedAt: plan.completed_at ?? undefined,
    scenarios: scenariosFor(plan.interfaces).map(({ id, says }) => {
      const result = results.find(one => one.scenario === id)
      const { passed, automatic, at, words, evidence = [] } = result ?? {}
      return { id, says, passed, automatic, at, words, evidence }
    }),
  }
}

function requireComplete(plan: SreptRecord | undefined): SreptRecord {
  if (!plan) throw no('SREPT_NOT_PLANNED')
  if (plan.completedAt) throw no('SREPT_COMPLETED')
  const missing = plan.scenarios.filter(one => !one.passed).map(one => one.id)
  if (missing.length > 0) throw no('SREPT_INCOMPLETE', `${missing.length} of ${plan.scenarios.length}`, { missing })
  return plan
}

const partyOf = (subject: string) => Number(subject.slice('SREPT '.length))

const completing: Omit<Kind, 'procedure'> = {
  async describe(client, subject) {
    const plan = await planOf(client, partyOf(subject))
    return {
      party: partyOf(subject),
      interfaces: plan!.interfaces,
      scenarios: plan!.scenarios.map(({ id, passed, at, evidence }) => ({
        id,
        passed: passed ?? null,
        at: at?.toISOString() ?? null,
        evidence: hash('sha256', JSON.stringify(evidence), 'hex'),
      })),
    }
  },
  async approved(acting, task) {
    const { client, at, note } = acting
    const party = partyOf(task.subject)
    await partyHeld(client, party)
    const { interfaces, scenarios } = requireComplete(await planOf(client, party))
    await following(acting, party, async () => {
      await client.query('UPDATE srept SET completed_at = $2, withdrawn_at = NULL WHERE party = $1', [party, at])
      await note('complete SREPT', { party, task: task.id, digest: task.digest })
    })
    // "Once the DCC has confirmed a SEC Party or RDP has completed SREPT, the DCC will confirm this to the SEC Panel."
    const notice = await notify(acting, 'SEC Panel', 'SREPT completed', {
      party,
      interfaces,
      scenarios: scenarios.length,
      completed: at.toISOString(),
    })
    return { party, notice }
  },
}
