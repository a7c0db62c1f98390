/** CFSSL with its database, asked for single certificates over kept connections: what another authority does on this machine. */

import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeMany } from '../simulator/batch.ts'
import { toPem } from '../src/ground/x509/pem.ts'
import { bench, type Context, nth, rounded, shown } from './bench.ts'
import { cpuSecondsOf } from './processes.ts'
import { beside, freePort, type OtherFigures, rowsOf, serving } from './reference/other-authority.ts'

export const cfssl = bench({
  says: 'CFSSL `serve` over HTTP with SQLite, the same kind of requests on 32 connections, where it is installed',
  options: { count: 5000, connections: 32 },
  quick: { count: 300 },
  promises: [
    {
      says: 'beside single requests: CFSSL with SQLite, HTTP without TLS, 32 connections',
      unit: '/s',
      figure: (one: OtherFigures) => one.perSecond,
      beside,
    },
  ],
  run: run,
  table: (figures: OtherFigures) => rowsOf('CFSSL', figures),
})

/** As its migrations of the time have it. */
const schema = `CREATE TABLE certificates (serial_number blob NOT NULL, authority_key_identifier blob NOT NULL, ca_label blob,
    status blob NOT NULL, reason int, expiry timestamp, revoked_at timestamp, pem blob NOT NULL,
    PRIMARY KEY (serial_number, authority_key_identifier));
  CREATE TABLE ocsp_responses (serial_number blob NOT NULL, authority_key_identifier blob NOT NULL, body blob NOT NULL,
    expiry timestamp, PRIMARY KEY (serial_number, authority_key_identifier),
    FOREIGN KEY (serial_number, authority_key_identifier) REFERENCES certificates (serial_number, authority_key_identifier))`

async function run(
  { count, connections }: { count: number; connections: number },
  context: Context,
): Promise<OtherFigures> {
  const { folder, say } = context
  const found = spawnSync('cfssl', ['version'], { encoding: 'utf8' })
  if (found.error) return { version: null }
  const version = `CFSSL ${/Version: (\S+)/.exec(found.stdout + found.stderr)?.[1]} (${/Runtime: (\S+)/.exec(found.stdout + found.stderr)?.[1]})`
  say('making the Device CSRs')
  const messages: string[] = []
  const many = {
    count: count + connections,
    firstDeviceId: '02d0000000000000',
    usages: ['digitalSignature'],
  } as const
  for await (const { csr } of makeMany(many))
    messages.push(JSON.stringify({ certificate_request: toPem('CERTIFICATE REQUEST', csr) }))
  const database = prepare(folder)
  const port = await freePort()
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const args = `serve -address 127.0.0.1 -port ${port} -ca ca.pem -ca-key ca-key.pem -config config.json -db-config db.json`
  const rates = await serving('cfssl', args.split(' '), port, context, async server => {
    say(`${shown(count)} certificates from CFSSL`)
    const figures = await measured(server.pid!, messages, connections, message => sign(agent, port, message))
    agent.destroy()
    return figures
  })
  const { kept } = new DatabaseSync(database).prepare('SELECT count(*) AS kept FROM certificates').get() as {
    kept: number
  }
  if (kept !== messages.length) throw new Error(`CFSSL keeps ${kept} certificates, and gave ${messages.length}`)
  return { version, ...rates }
}

/** An authority with a P-256 key, a profile, and an empty database. @returns where that lies */
function prepare(folder: string): string {
  const file = (name: string, content: unknown) =>
    writeFileSync(join(folder, name), JSON.stringify(content), { mode: 0o600 })
  file('ca.json', { CN: 'D1', key: { algo: 'ecdsa', size: 256 } })
  file('config.json', { signing: { default: { expiry: '87600h', usages: ['digital signature'] } } })
  const data_source = join(folder, 'certificates.db')
  file('db.json', { driver: 'sqlite3', data_source })
  new DatabaseSync(data_source).exec(schema)
  const made = JSON.parse(
    execFileSync('cfssl', ['gencert', '-initca', 'ca.json'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString(),
  )
  writeFileSync(join(folder, 'ca.pem'), made.cert)
  writeFileSync(join(folder, 'ca-key.pem'), made.key, { mode: 0o600 })
  return data_source
}

async function sign(agent: Agent, port: number, message: string): Promise<void> {
  const { status, body } = await post(agent, port, message)
  if (status !== 200 || !JSON.parse(body).success)
    throw new Error(`CFSSL answered ${status}: ${body.slice(0, 200)}`)
}

function post(agent: Agent, port: number, message: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(message) }
    const options = { agent, host: '127.0.0.1', port, method: 'POST', path: '/api/v1/cfssl/sign', headers }
    request(options, async answer => {
      let body = ''
      for await (const chunk of answer.setEncoding('utf8')) body += chunk
      resolve({ status: answer.statusCode!, body })
    })
      .on('error', reject)
      .end(message)
  })
}

/**
 * Every message is asked once; a connection sends its next when the last was answered. As many as there are connections
 * come first, all at a time, and are not measured: they open the connections.
 */
async function measured(
  pid: number,
  messages: readonly string[],
  connections: number,
  ask: (message: string) => Promise<void>,
): Promise<Omit<OtherFigures, 'version'>> {
  await Promise.all(messages.slice(0, connections).map(ask))
  const times: number[] = []
  let next = connections
  const cpu = cpuSecondsOf(pid)
  const began = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < messages.length) {
        const from = performance.now()
        await ask(messages[next++]!)
        times.push(performance.now() - from)
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  return {
    perSecond: rounded(times.length / seconds),
    p50: rounded(nth(times, 0.5), 2),
    p99: rounded(nth(times, 0.99), 2),
    cpuMicroseconds: rounded(((cpuSecondsOf(pid) - cpu) * 1e6) / times.length, 1),
  }
}
