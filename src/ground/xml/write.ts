/** XML written as text: what is read back is exactly what was written. */

export const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'

/**
 * Character data.
 * @throws RangeError for a character that no XML document may have, such as U+0001 or half of a surrogate pair.
 */
export function escapeText(text: string): string {
  if (plain.test(text)) return text
  refuseUnwritable(text)
  return text.replace(/[&<>\r]/g, reference)
}

/**
 * The value of an attribute, to stand in double quotes. Tabs and line ends become character references: a reader
 * makes spaces of them otherwise (XML 1.0 3.3.3).
 * @throws RangeError as `escapeText`.
 */
export function escapeAttribute(value: string): string {
  if (plain.test(value)) return value
  refuseUnwritable(value)
  return value.replace(/[&<"\t\n\r]/g, reference)
}

/** ` name="value"`, with the space before it; nothing when there is no value. @throws RangeError as `escapeText`. */
export function attribute(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}="${escapeAttribute(value)}"`
}

/** `<name>text</name>`. @throws RangeError as `escapeText`. */
export function element(name: string, text: string): string {
  return `<${name}>${escapeText(text)}</${name}>`
}

/** The common case: printable ASCII without anything to escape. */
const plain = /^[ !#-%'-;=?-~]*$/

const references: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}
const reference = (character: string) => references[character]!

/** Everything but Char (XML 1.0 2.2). */
const unwritable = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u

function refuseUnwritable(text: string): void {
  const [character] = unwritable.exec(text) ?? []
  if (character === undefined) return
  throw new RangeError(`U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} cannot be XML`)
}
