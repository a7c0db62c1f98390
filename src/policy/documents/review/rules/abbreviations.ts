/** Abbreviations: explained where they are used, and in one way only. */

import type { Definition } from '../definitions.ts'
import { quoted, type ReviewRule } from '../rule.ts'
import { plain, type Source } from '../source.ts'

/** Names of publishers and protocols, which nobody spells out. */
const commonplace = new Set(
  'RFC ISO IEC FIPS NIST ITU ETSI BS EN UTC GMT PDF XML CSV JSON HTTP HTTPS URL URI TLS SSL SSH SFTP AES DES SHA RSA ECDSA GB UK US ASN DER PEM UTF'.split(
    ' ',
  ),
)

export const abbreviationRules: readonly ReviewRule[] = [
  {
    id: 'abbreviation_unexplained',
    severity: 'warning',
    says: 'an abbreviation is spelled out where it is first used, or in a glossary',
    where: 'SEED-003',
    *faults(source, { definitions, beside }) {
      const explained = new Set([
        ...expansionsIn(source).map(({ abbreviation }) => abbreviation),
        ...[...definitions, ...beside.flatMap(one => one.definitions)].flatMap(shortForms),
      ])
      const said = new Set<string>()
      for (const { text, lineAt, is } of source.paragraphs) {
        if (is === 'contents') continue
        for (const match of text.matchAll(/(?<![\w/.@_-])[A-Z][A-Z0-9]*[A-Z][A-Z0-9]*(?=s?(?![\w_@]))/g)) {
          const short = match[0]
          if (short.length < 3 || explained.has(short) || said.has(short) || commonplace.has(short)) continue
          // The number of a thing (`MP173`), and a heading in capitals.
          if (/^[A-Z]{1,3}\d{2,}[A-Z]?$/.test(short) || text === text.toUpperCase()) continue
          said.add(short)
          yield { line: lineAt(match.index), found: quoted(short) }
        }
      }
    },
  },
  {
    id: 'abbreviation_two_meanings',
    severity: 'error',
    says: 'an abbreviation stands for one thing, written one way',
    where: 'SEED-003',
    *faults(source) {
      const first = new Map<string, { words: string; line: number }>()
      for (const { abbreviation, words, line } of expansionsIn(source)) {
        const before = first.get(abbreviation)
        if (!before) first.set(abbreviation, { words, line })
        else if (singular(before.words) !== singular(words)) {
          const found = `${abbreviation} is ${quoted(words)}, and in ${before.line} ${quoted(before.words)}`
          yield { line, found }
        }
      }
    },
  },
]

const singular = (words: string) => plain(words).replace(/ies$/, 'y').replace(/s\b/g, '')

function shortForms({ term, abbreviation, words }: Definition): string[] {
  const inWords = [...words.matchAll(/\(([A-Z][A-Z0-9]+)s?\)/g)].map(([, short]) => short!)
  return [term, ...(abbreviation === undefined ? [] : [abbreviation]), ...inWords].flatMap(one => [
    one,
    ...one.split(' '),
  ])
}

interface Expansion {
  readonly abbreviation: string
  readonly words: string
  readonly line: number
}

/** `Registration Data Provider (RDP)`, `RDP (Registration Data Provider)`, where the initials fit. */
function expansionsIn({ paragraphs }: Source): Expansion[] {
  return paragraphs.flatMap(({ text, lineAt }) =>
    [...text.matchAll(/\(["“‘']?(?:[A-Z0-9]+ )?((?:[A-Z][A-Za-z0-9]*)?[A-Z0-9])s?["”’']?\)/g)].flatMap(
      (match): Expansion[] => {
        const short = match[1]!
        const words = wordsFor(short, text.slice(0, match.index))
        return words === undefined ? [] : [{ abbreviation: short, words, line: lineAt(match.index) }]
      },
    ),
  )
}

/** The shortest run of words before it whose initials spell it; a word in capitals may count whole. */
function wordsFor(short: string, before: string): string | undefined {
  const words = before
    .replace(/\([^)]*\)/g, ' ')
    .trim()
    .split(/\s+/)
    .slice(-9)
  for (let count = 1; count <= words.length; count++) {
    const run = words.slice(-count)
    if (/[.;:!?]$/.test(run[0]!)) return undefined
    if (
      spells(
        run.flatMap(word => word.split(/[-/]/)),
        short.toUpperCase(),
      )
    )
      return run.join(' ')
  }
  return undefined
}

function spells(words: readonly string[], short: string): boolean {
  const [word, ...rest] = words
  if (word === undefined) return short === ''
  const bare = word.replace(/[^A-Za-z0-9]/g, '')
  if (/^(of|and|the|for|to|in|or|&)?$/i.test(bare) && spells(rest, short)) return true
  if (
    bare !== '' &&
    bare === bare.toUpperCase() &&
    short.startsWith(bare) &&
    spells(rest, short.slice(bare.length))
  ) {
    return true
  }
  // SMETS1 is S1 in S1SP.
  const numbered = bare.replace(/^([A-Z])[A-Z]+(\d)$/, '$1$2')
  if (numbered !== bare && short.startsWith(numbered) && spells(rest, short.slice(numbered.length))) return true
  return bare !== '' && short.startsWith(bare[0]!.toUpperCase()) && spells(rest, short.slice(1))
}
