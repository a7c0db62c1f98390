/** Whether a Party is an Authorised Subscriber: derived from what is recorded of it, never recorded itself (section 5.1). */

import type { Client, Store } from '../../ground/store/store.ts'
import { type CertificatePolicy, certificatePolicies, underSrept } from '../../policy/registration/offices.ts'
import type { Acting } from './act.ts'
import { notify } from './notices.ts'
import { no } from './refusals.ts'

/** The conditions of section 5.1 in their order; an only SRO and an only ARO are told apart. */
export const conditions = {
  identity: 'the organisational identity is verified',
  SRO: 'at least one Senior Responsible Officer is in office',
  ARO: 'at least one Authorised Responsible Officer is in office',
  SREPT: 'SREPT is successfully completed',
  application: 'the application under the Certificate Policy is accepted',
} as const
export type Condition = keyof typeof conditions

export type StandingState =
  | 'applicant'
  | 'identityVerified'
  | 'officersInPlace'
  | 'sreptComplete'
  | 'authorised'
  | 'suspended'
  | 'ceased'

export interface PolicyStanding {
  readonly authorised: boolean
  readonly missing: readonly Condition[]
}

export interface Standing {
  readonly state: StandingState
  /** Conditions 1 to 3 that are not met; of SREPT, that it is not completed, whether or not a policy asks for it. */
  readonly missing: readonly Condition[]
  readonly policies: Readonly<Record<CertificatePolicy, PolicyStanding>>
}

/**
 * What a Party is, and what it lacks. `suspended` is a Party whose application stands accepted while another condition
 * does not hold: it is authorised again when that holds again.
 * @throws Refusal PARTY_UNKNOWN
 */
export async function standingOf(store: Pick<Store, 'query'> | Client, party: number): Promise<Standing> {
  const { rows } = await (store as Pick<Store, 'query'>).query<Facts>({
    name: 'standing',
    text: `SELECT p.ceased_at IS NOT NULL AS ceased, ${identity} AS identity, ${officer('SRO')} AS sro,
      ${officer('ARO')} AS aro, ${srept} AS srept, ARRAY(SELECT a.policy FROM application a
        WHERE a.party = p.id AND a.state = 'accepted') AS accepted FROM party p WHERE p.id = $1`,
    values: [party],
  })
  if (!rows[0]) throw no('PARTY_UNKNOWN')
  return judge(rows[0])
}

/** What is read of a Party to judge it by. */
export interface Facts {
  readonly ceased: boolean
  readonly identity: boolean
  readonly sro: boolean
  readonly aro: boolean
  readonly srept: boolean
  /** Certificate Policies under which its application stands accepted. */
  readonly accepted: readonly string[]
}

/** Pure: the same facts, the same standing. */
export function judge(facts: Facts): Standing {
  const { identity, sro, aro, srept, accepted, ceased } = facts
  const holds: Record<Exclude<Condition, 'application'>, boolean> = { identity, SRO: sro, ARO: aro, SREPT: srept }
  const missing = (Object.keys(holds) as (keyof typeof holds)[]).filter(condition => !holds[condition])
  const under = (policy: CertificatePolicy): PolicyStanding => {
    const due: Condition[] = missing.filter(condition => condition !== 'SREPT' || underSrept[policy])
    const all: Condition[] = accepted.includes(policy) ? due : [...due, 'application']
    return { authorised: !ceased && all.length === 0, missing: all }
  }
  const policies = Object.fromEntries(certificatePolicies.map(policy => [policy, under(policy)])) as Record<
    CertificatePolicy,
    PolicyStanding
  >
  return { state: stateOf(facts, missing, policies), missing, policies }
}

/** SQL that says of `p`, a row of `party`, whether it is an Authorised Subscriber under that policy. */
export function authorisedSql(policy: CertificatePolicy): string {
  const tested = underSrept[policy] ? `AND ${srept}` : ''
  return `(p.ceased_at IS NULL AND ${identity} AND ${officer('SRO')} AND ${officer('ARO')} ${tested}
    AND EXISTS (SELECT FROM application a WHERE a.party = p.id AND a.policy = '${policy}' AND a.state = 'accepted'))`
}

const identity = `EXISTS (SELECT FROM organisation_form f WHERE f.party = p.id AND f.state = 'in force')`
const srept = `EXISTS (SELECT FROM srept s WHERE s.party = p.id AND s.completed_at IS NOT NULL AND s.withdrawn_at IS NULL)`
// Any ARO counts, whatever he is authorised for: SEED-004 asks for one, and the CSR asks whether it is the right one.
const officer = (office: 'SRO' | 'ARO') =>
  `EXISTS (SELECT FROM appointment o WHERE o.party = p.id AND o.office = '${office}' AND o.state = 'appointed')`

function stateOf(facts: Facts, missing: readonly Condition[], policies: Standing['policies']): StandingState {
  if (facts.ceased) return 'ceased'
  const accepted = certificatePolicies.filter(policy => facts.accepted.includes(policy))
  // Under each policy that its application was accepted for.
  if (accepted.length > 0) return accepted.every(one => policies[one].authorised) ? 'authorised' : 'suspended'
  // They may complete in any order: the furthest step before which nothing is missing.
  if (missing.includes('identity')) return 'applicant'
  if (missing.includes('SRO') || missing.includes('ARO')) return 'identityVerified'
  return missing.includes('SREPT') ? 'officersInPlace' : 'sreptComplete'
}

/**
 * Runs an act on a Party, and says in the journal how its standing changed by it; that a Party was suspended or has
 * ceased, the Registration Authority and the Party are told.
 */
export async function following<T>(acting: Acting, party: number | undefined, work: () => Promise<T>): Promise<T> {
  if (party === undefined) return work()
  const before = await standingOf(acting.client, party)
  const result = await work()
  const { state, missing } = await standingOf(acting.client, party)
  if (state === before.state) return result
  const says = { party, before: before.state, after: state, missing }
  await acting.note('standing', says)
  if (state === 'suspended' || state === 'ceased') {
    await notify(acting, 'Registration Authority', `Authorised Subscriber ${state}`, says)
    await notify(acting, `party ${party}`, `Authorised Subscriber ${state}`, says)
  }
  return result
}
