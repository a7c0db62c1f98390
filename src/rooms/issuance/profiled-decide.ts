/** The Registration Authority decides of a request that waits for it: an S1SPKI's always, a DCCKI one where that is set. */

import type { Office } from '../../policy/registration/offices.ts'
import { type Actor, act, type Given, type Hands, readGiven, requireOffice } from '../registration/act.ts'
import { no } from '../registration/refusals.ts'
import { type ProfiledPki, type ProfiledRequest, requestOf } from './profiled-request.ts'
import { refuse } from './refusals.ts'

/**
 * Approved, it goes to the signer (`askProfiled`); refused, it is answered. Of two at once one decides.
 * @param deciders the offices that the policy of that PKI names
 * @throws Refusal REQUEST_UNKNOWN, REQUEST_STATE, NOT_FOR_THIS_OFFICE, NOT_IN_OFFICE, TWO_PERSON_RULE (REG-A01), WORDS_UNFIT
 */
export function decideRequest(
  hands: Hands,
  deciders: (pki: ProfiledPki) => readonly Office[],
  by: Actor,
  id: bigint,
  decision: Given & { readonly approve: boolean },
): Promise<ProfiledRequest> {
  return act(hands, by, { act: 'decide request' }, async acting => {
    const { client, at, note } = acting
    await client.query('SELECT FROM profiled_request WHERE id = $1 FOR UPDATE', [id])
    const before = await requestOf(client, id)
    requireOffice(acting.by, deciders(before.pki), undefined)
    const isOwn = 'person' in before.by && before.by.person === acting.by.says.person
    if (isOwn && hands.rules.twoPersons) throw no('TWO_PERSON_RULE')
    if (before.state !== 'verified') throw refuse('REQUEST_STATE', before.state)
    const says = { request: String(id), pki: before.pki, csr: before.sha256, ...readGiven(decision) }
    if (decision.approve) {
      await client.query("UPDATE profiled_request SET state = 'approved', approved_at = $2 WHERE id = $1", [id, at])
      await note('approve request', says)
    } else {
      const { code, message } = refuse('REFUSED_BY_RA')
      await client.query(
        "UPDATE profiled_request SET state = 'refused', code = $2, says = $3, answered_at = $4 WHERE id = $1",
        [id, code, message, at],
      )
      await note('refuse request', { ...says, code })
    }
    return requestOf(client, id)
  })
}
