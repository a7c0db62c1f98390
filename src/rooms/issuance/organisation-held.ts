/** The Registration Authority decides of an Organisation CSR that was held: an anomaly it has looked into (service-interface 4). */

import { type Actor, act, type Given, type Hands, readGiven, requireOffice } from '../registration/act.ts'
import { no } from '../registration/refusals.ts'
import { type SilenceRule, type Submission, submissionOf } from './organisation-csr.ts'
import { refuse } from './refusals.ts'

/**
 * By an RA Manager, with words that say why. Approved, it goes to the signer (`askOrganisation`); refused, it is answered.
 * Of two at once one decides, and the other is told SUBMISSION_STATE.
 * @throws Refusal SUBMISSION_UNKNOWN, SUBMISSION_STATE, NOT_FOR_THIS_OFFICE, NOT_IN_OFFICE, OWN_AFFAIRS, WORDS_UNFIT
 */
export function decideHeld(
  hands: Hands,
  rule: SilenceRule,
  by: Actor,
  id: bigint,
  decision: Given & { readonly approve: boolean },
): Promise<Submission> {
  const attempt = { act: 'decide Organisation CSR', says: {} }
  return act(hands, by, attempt, async acting => {
    const { client, at } = acting
    requireOffice(acting.by, ['RA_MANAGER'], undefined)
    const { rows } = await client.query<{ party: number; person: string; state: string }>(
      'SELECT party, person, state FROM organisation_csr WHERE id = $1 FOR UPDATE',
      [id],
    )
    const row = rows[0]
    if (!row) throw refuse('SUBMISSION_UNKNOWN')
    if (acting.by.says.person === row.person) throw no('OWN_AFFAIRS')
    if (row.state !== 'held') throw refuse('SUBMISSION_STATE', row.state)
    const says = { submission: String(id), party: row.party, ...readGiven(decision) }
    if (decision.approve) {
      await client.query(
        "UPDATE organisation_csr SET state = 'approved', code = NULL, says = NULL, allowed = true, approved_at = $2 WHERE id = $1",
        [id, at],
      )
      await acting.note('approve Organisation CSR', says)
    } else {
      const { code, message } = refuse('REFUSED_BY_RA')
      await client.query(
        "UPDATE organisation_csr SET state = 'refused', code = $2, says = $3, answered_at = $4 WHERE id = $1",
        [id, code, message, at],
      )
      await acting.note('refuse Organisation CSR', { ...says, code })
    }
    return submissionOf(client, { party: row.party, id }, rule, at)
  })
}
