/** Names written in more than one way, with letters exchanged, and words that stand there twice. */

import { quoted, type ReviewRule } from '../rule.ts'
import type { Source } from '../source.ts'

export const spellingRules: readonly ReviewRule[] = [
  {
    id: 'spelling_varies',
    severity: 'warning',
    says: 'a name is written in one way: hyphen, underscore, space and capitals too',
    where: 'SEED-003',
    *faults(source) {
      const forms = new Map<string, Map<string, number>>()
      for (const { form, line } of namesIn(source)) {
        const key = form.toLowerCase().replace(/[-_ ]/g, '')
        const of = forms.get(key) ?? new Map<string, number>()
        forms.set(key, of.has(form) ? of : of.set(form, line))
      }
      for (const of of forms.values()) {
        const [first, ...others] = of
        for (const [form, line] of others)
          yield { line, found: `${quoted(form)}, and in ${first![1]} ${quoted(first![0])}` }
      }
    },
  },
  {
    id: 'letters_exchanged',
    severity: 'error',
    says: 'a name is not another name of the document with two letters exchanged',
    where: 'SEED-003',
    *faults({ paragraphs }) {
      const count = new Map<string, { count: number; line: number }>()
      for (const { text, lineAt } of paragraphs) {
        for (const match of text.matchAll(/\b[A-Za-z0-9]{4,}\b/g)) {
          const before = count.get(match[0])
          if (before) before.count++
          else count.set(match[0], { count: 1, line: lineAt(match.index) })
        }
      }
      for (const [word, { count: rarely, line }] of count) {
        for (let i = 0; i + 1 < word.length; i++) {
          if (word[i] === word[i + 1]) continue
          const other = word.slice(0, i) + word[i + 1] + word[i] + word.slice(i + 2)
          const often = count.get(other)?.count ?? 0
          if (/[A-Z].*[A-Z0-9]/.test(word) && often >= 4 && often >= 4 * rarely) {
            yield { line, found: `${quoted(word)} for ${quoted(other)}` }
          }
        }
      }
    },
  },
  {
    id: 'word_twice',
    severity: 'warning',
    says: 'no word stands there twice',
    where: 'SEED-003',
    *faults({ paragraphs }) {
      for (const { text, lineAt, is } of paragraphs) {
        if (is === 'contents' || is === 'row') continue
        for (const match of text.matchAll(/(?<![\w-])([A-Za-z]+) \1(?![\w-])/gi)) {
          yield {
            line: lineAt(match.index),
            found: quoted(text.slice(Math.max(0, match.index - 15), match.index + 30)),
          }
        }
      }
    },
  },
]

/** Names with capitals or digits: those with a hyphen or underscore, and where the same stands with a space or joined. */
function* namesIn({ paragraphs }: Source): Generator<{ form: string; line: number }> {
  const compound = /\b[A-Z][A-Za-z0-9]*(?:[-_][A-Z0-9][A-Za-z0-9]*)+\b/g
  const compounds = new Set<string>()
  for (const { text } of paragraphs) for (const [form] of text.matchAll(compound)) compounds.add(form)
  const variants = [...compounds].map(form => {
    const parts = form.split(/[-_]/).map(part => part.replace(/[^A-Za-z0-9]/g, ''))
    return new RegExp(`(?<![\\w-])${parts.join('[-_ ]?')}(?![\\w-])`, 'g')
  })
  const capitals = /\b(?=[A-Za-z0-9]*[A-Z][A-Za-z0-9]*[A-Z])[A-Za-z0-9]{4,}\b/g
  for (const { text, lineAt, is } of paragraphs) {
    if (is === 'contents' || text === text.toUpperCase()) continue
    for (const pattern of [...variants, capitals]) {
      for (const match of text.matchAll(pattern)) {
        yield { form: match[0].replace(/(?<=[A-Z0-9])s$/, ''), line: lineAt(match.index) }
      }
    }
  }
}
