/** Defined terms: defined once, used, and no term used that nobody defined (SEED-001, SEED-003). */

import type { Definition } from '../definitions.ts'
import { quoted, type ReviewRule } from '../rule.ts'
import { plain, type Source } from '../source.ts'

export const termRules: readonly ReviewRule[] = [
  {
    id: 'term_defined_twice',
    severity: 'error',
    says: 'a term is defined once; a warning where the same words define it again',
    where: 'SEED-003',
    *faults(_source, { definitions }) {
      const first = new Map<string, Definition>()
      for (const one of definitions) {
        const before = first.get(plain(one.term))
        if (!before) first.set(plain(one.term), one)
        else {
          const same = plain(before.words) === plain(one.words)
          const how = same ? 'in the same words' : `as ${quoted(before.words, 50)}`
          const found = `${quoted(one.term)} is defined in ${before.line} too, ${how}`
          yield { line: one.line, found, ...(same && { severity: 'warning' as const }) }
        }
      }
    },
  },
  {
    id: 'term_unused',
    severity: 'warning',
    says: 'a term that is defined is used',
    where: 'SEED-003',
    *faults(source, { definitions }) {
      const texts = textsOf(source)
      const own = (line: number) =>
        new Set(definitions.filter(one => one.line === line).map(one => plain(one.words)))
      for (const { term, abbreviation, line, formal } of definitions) {
        if (!formal || isUsed(texts, [term, abbreviation], line, own(line))) continue
        yield { line, found: `${quoted(term)} is defined and used nowhere else` }
      }
    },
  },
  {
    id: 'term_undefined',
    severity: 'notice',
    says: 'a term in capitals is defined in the document, or in one that is read beside it',
    where: 'SEED-001, SEED-003',
    *faults(source, { definitions, beside }) {
      // Who defines nothing defines elsewhere: Section A has the terms of the Code. A list of acronyms defines none.
      if (definitions.filter(({ formal, term }) => formal && /[a-z]/.test(term)).length < 3) return
      const defined = [...definitions, ...beside.flatMap(one => one.definitions)]
      const known = new Set(
        defined.flatMap(({ term, abbreviation }) => [singular(term), singular(abbreviation ?? '')]),
      )
      const titles = plain(source.headings.map(({ title }) => title).join(' | '))
      for (const [term, { line, count }] of phrasesOf(source)) {
        if (count < 2 || known.has(singular(term)) || titles.includes(plain(term))) continue
        if ([...known].some(one => one !== '' && one.endsWith(` ${singular(term)}`))) continue
        yield { line, found: `${quoted(term)} (${count} times)` }
      }
    },
  },
]

export const namingRules: readonly ReviewRule[] = [
  {
    id: 'name_varies',
    severity: 'warning',
    says: 'a body or a thing has one name, and not another that is nearly the same',
    where: 'SEED-003',
    *faults(source) {
      const first = new Map<string, { term: string; line: number }>()
      for (const [term, { line }] of phrasesOf(source)) {
        // Words of the same stem, of which one has another ending: Registered, Registration.
        const key = plain(term)
          .split(' ')
          .map(word => (word.length >= 7 ? word.slice(0, 6) : word.replace(/s$/, '')))
          .join(' ')
        const before = first.get(key)
        if (!before) first.set(key, { term, line })
        else if (singular(before.term) !== singular(term)) {
          yield { line, found: `${quoted(term)}, and in ${before.line} ${quoted(before.term)}` }
        }
      }
    },
  },
]

const singular = (term: string) => plain(term).replace(/ies$/, 'y').replace(/s$/, '')

/** What is read for the use of a term, made plain once. */
function textsOf({ paragraphs }: Source): { line: number; text: string }[] {
  return paragraphs
    .filter(({ is }) => is !== 'contents')
    .map(({ line, text }) => ({ line, text: ` ${plain(text)} ` }))
}

/** Whether a term, its plural or its abbreviation stands anywhere but in its own definition. */
function isUsed(
  texts: readonly { line: number; text: string }[],
  names: readonly (string | undefined)[],
  line: number,
  own: ReadonlySet<string>,
): boolean {
  const wanted = names.flatMap(name => (name === undefined ? [] : [singular(name)]))
  const forms = wanted.flatMap(one => [` ${one} `, ` ${one}s `, ` ${one.replace(/y$/, '')}ies `])
  return texts.some(
    one => one.line !== line && !own.has(one.text.trim()) && forms.some(form => one.text.includes(form)),
  )
}

/** Words that begin a sentence, and are no part of the term that follows. */
const leading =
  /^(The|This|These|That|Those|Each|Any|All|In|On|If|For|An?|As|At|By|To|Of|Or|And|Where|When|No|Such|Some|Other|Access|Details|Upon|It|Its|Is|Means|Should)\s+/

/** Runs of two or more capitalised words, with how often they occur and where first. */
function phrasesOf({ paragraphs }: Source): Map<string, { line: number; count: number }> {
  const found = new Map<string, { line: number; count: number }>()
  for (const { text, lineAt, is } of paragraphs) {
    if (is === 'heading' || is === 'contents') continue
    for (const match of text.matchAll(/\b[A-Z][a-z]+(?:[ -](?:of |and )?[A-Z][a-z]+)+\b/g)) {
      let term = match[0]
      while (leading.test(term)) term = term.replace(leading, '')
      if (!term.includes(' ')) continue
      const key = term.replace(/(?<=[a-z])s$/, '')
      const before = found.get(key)
      if (before) before.count++
      else found.set(key, { line: lineAt(match.index), count: 1 })
    }
  }
  return found
}
