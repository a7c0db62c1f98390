/** Cases about names, serial numbers, key identifiers and dates. */

import { element, octetString, sequence } from '../../../src/ground/der/write.ts'
import { oids } from '../../../src/ground/x509/names.ts'
import { attribute, cn, extensions as ext, extension, name, printableCn } from '../forge.ts'
import { type Case, ca, ica, keys, leaf, moment, ofIca, ofLeaf, ofRoot, root } from '../scene.ts'

/** The issuing CA under one name, the leaf’s issuer under another. */
function chained(subject: Buffer, issuer: Buffer): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const below = ca('', keys.ica, root, { subject })
  return { target: leaf(keys.leaf, { ...below, subject: issuer }), trust: [root.der], untrusted: [below.der] }
}

const bmp = (text: string) => name(attribute(oids.commonName, element(0x1e, Buffer.from(text, 'utf16le').swap16())))
const serialOf = 77

/** The leaf names its issuer by name and serial number as well. */
function fully(issuer: Buffer, serial: number): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const below = ca('Issuing', keys.ica, root, { serial: serialOf })
  const aki = ext.fullAki(keys.ica.id, issuer, serial)
  return { target: leaf(keys.leaf, below, { aki }), trust: [root.der], untrusted: [below.der] }
}

const seconds = (offset: number) =>
  new Date(Date.parse(moment) + offset * 1000).toISOString().replace(/\.\d+Z$/, '')

export const nameCases: Case[] = [
  {
    says: 'names equal but for the string type',
    expect: 'valid',
    ...chained(cn('Issuing One'), printableCn('Issuing One')),
  },
  {
    says: 'names equal but for case and spaces',
    expect: 'valid',
    ...chained(cn('Issuing One'), printableCn(' ISSUING  one ')),
  },
  { says: 'names equal but for BMPString', expect: 'valid', ...chained(cn('Issuing One'), bmp('Issuing One')) },
  { says: 'names that differ in a letter', expect: ['NO_PATH'], ...chained(cn('Issuing One'), cn('Issuing Onf')) },
  {
    says: 'names whose parts stand in another order',
    expect: ['NO_PATH'],
    ...chained(
      name(
        attribute(oids.commonName, cn('x').subarray(11)),
        attribute(oids.organizationName, cn('x').subarray(11)),
      ),
      name(
        attribute(oids.organizationName, cn('x').subarray(11)),
        attribute(oids.commonName, cn('x').subarray(11)),
      ),
    ),
  },
  {
    says: 'an empty subject with a critical subjectAltName',
    expect: 'valid',
    ...ofLeaf({ subject: name(), extra: [ext.dns('a.example', true)] }),
  },
  {
    says: 'an empty subject with one that is not critical',
    expect: ['NAME_EMPTY'],
    ...ofLeaf({ subject: name(), extra: [ext.dns('a.example')] }),
  },
  { says: 'an empty subject without any', expect: ['NAME_EMPTY'], ...ofLeaf({ subject: name() }) },
  {
    says: 'an empty subject of a CA',
    expect: ['NAME_EMPTY'],
    ...ofIca({ subject: name(), extra: [ext.dns('a.example', true)] }),
  },
  {
    says: 'an empty subject of a root',
    expect: ['NAME_EMPTY'],
    ...ofRoot({ subject: name(), issuer: name() }),
  },
  { says: 'an empty issuer', expect: ['NAME_EMPTY', 'NO_PATH'], ...ofLeaf({ issuer: name() }) },
  {
    says: 'a hardware module name in an empty subject',
    expect: 'valid',
    ...ofLeaf({ subject: name(), extra: [ext.device(Buffer.alloc(8, 1))] }),
  },

  {
    says: 'a subject whose value has a type of another class',
    expect: ['NAME_MALFORMED'],
    ...ofLeaf({ subject: name(attribute(oids.commonName, element(0x4c, Buffer.from('leaf')))) }),
  },
  {
    says: 'a subject that is UTF8String and no UTF-8',
    expect: ['NAME_MALFORMED'],
    ...ofLeaf({ subject: name(attribute(oids.commonName, element(0x0c, Buffer.of(0xc0, 0x80)))) }),
  },
  {
    says: 'a subject that is UniversalString and beyond Unicode',
    expect: ['NAME_MALFORMED'],
    ...ofLeaf({ subject: name(attribute(oids.commonName, element(0x1c, Buffer.from('leaf')))) }),
  },
  {
    says: 'a subject that is UniversalString',
    expect: 'valid',
    ...ofLeaf({ subject: name(attribute(oids.commonName, element(0x1c, Buffer.of(0, 0, 0, 0x61)))) }),
  },
  {
    says: 'a subject that is BMPString with half a pair',
    expect: ['NAME_MALFORMED'],
    ...ofLeaf({ subject: name(attribute(oids.commonName, element(0x1e, Buffer.of(0xd8, 0x00)))) }),
  },
  {
    says: 'an issuing CA whose name is half a BMPString',
    expect: ['NAME_MALFORMED'],
    ...ofIca({ subject: name(attribute(oids.commonName, element(0x1e, Buffer.of(0x41)))) }),
  },
  {
    says: 'an anchor whose issuer is no text',
    expect: ['NAME_MALFORMED'],
    target: leaf(keys.leaf, ica),
    trust: [
      ca('Issuing', keys.ica, {
        ...root,
        subject: name(attribute(oids.commonName, element(0x0c, Buffer.of(0xff)))),
      }).der,
    ],
  },
  {
    says: 'a PrintableString with an at sign, as many write it',
    expect: 'valid',
    ...ofLeaf({ subject: name(attribute(oids.commonName, element(0x13, Buffer.from('a@b')))) }),
  },
  {
    says: 'a unique identifier, which is a BIT STRING',
    expect: 'valid',
    ...ofLeaf({ subject: name(attribute(oids.uniqueIdentifier, element(0x03, Buffer.alloc(9)))) }),
  },

  { says: 'a negative serial number', expect: ['SERIAL_NUMBER'], ...ofLeaf({ serial: Buffer.of(0x80) }) },
  {
    says: 'a negative serial number of a CA',
    expect: ['SERIAL_NUMBER'],
    ...ofIca({ serial: Buffer.of(0xff, 0x00) }),
  },
  { says: 'a serial number of zero', expect: ['SERIAL_NUMBER'], ...ofLeaf({ serial: 0 }) },
  { says: 'a serial number of 20 octets', expect: 'valid', ...ofLeaf({ serial: Buffer.alloc(20, 0x7f) }) },
  {
    says: 'a serial number of 21 octets',
    expect: ['SERIAL_NUMBER'],
    ...ofLeaf({ serial: Buffer.alloc(21, 0x7f) }),
  },

  { says: 'a leaf without authorityKeyIdentifier', expect: ['KEY_IDENTIFIER_MISSING'], ...ofLeaf({ aki: null }) },
  {
    says: 'an issuing CA without authorityKeyIdentifier',
    expect: ['KEY_IDENTIFIER_MISSING'],
    ...ofIca({ aki: null }),
  },
  { says: 'a root without authorityKeyIdentifier', expect: 'valid', ...ofRoot({ aki: null }) },
  { says: 'a root with its own', expect: 'valid', ...ofRoot({ aki: ext.aki(keys.root.id) }) },
  {
    says: 'an empty authorityKeyIdentifier',
    expect: ['KEY_IDENTIFIER_MISSING'],
    ...ofLeaf({ aki: extension(oids.authorityKeyIdentifier, false, sequence()) }),
  },
  {
    says: 'an authorityKeyIdentifier of another key',
    expect: ['KEY_IDENTIFIER_MISMATCH'],
    ...ofLeaf({ aki: ext.aki(keys.other.id) }),
  },
  {
    says: 'an issuing CA with that of another key',
    expect: ['KEY_IDENTIFIER_MISMATCH'],
    ...ofIca({ aki: ext.aki(keys.other.id) }),
  },
  {
    says: 'an authorityKeyIdentifier with the right issuer and serial',
    expect: 'valid',
    ...fully(root.subject, serialOf),
  },
  { says: 'one with another serial', expect: ['KEY_IDENTIFIER_MISMATCH'], ...fully(root.subject, 78) },
  { says: 'one with another issuer', expect: ['KEY_IDENTIFIER_MISMATCH'], ...fully(cn('Elsewhere'), serialOf) },
  {
    says: 'one with a serial and no issuer',
    expect: ['EXTENSION_MALFORMED', 'KEY_IDENTIFIER_MISSING'],
    ...ofLeaf({ aki: extension(oids.authorityKeyIdentifier, false, Buffer.from('3003820101', 'hex')) }),
  },
  {
    says: 'a critical authorityKeyIdentifier',
    expect: ['EXTENSION_CRITICALITY'],
    ...ofLeaf({ aki: ext.aki(keys.ica.id, true) }),
  },
  {
    says: 'a critical subjectKeyIdentifier',
    expect: ['EXTENSION_CRITICALITY'],
    ...ofRoot({ ski: ext.ski(keys.root.id, true) }),
  },
  { says: 'a leaf without subjectKeyIdentifier', expect: 'valid', ...ofLeaf({ ski: null }) },
  {
    says: 'an issuing CA without subjectKeyIdentifier',
    expect: ['KEY_IDENTIFIER_MISSING'],
    ...ofIca({ ski: null }),
  },
  { says: 'a root without subjectKeyIdentifier', expect: ['KEY_IDENTIFIER_MISSING'], ...ofRoot({ ski: null }) },
  {
    says: 'a subjectKeyIdentifier by another method',
    expect: 'valid',
    ...ofLeaf({ ski: extension(oids.subjectKeyIdentifier, false, octetString(Buffer.alloc(20, 9))) }),
  },

  { says: 'a leaf that has expired', expect: ['EXPIRED'], ...ofLeaf({ until: '2025-01-01' }) },
  { says: 'an issuing CA that has expired', expect: ['EXPIRED'], ...ofIca({ until: '2025-01-01' }) },
  { says: 'a root that has expired', expect: ['EXPIRED'], ...ofRoot({ until: '2025-01-01' }) },
  { says: 'a leaf from the future', expect: ['NOT_YET_VALID'], ...ofLeaf({ from: '2026-01-01' }) },
  { says: 'an issuing CA from the future', expect: ['NOT_YET_VALID'], ...ofIca({ from: '2026-01-01' }) },
  { says: 'a root from the future', expect: ['NOT_YET_VALID'], ...ofRoot({ from: '2026-01-01' }) },
  {
    says: 'an expired chain when dates do not count',
    expect: 'valid',
    ...ofRoot({ until: '2021-01-01' }),
    at: 'ignore',
  },
  { says: 'a leaf that outlives every CA', expect: 'valid', ...ofLeaf({ until: '9999-12-31T23:59:59' }) },
  { says: 'the first second of a leaf', expect: 'valid', ...ofLeaf({ from: seconds(0) }) },
  { says: 'the second before it', expect: ['NOT_YET_VALID'], ...ofLeaf({ from: seconds(1) }) },
  {
    says: 'the last second of a leaf',
    expect: 'valid',
    ...ofLeaf({ until: seconds(0) }),
    yesAgainstOpenssl: 'NOT_AFTER_INCLUDED',
  },
  { says: 'the second after it', expect: ['EXPIRED'], ...ofLeaf({ until: seconds(-1) }) },
  {
    says: 'the last second of an issuing CA',
    expect: 'valid',
    ...ofIca({ until: seconds(0) }),
    yesAgainstOpenssl: 'NOT_AFTER_INCLUDED',
  },
  { says: 'the second after the last of a root', expect: ['EXPIRED'], ...ofRoot({ until: seconds(-1) }) },
  {
    says: 'a period that ends before it begins',
    expect: ['NOT_YET_VALID'],
    ...ofLeaf({ from: '2030-01-01', until: '2021-01-01' }),
  },

  { says: 'nothing but the target', expect: ['NO_PATH'], target: leaf(keys.leaf, ica), trust: [] },
]
