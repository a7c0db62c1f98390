/** What is about to be replaced on a Device, written down before anybody is asked for anything. */

import type { ClientBase } from 'pg'
import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import type { Ground } from '../../../policy/symmetric/grounds.ts'
import type { KeyHolder, LastingType } from '../../../policy/symmetric/keys.ts'
import type { Message } from '../messages.ts'
import { newMessage } from './ask.ts'
import type { Step } from './plan.ts'
import { isCurrent, octetsOf, type StoredKey } from './records.ts'
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

export async function openIntent(work: Work, device: string): Promise<Intent | undefined> {
  const { rows } = await work.hands.store.query<Intent>({
    name: 's1sp intent',
    text: `SELECT ${columns} FROM intent WHERE device = $1 AND closed IS NULL`,
    values: [device],
  })
  return rows[0]
}

/** Opens an intent. A Device has one at a time: the store sees to it. */
export async function intend(work: Work, rotation: bigint, ground: Ground, step: Step): Promise<Intent> {
  const { hands, device } = work
  const messages = step.types.map(type => intended(work, ground, step.holder, type))
  return hands.store.transaction(async client => {
    const { rows } = await client.query<Intent>(
      `INSERT INTO intent (rotation, device, holder, opened, messages) VALUES ($1, $2, $3, $4, $5) RETURNING ${columns}`,
      [rotation, device.device, step.holder, hands.clock(), JSON.stringify(messages)],
    )
    const { holder, types } = step
    const body = { device: device.device, rotation: Number(rotation), holder, types: [...types] }
    await append(client, entry('rotation.intended', hands.clock(), body))
    return rows[0]!
  })
}

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
  await work.hands.store.query('UPDATE intent SET result = $1 WHERE id = $2', [result, intent.id])
  return { ...intent, result }
}

export async function closeIntent(
  client: ClientBase,
  work: Work,
  intent: Intent,
  outcome: 'active' | 'abandoned' | 'never begun',
): Promise<void> {
  const values = [work.hands.clock(), outcome, intent.id]
  await client.query('UPDATE intent SET closed = $1, outcome = $2 WHERE id = $3 AND closed IS NULL', values)
}

function intended(work: Work, ground: Ground, holder: KeyHolder, keyType: LastingType): Intended {
  // All that we have of the Device and is sound: no two keys of it become equal. What is lost is not among it.
  const records = work.keys.filter(isHere).map(key => octetsOf(key))
  const { device } = work.device
  const message = newMessage(work.hands, 'make-key', { device, holder, keyType, ground, records })
  return { holder, type: keyType, message }
}

const isHere = (key: StoredKey) => isCurrent(key) && key.octets !== null && !key.corrupt
