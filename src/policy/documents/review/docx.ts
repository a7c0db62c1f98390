/** Reads a DOCX as Word shows it: paragraphs with their numbers, headings by style, table rows; deleted text is gone. */

import { NotReadable } from './not-readable.ts'
import { inherited, Numbering, readStyles } from './numbering.ts'
import { type ContentsEntry, type Heading, type Line, splitNumber, type Written } from './source.ts'
import { readXml } from './xml.ts'
import { unzip } from './zip.ts'

/** What stands in these elements is not what a reader reads: deleted or moved away, a field's code, another's rendering. */
const unread = new Set(['del', 'moveFrom', 'Fallback', 'instrText', 'delText'])

/** @throws NotReadable */
export async function readDocx(octets: Buffer): Promise<Written> {
  const parts = await unzip(octets, ['word/document.xml', 'word/styles.xml', 'word/numbering.xml'])
  const document = parts.get('word/document.xml')
  if (!document) throw new NotReadable('a ZIP archive, but no DOCX: word/document.xml is not in it')
  const reader = new Reader(parts.get('word/styles.xml'), parts.get('word/numbering.xml'))
  readXml('word/document.xml', document, reader)
  const { lines, headings, contents } = reader
  return { format: 'docx', lines, headings, contents }
}

interface Paragraph {
  text: string
  style: string | undefined
  list: string | undefined
  level: number | undefined
}

class Reader {
  readonly lines: Line[] = []
  readonly headings: Heading[] = []
  readonly contents: ContentsEntry[] = []
  readonly #styles
  readonly #numbering
  /** Paragraphs that are open: a text box lies within one. */
  readonly #open: Paragraph[] = []
  /** Of the row of a table that is open, its cells. */
  readonly #rows: { cells: string[]; first: number }[] = []
  #number = 0
  #unread = 0
  #inText = 0

  constructor(styles: Buffer | undefined, numbering: Buffer | undefined) {
    this.#styles = readStyles(styles)
    this.#numbering = new Numbering(numbering)
  }

  open(name: string, attribute: (name: string) => string | undefined): void {
    if (unread.has(name)) this.#unread++
    if (this.#unread > 0) return
    const paragraph = this.#open.at(-1)
    if (name === 'p') this.#open.push({ text: '', style: undefined, list: undefined, level: undefined })
    else if (name === 'tr') this.#rows.push({ cells: [], first: this.#number + 1 })
    else if (name === 'tc') this.#rows.at(-1)?.cells.push('')
    else if (name === 't') this.#inText++
    else if (!paragraph) return
    else if (name === 'pStyle') paragraph.style = attribute('val')
    else if (name === 'numId') paragraph.list = attribute('val')
    else if (name === 'ilvl') paragraph.level = Number(attribute('val'))
    else if (name === 'tab') paragraph.text += attribute('val') === undefined ? '\t' : ''
    else if (name === 'br' || name === 'cr') paragraph.text += ' '
    else if (name === 'noBreakHyphen') paragraph.text += '-'
  }

  close(name: string): void {
    if (unread.has(name)) {
      this.#unread--
      return
    }
    if (this.#unread > 0) return
    if (name === 't') this.#inText--
    else if (name === 'p') this.#paragraph(this.#open.pop()!)
    else if (name === 'tr') this.#row()
  }

  text(text: string): void {
    const paragraph = this.#open.at(-1)
    if (this.#unread === 0 && this.#inText > 0 && paragraph) paragraph.text += text
  }

  #paragraph({ text, style, list, level }: Paragraph): void {
    const number = ++this.#number
    const own = inherited(this.#styles, style)
    const printed = this.#printed(list ?? own.list, level ?? own.level ?? 0)
    const shown = text.trim() === '' ? '' : [printed, text.trim()].filter(Boolean).join(' ')
    const row = this.#rows.at(-1)
    if (row) {
      row.cells.push([row.cells.pop() ?? '', shown].filter(Boolean).join(' '))
      return
    }
    this.lines.push(this.#line(number, shown, style ?? '', own.name, own.outline, list ?? own.list))
  }

  #line(number: number, text: string, id: string, name: string, outline: number | undefined, list?: string): Line {
    const line = (is: Line['is'], cells: string[] = []) => ({ number, raw: text, text, is, cells })
    if (text === '') return line('blank')
    if (/^toc \d/.test(name) || /^TOC\d/.test(id)) {
      const [, entry = text, page] = /^(.*\S)\s+(\d{1,4})$/.exec(text) ?? []
      this.contents.push({
        line: number,
        ...splitNumber(entry),
        page: page === undefined ? undefined : Number(page),
      })
      return line('contents')
    }
    const level = /^heading (\d)$/.exec(name)?.[1] ?? /^Heading(\d)$/.exec(id)?.[1]
    if (level !== undefined || (outline !== undefined && outline < 9)) {
      this.headings.push({
        line: number,
        ...splitNumber(text),
        level: level === undefined ? outline! + 1 : Number(level),
      })
      return line('heading')
    }
    if (text.includes('\t')) return line('row', text.split(/\t+/))
    return line(list !== undefined && list !== '0' ? 'item' : 'text')
  }

  /** 0 takes a paragraph out of the list of its style. */
  #printed(list: string | undefined, level: number): string | undefined {
    return list === undefined || list === '0' ? undefined : this.#numbering.next(list, level)
  }

  #row(): void {
    const row = this.#rows.pop()
    if (!row) return
    const text = row.cells.join('\t')
    const outer = this.#rows.at(-1)
    // A table in a table is read as text of the cell that it lies in.
    if (outer) outer.cells.push([outer.cells.pop() ?? '', row.cells.join(' ')].filter(Boolean).join(' '))
    else
      this.lines.push({
        number: row.first,
        raw: text,
        text,
        is: text.trim() === '' ? 'blank' : 'row',
        cells: row.cells,
      })
  }
}
