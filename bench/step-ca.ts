/** step-ca with its database, asked for single certificates over kept connections: what another authority does on this machine. */

import { execFile } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { csrWith, subjectAltName } from '../simulator/device.ts'
import { taggedPrimitive } from '../src/ground/der/write.ts'
import { toPem } from '../src/ground/x509/pem.ts'
import type { AdHoc } from './adhoc.ts'
import { bench, type Context, rounded, shown } from './bench.ts'
import { cpuSecondsOf } from './processes.ts'
import { beside, freePort, type OtherFigures, rowsOf, serving } from './reference/other-authority.ts'
import { built, flushes, prepare, versionThere } from './reference/step-ca.ts'
import { roundTrips, type Whole } from './round-trips.ts'

type StepFigures = OtherFigures & {
  /** Whether its database writes through to the disk before it answers. */
  readonly flushed?: boolean
}

export const stepCa = bench({
  says: 'step-ca over HTTPS with Badger, requests with tokens on 32 connections, where it can be built',
  options: { count: 5000, connections: 32 },
  quick: { count: 300 },
  promises: [
    {
      says: 'beside single requests: step-ca with its database (Badger), 32 connections',
      unit: '/s',
      figure: (one: StepFigures) => one.perSecond,
      beside,
    },
    {
      says: 'single requests, 32 connections, to step-ca with its database in the same run',
      unit: '×',
      atLeast: 3,
      figure: (one: StepFigures, { adhoc }) => {
        const ours = (adhoc as AdHoc | undefined)?.connections[32]
        return ours && one.perSecond && ours.perSecond / one.perSecond
      },
    },
  ],
  run,
  table: (figures: StepFigures) => [
    ...rowsOf('step-ca', figures),
    ...(figures.version === null
      ? []
      : [
          ['its database', `Badger v2, ${figures.flushed ? 'each write flushed' : 'nothing flushed'}: its default`],
        ]),
  ],
})

const ran = promisify(execFile)

async function run(
  { count, connections }: { count: number; connections: number },
  context: Context,
): Promise<StepFigures> {
  const { folder, signal, say } = context
  const version = versionThere()
  if (version === null) return { version }
  // Else it makes a folder in the home of whoever runs this.
  process.env.STEPPATH = folder
  say('building step-ca')
  const program = await built(folder, signal)
  if (program === null) return { version: null }
  say('making the CSRs')
  const names = Array.from({ length: count + connections }, (_, i) => `meter-${i}.example`)
  const csrs = names.map(requestFor)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const port = await freePort()
  await prepare(folder, port, publicKey)
  const ca = readFileSync(join(folder, 'root.pem'))
  const rates = await serving(program, ['ca.json'], port, context, async server => {
    // It takes no token that is older than itself.
    const messages = names.map((name, i) => signing({ csr: csrs[i], ott: tokenFor(name, port, privateKey) }))
    say(`${shown(count)} certificates from step-ca`)
    // The clients that our own door has: what they cost is taken from the server.
    const ask = (some: readonly Buffer[]) =>
      roundTrips({ port, ca, connections, count: some.length, messages: some, whole: isSigned })
    await ask(messages.slice(0, connections))
    const cpu = cpuSecondsOf(server.pid!)
    const { perSecond, p50, p99 } = await ask(messages.slice(connections))
    return {
      perSecond: rounded(perSecond),
      p50: rounded(p50, 2),
      p99: rounded(p99, 2),
      cpuMicroseconds: rounded(((cpuSecondsOf(server.pid!) - cpu) * 1e6) / count, 1),
      flushed: flushes(server.pid!),
    }
  })
  const kept = Number((await ran(program, ['ca.json', 'count'], { cwd: folder, signal })).stdout)
  if (kept !== names.length) throw new Error(`step-ca keeps ${kept} certificates, and gave ${names.length}`)
  return { version, ...rates }
}

/** step-ca holds the names of a request against those of its token. */
function requestFor(name: string): string {
  const extensions = [subjectAltName([taggedPrimitive(2, Buffer.from(name, 'latin1'))])]
  return toPem('CERTIFICATE REQUEST', csrWith({ deviceId: '', usage: 'digitalSignature', extensions }))
}

/** What lets its bearer have one certificate, once, with that name: a JWT (RFC 7519), for an hour. */
function tokenFor(name: string, port: number, key: KeyObject): string {
  const part = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    aud: `https://localhost:${port}/1.0/sign`,
    iss: 'bench',
    sub: name,
    sans: [name],
    jti: randomBytes(32).toString('hex'),
    iat: now,
    nbf: now,
    exp: now + 3600,
  }
  const signed = `${part({ alg: 'ES256', kid: 'bench', typ: 'JWT' })}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

function signing(content: unknown): Buffer {
  const body = JSON.stringify(content)
  const head = `POST /1.0/sign HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
  return Buffer.from(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

/** Its answers come in chunks, the last of which is empty (RFC 9112 section 7.1), or have a length. */
const isSigned: Whole = came => {
  const head = came.indexOf('\r\n\r\n')
  if (head < 0) return false
  const said = came.toString('latin1', 0, head)
  const length = /content-length: (\d+)/i.exec(said)?.[1]
  const whole =
    length === undefined ? came.subarray(-5).equals(lastChunk) : came.length >= head + 4 + Number(length)
  if (whole && !(said.startsWith('HTTP/1.1 201 ') && came.indexOf('-----BEGIN CERTIFICATE-----', head) > 0))
    throw new Error(`step-ca answered: ${came.toString().slice(0, 400)}`)
  return whole
}

const lastChunk = Buffer.from('0\r\n\r\n')
