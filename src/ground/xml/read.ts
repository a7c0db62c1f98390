/** XML read in a stream: UTF-8, well-formed, in no namespace, and without what our messages never need. */

import { SaxesParser, type SaxesTagPlain } from 'saxes'
import type { Bytes } from '../bytes.ts'
import { type Attributes, Namespaces } from './namespaces.ts'
import { excerpt, NotValid, NotWellFormed } from './unreadable.ts'
import { isBlank } from './values.ts'

/** What is told, in the order of the document. May throw; the reader then stays where it is and throws the same again. */
export interface XmlHandler {
  /** `attributes` are those in no namespace: declarations and schema hints are taken off. */
  open(name: string, attributes: Attributes): void
  /** `text` is all that stood in the element (CDATA sections included, comments not), or '' if elements did. */
  close(name: string, text: string): void
  readonly skim?: Skim
}

/**
 * A short cut past the parser, for a document of many equal elements. Whenever the parser stands right behind an end
 * tag `</element>` and more text is at hand, `read` may take any number of whole elements, with the white space before
 * each, from `text` at `at`; it returns where it stopped. It must take nothing that the parser would not have taken.
 */
export interface Skim {
  readonly element: string
  read(text: string, at: number): number
}

export interface XmlLimits {
  /** How deep elements may stand in one another. */
  readonly depth: number
  /** How many characters a tag, a comment, or the text of an element may have. Comments in a row count as one. */
  readonly longest: number
  /** How many attributes an element may have, declarations and schema hints included. */
  readonly attributes: number
}

export const defaultLimits: XmlLimits = { depth: 8, longest: 65_536, attributes: 16 }

/**
 * Feed with `write`, then `end`. Refused in every document: any encoding but UTF-8, any version but 1.0, document type
 * declarations (and so every entity but the five), processing instructions, elements in a namespace, and text beside
 * elements in one element. Nothing is kept but the text of the innermost element.
 */
export class XmlReader {
  readonly #handler: XmlHandler
  readonly #limits: XmlLimits
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #namespaces = new Namespaces()
  readonly #parser = new Parser()
  #failure: unknown
  #ended = false
  #depth = 0
  /** Of the element that is open, and whether a part of it stood in a CDATA section. */
  #text = ''
  #sawSection = false
  /** Whether no element has been closed within the one that is open. */
  #isLeaf = true
  /** Characters given to the parser, and how many of them the last tag or stretch of text ended. */
  #fed = 0
  #mark = 0
  /** Where the last element that may be skimmed was closed. */
  #closed = -1

  constructor(handler: XmlHandler, limits: Partial<XmlLimits> = {}) {
    this.#handler = handler
    this.#limits = { ...defaultLimits, ...limits }
    // Six handlers, all else by other means: with eight the parser runs five times slower, because V8 then keeps the
    // parser's fields in a hash table.
    this.#parser.on('doctype', () => this.#refuse('a document type declaration'))
    this.#parser.on('processinginstruction', () => this.#refuse('a processing instruction'))
    this.#parser.on('opentag', tag => this.#open(tag))
    this.#parser.on('closetag', tag => this.#close(tag))
    this.#parser.on('text', text => this.#characters(text))
    this.#parser.on('cdata', text => this.#section(text))
  }

  /** How many characters of the document have been read, as errors give it. */
  get position(): number {
    return this.#parser.position + this.#parser.skimmed
  }

  /** @throws NotWellFormed, NotValid, and whatever the handler throws; the same again at every later call. */
  write(octets: Bytes): void {
    this.#step(() => this.#take(this.#decode(octets)))
  }

  /** @throws as `write`, also when the document is not complete. */
  end(): void {
    this.#step(() => {
      this.#take(this.#decode())
      this.#parser.close()
      this.#ended = true
    })
  }

  #step(work: () => void): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#ended) throw new Error('the document has ended')
    try {
      work()
    } catch (failure) {
      this.#failure = failure
      throw failure
    }
  }

  #decode(octets?: Bytes): string {
    try {
      return octets === undefined ? this.#decoder.decode() : this.#decoder.decode(octets, { stream: true })
    } catch {
      throw new NotWellFormed('the document is not UTF-8', this.#fed + this.#parser.skimmed)
    }
  }

  #take(text: string): void {
    const { skim } = this.#handler
    const endTag = skim && `</${skim.element}>`
    let at = 0
    while (at < text.length) {
      if (skim && this.#closed === this.#fed) {
        const stopped = skim.read(text, at)
        this.#parser.skimmed += stopped - at
        at = stopped
      }
      // The parser cannot be halted within a text: it is given no more than to the next place where it may rest.
      const end = endTag === undefined ? -1 : text.indexOf(endTag, at)
      const piece = endTag === undefined || end < 0 ? text.slice(at) : text.slice(at, end + endTag.length)
      this.#parser.write(piece)
      this.#fed += piece.length
      at += piece.length
      this.#checkLength(this.#fed)
    }
  }

  #open({ name, attributes }: SaxesTagPlain): void {
    this.#piece()
    if (++this.#depth === 1) this.#expectUtf8()
    if (this.#depth > this.#limits.depth) this.#refuse('elements too deep in one another')
    this.#endOfStretch()
    if (name.includes(':')) throw new NotValid(`element ${excerpt(name)} is in a namespace`, this.position)
    const names = Object.keys(attributes)
    if (names.length > this.#limits.attributes) this.#refuse('too many attributes')
    this.#handler.open(name, this.#namespaces.enter(attributes, names, this.#depth, this.position))
    this.#isLeaf = true
  }

  #close({ name }: SaxesTagPlain): void {
    this.#piece()
    if (!this.#isLeaf) this.#endOfStretch()
    this.#handler.close(name, this.#text)
    this.#namespaces.leave(this.#depth)
    this.#depth--
    this.#text = ''
    this.#sawSection = false
    this.#isLeaf = false
    if (name === this.#handler.skim?.element) this.#closed = this.#parser.position
  }

  #characters(text: string): void {
    this.#piece()
    // What stands outside the root is white space: the parser has seen to it.
    if (this.#depth === 0) return
    this.#text += text
    if (this.#text.length > this.#limits.longest) this.#refuse('the text of an element is too long')
  }

  #section(text: string): void {
    this.#sawSection = true
    this.#characters(text)
  }

  /** Beside elements only white space may stand, and no CDATA section, be it empty (as libxml2 has it). */
  #endOfStretch(): void {
    if (this.#sawSection || !isBlank(this.#text)) throw new NotValid('text beside elements', this.position)
    this.#text = ''
  }

  #expectUtf8(): void {
    const { version = '1.0', encoding = 'UTF-8' } = this.#parser.xmlDecl
    if (version !== '1.0') this.#refuse('a version of XML other than 1.0')
    if (encoding.toUpperCase() !== 'UTF-8') this.#refuse('an encoding other than UTF-8')
  }

  #piece(): void {
    this.#checkLength(this.#parser.position)
    this.#mark = this.#parser.position
  }

  #checkLength(position: number): void {
    if (position - this.#mark > this.#limits.longest) this.#refuse('a piece of the document is too long')
  }

  #refuse(why: string): never {
    throw new NotWellFormed(why, this.position)
  }
}

/** Without the namespace mode of saxes: its work grows with the square of the depth. */
class Parser extends SaxesParser<{ xmlns: false; position: false }> {
  /** Characters that a skim took. */
  skimmed = 0

  constructor() {
    super({ xmlns: false, position: false })
  }

  /** Called for whatever is not well-formed. saxes would otherwise repair, and go on. */
  override fail(message: string): never {
    throw new NotWellFormed(excerpt(message.replace(/\.$/, ''), 100), this.position + this.skimmed)
  }
}
