/** Answers messages: once each, in one transaction with the journal, and the same octets to whoever asks again. */

import { hash } from 'node:crypto'
import { type Bytes, fromHex, toHex } from '../../../ground/bytes.ts'
import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { Store } from '../../../ground/store/store.ts'
import { type OpenedMessage, openMessage } from '../envelope.ts'
import { gathered } from '../gathered.ts'
import type { Question } from '../messages.ts'
import { no } from '../refusals.ts'
import { type Fresh, keepAlone, keepTogether, prepare } from './act.ts'
import type { Hands } from './hands.ts'
import { Conflict } from './plan.ts'
import { storedAssociation } from './session.ts'

/** The answer in its envelope; or why there is none: a Refusal of what is no message, or nobody's, or a fault of ours. */
export type Answered = PromiseSettledResult<Buffer>

/**
 * Answers messages that came together. Those about different Devices share a transaction, each Device's in their order.
 * @param envelopes as they came (envelope.ts)
 * @param peer the S1SP whose connection they came over
 * @returns for each the answer in its envelope, a Refusal of what was asked is an answer too; or why there is none:
 * Refusal MESSAGE_UNREADABLE, SENDER_UNKNOWN, MESSAGE_UNSIGNED, MESSAGE_STALE, MESSAGE_ID_REUSED. Anything else is a
 * fault of ours: nothing was kept, and the same message may be sent again.
 */
export async function answerMessages(hands: Hands, envelopes: readonly Bytes[], peer: string): Promise<Answered[]> {
  const opened = await Promise.allSettled(envelopes.map(envelope => open(hands, envelope, peer)))
  const answered: Answered[] = opened.map(one =>
    one.status === 'fulfilled' && one.value.before
      ? { status: 'fulfilled', value: one.value.before }
      : (one as Answered),
  )
  const todo = opened.flatMap((one, i) =>
    one.status === 'fulfilled' && !one.value.before ? [{ i, ...one.value }] : [],
  )
  for (const group of groups(todo)) {
    const all = group.map(({ fresh }) => fresh)
    for (const [n, answer] of (await answerGroup(hands, all)).entries()) answered[group[n]!.i] = answer
  }
  return answered
}

/** Answers one message. @throws what stands in the place of an answer, as `answerMessages` says */
export async function answerMessage(hands: Hands, envelope: Bytes, peer: string): Promise<Buffer> {
  const [answered] = await answerMessages(hands, [envelope], peer)
  if (answered!.status === 'rejected') throw answered!.reason
  return answered!.value
}

interface Todo {
  readonly i: number
  readonly fresh: Fresh
  /** What no other message of its group is about; undefined of what stands by itself. */
  readonly about: string | undefined
}

/** In each group a Device is once; of one Device, what came first is in the earlier group. */
function groups(todo: readonly Todo[]): Todo[][] {
  const waves: Todo[][] = []
  const alone: Todo[][] = []
  const nth = new Map<string, number>()
  for (const one of todo) {
    if (one.about === undefined) {
      alone.push([one])
      continue
    }
    const wave = nth.get(one.about) ?? 0
    nth.set(one.about, wave + 1)
    waves[wave] = [...(waves[wave] ?? []), one]
  }
  return [...alone, ...waves]
}

async function answerGroup(hands: Hands, all: readonly Fresh[]): Promise<Answered[]> {
  if (all.length > 1) {
    const prepared = await Promise.allSettled(all.map(one => prepare(hands, one)))
    const decided = prepared.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
    const together = decided.length === all.length ? await keepTogether(hands, decided) : null
    if (together) return together.map(value => ({ status: 'fulfilled', value }))
  }
  return Promise.allSettled(all.map(one => answerAlone(hands, one)))
}

async function answerAlone(hands: Hands, one: Fresh): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await keepAlone(hands, await prepare(hands, one))
    } catch (cause) {
      // Two at once with one id: the other has answered.
      const { code, constraint } = cause as { code?: string; constraint?: string }
      const answered = code === '23505' && constraint === 'dco_message_pkey'
      if (!answered && !(cause instanceof Conflict)) throw cause
      const known = await stored(hands, one)
      if (known) return known
      if (attempt === attempts) throw cause
    }
  }
}

const attempts = 5

/** A message whose signature holds, with what was answered to it before; what is no message is told to the journal. */
async function open(hands: Hands, envelope: Bytes, peer: string) {
  const { by, octets, question } = await openOrTell(hands, envelope, peer)
  const fresh: Fresh = { by, question, digest: hash('sha256', octets, 'buffer') }
  const before = await stored(hands, fresh)
  if (!before) requireTimely(hands, question)
  return { fresh, before, about: before ? undefined : await aboutOf(hands, question) }
}

/** The Device that a message is about; undefined where it is about many, or none. */
async function aboutOf(hands: Hands, question: Question): Promise<string | undefined> {
  if ('device' in question) return question.device
  if (!('association' in question)) return undefined
  return (await storedAssociation(hands.store, question.association))?.device
}

async function openOrTell(hands: Hands, envelope: Bytes, peer: string): Promise<OpenedMessage> {
  try {
    const opened = openMessage(envelope, name => {
      const known = hands.settings.s1sps.find(each => each.name === name)
      return known && fromHex(known.publicKey)
    })
    if (opened.by !== peer) throw no('SENDER_UNKNOWN')
    return opened
  } catch (cause) {
    if (cause instanceof Refusal) {
      const body = { code: cause.code, s1sp: peer, module: hands.module.identity }
      await hands.store.transaction(client => append(client, entry('message.refused', hands.clock(), body)))
    }
    throw cause
  }
}

/** @throws Refusal MESSAGE_ID_REUSED */
async function stored(hands: Hands, { by, question, digest }: Fresh): Promise<Buffer | undefined> {
  const row = await storedAnswer(hands.store, question.id)
  if (!row) return undefined
  if (row.s1sp !== by || !row.digest.equals(digest)) throw no('MESSAGE_ID_REUSED', question.id)
  return row.answer
}

interface StoredAnswer {
  readonly id: Buffer
  readonly s1sp: string
  readonly digest: Buffer
  readonly answer: Buffer
}

const storedAnswer = gathered<Pick<Store, 'query'>, string, StoredAnswer | undefined>(async (store, ids) => {
  const { rows } = await store.query<StoredAnswer>({
    name: 'dco stored answers',
    text: 'SELECT id, s1sp, digest, answer FROM dco_message WHERE id = ANY ($1)',
    values: [ids.map(fromHex)],
  })
  const found = new Map(rows.map(row => [toHex(row.id), row] as const))
  return ids.map(id => found.get(id))
})

/** What is older than the stored answers are kept could be a repeated message whose answer is gone: it is not acted upon. */
function requireTimely({ clock, settings }: Hands, { at }: Question): void {
  const ahead = at.getTime() - clock().getTime()
  const { messageMinutes, answerDays } = settings.symmetric
  if (ahead > messageMinutes * 60_000 || -ahead > answerDays * 86_400_000) throw no('MESSAGE_STALE')
}
