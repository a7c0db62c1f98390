/** A client of the operator API: one officer's credential, JSON both ways, a refusal as a refusal. */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { dirname, join, resolve } from 'node:path'
import { Refusal } from '../../ground/refusal.ts'
import { textOf } from './client.ts'

/** Files of one credential, and the authority of the server. */
export interface CredentialFiles {
  readonly key: string
  readonly certificate: string
  readonly ca: string
}

export interface OperatorClientOptions {
  readonly credential: CredentialFiles
  readonly host: string
  readonly port: number
}

export interface Asking {
  /** The office to act in, for whoever holds several. */
  readonly office?: string | undefined
  /** The same for every repetition of one request. */
  readonly once?: string | undefined
}

export interface OperatorClient {
  /** @throws Refusal with the code of the service; NOT_RUNNING, CONNECTION_REFUSED; Error for a fault of the service */
  ask<T = Record<string, unknown>>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
    asking?: Asking,
  ): Promise<T>
  close(): void
}

/** Of all that an officer may hold, in the order in which they are looked for. */
const names = ['ra-staff', 'portal-org', 'portal-device']

/**
 * Finds a credential: a folder of it, by path or by name below `credentials`, or one of several in it: `aro/portal-device`.
 * @throws Refusal CREDENTIAL_MISSING, with where it was looked for
 */
export function findCredential(as: string, credentials: string): CredentialFiles {
  const places = [resolve(as), join(credentials, as)]
  for (const place of places) {
    const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true
    const stems = isFolder ? names.map(name => join(place, name)) : [place]
    const stem = stems.find(one => existsSync(`${one}.crt.pem`) && existsSync(`${one}.key.pem`))
    if (stem === undefined) continue
    const ca = join(dirname(stem), 'server-ca.crt.pem')
    return { key: `${stem}.key.pem`, certificate: `${stem}.crt.pem`, ca }
  }
  const looked = places.map(place => `${place} (${names.map(name => `${name}.crt.pem`).join(', ')})`)
  throw new Refusal('CREDENTIAL_MISSING', `there is no credential of an officer in ${looked.join(' or ')}`)
}

/** @throws Refusal CREDENTIAL_MISSING */
export function openOperatorClient({ credential, host, port }: OperatorClientOptions): OperatorClient {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 2,
    key: readCredential(credential.key),
    cert: readCredential(credential.certificate),
    ca: readCredential(credential.ca),
    minVersion: 'TLSv1.2',
  })
  return {
    async ask<T>(method: string, path: string, body?: object, { office, once }: Asking = {}): Promise<T> {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const headers = {
        ...(text !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        }),
        ...(office !== undefined && { 'acting-as': office }),
        ...(once !== undefined && { 'idempotency-key': once }),
      }
      const sent = request({ host, port, agent, method, path: `/1.0${path}`, headers })
      const answer = await new Promise<import('node:http').IncomingMessage>((done, fail) => {
        sent.once('response', done)
        sent.once('error', (cause: NodeJS.ErrnoException) => fail(unreachable(cause, host, port)))
        sent.end(text)
      })
      return answerFrom(answer.statusCode ?? 0, await textOf(answer)) as T
    },
    close: () => agent.destroy(),
  }
}

/** @throws Refusal CREDENTIAL_MISSING */
export function readCredential(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new Refusal('CREDENTIAL_MISSING', `${path} cannot be read`, { cause })
  }
}

/** JSON that the service answered. @throws Refusal of a problem; Error for a fault of the service */
export function answerFrom(status: number, text: string): unknown {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw new Error(`the service answered ${status} with what is not JSON`, { cause })
  }
  if (status < 400) return body
  const { code, detail, about } = body as { code: string; detail: string; about?: Record<string, unknown> }
  // Everything else is an answer, also a 503: not now.
  if (code === 'FAULT') throw new Error(detail)
  throw new Refusal(code, detail, { ...(about && { details: about }) })
}

/** What went wrong below HTTP, as a refusal that helps. */
export function unreachable(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  if (cause.code === 'ECONNREFUSED') {
    const sentence = `nothing answers on ${host}:${port}: is the service running? (\`smki serve\`)`
    return new Refusal('NOT_RUNNING', sentence, { cause })
  }
  return new Refusal(
    'CONNECTION_REFUSED',
    `the service refused the connection: ${cause.message}. A certificate that expired or is revoked is refused so`,
    { cause },
  )
}
