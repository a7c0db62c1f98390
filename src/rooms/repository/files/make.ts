/** Makes the files of the Repository: a delta of what changed since the last, or everything; streamed into a zip. */

import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { toHex } from '../../../ground/bytes.ts'
import type { Clock } from '../../../ground/clock.ts'
import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import type { Client, Store } from '../../../ground/store/store.ts'
import { changes, everything, type Period } from './changes.ts'
import { header } from './record.ts'

export type FileKind = 'DELTA' | 'FULL'

export interface RepositoryFile {
  readonly kind: FileKind
  readonly sequence: number
  /** `SMKI-DELTA-20261120-000017.zip`. */
  readonly name: string
  readonly coversFrom: Date | undefined
  readonly coversUntil: Date
  readonly createdAt: Date
  readonly records: number
  readonly octets: number
  readonly sha256: string
  /** Of the detached signature beside it, `<name>.p7s`. */
  readonly signatureOctets: number | undefined
}

export interface Making {
  readonly store: Store
  readonly clock: Clock
  /** The folder above `delta` and `full`. */
  readonly folder: string
  /** `YYYYMMDD` of an instant, in London. */
  readonly dayOf: (at: Date) => string
  /** Of the authorities whose lists the files carry: number, and key identifier in hexadecimal. */
  readonly issuers: ReadonlyMap<number, string>
  /** A detached CMS signature by a FILE_SIGN credential, of the SHA-256 of the file; none is there without. */
  readonly sign?: ((sha256: Buffer) => Buffer) | undefined
}

/**
 * Makes the next file of its kind. Everything in it is of one moment of the store; it is durable before it is on record,
 * and until then nobody is shown it. Of two makers at once the second waits, and finds what is left to do.
 * @param until what happened before this instant
 * @returns undefined when one that reaches as far is there already
 */
export async function makeFile(making: Making, kind: FileKind, until: Date): Promise<RepositoryFile | undefined> {
  const { store, clock, folder, dayOf } = making
  const work = async (client: Client): Promise<RepositoryFile | undefined> => {
    await alone(client)
    const last = await lastOf(client, kind)
    if (last && last.until >= until) return undefined
    const sequence = (last?.sequence ?? 0) + 1
    const createdAt = clock()
    const name = `SMKI-${kind}-${dayOf(createdAt)}-${String(sequence).padStart(6, '0')}.zip`
    const period: Period = { from: last?.until ?? new Date(0), until }
    const rows = kind === 'FULL' ? everything(client, until) : changes(client, period, last?.unfinished ?? [])
    const written = await write({ ...making, folder: folderOf(folder, kind) }, name, client, {
      kind,
      sequence,
      createdAt,
      rows,
      period: kind === 'FULL' ? { from: undefined, until } : period,
    })
    const file: RepositoryFile = {
      kind,
      sequence,
      name,
      coversFrom: kind === 'FULL' ? undefined : period.from,
      coversUntil: until,
      createdAt,
      ...written,
    }
    await keep(client, file)
    return file
  }
  return store.transaction(work, { isolation: 'REPEATABLE READ' })
}

/**
 * One at a time makes files or takes them away. The first statement of its transaction: unlike a SELECT it takes no
 * snapshot, so that who waited sees what the other did.
 */
export async function alone(client: Client): Promise<void> {
  await client.query('LOCK TABLE repository_file IN SHARE ROW EXCLUSIVE MODE')
}

async function lastOf(client: Client, kind: FileKind) {
  const { rows } = await client.query<{ sequence: number; until: Date; unfinished: bigint[] }>(
    `SELECT sequence, covers_until AS until, unfinished FROM repository_file WHERE kind = $1 ORDER BY sequence DESC LIMIT 1`,
    [kind],
  )
  return rows[0]
}

async function keep(client: Client, file: RepositoryFile): Promise<void> {
  const { kind, sequence, name, coversFrom, coversUntil, createdAt, records, octets, sha256, signatureOctets } =
    file
  await client.query(
    `INSERT INTO repository_file (kind, sequence, name, covers_from, covers_until, created_at, unfinished, records, octets, sha256,
       signature_octets)
     VALUES ($1, $2, $3, $4, $5, $6, ARRAY(SELECT id FROM signing WHERE state = 'intended' AND at < $5 ORDER BY id), $7, $8, $9, $10)`,
    [
      kind,
      sequence,
      name,
      coversFrom ?? null,
      coversUntil,
      createdAt,
      records,
      octets,
      Buffer.from(sha256, 'hex'),
      signatureOctets ?? null,
    ],
  )
  await append(client, entry('make repository file', createdAt, { kind, sequence, name, records, octets, sha256 }))
}

interface Content {
  readonly kind: FileKind
  readonly sequence: number
  readonly createdAt: Date
  readonly rows: AsyncIterable<string>
  readonly period: { readonly from: Date | undefined; readonly until: Date }
}

interface Member {
  readonly name: string
  readonly records: number
  readonly octets: number
  readonly sha256: string
}

/** Into a file beside its place, flushed, then moved there. */
async function write(
  { folder, issuers, sign }: Making,
  name: string,
  client: Client,
  content: Content,
): Promise<Pick<RepositoryFile, 'records' | 'octets' | 'sha256' | 'signatureOctets'>> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const draft = join(folder, `.${name}.part`)
  await rm(draft, { force: true })
  const zip = new ZipFile()
  const mtime = content.createdAt
  const digest = createHash('sha256')
  let octets = 0
  const measured = new Transform({
    transform(chunk: Buffer, _, done) {
      digest.update(chunk)
      octets += chunk.length
      done(null, chunk)
    },
  })
  const file = createWriteStream(draft, { mode: 0o600, flags: 'wx' })
  const stored = pipeline(zip.outputStream as Readable, measured, file)
  const members: Member[] = []
  try {
    members.push(await streamed(zip, 'certificates.csv', mtime, csv(content.rows)))
    for await (const { member, der } of lists(client, issuers, content.period)) {
      members.push(await streamed(zip, member, mtime, one(der)))
    }
    const manifest = {
      kind: content.kind,
      sequence: content.sequence,
      previousSequence: content.sequence === 1 ? null : content.sequence - 1,
      createdAt: content.createdAt.toISOString(),
      coversFrom: content.period.from?.toISOString() ?? null,
      coversUntil: content.period.until.toISOString(),
      members,
    }
    zip.addBuffer(Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`), 'manifest.json', { mtime })
    zip.end()
    await stored
  } catch (cause) {
    file.destroy()
    await stored.catch(() => {})
    await rm(draft, { force: true })
    throw cause
  }
  const sha256 = digest.digest()
  const signature = sign?.(sha256)
  // The signature comes first: whoever sees the archive finds it.
  if (signature) await place(folder, `${name}.p7s`, signature)
  await flush(draft)
  await rename(draft, join(folder, name))
  const parent = await open(folder, 'r')
  await parent.sync()
  await parent.close()
  return { records: members[0]!.records, octets, sha256: toHex(sha256), signatureOctets: signature?.length }
}

async function place(folder: string, name: string, octets: Buffer): Promise<void> {
  const draft = join(folder, `.${name}.part`)
  await writeFile(draft, octets, { mode: 0o600 })
  await flush(draft)
  await rename(draft, join(folder, name))
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  await handle.sync()
  await handle.close()
}

/** One member of the zip, as it comes: how large it is, and what its digest is, is known when it is through. */
async function streamed(zip: ZipFile, name: string, mtime: Date, parts: AsyncIterable<Part>): Promise<Member> {
  const digest = createHash('sha256')
  let octets = 0
  let records = 0
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  async function* measured() {
    try {
      for await (const part of parts) {
        digest.update(part.octets)
        octets += part.octets.length
        records += part.records
        yield part.octets
      }
      resolve()
    } catch (cause) {
      reject(cause)
      throw cause
    }
  }
  zip.addReadStream(Readable.from(measured(), { objectMode: false }), name, { mtime })
  await promise
  return { name, records, octets, sha256: digest.digest('hex') }
}

interface Part {
  readonly octets: Buffer
  readonly records: number
}

const partOctets = 1 << 16

async function* csv(rows: AsyncIterable<string>): AsyncGenerator<Part> {
  let text = header
  let records = 0
  for await (const row of rows) {
    text += row
    records++
    if (text.length < partOctets) continue
    yield { octets: Buffer.from(text), records }
    text = ''
    records = 0
  }
  yield { octets: Buffer.from(text), records }
}

async function* one(der: Buffer): AsyncGenerator<Part> {
  yield { octets: der, records: 1 }
}

/** Current lists for the whole; for a delta those lodged within its period. */
async function* lists(client: Client, issuers: Making['issuers'], { from, until }: Content['period']) {
  const { rows } = await client.query<{ authority: number; number: bigint }>(
    `SELECT authority, number FROM list WHERE authority = ANY($3) AND lodged_at < $2
        AND CASE WHEN $1::timestamptz IS NULL THEN superseded_at IS NULL ELSE lodged_at >= $1 END
      ORDER BY authority, number`,
    [from ?? null, until, [...issuers.keys()]],
  )
  for (const { authority, number } of rows) {
    const { rows: found } = await client.query<{ der: Buffer }>(
      'SELECT der FROM list WHERE authority = $1 AND number = $2',
      [authority, number],
    )
    yield { member: `revocation/${issuers.get(authority)!.toUpperCase()}-${number}.crl`, der: found[0]!.der }
  }
}

/** Files on record, newest first, that were not taken away. */
export async function filesOf(store: Pick<Store, 'query'>): Promise<RepositoryFile[]> {
  const { rows } = await store.query<{
    kind: FileKind
    sequence: number
    name: string
    covers_from: Date | null
    covers_until: Date
    created_at: Date
    records: bigint
    octets: bigint
    sha256: Buffer
    signature_octets: number | null
  }>('SELECT * FROM repository_file WHERE removed_at IS NULL ORDER BY created_at DESC, kind')
  return rows.map(row => ({
    kind: row.kind,
    sequence: row.sequence,
    name: row.name,
    coversFrom: row.covers_from ?? undefined,
    coversUntil: row.covers_until,
    createdAt: row.created_at,
    records: Number(row.records),
    octets: Number(row.octets),
    sha256: toHex(row.sha256),
    signatureOctets: row.signature_octets ?? undefined,
  }))
}

/** The folder on the disk in which files of that kind lie. */
export function folderOf(folder: string, kind: FileKind): string {
  return join(folder, kind.toLowerCase())
}

/** A name that we give: what else stands on record leads to no file. */
const ours = /^SMKI-(DELTA|FULL)-\d{8}-\d{6}\.zip(\.p7s)?$/

/**
 * The file itself, for whoever reads at its own pace; the caller closes it. Undefined where it was taken away meanwhile.
 * @throws Error where it is not as long as it was made, or its name is none of ours
 */
export async function openFile(
  folder: string,
  { kind, name, octets }: RepositoryFile,
): Promise<FileHandle | undefined> {
  if (!ours.test(name)) throw new Error(`${name} is no name of a file of the Repository`)
  let handle: FileHandle
  try {
    handle = await open(join(folderOf(folder, kind), name), 'r')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
  const { size } = await handle.stat()
  if (size === octets) return handle
  await handle.close()
  throw new Error(`${name} has ${size} octets, and ${octets} on record`)
}
