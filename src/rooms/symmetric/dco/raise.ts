/** Counters that have to jump: because a Device says so, or because the DCO was restored from a copy (section 7). */

import { fromHex } from '../../../ground/bytes.ts'
import type { Client } from '../../../ground/store/store.ts'
import { keyIdOfRecord } from '../record.ts'
import { no } from '../refusals.ts'
import { deviceOf, keyIn, keysOf } from './devices.ts'
import type { Hands } from './hands.ts'
import { type Access, actOfPerson } from './people.ts'
import type { Planner } from './plan.ts'
import { tally } from './rate.ts'
import { admit } from './records.ts'

/**
 * On from the greater of ours and theirs, plus 1. What the Public client reads is not authenticated, and an invented
 * number would burn the 32 bits of the counter: further than the model's largest jump needs a person.
 */
export const raiseCounter: Planner<'raise-counter'> = async asking => {
  const { hands, s1sp, question } = asking
  const { device, client, counter } = question
  const { model } = await deviceOf(hands, s1sp.name, device)
  const { record } = await admit(hands, s1sp.name, question.guek, { types: ['GUEK'], device, holder: client })
  keyIn(await keysOf(hands.store, device), record)
  const keyId = keyIdOfRecord(record)
  const title = Buffer.from(s1sp.title)
  const { rows } = await hands.store.query<{ next: bigint }>(
    'SELECT next FROM dco_counter WHERE key_id = $1 AND title = $2',
    [keyId, title],
  )
  const ours = Number(rows[0]?.next ?? model.counters.first)
  const next = Math.max(ours, counter + 1)
  if (next - ours > model.counters.maxJump) {
    throw no('COUNTER_JUMP', `from ${ours} to ${next}, and ${model.counters.maxJump} is the most`)
  }
  return {
    content: { next },
    tells: [
      { act: 'counter.jumped', body: { device, client, record: record.id, from: ours, to: next, read: counter } },
    ],
    keep: async db => {
      // Each jump is within bounds; many of them would burn the counter all the same.
      await tally(db, asking, device)
      await raise(db, keyId, title, next)
    },
    after: () => hands.counters.forget(),
  }
}

/** By a person, as far as it takes; never down. @throws Refusal REASON_MISSING */
export async function raiseByPerson(
  hands: Hands,
  by: Access,
  stream: { readonly keyId: string; readonly title: string },
  next: number,
): Promise<void> {
  await actOfPerson(hands, by, 'counter.jumped', { stream: stream.keyId, to: next }, client =>
    raise(client, stream.keyId, fromHex(stream.title), next),
  )
  hands.counters.forget()
}

/**
 * After the store was brought back from a copy: skips values in every stream, those that the copy knows and those that
 * it does not, since what was handed out after it was taken is not in it. To be run before the DCO serves again.
 * @throws Refusal REASON_MISSING
 */
export async function skipAfterRestore(hands: Hands, by: Access): Promise<void> {
  const gap = hands.settings.symmetric.restoreGap
  await actOfPerson(hands, by, 'counters.skipped', { gap }, async client => {
    await client.query('UPDATE dco_counter SET next = next + $1', [gap])
    await client.query('UPDATE dco_skipped SET counters = counters + $1', [gap])
  })
  hands.counters.forget()
}

async function raise(client: Client, keyId: string, title: Buffer, next: number): Promise<void> {
  await client.query(
    `INSERT INTO dco_counter AS c (key_id, title, next) VALUES ($1, $2, $3)
     ON CONFLICT (key_id, title) DO UPDATE SET next = GREATEST(c.next, $3)`,
    [keyId, title, next],
  )
}
