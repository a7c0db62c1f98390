/** Headers of a certificate policy or practice statement against the outline of RFC 3647 (SEED-001: 4.9.13). */

import { outline } from '../rfc3647-outline.ts'
import { quoted, type ReviewRule } from '../rule.ts'
import { plain, type Source } from '../source.ts'

export const outlineRules: readonly ReviewRule[] = [
  {
    id: 'outline_rfc3647',
    severity: 'error',
    says: 'a header of a certificate policy says what RFC 3647 has under its number',
    where: 'SEED-001, RFC 3647 6',
    *faults(source) {
      if (!followsOutline(source)) return
      for (const { line, number, title } of source.headings) {
        const due = number === undefined ? undefined : outline[number]
        if (due === undefined || shared(title, due) > 0) continue
        const other = Object.entries(outline).find(
          ([, one]) => one !== due && plain(british(one)) === plain(british(title)),
        )
        const where = other === undefined ? '' : `, which is ${other[0]}`
        yield { line, found: `${number} is ${quoted(title)}${where}; RFC 3647 has ${quoted(due)}` }
      }
    },
  },
]

/** A policy that speaks of one, and most of whose numbered headers are those of the outline. */
function followsOutline({ headings, lines }: Source): boolean {
  const start = lines.slice(0, 60).map(({ text }) => text)
  if (!start.some(text => /Certificate Policy|Certification Practice/i.test(text))) return false
  const numbered = headings.filter(({ number }) => number !== undefined && outline[number] !== undefined)
  const alike = numbered.filter(({ number, title }) => shared(title, outline[number!]!) > 0)
  return numbered.length >= 4 && alike.length * 2 > numbered.length
}

const small = new Set('of the and for to a an in on by or re with who can ca other'.split(' '))
const british = (text: string) =>
  text
    .replace(/organiz/gi, 'organis')
    .replace(/authoriz/gi, 'authoris')
    .replace(/enroll/gi, 'enrol')
const stem = (word: string) => word.slice(0, 6)

/** How many words that mean something both have. Verbs and plurals count as the same word by their stem. */
function shared(title: string, due: string): number {
  const words = (text: string) =>
    new Set(
      plain(british(text))
        .split(' ')
        .filter(one => !small.has(one))
        .map(stem),
    )
  const wanted = words(due)
  // `Special requirements re key compromise` and `Circumstances for revocation` under one parent share nothing.
  return [...words(title)].filter(one => wanted.has(one)).length
}
