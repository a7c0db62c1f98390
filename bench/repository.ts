/** Retrievals a second from the Repository over TLS, beside what bare SELECTs and a bare TLS echo reach in the same run. */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { pino } from 'pino'
import { makeDeviceCsr } from '../simulator/device.ts'
import { tlsOptions } from '../src/ground/http/listen.ts'
import { openSoftwareKeyStore } from '../src/ground/keystore/software.ts'
import type { Store } from '../src/ground/store/store.ts'
import { type Connection, openStore } from '../src/ground/store/store.ts'
import { readCertificate } from '../src/ground/x509/certificate.ts'
import { type Home, homeAt, loadSettings } from '../src/main/home.ts'
import { init } from '../src/main/init.ts'
import { startRepositoryDoor } from '../src/main/repository-door.ts'
import { tlsFiles } from '../src/main/tls-ca.ts'
import { openHomeStore, systemChance, systemClock } from '../src/main/world.ts'
import { hierarchies, profileNamed } from '../src/policy/hierarchies.ts'
import type { Settings } from '../src/policy/settings.ts'
import { issueDevices } from '../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../src/rooms/issuance/issuing-dcas.ts'

export interface Options {
  /** Retrievals with each number of connections, SELECTs, and echoes; default 10,000. */
  readonly count?: number
  /** Certificates in the Repository, two for each Device; default 2,000. */
  readonly certificates?: number
  readonly connections?: readonly number[]
}

/**
 * The door runs in a process of its own, as it does in service; the store in its processes; the clients in this one.
 * @returns per second: `retrievalsPerSecond<connections>`, `echoesPerSecond<connections>`, `selectsPerSecond`; in
 * milliseconds: `p50Ms<connections>`, `p99Ms<connections>`; of the door: `peakMemoryMiB`, `cpuMicrosecondsEach`.
 */
export async function run(options: Options = {}): Promise<Record<string, number>> {
  const { count = 10_000, certificates = 2000, connections = [1, 8, 32] } = options
  const folder = mkdtempSync(join(tmpdir(), 'bench-repository-'))
  const home = homeAt(join(folder, 'home'))
  const figures: Record<string, number> = {}
  try {
    const services = { repositoryPort: 0, plainRepositoryPort: null }
    const witness = () => {}
    const settings = await init(home, {
      environment: 'bench',
      kind: 'test',
      with: [],
      log2N: 10,
      settings: { services },
      witness,
    })
    const opened = await openHomeStore(home, { share: false })
    const door = fork(import.meta.filename, ['door', home.path, JSON.stringify(opened.target)])
    try {
      const serials = await fill(home, settings, opened.store, certificates)
      const [ports] = (await once(door, 'message')) as [{ repository: number; echo: number }]
      const retrievals = retrievalsOf(home, serials)

      await measure(home, ports.repository, 8, Math.ceil(count / 10), retrievals, isAnswered)
      const before = await usage(door)
      for (const clients of connections) {
        const { perSecond, p50, p99 } = await measure(
          home,
          ports.repository,
          clients,
          count,
          retrievals,
          isAnswered,
        )
        figures[`retrievalsPerSecond${clients}`] = perSecond
        figures[`p50Ms${clients}`] = p50
        figures[`p99Ms${clients}`] = p99
      }
      const after = await usage(door)
      figures.cpuMicrosecondsEach = (after.cpu - before.cpu) / (count * connections.length)
      figures.peakMemoryMiB = after.memory
      for (const clients of connections) {
        const { perSecond } = await measure(home, ports.echo, clients, count, retrievals, isEchoed)
        figures[`echoesPerSecond${clients}`] = perSecond
      }
      figures.selectsPerSecond = await selects(opened.target, serials, count)
    } finally {
      const ended = once(door, 'exit')
      door.disconnect()
      await ended
      await opened.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return figures
}

/** Issues certificates, and gives their serial numbers in hexadecimal. */
async function fill(home: Home, settings: Settings, store: Store, certificates: number): Promise<Buffer[]> {
  const hands = { store, clock: systemClock, chance: systemChance }
  const passphrase = readFileSync(home.issuingPassphrase)
  const keys = openSoftwareKeyStore({ path: home.issuingKeys, passphrase, chance: systemChance, allowWeak: true })
  const { keyUse } = hierarchies(settings)['smki-device'].issuing
  const dcas = issuingDcas(hands, keys, profileNamed(settings, 'Device Certificate'), keyUse!, certificates)
  const rules = { threshold: 100, knownDevicesOnly: false }
  const serials: Buffer[] = []
  for (let from = 0; from < certificates; from += 500) {
    const requests = Array.from({ length: Math.min(500, certificates - from) }, (_, i) => {
      const deviceId = (0x02a1_0000_0000_0000n + BigInt((from + i) >> 1)).toString(16).padStart(16, '0')
      return makeDeviceCsr({ deviceId, usage: i % 2 === 0 ? 'digitalSignature' : 'keyAgreement' }).csr
    })
    for (const outcome of await issueDevices({ ...hands, authorities: dcas }, { requests, rules, says: {} })) {
      if ('refusal' in outcome) throw outcome.refusal
      serials.push(Buffer.from(readCertificate(outcome.der).serial))
    }
  }
  keys.close()
  return serials
}

function retrievalsOf(home: Home, serials: readonly Buffer[]): Buffer[] {
  const key = readFileSync(join(home.credentials, 'import-supplier', 'repository-api-key'), 'utf8').trim()
  return serials.map(serial => {
    const body = `<CertificateDataRequest><CertificateSerial>${serial.toString('hex')}</CertificateSerial></CertificateDataRequest>`
    const head = `POST /services/retrievecertificate?apikey=${key} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\n`
    return Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`)
  })
}

/** Whether what came is the whole answer. @throws Error when the answer is not what it should be */
type Whole = (came: Buffer, sent: Buffer) => boolean

const isEchoed: Whole = (came, sent) => came.length >= sent.length

const isAnswered: Whole = came => {
  const head = came.indexOf('\r\n\r\n')
  if (head < 0) return false
  const text = came.toString('latin1', 0, head)
  if (!text.startsWith('HTTP/1.1 200 ')) throw new Error(`the Repository answered: ${text}`)
  return came.length >= head + 4 + Number(/content-length: (\d+)/.exec(text)![1])
}

/** Clients with one connection each; each sends its next message when the last was answered. */
async function measure(
  home: Home,
  port: number,
  clients: number,
  count: number,
  messages: readonly Buffer[],
  whole: Whole,
): Promise<{ perSecond: number; p50: number; p99: number }> {
  const ca = readFileSync(tlsFiles(home).ca)
  const sockets = await Promise.all(
    Array.from({ length: clients }, async () => {
      const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' })
      await once(socket, 'secureConnect')
      return socket
    }),
  )
  const times: number[] = []
  let next = 0
  const began = performance.now()
  await Promise.all(
    sockets.map(async socket => {
      while (next < count) times.push(await roundTrip(socket, messages[next++ % messages.length]!, whole))
    }),
  )
  const seconds = (performance.now() - began) / 1000
  for (const socket of sockets) socket.destroy()
  times.sort((a, b) => a - b)
  return { perSecond: count / seconds, p50: times[count >> 1]!, p99: times[Math.floor(count * 0.99)]! }
}

function roundTrip(socket: TLSSocket, message: Buffer, whole: Whole): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    let came: Buffer = Buffer.alloc(0)
    const done = (settle: () => void) => {
      socket.removeAllListeners('data').removeAllListeners('error')
      settle()
    }
    socket.on('error', cause => done(() => reject(cause)))
    socket.on('data', (part: Buffer) => {
      came = came.length === 0 ? part : Buffer.concat([came, part])
      try {
        if (whole(came, message)) done(() => resolve(performance.now() - began))
      } catch (cause) {
        done(() => reject(cause))
      }
    })
    socket.write(message)
  })
}

async function selects(target: Connection | string, serials: readonly Buffer[], count: number): Promise<number> {
  const store = await openStore(target, { max: 1 })
  const began = performance.now()
  for (let i = 0; i < count; i++) {
    const values = [serials[i % serials.length]]
    await store.query({ name: 'bare', text: 'SELECT tbs FROM certificate WHERE serial = $1', values })
  }
  const seconds = (performance.now() - began) / 1000
  await store.close()
  return count / seconds
}

interface Usage {
  /** Microseconds. */
  readonly cpu: number
  /** The most so far, MiB. */
  readonly memory: number
}

async function usage(door: ChildProcess): Promise<Usage> {
  door.send('usage')
  const [answer] = await once(door, 'message')
  return answer
}

/** The other process: the door, and the echo. It ends when its parent does. */
async function serve(path: string, target: Connection | string): Promise<void> {
  const home = homeAt(path)
  const door = await startRepositoryDoor({
    settings: loadSettings(home),
    home,
    target,
    log: pino(pino.destination('/dev/null')),
  })
  const files = tlsFiles(home)
  const credentials = { key: readFileSync(files.key), chain: readFileSync(files.chain) }
  const echo = createServer({ ...tlsOptions(credentials, { tls13: false }), noDelay: true }, socket => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send!({ cpu: user + system, memory: process.resourceUsage().maxRSS / 1024 } satisfies Usage)
  })
  process.on('disconnect', async () => {
    echo.close()
    await door.close()
    process.exit()
  })
  process.send!({ repository: door.ports.tls, echo: (echo.address() as AddressInfo).port })
}

if (import.meta.main) {
  const [, , role, path, target] = process.argv
  if (role === 'door') await serve(path!, JSON.parse(target!))
  else {
    const figures = await run()
    if (process.argv.includes('--json')) console.log(JSON.stringify(figures))
    else
      for (const [name, figure] of Object.entries(figures))
        console.log(name.padEnd(24), figure.toFixed(figure < 100 ? 3 : 0))
  }
}
