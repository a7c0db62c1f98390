/** Both journals side by side: each message id stands in both, and what stands in one only is listed (section 9). */

import { type Act, readEntry } from '../../../ground/journal/entry.ts'
import { ask, newMessage } from './ask.ts'
import type { S1spHands } from './hands.ts'

export interface Comparison {
  readonly inBoth: number
  /** The DCO never heard of them: an answer did not come, or the message did not arrive. */
  readonly oursOnly: readonly string[]
  /** We never sent them: each one is an alarm. */
  readonly theirsOnly: readonly string[]
  /** Sent under one type and acted upon under another. */
  readonly otherType: readonly string[]
}

/**
 * Compares the messages of a span of time. The two clocks may be some minutes apart, and a message is under way for a
 * moment: what stands in one journal within the span is looked for in the other some minutes around it too.
 * @param until some seconds ago at the latest, while the S1SP works: what has no answer yet would be counted otherwise
 */
export async function compareJournals(hands: S1spHands, from: Date, until: Date): Promise<Comparison> {
  const apart = hands.symmetric.messageMinutes * 60_000
  const around = [new Date(from.getTime() - apart), new Date(until.getTime() + apart)] as const
  const asking = new Set<string>()
  const theirs = await toldMessages(hands, from, until, asking)
  const theirsAround = await toldMessages(hands, ...around, asking)
  const oursAround = await sentMessages(hands.store, ...around)
  const ours = new Map([...oursAround].filter(([, { at }]) => at >= from && at <= until))
  // Those of this very comparison are in both, or on their way.
  for (const id of asking) for (const each of [theirs, ours]) each.delete(id)
  const both = [...ours].filter(([id]) => theirsAround.has(id))
  return {
    inBoth: both.length,
    oursOnly: [...ours.keys()].filter(id => !theirsAround.has(id)),
    theirsOnly: [...theirs.keys()].filter(id => !oursAround.has(id)),
    otherType: both.filter(([id, { type }]) => theirsAround.get(id) !== type).map(([id]) => id),
  }
}

/** Type by id, as the DCO tells it. */
async function toldMessages(
  hands: S1spHands,
  from: Date,
  until: Date,
  asking: Set<string>,
): Promise<Map<string, string>> {
  const told = new Map<string, string>()
  const span = { from: new Date(Math.max(0, from.getTime())).toISOString(), until: until.toISOString() }
  for (let after: string | undefined; ; ) {
    const message = newMessage(hands, 'tell-messages', { ...span, ...(after !== undefined && { after }) })
    asking.add(message.id)
    const { messages, more } = await ask(hands, message)
    for (const { id, type } of messages) told.set(id, type)
    if (!more || messages.length === 0) return told
    after = messages.at(-1)!.id
  }
}

/** Every entry that stands in a journal, whether it has its position yet or not. */
export async function* entriesOf(store: Pick<S1spHands['store'], 'query'>): AsyncGenerator<Act> {
  for (const table of ['journal_entry', 'journal_pending'] as const) {
    for (let after = 0n; ; ) {
      const { rows } = await store.query<{ id: bigint; octets: Buffer }>(
        `SELECT id, octets FROM ${table} WHERE id > $1 ORDER BY id LIMIT 5000`,
        [after],
      )
      if (rows.length === 0) break
      for (const { octets } of rows) yield readEntry(octets)
      after = rows.at(-1)!.id
    }
  }
}

async function sentMessages(
  store: Pick<S1spHands['store'], 'query'>,
  from: Date,
  until: Date,
): Promise<Map<string, { readonly type: string; readonly at: Date }>> {
  const sent = new Map<string, { type: string; at: Date }>()
  for await (const { act, at, body } of entriesOf(store)) {
    if (act !== 'message.sent' || at < from || at > until) continue
    sent.set(body.message as string, { type: body.type as string, at })
  }
  return sent
}
