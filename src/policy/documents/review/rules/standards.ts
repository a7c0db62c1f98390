/** Standards and RFCs that were superseded or discontinued (SEED-003). */

import { quoted, type ReviewRule } from '../rule.ts'
import { sentenceAt } from '../source.ts'
import { patternOf } from '../standards-register.ts'

/** "or any equivalent to that Standard which updates or replaces it from time to time" */
const saving =
  /\bor (?:any |its |an? )?(?:equivalent|successor)|(?:updates?|updated|amends?|amended) or replace|from time to time/i

export const standardRules: readonly ReviewRule[] = [
  {
    id: 'standard_superseded',
    severity: 'error',
    says: 'a standard that is cited is in force; a notice where the sentence lets its successor count too',
    where: 'SEED-003, GOV-A06',
    *faults({ paragraphs }, { standards }) {
      for (const standard of standards) {
        if (standard.status === 'current') continue
        for (const { text, lineAt, is } of paragraphs) {
          if (is === 'contents') continue
          const match = [...text.matchAll(patternOf(standard))][0]
          if (!match) continue
          const sentence = sentenceAt(text, match.index)
          const instead = standard.replacedBy === undefined ? '' : `: now ${standard.replacedBy}`
          const found = `${standard.id} is ${standard.status}${instead}, in ${quoted(around(text, match.index))}`
          yield { line: lineAt(match.index), found, ...(saving.test(sentence) && { severity: 'notice' as const }) }
        }
      }
    },
  },
  {
    id: 'standard_unknown',
    severity: 'notice',
    says: 'an RFC that is cited stands in the register, so that somebody has looked whether it is in force',
    where: 'SEED-003, GOV-A06',
    *faults({ paragraphs }, { standards }) {
      const known = new Set(standards.map(({ id }) => id))
      const said = new Set<string>()
      for (const { text, lineAt } of paragraphs) {
        for (const match of text.matchAll(/\bRFC[ -]?0*(\d{3,5})\b/g)) {
          const id = `RFC ${match[1]}`
          if (known.has(id) || said.has(id)) continue
          said.add(id)
          yield { line: lineAt(match.index), found: `${id} is not in the register` }
        }
      }
    },
  },
]

const around = (text: string, at: number) => text.slice(Math.max(0, at - 20), at + 60)
