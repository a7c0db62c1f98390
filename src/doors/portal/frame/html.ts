/** Pages as text that escapes by default: what a template is given is text, unless another template made it. */

/** What a template made, and nothing else can make: the class stays here. */
export type Html = Markup

/** What may stand in a template: nothing is written for `undefined`, `null` and `false`. */
export type Part = Html | string | number | bigint | undefined | null | false | readonly Part[]

class Markup {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toString(): string {
    return this.#text
  }
}

/** html`<p>${anything}</p>`: the values are escaped for text and for attributes in double quotes alike. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0]!
  parts.forEach((part, i) => {
    text += written(part) + strings[i + 1]!
  })
  return new Markup(text)
}

export const nothing: Html = html``

function written(part: Part): string {
  if (part === undefined || part === null || part === false) return ''
  if (part instanceof Markup) return part.toString()
  if (typeof part === 'object') return part.map(written).join('')
  return escaped(String(part))
}

const characters: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

// Control characters are none of HTML's; what a foreign certificate may hold is shown as the replacement character.
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, one => characters[one]!).replace(/(?![\t\n\r])\p{Cc}/gu, '\ufffd')
}
