/** What is about to be replaced on a Device, written down before anybody is asked for anything. */

import type { ClientBase } from 'pg'
import { entry } from '../../../ground/journal/entry.ts'
import type { Store } from '../../../ground/store/store.ts'
import type { Ground } from '../../../policy/symmetric/grounds.ts'
import type { KeyHolder, LastingType } from '../../../policy/symmetric/keys.ts'
import { gathered } from '../gathered.ts'
import type { Message } from '../messages.ts'
import { inGroup } from '../together.ts'
import { newMessage } from './ask.ts'
import type { Step } from './plan.ts'
import { appended, isCurrent, octetsOf, type StoredKey } from './records.ts'
import type { Work } from './work.ts'

export interface Intended {
  readonly holder: KeyHolder
  readonly type: LastingType
  /** Makes one key, however often it is sent. */
  readonly message: Message<'make-key'>
}

export interface Intent {
  readonly id: bigint
  readonly rotation: bigint
  readonly holder: KeyHolder
  readonly messages: readonly Intended[]
  /** What the Device said of the transfer, verified; null when nothing was heard. */
  readonly result: number | null
}

const columns = 'id, rotation, holder, messages, result'

export const openIntent = (work: Work, device: string): Promise<Intent | undefined> =>
  openOf(work.hands.store, device)

const openOf = gathered<Pick<Store, 'query'>, string, Intent | undefined>(async (store, devices) => {
  const { rows } = await store.query<Intent & { device: string }>({
    name: 's1sp intents',
    text: `SELECT ${columns}, device FROM intent WHERE device = ANY ($1) AND closed IS NULL`,
    values: [devices],
  })
  const found = new Map(rows.map(row => [row.device, row] as const))
  return devices.map(device => found.get(device))
})

/** Opens an intent. A Device has one at a time: the store sees to it. */
export async function intend(work: Work, rotation: bigint, ground: Ground, step: Step): Promise<Intent> {
  const { hands, device } = work
  const messages = step.types.map(type => intended(work, ground, step.holder, type))
  const { holder, types } = step
  const at = hands.clock()
  return inGroup(hands.store)(async client => {
    const opening = { rotation, device: device.device, holder, at, messages: JSON.stringify(messages) }
    const intent = await opened(client, opening)
    const body = { device: device.device, rotation: Number(rotation), holder, types: [...types] }
    await appended(client, entry('rotation.intended', at, body))
    return intent
  })
}

interface Opening {
  readonly rotation: bigint
  readonly device: string
  readonly holder: KeyHolder
  readonly at: Date
  readonly messages: string
}

const opened = gathered<ClientBase, Opening, Intent>(async (client, all) => {
  const { rows } = await client.query<Intent & { device: string }>({
    name: 's1sp intend',
    text: `INSERT INTO intent (rotation, device, holder, opened, messages)
      SELECT rotation, device, holder, at, messages::json
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
          AS given (rotation, device, holder, at, messages)
      RETURNING ${columns}, device`,
    values: [
      all.map(({ rotation }) => rotation),
      all.map(({ device }) => device),
      all.map(({ holder }) => holder),
      all.map(({ at }) => at),
      all.map(({ messages }) => messages),
    ],
  })
  const found = new Map(rows.map(row => [row.device, row] as const))
  return all.map(({ device }) => found.get(device)!)
})

/** More keys for the same intent: those by which a new MK is proven. */
export async function alsoIntend(work: Work, intent: Intent, ground: Ground, more: Step): Promise<Intent> {
  const added = more.types.map(type => intended(work, ground, more.holder, type))
  const messages = [...intent.messages, ...added]
  await work.hands.store.query('UPDATE intent SET messages = $1 WHERE id = $2', [
    JSON.stringify(messages),
    intent.id,
  ])
  return { ...intent, messages }
}

/** For a message that the DCO refused, which made nothing: another in its place. */
export async function intendAnew(work: Work, intent: Intent, refused: Message<'make-key'>): Promise<void> {
  const messages = intent.messages.map(one =>
    one.message.id === refused.id ? intended(work, refused.ground, one.holder, one.type) : one,
  )
  await work.hands.store.query('UPDATE intent SET messages = $1 WHERE id = $2', [
    JSON.stringify(messages),
    intent.id,
  ])
}

/** What the Device said; `null` where what was said before no longer counts. */
export async function keepResult(work: Work, intent: Intent, result: number | null): Promise<Intent> {
  if (result !== intent.result)
    await inGroup(work.hands.store)(client => resulted(client, { id: intent.id, result }))
  return { ...intent, result }
}

const resulted = gathered<ClientBase, { readonly id: bigint; readonly result: number | null }, void>(
  async (client, all) => {
    await client.query({
      name: 's1sp result',
      text: `UPDATE intent i SET result = r.result FROM unnest($1::bigint[], $2::int[]) AS r (id, result)
        WHERE i.id = r.id`,
      values: [all.map(({ id }) => id), all.map(({ result }) => result)],
    })
  },
)

export type IntentOutcome = 'active' | 'abandoned' | 'never begun'

export async function closeIntent(
  client: ClientBase,
  work: Work,
  { id }: Intent,
  outcome: IntentOutcome,
): Promise<void> {
  await closed(client, { id, outcome, at: work.hands.clock() })
}

interface Closing {
  readonly id: bigint
  readonly outcome: IntentOutcome
  readonly at: Date
}

const closed = gathered<ClientBase, Closing, void>(async (client, all) => {
  await client.query({
    name: 's1sp close intents',
    text: `UPDATE intent i SET closed = c.at, outcome = c.outcome
      FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS c (id, outcome, at)
      WHERE i.id = c.id AND i.closed IS NULL`,
    values: [all.map(({ id }) => id), all.map(({ outcome }) => outcome), all.map(({ at }) => at)],
  })
})

function intended(work: Work, ground: Ground, holder: KeyHolder, keyType: LastingType): Intended {
  // All that we have of the Device and is sound: no two keys of it become equal. What is lost is not among it.
  const records = work.keys.filter(isHere).map(key => octetsOf(key))
  const { device } = work.device
  const message = newMessage(work.hands, 'make-key', { device, holder, keyType, ground, records })
  return { holder, type: keyType, message }
}

const isHere = (key: StoredKey) => isCurrent(key) && key.octets !== null && !key.corrupt
