/** Dates of a conclusions or modification report in the order of its steps, and dates that do not exist. */

import { type Dated, outOfOrder } from '../../chronology.ts'
import { fromWords, months } from '../../day.ts'
import { quoted, type ReviewRule } from '../rule.ts'
import type { Source } from '../source.ts'

const month = months.map(name => `${name}|${name.slice(0, 3)}`).join('|')
const date = `\\d{1,2}(?:st|nd|rd|th)?(?: of)? (?:${month}),? \\d{4}`
const weekday = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday'

/** Steps in their order, and how reports write of them; the first that is found counts. */
const steps: readonly { what: string; strictly?: true; patterns: readonly string[] }[] = [
  {
    what: 'the SMKI PMA approved for consultation',
    patterns: ['PMA approved on (DATE) for consultation', 'PMA approved (?:it )?for consultation on (DATE)'],
  },
  {
    what: 'the consultation opened',
    patterns: ['[Oo]n (DATE),? DCC consulted', 'consultation (?:was )?opened on (DATE)'],
  },
  { what: 'the consultation closed', strictly: true, patterns: ['consultation closed on (DATE)'] },
  {
    what: 'the SMKI PMA confirmed',
    patterns: ['[Oo]n (DATE),? the SMKI PMA (?:further )?considered', 'PMA confirmed on (DATE)'],
  },
  {
    what: 'it was submitted to the Secretary of State',
    patterns: ['submit(?:ted)? [^.]{0,250}to the Secretary of State on (DATE)'],
  },
  {
    what: 'it was designated',
    patterns: ['designated? [^.]{0,300}on(?: or shortly after)? (DATE)'],
  },
]

export const chronologyRules: readonly ReviewRule[] = [
  {
    id: 'dates_in_order',
    severity: 'error',
    says: 'approval, consultation, confirmation, submission and designation follow one another',
    where: 'governance-performance.md 3, disagreement D8',
    *faults(source) {
      const found = datesOf(source)
      for (const { at, says } of outOfOrder(found)) yield { line: (at as Placed).line, found: says }
    },
  },
  {
    id: 'timetable_in_order',
    severity: 'error',
    says: 'the events of a timetable stand in the order of their dates',
    where: 'governance-performance.md 4',
    *faults({ lines }) {
      let rows: Placed[] = []
      const groups: Placed[][] = []
      for (const { is, cells, number } of lines) {
        if (is === 'blank') continue
        const on =
          is === 'row' && cells.length === 2
            ? fromWords(new RegExp(`^${date}`).exec(cells[1]!)?.[0] ?? '')
            : undefined
        if (on !== undefined) rows.push({ what: quoted(cells[0]!, 60), on, line: number })
        else if (rows.length > 0) {
          groups.push(rows)
          rows = []
        }
      }
      for (const group of [...groups, rows]) {
        for (const { at, says } of outOfOrder(group)) yield { line: (at as Placed).line, found: says }
      }
    },
  },
  {
    id: 'date_exists',
    severity: 'error',
    says: 'a date exists, and its weekday is right',
    where: 'governance-performance.md 5',
    *faults({ paragraphs }) {
      for (const { text, lineAt } of paragraphs) {
        for (const match of text.matchAll(new RegExp(`(?:\\b(${weekday}),? )?\\b(${date})\\b`, 'g'))) {
          const day = fromWords(match[2]!)
          const named = match[1]
          const right =
            day && new Date(`${day}T12:00:00Z`).toLocaleDateString('en-GB', { weekday: 'long', timeZone: 'UTC' })
          if (day === undefined) yield { line: lineAt(match.index), found: quoted(match[2]!) }
          else if (named !== undefined && named !== right) {
            yield { line: lineAt(match.index), found: `${quoted(match[0])} was a ${right}` }
          }
        }
      }
    },
  },
]

interface Placed extends Dated {
  readonly line: number
}

function datesOf({ paragraphs }: Source): Placed[] {
  return steps.flatMap(({ what, strictly, patterns }) => {
    for (const pattern of patterns) {
      const expression = new RegExp(pattern.replace('(DATE)', `(${date})`))
      for (const { text, lineAt } of paragraphs) {
        const match = expression.exec(text)
        const on = match && fromWords(match[1]!)
        if (match && on) {
          const line = lineAt(match.index + match[0].length - match[1]!.length)
          return [{ what, on, line, ...(strictly && { strictly }) }]
        }
      }
    }
    return []
  })
}
