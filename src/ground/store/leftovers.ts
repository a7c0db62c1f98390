/** What an earlier start left in a data folder: processes that still live there, and the files of dead ones. */

import { readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../refusal.ts'
import { type Living, living, stillLives } from './living.ts'
import type { StoreRefusal } from './refusals.ts'
import { socketName } from './socket.ts'
import { runAs, type User } from './user.ts'

/**
 * Ends the server that outlived its starter, and removes what a server that was killed could not. To be called by
 * the holder of the lock. `socket` is the path by which clients connect.
 *
 * @throws Refusal STORE_IN_USE when a server answers that this process cannot see, as one in another container.
 */
export async function clearLeftovers(data: string, socket: string, user: User | undefined): Promise<void> {
  // Again after they have ended, because a postmaster may have forked while we counted.
  for (let found = await inhabitants(data, user); found.length > 0; found = await inhabitants(data, user)) {
    await end(found, await postmasterOf(data))
  }
  if (await answers(socket)) {
    const sentence = `a PostgreSQL server outside this process's view (another container?) holds ${data}: stop it first`
    throw new Refusal<StoreRefusal>('STORE_IN_USE', sentence, { details: { folder: data } })
  }
  // Nobody lives here. A stale file names a process id that may belong to somebody else by now, and PostgreSQL,
  // which can only ask whether the id is in use, would refuse to start.
  for (const name of ['postmaster.pid', socketName, `${socketName}.lock`])
    await rm(join(data, name), { force: true })
}

/**
 * The processes of PostgreSQL whose working directory this is: the postmaster, and each process that it forked. Asked
 * as the server's own user, because looking into another user's process needs a capability that root may lack.
 */
async function inhabitants(data: string, user: User | undefined): Promise<Living[]> {
  const [script, argument] = process.platform === 'linux' ? [linux, ''] : [elsewhere, `${await postmasterOf(data)}`]
  const { stdout } = runAs(user, data, '/bin/sh', ['-c', script, 'sh', argument])
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .flatMap(pid => living(Number(pid)) ?? [])
}

const linux = `for process in /proc/[0-9]*; do
  [ "$process/cwd" -ef . ] && read -r name <"$process/comm" && [ "$name" = postgres ] && echo "\${process#/proc/}"
done`

/** Without /proc there is only what the server wrote down. */
const elsewhere = 'case $(ps -o comm= -p "$1") in *postgres) echo "$1";; esac'

async function postmasterOf(data: string): Promise<number | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : Number(text.split('\n')[0])
}

/** A signal, and how many seconds it is given. SIGINT is a fast shutdown, with a checkpoint; SIGQUIT goes without. */
type Step = readonly [NodeJS.Signals, number]
const forPostmaster: readonly Step[] = [
  ['SIGINT', 20],
  ['SIGQUIT', 5],
]
const forOrphans: readonly Step[] = [['SIGQUIT', 5]]

/** Only a postmaster ends its children in order; without one, each is told by itself. */
async function end(processes: readonly Living[], postmaster: number | undefined): Promise<void> {
  const masters = processes.filter(({ pid }) => pid === postmaster)
  for (const [signal, seconds] of masters.length > 0 ? forPostmaster : forOrphans) {
    tell(masters.length > 0 ? masters : processes, signal)
    if (await haveEnded(processes, seconds)) return
  }
  tell(processes, 'SIGKILL')
  if (await haveEnded(processes, 5)) return
  throw new Error(`the PostgreSQL processes ${processes.map(({ pid }) => pid).join(', ')} cannot be ended`)
}

function tell(processes: readonly Living[], signal: NodeJS.Signals): void {
  for (const { pid } of processes.filter(stillLives)) {
    try {
      process.kill(pid, signal)
    } catch (cause) {
      // It ended in this very moment.
      if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
    }
  }
}

async function haveEnded(processes: readonly Living[], seconds: number): Promise<boolean> {
  for (let waited = 0; waited < seconds * 1000; waited += 20) {
    if (!processes.some(stillLives)) return true
    await sleep(20)
  }
  return false
}

/** Whether anything accepts a connection. */
function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const client = connect(join(socket, socketName))
    client.once('connect', () => resolve(true)).once('error', () => resolve(false))
    client.once('connect', () => client.destroy())
  })
}
