/** Certificates of credentials that ended otherwise, by cessation, by a return, are revoked and listed too. */

import { Refusal } from '../../ground/refusal.ts'
import { kindOfTask } from '../../policy/revocation/objects.ts'
import { authorities } from '../authority/register.ts'
import type { Acting } from '../registration/act.ts'
import { voidTask } from '../registration/tasks.ts'
import { type CaseState, caseAbout, caseOf, heldCase, type RevocationCase, taskSubject } from './case.ts'
import { coveringDeferral, join } from './covering.ts'
import { bySchedule, type RevocationHands } from './hands.ts'
import { endedCredentials, holdParty } from './inside/below.ts'
import { revocationKinds } from './kinds.ts'
import { type CertificateRef, issuerDigest, revocableAt } from './object.ts'
import { enterCase } from './request.ts'
import { revokeCase } from './revoke.ts'

/** Most that one run takes up: what is left is the next run's. */
const atOnce = 500

/**
 * Finds the IKI Certificates whose credential was revoked or returned and which are not revoked yet, and revokes them: each
 * in a transaction of its own, or under the deferral that covers it. To be called after whatever ends credentials, and
 * each minute: whatever a crash left between the two is found here. It may run twice.
 * @returns the cases, revoked or deferred
 */
export async function revokeReturned(hands: RevocationHands): Promise<RevocationCase[]> {
  const done: RevocationCase[] = []
  for (const authority of await authorities(hands.store)) {
    if (authority.pki !== 'iki' || authority.level !== 'issuing') continue
    for (const { serial, state } of await endedCredentials(
      hands.store,
      issuerDigest(authority),
      authority.id,
      atOnce,
    )) {
      const ground = state === 'returned' ? 'not needed' : 'holder gone'
      const one = await revokeEnded(hands, { authority: authority.id, serial }, ground)
      if (one) done.push(one)
    }
  }
  return done
}

async function revokeEnded(
  hands: RevocationHands,
  ref: CertificateRef,
  ground: 'not needed' | 'holder gone',
): Promise<RevocationCase | undefined> {
  const at = hands.clock()
  return hands.store.transaction(async client => {
    const doing = bySchedule(client, at)
    const found = await revocableAt(client, hands.schedules, ref, at).catch(unlessDone)
    if (!found) return undefined
    await holdParty(client, found.party)
    // Somebody may be asking for it already: what has happened decides that request.
    const asked = await caseAbout(client, found.ref)
    if (asked && !undecided.includes(asked.state)) return undefined
    const id =
      asked?.id ?? (await enterCase(doing, hands, found, { ground, origin: 'credential' }, 'authenticated'))
    const one = await heldCase(client, id)
    const deferral = await coveringDeferral(client, one, at)
    if (deferral) {
      // One that was asked for waits where it stands.
      if (asked) return undefined
      await join(doing, one, deferral)
      return caseOf(client, id)
    }
    if (asked?.task !== undefined)
      await voidTask(doing as Acting, revocationKinds(hands), kindOfTask(one.object), taskSubject(id))
    return revokeCase(doing, hands, one)
  })
}

const undecided: readonly CaseState[] = ['received', 'authenticated']

/** Done meanwhile, or nothing to do: not a certificate that a list could name. */
const nothingToDo = ['ALREADY_REVOKED', 'CERTIFICATE_EXPIRED', 'CERTIFICATE_UNKNOWN', 'NOT_LISTED']

function unlessDone(cause: unknown): undefined {
  if (!(cause instanceof Refusal) || !nothingToDo.includes(cause.code)) throw cause
}
