/** The folders that an SFTP user sees: `/delta` and `/full`, with the files on record. No path of the disk is in it. */

import { posix } from 'node:path'
import type { FileKind, RepositoryFile } from '../../rooms/repository/files/make.ts'
import type { Attributes, Named } from './answers.ts'

export type Node =
  | { readonly is: 'file'; readonly name: string; readonly file: RepositoryFile; readonly attributes: Attributes }
  | {
      readonly is: 'folder'
      readonly name: string
      readonly entries: readonly Node[]
      readonly attributes: Attributes
    }

const folders: Readonly<Record<FileKind, string>> = { DELTA: 'delta', FULL: 'full' }

/** Absolute, without `.` and `..`; what lies above the root is the root. */
export function absolute(path: string): string {
  const found = posix.resolve('/', path)
  // Two slashes at the beginning may have a meaning of their own (POSIX 4.13); here they have none.
  return found.replace(/^\/+/, '/')
}

/** What there is under that path: names are compared octet for octet. */
export function find(files: readonly RepositoryFile[], path: string): Node | undefined {
  const [folder, name, ...more] = absolute(path).slice(1).split('/')
  if (folder === '') return root(files)
  const found = root(files).entries.find(one => one.name === folder)
  if (name === undefined || found?.is !== 'folder') return found
  return more.length === 0 ? found.entries.find(one => one.name === name) : undefined
}

function root(files: readonly RepositoryFile[]): Node & { is: 'folder' } {
  const below = (['DELTA', 'FULL'] as const).map(kind => {
    const entries = files
      .filter(one => one.kind === kind)
      .toSorted((a, b) => a.sequence - b.sequence)
      .flatMap(one => [leaf(one), ...signatureOf(one)])
    return folderOf(folders[kind], entries)
  })
  return folderOf('', below)
}

function leaf(file: RepositoryFile): Node {
  const attributes = { octets: file.octets, mode: 0o100444, time: seconds(file.createdAt) }
  return { is: 'file', name: file.name, file, attributes }
}

/** Beside the archive. */
function signatureOf(file: RepositoryFile): Node[] {
  const { name, signatureOctets } = file
  return signatureOctets === undefined ? [] : [leaf({ ...file, name: `${name}.p7s`, octets: signatureOctets })]
}

/** As old as the newest in it. */
function folderOf(name: string, entries: readonly Node[]): Node & { is: 'folder' } {
  const time = entries.reduce((newest, one) => Math.max(newest, one.attributes.time), 0)
  return { is: 'folder', name, entries, attributes: { octets: 0, mode: 0o040555, time } }
}

const seconds = (at: Date) => Math.floor(at.getTime() / 1000)

/** A folder's content as it is listed, with itself and what is above it first. */
export function listing(folder: Node & { is: 'folder' }, now: Date): Named[] {
  const self = (name: string): Named => ({
    name,
    line: line(name, folder.attributes, now),
    attributes: folder.attributes,
  })
  return [self('.'), self('..'), ...folder.entries.map(one => named(one, now))]
}

function named({ name, attributes }: Node, now: Date): Named {
  return { name, line: line(name, attributes, now), attributes }
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const halfAYear = 182 * 86_400

/** As `ls -l` has it, in UTC: with the time of day, or the year where that is half a year ago. */
function line(name: string, { octets, mode, time }: Attributes, now: Date): string {
  const at = new Date(time * 1000)
  const day = `${months[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2)}`
  const recent = Math.abs(seconds(now) - time) < halfAYear
  const rest = recent ? at.toISOString().slice(11, 16) : String(at.getUTCFullYear()).padStart(5)
  const kind = mode === 0o100444 ? '-r--r--r--' : 'dr-xr-xr-x'
  return `${kind}    1 smki     smki     ${String(octets).padStart(12)} ${day} ${rest} ${name}`
}
