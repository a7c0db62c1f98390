/** What processes have used: memory and processor time, as Linux tells them in /proc (proc_pid_stat(5), proc_pid_status(5)). */

import { readdirSync, readFileSync } from 'node:fs'
import { Refusal } from '../src/ground/refusal.ts'

export interface Usage {
  /** The most memory that a process of this name had, MiB. */
  readonly memoryMiB: Readonly<Record<string, number>>
  /** All processes of a name together, since `mark`. */
  readonly cpuSeconds: Readonly<Record<string, number>>
}

export interface Watch {
  /** Processor time is counted from here. */
  mark(): void
  usage(): Usage
  stop(): void
}

/** Memory is a high-water mark of the kernel's: looking twice a second only must not miss the end of a process. */
const everyMs = 500

/**
 * @param programs process ids by name.
 * @param postmaster whose processes are counted by kind, each kind with its largest process. Memory that they share is
 *   left out: it is the configured `shared_buffers`, and would be counted in each.
 * @throws Refusal NOT_LINUX
 */
export function watch(programs: Readonly<Record<string, number>>, postmaster: number): Watch {
  if (process.platform !== 'linux') throw new Refusal('NOT_LINUX', 'what processes use is read from /proc of Linux')
  const memory = new Map<string, number>()
  const look = (): Map<string, number> => {
    const cpu = new Map<string, number>()
    const note = (name: string, pid: number, alone: boolean) => {
      const seen = read(pid)
      if (!seen) return
      memory.set(name, Math.max(memory.get(name) ?? 0, alone ? seen.privateMiB : seen.peakMiB))
      cpu.set(name, (cpu.get(name) ?? 0) + seen.cpuSeconds)
    }
    for (const [name, pid] of Object.entries(programs)) note(name, pid, false)
    note('postgres', postmaster, true)
    for (const pid of childrenOf(postmaster)) note(kindOf(pid), pid, true)
    // Those that have ended: the postmaster waited for them, and has their time (fields 16 and 17).
    cpu.set('postgres ended', read(postmaster)?.childrenCpuSeconds ?? 0)
    return cpu
  }
  let before = look()
  const timer = setInterval(look, everyMs)
  return {
    mark: () => {
      before = look()
    },
    usage() {
      const now = look()
      // A backend that has ended since is below nothing under its kind; its time is among those that ended.
      const spent = [...now].map(
        ([name, seconds]) => [name, Math.max(0, seconds - (before.get(name) ?? 0))] as const,
      )
      return { memoryMiB: Object.fromEntries(memory), cpuSeconds: Object.fromEntries(spent) }
    },
    stop: () => clearInterval(timer),
  }
}

/** Seconds that children of this process spent, of those that have ended. */
export function cpuOfChildren(): number {
  return read(process.pid)?.childrenCpuSeconds ?? 0
}

/** Seconds that a process has spent; 0 when it has ended. */
export function cpuSecondsOf(pid: number): number {
  return read(pid)?.cpuSeconds ?? 0
}

interface Seen {
  readonly peakMiB: number
  /** Without what it shares with others. */
  readonly privateMiB: number
  readonly cpuSeconds: number
  readonly childrenCpuSeconds: number
}

/** USER_HZ, in which the kernel tells times, is 100 on every machine that we run on. */
const ticksPerSecond = 100

/** Undefined when the process has ended. */
function read(pid: number): Seen | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const mebibytes = (field: string) =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name may hold spaces and brackets; the first field behind it is the third.
    const field = (number: number, fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')) =>
      Number(fields[number - 3]) / ticksPerSecond
    const peakMiB = mebibytes('VmHWM')
    return {
      peakMiB,
      privateMiB: Math.max(peakMiB - mebibytes('RssShmem'), mebibytes('RssAnon') + mebibytes('RssFile')),
      cpuSeconds: field(14) + field(15),
      childrenCpuSeconds: field(16) + field(17),
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw cause
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(one => parentOf(one) === pid)
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

/** PostgreSQL's processes write what they are where their command line was. */
function kindOf(pid: number): string {
  let title = ''
  try {
    title = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0]!
  } catch {
    // It has just ended.
  }
  const auxiliary = /^postgres: (checkpointer|background writer|walwriter|io worker|autovacuum|logical)/.exec(
    title,
  )?.[1]
  return auxiliary === undefined ? 'postgres backend' : `postgres ${auxiliary}`
}
