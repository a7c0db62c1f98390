/** The way to a DCO's door: signs a message, sends it, and believes the answer when its signature holds. */

import { Agent, request } from 'node:https'
import { Refusal } from '../../ground/refusal.ts'
import { openAnswer, sealMessage } from '../../rooms/symmetric/envelope.ts'
import type { Content, DcoLine, Message, MessageType } from '../../rooms/symmetric/messages.ts'
import type { Signer } from '../../rooms/symmetric/signed.ts'
import { mediaType, messagesPath } from './door.ts'

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
  readonly connections?: number
  /** How long an answer is waited for, in milliseconds. */
  readonly patienceMs?: number
}

/**
 * A line over a few connections that stay open. What is not a Refusal (no connection, an incident, patience at its end)
 * leaves open whether the message was acted upon: the same message, sent again, tells.
 */
export function dcoLine(options: LineOptions): DcoLine & { close(): void } {
  const { dco, signer, tls, connections = 8, patienceMs = 60_000 } = options
  const url = new URL(messagesPath, dco.url)
  const agent = new Agent({
    keepAlive: true,
    maxSockets: connections,
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

  return {
    async ask<T extends MessageType>(message: Message<T>): Promise<Content<T>> {
      const { status, body } = await post(sealMessage(message as Message, signer))
      if (status === 200) return openAnswer(body, message, dco)
      throw refusalIn(status, body)
    },
    close: () => agent.destroy(),
  }
}

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
