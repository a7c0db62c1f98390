/** The order of parts, later sections that take over, and lists that should agree (SEED-003). */

import { quoted, type ReviewRule } from '../rule.ts'
import type { Heading, Source } from '../source.ts'

export const structureRules: readonly ReviewRule[] = [
  {
    id: 'definitions_before_provisions',
    severity: 'warning',
    says: 'provisions stand before the definitions and annexes at the end',
    where: 'SEED-003 (Appendix L)',
    *faults({ headings }) {
      const top = headings.filter(({ level }) => level === Math.min(...headings.map(one => one.level)))
      const end = top.findIndex((one, i) => i > 1 && isEnd(one))
      if (end < 0) return
      const late = top.slice(end + 1).find(one => !isEnd(one))
      if (late) yield { line: late.line, found: `${quoted(late.title)} stands behind ${quoted(top[end]!.title)}` }
    },
  },
  {
    id: 'precedence_l16',
    severity: 'warning',
    says: 'the revocation procedures say that they do not apply where Section L16 (Supplier of Last Resort) applies',
    where: 'SEED-003 (RAPP 8)',
    *faults(source) {
      if (!isRapp(source)) return
      for (const { heading, paragraphs } of source.sections) {
        if (heading.number === undefined || heading.number.includes('.') || !/^revocation\b/i.test(heading.title))
          continue
        const says = paragraphs.some(({ text }) => /\bL16\b|Supplier of Last Resort/i.test(text))
        if (!says) yield { line: heading.line, found: quoted(`${heading.number} ${heading.title}`) }
      }
    },
  },
  {
    id: 'documents_agree',
    severity: 'warning',
    says: 'the documents that need a change are those that are said to be impacted',
    where: 'SEED-003, disagreement D10',
    *faults(source) {
      const needed = new Map<string, number>()
      for (const { text, lineAt } of source.paragraphs) {
        for (const match of text.matchAll(
          /[Cc]hanges are required to [^.]*?\bAppendices ((?:[A-Z]{1,2}(?:, | and )?)+)/g,
        )) {
          for (const [letter] of match[1]!.matchAll(/[A-Z]{1,2}/g)) needed.set(letter, lineAt(match.index))
        }
      }
      const impacted = impactedBy(source)
      if (needed.size === 0 || impacted.letters.size === 0) return
      const unsaid = [...impacted.letters].filter(one => !needed.has(one))
      const lost = [...needed].filter(([one]) => !impacted.letters.has(one))
      const first = Math.min(...needed.values())
      if (unsaid.length > 0) {
        const found = `impacted are also Appendices ${unsaid.join(', ')}, of which ${first} says nothing`
        yield { line: impacted.line, found }
      }
      for (const [letter, line] of lost)
        yield { line, found: `Appendix ${letter} is not among the impacted (${impacted.line})` }
    },
  },
]

const isEnd = ({ number, title }: Heading) =>
  /^(Annex|Appendix|Schedule|Attachment)\b/.test(number ?? '') ||
  /^(definitions?\b|glossary|interpretation|annex|appendix|attachments?$|abbreviations|references?$)/i.test(
    title,
  ) ||
  /\bdefined terms\b/i.test(title)

const isRapp = ({ lines }: Source) =>
  lines.slice(0, 60).some(({ text }) => /Registration Authority Policies and Procedures|\bRAPP\b/.test(text))

/** `- Appendix A 'Device Certificate Policy'` below "will be impacted:". */
function impactedBy({ lines }: Source): { letters: Set<string>; line: number } {
  const start = lines.findIndex(({ text }) => /\bwill be impacted:$/.test(text))
  const letters = new Set<string>()
  for (const { text, is } of start < 0 ? [] : lines.slice(start + 1)) {
    if (is === 'blank') continue
    if (is !== 'item') break
    const letter = /^Appendix ([A-Z]{1,2})\b/.exec(text)?.[1]
    if (letter !== undefined) letters.add(letter)
  }
  return { letters, line: lines[start]?.number ?? 0 }
}
