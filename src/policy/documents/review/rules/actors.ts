/** Provisions about one act name the same roles: who may request it, and whose request is processed (SEED-003: 8.3.3, 8.3.4). */

import { quoted, type ReviewRule } from '../rule.ts'
import type { Source } from '../source.ts'

/** Roles by the Code's names, the longer before what they contain. */
const roles: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['SMKI Registration Authority Manager', /\bRegistration Authority Managers?\b/g],
  ['SMKI Registration Authority Personnel', /\bRegistration Authority Personnel\b/g],
  ['SMKI PMA Member', /\bPMA Members?\b/g],
  ['SMKI PMA', /\bPMA\b(?! Members?)/g],
  ['Senior Responsible Officer', /\bSenior Responsible Officers?\b|\bSROs?\b/g],
  ['Authorised Responsible Officer', /\bAuthorised Responsible Officers?\b|\bAROs?\b/g],
  ['Nominating Officer', /\bNominating Officers?\b/g],
  ['Director or Company Secretary', /\bDirectors?\b|\bCompany Secretary\b/g],
  ['Security Sub-Committee', /\bSecurity Sub-?\s?Committee\b|\bSSC\b/g],
]

const acts = ['revocation', 'suspension', 'nomination', 'recovery', 'issue', 'replacement'] as const

export const actorRules: readonly ReviewRule[] = [
  {
    id: 'actors_differ',
    severity: 'error',
    says: 'the roles that may request an act are those that the procedure for it names',
    where: 'SEED-003 (RAPP 8.3.3 and 8.3.4)',
    *faults(source) {
      const provisions = provisionsOf(source)
      for (const asked of provisions) {
        if (asked.does !== 'may request') continue
        const done = provisions.find(
          one =>
            one.does === 'procedure' &&
            one.act === asked.act &&
            one.parent === asked.parent &&
            one.line > asked.line,
        )
        if (!done) continue
        const missing = asked.roles.filter(one => !done.roles.includes(one))
        const added = done.roles.filter(one => !asked.roles.includes(one))
        const says = [
          ...(missing.length > 0
            ? [`${asked.number} names ${missing.join(', ')}, and ${done.number} does not`]
            : []),
          ...(added.length > 0 ? [`${done.number} names ${added.join(', ')}, and ${asked.number} does not`] : []),
        ]
        if (says.length > 0) yield { line: done.line, found: `${asked.act}: ${says.join('; ')}` }
      }
    },
  },
]

interface Provision {
  readonly number: string
  readonly parent: string
  readonly line: number
  readonly act: (typeof acts)[number]
  readonly does: 'may request' | 'procedure'
  readonly roles: readonly string[]
}

/** Of the sections of the document, and of those that it quotes as `Section 8.3.3: …`. */
function provisionsOf({ sections, paragraphs }: Source): Provision[] {
  const own = sections.flatMap(({ heading, paragraphs: within }) =>
    heading.number !== undefined && /\./.test(heading.number)
      ? [
          {
            number: heading.number,
            line: heading.line,
            text: [heading.title, ...within.map(one => one.text)].join(' '),
          },
        ]
      : [],
  )
  const quotedOnes = paragraphs.flatMap(({ text, line }) => {
    const found = /^Section (\d+(?:\.\d+)+): (.*)$/s.exec(text)
    return found ? [{ number: found[1]!, line, text: found[2]! }] : []
  })
  return [...own, ...quotedOnes].flatMap(({ number, line, text }): Provision[] => {
    const act = acts.find(one => new RegExp(`\\b${one}\\b`, 'i').test(text))
    const does = /\bmay request\b/i.test(text)
      ? 'may request'
      : /\bprocedure (?:for|to)\b/i.test(text)
        ? 'procedure'
        : undefined
    if (act === undefined || does === undefined) return []
    const named = roles.filter(([, pattern]) => text.search(pattern) >= 0).map(([name]) => name)
    return [{ number, parent: number.slice(0, number.lastIndexOf('.')), line, act, does, roles: named }]
  })
}

/** A form has a field for what a provision demands to be filled in on it (SEED-003: A1 could not map EUI-64 to User Roles). */
const duties: readonly { form: RegExp; name: string; demands: RegExp; field: RegExp; what: string }[] = [
  {
    name: 'Organisation Information Form',
    form: /Organisation Information Form|\(A1\)/,
    demands: /EUI-?64[^.]*User Role/,
    field: /User Role/,
    what: 'the User Role of each EUI-64 range',
  },
  {
    name: 'Organisation Information Form',
    form: /Organisation Information Form|\(A1\)/,
    demands: /EUI-?64[^.]*range/i,
    field: /EUI-?64/,
    what: 'the range of EUI-64 identifiers',
  },
]

export const formRules: readonly ReviewRule[] = [
  {
    id: 'form_without_field',
    severity: 'error',
    says: 'a form has a field for every duty that names it',
    where: 'SEED-003 (RAPP 5.1(b), A1)',
    *faults(source) {
      for (const { form, name, demands, field, what } of duties) {
        const shown = source.sections.find(({ heading }) => form.test(`${heading.number} ${heading.title}`))
        if (!shown) continue
        const inForm = new Set(shown.paragraphs)
        const demanded = source.paragraphs.find(one => !inForm.has(one) && demands.test(one.text))
        if (!demanded || shown.paragraphs.some(one => field.test(one.text))) continue
        yield {
          line: shown.heading.line,
          found: `${name} has no field for ${what}, asked in ${demanded.line}: ${quoted(demanded.text, 50)}`,
        }
      }
    },
  },
]
