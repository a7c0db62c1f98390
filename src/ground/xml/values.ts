/** The simple types of XML Schema that our messages use: from their lexical form to a value. */

/**
 * The octets of an xs:base64Binary, or undefined when it is none (XML Schema part 2, 3.2.16): white space may stand
 * anywhere, the padding is complete, and the bits that it leaves over are zero.
 */
export function base64Binary(text: string): Buffer | undefined {
  return canonicalBase64(text) ?? canonicalBase64(text.replace(/[\t\n\r ]+/g, ''))
}

/** As `base64Binary`, but without any white space. */
export function canonicalBase64(text: string): Buffer | undefined {
  // The decoder passes over what it does not know. The encoder is the judge: what it does not write is not canonical.
  const octets = Buffer.from(text, 'base64')
  return octets.toString('base64') === text ? octets : undefined
}

/** White space as xs:token and xs:ID know it: none at the ends, one space within (XML Schema part 2, 4.3.6). */
export function collapse(text: string): string {
  return text.replace(/[\t\n\r ]+/g, ' ').replace(/^ | $/g, '')
}

/** Whether the text is a name without a colon (XML 1.0 fifth edition 2.3, Namespaces in XML 3). */
export function isNCName(text: string): boolean {
  return ncName.test(text)
}

/** Whether the text has from `least` to `most` characters. A character is a code point, not a UTF-16 unit. */
export function hasLength(text: string, least: number, most: number): boolean {
  // No text has more characters than units, nor fewer than half as many: the odd case only is counted out.
  if (text.length < least || text.length > 2 * most) return false
  if (text.length <= most && text.length >= 2 * least) return true
  const characters = [...text].length
  return characters >= least && characters <= most
}

/** Whether nothing but XML's white space stands in the text. */
export function isBlank(text: string): boolean {
  return !/[^\t\n\r ]/.test(text)
}

const start =
  'A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F' +
  '\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}'
const ncName = new RegExp(`^[${start}][${start}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040]*$`, 'u')
