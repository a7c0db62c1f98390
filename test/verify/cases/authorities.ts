/** Cases about what makes a CA, path lengths, usages and critical extensions. */

import { nothing, sequence } from '../../../src/ground/der/write.ts'
import { oids } from '../../../src/ground/x509/names.ts'
import { extensions as ext, extension } from '../forge.ts'
import { type Case, ca, ica, keys, leaf, ofIca, ofLeaf, ofRoot, root } from '../scene.ts'

/** root(n) → ica(m) → sub(k) → leaf. */
function deep(n?: number, m?: number, k?: number): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const top = ca('Root', keys.root, undefined, n === undefined ? {} : { pathLength: n })
  const middle = ca('Middle', keys.ica, top, m === undefined ? {} : { pathLength: m })
  const low = ca('Low', keys.sub, middle, k === undefined ? {} : { pathLength: k })
  return { target: leaf(keys.leaf, low), trust: [top.der], untrusted: [low.der, middle.der] }
}

/** root → ica(1) → ica, self-issued with a new key (1) → sub(0) → leaf. */
function selfIssued(): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const old = ca('Middle', keys.ica, root, { pathLength: 1 })
  const renewed = ca('Middle', keys.other, old, { pathLength: 1 })
  const low = ca('Low', keys.sub, renewed, { pathLength: 0 })
  return { target: leaf(keys.leaf, low), trust: [root.der], untrusted: [old.der, renewed.der, low.der] }
}

const subOfIca = ca('Sub', keys.sub, ica)

/** An EKU, a SAN and the like that may well be critical. */
const known = [ext.dns('example.org', true), ext.purposes(true, oids.serverAuth), ext.policies('1.2.3')]

export const authorityCases: Case[] = [
  {
    says: 'an issuing CA with cA false',
    expect: ['NOT_A_CA', 'KEY_USAGE'],
    ...ofIca({ constraints: ext.constraints(false) }),
  },
  {
    says: 'an issuing CA with cA false that may sign certificates by no bit either',
    expect: ['NOT_A_CA', 'KEY_USAGE'],
    ...ofIca({ constraints: ext.constraints(false), usage: ext.usage('digitalSignature') }),
  },
  {
    says: 'an issuing CA without basicConstraints',
    expect: ['NOT_A_CA', 'KEY_USAGE'],
    ...ofIca({ constraints: null }),
  },
  { says: 'a root without basicConstraints', expect: ['NOT_A_CA', 'KEY_USAGE'], ...ofRoot({ constraints: null }) },
  {
    says: 'an issuing CA with basicConstraints not critical',
    expect: ['EXTENSION_CRITICALITY'],
    ...ofIca({ constraints: ext.constraints(true, undefined, false) }),
  },
  {
    says: 'a root with basicConstraints not critical',
    expect: ['EXTENSION_CRITICALITY'],
    ...ofRoot({ constraints: ext.constraints(true, undefined, false) }),
  },
  {
    says: 'an issuing CA whose keyUsage has no keyCertSign',
    expect: ['KEY_USAGE'],
    ...ofIca({ usage: ext.usage('cRLSign', 'digitalSignature') }),
  },
  {
    says: 'a root whose keyUsage has no keyCertSign',
    expect: ['KEY_USAGE'],
    ...ofRoot({ usage: ext.usage('cRLSign') }),
  },
  {
    says: 'an issuing CA without keyUsage, which section 6 lets pass',
    expect: 'valid',
    ...ofIca({ usage: null }),
    yesAgainstOpenssl: 'KEY_USAGE_IF_PRESENT',
  },
  {
    says: 'a root without keyUsage, which section 6 lets pass',
    expect: 'valid',
    ...ofRoot({ usage: null }),
    yesAgainstOpenssl: 'KEY_USAGE_IF_PRESENT',
  },
  {
    says: 'an issuing CA without keyUsage in the GB profile',
    expect: ['KEY_USAGE'],
    ...ofIca({ usage: null }),
    profile: 'gb',
  },
  { says: 'a leaf without keyUsage', expect: 'valid', ...ofLeaf({ usage: null }) },
  {
    says: 'a leaf without keyUsage in the GB profile',
    expect: ['KEY_USAGE'],
    ...ofLeaf({ usage: null }),
    profile: 'gb',
  },
  {
    says: 'a leaf with keyCertSign that is no CA',
    expect: ['KEY_USAGE'],
    ...ofLeaf({ usage: ext.usage('digitalSignature', 'keyCertSign'), constraints: ext.constraints(false) }),
  },
  {
    says: 'a leaf with an empty, critical basicConstraints',
    expect: 'valid',
    ...ofLeaf({ constraints: ext.constraints(false) }),
  },
  {
    says: 'a leaf with a path length',
    expect: ['BASIC_CONSTRAINTS'],
    ...ofLeaf({ constraints: ext.constraints(false, 0) }),
  },
  {
    says: 'a leaf with a path length and keyCertSign',
    expect: ['BASIC_CONSTRAINTS', 'KEY_USAGE'],
    ...ofLeaf({ constraints: ext.constraints(false, 0), usage: ext.usage('keyCertSign') }),
  },
  {
    says: 'an issuing CA with a path length and without keyCertSign',
    expect: ['BASIC_CONSTRAINTS', 'KEY_USAGE'],
    ...ofIca({ pathLength: 0, usage: ext.usage('cRLSign') }),
  },
  {
    says: 'a leaf as the issuer of another leaf',
    expect: ['NOT_A_CA', 'KEY_USAGE'],
    target: leaf(keys.other, { subject: Buffer.from(ica.subject), key: keys.leaf, der: ica.der }),
    trust: [root.der],
    untrusted: [leaf(keys.leaf, root, { subject: ica.subject }), root.der],
  },
  {
    says: 'a leaf as an anchor of another leaf',
    expect: ['NOT_A_CA', 'KEY_USAGE'],
    target: leaf(keys.other, { subject: ica.subject, key: keys.leaf, der: ica.der }),
    trust: [leaf(keys.leaf, root, { subject: ica.subject })],
    untrusted: [root.der],
  },
  {
    says: 'an issuing CA of version 1',
    expect: ['VERSION', 'KEY_IDENTIFIER_MISSING'],
    ...ofIca({ version: 1, extensions: [] }),
  },
  {
    says: 'an issuing CA of version 2',
    expect: ['VERSION', 'KEY_IDENTIFIER_MISSING'],
    ...ofIca({ version: 2, extensions: [] }),
  },
  {
    says: 'a root of version 1 that signed itself',
    expect: 'valid',
    ...ofRoot({ version: 1, extensions: [] }),
    yesAgainstOpenssl: 'OLD_ROOT',
  },
  {
    says: 'a root of version 1 in the GB profile',
    expect: ['VERSION'],
    ...ofRoot({ version: 1, extensions: [] }),
    profile: 'gb',
  },
  {
    says: 'an issuing CA of version 1 as an anchor',
    expect: ['VERSION', 'KEY_IDENTIFIER_MISSING'],
    target: leaf(keys.leaf, ica),
    trust: [ca('Issuing', keys.ica, root, { version: 1, extensions: [] }).der],
  },

  { says: 'path lengths that fit', expect: 'valid', ...deep(2, 1, 0) },
  { says: 'path lengths that fit to a hair', expect: 'valid', ...deep(2, 1) },
  { says: 'a path length of 0 with one CA below', expect: ['PATH_TOO_LONG'], ...deep(undefined, 0) },
  { says: 'a path length of 1 in the root with two CAs below', expect: ['PATH_TOO_LONG'], ...deep(1) },
  { says: 'a path length of 0 in the root with two CAs below', expect: ['PATH_TOO_LONG'], ...deep(0) },
  { says: 'a path length that grows again', expect: 'valid', ...deep(2, 1, 5) },
  { says: 'a path length of 0 with a leaf below', expect: 'valid', ...ofIca({ pathLength: 0 }) },
  { says: 'a self-issued CA, which does not count', expect: 'valid', ...selfIssued() },
  {
    says: 'a CA as the target below a path length of 0, which does not count',
    expect: 'valid',
    target: subOfIca.der,
    trust: [root.der],
    untrusted: [ica.der],
  },
  {
    says: 'a leaf below that CA',
    expect: ['PATH_TOO_LONG'],
    target: leaf(keys.leaf, subOfIca),
    trust: [root.der],
    untrusted: [ica.der, subOfIca.der],
  },

  {
    says: 'an unknown critical extension in a leaf',
    expect: ['UNKNOWN_CRITICAL_EXTENSION'],
    ...ofLeaf({ extra: [ext.unknown(true)] }),
  },
  {
    says: 'one in an issuing CA',
    expect: ['UNKNOWN_CRITICAL_EXTENSION'],
    ...ofIca({ extra: [ext.unknown(true)] }),
  },
  { says: 'one in a root', expect: ['UNKNOWN_CRITICAL_EXTENSION'], ...ofRoot({ extra: [ext.unknown(true)] }) },
  {
    says: 'an unknown extension that is not critical',
    expect: 'valid',
    ...ofLeaf({ extra: [ext.unknown(false)] }),
  },
  { says: 'known extensions that are critical', expect: 'valid', ...ofLeaf({ extra: known }) },
  {
    says: 'a critical authorityInfoAccess',
    expect: ['UNKNOWN_CRITICAL_EXTENSION'],
    ...ofLeaf({ extra: [extension(oids.authorityInfoAccess, true, sequence())] }),
  },
  {
    says: 'a critical cRLDistributionPoints, which nobody follows',
    expect: ['UNKNOWN_CRITICAL_EXTENSION'],
    ...ofLeaf({ extra: [extension(oids.cRLDistributionPoints, true, Buffer.from('3000', 'hex'))] }),
  },
  ...[true, false].flatMap((critical): Case[] => [
    {
      says: `name constraints in an issuing CA, ${critical ? '' : 'not '}critical`,
      expect: ['NAME_CONSTRAINTS_NOT_SUPPORTED'],
      ...ofIca({ extra: [extension(oids.nameConstraints, critical, Buffer.from('3000', 'hex'))] }),
    },
    {
      says: `name constraints in a root, ${critical ? '' : 'not '}critical`,
      expect: ['NAME_CONSTRAINTS_NOT_SUPPORTED'],
      ...ofRoot({ extra: [extension(oids.nameConstraints, critical, Buffer.from('3000', 'hex'))] }),
    },
    {
      says: `policy mappings in an issuing CA, ${critical ? '' : 'not '}critical`,
      expect: ['POLICY_MAPPINGS_NOT_SUPPORTED'],
      ...ofIca({
        extra: [
          extension(
            oids.policyMappings,
            critical,
            Buffer.from('300a300806022a030602 2a04'.replace(' ', ''), 'hex'),
          ),
        ],
      }),
    },
  ]),
  {
    says: 'a keyUsage that is not read as one',
    expect: ['EXTENSION_MALFORMED'],
    ...ofLeaf({ usage: extension(oids.keyUsage, true, nothing()) }),
  },
  {
    says: 'a keyUsage without a bit',
    expect: ['EXTENSION_MALFORMED'],
    ...ofLeaf({ usage: extension(oids.keyUsage, true, Buffer.from('030100', 'hex')) }),
  },
  {
    says: 'a basicConstraints with octets behind it',
    expect: ['EXTENSION_MALFORMED'],
    ...ofLeaf({ constraints: extension(oids.basicConstraints, true, Buffer.from('300000', 'hex')) }),
  },
  {
    says: 'a subjectAltName that is text and no DER',
    expect: ['EXTENSION_MALFORMED'],
    ...ofLeaf({ extra: [extension(oids.subjectAltName, false, Buffer.from('example.org'))] }),
  },
  {
    says: 'an empty subjectAltName',
    expect: ['EXTENSION_MALFORMED'],
    ...ofLeaf({ extra: [extension(oids.subjectAltName, true, sequence())] }),
  },

  {
    says: 'a usage that is asked for and there',
    expect: 'valid',
    ...ofLeaf({}),
    usage: ['digitalSignature'],
    notForOpenssl: true,
  },
  {
    says: 'a usage that is asked for and not there',
    expect: ['KEY_USAGE'],
    ...ofLeaf({}),
    usage: ['keyAgreement'],
    notForOpenssl: true,
  },
  {
    says: 'a purpose that is asked for and there',
    expect: 'valid',
    ...ofLeaf({ extra: [ext.purposes(false, oids.clientAuth)] }),
    purpose: oids.clientAuth,
    notForOpenssl: true,
  },
  {
    says: 'a purpose that is asked for and not there',
    expect: ['PURPOSE'],
    ...ofLeaf({ extra: [ext.purposes(false, oids.clientAuth)] }),
    purpose: oids.serverAuth,
    notForOpenssl: true,
  },
  {
    says: 'a purpose that the issuing CA is not for',
    expect: ['PURPOSE'],
    ...ofIca({ extra: [ext.purposes(false, oids.clientAuth)] }),
    purpose: oids.serverAuth,
    notForOpenssl: true,
  },
]
