/** The submission of a Batched CSR, read in a stream (service-interface 6; schema/PortalCSRBatch-1.0.xsd). */

import type { Bytes } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Attributes } from '../../ground/xml/namespaces.ts'
import { defaultLimits, type Skim, XmlReader } from '../../ground/xml/read.ts'
import { excerpt, NotValid } from '../../ground/xml/unreadable.ts'
import { base64Binary, canonicalBase64, collapse, hasLength, isNCName } from '../../ground/xml/values.ts'
import { codes } from '../../policy/smki-device/codes.ts'
import { invalidXml } from './invalid-xml.ts'

export interface BatchItem {
  /** Unique in the batch; to be echoed in the result. */
  readonly id: string
  /** What should be a PKCS#10; only its base64 has been read. */
  readonly csr: Buffer
  /** 1 for the first. */
  readonly position: number
}

export interface BatchOptions {
  /** How many CSRs a batch may have (50,000, SEC L8.2). */
  readonly limit: number
  /** For tests: leave out the short cut past the parser. */
  readonly skims?: boolean
}

/**
 * Reads a SubmitCSRBatch: give the octets to `write` as they come, then call `end`. Each DeviceCSR is handed to
 * `onItem` as soon as it is complete, and not kept; what is kept is the ID of each, because they are unique. What
 * was handed out counts only when `end` has returned: until then the document may still turn out to be invalid.
 */
export class BatchReader {
  readonly #onItem: (item: BatchItem) => void
  readonly #limit: number
  readonly #reader: XmlReader
  readonly #seen = new Set<string>()
  #id: string | undefined
  #within: 'nothing' | 'SubmitCSRBatch' | 'Version' | 'DeviceCSR' = 'nothing'
  #sawVersion = false
  #itemId = ''

  constructor(onItem: (item: BatchItem) => void, options: BatchOptions) {
    this.#onItem = onItem
    this.#limit = options.limit
    this.#reader = new XmlReader({
      open: (name, attributes) => this.#open(name, attributes),
      close: (name, text) => this.#close(name, text),
      ...(options.skims !== false && { skim: this.#skim }),
    })
  }

  /** The client's reference, 1 to 256 characters, once it has been read. Echoed unless the answer is FM:AA1. */
  get id(): string | undefined {
    return this.#id
  }

  /** How many DeviceCSR have been read, those past the limit included. */
  get count(): number {
    return this.#seen.size
  }

  /**
   * @throws Refusal FM:AA1 as soon as the document cannot be valid any more, and the same at every later call; and
   * whatever `onItem` throws.
   */
  write(octets: Bytes): void {
    this.#step(() => this.#reader.write(octets))
  }

  /**
   * @throws Refusal FM:AA1, or FM:AA2 when the document is valid and has more CSRs than the limit: the schema comes
   * first (service-interface 3.2).
   */
  end(): { readonly id: string; readonly count: number } {
    this.#step(() => this.#reader.end())
    if (this.count > this.#limit) {
      const sentence = `${codes['FM:AA2'].text}: ${this.count}, where ${this.#limit} are allowed`
      throw new Refusal('FM:AA2', sentence, { details: { id: this.#id, count: this.count, limit: this.#limit } })
    }
    return { id: this.#id!, count: this.count }
  }

  #step(work: () => void): void {
    try {
      work()
    } catch (cause) {
      throw invalidXml(cause)
    }
  }

  #open(name: string, attributes: Attributes): void {
    const expected = {
      nothing: 'SubmitCSRBatch',
      SubmitCSRBatch: this.#sawVersion ? 'DeviceCSR' : 'Version',
    } as const
    const within = this.#within
    if (within === 'Version' || within === 'DeviceCSR' || name !== expected[within]) {
      this.#refuse(`element ${excerpt(name)} is not expected here`)
    }
    this.#within = expected[within]
    const id = this.#onlyId(attributes, this.#within !== 'Version')
    if (this.#within === 'SubmitCSRBatch') this.#id = this.#batchId(id)
    if (this.#within === 'DeviceCSR') this.#itemId = this.#deviceCsrId(id)
  }

  #close(name: string, text: string): void {
    if (name === 'Version') {
      if (text !== '1.0') this.#refuse('the Version is not 1.0')
      this.#sawVersion = true
    } else if (name === 'DeviceCSR') {
      const csr = base64Binary(text)
      if (!csr) this.#refuse(`DeviceCSR ${excerpt(this.#itemId)} is not base64`)
      if (!this.#take(this.#itemId, csr)) this.#refuse(`the ID ${excerpt(this.#itemId)} is not unique`)
    } else if (this.count === 0) {
      this.#refuse('there is no DeviceCSR')
    }
    this.#within = name === 'SubmitCSRBatch' ? 'nothing' : 'SubmitCSRBatch'
  }

  #onlyId(attributes: Attributes, hasOne: boolean): string {
    const stranger = Object.keys(attributes).find(name => !hasOne || name !== 'ID')
    if (stranger !== undefined) this.#refuse(`attribute ${excerpt(stranger)} is not expected`)
    if (hasOne && attributes.ID === undefined) this.#refuse('the ID is missing')
    return attributes.ID ?? ''
  }

  /** xs:string: taken as it is. */
  #batchId(id: string): string {
    if (!hasLength(id, 1, 256)) this.#refuse('the ID of the batch does not have 1 to 256 characters')
    return this.#copy(id)
  }

  /** xs:ID: white space is taken off before anything else (XML Schema part 2, 4.3.6). */
  #deviceCsrId(value: string): string {
    const id = collapse(value)
    if (!isNCName(id) || !hasLength(id, 1, 100)) this.#refuse(`${excerpt(id)} is not an ID of 1 to 100 characters`)
    return id
  }

  /** False when the ID is not unique. */
  #take(slice: string, csr: Buffer): boolean {
    if (this.#seen.has(slice)) return false
    const id = this.#copy(slice)
    this.#seen.add(id)
    // Past the limit only the verdict is wanted: is it FM:AA1 or FM:AA2?
    if (this.count <= this.#limit) this.#onItem({ id, csr, position: this.count })
    return true
  }

  /** A part of a string keeps the whole string alive, which here is a chunk of the body. */
  #copy(slice: string): string {
    return this.#scratch.toString('utf8', 0, this.#scratch.write(slice))
  }

  /** Four octets for each character of the longest ID. */
  readonly #scratch = Buffer.allocUnsafe(4 * 256)

  /**
   * An item as every client writes it costs the parser 4 microseconds and this a half. Whatever looks different in
   * any way (and may be as valid) is left to the parser, and so is everything that is wrong.
   */
  readonly #skim: Skim = {
    element: 'DeviceCSR',
    read: (text, at) => {
      for (;;) {
        startTag.lastIndex = at
        const id = startTag.exec(text)?.[1]
        if (id === undefined) return at
        const from = startTag.lastIndex
        const to = text.indexOf('<', from)
        // As near to the reader's limit on lengths as is easily said; from there on the parser decides.
        if (to < 0 || to - from > defaultLimits.longest / 2 || !text.startsWith(endTag, to)) return at
        const csr = canonicalBase64(text.slice(from, to))
        if (!csr || !this.#take(id, csr)) return at
        at = to + endTag.length
      }
    },
  }

  #refuse(why: string): never {
    throw new NotValid(why, this.#reader.position)
  }
}

const startTag = /[\t\n\r ]{0,100}<DeviceCSR ID="([A-Za-z_][A-Za-z0-9_.-]{0,99})">/y
const endTag = '</DeviceCSR>'
