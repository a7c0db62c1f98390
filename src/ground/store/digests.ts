/** Copies of files with their digests: a folder is copied and can be told later to be the same, or where it is not. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface CopiedFile {
  /** From the folder that was copied, with slashes. */
  readonly path: string
  readonly octets: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** Files and folders below a folder, in order, each folder before what lies in it; what `skip` names is left out. */
export async function namesBelow(
  folder: string,
  skip: (path: string) => boolean,
): Promise<{ files: string[]; folders: string[] }> {
  const files: string[] = []
  const folders: string[] = []
  const visit = async (inside: string): Promise<void> => {
    for (const entry of (await readdir(join(folder, inside), { withFileTypes: true })).sort(byName)) {
      const path = inside === '' ? entry.name : `${inside}/${entry.name}`
      if (skip(path)) continue
      if (entry.isDirectory()) {
        folders.push(path)
        await visit(path)
      } else if (entry.isFile()) files.push(path)
    }
  }
  await visit('')
  return { files, folders }
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)

/** Copies one file, flushed; its digest is of what was written. @returns undefined when it is gone by now */
export async function copyWithDigest(from: string, to: string, path: string): Promise<CopiedFile | undefined> {
  if (!(await lstat(join(from, path)).catch(unlessGone))) return undefined
  await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 })
  const file = await open(join(to, path), 'wx', 0o600)
  const digest = createHash('sha256')
  let octets = 0
  try {
    for await (const chunk of createReadStream(join(from, path)) as AsyncIterable<Buffer>) {
      digest.update(chunk)
      octets += chunk.length
      await file.writeFile(chunk)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { path, octets, sha256: digest.digest('hex') }
}

/** What is not as it was: a sentence for each file. */
export async function damaged(folder: string, files: readonly CopiedFile[]): Promise<string[]> {
  const said: string[] = []
  for (const { path, octets, sha256 } of files) {
    const there = await lstat(join(folder, path)).catch(unlessGone)
    if (!there) said.push(`${path} is not there`)
    else if (there.size !== octets) said.push(`${path} has ${there.size} octets, not ${octets}`)
    else if ((await digestOf(join(folder, path))) !== sha256) said.push(`${path} has another content`)
  }
  return said
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) digest.update(chunk)
  return digest.digest('hex')
}

function unlessGone(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== 'ENOENT') throw cause
}
