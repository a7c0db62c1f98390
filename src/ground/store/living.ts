/** Tells a living process from a later one that was given the same process id. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A process, for ever: ids come round again, but not with the same birth. */
export interface Living {
  readonly pid: number
  /** On Linux the boot and the clock tick since; elsewhere the time that `ps` shows. */
  readonly born: string
}

/** Who has this process id now; undefined when nobody has, or only a zombie that waits to be reaped. */
export function living(pid: number): Living | undefined {
  const born = process.platform === 'linux' ? bornLinux(pid) : bornElsewhere(pid)
  return born === undefined ? undefined : { pid, born }
}

export function stillLives(process: Living): boolean {
  return living(process.pid)?.born === process.born
}

function bornLinux(pid: number): string | undefined {
  try {
    // proc_pid_stat(5): the name may hold spaces and brackets, so what follows the last bracket counts. State is
    // the 3rd field, starttime the 22nd: ticks since boot, which is why the boot is named too.
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${fields[19]}`
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw cause
  }
}

function bornElsewhere(pid: number): string | undefined {
  const { stdout } = spawnSync('/bin/ps', ['-o', 'stat=,lstart=', '-p', `${pid}`], { encoding: 'utf8', env: {} })
  const line = stdout.trim()
  return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '')
}
