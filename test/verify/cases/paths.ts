/** Cases about building paths: several candidates, loops, cross-certificates, anchors as targets, and floods. */

import { extensions as ext, p256 } from '../forge.ts'
import { type Authority, type Case, ca, ica, keys, leaf, root } from '../scene.ts'

const elsewhere = ca('Elsewhere', keys.other)

/** Two CAs that certify each other, and neither leads anywhere. */
function loop(): Authority[] {
  const one = { ...ca('One', keys.ica), subject: ca('One', keys.ica).subject }
  const two = ca('Two', keys.sub, one)
  return [ca('One', keys.ica, two), two]
}

/** CAs of one name that all certify each other, and a leaf by one of them. None leads anywhere. */
function flood(count: number): Pick<Case, 'target' | 'untrusted'> {
  const pairs = Array.from({ length: count }, p256)
  const authorities = pairs.map((key): Authority => ({ ...ica, key }))
  return {
    target: leaf(keys.leaf, authorities[0]!),
    untrusted: pairs.flatMap(key => authorities.filter(by => by.key !== key).map(by => ca('Issuing', key, by).der)),
  }
}

const loops = loop()
const lookalike = ca('Issuing', keys.other, root)
const crossed = ca('Root', keys.root, elsewhere)
const crossedExpired = ca('Root', keys.root, elsewhere, { until: '2021-01-01' })
const narrow = ca('Issuing', keys.ica, root, { extra: [ext.unknown(true)] })
const selfMade = leaf(
  keys.leaf,
  { subject: ca('leaf', keys.leaf).subject, key: keys.leaf, der: root.der },
  { aki: null },
)

/** A chain of that many CAs below the root. */
function tower(height: number): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const floors: Authority[] = [root]
  for (let i = 1; i <= height; i++) floors.push(ca(`Floor ${i}`, p256(), floors[i - 1]!))
  return {
    target: leaf(keys.leaf, floors[height]!),
    trust: [root.der],
    untrusted: floors.slice(1).map(({ der }) => der),
  }
}

/** Root A, with B and C that all certify each other (CVE-2024-0567). */
function triangle(): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const [a, b, c] = [ca('A', keys.root), ca('B', keys.other), ca('C', keys.sub)]
  const each = [
    [a, b],
    [a, c],
    [b, a],
    [b, c],
    [c, a],
    [c, b],
  ] as const
  const texts = new Map([
    [a, 'A'],
    [b, 'B'],
    [c, 'C'],
  ])
  const below = ca('A1', keys.ica, a)
  return {
    target: leaf(keys.leaf, below),
    trust: [a.der],
    untrusted: [below.der, ...each.map(([subject, by]) => ca(texts.get(subject)!, subject.key, by).der)],
  }
}

export const pathCases: Case[] = [
  {
    says: 'another root is trusted',
    expect: ['NO_PATH'],
    target: leaf(keys.leaf, ica),
    trust: [elsewhere.der],
    untrusted: [ica.der, root.der],
  },
  { says: 'the issuing CA is missing', expect: ['NO_PATH'], target: leaf(keys.leaf, ica), trust: [root.der] },
  {
    says: 'the issuing CA is trusted and the root is not',
    expect: 'valid',
    target: leaf(keys.leaf, ica),
    trust: [ica.der],
    untrusted: [root.der],
  },
  {
    says: 'a CA of the same name with another key stands beside',
    expect: 'valid',
    target: leaf(keys.leaf, ica),
    trust: [root.der],
    untrusted: [lookalike.der, ica.der],
  },
  {
    says: 'only that CA is there, and the leaf names no key',
    expect: ['KEY_IDENTIFIER_MISSING', 'SIGNATURE_BAD'],
    target: leaf(keys.leaf, ica, { aki: null }),
    trust: [root.der],
    untrusted: [lookalike.der],
  },
  {
    says: 'only that CA is there',
    expect: ['KEY_IDENTIFIER_MISMATCH'],
    target: leaf(keys.leaf, ica),
    trust: [root.der],
    untrusted: [lookalike.der],
  },
  {
    says: 'of two certificates of the CA only one is good',
    expect: 'valid',
    yesAgainstOpenssl: 'ALL_PATHS_TRIED',
    target: leaf(keys.leaf, ica),
    trust: [root.der],
    untrusted: [narrow.der, ica.der],
  },
  {
    says: 'of two certificates of the CA only the bad one is there',
    expect: ['UNKNOWN_CRITICAL_EXTENSION'],
    target: leaf(keys.leaf, narrow),
    trust: [root.der],
    untrusted: [narrow.der],
  },
  {
    says: 'the root is trusted and cross-certified by one that has expired',
    expect: 'valid',
    target: leaf(keys.leaf, ica),
    trust: [root.der, elsewhere.der],
    untrusted: [crossedExpired.der, ica.der],
  },
  {
    says: 'the root is not trusted, and cross-certified by one that is',
    expect: 'valid',
    yesAgainstOpenssl: 'ALL_PATHS_TRIED',
    target: leaf(keys.leaf, ica),
    trust: [elsewhere.der],
    untrusted: [root.der, crossed.der, ica.der],
  },
  {
    says: 'the same with a cross-certificate that has expired',
    expect: ['EXPIRED'],
    target: leaf(keys.leaf, ica),
    trust: [elsewhere.der],
    untrusted: [root.der, crossedExpired.der, ica.der],
  },
  { says: 'three roots certify each other and one is trusted', expect: 'valid', ...triangle() },
  {
    says: 'two CAs certify each other and lead nowhere',
    expect: ['NO_PATH'],
    target: leaf(keys.leaf, loops[0]!),
    trust: [root.der],
    untrusted: loops.map(({ der }) => der),
  },
  {
    says: 'nine CAs of one name certify each other',
    expect: ['NO_PATH', 'SEARCH_LIMIT'],
    trust: [elsewhere.der],
    ...flood(9),
  },
  { says: 'fourteen CAs below the root', expect: 'valid', ...tower(14) },
  { says: 'fifteen CAs below the root', expect: ['SEARCH_LIMIT'], ...tower(15) },

  {
    says: 'a self-signed end entity that nobody trusts',
    expect: ['KEY_IDENTIFIER_MISSING', 'NO_PATH'],
    target: selfMade,
    trust: [root.der],
  },
  {
    says: 'the same among the untrusted',
    expect: ['KEY_IDENTIFIER_MISSING', 'NO_PATH'],
    target: selfMade,
    trust: [root.der],
    untrusted: [selfMade],
  },
  {
    says: 'the same among the trusted, where it is no CA',
    expect: ['NOT_A_CA', 'KEY_USAGE'],
    target: selfMade,
    trust: [selfMade],
  },
  {
    says: 'an end entity among the trusted, without its CA',
    expect: ['NO_PATH'],
    target: leaf(keys.leaf, ica, { serial: 5 }),
    trust: [leaf(keys.leaf, ica, { serial: 5 })],
  },
  { says: 'a root that is trusted', expect: 'valid', target: root.der, trust: [root.der] },
  {
    says: 'a root that is only among the untrusted',
    expect: ['KEY_IDENTIFIER_MISSING', 'NO_PATH'],
    target: root.der,
    trust: [elsewhere.der],
    untrusted: [root.der],
  },
  {
    says: 'a root with the name and key of a trusted one',
    expect: ['KEY_IDENTIFIER_MISSING', 'NO_PATH'],
    target: ca('Root', keys.root, undefined, { until: '2039-01-01' }).der,
    trust: [root.der],
  },
  {
    says: 'a root with the name of a trusted one',
    expect: ['KEY_IDENTIFIER_MISMATCH'],
    target: ca('Root', keys.other, undefined, { aki: ext.aki(keys.other.id) }).der,
    trust: [root.der],
  },
  {
    says: 'an issuing CA that is trusted, and nothing else',
    expect: ['NO_PATH'],
    target: ica.der,
    trust: [ica.der],
  },
  {
    says: 'an issuing CA that is trusted, as is its root',
    expect: 'valid',
    target: ica.der,
    trust: [ica.der, root.der],
  },
  { says: 'an issuing CA under a trusted root', expect: 'valid', target: ica.der, trust: [root.der] },
  {
    says: 'an issuing CA twice among the untrusted',
    expect: 'valid',
    target: leaf(keys.leaf, ica),
    trust: [root.der],
    untrusted: [ica.der, ica.der],
  },
]
