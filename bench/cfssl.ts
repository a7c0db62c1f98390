/** CFSSL with its database, asked for single certificates over kept connections: what another authority does on this machine. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeMany } from '../simulator/batch.ts'
import { toPem } from '../src/ground/x509/pem.ts'
import { bench, type Context, nth, rounded, shown } from './bench.ts'
import { cpuSecondsOf } from './processes.ts'

type CfsslFigures = {
  /** Null where CFSSL is not installed; everything else is missing then. */
  readonly version: string | null
  readonly perSecond?: number
  /** Milliseconds. */
  readonly p50?: number
  readonly p99?: number
  /** Of its processor time, for each certificate. */
  readonly cpuMicroseconds?: number
}

export const cfssl = bench({
  says: 'CFSSL `serve` over HTTP with SQLite, the same kind of requests on 32 connections, where it is installed',
  options: { count: 5000, connections: 32 },
  quick: { count: 300 },
  promises: [
    {
      says: 'beside single requests: CFSSL with SQLite, HTTP without TLS, 32 connections',
      unit: '/s',
      figure: (one: CfsslFigures) => one.perSecond,
      beside: ({ version, p99 }) => (version === null ? 'not installed' : `${version}, p99 ${shown(p99!, 1)} ms`),
    },
  ],
  run: run,
  table: ({ version, perSecond, p50, p99, cpuMicroseconds }: CfsslFigures) =>
    version === null
      ? [['CFSSL', 'not installed']]
      : [
          ['CFSSL', version],
          ['certificates a second', shown(perSecond!)],
          ['p50, p99', `${shown(p50!, 1)} ms, ${shown(p99!, 1)} ms`],
          ['processor time each', `${shown(cpuMicroseconds!, 1)} µs`],
        ],
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
  { folder, signal, say }: Context,
): Promise<CfsslFigures> {
  const found = spawnSync('cfssl', ['version'], { encoding: 'utf8' })
  if (found.error) return { version: null }
  const version = `CFSSL ${/Version: (\S+)/.exec(found.stdout + found.stderr)?.[1]} (${/Runtime: (\S+)/.exec(found.stdout + found.stderr)?.[1]})`
  say('making the Device CSRs')
  const messages: string[] = []
  const many = { count, firstDeviceId: '02d0000000000000', usages: ['digitalSignature'] } as const
  for await (const { csr } of makeMany(many))
    messages.push(JSON.stringify({ certificate_request: toPem('CERTIFICATE REQUEST', csr) }))
  const database = prepare(folder)
  const port = await freePort()
  const log = createWriteStream(join(folder, 'cfssl.log'))
  await once(log, 'open')
  const server = spawn(
    'cfssl',
    `serve -address 127.0.0.1 -port ${port} -ca ca.pem -ca-key ca-key.pem -config config.json -db-config db.json`.split(
      ' ',
    ),
    { cwd: folder, stdio: ['ignore', log, log] },
  )
  const ended = once(server, 'exit')
  const stop = () => server.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  try {
    say(`${shown(count)} certificates from CFSSL`)
    return { version, ...(await measured(server, port, messages, connections, database)) }
  } finally {
    signal.removeEventListener('abort', stop)
    server.kill()
    await ended
    log.end()
  }
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function measured(
  server: ChildProcess,
  port: number,
  messages: readonly string[],
  connections: number,
  database: string,
): Promise<Omit<CfsslFigures, 'version'>> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const ask = (message: string) => sign(agent, port, message)
  for (let attempt = 0; ; attempt++) {
    const answered = await ask(messages[0]!).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ECONNREFUSED' || attempt === 100) throw cause
    })
    if (answered !== undefined) break
    await sleep(50)
  }
  const times: number[] = []
  let next = 1
  const cpu = cpuSecondsOf(server.pid!)
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
  agent.destroy()
  const { kept } = new DatabaseSync(database).prepare('SELECT count(*) AS kept FROM certificates').get() as {
    kept: number
  }
  if (kept !== messages.length) throw new Error(`CFSSL keeps ${kept} certificates, and gave ${messages.length}`)
  return {
    perSecond: rounded(times.length / seconds),
    p50: rounded(nth(times, 0.5), 2),
    p99: rounded(nth(times, 0.99), 2),
    cpuMicroseconds: rounded(((cpuSecondsOf(server.pid!) - cpu) * 1e6) / times.length, 1),
  }
}

function sign(agent: Agent, port: number, message: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(message) }
    const options = { agent, host: '127.0.0.1', port, method: 'POST', path: '/api/v1/cfssl/sign', headers }
    request(options, async answer => {
      let body = ''
      for await (const chunk of answer.setEncoding('utf8')) body += chunk
      if (answer.statusCode === 200 && JSON.parse(body).success) resolve(JSON.parse(body).result.certificate)
      else reject(new Error(`CFSSL answered ${answer.statusCode}: ${body.slice(0, 200)}`))
    })
      .on('error', reject)
      .end(message)
  })
}
