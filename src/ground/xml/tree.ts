/** A small XML message as a tree, and the two shapes that its elements may have. */

import type { Bytes } from '../bytes.ts'
import type { Attributes } from './namespaces.ts'
import { type XmlLimits, XmlReader } from './read.ts'
import { excerpt, NotValid } from './unreadable.ts'
import { isBlank } from './values.ts'

export interface XmlElement {
  readonly name: string
  readonly attributes: Attributes
  readonly children: readonly XmlElement[]
  /** '' where there are children: text beside elements is refused. */
  readonly text: string
  /** Characters of the document up to the end of its start tag. */
  readonly position: number
}

/**
 * The whole document. For messages of a few elements only: more than 64 are refused.
 * @throws NotWellFormed, NotValid
 */
export function readTree(octets: Bytes, limits?: Partial<XmlLimits>): XmlElement {
  type Growing = { -readonly [key in keyof XmlElement]: XmlElement[key] } & { children: XmlElement[] }
  const document: Growing = { name: '', attributes: {}, children: [], text: '', position: 0 }
  const path = [document]
  let count = 0
  const reader = new XmlReader(
    {
      open(name, attributes) {
        if (++count > mostElements) throw new NotValid('too many elements', reader.position)
        const element = { name, attributes, children: [], text: '', position: reader.position }
        path.at(-1)!.children.push(element)
        path.push(element)
      },
      close(_name, text) {
        path.pop()!.text = text
      },
    },
    limits,
  )
  reader.write(octets)
  reader.end()
  return document.children[0]!
}

/** @throws NotValid unless the element has exactly these attributes. */
export function expectAttributes(element: XmlElement, names: readonly string[] = []): void {
  const present = Object.keys(element.attributes)
  const stranger = present.find(name => !names.includes(name))
  if (stranger !== undefined) throw new NotValid(`attribute ${excerpt(stranger)} is not expected`, element.position)
  const missing = names.find(name => !present.includes(name))
  if (missing !== undefined) throw new NotValid(`attribute ${missing} is missing`, element.position)
}

/**
 * The texts of an element whose content is exactly these elements, in this order, of text alone.
 * @throws NotValid
 */
export function textsOf(element: XmlElement, names: readonly string[]): string[] {
  const found = element.children.map(child => child.name)
  if (!isBlank(element.text) || found.length !== names.length || names.some((name, at) => name !== found[at])) {
    throw new NotValid(`${excerpt(element.name)} does not consist of ${names.join(', ')}`, element.position)
  }
  return element.children.map(textOf)
}

/** @throws NotValid when there are attributes or elements in it. */
export function textOf(element: XmlElement): string {
  expectAttributes(element)
  const [child] = element.children
  if (child) throw new NotValid(`element ${excerpt(child.name)} is not expected`, child.position)
  return element.text
}

const mostElements = 64
