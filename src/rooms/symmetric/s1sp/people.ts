/** S1SP Privileged Persons, and their access to packages: for support only, with a reason, on record (Policy (d)(iv)). */

import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import type { S1spHands } from './hands.ts'
import { no } from './refusals.ts'

/** Nominates a person, by reference; whoever nominates is another. @throws Refusal TWO_PERSONS */
export async function nominate(hands: S1spHands, person: string, by: string): Promise<void> {
  if (person === by) throw no('TWO_PERSONS')
  await hands.store.transaction(async client => {
    await client.query(
      `INSERT INTO privileged_person (person, nominated, nominated_by) VALUES ($1, $2, $3)
       ON CONFLICT (person) DO UPDATE SET nominated = $2, nominated_by = $3, until = NULL`,
      [person, hands.clock(), by],
    )
    await append(client, entry('privileged-person.nominated', hands.clock(), { person, by }))
  })
}

export async function endNomination(hands: S1spHands, person: string, by: string): Promise<void> {
  await hands.store.transaction(async client => {
    const values = [hands.clock(), person]
    await client.query('UPDATE privileged_person SET until = $1 WHERE person = $2 AND until IS NULL', values)
    await append(client, entry('privileged-person.ended', hands.clock(), { person, by }))
  })
}

export interface Access {
  readonly person: string
  readonly reason: string
  /** Of the support case. */
  readonly ticket: string
}

/**
 * A key record, as it is stored: a package in its seal, which opens nowhere without the HSM Keys. The journal entry is
 * committed before the octets are given out.
 * @throws Refusal REASON_MISSING, NOT_PRIVILEGED, RECORD_REMOVED; each stands in the journal too
 */
export async function openRecord(hands: S1spHands, record: string, access: Access): Promise<Buffer> {
  const { person, reason, ticket } = access
  const about = { record, person, ticket, reason }
  const { rows: persons } = await hands.store.query(
    'SELECT FROM privileged_person WHERE person = $1 AND nominated <= $2 AND until IS NULL',
    [person, hands.clock()],
  )
  const refused =
    reason.trim() === '' || ticket.trim() === ''
      ? 'REASON_MISSING'
      : persons.length === 0
        ? 'NOT_PRIVILEGED'
        : undefined
  if (refused) {
    await hands.notebook.write(entry('record.access-refused', hands.clock(), { ...about, code: refused }))
    throw no(refused)
  }
  return hands.store.transaction(async client => {
    const { rows } = await client.query<{ device: string; holder: string; type: string; octets: Buffer | null }>(
      'SELECT device, holder, type, octets FROM key_record WHERE id = $1',
      [record],
    )
    const found = rows[0]
    if (!found?.octets) throw no('RECORD_REMOVED')
    const { device, holder, type, octets } = found
    await append(client, entry('record.opened-by-person', hands.clock(), { ...about, device, holder, type }))
    return octets
  })
}
