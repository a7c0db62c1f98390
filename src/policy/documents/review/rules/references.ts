/** Cross-references: each resolves to a heading, clause or caption of the document, or names the document that it is in. */

import { quoted, type ReviewRule } from '../rule.ts'
import { plain, type Source, sentenceAt } from '../source.ts'

export const referenceRules: readonly ReviewRule[] = [
  {
    id: 'reference_unresolved',
    severity: 'error',
    says: 'a section, annex, table or clause that is referred to is there, or the document that has it is named',
    where: 'SEED-003',
    *faults(source, { beside }) {
      const anchors = new Set([source, ...beside.map(one => one.source)].flatMap(anchorsOf))
      const references = referencesIn(source)
      // What was named with its document once is of that document where it is named again.
      const elsewhere = new Set(references.filter(one => one.outside).map(one => one.label))
      const said = new Set<string>()
      for (const { label, shown, line, outside } of references) {
        if (outside || anchors.has(label) || elsewhere.has(label) || said.has(`${label} ${line}`)) continue
        said.add(`${label} ${line}`)
        yield { line, found: `${quoted(shown)} is not there` }
      }
    },
  },
  {
    id: 'clause_label_form',
    severity: 'warning',
    says: 'a clause is labelled as its neighbours are: a bracket that opens and one that closes',
    where: 'SEED-003',
    *faults({ lines }) {
      for (const { text, number, is } of lines) {
        if (is === 'row') continue
        const label = /^(?:[a-z]\([ivx]+\)|\([a-z]{1,4}(?=\s)|[ivx]{2,4}\)\s)/.exec(text)
        if (label) yield { line: number, found: quoted(text, 40) }
      }
    },
  },
]

interface Reference {
  /** `4.9.13`, `annex b`, `table 1`, `(b)(iii)`. */
  readonly label: string
  readonly shown: string
  readonly line: number
  /** Another document is named with it. */
  readonly outside: boolean
}

const numeric =
  /\b([Ss]ections?|[Cc]lauses?|[Pp]aragraphs?)\s+(\d{1,2}(?:\.\d{1,3})*)(?![\d.]*\d)((?:\([a-z]{1,4}\))*)/g
const lettered = /\b(Annex|Appendix|Table|Figure|Attachment|Schedule)\s+(\d{1,2}|[A-Z]{1,2})(?![\w.]*\w)/g
const clauses = /\b(?:[Ss]ection|[Cc]lause|[Pp]aragraph|[Uu]nder|[Ii]n)\s+((?:\([a-z]{1,5}\))+)/g

/** Words that say in which document it is: the Code, an appendix of it, a standard, a policy. */
const document =
  /\b(SEC|Code|Licence|Act|GBCS|RFC ?\d+|ISO|FIPS|X\.\d{3}|RAPP|CPS?|CKMP|S1SR|consultation document|Appendix [A-Z]{1,2}\b|(?:[A-Z][\w-]*\s){1,6}(?:Policy|Policies|Procedures?|Specification|Document|Statement|Connection|Requirements|Regulations|Agreement))(?=\W|$)/

function referencesIn(source: Source): Reference[] {
  return source.paragraphs.flatMap((paragraph, i): Reference[] => {
    const { text, lineAt, is } = paragraph
    if (is === 'heading' || is === 'contents') return []
    const of = (pattern: RegExp, labelOf: (match: RegExpMatchArray) => string | undefined) =>
      [...text.matchAll(pattern)].flatMap((match): Reference[] => {
        const label = labelOf(match)
        if (label === undefined) return []
        const outside = namesDocument(source, i, match.index, match[0].length)
        return [{ label, shown: match[0], line: lineAt(match.index), outside }]
      })
    return [
      ...of(numeric, match => match[2]),
      // A lettered appendix is one of the Code, unless the document has such appendices itself.
      ...of(lettered, ([, kind, label]) =>
        kind === 'Appendix' && /^[A-Z]/.test(label!) && !hasLettered(source)
          ? undefined
          : plain(`${kind} ${label}`),
      ),
      ...of(clauses, match => match[1]),
    ]
  })
}

const hasLettered = ({ headings }: Source) => headings.some(({ number }) => /^Appendix [A-Z]/.test(number ?? ''))

/** In its sentence, or for an item of a list in what the list is introduced by, or in the header above. */
function namesDocument(source: Source, i: number, at: number, length: number): boolean {
  const { text, is, line } = source.paragraphs[i]!
  const sentence = sentenceAt(text, at).replace(text.slice(at, at + length), ' ')
  if (document.test(own(sentence))) return true
  if (is !== 'item' && !/^(Section|Clause)\b/.test(text)) return false
  const introduced = source.paragraphs.slice(0, i).findLast(one => one.is === 'text' && one.text.endsWith(':'))
  return introduced !== undefined && line - introduced.line <= 12 && document.test(own(introduced.text))
}

/** `this Policy` is the document itself. */
const own = (text: string) => text.replace(/\b(?:this|This) (?:[A-Z]\w*\s?)+/g, ' ')

function anchorsOf({ headings, lines }: Source): string[] {
  const found = headings.flatMap(({ number }) => (number === undefined ? [] : [number, plain(number)]))
  let outer = ''
  for (const { text, is } of lines) {
    if (is === 'contents') continue
    const caption = /^(Annex|Appendix|Table|Figure|Attachment|Schedule|Part) (\d{1,2}|[A-Z]{1,2})\b/i.exec(text)
    if (caption) found.push(plain(`${caption[1]} ${caption[2]}`))
    const numbered = /^(\d{1,2}(?:\.\d{1,3})+)\.?\s/.exec(text)
    if (numbered) found.push(numbered[1]!)
    // A bracket that is missing is the other rule's finding.
    const clause = /^((?:\(?[a-z]{1,5}\))+)/
      .exec(text.replace(/^([a-z])(?=\([ivx]+\))/, '($1)'))?.[1]
      ?.replace(/(?<!\()\b([a-z]{1,5})\)/g, '($1)')
    if (clause === undefined) continue
    // `(iii)` under `(d)` is `(d)(iii)` too.
    const [head] = clause.match(/\([a-z]+\)/) ?? ['']
    if (/^\((?:[ivx]{2,}|[vx])\)$/.test(head) || (head === '(i)' && outer !== '(h)'))
      found.push(clause, `${outer}${clause}`)
    else {
      outer = head
      found.push(clause, head)
    }
  }
  return found
}
