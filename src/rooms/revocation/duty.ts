/** The duty to revoke when a Subscriber is no longer Authorised (section 6.2): found, listed, opened as cases. */

import type { Client, Store } from '../../ground/store/store.ts'
import type { Actor, Given } from '../registration/act.ts'
import { organisations } from '../registration/party.ts'
import { type StandingState, standingOf } from '../registration/standing.ts'
import { caseAbout } from './case.ts'
import { actAlone, type RevocationHands, type RevocationRules } from './hands.ts'
import { type CertificateRef, hadApplication, organisationCertificates } from './inside/below.ts'
import { revocableAt } from './object.ts'
import { no } from './refusals.ts'
import { type OpenedCase, openCase } from './request.ts'

export interface Duty {
  readonly party: number
  readonly name: string
  readonly standing: StandingState
  /** Its Organisation Certificates that no case is about yet. */
  readonly certificates: readonly CertificateRef[]
  /** How many are in a case already. */
  readonly inCases: number
}

type Reader = Pick<Store, 'query'> | Client

/**
 * Every Party that is no Authorised Subscriber for Organisation Certificates any more and still has some that are good: it
 * ceased, or its application ended; suspended ones too where the settings say so. Credentials are revoked with what ended
 * them (returned.ts).
 */
export async function dutiesToRevoke(store: Reader, at: Date, rules: RevocationRules): Promise<Duty[]> {
  const duties: Duty[] = []
  for (const { id, name } of await organisations(store)) {
    const standing = await dueStanding(store, id, rules)
    if (!standing) continue
    const held = await organisationCertificates(store, id, at)
    const free: CertificateRef[] = []
    for (const { authority, serial } of held) {
      if (!(await caseAbout(store, { authority, serial }))) free.push({ authority, serial })
    }
    const duty = { party: id, name, standing, certificates: free, inCases: held.length - free.length }
    if (held.length > 0) duties.push(duty)
  }
  return duties
}

/**
 * Opens a case for each certificate that it is a duty to revoke, at most so many at a time, as the request of whoever of
 * the Registration Authority does it; others verify and approve. Under a deferral they wait (L16).
 * @throws Refusal GROUND_UNFIT when there is no duty towards that Party
 */
export function openDuties(
  hands: RevocationHands,
  by: Actor,
  party: number,
  given: Given,
  most = 200,
): Promise<OpenedCase[]> {
  return actAlone(hands, by, 'open duties', { party }, undefined, async acting => {
    const { client, at } = acting
    const standing = await dueStanding(client, party, hands.revocation)
    if (!standing) throw no('GROUND_UNFIT', 'the Party is an Authorised Subscriber, or never was one')
    const opened: OpenedCase[] = []
    for (const ref of await organisationCertificates(client, party, at)) {
      if (opened.length === most) break
      if (await caseAbout(client, ref)) continue
      const found = await revocableAt(client, hands.schedules, ref, at)
      opened.push(await openCase(acting, hands, found, { ground: 'not authorised', origin: 'duty' }, given))
    }
    await acting.note('open duties', { party, standing, cases: opened.map(one => one.case) })
    return opened
  })
}

/** Its standing when that makes revocation a duty. */
async function dueStanding(
  store: Reader,
  party: number,
  { dutyOnSuspension }: RevocationRules,
): Promise<StandingState | undefined> {
  const { state, policies } = await standingOf(store, party)
  if (state === 'ceased') return state
  const { authorised, missing } = policies['smki-organisation']
  if (authorised) return undefined
  if (!missing.includes('application')) return dutyOnSuspension ? state : undefined
  return (await hadApplication(store, party)) ? state : undefined
}
