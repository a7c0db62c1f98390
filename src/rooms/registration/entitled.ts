/** Whether a Party and a holder may have a credential of a kind: asked at the request, at its approval and at the issue. */

import type { Client } from '../../ground/store/store.ts'
import {
  type AnyCredentialKind,
  type CredentialKindRow,
  credentialKinds,
} from '../../policy/registration/credentials.ts'
import { certificatePolicies, isOfOrganisation, underSrept } from '../../policy/registration/offices.ts'
import { mayCarry, type UserRoles } from '../../policy/registration/user-roles.ts'
import { rangesInForce } from './party.ts'
import { no } from './refusals.ts'
import { standingOf } from './standing.ts'

export interface Wanted {
  readonly kind: AnyCredentialKind
  readonly party: number
  /** The number of the holder. */
  readonly person: number | undefined
  /** Remote Party Role for the OU. */
  readonly role: number | undefined
}

/** @throws Refusal CREDENTIAL_HOLDER, NOT_AUTHORISED_SUBSCRIBER, SREPT_NOT_COMPLETED, CREDENTIAL_ROLE */
export async function requireEntitled(client: Client, table: UserRoles, wanted: Wanted): Promise<void> {
  const row: CredentialKindRow = credentialKinds[wanted.kind]
  if (!(await mayHold(client, wanted))) {
    throw no('CREDENTIAL_HOLDER', row.heldIn ? `in office as ${row.heldIn.join(' or ')}` : 'a system')
  }
  if (row.needs !== 'nothing') {
    const { state, missing, policies } = await standingOf(client, wanted.party)
    if (state === 'ceased') throw no('PARTY_CEASED')
    const under = certificatePolicies.filter(policy => row.needs === policy || row.needs === 'any policy')
    // A credential that serves under several policies is given under one that asks for no SREPT, too.
    const untested = under.some(policy => !underSrept[policy] && policies[policy].authorised)
    if (missing.includes('SREPT') && !untested) throw no('SREPT_NOT_COMPLETED')
    if (row.needs !== 'SREPT' && !under.some(policy => policies[policy].authorised)) {
      const lacks = [...new Set(under.flatMap(policy => policies[policy].missing))]
      throw no('NOT_AUTHORISED_SUBSCRIBER', lacks.join(', '), { missing: lacks })
    }
  }
  const held = (await rangesInForce(client, wanted.party)).map(range => range.userRole)
  if (row.userRoles && !row.userRoles.some(role => held.includes(role))) {
    throw no('CREDENTIAL_ROLE', `it is for ${row.userRoles.join(', ')}`)
  }
  const { role } = wanted
  if (role !== undefined && row.needs !== 'nothing' && !held.some(one => mayCarry(table, one, role))) {
    throw no('OU_ROLE_NOT_HELD', String(role))
  }
}

/** Whether the holder is what the kind asks for: a person in one of its offices, or nobody. */
export async function mayHold(client: Client, { kind, party, person }: Omit<Wanted, 'role'>): Promise<boolean> {
  const row: CredentialKindRow = credentialKinds[kind]
  if (!row.heldIn) return person === undefined
  if (person === undefined) return false
  const policy = certificatePolicies.find(one => one === row.needs) ?? null
  const { rows } = await client.query(
    `SELECT FROM appointment WHERE person = $1 AND office = ANY($2) AND state = 'appointed'
        AND party IS NOT DISTINCT FROM $3 AND ($4::text IS NULL OR $4 = ANY(policies))`,
    [person, row.heldIn, row.heldIn.some(isOfOrganisation) ? party : null, policy],
  )
  return rows.length > 0
}
