/** Another authority beside ours: a server on a free port. What the benchmarks of such share. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, shown } from '../bench.ts'

export type OtherFigures = {
  /** Null where it is not installed; everything else is missing then. */
  readonly version: string | null
  readonly perSecond?: number
  /** Milliseconds. */
  readonly p50?: number
  readonly p99?: number
  /** Of its processor time, for each certificate. */
  readonly cpuMicroseconds?: number
}

/** Beside the promise that names it. */
export const beside = ({ version, p99 }: OtherFigures): string =>
  version === null ? 'not installed' : `${version}, p99 ${shown(p99!, 1)} ms`

/** Rows for people. */
export const rowsOf = (
  name: string,
  { version, perSecond, p50, p99, cpuMicroseconds }: OtherFigures,
): string[][] =>
  version === null
    ? [[name, 'not installed']]
    : [
        [name, version],
        ['certificates a second', shown(perSecond!)],
        ['p50, p99', `${shown(p50!, 1)} ms, ${shown(p99!, 1)} ms`],
        ['processor time each', `${shown(cpuMicroseconds!, 1)} µs`],
      ]

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Does the work while the program serves on that port, and ends it in order. @throws what it said last, when it fails */
export async function serving<T>(
  program: string,
  args: readonly string[],
  port: number,
  { folder, signal }: Context,
  work: (server: ChildProcess) => Promise<T>,
): Promise<T> {
  const said = join(folder, 'said.log')
  const log = createWriteStream(said)
  await once(log, 'open')
  const server = spawn(program, args, { cwd: folder, stdio: ['ignore', log, log] })
  const ended = once(server, 'exit')
  const stop = () => server.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  try {
    await listening(port, server)
    return await work(server)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : cause
    throw new Error(`${why}; ${program} said last: ${readFileSync(said, 'utf8').slice(-1000)}`, { cause })
  } finally {
    signal.removeEventListener('abort', stop)
    server.kill()
    await ended
    log.end()
  }
}

async function listening(port: number, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200 && server.exitCode === null && server.signalCode === null; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const there = await once(socket, 'connect').catch(() => undefined)
    socket.destroy()
    if (there) return
    await sleep(50)
  }
  throw new Error(`nobody listens on port ${port}`)
}
