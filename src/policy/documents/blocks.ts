/** A generated document as blocks, written as Markdown or as HTML. What people entered is text in both, never markup. */

export type Block =
  | { readonly is: 'title'; readonly text: string; readonly under?: string | undefined }
  | { readonly is: 'heading'; readonly level: 1 | 2; readonly text: string }
  | { readonly is: 'paragraph'; readonly text: string }
  | { readonly is: 'list'; readonly items: readonly string[] }
  | { readonly is: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }

/** Headings are numbered, and a table of contents stands behind the title. */
export function numbered(blocks: readonly Block[]): Block[] {
  let [first, second] = [0, 0]
  const done = blocks.map(block => {
    if (block.is !== 'heading') return block
    if (block.level === 1) {
      first++
      second = 0
    } else second++
    const label = block.level === 1 ? `${first}.` : `${first}.${second}.`
    return { ...block, text: `${label} ${block.text}` }
  })
  const headings = done.flatMap(block => (block.is === 'heading' ? [block.text] : []))
  const at = done.findIndex(block => block.is === 'title') + 1
  const contents: Block[] = [
    { is: 'paragraph', text: 'Table of Contents' },
    { is: 'list', items: headings },
  ]
  return done.toSpliced(at, 0, ...contents)
}

export function markdown(blocks: readonly Block[]): string {
  return `${blocks.map(block => asMarkdown(block)).join('\n\n')}\n`
}

function asMarkdown(block: Block): string {
  switch (block.is) {
    case 'title':
      return `# ${inline(block.text)}${block.under === undefined ? '' : `\n\n${inline(block.under)}`}`
    case 'heading':
      return `${'#'.repeat(block.level + 1)} ${inline(block.text)}`
    case 'paragraph':
      return unordered(inline(block.text))
    case 'list':
      return block.items.map(item => `- ${unordered(inline(item))}`).join('\n')
    case 'table': {
      const row = (cells: readonly string[]) => `| ${cells.map(cell => inline(cell)).join(' | ')} |`
      return [row(block.head), `|${block.head.map(() => '---|').join('')}`, ...block.rows.map(row)].join('\n')
    }
  }
}

/** Text of people on one line, with what would be markup taken as it stands (CommonMark 2.4). */
function inline(text: string): string {
  return text
    .replace(/\s*\n\s*/g, ' ')
    .replace(/[\\`*_[\]<>|]/g, '\\$&')
    .replace(/&(?=#|\w)/g, '\\&')
    .replace(/^(#|\+|-|=|~)/, '\\$1')
}

/** `1. Introduction` is that text, and not the first item of a list. */
function unordered(text: string): string {
  return text.replace(/^(\d{1,9})([.)])(?=\s)/, '$1\\$2')
}

/** A whole page that needs nothing from elsewhere, for people and for screen readers. */
export function html(blocks: readonly Block[]): string {
  const title = blocks.find(block => block.is === 'title')?.text ?? ''
  return [
    '<!DOCTYPE html>',
    '<html lang="en-GB">',
    `<head><meta charset="utf-8"><title>${escaped(title)}</title></head>`,
    '<body>',
    ...blocks.map(asHtml),
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

function asHtml(block: Block): string {
  switch (block.is) {
    case 'title':
      return `<h1>${escaped(block.text)}</h1>${block.under === undefined ? '' : `\n<p>${escaped(block.under)}</p>`}`
    case 'heading':
      return `<h${block.level + 1}>${escaped(block.text)}</h${block.level + 1}>`
    case 'paragraph':
      return `<p>${escaped(block.text)}</p>`
    case 'list':
      return `<ul>\n${block.items.map(item => `<li>${escaped(item)}</li>`).join('\n')}\n</ul>`
    case 'table': {
      const head = block.head.map(cell => `<th scope="col">${escaped(cell)}</th>`).join('')
      const rows = block.rows.map(row => `<tr>${row.map(cell => `<td>${escaped(cell)}</td>`).join('')}</tr>`)
      return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table>`
    }
  }
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, one => entities[one]!)
}

const numbers = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']

/** `one response`, `three responses`, `12 responses`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${numbers[count] ?? count} ${count === 1 ? one : many}`
}

/** `A`, `A and B`, `A, B and C`. */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}
