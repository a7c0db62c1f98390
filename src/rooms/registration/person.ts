/** A person: a reference, and what is personal in a row of its own that can be erased. */

import { hash } from 'node:crypto'
import { toHex } from '../../ground/bytes.ts'
import type { Chance } from '../../ground/clock.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { no } from './refusals.ts'

export interface PersonalData {
  readonly name: string
  readonly email?: string | undefined
  readonly telephone?: string | undefined
  /** What the Service Desk asks to know an ARO by telephone (ARO Nomination Form, APPP). */
  readonly questions?: readonly { readonly question: string; readonly answer: string }[] | undefined
}

/** Within an act: keeps a new person. */
export async function keepPerson(
  client: Client,
  chance: Chance,
  data: PersonalData,
  at: Date,
): Promise<{ id: number; reference: string }> {
  const { text, salt, commitment } = seal(chance, data)
  const reference = `p-${toHex(chance(6))}`
  const { rows } = await client.query<{ id: number }>(
    'INSERT INTO person (reference, entered_at) VALUES ($1, $2) RETURNING id',
    [reference, at],
  )
  const { id } = rows[0]!
  await client.query('INSERT INTO person_data (person, data, salt, commitment) VALUES ($1, $2, $3, $4)', [
    id,
    text,
    salt,
    commitment,
  ])
  return { id, reference }
}

/** The number of a person who was not erased; the row is held, so that he is not erased meanwhile. */
export async function personNumber(client: Client, reference: string): Promise<number> {
  const { rows } = await client.query<{ id: number }>(
    'SELECT id FROM person WHERE reference = $1 AND erased_at IS NULL FOR SHARE',
    [reference],
  )
  if (!rows[0]) throw no('PERSON_UNKNOWN')
  return rows[0].id
}

export interface PersonRecord {
  readonly reference: string
  readonly enteredAt: Date
  readonly erased: boolean
  readonly offices: readonly {
    readonly office: string
    readonly party: number | undefined
    readonly state: string
  }[]
}

/** Everybody, by reference, with the offices that each holds or is nominated for. */
export async function people(store: Pick<Store, 'query'>): Promise<PersonRecord[]> {
  const { rows } = await store.query<{
    reference: string
    entered_at: Date
    erased_at: Date | null
    offices: { office: string; party: number | null; state: string }[]
  }>(
    `SELECT p.reference, p.entered_at, p.erased_at, coalesce(json_agg(json_build_object(
         'office', a.office, 'party', a.party, 'state', a.state) ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL), '[]')
         AS offices
       FROM person p LEFT JOIN appointment a ON a.person = p.id AND a.state IN ('nominated', 'appointed')
      GROUP BY p.id ORDER BY p.id`,
  )
  return rows.map(row => ({
    reference: row.reference,
    enteredAt: row.entered_at,
    erased: row.erased_at !== null,
    offices: row.offices.map(({ office, party, state }) => ({ office, party: party ?? undefined, state })),
  }))
}

/**
 * The data as they are kept, and the commitment that stands for them in digests: SHA-256(salt, data). The salt keeps a
 * guess at the data from being tried against the journal, and is erased with them.
 * @throws Refusal PERSON_UNFIT
 */
export function seal(chance: Chance, data: PersonalData): { text: string; salt: Buffer; commitment: Buffer } {
  const { name, email, telephone, questions = [] } = data
  const fields = [name, email ?? '-', telephone ?? '-', ...questions.flatMap(one => [one.question, one.answer])]
  const fit = (field: unknown) =>
    typeof field === 'string' && field !== '' && field.length <= 200 && field.isWellFormed()
  if (questions.length > 10 || !fields.every(fit)) throw no('PERSON_UNFIT')
  const text = JSON.stringify({
    name,
    ...(email !== undefined && { email }),
    ...(telephone !== undefined && { telephone }),
    questions: questions.map(({ question, answer }) => ({ question, answer })),
  })
  const salt = Buffer.from(chance(32))
  return { text, salt, commitment: hash('sha256', Buffer.concat([salt, Buffer.from(text)]), 'buffer') }
}
