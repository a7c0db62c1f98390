/** A zip of Device CSRs (service-interface.md section 7): every member is read once, strictly, or the whole is refused. */

import { Readable } from 'node:stream'
import { type Entry, fromBuffer, type ZipFile } from 'yauzl'
import { Refusal } from '../../../../ground/refusal.ts'
import { readPortalCsr } from '../../../../rooms/issuance/organisation-input.ts'
import type { PortionItem } from '../../../../rooms/issuance/portion.ts'
import { requireNoKey } from '../../frame/form.ts'

/** A CSR has some 400 octets; as text with commentary no more than this. Defends memory against a bomb. */
const longestMember = 16_384
/** The base name is a field of the report, and of what is stored: 255 octets at most. */
const longestName = 200

export interface ZipLimits {
  /** CSRs in one batch (L8.2). */
  readonly members: number
  /** Of all members together, once they are unpacked. */
  readonly octets: number
}

/**
 * The requests in their order; a member that holds no CSR comes as it is, and is refused for itself when its turn comes.
 * @throws Refusal FM:AA2, FM:ZIP with the member and what is wrong, PRIVATE_KEY
 */
export async function* readZip(octets: Buffer, limits: ZipLimits): AsyncGenerator<PortionItem> {
  const zip = await opened(octets)
  try {
    if (zip.entryCount > limits.members) throw tooMany(zip.entryCount, limits.members)
    if (zip.entryCount === 0) throw unfit('it has no members')
    const entries = await allEntries(zip)
    // Every name before any octet: what is refused by its name is refused at once.
    const names = new Set<string>()
    let total = 0
    for (const entry of entries) {
      requireFit(entry, names)
      total += entry.uncompressedSize
      if (total > limits.octets) throw unfit('its members have more octets together than the Portal takes')
    }
    for (const entry of entries) {
      const content = await contentOf(zip, entry)
      const text = content.toString('latin1')
      requireNoKey(text)
      yield { id: entry.fileName.slice(0, -4), csr: csrIn(text) ?? content }
    }
  } finally {
    zip.close()
  }
}

export function unfit(sentence: string): Refusal<'FM:ZIP'> {
  return new Refusal('FM:ZIP', `The zip file was not accepted: ${sentence}.`)
}

function tooMany(found: number, most: number): Refusal<'FM:AA2'> {
  const [n, limit] = [found, most].map(one => one.toLocaleString('en-GB'))
  return new Refusal(
    'FM:AA2',
    `The zip file has ${n} members, and a batch may have ${limit}. Divide it into several batches.`,
  )
}

async function opened(octets: Buffer): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    fromBuffer(
      octets,
      { lazyEntries: true, autoClose: false, validateEntrySizes: true, strictFileNames: true },
      (cause, zip) => (cause ? reject(unfit(`it cannot be read as a zip file (${cause.message})`)) : resolve(zip)),
    )
  })
}

function allEntries(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = []
  return new Promise((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      entries.push(entry)
      zip.readEntry()
    })
    zip.on('end', () => resolve(entries))
    // Names that lead out of the folder, and others that no honest program writes, end here with their name.
    zip.on('error', (cause: Error) => reject(unfit(cause.message)))
    zip.readEntry()
  })
}

const stored = 0
const deflated = 8

function requireFit(entry: Entry, names: Set<string>): void {
  const { fileName } = entry
  const no = (why: string) => unfit(`the member “${shown(fileName)}” ${why}`)
  if (/[/\\]/.test(fileName)) throw no('lies in a folder: every request must lie at the top')
  if (!/\.csr$/i.test(fileName)) throw no('does not end in “.csr”')
  const base = fileName.slice(0, -4)
  if (base === '' || /\p{Cc}/u.test(base)) throw no('has no name that a file could have')
  if (Buffer.byteLength(base) > longestName) throw no(`has a name of more than ${longestName} characters`)
  const folded = base.toLowerCase()
  if (names.has(folded)) throw no('has the name of another member (upper and lower case count as the same)')
  names.add(folded)
  if ((entry.generalPurposeBitFlag & 1) !== 0) throw no('is encrypted')
  if (entry.compressionMethod !== stored && entry.compressionMethod !== deflated)
    throw no('is compressed in a way that is not taken: store or deflate it')
  if (entry.extraFields.some(({ id }) => id === 1)) throw no('uses ZIP64, which is not taken')
  if (entry.uncompressedSize > longestMember)
    throw no(`has more than ${longestMember.toLocaleString('en-GB')} octets, and no request has`)
}

function contentOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const no = (cause: Error) => unfit(`the member “${shown(entry.fileName)}” cannot be unpacked (${cause.message})`)
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (cause, stream) => {
      if (cause) return reject(no(cause))
      const pieces: Buffer[] = []
      Readable.from(stream)
        .on('data', (piece: Buffer) => pieces.push(piece))
        .on('end', () => resolve(Buffer.concat(pieces)))
        .on('error', broken => reject(no(broken)))
      return undefined
    })
  })
}

/** In any of the forms that the Portal takes; undefined for what is none. */
function csrIn(text: string): Buffer | undefined {
  try {
    return readPortalCsr(text)
  } catch (cause) {
    if (cause instanceof Refusal) return undefined
    throw cause
  }
}

const shown = (name: string) => name.slice(0, 100)
