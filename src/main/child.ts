/** One of the programs of the service, as a process of its own: `child.ts signer|device|repository`. */

import { renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import pino from 'pino'
import { Refusal } from '../ground/refusal.ts'
import type { Connection } from '../ground/store/store.ts'
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

export type ChildReport =
  | {
      readonly ready: true
      readonly sockets?: readonly string[]
      readonly ports?: Readonly<Record<string, number>>
    }
  | { readonly ready: false; readonly code: string; readonly says: string }

const role = process.argv[2] as 'signer' | 'device' | 'repository'

/** A log file is put aside, once, when it has so many octets: two of them are kept for each program. */
const longestLog = 64 * 2 ** 20

/** Everything goes to a file of the environment; what needs somebody's attention is said on the terminal, in words. */
function openLog(folder: string): pino.Logger {
  const path = join(privateFolder(folder), `${role}.log`)
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
  return pino({ base: { name: role }, timestamp: pino.stdTimeFunctions.isoTime }, pino.multistream([...streams]))
}

async function run(
  start: ChildStart,
  log: pino.Logger,
): Promise<{ report: Omit<ChildReport & { ready: true }, 'ready'>; close(): Promise<void> }> {
  const home = homeAt(start.home)
  const common = { home, settings: loadSettings(home), target: start.target, log }
  if (role === 'signer') {
    const { startSigner } = await import('./signer.ts')
    const signer = await startSigner({ ...common, run: start.run, passphrase: start.passphrase! })
    start.passphrase!.fill(0)
    return { report: { sockets: signer.sockets }, close: signer.close }
  }
  if (role === 'device') {
    const { startDeviceDoor } = await import('./device-door.ts')
    const door = await startDeviceDoor({ ...common, signers: start.signers! })
    return { report: { ports: { device: door.port } }, close: door.close }
  }
  const { startRepositoryDoor } = await import('./repository-door.ts')
  const door = await startRepositoryDoor(common)
  const { tls, plain } = door.ports
  return {
    report: { ports: { repository: tls, ...(plain !== undefined && { plainRepository: plain }) } },
    close: door.close,
  }
}

process.once('message', async (start: ChildStart) => {
  // The supervisor's end is ours, whether it asked for it or was killed, and while we start too.
  process.on('disconnect', () => process.exit(0))
  const log = openLog(join(start.home, 'log'))
  try {
    const { report, close } = await run(start, log)
    process.on('message', message => {
      if (message === 'stop')
        close().then(
          () => process.exit(0),
          () => process.exit(1),
        )
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
