/** The Portal's door in the test's own process, over a served environment, with a clock that the test turns; and a client. */

import { readdirSync, readFileSync } from 'node:fs'
import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import { join } from 'node:path'
import pino from 'pino'
import { connectionOf } from '../../src/ground/store/embedded.ts'
import { loadSettings } from '../../src/main/home.ts'
import { startPortalDoor } from '../../src/main/portal-door.ts'
import { running } from '../../src/main/serve.ts'
import { systemClock } from '../../src/main/world.ts'
import { type Environment, serving } from '../service/environment.ts'

export interface Turned {
  readonly environment: Environment
  readonly ports: { readonly portal?: number; readonly repositoryPortal?: number; readonly testPortal?: number }
  /** Everything that the door has logged, as text. */
  readonly logged: () => string
  /** Lets so many milliseconds pass for the door, and for nobody else. */
  pass(ms: number): void
  close(): Promise<void>
}

export async function turned(bodyMiB = 2): Promise<Turned> {
  const environment = await serving({
    services: { portalPort: 0, repositoryPortalPort: 0, testPortalPort: 0, bodyMiB },
    registration: { passwordLog2N: 14 },
    // Few, so that a zip of a few members more is too many.
    issuing: { batchMaximum: 200 },
  })
  let ahead = 0
  let logged = ''
  const { run } = running(environment.home)!
  const door = await startPortalDoor({
    home: environment.home,
    settings: loadSettings(environment.home),
    target: (await connectionOf(environment.home.store))!,
    signers: readdirSync(run)
      .filter(name => name.startsWith('signer-'))
      .map(name => join(run, name)),
    log: pino(
      {},
      {
        write(line: string) {
          logged += line
        },
      },
    ),
    clock: () => new Date(systemClock().getTime() + ahead),
  })
  return {
    environment,
    ports: door.ports,
    logged: () => logged,
    pass(ms) {
      ahead += ms
    },
    async close() {
      await door.close()
      await environment.close()
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export interface Client {
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  /** Posts a form, with the token of the page that was loaded last. */
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Answer>
  /** Posts a file in a multipart form, in pieces. */
  upload(
    path: string,
    name: string,
    content: Buffer | Iterable<Buffer> | AsyncIterable<Buffer>,
    fields?: Record<string, string>,
    /** Its octets, where the length is to be announced as browsers do. */
    announced?: number,
  ): Promise<Answer>
  /** Enters as a test identity. */
  enter(identity: string): Promise<void>
  token: string
  cookie: string
}

export interface ClientOptions {
  readonly port: number
  /** PEM; TLS is used when it is there. */
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
}

export function client({ port, ca, cert, key }: ClientOptions): Client {
  const tls = ca !== undefined
  const send = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: Iterable<Buffer> | AsyncIterable<Buffer>,
  ) =>
    new Promise<Answer>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { ...(self.cookie && { cookie: self.cookie }), ...headers },
        ...(tls && { ca, cert, key, maxVersion: 'TLSv1.2' as const }),
      }
      const sent = (tls ? secure : plain)(options, async answer => {
        const chunks: Buffer[] = []
        for await (const chunk of answer) chunks.push(chunk)
        const text = Buffer.concat(chunks).toString()
        const [set] = answer.headers['set-cookie'] ?? []
        if (set !== undefined) self.cookie = set.includes('Max-Age=0') ? '' : set.split(';')[0]!
        const token = [...text.matchAll(/name="token" value="([^"]*)"/g)].at(-1)?.[1]
        if (token !== undefined) self.token = token
        resolve({ status: answer.statusCode!, headers: answer.headers, text })
      })
      sent.on('error', reject)
      const write = async () => {
        for await (const piece of body ?? [])
          if (!sent.write(piece)) await new Promise(go => sent.once('drain', go))
        sent.end()
      }
      write().catch(reject)
    })
  const self: Client = {
    token: '',
    cookie: '',
    get: (path, headers = {}) => send('GET', path, headers),
    post(path, fields, headers = {}) {
      const body = Buffer.from(new URLSearchParams({ token: self.token, ...fields }).toString())
      return send('POST', path, { 'content-type': 'application/x-www-form-urlencoded', ...headers }, [body])
    },
    upload(path, name, content, fields = {}, announced) {
      const boundary = 'a-boundary-of-the-test'
      const parts = Object.entries({ token: self.token, ...fields }).map(
        ([field, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
      )
      const head = `${parts.join('')}--${boundary}\r\nContent-Disposition: form-data; name="zip"; filename="${name}"\r\nContent-Type: application/zip\r\n\r\n`
      const end = `\r\n--${boundary}--\r\n`
      async function* body() {
        yield Buffer.from(head)
        if (Buffer.isBuffer(content)) yield content
        else yield* content
        yield Buffer.from(end)
      }
      const length =
        announced === undefined ? {} : { 'content-length': String(Buffer.byteLength(head + end) + announced) }
      return send('POST', path, { 'content-type': `multipart/form-data; boundary=${boundary}`, ...length }, body())
    },
    async enter(identity) {
      const answer = await self.post('/', { identity })
      if (answer.status !== 303) throw new Error(`nobody enters as ${identity}: ${answer.status} ${said(answer)}`)
      await self.get('/home')
    },
  }
  return self
}

/** A client with the certificate of somebody of the environment. */
export function officer({ environment, ports }: Turned, folder: string, file: string): Client {
  const at = (name: string) => readFileSync(join(environment.home.credentials, folder, name))
  return client({
    port: ports.portal!,
    ca: at('server-ca.crt.pem'),
    cert: at(`${file}.crt.pem`),
    key: at(`${file}.key.pem`),
  })
}

/** The words in the middle of a page. */
export function said({ text }: Pick<Answer, 'text'>): string {
  const main = /<main.*<\/main>/s.exec(text)?.[0] ?? text
  return main
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
    .trim()
}
