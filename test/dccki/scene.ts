/** A DCCKI with its Registration Authority and Subscribers, its door over real TLS, at a time that tests turn. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveChannel } from '../../src/ground/channel.ts'
import { type KeyPair, makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { startDcckiDoor } from '../../src/main/dccki-door.ts'
import { homeAt } from '../../src/main/home.ts'
import { roomSigning } from '../../src/main/signer-rooms.ts'
import { makeTls, tlsFiles } from '../../src/main/tls-ca.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import { issueIki } from '../../src/rooms/issuance/single.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { applyAsSubscriber } from '../../src/rooms/registration/applications.ts'
import { handOver, requestCredential } from '../../src/rooms/registration/credentials.ts'
import { requestConnection } from '../../src/rooms/registration/dccki-connection.ts'
import { rangesInForce } from '../../src/rooms/registration/party.ts'
import { writeEui64 } from '../../src/rooms/registration/ranges.ts'
import { suspended, suspensionOf } from '../../src/rooms/revocation/suspended.ts'
import { csr as digests, evidence, type Officers } from '../registration/office.ts'
import { openScene, type Pki, type Scene } from '../revocation/scene.ts'

/** A certificate with its key, as a client has it. */
export interface Credential {
  readonly pair: KeyPair
  readonly certificate: Buffer
}

export interface Subscriber extends Officers {
  readonly party: number
  readonly name: string
  /** The EUI-64 that its certificates name, upper case. */
  readonly unit: string
  /** The token of its ARO, and the signer of its files. */
  readonly token: Credential
  readonly signer: Credential
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are read freely in tests
  readonly json: any
}

export interface Sent {
  readonly method?: string
  readonly body?: Buffer | string
  readonly headers?: Record<string, string>
}

export interface Dccki {
  readonly scene: Scene
  readonly folder: string
  readonly ports: { readonly dccki: number; readonly dcckiPlain?: number }
  /** Asks the door with that certificate. */
  ask(by: Credential, path: string, sent?: Sent): Promise<Answer>
  /** Posts a CSR. */
  post(by: Credential, csr: Buffer, headers?: Record<string, string>): Promise<Answer>
  /** Authorised under the DCCKI policy without SREPT, with a connection for `hosts`. */
  subscriber(name: string, hosts?: readonly string[], kind?: 'party' | 'rdp'): Promise<Subscriber>
  /** An IKI credential, handed over. */
  credential(
    party: number | undefined,
    kind: 'PORTAL_ORG' | 'FILE_SIGN' | 'ADHOC_WS' | 'RA_STAFF',
    by: Officer,
    holder?: Officer,
  ): Promise<Credential>
  /** The door again, with its settings changed and the lists of now. */
  reopen(changes?: Record<string, unknown>): Promise<void>
  close(): Promise<void>
}

let names = 0

export async function openDccki(changes: Record<string, unknown> = {}): Promise<Dccki> {
  const pkis: Pki[] = ['iki', 'dccki']
  // Handshakes are judged by the system's clock.
  const now = new Date(Date.now() - 60_000).toISOString()
  const scene = await openScene(pkis, { dccki: { port: 0, plainPort: 0 }, ...changes }, now)
  const { hands, keys } = scene
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-dccki-'))
  const home = homeAt(join(folder, 'home'))
  makeTls(hands, home, scene.settings)
  const socket = join(folder, 'signer')
  const answer = roomSigning(hands, keys.issuing, scene.settings, async (store, what, at) => {
    const found = await suspensionOf(store, what, at)
    return found && suspended(found)
  })
  const signer = await serveChannel(socket, answer)
  const open = (dccki: Record<string, unknown> = {}) =>
    startDcckiDoor({
      home,
      settings: { ...scene.settings, dccki: { ...scene.settings.dccki, ...dccki } },
      target: scene.connection,
      signers: [socket],
      log: { info() {}, warn() {}, error: (...said: unknown[]) => console.error(...said) } as never,
      clock: hands.clock,
    })
  let door = await open()

  const dccki: Dccki = {
    scene,
    folder,
    get ports() {
      return door.ports
    },
    ask: (by, path, sent = {}) => ask(door.ports.dccki, readFileSync(tlsFiles(home).ca, 'utf8'), by, path, sent),
    post: (by, csr, headers = {}) =>
      dccki.ask(by, '/dccki/1.0/requests', {
        method: 'POST',
        body: csr,
        headers: { 'content-type': 'application/pkcs10', ...headers },
      }),
    async subscriber(name, hosts = [`${name}.example`, `test.${name}.example`], kind = 'party') {
      const party = await scene.organisation(name, { kind })
      const officers = await scene.officers(party, ['smki-organisation', 'dccki'])
      const form = { evidence: evidence('signed form') }
      await scene.decide(await applyAsSubscriber(hands, officers.sro, party, 'dccki', form))
      if (hosts.length > 0) {
        const asked = { gateway: `gateway ${name}`, hosts }
        const opened = await requestConnection(hands, officers.aro, party, asked, {})
        await scene.decide(opened)
      }
      const [range] = await rangesInForce(scene.store, party)
      const signer = await dccki.credential(party, 'FILE_SIGN', officers.sro)
      // The token of an ARO is one of the SMKI Portal, and comes after SREPT.
      await scene.srept(party, officers.aro)
      await scene.decide(await applyAsSubscriber(hands, officers.sro, party, 'smki-organisation', form))
      const token = await dccki.credential(party, 'PORTAL_ORG', officers.sro, officers.aro)
      return { ...officers, party, name, unit: range ? writeEui64(range.first).toUpperCase() : '', token, signer }
    },
    async credential(party, kind, by, holder) {
      const systemName = `credential ${++names}`
      const person = holder && { person: holder.person }
      const asked = await requestCredential(hands, by, {
        kind,
        ...(party !== undefined && { party }),
        ...person,
        systemName,
        csr: digests(systemName),
      })
      await scene.decide(asked)
      const pair = makeKeyPair(kind === 'FILE_SIGN' ? 'P-256' : 'RSA-2048')
      const profile = kind === 'FILE_SIGN' ? 'IKI File Signing Certificate' : 'IKI Client Certificate'
      const certificate = await issueIki(
        hands,
        { record: scene.authority('iki'), keys: keys.issuing, profile: profileNamed(scene.settings, profile) },
        {
          party: party ?? scene.operator,
          kind,
          role: undefined,
          systemName,
          tradingName: 'Test',
          publicKey: pair.publicKey,
          life: asked.credential,
        },
      )
      const other = holder?.person === scene.personnel[0].person ? scene.personnel[1] : scene.personnel[0]
      await handOver(hands, other, asked.credential, { evidence: evidence('receipt') })
      return { pair, certificate: Buffer.from(certificate.der) }
    },
    async reopen(of) {
      await door.close()
      door = await open(of)
    },
    async close() {
      await door.close()
      signer.close()
      rmSync(folder, { recursive: true })
      await scene.close()
    },
  }
  return dccki
}

function ask(port: number, ca: string, by: Credential, path: string, sent: Sent): Promise<Answer> {
  const { method = 'GET', body, headers = {} } = sent
  const key = by.pair.pem()
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const asking = request(
    {
      host: '127.0.0.1',
      port,
      path,
      method,
      headers,
      ca,
      key,
      cert: toPem('CERTIFICATE', by.certificate),
      agent: false,
    },
    async answer => {
      const octets = Buffer.concat(await answer.toArray())
      const isJson = /json/.test(answer.headers['content-type'] ?? '')
      const { statusCode, headers } = answer
      resolve({
        status: statusCode!,
        headers,
        body: octets,
        json: isJson ? JSON.parse(octets.toString()) : undefined,
      })
    },
  )
  asking.on('error', reject)
  asking.end(body)
  return promise
}

/** Runs OpenSSL on files of a folder. */
export function opensslIn(folder: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'latin1' })
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`)
  return `${stdout}${stderr}`
}

/** A CSR as OpenSSL makes it, with a new key. */
export function opensslCsr(
  folder: string,
  ask: {
    readonly key: 'RSA' | 'P-256'
    /** `/O=…/OU=…/CN=…` */
    readonly subject: string
    readonly usage: string
    readonly purposes?: string
    readonly hosts?: readonly string[]
    /** The key of an earlier one, by its number. */
    readonly again?: number
    readonly bits?: number
  },
): { readonly csr: Buffer; readonly number: number; key(): Buffer } {
  const number = ++names
  const file = `csr-${number}`
  const key = `key-${ask.again ?? number}.pem`
  const lines = [
    'distinguished_name = dn',
    '[dn]',
    '[ext]',
    `keyUsage = critical,${ask.usage}`,
    ...(ask.purposes ? [`extendedKeyUsage = ${ask.purposes}`] : []),
    ...(ask.hosts ? [`subjectAltName = ${ask.hosts.map(host => `DNS:${host}`).join(',')}`] : []),
  ]
  writeFileSync(join(folder, `${file}.cnf`), `[req]\n${lines.join('\n')}\n`)
  if (ask.again === undefined) {
    const made =
      ask.key === 'RSA'
        ? ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${ask.bits ?? 2048}`]
        : ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
    opensslIn(folder, 'genpkey', ...made, '-out', key)
  }
  const options = ['-utf8', '-sha256', '-subj', ask.subject, '-config', `${file}.cnf`, '-reqexts', 'ext']
  opensslIn(folder, 'req', '-new', '-key', key, ...options, '-outform', 'DER', '-out', file)
  return { csr: readFileSync(join(folder, file)), number, key: () => readFileSync(join(folder, key)) }
}

/** A detached signature over a message, by OpenSSL's cms, as it stands in DCCKI-Signature. */
export function cmsOf(folder: string, by: Credential, message: Buffer | string, ...more: string[]): string {
  writeFileSync(join(folder, 'message'), message)
  writeFileSync(join(folder, 'signer.pem'), toPem('CERTIFICATE', by.certificate))
  const key = by.pair.pem()
  writeFileSync(join(folder, 'signer.key'), key, { mode: 0o600 })
  const how = ['-binary', '-md', 'sha256', '-outform', 'DER', '-out', 'signature', ...more]
  opensslIn(folder, 'cms', '-sign', '-in', 'message', '-signer', 'signer.pem', '-inkey', 'signer.key', ...how)
  return readFileSync(join(folder, 'signature')).toString('base64')
}
