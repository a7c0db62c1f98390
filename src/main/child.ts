/** One of the programs of the service, as a process of its own: `child.ts signer|device|repository|operator|portal|dccki|sftp`; `signer 2` is the second. */

import { renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import pino from 'pino'
import type { MetricsJson, ProgramMetrics } from '../doors/metrics/program.ts'
import { Refusal } from '../ground/refusal.ts'
import type { Connection } from '../ground/store/store.ts'
import type { Settings } from '../policy/settings.ts'
import { homeAt, loadSettings, privateFolder } from './home.ts'

/** What the supervisor sends first. */
export interface ChildStart {
  readonly home: string
  readonly target: Connection | string
  readonly run: string
  /** For the signer alone. */
  readonly passphrase?: Uint8Array
  /** For the doors: where signers listen. */
  readonly signers?: readonly string[]
}

/** The supervisor's question for metrics, and the answer. Each is asked once before the next is. */
export interface MetricsQuestion {
  readonly metrics: number
}
export interface MetricsAnswer extends MetricsQuestion {
  readonly json: MetricsJson
}

export type ChildReport =
  | {
      readonly ready: true
      readonly sockets?: readonly string[]
      readonly ports?: Readonly<Record<string, number>>
    }
  | { readonly ready: false; readonly code: string; readonly says: string }

const role = process.argv[2] as 'signer' | 'device' | 'repository' | 'operator' | 'portal' | 'dccki' | 'sftp'
/** Of several signers. */
const number = Number(process.argv[3] ?? 1)
const name = number === 1 ? role : `${role} ${number}`

/** A log file is put aside, once, when it has so many octets: two of them are kept for each program. */
const longestLog = 64 * 2 ** 20

/** Everything goes to a file of the environment; what needs somebody's attention is said on the terminal, in words. */
function openLog(folder: string): pino.Logger {
  const path = join(privateFolder(folder), `${name.replace(' ', '-')}.log`)
  const file = pino.destination({ dest: path, sync: false, minLength: 4096, mode: 0o600 })
  setInterval(() => {
    file.flush()
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < longestLog) return
    renameSync(path, `${path}.1`)
    file.reopen()
  }, 1000).unref()
  const words = new Writable({
    write(line: Buffer, _, done) {
      const { time, msg, level, name, ...more } = JSON.parse(line.toString()) as Record<string, unknown>
      const details = Object.entries(more).map(
        ([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : value}`,
      )
      process.stderr.write(`${name}: ${msg}${details.length > 0 ? ` (${details.join(', ')})` : ''}\n`)
      done()
    },
  })
  const streams = [
    { level: 'info', stream: file },
    { level: 'warn', stream: words },
  ] as const
  return pino({ base: { name }, timestamp: pino.stdTimeFunctions.isoTime }, pino.multistream([...streams]))
}

async function run(
  start: ChildStart,
  log: pino.Logger,
  settings: Settings,
  metrics: ProgramMetrics | undefined,
): Promise<{ report: Omit<ChildReport & { ready: true }, 'ready'>; close(): Promise<void> }> {
  const home = homeAt(start.home)
  const common = { home, settings, target: start.target, log, shown: metrics?.show, done: metrics?.done }
  if (role === 'signer') {
    const { startSigner } = await import('./signer.ts')
    const signer = await startSigner({ ...common, number, run: start.run, passphrase: start.passphrase! })
    start.passphrase!.fill(0)
    return { report: { sockets: signer.sockets }, close: signer.close }
  }
  if (role === 'device') {
    const { startDeviceDoor } = await import('./device-door.ts')
    const door = await startDeviceDoor({ ...common, signers: start.signers! })
    return { report: { ports: { device: door.port } }, close: door.close }
  }
  if (role === 'portal') {
    const { startPortalDoor } = await import('./portal-door.ts')
    const door = await startPortalDoor({ ...common, signers: start.signers! })
    return { report: { ports: { ...door.ports } }, close: door.close }
  }
  if (role === 'dccki') {
    const { startDcckiDoor } = await import('./dccki-door.ts')
    const { ports, close } = await startDcckiDoor({ ...common, signers: start.signers! })
    return { report: { ports }, close }
  }
  if (role === 'sftp') {
    const { startSftpDoor } = await import('./sftp-door.ts')
    const door = await startSftpDoor(common)
    return { report: { ports: { sftp: door.port } }, close: door.close }
  }
  if (role === 'operator') {
    const { startOperatorDoor } = await import('./operator-door.ts')
    const door = await startOperatorDoor({ ...common, signers: start.signers! })
    return { report: { ports: { operator: door.port } }, close: door.close }
  }
  const { startRepositoryDoor } = await import('./repository-door.ts')
  const door = await startRepositoryDoor(common)
  const { tls, plain } = door.ports
  const { startJournalDoor } = await import('./journal-door.ts')
  const { port: journal, close: closeJournal } = await startJournalDoor(common)
  return {
    report: {
      ports: {
        repository: tls,
        ...(plain !== undefined && { plainRepository: plain }),
        ...(journal !== undefined && { journal }),
      },
    },
    close: async () => void (await Promise.all([door.close(), closeJournal()])),
  }
}

/** Loaded only where somebody looks at them. */
async function metricsOf({ performance }: Settings): Promise<ProgramMetrics | undefined> {
  if (performance.metricsPort === null) return undefined
  const { programMetrics } = await import('../doors/metrics/program.ts')
  return programMetrics(name, performance.zone)
}

process.once('message', async (start: ChildStart) => {
  // The supervisor's end is ours, whether it asked for it or was killed, and while we start too.
  process.on('disconnect', () => process.exit(0))
  const log = openLog(join(start.home, 'log'))
  try {
    const settings = loadSettings(homeAt(start.home))
    const metrics = await metricsOf(settings)
    const { report, close } = await run(start, log, settings, metrics)
    process.on('message', async (message: 'stop' | MetricsQuestion) => {
      if (message === 'stop')
        close().then(
          () => process.exit(0),
          () => process.exit(1),
        )
      else if (metrics) process.send!({ ...message, json: await metrics.json() } satisfies MetricsAnswer)
    })
    process.send!({ ready: true, ...report } satisfies ChildReport)
  } catch (cause) {
    const code = cause instanceof Refusal ? cause.code : 'FAULT'
    if (!(cause instanceof Refusal)) log.fatal({ fault: (cause as Error).stack }, 'could not start')
    // What was opened on the way, a listener or a lock in the store, goes with the process.
    const says = (cause as Error).message
    process.send!({ ready: false, code, says } satisfies ChildReport, () => process.exit(1))
  }
})

// A terminal's Ctrl-C reaches the whole group: the supervisor decides what it means, and in which order we stop.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
