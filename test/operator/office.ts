/** The operator door over real TLS, with a Registration Authority of a test environment behind it, at a time that tests turn. */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { textOf } from '../../src/doors/cli/client.ts'
import { findCredential, type OperatorClient, openOperatorClient } from '../../src/doors/cli/operator-client.ts'
import { serveChannel } from '../../src/ground/channel.ts'
import { type KeyPair, makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readPem, toPem } from '../../src/ground/x509/pem.ts'
import { ikiCsr } from '../../src/main/csr.ts'
import { homeAt } from '../../src/main/home.ts'
import { startOperatorDoor } from '../../src/main/operator-door.ts'
import type { Office as Ceremony } from '../../src/main/registration-office.ts'
import { roomSigning } from '../../src/main/signer-rooms.ts'
import { main } from '../../src/main/smki.ts'
import { stoppedBySuspension } from '../../src/main/stopped.ts'
import { openTestOffice, registerTestParties, write } from '../../src/main/test-registration.ts'
import { makeTls } from '../../src/main/tls-ca.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { renewLists } from '../../src/rooms/revocation/schedule.ts'
import { makeRooms, type Rooms } from '../issuing/rooms.ts'
import { type Description, holdingAnswers } from './described.ts'

export interface OperatorOffice {
  readonly rooms: Rooms
  readonly ceremony: Ceremony
  readonly port: number
  /** What the door's log said, a line each. */
  readonly log: string[]
  /** The folder of the credentials, by name: `ra-manager-1` … */
  readonly credentials: string
  /** The environment's home. */
  readonly home: string
  /** With that officer's credential; every answer is held against the description of the interface. */
  as(name: string): OperatorClient
  /** As it is published at /openapi.json. */
  description(): Promise<Description>
  /** A request as it is, for what no client of ours would send. */
  raw(sent: RawRequest): Promise<RawAnswer>
  /** Lets time pass. */
  pass(ms: number): void
  /** Takes a task through verification by `ra-clerk-1` and approval by `ra-manager-1`, over the API. */
  decide(task: number, ...more: string[]): Promise<Record<string, unknown>>
  /** Issues the certificate of an approved credential request, and keeps it as `credentials/<name>/<file>`. */
  issue(credential: number, csr: Buffer, key: KeyPair, name: string, file: string): Promise<void>
  /** The Parties of a test environment, with their credentials: `import-supplier`, `network-operator`, `dcc` … */
  registerParties(): Promise<void>
  /** As the signer does each minute: lists that are due, or that revocations wait for. */
  publish(): Promise<unknown>
  close(): Promise<void>
}

export interface RawRequest {
  /** Whose credential; none at all when absent. */
  readonly as?: string
  readonly method?: string
  readonly path: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: string | Buffer
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export const paper = [{ kind: 'signed form', reference: 'post 1' }]

/** The kinds of evidence, each with a reference. */
export const seen = (kinds: readonly string[]) => kinds.map(kind => ({ kind, reference: `file ${kind}` }))

export async function openOperatorOffice(
  settings: Record<string, unknown> = {},
  ...more: 'smki-device'[]
): Promise<OperatorOffice> {
  let offset = 0
  const clock = () => new Date(Date.now() + offset)
  const rooms = await makeRooms({
    pkis: ['iki', 'smki-organisation', ...more],
    clock,
    settings: { services: { operatorPort: 0 }, registration: { passwordLog2N: 14 }, ...settings },
  })
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-operator-'))
  const home = homeAt(join(folder, 'home'))
  makeTls(rooms.hands, home, rooms.settings)
  const signing = { ...rooms.hands, rules: rooms.settings.registration }
  const sign = roomSigning(signing, rooms.keys.issuing, rooms.settings, stoppedBySuspension)
  const ceremony = await openTestOffice(rooms.hands, home, rooms.settings, sign, () => {})
  const publish = () => renewLists(rooms.hands, rooms.keys.issuing, listSchedules(rooms.settings))
  await publish()
  const log: string[] = []
  const socket = join(folder, 'signer')
  const signer = await serveChannel(socket, sign)
  const door = await startOperatorDoor({
    signers: [socket],
    home,
    settings: rooms.settings,
    target: rooms.connection,
    log: pino({ level: 'info' }, { write: (line: string) => void log.push(line) }),
    clock,
  })
  const clients = new Map<string, OperatorClient>()
  const raw = async ({ as: name, method = 'GET', path, headers = {}, body }: RawRequest): Promise<RawAnswer> => {
    const files = name === undefined ? undefined : findCredential(name, home.credentials)
    const sent = request({
      host: '127.0.0.1',
      port: door.port,
      method,
      path,
      headers,
      agent: false,
      ca: readFileSync(join(home.credentials, 'ra-clerk-1', 'server-ca.crt.pem')),
      ...(files && { key: readFileSync(files.key), cert: readFileSync(files.certificate) }),
    })
    return new Promise((done, fail) => {
      sent.once('error', fail)
      sent.once('response', answer =>
        textOf(answer).then(text => done({ status: answer.statusCode!, headers: answer.headers, text }), fail),
      )
      sent.end(body)
    })
  }
  let described: Promise<Description> | undefined
  const description = () =>
    (described ??= raw({ as: 'ra-clerk-1', path: '/openapi.json' }).then(({ text }) => JSON.parse(text)))
  const as = (name: string): OperatorClient => {
    const known = clients.get(name)
    if (known) return known
    const credential = findCredential(name, home.credentials)
    const plain = openOperatorClient({ credential, host: '127.0.0.1', port: door.port })
    const client = holdingAnswers(plain, description)
    clients.set(name, client)
    return client
  }
  return {
    rooms,
    ceremony,
    port: door.port,
    log,
    credentials: home.credentials,
    home: home.path,
    as,
    description,
    raw,
    pass: ms => {
      offset += ms
    },
    async decide(task, ...more) {
      const { digest, due } = await as('ra-clerk-1').ask<{ digest: string; due: { evidence: string[] } }>(
        'GET',
        `/tasks/${task}`,
      )
      await as('ra-clerk-1').ask('POST', `/tasks/${task}/verification`, {
        digest,
        level: 3,
        words: 'seen and checked',
        evidence: seen(due.evidence),
      })
      const next = await as('ra-manager-1').ask<{ due: { evidence: string[] } }>('GET', `/tasks/${task}`)
      const evidence = seen([...next.due.evidence, ...more])
      return as('ra-manager-1').ask('POST', `/tasks/${task}/approval`, { digest, evidence })
    },
    async issue(credential, csr, key, name, file) {
      const path = `/credentials/${credential}/certificate`
      const { certificate } = await as('ra-clerk-1').ask<{ certificate: string }>('POST', path, {
        csr: toPem('CERTIFICATE REQUEST', csr),
      })
      const chain = (await authorities(rooms.store)).filter(one => one.pki === 'iki' && one.level === 'issuing')
      const own = join(home.credentials, name)
      mkdirSync(own, { recursive: true })
      const ca = join(own, 'server-ca.crt.pem')
      if (!existsSync(ca)) copyFileSync(join(home.credentials, 'ra-clerk-1', 'server-ca.crt.pem'), ca)
      const above = chain.map(one => one.certificate)
      write({
        folder: own,
        name: file,
        key,
        certificate: readCertificate(readPem(certificate)[0]!.der),
        chain: above,
      })
    },
    publish,
    async registerParties() {
      await registerTestParties({ office: ceremony, home, settings: rooms.settings, sign }, () => {})
    },
    async close() {
      for (const client of clients.values()) client.close()
      await door.close()
      signer.close()
      await rooms.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A CSR in PEM for a person's portal token or a system, with its key. */
export function portalCsr(tradingName: string, systemName: string, role = 0x02) {
  const key = makeKeyPair('RSA-2048')
  const csr = ikiCsr(key, { tradingName, role, systemName })
  return { key, csr, pem: toPem('CERTIFICATE REQUEST', csr) }
}

/** For `assert.rejects`: that refusal and no other. */
export function refusal(code: string): (cause: unknown) => true {
  return cause => {
    if (!(cause instanceof Refusal)) throw cause
    if (cause.code !== code) throw new Error(`${cause.code}, not ${code}: ${cause.message}`, { cause })
    return true
  }
}

/**
 * Runs `smki` as an officer, and gives all that it said, without what every call repeats. `code` is that of the last one.
 * @param argv as typed; `as` empty where they say it themselves
 */
export function commandLine(office: OperatorOffice) {
  const always = ['--service', `127.0.0.1:${office.port}`, '--home', office.home]
  const run = async (as: string, ...argv: string[]): Promise<string> => {
    let said = ''
    const say = (text: string) => {
      said += text
    }
    run.code = 0
    const who = as === '' ? [] : ['--as', as]
    // Commands that were told repeat them already.
    const rest = argv.includes('--service') ? [] : always
    await main([...argv, ...who, ...rest], {
      out: say,
      err: say,
      exit: given => {
        run.code = given
      },
      clock: office.rooms.hands.clock,
    })
    return said.replaceAll(` ${always.join(' ')}`, '')
  }
  run.code = 0
  return run
}
