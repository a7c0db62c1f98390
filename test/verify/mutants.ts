/** Chains put together at random and octets spoilt at random, from a seed: the same seed gives the same choices. */

import type { Bytes } from '../../src/ground/bytes.ts'
import { nothing, sequence } from '../../src/ground/der/write.ts'
import { oids } from '../../src/ground/x509/names.ts'
import {
  algorithm,
  algorithms,
  cn,
  extensions as ext,
  extension,
  forgeListTbs,
  forgeTbs,
  type ListParts,
  name,
  printableCn,
} from './forge.ts'
import type { Setting } from './openssl.ts'
import { type Authority, type Change, ca, keys, leaf, list, root } from './scene.ts'

/** Numbers from 0 up to a bound, evenly (mulberry32). */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

type Roll = ReturnType<typeof dice>
const pick = <T>(roll: Roll, from: readonly T[]): T => from[roll(from.length)]!

/** One to three octets changed, put in, taken out or doubled. */
export function spoil(roll: Roll, octets: Bytes): Buffer {
  let out = Buffer.from(octets)
  for (let times = pick(roll, [1, 1, 1, 2, 3]); times > 0; times--) {
    const at = roll(out.length)
    const rest = out.subarray(at + 1)
    const here = out.subarray(0, at)
    const octet = out[at]!
    out = pick(roll, [
      () => Buffer.concat([here, Buffer.of(octet ^ (1 << roll(8))), rest]),
      () => Buffer.concat([here, Buffer.of(octet ^ (1 << roll(8))), rest]),
      () => Buffer.concat([here, Buffer.of(roll(256)), rest]),
      () => Buffer.concat([here, Buffer.of((octet + 1) & 0xff), rest]),
      () => Buffer.concat([here, rest]),
      () => Buffer.concat([here, Buffer.of(octet, octet), rest]),
    ])()
  }
  return out
}

const policies = ['1.2.3.1', '1.2.3.2', oids.anyPolicy]

/** What may be different about any certificate. */
const common: ((roll: Roll) => Change)[] = [
  () => ({ extra: [ext.unknown(true)] }),
  () => ({ extra: [ext.unknown(false)] }),
  roll => ({ extra: [ext.policies(pick(roll, policies))] }),
  () => ({ extra: [ext.policies('1.2.3.1', '1.2.3.2')] }),
  roll => ({ extra: [ext.policies('1.2.3.1'), ext.policyConstraints(roll(3))] }),
  roll => ({ extra: [ext.policies(pick(roll, policies)), ext.inhibitAny(roll(3))] }),
  roll => ({ extra: [extension(oids.nameConstraints, roll(2) === 0, sequence())] }),
  roll => ({ extra: [ext.dns('a.example', roll(2) === 0)] }),
  roll => ({ extra: [ext.purposes(roll(2) === 0, oids.clientAuth)] }),
  () => ({ from: '2025-06-01' }),
  () => ({ from: '2025-06-01T00:00:01' }),
  () => ({ until: '2025-05-31T23:59:59' }),
  () => ({ until: '2025-06-01' }),
  () => ({ until: '2060-01-01' }),
  roll => ({ serial: Buffer.alloc(1 + roll(22), 1 + roll(255)) }),
  () => ({ serial: 0 }),
  () => ({ ski: null }),
  () => ({ aki: null }),
  () => ({ usage: null }),
  () => ({ ski: ext.ski(keys.other.id) }),
  () => ({ aki: ext.aki(keys.other.id) }),
  () => ({ usage: ext.usage('digitalSignature', 'keyCertSign') }),
  () => ({ usage: ext.usage('cRLSign') }),
  () => ({ usage: ext.usage('keyAgreement') }),
  roll => ({ version: pick(roll, [1, 2, 3] as const), extensions: [] }),
  () => ({ subject: name() }),
  roll => ({ by: pick(roll, [keys.other, keys.ica]) }),
  () => ({ outer: algorithms.rsaSha256 }),
  () => ({ inner: algorithm(oids.ecdsaWithSha256, nothing()), outer: algorithm(oids.ecdsaWithSha256, nothing()) }),
  roll => ({ constraints: ext.constraints(true, roll(2)) }),
  () => ({ constraints: ext.constraints(true, undefined, false) }),
  () => ({ constraints: ext.constraints(false) }),
  () => ({ constraints: ext.constraints(false, 0) }),
  () => ({ constraints: null }),
]

const listChanges: ((roll: Roll, serial: number) => Partial<ListParts>)[] = [
  () => ({}),
  () => ({ revoked: [{ serial: 1 }] }),
  (roll, serial) => ({ revoked: [{ serial, reason: pick(roll, [0, 1, 6, 8]) }] }),
  (_, serial) => ({ revoked: [{ serial: serial + 1, extensions: [ext.unknown(true)] }] }),
  () => ({ until: '2025-05-31' }),
  () => ({ until: '2025-06-01' }),
  () => ({ from: '2025-06-02' }),
  () => ({ until: null }),
  () => ({ version: 1, extensions: [] }),
  () => ({ by: keys.other }),
  roll => ({ extensions: [ext.aki(pick(roll, [keys.other, keys.ica, keys.root]).id), ext.crlNumber(3)] }),
  roll => ({ extensions: [ext.crlNumber(3), ext.unknown(roll(2) === 0)] }),
  () => ({ issuer: cn('Elsewhere') }),
]

/** A chain of two or three, with about one thing in two different, and several leaves under it. */
export function scramble(roll: Roll, leaves: number): { setting: Setting; targets: Buffer[] } {
  const some = (chance: number): Change => (roll(100) < chance ? pick(roll, common)(roll) : {})
  const top = ca('Root', keys.root, undefined, some(25))
  const serial = 5000 + roll(100)
  const below = ca('Issuing', keys.ica, top, { serial: serial + 500, ...some(35) })
  const issuer: Authority =
    roll(4) === 0
      ? ca('Low', keys.sub, below, { ...some(35) })
      : roll(6) === 0
        ? { ...below, subject: printableCn('ISSUING') }
        : below
  const targets = Array.from({ length: leaves }, () => leaf(keys.leaf, issuer, { serial, ...some(70) }))
  const setting: Setting = {
    trust: roll(8) === 0 ? [below.der] : [top.der],
    untrusted: roll(10) === 0 ? [] : [...new Set([below.der, issuer.der])],
    ...(roll(3) === 0 ? { policies: [pick(roll, policies)] } : {}),
    ...(roll(2) === 0 ? { lists: listsFor(roll, [top, below, issuer], serial) } : {}),
    ...(roll(12) === 0 ? { at: 'ignore' } : {}),
  }
  return { setting, targets }
}

function listsFor(roll: Roll, authorities: readonly Authority[], serial: number): Buffer[] {
  return [...new Set(authorities)].flatMap(by =>
    Array.from({ length: roll(8) === 0 ? 2 : 1 }, () =>
      list(by, roll(3) === 0 ? pick(roll, listChanges)(roll, roll(2) === 0 ? serial : serial + 500) : {}),
    ),
  )
}

/** To-be-signed certificates of many shapes under the ordinary issuing CA, to be spoilt and signed again. */
export function shapes(issuer: Authority): Buffer[] {
  const base = { issuer: issuer.subject, by: issuer.key, spki: keys.leaf.spki, subject: cn('leaf') }
  const ids = [ext.ski(keys.leaf.id), ext.aki(issuer.key.id)]
  return [
    forgeTbs({ ...base, extensions: [ext.usage('digitalSignature'), ...ids] }),
    forgeTbs({
      ...base,
      extensions: [ext.usage('keyAgreement'), ext.constraints(false), ext.policies('1.2.3.1'), ...ids],
    }),
    forgeTbs({
      ...base,
      subject: name(),
      until: '9999-12-31T23:59:59',
      extensions: [ext.usage('digitalSignature'), ext.device(Buffer.alloc(8, 7)), ext.policies('1.2.3.1'), ...ids],
    }),
    forgeTbs({
      ...base,
      extensions: [
        ext.usage('digitalSignature', 'keyEncipherment'),
        ext.purposes(true, oids.clientAuth, oids.serverAuth),
        ext.dns('a.example'),
        ext.policyConstraints(3),
        ext.inhibitAny(2),
        ext.unknown(false),
        ext.fullAki(issuer.key.id, root.subject, 1),
        ext.ski(keys.leaf.id),
      ],
    }),
  ]
}

/** The to-be-signed issuing CA, and lists of it. */
export function caShape(): Buffer {
  return forgeTbs({
    issuer: root.subject,
    subject: cn('Issuing'),
    by: root.key,
    spki: keys.ica.spki,
    extensions: [
      ext.usage('keyCertSign', 'cRLSign'),
      ext.constraints(true, 0),
      ext.policies('1.2.3.1'),
      ext.ski(keys.ica.id),
      ext.aki(root.key.id),
    ],
  })
}

export function listShapes(issuer: Authority, serial: number): Buffer[] {
  const base = { issuer: issuer.subject, by: issuer.key }
  return [
    forgeListTbs(base),
    forgeListTbs({
      ...base,
      revoked: [{ serial: 1, reason: 1 }, { serial: serial - 1 }, { serial: serial + 256, reason: 4 }],
    }),
    forgeListTbs({
      ...base,
      revoked: [
        { serial, reason: 1 },
        { serial: 7, reason: 6 },
      ],
    }),
  ]
}
