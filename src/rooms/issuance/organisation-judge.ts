/** Judges an admitted Organisation CSR: whose the identifier is, which role goes with it, and whose key it is. */

import { fromHex, toHex } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { CertificatePolicy } from '../../policy/registration/offices.ts'
import { mayCarry } from '../../policy/registration/user-roles.ts'
import { ouOf } from '../../policy/roles.ts'
import { organisationEligibility, subscriberOf } from '../registration/eligible.ts'
import type { RegistrationRules } from '../registration/form.ts'
import { ownersOf } from '../registration/owner.ts'
import { readEui64 } from '../registration/ranges.ts'
import { certifiedFor } from '../repository/holdings.ts'
import { families } from '../repository/register.ts'
import type { AdmittedOrganisation } from './admit-organisation.ts'
import type { Reader } from './organisation-csr.ts'
import { refuse } from './refusals.ts'

/**
 * Rows 3 and 4 of service-interface.md section 3.1, in order; the first that does not hold is the answer.
 * @param aroFor what the person who submits is an ARO of the Party for
 * @returns why the Party may not have the Certificate; undefined when it may
 */
export async function whyNotEligible(
  store: Reader,
  rules: Pick<RegistrationRules, 'userRoles'>,
  party: number,
  { eui64, role }: Pick<AdmittedOrganisation, 'eui64' | 'role'>,
  aroFor: readonly CertificatePolicy[],
): Promise<Refusal | undefined> {
  const subscriber = await subscriberOf(store, party)
  const reason = organisationEligibility(rules, subscriber, { eui64, role }, aroFor)
  if (reason?.code === 'EUI64_NOT_OWN') {
    const owners = await ownersOf(store, readEui64(eui64))
    return owners.length > 0 ? refuse('EUI64_OF_ANOTHER') : reason
  }
  if (reason?.code === 'OU_ROLE_NOT_HELD') {
    const heldElsewhere = subscriber.ranges.find(range => mayCarry(rules.userRoles, range.userRole, role))
    if (heldElsewhere) return refuse('EUI64_OUTSIDE_USER_ROLE', `${heldElsewhere.userRole}, OU ${ouOf(role)}`)
  }
  return reason
}

/**
 * One key serves one subject: the same key for the same EUI-64 and role is renewal, and legal as often as one likes; for
 * any other subject it is an anomaly (certificates.md section 12). Requests that wait for their certificate count too.
 * @param except the submission that is judged, once it is on record
 */
export async function whyAnomaly(
  store: Reader,
  { eui64, role, keyId }: Pick<AdmittedOrganisation, 'eui64' | 'role' | 'keyId'>,
  except?: bigint,
): Promise<Refusal | undefined> {
  const certified = await certifiedFor(store as Pick<Store, 'query'>, [keyId])
  const isOther = certified.some(
    one => one.family !== families.organisation || one.eui64 !== eui64 || one.role !== role,
  )
  const { rowCount } = await (store as Pick<Store, 'query'>).query(
    `SELECT FROM organisation_csr WHERE key_id = $1 AND state = 'approved' AND (eui64 <> $2 OR role <> $3)
        AND id IS DISTINCT FROM $4 LIMIT 1`,
    [keyId, fromHex(eui64), role, except ?? null],
  )
  return isOther || rowCount !== 0 ? refuse('KEY_OF_ANOTHER_SUBJECT', `key ${toHex(keyId)}`) : undefined
}

/** What was thrown, if it was a refusal; a fault is passed on. */
export async function orRefusal<T>(work: () => T | Promise<T>): Promise<T | Refusal> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof Refusal) return cause
    throw cause
  }
}
