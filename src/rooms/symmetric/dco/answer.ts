/** Answers messages: once each, in one transaction with the journal, and the same octets to whoever asks again. */

import { hash } from 'node:crypto'
import { type Bytes, fromHex, toHex } from '../../../ground/bytes.ts'
import { entry, type JsonValue } from '../../../ground/journal/entry.ts'
import { append, appendMany } from '../../../ground/journal/journal.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { Client } from '../../../ground/store/store.ts'
import { type OpenedMessage, openMessage, sealAnswer } from '../envelope.ts'
import type { Answer, MessageType } from '../messages.ts'
import { no } from '../refusals.ts'
import { answerAssociation, closeAssociation, finishAssociation, openAssociation } from './associate.ts'
import { protectActivation, protectCommand, protectProofRead } from './command.ts'
import { tellDevice } from './devices.ts'
import { abandonKey, makeKey } from './generate.ts'
import { type Hands, s1spNamed, signer } from './hands.ts'
import { collectHsmKeys, proveHsmKey } from './hsm.ts'
import { offerKeys } from './offer.ts'
import { importKeys } from './onboard.ts'
import { type Asking, Conflict, type Plan, type Planner, type Told } from './plan.ts'
import { raiseCounter } from './raise.ts'
import { Openings } from './records.ts'
import { checkRecords, renewRecords } from './renew.ts'
import { openReply } from './reply.ts'
import { tellMessages } from './tell.ts'

/** Who does what: there is a planner for every message, and no way in but by a message. */
const planners: { readonly [T in MessageType]: Planner<T> } = {
  'import-keys': importKeys,
  'tell-device': tellDevice,
  'check-records': checkRecords,
  'make-key': makeKey,
  'abandon-key': abandonKey,
  'open-association': openAssociation,
  'answer-association': answerAssociation,
  'finish-association': finishAssociation,
  'close-association': closeAssociation,
  'protect-command': protectCommand,
  'protect-proof-read': protectProofRead,
  'protect-activation': protectActivation,
  'offer-keys': offerKeys,
  'open-reply': openReply,
  'raise-counter': raiseCounter,
  'renew-records': renewRecords,
  'collect-hsm-keys': collectHsmKeys,
  'prove-hsm-key': proveHsmKey,
  'tell-messages': tellMessages,
}

/**
 * Answers one message.
 * @param envelope as it came (envelope.ts)
 * @param peer the S1SP whose connection it came over
 * @returns the answer in its envelope; a Refusal of what was asked is an answer too
 * @throws Refusal for a message that is none, or nobody's to answer: MESSAGE_UNREADABLE, SENDER_UNKNOWN,
 * MESSAGE_UNSIGNED, MESSAGE_STALE, MESSAGE_ID_REUSED. Any other error is a fault of ours: nothing was kept, and the same
 * message may be sent again.
 */
export async function answerMessage(hands: Hands, envelope: Bytes, peer: string): Promise<Buffer> {
  const opened = await openOrTell(hands, envelope, peer)
  const digest = hash('sha256', opened.octets, 'buffer')
  const before = await stored(hands, opened, digest)
  if (before) return before
  requireTimely(hands, opened)

  for (let attempt = 1; ; attempt++) {
    try {
      return await once(hands, opened, digest)
    } catch (cause) {
      // Two at once with one id: the other has answered.
      const { code, constraint } = cause as { code?: string; constraint?: string }
      const answered = code === '23505' && constraint === 'dco_message_pkey'
      if (!answered && !(cause instanceof Conflict)) throw cause
      const known = await stored(hands, opened, digest)
      if (known) return known
      if (attempt === attempts) throw cause
    }
  }
}

const attempts = 5

async function once(hands: Hands, opened: OpenedMessage, digest: Buffer): Promise<Buffer> {
  const { question } = opened
  const asking = {
    hands,
    module: hands.module,
    s1sp: s1spNamed(hands, opened.by),
    question,
    digest,
    now: hands.clock(),
  }
  try {
    // 1. Decide: keys are opened, and closed again; APDUs are made, and nobody has seen them.
    const openings = new Openings(hands.module)
    let plan: Plan
    try {
      plan = await (planners[question.type] as Planner<MessageType>)({ ...asking, openings } as Asking)
    } finally {
      openings.close()
    }
    // 2. Keep it, tell the journal, and keep the answer, in one transaction. Only then it leaves.
    const envelope = await hands.store.transaction(async client => {
      const more = (await plan.keep?.(client)) ?? []
      await appendMany(
        client,
        [...plan.tells, ...more].map(told => entryOf(asking, told)),
      )
      return keepAnswer(client, asking, { id: question.id, ok: true, content: plan.content }, 'done')
    })
    plan.after?.()
    return envelope
  } catch (cause) {
    if (!(cause instanceof Refusal) || isNobodys(cause)) throw cause
    return hands.store.transaction(async client => {
      await appendMany(
        client,
        refusedTells(question.type, cause).map(told => entryOf(asking, told)),
      )
      const { code, message: says } = cause
      return keepAnswer(client, asking, { id: question.id, ok: false, code, says }, code)
    })
  }
}

type Answering = Omit<Asking, 'openings'>

const isNobodys = ({ code }: Refusal) => code === 'MESSAGE_ID_REUSED'

async function keepAnswer(
  client: Client,
  { hands, s1sp, question, digest, now }: Answering,
  answer: Answer,
  outcome: string,
): Promise<Buffer> {
  const envelope = sealAnswer(answer, signer(hands, 'messages'))
  await client.query({
    name: 'dco answer',
    text: `INSERT INTO dco_message (id, s1sp, type, digest, at, outcome, answer) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    values: [fromHex(question.id), s1sp.name, question.type, digest, now, outcome, envelope],
  })
  return envelope
}

/** Who asked, by which message, and which module did it, on every entry. */
function entryOf({ hands, s1sp, question, now }: Answering, { act, body }: Told) {
  const common = { message: question.id, s1sp: s1sp.name, module: hands.module.identity }
  return entry(act, now, { ...body, ...common } as Record<string, JsonValue>)
}

/** A refusal stands in the journal with its code; what a damaged record means stands there besides. */
function refusedTells(type: MessageType, { code, details }: Refusal): Told[] {
  const act = refusedAs[type] ?? 'message.refused'
  const record = typeof details.record === 'string' ? details.record : null
  return [
    ...(code === 'RECORD_CORRUPT' ? [{ act: 'record.corrupt', body: { record } }] : []),
    { act, body: { type, code } },
  ]
}

const refusedAs: Partial<Record<MessageType, string>> = {
  'open-association': 'command.refused',
  'protect-command': 'command.refused',
  'protect-proof-read': 'command.refused',
  'protect-activation': 'command.refused',
  'offer-keys': 'command.refused',
  'answer-association': 'reply.refused',
  'finish-association': 'reply.refused',
  'open-reply': 'reply.refused',
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

async function stored(hands: Hands, { by, question }: OpenedMessage, digest: Buffer): Promise<Buffer | undefined> {
  const { rows } = await hands.store.query<{ s1sp: string; digest: Buffer; answer: Buffer }>({
    name: 'dco stored answer',
    text: 'SELECT s1sp, digest, answer FROM dco_message WHERE id = $1',
    values: [fromHex(question.id)],
  })
  const row = rows[0]
  if (!row) return undefined
  if (row.s1sp !== by || !row.digest.equals(digest)) throw no('MESSAGE_ID_REUSED', toHex(fromHex(question.id)))
  return row.answer
}

/** What is older than the stored answers are kept could be a repeated message whose answer is gone: it is not acted upon. */
function requireTimely({ clock, settings }: Hands, { question }: OpenedMessage): void {
  const ahead = question.at.getTime() - clock().getTime()
  const { messageMinutes, answerDays } = settings.symmetric
  if (ahead > messageMinutes * 60_000 || -ahead > answerDays * 86_400_000) throw no('MESSAGE_STALE')
}
