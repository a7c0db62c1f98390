/** Headers against the table of contents, and the numbers of headers against one another. */

import { quoted, type ReviewRule } from '../rule.ts'
import { plain } from '../source.ts'

export const contentsRules: readonly ReviewRule[] = [
  {
    id: 'contents_match',
    severity: 'error',
    says: 'what the table of contents lists stands as a header, with that number and title',
    where: 'SEED-001',
    *faults({ contents, headings }) {
      for (const { line, number, title } of contents) {
        const same = headings.filter(one => plain(one.title) === plain(title))
        if (same.some(one => number === undefined || one.number === number)) continue
        const there = number === undefined ? undefined : headings.find(one => one.number === number)
        const listed = quoted(`${number ?? ''} ${title}`)
        if (there)
          yield { line: there.line, found: `${quoted(there.title)} is ${listed} in the contents (${line})` }
        else if (same[0])
          yield { line: same[0].line, found: `numbered ${same[0].number ?? 'not at all'}, but ${listed}` }
        else yield { line, found: `${listed} is no header` }
      }
    },
  },
  {
    id: 'contents_complete',
    severity: 'warning',
    says: 'a numbered header of a depth that the table of contents lists stands in it',
    where: 'SEED-001',
    *faults({ contents, headings }) {
      const depth = (number: string) => (/^\d/.test(number) ? number.split('.').length : 1)
      const deepest = Math.max(
        0,
        ...contents.flatMap(({ number }) => (number === undefined ? [] : [depth(number)])),
      )
      const listed = new Set(contents.flatMap(({ number, title }) => [number, plain(title)]))
      for (const { line, number, title } of headings) {
        if (number === undefined || depth(number) > deepest) continue
        if (!listed.has(number) && !listed.has(plain(title))) yield { line, found: quoted(`${number} ${title}`) }
      }
    },
  },
  {
    id: 'contents_pages',
    severity: 'warning',
    says: 'the pages of the table of contents do not go back',
    where: 'SEED-001',
    *faults({ contents }) {
      let last = 0
      for (const { line, page, title } of contents) {
        if (page === undefined) continue
        if (page < last) yield { line, found: `${quoted(title)} on page ${page}, after page ${last}` }
        last = page
      }
    },
  },
  {
    id: 'heading_numbers',
    severity: 'error',
    says: 'headers are numbered one after another, none twice and none left out',
    where: 'SEED-003',
    *faults({ headings }) {
      const last = new Map<string, number>()
      for (const { line, number, title } of headings) {
        if (number === undefined || !/^\d/.test(number)) continue
        const parts = number.split('.').map(Number)
        const parent = parts.slice(0, -1).join('.')
        const own = parts.at(-1)!
        const before = last.get(parent) ?? 0
        const shown = quoted(`${number} ${title}`, 60)
        if (own <= before) yield { line, found: `${shown} after ${[...parts.slice(0, -1), before].join('.')}` }
        // Where a document begins is its own affair: an extract may begin at 4.9.12.
        else if (own > before + 1 && last.has(parent)) {
          yield { line, found: `${shown}: ${[...parts.slice(0, -1), before + 1].join('.')} is left out` }
        }
        last.set(parent, own)
      }
    },
  },
]
