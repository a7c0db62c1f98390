/** The way to a DCO's door: signs messages, sends those of one time together, and believes the answer when its signature holds. */

import { Agent, request } from 'node:https'
import { Refusal } from '../../ground/refusal.ts'
import { openAnswer, sealMessage } from '../../rooms/symmetric/envelope.ts'
import type { Content, DcoLine, Message, MessageType } from '../../rooms/symmetric/messages.ts'
import type { Signer } from '../../rooms/symmetric/signed.ts'
import { type Line, mediaType, messagesPath, mostMessages } from './door.ts'

export interface DcoAddress {
  /** `https://host:port` */
  readonly url: string
  /** The authority of the DCO's TLS certificate, PEM. */
  readonly authority: string | Buffer
  readonly name: string
  /** The key of its answers, SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array
}

export interface LineOptions {
  readonly dco: DcoAddress
  readonly signer: Signer
  /** Our TLS client key and its certificates, PEM. */
  readonly tls: { readonly key: string | Buffer; readonly chain: string | Buffer }
  /** Requests under way at a time: what is asked meanwhile shares the next. */
  readonly requests?: number
  /** How long an answer is waited for, in milliseconds. */
  readonly patienceMs?: number
}

/**
 * A line over a few connections that stay open. What is asked at one time goes in one request, each message signed. What is not a Refusal (no connection, an incident, patience at its end)
 * leaves open whether the message was acted upon: the same message, sent again, tells.
 */
export function dcoLine(options: LineOptions): DcoLine & { close(): void } {
  const { dco, signer, tls, requests = 2, patienceMs = 60_000 } = options
  const url = new URL(messagesPath, dco.url)
  const agent = new Agent({
    keepAlive: true,
    maxSockets: requests,
    ca: dco.authority,
    key: tls.key,
    cert: tls.chain,
    minVersion: 'TLSv1.2',
  })

  const post = (envelope: Buffer): Promise<{ status: number; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': mediaType, 'content-length': envelope.length }
      const sent = request(url, { agent, method: 'POST', headers, timeout: patienceMs }, answer => {
        const chunks: Buffer[] = []
        answer.on('data', chunk => chunks.push(chunk as Buffer))
        answer.on('error', reject)
        answer.on('end', () => resolve({ status: answer.statusCode!, body: Buffer.concat(chunks) }))
      })
      sent.on('timeout', () => sent.destroy(new Error('the DCO did not answer in time')))
      sent.on('error', reject)
      sent.end(envelope)
    })

  const waiting: Waiting[] = []
  let underWay = 0

  /** What waits goes in one request; one that waits alone goes as it is. */
  async function send(): Promise<void> {
    underWay++
    while (waiting.length > 0) {
      const all = waiting.splice(0, portion(waiting))
      try {
        await (all.length === 1 ? sendOne(all[0]!) : sendAll(all))
      } catch (cause) {
        for (const { reject } of all) reject(cause)
      }
    }
    underWay--
  }

  async function sendOne({ envelope, read, resolve }: Waiting): Promise<void> {
    const { status, body } = await post(envelope)
    if (status !== 200) throw refusalIn(status, body)
    resolve(read(body))
  }

  async function sendAll(all: readonly Waiting[]): Promise<void> {
    const { status, body } = await post(
      Buffer.from(`[${all.map(({ envelope }) => envelope.toString()).join(',')}]`),
    )
    if (status !== 200) throw refusalIn(status, body)
    const answers: unknown = JSON.parse(body.toString())
    if (!Array.isArray(answers) || answers.length !== all.length) throw new Error('the DCO answered other messages')
    for (const [i, { read, resolve, reject }] of all.entries()) {
      try {
        const answer = answers[i] as Line
        if ('incident' in answer) throw new Error(`the DCO met an incident: ${answer.incident}`)
        if ('code' in answer && 'says' in answer) throw new Refusal(String(answer.code), String(answer.says))
        resolve(read(Buffer.from(JSON.stringify(answer))))
      } catch (cause) {
        reject(cause)
      }
    }
  }

  return {
    ask<T extends MessageType>(message: Message<T>): Promise<Content<T>> {
      const envelope = sealMessage(message as Message, signer)
      return new Promise((resolve, reject) => {
        const read = (answer: Buffer) => openAnswer(answer, message, dco)
        waiting.push({ envelope, read, resolve: resolve as Waiting['resolve'], reject })
        // Whoever asks in the same turn goes along.
        if (underWay < requests) setImmediate(() => void (underWay < requests && waiting.length > 0 && send()))
      })
    },
    close: () => agent.destroy(),
  }
}

interface Waiting {
  readonly envelope: Buffer
  /** Checks an answer. */
  readonly read: (answer: Buffer) => unknown
  readonly resolve: (content: unknown) => void
  readonly reject: (cause: unknown) => void
}

/** How many go together: by number, and by octets, so that a large file of keys goes by itself. */
function portion(waiting: readonly Waiting[]): number {
  let octets = 0
  const end = waiting.findIndex(({ envelope }, i) => {
    octets += envelope.length
    return i > 0 && (i >= mostMessages || octets > largestTogether)
  })
  return end < 0 ? waiting.length : end
}

const largestTogether = 2 ** 20

/** A message that could not be answered as one: the door says why, in a few words and unsigned. */
function refusalIn(status: number, body: Buffer): Error {
  if (status >= 400 && status < 500) {
    try {
      const { code, says } = JSON.parse(body.toString()) as { code?: unknown; says?: unknown }
      if (typeof code === 'string' && typeof says === 'string') return new Refusal(code, says)
    } catch {
      // It was not the door that answered, or not with a reason: the status is all there is.
    }
  }
  return new Error(`the DCO answered with status ${status}`)
}
