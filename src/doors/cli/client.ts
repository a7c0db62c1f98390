/** A client of the web services: what a subscriber's system does, over mutual TLS, with streams both ways. */

import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Refusal } from '../../ground/refusal.ts'
import { XmlReader } from '../../ground/xml/read.ts'

export interface ClientOptions {
  /** `credentials/<party>` of an environment. */
  readonly folder: string
  /** `adhoc-ws` or `batch-ws`. */
  readonly credential: string
  readonly host: string
  readonly port: number
  /** Connections kept open. */
  readonly connections?: number
}

export interface Client {
  post(path: string, body: string | Buffer | AsyncIterable<Buffer>): Promise<IncomingMessage>
  get(path: string): Promise<IncomingMessage>
  close(): void
}

/** @throws Refusal CREDENTIAL_MISSING */
export function openClient({ folder, credential, host, port, connections = 1 }: ClientOptions): Client {
  const tls = {
    key: readCredential(join(folder, `${credential}.key.pem`)),
    cert: readCredential(join(folder, `${credential}.crt.pem`)),
    ca: readCredential(join(folder, 'server-ca.crt.pem')),
    minVersion: 'TLSv1.2',
  } as const
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ...tls })

  async function send(
    options: RequestOptions,
    body?: string | Buffer | AsyncIterable<Buffer>,
  ): Promise<IncomingMessage> {
    const sent = request({ host, port, agent, ...options })
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve)
      sent.once('error', (cause: NodeJS.ErrnoException) => reject(unreachable(cause, host, port)))
    })
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) sent.end(body)
    // An answer may come while we still send; then it is the answer that counts, not the broken pipe.
    else pipeline(body, sent).catch(() => {})
    return answered
  }
  const xml = { 'content-type': 'application/xml;charset=UTF-8' }
  return {
    post: (path, body) => send({ method: 'POST', path, headers: xml }, body),
    get: path => send({ method: 'GET', path }),
    close: () => agent.destroy(),
  }
}

function readCredential(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new Refusal('CREDENTIAL_MISSING', `there is no credential in ${path}`, { cause })
  }
}

function unreachable(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  if (cause.code === 'ECONNREFUSED') {
    return new Refusal(
      'NOT_RUNNING',
      `nothing answers on ${host}:${port}: is the service running? (\`smki serve\`)`,
      { cause },
    )
  }
  return new Refusal('CONNECTION_REFUSED', `the service refused the connection: ${cause.message}`, { cause })
}

export async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** The first element of each name with its text; for the short answers. */
export function fields(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  const reader = new XmlReader({
    open: () => {},
    close: (name, content) => {
      found[name] ??= content
    },
  })
  reader.write(Buffer.from(text))
  reader.end()
  return found
}

export interface ResultItem {
  readonly id: string
  readonly status: string
  /** base64 of the DER. */
  readonly certificate?: string
  readonly code?: string
  readonly text?: string
}

/** Reads a CSRBatchResult in a stream; items are handed on one by one. Returns the BatchStatus. */
export async function readResult(
  answer: AsyncIterable<Buffer>,
  onItem: (item: ResultItem) => void,
): Promise<Readonly<Record<string, string>>> {
  let head: Record<string, string> = {}
  let item: Record<string, string> | undefined
  const reader = new XmlReader({
    open: (name, attributes) => {
      if (name === 'DeviceCertificate') item = { id: attributes.ID ?? '' }
    },
    close: (name, content) => {
      if (name === 'DeviceCertificate') {
        onItem({
          id: item!.id!,
          status: item!.Status!,
          ...(item!.Certificate !== undefined && { certificate: item!.Certificate }),
          ...(item!.ErrorCode !== undefined && { code: item!.ErrorCode, text: item!.ErrorText! }),
        })
        item = undefined
      } else if (item) item[name] = content
      else head = { ...head, [name]: content }
    },
  })
  for await (const chunk of answer) reader.write(chunk)
  reader.end()
  return head
}
