/** Standards that documents of the Code cite, and what became of them: a register with its date (GOV-A06, ASSUMED(H)). */

import { z } from 'zod'

/** Checked against the publishers' indexes by memory of them, not on line: whoever relies on a row looks it up. */
export const registerDate = '2025-12-31'

export interface Standard {
  readonly id: string
  readonly status: 'current' | 'superseded' | 'deprecated' | 'historic' | 'withdrawn'
  /** What is cited instead. */
  readonly replacedBy?: string | undefined
  /** Where it is not the usual form of the id. */
  readonly pattern?: RegExp | undefined
}

/** What an environment knows better. */
export const standardChange = z.strictObject({
  status: z.enum(['current', 'superseded', 'deprecated', 'historic', 'withdrawn']),
  replacedBy: z.string().min(1).optional(),
})

const superseded = (list: Readonly<Record<string, string>>): Standard[] =>
  Object.entries(list).map(([id, replacedBy]) => ({ id, status: 'superseded', replacedBy }))
const rfcs = (list: Readonly<Record<number, number>>) =>
  superseded(Object.fromEntries(Object.entries(list).map(([old, now]) => [`RFC ${old}`, `RFC ${now}`])))
const current = (...numbers: number[]): Standard[] =>
  numbers.map(number => ({ id: `RFC ${number}`, status: 'current' }))

/** The last in a chain is what is cited instead: RFC 2459 → RFC 5280, by way of RFC 3280. */
export const standards: readonly Standard[] = [
  // Certificates and lists.
  ...rfcs({ 2459: 5280, 3280: 5280, 4325: 5280, 4630: 5280, 2527: 3647, 3281: 5755, 2560: 6960, 5019: 9654 }),
  ...rfcs({ 2510: 9810, 4210: 9810, 6712: 9811, 2511: 4211, 2314: 2986, 6125: 9525, 6962: 9162, 2587: 4523 }),
  ...current(5280, 3647, 5755, 6960, 9810, 9811, 4211, 2986, 5272, 6818, 5934, 3779, 4523, 9549, 9598, 7468),
  // Messages, keys and algorithms.
  ...rfcs({ 2630: 5652, 3369: 5652, 3852: 5652, 2437: 8017, 3447: 8017, 2898: 8018, 5208: 5958, 4492: 8422 }),
  ...current(5652, 8017, 8018, 5958, 3279, 4055, 5480, 5758, 5083, 5084, 3394, 5649, 2104, 4868, 3161, 5639, 8422),
  { id: 'RFC 5759', status: 'historic', replacedBy: 'RFC 8423, RFC 8603' },
  { id: 'RFC 6460', status: 'historic', replacedBy: 'RFC 8423' },
  // Transport and the web.
  { id: 'RFC 2246', status: 'deprecated', replacedBy: 'RFC 8446 (RFC 8996)' },
  { id: 'RFC 4346', status: 'deprecated', replacedBy: 'RFC 8446 (RFC 8996)' },
  { id: 'TLS 1.0', status: 'deprecated', replacedBy: 'TLS 1.2 or 1.3 (RFC 8996)', pattern: /\bTLS ?v?1\.0\b/g },
  { id: 'TLS 1.1', status: 'deprecated', replacedBy: 'TLS 1.2 or 1.3 (RFC 8996)', pattern: /\bTLS ?v?1\.1\b/g },
  { id: 'SSL', status: 'deprecated', replacedBy: 'TLS (RFC 7568)', pattern: /\bSSL ?v?[23](?:\.0)?\b/g },
  ...rfcs({ 5246: 8446, 2616: 9110, 2818: 9110, 7230: 9112, 7231: 9110, 7525: 9325, 2396: 3986, 2253: 4514 }),
  ...rfcs({ 2251: 4511, 822: 5322, 2822: 5322 }),
  ...current(8446, 9110, 9112, 9325, 3986, 4514, 4511, 5322, 2119, 8174, 4180, 3339, 4251, 4252, 4253, 4254, 8996),
  { id: 'RFC 2559', status: 'historic', replacedBy: 'RFC 4511 (RFC 3494)' },
  // Federal standards of the United States.
  ...superseded({
    'FIPS 140-1': 'FIPS 140-3',
    'FIPS 140-2': 'FIPS 140-3',
    'FIPS 186-2': 'FIPS 186-5',
    'FIPS 186-3': 'FIPS 186-5',
    'FIPS 186-4': 'FIPS 186-5',
    'FIPS 180-1': 'FIPS 180-4',
    'FIPS 180-2': 'FIPS 180-4',
    'FIPS 180-3': 'FIPS 180-4',
  }),
  ...['FIPS 140-3', 'FIPS 186-5', 'FIPS 180-4', 'FIPS 197'].map(id => ({ id, status: 'current' as const })),
  { id: 'FIPS 46-3', status: 'withdrawn', replacedBy: 'FIPS 197' },
  { id: 'NSA Suite B', status: 'withdrawn', replacedBy: 'CNSA', pattern: /\b(?:NSA )?Suite B\b/g },
  // International and British standards.
  {
    id: 'ISO 27001:2013',
    status: 'superseded',
    replacedBy: 'ISO/IEC 27001:2022',
    pattern: /\bISO(?:\/IEC)? ?27001:20(?:05|13)\b/g,
  },
  {
    // The controls on cryptography had this number in 2005 and 2013 only.
    id: 'ISO 27001 A.10.1.2',
    status: 'superseded',
    replacedBy: 'ISO/IEC 27001:2022 A.8.24',
    pattern: /\bA\.?10\.1\.2\b(?=.{0,80}ISO)|ISO(?:\/IEC)? ?27001[^.]{0,40}\bA\.?10\.1\.2\b/g,
  },
  {
    id: 'ISO 27002:2013',
    status: 'superseded',
    replacedBy: 'ISO/IEC 27002:2022',
    pattern: /\bISO(?:\/IEC)? ?27002:20(?:05|13)\b/g,
  },
  { id: 'ISO 17799', status: 'superseded', replacedBy: 'ISO/IEC 27002', pattern: /\bISO(?:\/IEC)? ?17799\b/g },
  { id: 'BS 25999', status: 'withdrawn', replacedBy: 'ISO 22301', pattern: /\bBS ?25999\b/g },
  { id: 'BS 7858:2012', status: 'superseded', replacedBy: 'BS 7858:2019', pattern: /\bBS ?7858:20(?:06|12)\b/g },
  { id: 'ETSI TS 101 456', status: 'superseded', replacedBy: 'ETSI EN 319 411-2', pattern: /\bTS 101 456\b/g },
  { id: 'ETSI TS 102 042', status: 'superseded', replacedBy: 'ETSI EN 319 411-1', pattern: /\bTS 102 042\b/g },
  {
    id: 'HMG Information Assurance Standard',
    status: 'withdrawn',
    replacedBy: 'guidance of the NCSC',
    pattern: /\b(?:HMG )?(?:IA|Information Assurance) Standard (?:No\.? ?)?\d\b/g,
  },
  { id: 'CESG', status: 'withdrawn', replacedBy: 'NCSC', pattern: /\bCESG\b/g },
]

/** How an id is written in prose: `RFC5280`, `RFC 5280`, `FIPS PUB 140-2`. */
export function patternOf({ id, pattern }: Standard): RegExp {
  if (pattern) return pattern
  const [family, number] = id.split(' ')
  const digits = number!.replace('.', '\\.')
  return new RegExp(`\\b${family}(?: ?PUB)?[ -]?0*${digits}(?![\\d-]|\\.\\d)`, 'g')
}

/** The register as an environment has it. */
export function standardsWith(
  changes: Readonly<Record<string, { status: Standard['status']; replacedBy?: string | undefined }>>,
): Standard[] {
  const known = standards.map(one => ({ ...one, ...changes[one.id] }))
  const added = Object.entries(changes).filter(([id]) => !standards.some(one => one.id === id))
  return [...known, ...added.map(([id, change]) => ({ id, ...change }))]
}
