/** Namespaces, of which our messages have none: declarations and schema hints are allowed, and taken off. */

import { excerpt, NotValid } from './unreadable.ts'
import { isNCName } from './values.ts'

export type Attributes = Readonly<Record<string, string>>

/**
 * The declarations in force. Clients declare `xsi` and `xsd` on the root and point to a schema file, and a schema
 * without namespaces allows that on every element. Everything else that is qualified is refused: elements and
 * attributes of a namespace because the schema has none, `xsi:type` and `xsi:nil` because nothing of ours needs them.
 */
export class Namespaces {
  /** One entry for each open element that declares a prefix. Few: an attribute costs a place, and depth is limited. */
  readonly #scopes: { depth: number; prefixes: Map<string, string> }[] = []

  /**
   * The attributes of no namespace. `names` are the names of all.
   * @throws NotValid for a qualified name that is not declared, or not allowed.
   */
  enter(attributes: Attributes, names: readonly string[], depth: number, position: number): Attributes {
    if (!names.some(isQualified)) return attributes

    this.#declare(attributes, depth, position)
    const hints = new Set<string>()
    for (const name of names) {
      if (!isQualified(name) || isDeclaration(name)) continue
      const { prefix, local } = split(name, position)
      const isHint = local === 'schemaLocation' || local === 'noNamespaceSchemaLocation'
      // Two prefixes may stand for one namespace, and then the same attribute may not come twice (Namespaces 6.3).
      if (this.#resolve(prefix) !== instances || !isHint || hints.has(local)) {
        throw new NotValid(`attribute ${excerpt(name)} is not allowed`, position)
      }
      hints.add(local)
    }
    return Object.fromEntries(Object.entries(attributes).filter(([name]) => !isQualified(name)))
  }

  leave(depth: number): void {
    if (this.#scopes.at(-1)?.depth === depth) this.#scopes.pop()
  }

  #declare(attributes: Attributes, depth: number, position: number): void {
    const prefixes = new Map<string, string>()
    for (const [name, uri] of Object.entries(attributes)) {
      if (!isDeclaration(name)) continue
      // xmlns="" declares that there is none.
      const fits = name === 'xmlns' ? uri === '' : mayDeclare(split(name, position).local, uri)
      if (!fits) throw new NotValid(`namespace declaration ${excerpt(name)} is not allowed`, position)
      if (name !== 'xmlns') prefixes.set(split(name, position).local, uri)
    }
    if (prefixes.size > 0) this.#scopes.push({ depth, prefixes })
  }

  #resolve(prefix: string): string | undefined {
    return this.#scopes.findLast(scope => scope.prefixes.has(prefix))?.prefixes.get(prefix)
  }
}

const instances = 'http://www.w3.org/2001/XMLSchema-instance'
const reserved = { xml: 'http://www.w3.org/XML/1998/namespace', xmlns: 'http://www.w3.org/2000/xmlns/' }

const isQualified = (name: string) => name === 'xmlns' || name.includes(':')
const isDeclaration = (name: string) => name === 'xmlns' || name.startsWith('xmlns:')

/** Namespaces in XML 3: `xml` is bound as it is or not at all, `xmlns` never, and no other prefix stands for them. */
function mayDeclare(prefix: string, uri: string): boolean {
  if (prefix === 'xmlns' || uri === reserved.xmlns) return false
  if (prefix === 'xml' || uri === reserved.xml) return prefix === 'xml' && uri === reserved.xml
  return absolute.test(uri)
}

/** An absolute URI of the common kind (RFC 3986), narrower than the whole syntax: no user, no escapes, no IP literal. */
const absolute =
  /^[a-z][a-z0-9+.-]*:(\/\/[\w.~-]+(:[0-9]{1,5})?(\/[\w.~:@/-]*)?|\/?[\w.~:@-][\w.~:@/-]*)(\?[\w.~/-]*)?(#[\w.~/-]*)?$/i

function split(name: string, position: number): { prefix: string; local: string } {
  const [prefix = '', local = '', ...more] = name.split(':')
  if (more.length > 0 || !isNCName(prefix) || !isNCName(local)) {
    throw new NotValid(`${excerpt(name)} is not a qualified name`, position)
  }
  return { prefix, local }
}
