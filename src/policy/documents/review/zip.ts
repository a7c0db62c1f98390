/** Some files of a ZIP archive, each read whole within a limit: what unpacks to more than that is refused, not unpacked. */

import { fromBufferPromise } from 'yauzl'
import { NotReadable } from './not-readable.ts'

export interface ZipLimits {
  /** Octets that one file may unpack to. */
  readonly file: number
  /** Entries of the archive. */
  readonly entries: number
}

const defaultLimits: ZipLimits = { file: 64 << 20, entries: 5000 }

/**
 * @param wanted names in the archive; those that are absent are absent from the answer
 * @throws NotReadable
 */
export async function unzip(
  octets: Buffer,
  wanted: readonly string[],
  limits: ZipLimits = defaultLimits,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  try {
    const zip = await fromBufferPromise(octets, { lazyEntries: true, validateEntrySizes: true })
    if (zip.entryCount > limits.entries) throw new NotReadable(`an archive of ${zip.entryCount} entries`)
    for await (const entry of zip.eachEntry()) {
      if (!wanted.includes(entry.fileName)) continue
      if (found.has(entry.fileName)) throw new NotReadable(`${entry.fileName} stands in the archive twice`)
      if (entry.isEncrypted()) throw new NotReadable('it is encrypted')
      const parts: Buffer[] = []
      let length = 0
      for await (const part of await zip.openReadStreamPromise(entry)) {
        // What the archive says of itself is not believed.
        length += (part as Buffer).length
        if (length > limits.file) {
          throw new NotReadable(`${entry.fileName} unpacks to more than ${limits.file >> 20} MiB`)
        }
        parts.push(part as Buffer)
      }
      found.set(entry.fileName, Buffer.concat(parts))
    }
  } catch (cause) {
    if (cause instanceof NotReadable) throw cause
    if (!(cause instanceof Error)) throw cause
    throw new NotReadable(`no whole ZIP archive (${cause.message})`, { cause })
  }
  return found
}
