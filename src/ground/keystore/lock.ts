/** One writer at a time for a file, over threads and processes; a writer that was killed does not block the next. */

import { readFileSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { threadId } from 'node:worker_threads'
import { hasCode } from './private-file.ts'
import { refusal } from './refusals.ts'

/** How often, and after how many milliseconds each time, a lock that is held is tried again. A change takes some ms. */
export interface Patience {
  readonly tries: number
  readonly pause: number
}

/**
 * Runs `work` while no other thread or process runs work under the same path. The lock is `path + '.lock'`, a
 * symbolic link to nowhere whose text says who has it: such a link is made with its text in one step, or not at all,
 * and so never stands there without a name.
 * @throws Refusal KEYSTORE_LOCKED when it stays held
 */
export function withLock<T>(path: string, work: () => T, patience: Patience = { tries: 1000, pause: 10 }): T {
  const lock = `${path}.lock`
  const holder = describeUs()
  take(lock, holder, patience)
  try {
    return work()
  } finally {
    // Only our own: had an operator removed the lock by hand, it could be another's by now.
    if (readLink(lock) === holder) unlinkIfThere(lock)
  }
}

function take(lock: string, holder: string, { tries, pause }: Patience): void {
  for (let left = tries; left > 0; left--) {
    if (makeLink(lock, holder)) return
    if (isStale(readLink(lock))) removeStale(lock, holder)
    else sleep(pause)
  }
  throw refusal('KEYSTORE_LOCKED', `${lock}. If no process is at work on it, remove that file`)
}

/**
 * Removing a stale lock needs a lock of its own: of two that saw the same stale lock, the slower would otherwise remove
 * the lock that the faster has just taken.
 */
function removeStale(lock: string, holder: string): void {
  const guard = `${lock}.stale`
  if (!makeLink(guard, holder)) {
    sleep(10)
    return
  }
  try {
    if (isStale(readLink(lock))) unlinkIfThere(lock)
  } finally {
    unlinkIfThere(guard)
  }
}

/** `<pid> <thread> <when the process began> <process namespace> <host>` */
function describeUs(): string {
  return `${process.pid} ${threadId} ${began(process.pid)} ${namespace()} ${hostname()}`
}

/** Only what is certain: the holder was on this host, in this process namespace, and is there no more. */
function isStale(holder: string | undefined): boolean {
  const [, pid, start, space, host] = /^([1-9]\d*) \d+ (\S+) (\S+) (\S+)$/.exec(holder ?? '') ?? []
  if (pid === undefined || host !== hostname() || space !== namespace()) return false
  return !isRunning(Number(pid)) || began(Number(pid)) !== start
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return !hasCode(cause, 'ESRCH')
  }
}

/**
 * When the process began, in ticks since the machine did: tells a process from a later one with its number. `-` when it
 * is there no more, or only as a zombie that its parent has not yet asked about; and everywhere but on Linux.
 */
function began(pid: number): string {
  const stat = readIfThere(`/proc/${pid}/stat`) ?? ''
  // The second field is the program's name in brackets, and may have spaces; then field 3, and 22 (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? '-' : (fields[19] ?? '-')
}

/** In another container, a process number means another process. */
function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return '-' // Not Linux: no such namespaces.
  }
}

function makeLink(path: string, text: string): boolean {
  try {
    symlinkSync(text, path)
    return true
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return false
    throw cause
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    // No link, so none of ours: somebody put a file there, and only somebody can remove it.
    if (hasCode(cause, 'EINVAL')) return ''
    throw cause
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (cause) {
    // A process that ended while its file was read: ESRCH.
    if (hasCode(cause, 'ENOENT') || hasCode(cause, 'ESRCH')) return undefined
    throw cause
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT')) throw cause
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
