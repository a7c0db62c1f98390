/** A running PostgreSQL server, which ends with the process that started it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { environment, type User } from './user.ts'

export interface Postmaster {
  readonly pid: number
  /** Resolves when the server has ended, with how. It never rejects. */
  readonly ended: Promise<string>
  /** A fast shutdown: transactions are rolled back, everything is written. Resolves when the server has ended. */
  stop(): Promise<void>
}

export interface PostmasterOptions {
  readonly binaries: string
  readonly data: string
  /** How the server itself names `data`. */
  readonly dataArgument: string
  readonly user: User | undefined
  readonly settings: Readonly<Record<string, string>>
  /** A file to which the server's messages go. */
  readonly log: number
}

/**
 * The shell leaves a guard behind and becomes PostgreSQL, so that our child is the postmaster itself. The guard waits
 * on a pipe that only we hold. When we die, however we die, the pipe ends and the guard stops the server; there is no
 * moment at which the server runs without it. When only the guard dies, we put another in its place.
 */
export function startPostmaster(options: PostmasterOptions): Postmaster {
  const { binaries, data, dataArgument, user, settings, log } = options
  const program = [join(binaries, 'bin/postgres'), '-D', dataArgument]
  const set = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  // A session of its own: an interrupt typed at the terminal is for us, who then stop the server in order.
  const child = spawn('/bin/sh', ['-c', becomePostgres, 'sh', ...program, ...set], {
    ...user,
    cwd: data,
    env: environment,
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
  })
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  // It does not keep our own process from ending.
  child.unref()
  const dismiss = keepGuarded(child, user)
  ended.then(dismiss)

  const stop = async (): Promise<void> => {
    child.ref()
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
    // Half a minute is far more than the last checkpoint takes; after that, recovery at the next start is better.
    const impatience = setTimeout(() => child.kill('SIGQUIT'), 30_000)
    await ended
    clearTimeout(impatience)
  }
  return { pid: child.pid ?? 0, ended, stop }
}

/** Waits until the server takes connections, which after a crash is when it has recovered. @returns false if it ended. */
export async function isReady(postmaster: Postmaster, data: string): Promise<boolean> {
  let running = true
  postmaster.ended.then(() => {
    running = false
  })
  while (running) {
    // Line 1 is the process id, line 8 the state (PostgreSQL, miscinit.c and pidfile.h).
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    if (lines[0] === `${postmaster.pid}` && lines[7]?.trim() === 'ready') return true
    await sleep(5)
  }
  return false
}

/**
 * Reads fd 3. A line means that the server has ended and all is well; an end without a line, that we are dead. The
 * guard stands outside the data folder, so that it is not taken for a part of the server.
 */
const guard = `guard() {
  cd /
  read -r line <&3 && exit
  kill -INT "$1"
  for second in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    sleep 1
    kill -0 "$1" || exit
  done
  kill -QUIT "$1"
}`

/** The inner shell is orphaned at once: PostgreSQL would take fright at a child that it does not know. */
const becomePostgres = `${guard}
( guard $$ </dev/null >/dev/null 2>&1 & )
exec "$@" 3<&-`

const guardOnly = `${guard}
guard "$1"`

/** @returns how to tell the guard that the server has ended. */
function keepGuarded(child: ChildProcess, user: User | undefined): () => void {
  let pipe = child.stdio[3] as Socket
  let needed = true
  const watch = (): void => {
    pipe.unref()
    pipe.on('error', () => {})
    pipe.resume().once('close', () => {
      // The pause keeps a machine that kills every guard from being kept busy by us.
      if (needed) setTimeout(replace, 100).unref()
    })
  }
  const replace = (): void => {
    if (!needed) return
    const next = spawn('/bin/sh', ['-c', guardOnly, 'sh', `${child.pid}`], {
      ...user,
      cwd: '/',
      env: environment,
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    })
    next.once('error', () => {})
    next.unref()
    pipe = next.stdio[3] as Socket
    watch()
  }
  watch()
  return () => {
    needed = false
    pipe.end('ended\n')
  }
}
