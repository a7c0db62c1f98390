/** Files to and from the operator API: sent as they are, and what arrives is held against its hash before it is kept. */

import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { Refusal } from '../../ground/refusal.ts'
import { answerFrom, type OperatorClientOptions, readCredential, unreachable } from './operator-client.ts'

export interface FileReceived {
  readonly type: string
  /** As the service calls it: letters, digits, points, hyphens. */
  readonly name: string
  readonly sha256: string
  readonly octets: Buffer
}

export interface OperatorFiles {
  /** @throws Refusal as the service's; NOT_RUNNING, CONNECTION_REFUSED; Error for a fault of the service */
  send<T>(path: string, type: string, octets: Buffer): Promise<T>
  /** @throws Refusal as `send`, and FILE_HASH_WRONG for octets that are not those of the hash that came with them */
  fetch(path: string): Promise<FileReceived>
}

/** One connection for each file: they are few, and may be large. */
export function operatorFiles(
  { credential, host, port }: OperatorClientOptions,
  office: string | undefined,
): OperatorFiles {
  const ask = async (method: 'GET' | 'POST', path: string, type?: string, octets?: Buffer) => {
    const sent = request({
      host,
      port,
      agent: false,
      key: readCredential(credential.key),
      cert: readCredential(credential.certificate),
      ca: readCredential(credential.ca),
      minVersion: 'TLSv1.2',
      method,
      path: `/1.0${path}`,
      headers: {
        ...(octets && { 'content-type': type, 'content-length': octets.length }),
        ...(office !== undefined && { 'acting-as': office }),
      },
    })
    const answer = await new Promise<IncomingMessage>((done, fail) => {
      sent.once('response', done)
      sent.on('error', (cause: NodeJS.ErrnoException) => fail(unreachable(cause, host, port)))
      sent.end(octets)
    })
    return { answer, body: Buffer.concat((await answer.toArray()) as Buffer[]) }
  }
  return {
    async send<T>(path: string, type: string, octets: Buffer) {
      const { answer, body } = await ask('POST', path, type, octets)
      return answerFrom(answer.statusCode ?? 0, body.toString()) as T
    },
    async fetch(path) {
      const { answer, body } = await ask('GET', path)
      const { statusCode = 0, headers } = answer
      if (statusCode !== 200) throw unexpected(answerFrom(statusCode, body.toString()))
      const [, sha256 = ''] = /^"([0-9a-f]{64})"$/.exec(headers.etag ?? '') ?? []
      if (hash('sha256', body, 'hex') !== sha256)
        throw new Refusal(
          'FILE_HASH_WRONG',
          'the octets that arrived are not those of the hash that came with them',
        )
      const [, name = ''] = /filename="([A-Za-z0-9._-]+)"/.exec(headers['content-disposition'] ?? '') ?? []
      return { type: headers['content-type'] ?? '', name, sha256, octets: body }
    },
  }
}

function unexpected(answer: unknown): Error {
  return new Error(`the service answered with no file: ${JSON.stringify(answer).slice(0, 200)}`)
}
