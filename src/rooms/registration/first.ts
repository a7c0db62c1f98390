/** The first appointments: who appoints when nobody is in office yet. Once, in a ceremony, before witnesses. */

import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { Refusal } from '../../ground/refusal.ts'
import { firstOffices } from '../../policy/registration/offices.ts'
import { type Evidence, type Hands, readGiven } from './act.ts'
import { keepPerson, type PersonalData } from './person.ts'
import { no } from './refusals.ts'

export interface FirstOfficer {
  readonly data: PersonalData
  readonly office: (typeof firstOffices)[number]
  /** On what the person was known, and screened. */
  readonly evidence: readonly Evidence[]
}

export interface FirstAppointments {
  /** The organisation that provides SMKI Services. Its form, officers and SREPT follow by the procedures. */
  readonly operator: { readonly name: string; readonly tradingName: string }
  readonly people: readonly FirstOfficer[]
  /** Two at least, by references of the minutes. */
  readonly witnesses: readonly string[]
  /** The minutes of the ceremony, and the SEC Panel's decision on the SMKI PMA Members. */
  readonly evidence: readonly Evidence[]
  readonly words?: string | undefined
}

/**
 * Enters the operator, and appoints the first RA Managers, RA Personnel and SMKI PMA Members, one office each. From then
 * on nobody is appointed but by the procedures.
 * @returns the operator's number, and the references in the order of the people
 * @throws Refusal CEREMONY_INCOMPLETE, CEREMONY_OVER, PARTY_NAME_UNFIT, PARTY_NAME_TAKEN, PERSON_UNFIT
 */
export async function makeFirstAppointments(
  hands: Hands,
  first: FirstAppointments,
): Promise<{ operator: number; people: string[] }> {
  const at = hands.clock()
  try {
    return await hands.store.transaction(async client => {
      // Two ceremonies at once: the second waits, and finds that there is nothing left to do.
      await client.query('LOCK TABLE appointment IN SHARE ROW EXCLUSIVE MODE')
      const { rows: before } = await client.query('SELECT FROM appointment WHERE office = ANY($1) LIMIT 1', [
        firstOffices,
      ])
      if (before.length > 0) throw no('CEREMONY_OVER')
      requireComplete(first)
      const { name, tradingName } = first.operator
      if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) throw no('PARTY_NAME_UNFIT')
      const { rows } = await client.query<{ id: number }>(
        `INSERT INTO party (name, trading_name, device_subscriber, kind, operator, registered_at)
         VALUES ($1, $2, false, 'dcc', true, $3) ON CONFLICT (name) DO NOTHING RETURNING id`,
        [name, tradingName, at],
      )
      if (!rows[0]) throw no('PARTY_NAME_TAKEN', name)
      const operator = rows[0].id
      const people: string[] = []
      const appointed = []
      for (const { data, office, evidence } of first.people) {
        const { id, reference } = await keepPerson(client, hands.chance, data, at)
        const { rows: made } = await client.query<{ id: number }>(
          `INSERT INTO appointment (person, office, policies, state, nominated_at, appointed_at)
           VALUES ($1, $2, '{}', 'appointed', $3, $3) RETURNING id`,
          [id, office, at],
        )
        people.push(reference)
        appointed.push({ person: reference, office, appointment: made[0]!.id, ...readGiven({ evidence }) })
      }
      const witnesses = readGiven({ evidence: first.witnesses.map(reference => ({ kind: 'witness', reference })) })
      await append(
        client,
        entry('first appointments', at, {
          by: 'ceremony',
          operator,
          name,
          appointed,
          witnesses: witnesses.evidence.map(({ reference }) => reference),
          ...readGiven(first),
        }),
      )
      return { operator, people }
    })
  } catch (cause) {
    if (cause instanceof Refusal) {
      const says = { attempt: 'first appointments', code: cause.code, by: 'ceremony' }
      await hands.store.transaction(client => append(client, entry('refused', at, says)))
    }
    throw cause
  }
}

/** Enough for every first step: each office once, and so two different people to verify and to approve. */
function requireComplete({ people, witnesses, evidence }: FirstAppointments): void {
  const lacks = firstOffices.filter(office => !people.some(one => one.office === office))
  if (lacks.length > 0) throw no('CEREMONY_INCOMPLETE', `nobody is to be ${lacks.join(', ')}`)
  if (people.some(one => !firstOffices.includes(one.office) || one.evidence.length === 0)) {
    throw no('CEREMONY_INCOMPLETE', 'each person has one of the first offices, and evidence')
  }
  if (new Set(witnesses).size < 2) throw no('CEREMONY_INCOMPLETE', 'two witnesses')
  if (evidence.length === 0) throw no('CEREMONY_INCOMPLETE', 'the minutes')
}
