/** What is on record about one person: where he holds or held anything, and every task that concerned him. */

import type { Client, Store } from '../../ground/store/store.ts'
import { type Task, taskOf } from './task.ts'

type Reader = Pick<Store, 'query'> | Client

/** Parties that he holds or held an office or a credential of; `undefined` stands for the Registration Authority and the SMKI PMA. */
export async function partiesOfPerson(store: Reader, reference: string): Promise<(number | undefined)[]> {
  const { rows } = await (store as Client).query<{ party: number | null }>(
    `SELECT a.party FROM appointment a JOIN person p ON p.id = a.person WHERE p.reference = $1
     UNION SELECT l.party FROM credential_life l JOIN person p ON p.id = l.person WHERE p.reference = $1
     ORDER BY party NULLS FIRST`,
    [reference],
  )
  return rows.map(row => row.party ?? undefined)
}

/** Decided or not, oldest first: what he came to an office by, and what it rests on. */
export async function tasksAbout(store: Reader, reference: string): Promise<Task[]> {
  const { rows } = await (store as Client).query<{ id: number }>(
    'SELECT t.id FROM task t JOIN person p ON p.id = ANY (t.about) WHERE p.reference = $1 ORDER BY t.id',
    [reference],
  )
  const tasks: Task[] = []
  for (const { id } of rows) tasks.push(await taskOf(store, id))
  return tasks
}
