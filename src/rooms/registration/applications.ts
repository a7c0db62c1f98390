/** Applications to be an Authorised Subscriber, one per Certificate Policy (section 5.1, condition 4). */

import type { Client } from '../../ground/store/store.ts'
import { type CertificatePolicy, certificatePolicies, underSrept } from '../../policy/registration/offices.ts'
import { procedures } from '../../policy/registration/procedure.ts'
import { type Actor, act, type Given, type Hands } from './act.ts'
import type { RegistrationRules } from './form.ts'
import { partyHeld } from './party.ts'
import { no } from './refusals.ts'
import { following, standingOf } from './standing.ts'
import { type Kind, type Kinds, openTask } from './tasks.ts'

/**
 * Applies. Not possible before SREPT is completed (SEED-004; for the DCCKI DCK-A02); the other conditions may follow.
 * @throws Refusal SREPT_NOT_COMPLETED, APPLICATION_EXISTS, POLICY_UNKNOWN, and those of `openTask`
 */
export function applyAsSubscriber(
  hands: Hands,
  by: Actor,
  party: number,
  policy: CertificatePolicy,
  given: Given,
): Promise<{ application: number; task: number; digest: string }> {
  return act(hands, by, { act: 'apply', says: { party } }, async acting => {
    const { client, at } = acting
    if (!certificatePolicies.includes(policy)) throw no('POLICY_UNKNOWN')
    await partyHeld(client, party)
    const { missing } = await standingOf(client, party)
    const tested = underSrept[policy] || hands.rules.dcckiEntryTest
    if (tested && missing.includes('SREPT')) throw no('SREPT_NOT_COMPLETED')
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO application (party, policy, state, applied_at) VALUES ($1, $2, 'applied', $3)
       ON CONFLICT DO NOTHING RETURNING id`,
      [party, policy, at],
    )
    if (!rows[0]) throw no('APPLICATION_EXISTS', policy)
    const about = { subject: `application ${rows[0].id}`, party }
    const opened = await openTask(acting, applications(hands.rules), `application ${policy}`, about, given)
    return { application: rows[0].id, ...opened }
  })
}

export function applications(rules: RegistrationRules): Kinds {
  const all = procedures(rules)
  return Object.fromEntries(
    certificatePolicies.map(policy => {
      const name = `application ${policy}`
      return [name, { procedure: all[name]!, ...accepting }]
    }),
  )
}

const accepting: Omit<Kind, 'procedure'> = {
  async describe(client, subject) {
    const { party, policy } = await applicationAt(client, subject)
    const { rows } = await client.query<{ version: number }>(
      "SELECT version FROM organisation_form WHERE party = $1 AND state = 'in force'",
      [party],
    )
    // The User Roles applied for are those of the form.
    return { party, policy, form: rows[0]?.version ?? null }
  },
  async approved(acting, task) {
    const { client, at, note } = acting
    const { id, party, policy } = await applicationAt(client, task.subject)
    await partyHeld(client, party)
    await following(acting, party, async () => {
      await client.query("UPDATE application SET state = 'accepted', accepted_at = $2 WHERE id = $1", [id, at])
      await note('accept application', { party, policy, task: task.id })
    })
    const { state, policies } = await standingOf(client, party)
    return { party, policy, standing: state, missing: policies[policy].missing }
  },
  async otherwise({ client, at }, task, state) {
    if (state === 'open') return
    const { id } = await applicationAt(client, task.subject)
    await client.query("UPDATE application SET state = 'refused', ended_at = $2 WHERE id = $1", [id, at])
  },
}

async function applicationAt(
  client: Client,
  subject: string,
): Promise<{ id: number; party: number; policy: CertificatePolicy }> {
  const { rows } = await client.query<{ id: number; party: number; policy: CertificatePolicy }>(
    'SELECT id, party, policy FROM application WHERE id = $1',
    [Number(subject.slice('application '.length))],
  )
  return rows[0]!
}
