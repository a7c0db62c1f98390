/** What the Registration Authority tells others: kept until whoever carries it has read it. */

import type { JsonValue } from '../../ground/journal/entry.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Acting } from './act.ts'

export interface Notice {
  readonly id: number
  /** `SEC Panel`; or `party 3`, for its officers. */
  readonly recipient: string
  readonly subject: string
  readonly about: Readonly<Record<string, JsonValue>>
  readonly at: Date
}

/** In the transaction of what it tells of. */
export async function notify(
  { client, at, note }: Pick<Acting, 'client' | 'at' | 'note'>,
  recipient: string,
  subject: string,
  about: Readonly<Record<string, JsonValue>>,
): Promise<number> {
  const { rows } = await client.query<{ id: number }>(
    'INSERT INTO notice (recipient, subject, about, at) VALUES ($1, $2, $3, $4) RETURNING id',
    [recipient, subject, JSON.stringify(about), at],
  )
  const { id } = rows[0]!
  await note('notice', { notice: id, recipient, subject, about })
  return id
}

/** Oldest first; `after` is the last that was read. */
export async function noticesTo(store: Pick<Store, 'query'>, recipient: string, after = 0): Promise<Notice[]> {
  const { rows } = await store.query<{
    id: number
    recipient: string
    subject: string
    about: Notice['about']
    at: Date
  }>('SELECT id, recipient, subject, about, at FROM notice WHERE recipient = $1 AND id > $2 ORDER BY id', [
    recipient,
    after,
  ])
  return rows
}
