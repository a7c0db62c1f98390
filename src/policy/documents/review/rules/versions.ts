/** What is said of X.509 versions: a certificate has version 3, a revocation list version 2 (SEED-001, RFC 5280 4.1.2.1, 5.1.2.1). */

import { type Fault, quoted, type ReviewRule } from '../rule.ts'
import { type Source, sentenceAt } from '../source.ts'

export const versionRules: readonly ReviewRule[] = [
  {
    id: 'x509_certificate_version',
    severity: 'error',
    says: 'the version of an X.509 certificate is 3',
    where: 'SEED-001, RFC 5280 4.1.2.1',
    faults: source => wrong(source, 'certificate', 3),
  },
  {
    id: 'x509_list_version',
    severity: 'error',
    says: 'the version of an X.509 revocation list is 2',
    where: 'RFC 5280 5.1.2.1',
    faults: source => wrong(source, 'list', 2),
  },
  {
    id: 'annex_agrees',
    severity: 'error',
    says: 'the text and the profiles of the annex give one version',
    where: 'SEED-001',
    *faults(source) {
      const annexes = source.sections.filter(({ heading }) => /^(Annex|Appendix)\b/.test(heading.number ?? ''))
      const inAnnex = new Set(annexes.flatMap(one => one.paragraphs))
      const all = versionsIn(source)
      for (const what of ['certificate', 'list'] as const) {
        const profile = all.find(one => one.what === what && inAnnex.has(one.paragraph))
        if (!profile) continue
        for (const one of all) {
          if (one.what !== what || inAnnex.has(one.paragraph) || one.version === profile.version) continue
          const found = `${quoted(one.shown)}: the annex has version ${profile.version} in ${profile.line}`
          yield { line: one.line, found }
        }
      }
    },
  },
]

function* wrong(source: Source, what: Stated['what'], right: number): Generator<Fault> {
  for (const one of versionsIn(source)) {
    if (one.what === what && one.version !== right) yield { line: one.line, found: quoted(one.shown) }
  }
}

interface Stated {
  readonly what: 'certificate' | 'list'
  readonly version: number
  readonly shown: string
  readonly line: number
  readonly paragraph: Source['paragraphs'][number]
}

const spelled: Readonly<Record<string, number>> = { one: 1, two: 2, three: 3 }
const isList = /\b(CRLs?|ARLs?|(?:Certificate|Authority) Revocation Lists?|revocation lists?)\b/gi
const isCertificate = /\bcertificates?\b(?! (?:Revocation|Policy|Policies|Signing))/gi

/**
 * Versions that a sentence states of X.509 things. What it speaks of is what stands nearest, not the number of its
 * section: RFC 3647 numbers the version of lists 7.2.1 (disagreement D9). A sentence that corrects a version states only the
 * corrected one.
 */
function versionsIn({ paragraphs, sections }: Source): Stated[] {
  return paragraphs.flatMap(paragraph => {
    const { text, line, lineAt } = paragraph
    return [
      ...text.matchAll(
        /\b(?:[Vv]ersion(?: number)?(?: is| of)?[:\s]*\(?[Vv]?|[Vv])([1-9]|one|two|three)\b(?!\.\d)/g,
      ),
    ].flatMap((match): Stated[] => {
      const sentence = sentenceAt(text, match.index)
      const header = sections.findLast(({ heading }) => heading.line < line)?.heading.title ?? ''
      const about = /X\.?509|RFC ?5280/i.test(`${sentence} ${header}`) || isVersionHeader(header)
      if (!about || isCorrected(sentence, match[0])) return []
      const place = sentence.indexOf(match[0])
      const what = nearest(sentence, place) ?? nearest(header, 0)
      if (what === undefined) return []
      const version = spelled[match[1]!] ?? Number(match[1])
      return [{ what, version, shown: sentence, line: lineAt(match.index), paragraph }]
    })
  })
}

const isVersionHeader = (header: string) => /version number/i.test(header)

/** "indicates that Version 2 is being used, which should be Version 3" */
function isCorrected(sentence: string, shown: string): boolean {
  const should = sentence.search(/\bshould (?:be|read)\b|\binstead of\b|\brather than\b/)
  if (should < 0) return false
  const before = sentence.indexOf(shown) < should
  return /\bshould/.test(sentence.slice(should, should + 8)) ? before : !before
}

function nearest(sentence: string, place: number): Stated['what'] | undefined {
  const distance = (pattern: RegExp) =>
    Math.min(
      ...[...sentence.matchAll(pattern)].map(({ index }) => Math.abs(index - place)),
      Number.POSITIVE_INFINITY,
    )
  const [list, certificate] = [distance(isList), distance(isCertificate)]
  if (list === Number.POSITIVE_INFINITY && certificate === Number.POSITIVE_INFINITY) return undefined
  return list <= certificate ? 'list' : 'certificate'
}
