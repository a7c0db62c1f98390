/** A message acted upon: planned and kept in the transaction that its group shares, with its journal entries and its answer. */

import { type Bytes, fromHex } from '../../../ground/bytes.ts'
import { type Entry, entry, type JsonValue } from '../../../ground/journal/entry.ts'
import { appendMany } from '../../../ground/journal/journal.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { Client } from '../../../ground/store/store.ts'
import { sealAnswer } from '../envelope.ts'
import { gathered } from '../gathered.ts'
import type { Answer, MessageType, Question } from '../messages.ts'
import { sideBySide } from '../together.ts'
import { answerAssociation, closeAssociation, finishAssociation, openAssociation } from './associate.ts'
import { protectActivation, protectCommand, protectProofRead } from './command.ts'
import { tellDevice } from './devices.ts'
import { abandonKey, makeKey } from './generate.ts'
import { type Hands, s1spNamed, signer } from './hands.ts'
import { collectHsmKeys, proveHsmKey } from './hsm.ts'
import { offerKeys } from './offer.ts'
import { importKeys } from './onboard.ts'
import type { Asking, Plan, Planner, Told } from './plan.ts'
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

/** A message that is to be acted upon: its signature holds, it is timely, and nothing is stored under its id. */
export interface Fresh {
  readonly by: string
  readonly question: Question
  /** SHA-256 of what was signed. */
  readonly digest: Buffer
}

/** A message that is decided upon: nothing of it is kept yet, and nobody has seen its APDU. */
export interface Prepared {
  readonly one: Fresh
  readonly now: Date
  readonly plan: Plan | Refusal
}

/** Decides: keys are opened, and closed again; APDUs are made. @throws Conflict and faults */
export async function prepare(hands: Hands, one: Fresh): Promise<Prepared> {
  const { question, digest, by } = one
  const now = hands.clock()
  const openings = new Openings(hands.module)
  const asking = { hands, module: hands.module, s1sp: s1spNamed(hands, by), question, digest, now, openings }
  try {
    return { one, now, plan: await (planners[question.type] as Planner<MessageType>)(asking as Asking) }
  } catch (cause) {
    if (!(cause instanceof Refusal) || isNobodys(cause)) throw cause
    return { one, now, plan: cause }
  } finally {
    openings.close()
  }
}

/**
 * Keeps what is decided, each about a Device that no other is about, in one transaction.
 * @returns the answers; null when one of them could not be kept: then nothing was, and each may be done by itself
 */
export async function keepTogether(hands: Hands, all: readonly Prepared[]): Promise<Buffer[] | null> {
  const answers = await sideBySide(
    hands.store,
    all.map(prepared => client => keep(hands, client, prepared)),
  )
  if (answers) for (const prepared of all) kept(prepared)
  return answers
}

/** Keeps one. @throws Conflict and faults: then nothing of it was kept */
export async function keepAlone(hands: Hands, prepared: Prepared): Promise<Buffer> {
  try {
    const answer = await hands.store.transaction(client => keep(hands, client, prepared))
    kept(prepared)
    return answer
  } catch (cause) {
    // What keeping it met may be a refusal too; what was written by then is undone.
    if (!(cause instanceof Refusal) || isNobodys(cause)) throw cause
    const { one, now } = prepared
    return hands.store.transaction(client => keep(hands, client, { one, now, plan: cause }))
  }
}

function kept({ plan }: Prepared): void {
  if (!(plan instanceof Refusal)) plan.after?.()
}

/** What changes, the journal and the answer, in one transaction: only after its commit the answer leaves. */
async function keep(hands: Hands, client: Client, { one, now, plan }: Prepared): Promise<Buffer> {
  const { id, type } = one.question
  if (plan instanceof Refusal) {
    const { code, message: says, details } = plan
    const entries = refusedTells(type, code, details).map(told => entryOf(hands, one, told, now))
    return keptAnswer(client, { row: rowOf(hands, one, { id, ok: false, code, says }, code, now), entries })
  }
  const more = (await plan.keep?.(client)) ?? []
  const entries = [...plan.tells, ...more].map(told => entryOf(hands, one, told, now))
  return keptAnswer(client, {
    row: rowOf(hands, one, { id, ok: true, content: plan.content }, 'done', now),
    entries,
  })
}

const isNobodys = ({ code }: Refusal) => code === 'MESSAGE_ID_REUSED'

interface AnswerRow {
  readonly id: string
  readonly s1sp: string
  readonly type: string
  readonly digest: Bytes
  readonly at: Date
  /** The code of a Refusal, or `done`. */
  readonly outcome: string
  /** In its envelope. */
  readonly answer: Buffer
}

function rowOf(
  hands: Hands,
  { by, question, digest }: Fresh,
  answer: Answer,
  outcome: string,
  at: Date,
): AnswerRow {
  const { id, type } = question
  return { id, s1sp: by, type, digest, at, outcome, answer: sealAnswer(answer, signer(hands, 'messages')) }
}

/** Who asked, by which message, and which module did it, on every entry. */
function entryOf({ module }: Hands, { by, question }: Fresh, { act, body }: Told, now: Date): Entry {
  const common = { message: question.id, s1sp: by, module: module.identity }
  return entry(act, now, { ...body, ...common } as Record<string, JsonValue>)
}

const keptAnswer = gathered<Client, { readonly row: AnswerRow; readonly entries: readonly Entry[] }, Buffer>(
  async (client, all) => {
    await appendMany(
      client,
      all.flatMap(({ entries }) => entries),
    )
    const rows = all.map(({ row }) => row)
    await client.query({
      name: 'dco answers',
      text: `INSERT INTO dco_message (id, s1sp, type, digest, at, outcome, answer)
      SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[], $5::timestamptz[], $6::text[], $7::bytea[])`,
      values: [
        rows.map(({ id }) => fromHex(id)),
        rows.map(({ s1sp }) => s1sp),
        rows.map(({ type }) => type),
        rows.map(({ digest }) => digest),
        rows.map(({ at }) => at),
        rows.map(({ outcome }) => outcome),
        rows.map(({ answer }) => answer),
      ],
    })
    return rows.map(({ answer }) => answer)
  },
)

/** A refusal stands in the journal with its code; what a damaged record means stands there besides. */
function refusedTells(type: MessageType, code: string, details: Refusal['details']): Told[] {
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
