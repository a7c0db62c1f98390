/** What the programs of a rotation use: each with its database, memory as it is at the moment and processor time so far. */

import { readdirSync, readFileSync } from 'node:fs'

export interface Use {
  /** Resident memory, MiB; of a database without what its processes share. */
  readonly memoryMiB: number
  readonly cpuSeconds: number
}

/** USER_HZ, in which the kernel tells times, is 100 on every machine that we run on (proc_pid_stat(5)). */
const ticksPerSecond = 100

/** @param pids of the programs by name; each program's descendants are its store */
export function usesOf(pids: Readonly<Record<string, number>>): Record<string, Use> {
  const children = Map.groupBy(all(), pid => stat(pid)?.parent ?? 0)
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap(child => [child, ...below(child)])
  return Object.fromEntries(
    Object.entries(pids).flatMap(([name, pid]) => {
      const store = below(pid)
      const own: [string, Use] = [name, { memoryMiB: memory(pid, 'VmRSS'), cpuSeconds: stat(pid)?.own ?? 0 }]
      if (store.length === 0) return [own]
      // Processes of the store that have ended left their time with the one that waited for them.
      const cpuSeconds = store.reduce((sum, one) => sum + (stat(one)?.own ?? 0) + (stat(one)?.ended ?? 0), 0)
      const memoryMiB = store.reduce((sum, one) => sum + memory(one, 'RssAnon'), 0)
      return [own, [`${name} store`, { memoryMiB, cpuSeconds }]]
    }),
  )
}

const all = (): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)

function stat(pid: number): { parent: number; own: number; ended: number } | undefined {
  const text = read(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  // The name may hold spaces and brackets; the first field behind it is the third.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return {
    parent: field(4),
    own: (field(14) + field(15)) / ticksPerSecond,
    ended: (field(16) + field(17)) / ticksPerSecond,
  }
}

function memory(pid: number, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/status`) ?? '')
  return Number(found?.[1] ?? 0) / 1024
}

/** Undefined when the process has ended. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw cause
  }
}
