/** A document as the reviewer sees it: lines with their numbers, headings, contents, paragraphs, sections. */

/** One line of a text, one paragraph or table row of a DOCX. */
export interface Line {
  /** From 1: of the text, or of the paragraph in a DOCX. */
  readonly number: number
  /** As it was written. */
  readonly raw: string
  /** As a person reads it: without emphasis, link targets and list marks. */
  readonly text: string
  readonly is: 'blank' | 'heading' | 'contents' | 'item' | 'row' | 'text' | 'code'
  /** Of a row. */
  readonly cells: readonly string[]
}

export interface Heading {
  readonly line: number
  /** `4.9.13`, `Annex B`; none for one that has no number. */
  readonly number: string | undefined
  readonly title: string
  /** From 1. */
  readonly level: number
}

export interface ContentsEntry {
  readonly line: number
  readonly number: string | undefined
  readonly title: string
  readonly page: number | undefined
}

/** Lines that belong together, joined; a place in it leads back to its line. */
export interface Paragraph {
  readonly line: number
  readonly text: string
  readonly is: Line['is']
  readonly lineAt: (offset: number) => number
}

export interface Section {
  readonly heading: Heading
  /** Everything below it, down to the next heading of its level or a higher one. */
  readonly paragraphs: readonly Paragraph[]
}

/** A document in its format, before it is looked at. */
export interface Written {
  readonly format: 'markdown' | 'text' | 'docx'
  readonly lines: readonly Line[]
  readonly headings: readonly Heading[]
  readonly contents: readonly ContentsEntry[]
}

export interface Source extends Written {
  readonly file: string
  /** What a line number counts. */
  readonly unit: 'line' | 'paragraph'
  readonly paragraphs: readonly Paragraph[]
  readonly sections: readonly Section[]
}

export function sourceOf(file: string, written: Written): Source {
  const paragraphs = paragraphsOf(written.lines)
  return {
    ...written,
    file,
    unit: written.format === 'docx' ? 'paragraph' : 'line',
    paragraphs,
    sections: written.headings.map((heading, i) => {
      const next = written.headings.slice(i + 1).find(({ level }) => level <= heading.level)
      const within = ({ line }: Paragraph) => line > heading.line && line < (next?.line ?? Number.POSITIVE_INFINITY)
      return { heading, paragraphs: paragraphs.filter(within) }
    }),
  }
}

/** Its number and title, as they are compared: without case, punctuation and spacing. */
export function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

/** `4.9.13 Circumstances for Suspension` in its two parts; also `Annex B: Profiles`. */
export function splitNumber(text: string): { number: string | undefined; title: string } {
  const numbered = /^(\d{1,3}(?:\.\d{1,3})*)\.?\s+(\S.*)$/.exec(text)
  if (numbered) return { number: numbered[1]!, title: numbered[2]! }
  const lettered = /^((?:Appendix|Annex|Schedule|Part|Attachment)\s+(?:\d{1,2}|[A-Z]{1,2}))\b[\s:.–—-]*(.*)$/.exec(
    text,
  )
  if (lettered) return { number: lettered[1]!.replace(/\s+/, ' '), title: lettered[2]! }
  return { number: undefined, title: text }
}

/** The sentence of a paragraph that a place lies in. */
export function sentenceAt(text: string, offset: number): string {
  // A full stop within a number, or after a letter by itself, ends no sentence.
  const ends = [...text.matchAll(/(?<![A-Z]|\be\.g|\bi\.e|\betc)[.!?](?=\s+[A-Z“"(]|\s*$)/g)].map(
    one => one.index + 1,
  )
  const from = ends.findLast(end => end <= offset) ?? 0
  return text.slice(from, ends.find(end => end > offset) ?? text.length).trim()
}

/** A line of running text goes on in the next when it is long and ends in the middle of a sentence. */
function paragraphsOf(lines: readonly Line[]): Paragraph[] {
  const groups: Line[][] = []
  let open = false
  for (const line of lines) {
    if (line.is === 'blank' || line.is === 'code') {
      open = false
      continue
    }
    const last = groups.at(-1)
    if (open && last && line.is === 'text') last.push(line)
    else groups.push([line])
    open = (line.is === 'text' || line.is === 'item') && line.text.length >= 60 && !/[.;:?!”"]$/.test(line.text)
  }
  return groups.map(group => {
    const starts: number[] = []
    let text = ''
    for (const line of group) {
      if (text !== '') text += ' '
      starts.push(text.length)
      text += line.text
    }
    const lineAt = (offset: number) =>
      group[starts.findLastIndex(start => start <= offset)]?.number ?? group[0]!.number
    return { line: group[0]!.number, text, is: group[0]!.is, lineAt }
  })
}
