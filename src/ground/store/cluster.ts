/** The data of a server ("cluster" in PostgreSQL's words), made once, as a whole or not at all. */

import { execFile } from 'node:child_process'
import { mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { toHex } from '../bytes.ts'
import type { Chance } from '../clock.ts'
import { dataArgument, environment, giveTo, type User } from './user.ts'

export const superuser = 'opensmki'

/** Where a store's files lie, whose the server's are, and which PostgreSQL it is. */
export interface Place {
  readonly home: string
  readonly data: string
  readonly passwordFile: string
  readonly user: User | undefined
  readonly binaries: string
}

export interface ClusterOptions {
  readonly chance: Chance
  readonly temporary?: boolean
}

/** Makes the data unless it is there. A name is given to it only when it is whole and on the disk. */
export async function makeCluster(place: Place, { chance, temporary = false }: ClusterOptions): Promise<void> {
  const { home, data, passwordFile, user } = place
  if (await stat(data).catch(absent)) return
  for (const name of await readdir(home)) {
    if (name.startsWith('data.new-')) await rm(join(home, name), { recursive: true, force: true })
  }
  const password = toHex(chance(32))
  await write(passwordFile, password)

  const draft = await mkdtemp(join(home, 'data.new-'))
  if (user) await giveTo(draft, user)
  await initdb(draft, place, password, temporary ? ['--no-sync'] : [])
  await rename(draft, data)
  await flush(home)
}

async function initdb(draft: string, { user, binaries }: Place, password: string, more: string[]): Promise<void> {
  const options = [
    ...['-D', dataArgument(draft, user)],
    ...['--username', superuser, '--auth', 'scram-sha-256', '--pwfile', '/dev/stdin'],
    ...['--encoding', 'UTF8', '--locale', 'C', '--no-instructions'],
    // Iterations slow down the guessing of weak passwords. This one has 256 random bits.
    ...['-c', 'scram_iterations=1'],
    ...more,
  ]
  // Through `cat`, because /dev/stdin is opened anew, by name, as the server's user: a pipe of that user's own allows
  // it, where our socket or a file of root's would not.
  const program = ['-c', 'cat | "$@"', 'sh', join(binaries, 'bin/initdb'), ...options]
  const running = promisify(execFile)('/bin/sh', program, { ...user, cwd: draft, env: environment })
  running.child.stdin!.on('error', () => {}).end(`${password}\n`)
  try {
    await running
  } catch (cause) {
    const { stderr } = cause as { stderr?: string }
    throw new Error(`PostgreSQL could not make its data in ${draft}: ${stderr?.trim() ?? ''}`, { cause })
  }
}

async function write(path: string, text: string): Promise<void> {
  await rm(path, { force: true })
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function flush(folder: string): Promise<void> {
  const opened = await open(folder)
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== 'ENOENT') throw cause
}
