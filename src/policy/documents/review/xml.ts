/** Reads a part of a DOCX: XML in namespaces, which the reader of our own messages refuses, so this one is apart from it. */

import { SaxesParser } from 'saxes'
import { NotReadable } from './not-readable.ts'

export interface XmlHandlers {
  /** Names without their prefix: in a DOCX no two that we look at differ by namespace alone. */
  open(name: string, attribute: (name: string) => string | undefined): void
  close(name: string): void
  text(text: string): void
}

/** Word itself nests tables and boxes far less deep. */
const deepest = 256

/** @throws NotReadable for XML that is not well-formed, has a document type, or is nested too deep */
export function readXml(name: string, octets: Buffer, handlers: XmlHandlers): void {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    throw new NotReadable(`${name} is not UTF-8`)
  }
  const parser = new SaxesParser({ xmlns: false, position: false })
  let depth = 0
  parser.on('error', cause => {
    throw new NotReadable(`${name} is not well-formed`, { cause })
  })
  // No document type, and so no entity that grows.
  parser.on('doctype', () => {
    throw new NotReadable(`${name} has a document type`)
  })
  parser.on('opentag', tag => {
    if (++depth > deepest) throw new NotReadable(`${name} is nested deeper than ${deepest}`)
    const attributes = tag.attributes as Record<string, string>
    handlers.open(local(tag.name), wanted => {
      const found = Object.keys(attributes).find(one => local(one) === wanted)
      return found === undefined ? undefined : attributes[found]
    })
  })
  parser.on('closetag', tag => {
    depth--
    handlers.close(local(tag.name))
  })
  parser.on('text', one => handlers.text(one))
  parser.on('cdata', one => handlers.text(one))
  parser.write(text).close()
}

const local = (name: string) => name.slice(name.indexOf(':') + 1)
