/** The user that PostgreSQL runs as: ourselves, or nobody when we are root, as which it refuses to run. */

import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { chown } from 'node:fs/promises'
import { Refusal } from '../refusal.ts'
import type { StoreRefusal } from './refusals.ts'

export interface User {
  readonly uid: number
  readonly gid: number
}

/** Nothing of ours is passed on: PGPORT, PGDATA, LD_PRELOAD and their like would change what is started. */
export const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/** @returns undefined when PostgreSQL runs as the user that we are. */
export function serverUser(data: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  // A folder that an ordinary user made stays that user's: PostgreSQL insists on owning its data.
  const made = statSync(data, { throwIfNoEntry: false })
  return made && made.uid !== 0 ? { uid: made.uid, gid: made.gid } : nobody()
}

/**
 * Runs a short program as the server's user, in a folder. The kernel enters the folder before it changes the user.
 *
 * @throws Refusal STORE_UNREACHABLE when we may not become that user.
 */
export function runAs(user: User | undefined, folder: string, program: string, words: string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    ...user,
    cwd: folder,
    env: environment,
    encoding: 'utf8',
  })
  if (error) throwIfForbidden(error)
  return { status, stdout, complaint: error?.message ?? stderr.trim() }
}

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly complaint: string
}

/** @throws Refusal STORE_UNREACHABLE when we may not. */
export async function giveTo(folder: string, { uid, gid }: User): Promise<void> {
  try {
    await chown(folder, uid, gid)
  } catch (cause) {
    throwIfForbidden(cause as Error)
    throw cause
  }
}

/**
 * How the server names its data folder, when it is started with that folder as its working directory. Where the
 * folders above it are closed to the server's user, `/proc/self/cwd` leads there without passing them; so PostgreSQL
 * also works below a folder that only root may enter.
 *
 * @throws Refusal STORE_UNREACHABLE
 */
export function dataArgument(data: string, user: User | undefined): string {
  const enters = (name: string): boolean =>
    runAs(user, data, '/bin/sh', ['-c', 'cd -- "$1"', 'sh', name]).status === 0
  if (!user || enters(data)) return data
  if (enters('/proc/self/cwd')) return '/proc/self/cwd'
  throw new Refusal<StoreRefusal>(
    'STORE_UNREACHABLE',
    `PostgreSQL refuses to run as root, and as user ${user.uid} it cannot enter ${data}: let others pass through ` +
      'the folders above it (chmod o+x), choose another folder, or start the program as an ordinary user',
    { details: { folder: data, uid: user.uid } },
  )
}

function nobody(): User {
  const line = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m)
  return line ? { uid: Number(line[1]), gid: Number(line[2]) } : { uid: 65534, gid: 65534 }
}

/** EPERM is root without the capability (capabilities(7)), EINVAL a container that has no such user. */
function throwIfForbidden(cause: Error): void {
  const { code } = cause as NodeJS.ErrnoException
  if (code !== 'EPERM' && code !== 'EINVAL') return
  const sentence =
    'PostgreSQL refuses to run as root, and this process may not become another user: start the program as an ' +
    'ordinary user, give it the capabilities CAP_SETUID, CAP_SETGID and CAP_CHOWN, or set DATABASE_URL'
  throw new Refusal<StoreRefusal>('STORE_UNREACHABLE', sentence, { cause })
}
