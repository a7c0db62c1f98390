/** What the Registration Authority does with what it knows of people. */

import { endStates } from '../../policy/registration/credentials.ts'
import { type Acting, type Actor, actAlone, type Given, type Hands, readGiven } from './act.ts'
import { nominations } from './nominations.ts'
import { keepPerson, type PersonalData, personNumber, seal } from './person.ts'
import { no } from './refusals.ts'
import { changed } from './tasks.ts'

/**
 * Enters a person. The reference, `p-` and 12 hexadecimal digits, is all that the journal and other tables say of him.
 * @throws Refusal PERSON_UNFIT, NOT_FOR_THIS_OFFICE
 */
export function enterPerson(hands: Hands, by: Actor, data: PersonalData, given: Given = {}): Promise<string> {
  return actAlone(hands, by, 'enter person', undefined, {}, async acting => {
    const { reference } = await keepPerson(acting.client, hands.chance, data, acting.at)
    await acting.note('enter person', { person: reference, ...readGiven(given) })
    return reference
  })
}

/** Replaces what is known of a person. Nominations that were verified on the former data must be verified again. */
export function amendPerson(
  hands: Hands,
  by: Actor,
  reference: string,
  data: PersonalData,
  given: Given = {},
): Promise<void> {
  return actAlone(hands, by, 'amend person', undefined, { person: reference }, async acting => {
    const person = await personNumber(acting.client, reference)
    requireOther(acting, person)
    const { text, salt, commitment } = seal(hands.chance, data)
    await acting.client.query('UPDATE person_data SET data = $2, salt = $3, commitment = $4 WHERE person = $1', [
      person,
      text,
      salt,
      commitment,
    ])
    await acting.note('amend person', { person: reference, ...readGiven(given) })
    const open = await acting.client.query<{ id: number; office: string }>(
      "SELECT id, office FROM appointment WHERE person = $1 AND state = 'nominated'",
      [person],
    )
    for (const { id, office } of open.rows) {
      await changed(acting, nominations(hands.rules), `appoint ${office}`, `appointment ${id}`)
    }
  })
}

/** What is known of a person, for whoever must know the person by it; that it was looked at is journalled. */
export function consultPerson(
  hands: Hands,
  by: Actor,
  reference: string,
  given: Given = {},
): Promise<PersonalData> {
  return actAlone(hands, by, 'consult person', undefined, { person: reference }, async acting => {
    const person = await personNumber(acting.client, reference)
    const { rows } = await acting.client.query<{ data: PersonalData }>(
      'SELECT data FROM person_data WHERE person = $1',
      [person],
    )
    await acting.note('consult person', { person: reference, ...readGiven(given) })
    return rows[0]!.data
  })
}

/**
 * Erases what is personal. The reference stays, and with it every act of that person in the journal, which without the
 * erased salt says nothing of who it was.
 * @throws Refusal PERSON_NEEDED while the person is in office, nominated, or holds a credential
 */
export function erasePerson(hands: Hands, by: Actor, reference: string, given: Given = {}): Promise<void> {
  return actAlone(hands, by, 'erase person', undefined, { person: reference }, async acting => {
    const person = await personNumber(acting.client, reference)
    requireOther(acting, person)
    const { rows } = await acting.client.query(
      `SELECT FROM appointment WHERE person = $1 AND state IN ('nominated', 'appointed')
       UNION ALL SELECT FROM credential_life WHERE person = $1 AND state <> ALL($2)`,
      [person, endStates],
    )
    if (rows.length > 0) throw no('PERSON_NEEDED')
    await acting.client.query('DELETE FROM person_data WHERE person = $1', [person])
    await acting.client.query('UPDATE person SET erased_at = $2 WHERE id = $1', [person, acting.at])
    await acting.note('erase person', { person: reference, ...readGiven(given) })
  })
}

/** Nobody of the Registration Authority changes or erases his own record. */
function requireOther({ by }: Acting, person: number): void {
  if (by.person === person || by.through === person) throw no('OWN_AFFAIRS')
}
