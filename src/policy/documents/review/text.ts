/** Reads Markdown and plain text into lines, headings and contents. */

import type { ContentsEntry, Heading, Line, Written } from './source.ts'
import { plain, splitNumber } from './source.ts'

/** Plain text may have the marks of Markdown too; its numbered lines are headings, which in Markdown are list items. */
export function readText(text: string, format: 'markdown' | 'text'): Written {
  const raws = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r|\f/)
  if (raws.at(-1) === '') raws.pop()
  const contents = contentsIn(raws)
  const listed = new Set(contents.map(({ line }) => line))
  const headings: Heading[] = []
  let fenced = false
  const lines = raws.map((raw, i): Line => {
    const number = i + 1
    const line = (is: Line['is'], read = readable(raw), cells: string[] = []) => ({
      number,
      raw,
      text: read,
      is,
      cells,
    })
    if (/^\s*(```|~~~)/.test(raw)) {
      fenced = !fenced
      return line('code', '')
    }
    if (fenced) return line('code')
    if (raw.trim() === '' || /^\s*([-*_=]\s*){3,}$/.test(raw)) return line('blank', '')
    if (listed.has(number)) return line('contents')
    const heading = headingOf(raws, i, format)
    if (heading) {
      headings.push(heading)
      return line('heading')
    }
    if (/^\s*\|.*\|\s*$/.test(raw)) {
      // The line under the head of a table says nothing.
      if (/^[\s|:-]+$/.test(raw)) return line('blank', '')
      const cells = raw
        .trim()
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map(cell => readable(cell))
      return line('row', cells.join('\t'), cells)
    }
    if (/\S\t+\S/.test(raw)) {
      const cells = raw
        .trim()
        .split(/\t+/)
        .map(cell => readable(cell))
      return line('row', cells.join('\t'), cells)
    }
    return line(isItem(raw) ? 'item' : 'text')
  })
  return { format, lines, headings, contents }
}

const isItem = (raw: string) => /^\s*(?:[-*+•·▪o–]|\d{1,3}[.)]|[a-z][.)]|\([a-z]{1,5}\))\s+\S/.test(raw)

/** What a person reads of a line. */
export function readable(raw: string): string {
  return raw
    .replace(/^\s*#{1,6}\s+(.*?)\s*#*\s*$/, '$1')
    .replace(/^\s*>\s?/, '')
    .replace(/^(\s*)[-*+•·▪]\s+/, '$1')
    .replace(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/<\/?(?:sup|sub|b|i|em|strong|u|br)\s*\/?>/gi, '')
    .replace(/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/g, '$2')
    .replace(/(?<![\w*])([*_])(?=\S)(.+?)(?<=\S)\1(?![\w*])/g, '$2')
    .replace(/`([^`]*)`/g, '$1')
    .replace(/\\([\\`*_[\]<>|.#()+-])/g, '$1')
    .trim()
}

function headingOf(raws: readonly string[], i: number, format: 'markdown' | 'text'): Heading | undefined {
  const raw = raws[i]!
  const marked = /^\s{0,3}(#{1,6})\s+\S/.exec(raw)
  if (marked) return { line: i + 1, ...splitNumber(readable(raw)), level: marked[1]!.length }
  if (format !== 'text' || raw.length > 160) return undefined
  const text = readable(raw)
  const { number, title } = splitNumber(text)
  if (number === undefined || !/^[A-Z(“‘'"]/.test(title) || /[.;,:?]$/.test(title)) return undefined
  if (/^\d/.test(number)) {
    // A single number without its dot is a quantity or a date.
    if (/^\d+\s/.test(text) || isListed(raws, i, number)) return undefined
    return { line: i + 1, number, title, level: number.split('.').length }
  }
  // `Attachment 1 – The Policy` in a list of attachments is an entry.
  return /^\s*[-*•·]/.test(raw) ? undefined : { line: i + 1, number, title, level: 1 }
}

/** Whether its neighbour, without anything between them, is the next or the previous number: a numbered list. */
function isListed(raws: readonly string[], i: number, number: string): boolean {
  const at = (j: number) => /^\s*(\d{1,3}(?:\.\d{1,3})*)\.?\s/.exec(raws[j] ?? '')?.[1]
  const parts = number.split('.').map(Number)
  const sibling = (step: number) => parts.with(-1, parts.at(-1)! + step).join('.')
  return at(i + 1) === sibling(1) || at(i - 1) === sibling(-1)
}

/** The entries that follow a line `Contents`: a title and a page, or the items of a list. */
function contentsIn(raws: readonly string[]): ContentsEntry[] {
  const entries: ContentsEntry[] = []
  const start = raws.findIndex(raw => /^(table of )?contents$/.test(plain(readable(raw))))
  for (let i = start + 1; start >= 0 && i < raws.length; i++) {
    const raw = raws[i]!
    if (raw.trim() === '') continue
    if (raw.length > 400) break
    const paged = /^(.*?\S)(?:[\s.…_]*(?:\t|\.{2,}|…)[\s.…_]*|\s{1,})(\d{1,4})$/.exec(raw.trim())
    const listed = /^\s*[-*+]\s+\S/.test(raw)
    if (!paged && !listed) break
    const { number, title } = splitNumber(readable(paged ? paged[1]! : raw).replace(/[\s.…_]+$/, ''))
    entries.push({ line: i + 1, number, title, page: paged ? Number(paged[2]) : undefined })
  }
  return entries.length >= 2 ? entries : []
}
