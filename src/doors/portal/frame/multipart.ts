/** multipart/form-data (RFC 7578) as browsers send it: fields first, then one file, read in a stream within bounds. */

import { refuse } from '../refusals.ts'
import { asText, type Form, formOctets, formOf, requireNoKey, type UploadedFile } from './form.ts'

export interface UploadLimits {
  /** Of the file; what is longer is read to its end, within bounds, and refused. */
  readonly fileOctets: number
  /** What the sender announces of the whole body: too long a file is refused before any of it is kept. */
  readonly announced?: number | undefined
  /** Called with the fields before the file is read: whoever may not send is told without its octets being kept. */
  readonly onFields: (form: Form) => Promise<void> | void
}

/** A part's head says its field and perhaps its file name: some 200 octets. */
const headOctets = 4096

/** So much more than the limit is read, and thrown away, so that a browser that is still sending hears the answer. */
const drained = 16

/**
 * Memory holds the file once. @throws Refusal FORM_UNFIT, FORM_TOO_LONG, FILE_TOO_LONG, PRIVATE_KEY, and those of
 * `onFields`; the rest of the body was read then
 */
export async function readMultipart(
  body: AsyncIterable<Buffer>,
  contentType: string,
  limits: UploadLimits,
): Promise<Form> {
  const parts = new PartReader(boundaryOf(contentType), limits)
  let refused: unknown
  let octets = 0
  for await (const chunk of body) {
    octets += chunk.length
    if (octets > drained * limits.fileOctets) break
    // A client that is still sending would not hear the answer: what was refused is read to its end.
    if (refused !== undefined) continue
    try {
      await parts.write(chunk)
    } catch (cause) {
      refused = cause
    }
  }
  if (refused !== undefined) throw refused
  return parts.end()
}

function boundaryOf(contentType: string): string {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType) ?? []
  const boundary = quoted ?? bare
  if (boundary === undefined) throw refuse('FORM_UNFIT', 'it has no boundary')
  return boundary
}

class PartReader {
  readonly #delimiter: Buffer
  readonly #limits: UploadLimits
  readonly #fields = new URLSearchParams()
  #file: UploadedFile | undefined
  /** Of the part being read: undefined while its head is. */
  #head: { name: string; file: string | undefined } | undefined
  #kept: Buffer[] = []
  #keptOctets = 0
  #fieldOctets = 0
  /** Not yet understood: at most a head, or a delimiter that may be beginning. */
  #rest: Buffer = Buffer.from('\r\n')
  #done = false
  #asked = false

  constructor(boundary: string, limits: UploadLimits) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`)
    this.#limits = limits
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#done) return
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      const moved = this.#head === undefined ? await this.#readHead() : this.#readContent()
      if (!moved || this.#done) return
    }
  }

  async end(): Promise<Form> {
    if (!this.#done) throw refuse('FORM_UNFIT', 'it broke off')
    const form = formOf(this.#fields, this.#file)
    if (!this.#asked) await this.#limits.onFields(form)
    return form
  }

  /** From a delimiter to the empty line. @returns whether it was there whole */
  async #readHead(): Promise<boolean> {
    const end = this.#rest.indexOf('\r\n\r\n', this.#delimiter.length)
    const begun = this.#rest.subarray(0, this.#delimiter.length)
    if (begun.length === this.#delimiter.length && !begun.equals(this.#delimiter)) throw refuse('FORM_UNFIT')
    const closing = this.#rest.subarray(this.#delimiter.length, this.#delimiter.length + 2).toString('latin1')
    if (closing === '--') {
      this.#done = true
      return true
    }
    if (end < 0) {
      if (this.#rest.length > headOctets) throw refuse('FORM_UNFIT', 'the head of a part is too long')
      return false
    }
    const head = asText(this.#rest.subarray(this.#delimiter.length, end))
    const [, name] = /^content-disposition:[^\n]*[;\s]name="([^"\r\n]*)"/im.exec(head) ?? []
    const [, file] = /^content-disposition:[^\n]*[;\s]filename="([^"\r\n]*)"/im.exec(head) ?? []
    if (name === undefined) throw refuse('FORM_UNFIT', 'a part has no name')
    this.#head = { name, file: file?.replaceAll('%22', '"') }
    this.#rest = this.#rest.subarray(end + 4)
    if (file !== undefined && !this.#asked) {
      this.#asked = true
      await this.#limits.onFields(formOf(this.#fields))
      const { announced = 0, fileOctets } = this.#limits
      if (announced > fileOctets + formOctets) throw tooLong(fileOctets)
    }
    return true
  }

  /** Up to the next delimiter. @returns whether the part was there whole */
  #readContent(): boolean {
    const end = this.#rest.indexOf(this.#delimiter)
    // What may be the beginning of a delimiter waits for what follows.
    const safe = end >= 0 ? end : Math.max(0, this.#rest.length - this.#delimiter.length)
    this.#keep(this.#rest.subarray(0, safe))
    this.#rest = this.#rest.subarray(safe)
    if (end < 0) return false
    this.#close()
    return true
  }

  #keep(octets: Buffer): void {
    if (octets.length === 0) return
    const { fileOctets } = this.#limits
    this.#keptOctets += octets.length
    if (this.#head!.file === undefined) {
      this.#fieldOctets += octets.length
      if (this.#fieldOctets > formOctets) throw refuse('FORM_TOO_LONG')
    } else if (this.#keptOctets > fileOctets) {
      this.#kept = []
      throw tooLong(fileOctets)
    }
    // A copy: a small piece would hold the whole of what it came in.
    this.#kept.push(Buffer.from(octets))
  }

  #close(): void {
    const { name, file } = this.#head!
    const octets = Buffer.concat(this.#kept)
    if (file === undefined) {
      const value = asText(octets)
      requireNoKey(value)
      this.#fields.append(name, value)
    } else if (this.#file) {
      throw refuse('FORM_UNFIT', 'it holds several files')
    } else if (file !== '' || octets.length > 0) {
      this.#file = { field: name, name: file.split(/[/\\]/).at(-1)!.slice(0, 255), octets }
    }
    this.#head = undefined
    this.#kept = []
    this.#keptOctets = 0
  }
}

const tooLong = (octets: number) => refuse('FILE_TOO_LONG', `at most ${Math.floor(octets / 1_048_576)} MiB`)
