/** Messages and answers between S1SP and DCO in their signed envelopes. */

import { z } from 'zod'
import type { Bytes } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import {
  type Answer,
  answers,
  type Content,
  type Message,
  type MessageType,
  type Question,
  questions,
} from './messages.ts'
import { no } from './refusals.ts'
import { parsed, readSigned, type Signer, writeSigned } from './signed.ts'

export const sealMessage = (message: Message, signer: Signer): Buffer => writeSigned('message', message, signer)

export const sealAnswer = (answer: Answer, signer: Signer): Buffer => writeSigned('answer', answer, signer)

/** A message whose signature holds. */
export interface OpenedMessage {
  readonly by: string
  /** What was signed: two messages are the same if these are equal. */
  readonly octets: Bytes
  readonly question: Question
}

/**
 * Opens a message.
 * @param keyOf the key of that organisation, SubjectPublicKeyInfo; undefined if it is not known
 * @throws Refusal MESSAGE_UNREADABLE, SENDER_UNKNOWN, MESSAGE_UNSIGNED
 */
export function openMessage(envelope: Bytes, keyOf: (name: string) => Bytes | undefined): OpenedMessage {
  const signed = readSigned('message', envelope, () => no('MESSAGE_UNREADABLE'))
  const spki = keyOf(signed.by)
  if (spki === undefined) throw no('SENDER_UNKNOWN')
  if (!signed.holds(spki)) throw no('MESSAGE_UNSIGNED')
  return { by: signed.by, octets: signed.octets, question: readQuestion(signed.octets) }
}

/**
 * Opens the answer to a message.
 * @returns what was asked for
 * @throws Refusal ANSWER_UNREADABLE, ANSWER_UNSIGNED; the Refusal that the DCO answered with
 */
export function openAnswer<T extends MessageType>(
  envelope: Bytes,
  message: Message<T>,
  dco: { readonly name: string; readonly publicKey: Bytes },
): Content<T> {
  const unreadable = (about?: string) => no('ANSWER_UNREADABLE', about)
  const signed = readSigned('answer', envelope, unreadable)
  if (signed.by !== dco.name || !signed.holds(dco.publicKey)) throw no('ANSWER_UNSIGNED')
  const answer = parsed(answerSchema, signed.octets, unreadable)
  if (answer.id !== message.id) throw unreadable('it answers another message')
  if (!answer.ok) throw new Refusal(answer.code, answer.says)
  const content = answers[message.type].safeParse(answer.content)
  if (!content.success) throw unreadable()
  return content.data as Content<T>
}

const answerSchema = z.discriminatedUnion('ok', [
  z.strictObject({ id: z.string(), ok: z.literal(true), content: z.unknown() }),
  z.strictObject({ id: z.string(), ok: z.literal(false), code: z.string(), says: z.string() }),
])

const headSchema = z.looseObject({
  type: z.enum(Object.keys(questions) as [MessageType, ...MessageType[]]),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  at: z.iso.datetime(),
})

function readQuestion(octets: Bytes): Question {
  const unreadable = (about?: string) => no('MESSAGE_UNREADABLE', about)
  const { type, id, at, ...body } = parsed(headSchema, octets, unreadable)
  const rest = parsed(questions[type], Buffer.from(JSON.stringify(body)), unreadable)
  return { type, id, at: new Date(at), ...rest } as Question
}
