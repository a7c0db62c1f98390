/** What people do at a DCO: each act with who, in which role, why and under which ticket, and journalled whatever comes of it. */

import { entry, type JsonValue } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { Client } from '../../../ground/store/store.ts'
import { no } from '../refusals.ts'
import type { World } from './hands.ts'

export type DcoRole = 'DCO operator' | 'ACS card holder'

/** A person by reference, never by name: the journal keeps it for good. */
export interface Access {
  readonly person: string
  readonly role: DcoRole
  /** In words that name no person, and no key. */
  readonly reason: string
  readonly ticket: string
}

/**
 * An act of a person, in one transaction with its entry; an attempt that is refused is journalled too.
 * @throws Refusal REASON_MISSING, and those of the work
 */
export async function actOfPerson<T>(
  world: World,
  by: Access,
  act: string,
  says: Readonly<Record<string, JsonValue>>,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const at = world.clock()
  const { person, role, reason, ticket } = by
  const body = { ...says, module: world.module.identity, by: { person, role, reason, ticket } }
  try {
    if (![person, reason, ticket].every(text => /^[\x20-\x7e]{3,200}$/.test(text))) throw no('REASON_MISSING')
    return await world.store.transaction(async client => {
      const result = await work(client)
      await append(client, entry(act, at, body))
      return result
    })
  } catch (cause) {
    if (cause instanceof Refusal) {
      const told = { ...says, act, code: cause.code, module: world.module.identity, by: { person, role } }
      const { act: attempted, ...rest } = told
      await world.store.transaction(client => append(client, entry('person.refused', at, { ...rest, attempted })))
    }
    throw cause
  }
}

/** As `actOfPerson`, with the quorum of the Administrative Card Set present: nominated, different, and enough. */
export async function actOfQuorum<T>(
  world: World,
  present: readonly string[],
  by: Pick<Access, 'reason' | 'ticket'>,
  act: string,
  says: Readonly<Record<string, JsonValue>>,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const first: Access = { ...by, person: present[0] ?? '', role: 'ACS card holder' }
  return actOfPerson(world, first, act, { ...says, present: [...present] }, async client => {
    const { rows } = await client.query<{ person: string }>(
      'SELECT person FROM dco_card_holder WHERE person = ANY ($1) AND ceased_at IS NULL',
      [[...present]],
    )
    const enough = rows.length === present.length && rows.length >= world.settings.quorum
    const about = { attempted: act, present: present.join(' ') }
    world.environment?.tell({ event: enough ? 'quorum.present' : 'quorum.refused', about })
    if (!enough) {
      throw no('PERSON_NOT_ALLOWED', `${world.settings.quorum} nominated card holders must be present`)
    }
    return work(client)
  })
}

/**
 * Nominates a card holder. The first ones, as many as the quorum, are nominated when the DCO is set up; each later one in
 * the presence of a quorum.
 * @throws Refusal PERSON_NOT_ALLOWED, REASON_MISSING
 */
export async function nominate(
  world: World,
  person: string,
  by: Access,
  present: readonly string[] = [],
): Promise<void> {
  const write = async (client: Client) => {
    const { rows } = await client.query<{ count: bigint }>('SELECT count(*) AS count FROM dco_card_holder')
    if (present.length === 0 && Number(rows[0]!.count) >= world.settings.quorum) {
      throw no('PERSON_NOT_ALLOWED', 'a quorum of the card holders nominates another')
    }
    await client.query('INSERT INTO dco_card_holder (person, nominated_at) VALUES ($1, $2)', [
      person,
      world.clock(),
    ])
  }
  const says = { nominated: person }
  if (present.length === 0) await actOfPerson(world, by, 'card-holder.nominated', says, write)
  else await actOfQuorum(world, present, by, 'card-holder.nominated', says, write)
}

/** A holder who left is no longer counted. @throws Refusal PERSON_NOT_ALLOWED, REASON_MISSING */
export async function cease(
  world: World,
  person: string,
  by: Pick<Access, 'reason' | 'ticket'>,
  present: readonly string[],
): Promise<void> {
  await actOfQuorum(world, present, by, 'card-holder.ceased', { ceased: person }, client =>
    client.query('UPDATE dco_card_holder SET ceased_at = $2 WHERE person = $1', [person, world.clock()]),
  )
}
