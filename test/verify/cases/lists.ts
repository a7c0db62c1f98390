/** Cases about revocation lists: whose they are, whether they are understood, what they revoke and when. */

import { boolean, element, sequence } from '../../../src/ground/der/write.ts'
import { oids } from '../../../src/ground/x509/names.ts'
import { algorithm, extensions as ext, extension, type ListParts, name } from '../forge.ts'
import { type Authority, type Case, type Change, ca, ica, keys, leaf, list, moment, root } from '../scene.ts'

const number = 4711
const target = leaf(keys.leaf, ica, { serial: number })
const caNumber = 815
const numbered = ca('Issuing', keys.ica, root, { serial: caNumber, pathLength: 0 })
const rootList = list(root)
const good = list(ica)
const revoked = { serial: number, reason: 1 }
const noise = [{ serial: 1 }, { serial: number + 1, reason: 4 }, { serial: Buffer.alloc(16, 0x55) }]

/** root → ica → leaf, with the root's good list and these of the issuing CA. */
const under = (...lists: Buffer[]): Pick<Case, 'target' | 'trust' | 'untrusted' | 'lists'> => ({
  target,
  trust: [root.der],
  untrusted: [ica.der],
  lists: [rootList, ...lists],
})

const withList = (change: Partial<ListParts>) => under(list(ica, change))
/** What a list has anyway, and something more. */
const more = (...extra: Buffer[]) => ({ extensions: [ext.aki(keys.ica.id), ext.crlNumber(1), ...extra] })
const after = (text: string, offset: number) =>
  new Date(Date.parse(text) + offset * 1000).toISOString().replace(/\.\d+Z$/, '')

const idp = (...content: Buffer[]) => extension(oids.issuingDistributionPoint, true, sequence(...content))
const delta = extension(oids.deltaCrlIndicator, true, Buffer.from('020101', 'hex'))
const lookalike: Authority = { ...ica, key: keys.other }
/** An issuing CA that may sign certificates only, as an Issuing DCA. */
const certOnly = ca('Issuing', keys.ica, root, { usage: ext.usage('keyCertSign'), pathLength: 0 })
const device = (change: Change = {}) =>
  leaf(keys.leaf, certOnly, { subject: name(), serial: number, extra: [ext.device(Buffer.alloc(8, 7))], ...change })
const devices = (lists: Buffer[], change: Change = {}): Pick<Case, 'target' | 'trust' | 'untrusted' | 'lists'> => ({
  target: device(change),
  trust: [root.der],
  untrusted: [certOnly.der],
  lists,
})
const spoil = (signature: Buffer) => {
  const other = Buffer.from(signature)
  other[other.length - 1]! ^= 1
  return other
}

const hard = ['LIST_NOT_UNDERSTOOD'] as const

export const listCases: Case[] = [
  { says: 'good lists of root and issuing CA', expect: 'valid', ...under(good) },
  { says: 'good lists with other entries', expect: 'valid', ...withList({ revoked: noise }) },
  { says: 'a leaf that is revoked', expect: ['REVOKED'], ...withList({ revoked: [...noise, revoked] }) },
  {
    says: 'a leaf that is revoked without a reason',
    expect: ['REVOKED'],
    ...withList({ revoked: [{ serial: number }] }),
  },
  {
    says: 'a leaf that is on hold',
    expect: ['REVOKED'],
    ...withList({ revoked: [{ serial: number, reason: 6 }] }),
  },
  {
    says: 'a leaf that was revoked before it began',
    expect: ['REVOKED'],
    ...withList({ revoked: [{ serial: number, at: '2010-01-01' }] }),
  },
  {
    says: 'a leaf that will be revoked',
    expect: ['REVOKED'],
    ...withList({ revoked: [{ serial: number, at: '2030-01-01' }] }),
  },
  {
    says: 'an issuing CA that is revoked',
    expect: ['REVOKED'],
    target: leaf(keys.leaf, numbered),
    trust: [root.der],
    untrusted: [numbered.der],
    lists: [list(root, { revoked: [{ serial: caNumber, reason: 2 }] }), good],
  },
  {
    says: 'the serial number of the leaf on the list of another issuer',
    expect: 'valid',
    target,
    trust: [root.der],
    untrusted: [ica.der],
    lists: [list(root, { revoked: [revoked] }), good],
  },
  { says: 'no list of the issuing CA', expect: ['LIST_MISSING'], ...under() },
  {
    says: 'a list by the issuing CA in another name',
    expect: ['LIST_MISSING'],
    ...withList({ issuer: ca('Elsewhere', keys.ica).subject }),
  },
  {
    says: 'no list of the root',
    expect: ['LIST_MISSING'],
    target,
    trust: [root.der],
    untrusted: [ica.der],
    lists: [good],
  },
  {
    says: 'no list at all, though asked for',
    expect: ['LIST_MISSING'],
    target,
    trust: [root.der],
    untrusted: [ica.der],
    lists: [],
    notForOpenssl: true,
  },
  { says: 'the list of another CA only', expect: ['LIST_MISSING'], ...under(list(ca('Elsewhere', keys.other))) },

  {
    says: 'a list by another key of the same name, which says so',
    expect: ['LIST_MISSING'],
    ...under(list(lookalike)),
  },
  {
    says: 'a list by another key, which names this one',
    expect: ['LIST_SIGNATURE_BAD'],
    ...under(list(lookalike, more())),
  },
  {
    says: 'a list by another key, beside a good one',
    expect: 'valid',
    ...under(list(lookalike, more()), good),
    yesAgainstOpenssl: 'FORGED_LIST_LEFT_ASIDE',
  },
  { says: 'a list with one bit of its signature changed', expect: ['LIST_SIGNATURE_BAD'], ...withList({ spoil }) },
  {
    says: 'a list whose signature is not DER',
    expect: ['LIST_SIGNATURE_BAD'],
    ...withList({ spoil: s => Buffer.concat([s, Buffer.of(0)]) }),
  },
  {
    says: 'a list with another algorithm inside than outside',
    expect: ['LIST_SIGNATURE_BAD'],
    ...withList({ inner: algorithm(oids.ecdsaWithSha384) }),
  },
  {
    says: 'a list that names another key and is by this one',
    expect: hard,
    ...withList({ extensions: [ext.aki(keys.other.id), ext.crlNumber(1)] }),
  },
  { says: 'a list that names no key', expect: hard, ...withList({ extensions: [ext.crlNumber(1)] }) },
  {
    says: 'an issuer that may not sign lists',
    expect: ['LIST_SIGNER'],
    target: leaf(keys.leaf, certOnly),
    trust: [root.der],
    untrusted: [certOnly.der],
    lists: [rootList, good],
  },
  {
    says: 'an issuer without keyUsage',
    expect: 'valid',
    target: leaf(keys.leaf, ica),
    trust: [root.der],
    untrusted: [ca('Issuing', keys.ica, root, { usage: null }).der],
    lists: [rootList, good],
    yesAgainstOpenssl: 'KEY_USAGE_IF_PRESENT',
  },

  { says: 'a list that is past its nextUpdate', expect: ['LIST_EXPIRED'], ...withList({ until: '2025-05-31' }) },
  {
    says: 'a list at the second of its nextUpdate',
    expect: ['LIST_EXPIRED'],
    ...withList({ until: after(moment, 0) }),
  },
  { says: 'a list one second before its nextUpdate', expect: 'valid', ...withList({ until: after(moment, 1) }) },
  { says: 'a list at the second of its thisUpdate', expect: 'valid', ...withList({ from: after(moment, 0) }) },
  {
    says: 'a list one second before its thisUpdate',
    expect: ['LIST_NOT_YET_VALID'],
    ...withList({ from: after(moment, 1) }),
  },
  {
    says: 'an expired list of the root',
    expect: ['LIST_EXPIRED'],
    target,
    trust: [root.der],
    untrusted: [ica.der],
    lists: [list(root, { until: '2025-05-31' }), good],
  },
  { says: 'a list without nextUpdate', expect: hard, ...withList({ until: null }) },
  {
    says: 'an expired list beside a good one',
    expect: 'valid',
    ...under(list(ica, { until: '2025-05-31' }), good),
  },
  {
    says: 'an expired list that revokes, beside a good one that forgot',
    expect: ['REVOKED'],
    ...under(list(ica, { until: '2025-05-31', revoked: [revoked] }), good),
  },
  {
    says: 'an expired list that holds, beside a good one that released',
    expect: 'valid',
    ...under(list(ica, { until: '2025-05-31', revoked: [{ serial: number, reason: 6 }] }), good),
  },
  {
    says: 'a later list that revokes later, beside a good one',
    expect: 'valid',
    ...under(
      list(ica, { from: '2025-06-15', until: '2025-08-01', revoked: [{ serial: number, at: '2025-06-10' }] }),
      good,
    ),
  },
  {
    says: 'a later list that revokes earlier, beside a good one',
    expect: ['REVOKED'],
    ...under(
      list(ica, { from: '2025-06-15', until: '2025-08-01', revoked: [{ serial: number, at: '2025-05-10' }] }),
      good,
    ),
  },
  {
    says: 'two good lists of which one revokes',
    expect: ['REVOKED'],
    ...under(good, list(ica, { revoked: [revoked] })),
  },
  {
    says: 'expired lists when dates do not count',
    expect: 'valid',
    ...withList({ until: '2025-05-02' }),
    at: 'ignore',
  },
  {
    says: 'an expired list that revokes when dates do not count',
    expect: ['REVOKED'],
    ...withList({ until: '2025-05-02', revoked: [revoked] }),
    at: 'ignore',
  },
  {
    says: 'lists without nextUpdate when dates do not count',
    expect: hard,
    ...withList({ until: null }),
    at: 'ignore',
  },

  { says: 'a list of version 1', expect: hard, ...withList({ version: 1, extensions: [] }) },
  { says: 'a list without cRLNumber', expect: hard, ...withList({ extensions: [ext.aki(keys.ica.id)] }) },
  {
    says: 'a list with a critical cRLNumber',
    expect: hard,
    ...withList({ extensions: [ext.aki(keys.ica.id), ext.crlNumber(1, true)] }),
  },
  {
    says: 'a list with a cRLNumber of 21 octets',
    expect: hard,
    ...withList({
      extensions: [ext.aki(keys.ica.id), extension(oids.crlNumber, false, element(2, Buffer.alloc(21, 1)))],
    }),
  },
  { says: 'a list with an unknown critical extension', expect: hard, ...withList(more(ext.unknown(true))) },
  { says: 'the same beside a good list', expect: hard, ...under(good, list(ica, more(ext.unknown(true)))) },
  {
    says: 'a list with an unknown extension that is not critical',
    expect: 'valid',
    ...withList(more(ext.unknown(false))),
  },
  {
    says: 'an entry with an unknown critical extension',
    expect: hard,
    ...withList({ revoked: [{ serial: 1, extensions: [ext.unknown(true)] }] }),
  },
  {
    says: 'the leaf’s entry with an unknown critical extension',
    expect: ['REVOKED', ...hard],
    ...withList({ revoked: [{ serial: number, extensions: [ext.unknown(true)] }] }),
  },
  {
    says: 'the leaf’s entry with an unknown extension that is not critical',
    expect: ['REVOKED'],
    ...withList({ revoked: [{ serial: number, extensions: [ext.unknown(false)] }] }),
  },
  {
    says: 'an entry with an invalidityDate',
    expect: 'valid',
    ...withList({
      revoked: [
        {
          serial: 1,
          extensions: [extension(oids.invalidityDate, false, element(0x18, Buffer.from('20250101000000Z')))],
        },
      ],
    }),
  },
  {
    says: 'an entry of another issuer (indirect)',
    expect: hard,
    ...withList({
      revoked: [
        { serial: 1, extensions: [extension(oids.certificateIssuer, true, sequence(element(0xa4, root.subject)))] },
      ],
    }),
  },
  {
    says: 'an entry of another issuer that is not critical',
    expect: hard,
    ...withList({
      revoked: [
        {
          serial: 1,
          extensions: [extension(oids.certificateIssuer, false, sequence(element(0xa4, root.subject)))],
        },
      ],
    }),
  },
  {
    says: 'a list that says that it is indirect',
    expect: hard,
    ...withList(more(idp(element(0x84, Buffer.of(0xff))))),
  },
  {
    says: 'a list for user certificates only',
    expect: hard,
    ...withList(more(idp(element(0x81, Buffer.of(0xff))))),
  },
  {
    says: 'a list for CA certificates only, beside a good one',
    expect: hard,
    ...under(good, list(ica, more(idp(element(0x82, Buffer.of(0xff)))))),
  },
  {
    says: 'an issuingDistributionPoint that is not critical',
    expect: hard,
    ...withList(more(extension(oids.issuingDistributionPoint, false, sequence(element(0x81, Buffer.of(0xff)))))),
  },
  { says: 'a delta list alone', expect: hard, ...withList(more(delta)) },
  { says: 'a delta list beside a good one', expect: hard, ...under(good, list(ica, more(delta))) },
  {
    says: 'a delta indicator that is not critical',
    expect: hard,
    ...withList(more(extension(oids.deltaCrlIndicator, false, Buffer.from('020101', 'hex')))),
  },
  {
    says: 'a complete list that takes an entry back',
    expect: hard,
    ...withList({ revoked: [{ serial: number, reason: 8 }] }),
  },
  {
    says: 'a serial number that stands there twice',
    expect: hard,
    ...withList({ revoked: [{ serial: 1 }, { serial: 1 }] }),
  },
  { says: 'a reason that does not exist', expect: hard, ...withList({ revoked: [{ serial: 1, reason: 7 }] }) },
  {
    says: 'a reason that is no ENUMERATED',
    expect: hard,
    ...withList({ revoked: [{ serial: 1, extensions: [extension(oids.reasonCode, false, boolean(true))] }] }),
  },

  { says: 'an anchor that is on its own list', expect: ['REVOKED'], ...rootOnItsList() },
  {
    says: 'an anchor that its own root revoked',
    expect: ['REVOKED'],
    target: leaf(keys.leaf, numbered),
    trust: [numbered.der, root.der],
    lists: [list(root, { revoked: [{ serial: caNumber }] }), good],
    notForOpenssl: true,
  },
  { says: 'a root as the target, on its own list', expect: ['REVOKED'], ...rootAsTarget() },

  {
    says: 'a Device Certificate without a list, in the GB profile',
    expect: 'valid',
    ...devices([rootList]),
    profile: 'gb',
    yesAgainstOpenssl: 'DEVICE_HAS_NO_LIST',
  },
  { says: 'the same by RFC 5280', expect: ['LIST_MISSING'], ...devices([rootList]) },
  {
    says: 'a Device Certificate whose CA has no list',
    expect: ['LIST_MISSING'],
    ...devices([]),
    profile: 'gb',
    notForOpenssl: true,
  },
  { says: 'a Device Certificate whose CA is revoked', expect: ['REVOKED'], ...revokedIssuer(), profile: 'gb' },
  {
    says: 'a Device Certificate that its CA put on a list all the same',
    expect: ['REVOKED'],
    ...devices([rootList, list(certOnly, { revoked: [revoked] })]),
    profile: 'gb',
  },
  {
    says: 'a certificate with a subject is no Device Certificate',
    expect: ['LIST_MISSING'],
    ...devices([rootList], { subject: leafSubject() }),
    profile: 'gb',
  },
  {
    says: 'a device identifier of 7 octets makes no Device Certificate',
    expect: ['LIST_MISSING'],
    ...devices([rootList], { extra: [ext.device(Buffer.alloc(7, 7))] }),
    profile: 'gb',
  },
]

function leafSubject(): Buffer {
  return ca('leaf', keys.leaf).subject
}

function rootOnItsList() {
  const top = ca('Root', keys.root, undefined, { serial: 99 })
  const lists = [list(root, { revoked: [{ serial: 99 }] }), good]
  return { target, trust: [top.der], untrusted: [ica.der], lists }
}

function rootAsTarget() {
  const top = ca('Root', keys.root, undefined, { serial: 99 })
  return { target: top.der, trust: [top.der], lists: [list(root, { revoked: [{ serial: 99 }] })] }
}

function revokedIssuer() {
  const below = ca('Issuing', keys.ica, root, { usage: ext.usage('keyCertSign'), serial: caNumber })
  return {
    target: leaf(keys.leaf, below, { subject: name(), extra: [ext.device(Buffer.alloc(8, 7))] }),
    trust: [root.der],
    untrusted: [below.der],
    lists: [list(root, { revoked: [{ serial: caNumber }] })],
  }
}
