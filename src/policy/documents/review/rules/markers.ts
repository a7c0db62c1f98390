/** What a word processor or an editor left behind: broken fields, placeholders, dead links, missing figures, stray marks. */

import type { Severity } from '../../../lint/rule.ts'
import { quoted, type ReviewRule } from '../rule.ts'
import type { Line } from '../source.ts'

/** A rule for each row: what is looked for in every line. */
const patterns: readonly { id: string; severity: Severity; says: string; pattern: RegExp; raw?: true }[] = [
  {
    id: 'broken_field',
    severity: 'error',
    says: 'no field, bookmark or reference is broken',
    pattern:
      /Error! (?:Reference source|Bookmark|Hyperlink)[^.]*|\[bookmark:[^\]]*\]|«[^»]*»|\{ ?(?:REF|PAGEREF|MERGEFIELD) [^}]*\}/g,
  },
  {
    id: 'placeholder',
    severity: 'error',
    says: 'nothing is left to be filled in',
    pattern:
      /\bT(?:BC|BD|ODO)\b|\[(?:insert|date|to be|●|•|x+)[^\]]*\]|\b[xX]{2,}[/-][xX]{2,}[/-][xX0-9]{2,}\b|\?{3,}/gi,
  },
  {
    id: 'dead_link',
    severity: 'error',
    says: 'a link leads somewhere',
    raw: true,
    pattern: /\[[^\]]+\]\((?:#|\s*|about:blank)\)/g,
  },
  {
    id: 'stray_punctuation',
    severity: 'warning',
    says: 'no mark of punctuation stands by itself, twice, or for another',
    pattern: /(?<=\S)\s+\.(?=\s|$)|(?<!\.)\.\s+\.(?!\.)|,,|;;|(?<=[a-z])\/$|(?<=\w)\s+[;,](?=\s)|\s+:(?=\s)/g,
  },
]

export const markerRules: readonly ReviewRule[] = [
  ...patterns.map(
    ({ id, severity, says, pattern, raw }): ReviewRule => ({
      id,
      severity,
      says,
      where: id === 'broken_field' ? 'APPM (an example)' : 'governance-performance.md 5',
      *faults({ lines }) {
        for (const line of lines) {
          if (line.is === 'code' || line.is === 'contents') continue
          const text = raw ? line.raw : line.text
          for (const match of text.matchAll(pattern)) {
            const before = text.slice(Math.max(0, match.index - 30), match.index)
            yield { line: line.number, found: quoted(`${before}${match[0]}`) }
          }
        }
      },
    }),
  ),
  {
    id: 'missing_figure',
    severity: 'warning',
    says: 'a figure that is announced follows',
    where: 'governance-performance.md 5',
    *faults({ lines }) {
      for (const [i, { text, number }] of lines.entries()) {
        const announced =
          /\b(?:[Bb]elow is|following) (?:a |the )?(?:diagram|figure)\b|\b(?:diagram|figure) below\b/.test(text)
        if (!announced) continue
        const next = lines.slice(i, i + 8)
        const there = next.some(line => /!\[|<img|^(?:Figure|Diagram) \d/.test(line.raw) || line.is === 'code')
        if (!there) yield { line: number, found: quoted(text) }
      }
    },
  },
  {
    id: 'empty_item',
    severity: 'warning',
    says: 'an item that announces something says it',
    where: 'governance-performance.md 5',
    *faults({ lines }) {
      for (const [i, line] of lines.entries()) {
        const { text, number, is } = line
        const next = lines.slice(i + 1).find(one => one.is !== 'blank')
        // `There are two types:` introduces the items that follow it; a name and a colon is an item by itself.
        const announces = text.split(' ').length <= 6 && text.endsWith(':')
        if (is === 'item' && announces && next && isSibling(line.raw, next.raw))
          yield { line: number, found: quoted(text) }
      }
    },
  },
  {
    id: 'empty_cell',
    severity: 'warning',
    says: 'a cell of a column that is filled in nearly every row is not empty',
    where: 'governance-performance.md 5',
    *faults({ lines }) {
      for (const rows of tablesIn(lines)) {
        for (const [column, head] of rows[0]!.cells.entries()) {
          const empty = rows.filter(({ cells }) => cells[column] === '')
          // Fewer than one in four: a column of remarks may be empty as a rule.
          if (empty.length * 4 >= rows.length) continue
          for (const { number, cells } of empty) {
            yield {
              line: number,
              found: `under ${quoted(head, 30)}, beside ${quoted(cells.find(one => one !== '') ?? '', 40)}`,
            }
          }
        }
      }
    },
  },
]

/** Rows with as many cells, without anything but blank lines between them. */
function tablesIn(lines: readonly Line[]): Line[][] {
  const tables: Line[][] = []
  let within = false
  for (const line of lines) {
    if (line.is === 'blank') continue
    if (line.is === 'row' && within && tables.at(-1)![0]!.cells.length === line.cells.length)
      tables.at(-1)!.push(line)
    else if (line.is === 'row') tables.push([line])
    within = line.is === 'row'
  }
  return tables
}

/** An item of the same list: the same mark, as far in. */
function isSibling(one: string, other: string): boolean {
  const mark = /^\s*[-*+•·▪]\s/
  return mark.test(one) && mark.exec(one)?.[0] === mark.exec(other)?.[0]
}
