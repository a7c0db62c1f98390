/** The officers of a test SMKI that serves: who they are, and what tests let them do. */

import type { Store } from '../../src/ground/store/store.ts'
import { loadSettings } from '../../src/main/home.ts'
import type { CertificatePolicy, Office } from '../../src/policy/registration/offices.ts'
import type { Hands, Officer } from '../../src/rooms/registration/act.ts'
import { applyAsSubscriber } from '../../src/rooms/registration/applications.ts'
import { withdrawCondition } from '../../src/rooms/registration/cease.ts'
import { registrationKinds } from '../../src/rooms/registration/kinds.ts'
import { approve, verify } from '../../src/rooms/registration/tasks.ts'
import type { Environment } from './environment.ts'

const evidence = [{ kind: 'signed form', reference: 'a test' }]

export function registrationOf(smki: Environment): Hands {
  return { ...smki.hands, rules: loadSettings(smki.home).registration }
}

export async function partyNumber(store: Store, name: string): Promise<number> {
  const { rows } = await store.query<{ id: number }>('SELECT id FROM party WHERE name = $1', [name])
  return rows[0]!.id
}

/** The first in that office; of a Party for the offices of organisations. */
export async function officerOf(store: Store, as: Office, party?: number): Promise<Officer> {
  const { rows } = await store.query<{ reference: string }>(
    `SELECT p.reference FROM appointment a JOIN person p ON p.id = a.person
      WHERE a.office = $1 AND a.party IS NOT DISTINCT FROM $2 AND a.state = 'appointed' ORDER BY a.id LIMIT 1`,
    [as, party ?? null],
  )
  return { person: rows[0]!.reference, as, ...(party !== undefined && { party }) }
}

/** From now on the Party is no Authorised Subscriber under that policy. */
export async function endSubscriber(smki: Environment, name: string, policy: CertificatePolicy): Promise<void> {
  const party = await partyNumber(smki.store, name)
  const manager = await officerOf(smki.store, 'RA_MANAGER')
  await withdrawCondition(registrationOf(smki), manager, party, { condition: 'application', policy }, { evidence })
}

/** It applies again, and is accepted. */
export async function beSubscriber(smki: Environment, name: string, policy: CertificatePolicy): Promise<void> {
  const hands = registrationOf(smki)
  const kinds = registrationKinds(hands.rules)
  const party = await partyNumber(smki.store, name)
  const sro = await officerOf(smki.store, 'SRO', party)
  const { task, digest } = await applyAsSubscriber(hands, sro, party, policy, { evidence })
  await verify(hands, kinds, await officerOf(smki.store, 'RA_PERSONNEL'), task, { digest })
  await approve(hands, kinds, await officerOf(smki.store, 'RA_MANAGER'), task, { digest })
}
