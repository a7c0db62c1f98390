/** The end of a deferral, for all that waited under it or for one case: revoked at once, or cancelled (section 6.5). */

import { kindOfTask } from '../../policy/revocation/objects.ts'
import type { Acting } from '../registration/act.ts'
import { voidTask } from '../registration/tasks.ts'
import { caseOf, cases, heldCase, type RevocationCase, taskSubject } from './case.ts'
import { type Deferral, deferralOf } from './covering.ts'
import type { Doing, RevocationHands } from './hands.ts'
import { isRevoked } from './inside/below.ts'
import { revocationKinds } from './kinds.ts'
import { no } from './refusals.ts'
import { revokeCase } from './revoke.ts'

export interface EndedDeferral {
  readonly deferral: Deferral
  /** Revoked by the end of the deferral, each with the instant by which its list is lodged. */
  readonly revoked: readonly RevocationCase[]
  readonly cancelled: readonly RevocationCase[]
}

/** Revokes everything that waits under a deferral, but for the cases that are cancelled. @throws Refusal CASE_STATE */
export async function bringBack(
  doing: Doing,
  hands: RevocationHands,
  deferral: number,
  cancel: readonly number[],
): Promise<EndedDeferral> {
  const { client } = doing
  const waiting = await cases(client, { deferral, states: ['deferred'] })
  const strange = cancel.find(id => !waiting.some(one => one.id === id))
  if (strange !== undefined) throw no('CASE_STATE', `case ${strange} does not wait under this deferral`)
  const revoked: RevocationCase[] = []
  const cancelled: RevocationCase[] = []
  for (const { id } of waiting) {
    const one = await heldCase(client, id)
    // What was revoked meanwhile by another way, as in a recovery, is no reason to hold the others back.
    if (cancel.includes(id) || (await isRevoked(client, one.certificate)))
      cancelled.push(await finish(doing, hands, one, 'cancel'))
    else revoked.push(await finish(doing, hands, one, 'revoke'))
  }
  return { deferral: await deferralOf(client, deferral), revoked, cancelled }
}

/** The decision of the SMKI PMA stands in the place of the approval: the task is void, and the case goes on. */
export async function finish(
  doing: Doing,
  hands: RevocationHands,
  one: RevocationCase,
  how: 'revoke' | 'cancel',
): Promise<RevocationCase> {
  const { client, at, note } = doing
  await client.query(
    `UPDATE revocation_case SET state = $2, approved_at = CASE WHEN $2 = 'approved' THEN $3::timestamptz END,
       ended_at = CASE WHEN $2 = 'cancelled' THEN $3::timestamptz END WHERE id = $1`,
    [one.id, how === 'revoke' ? 'approved' : 'cancelled', at],
  )
  await note(how === 'revoke' ? 'approve case' : 'cancel case', { case: one.id, deferral: one.deferral ?? null })
  // `voidTask` needs no more of an act than this.
  if (one.task !== undefined)
    await voidTask(doing as Acting, revocationKinds(hands), kindOfTask(one.object), taskSubject(one.id))
  return how === 'revoke' ? revokeCase(doing, hands, one) : caseOf(client, one.id)
}
