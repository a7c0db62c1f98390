/** What the linter expects of each kind, as data of its own: nothing here is used to issue a certificate. */

import { tag } from '../../ground/der/read.ts'
import { oids } from '../../ground/x509/names.ts'
import type { Kind, KnownKind } from './kind.ts'
import type { ExtensionName, Field, NameShape, Profile } from './profile.ts'

const critical = (name: ExtensionName) => ({ name, critical: true })
const plain = (name: ExtensionName) => ({ name, critical: false })
const assumed = (register: string, ...fields: Field[]): Partial<Record<Field, string>> =>
  Object.fromEntries(fields.map(field => [field, register]))

const role = { type: 'OU' } as const
const common = { type: 'CN' } as const
const trading = { type: 'O' } as const
const ou = (text: RegExp) => ({ type: 'OU', text }) as const
const cn = (text: RegExp) => ({ type: 'CN', text }) as const

const rootOcaName: NameShape = [ou(/^00$/), common]
const issuingOcaName: NameShape = [ou(/^07$/), common]
const organisationName: NameShape = [{ ...common, optional: true }, role, { type: 'UID' }]
const dcaName: NameShape = [common]
const rootIcaName: NameShape = [trading, ou(/^IKI$/), cn(/^Root ICA ./)]
const issuingIcaName: NameShape = [trading, ou(/^IKI$/), cn(/^Issuing ICA ./)]
const clientName: NameShape = [trading, role, common]
const rootDcckicaName: NameShape = [trading, ou(/^DCCKI$/), cn(/^Root DCCKICA$/)]
const eiiDcckicaName: NameShape = [trading, ou(/^DCCKI$/), cn(/^EII DCCKICA$/)]
const dcckiName: NameShape = [trading, ou(/^[0-9A-F]{16}$/), common]
const cohort = ou(/^(FOC|MOC)$/)
const s1spkiRootName: NameShape = [trading, cohort, cn(/^Operator Root CA ./)]
const s1spkiIssuingName: NameShape = [trading, cohort, cn(/^Operator Issuing CA ./)]

const signList = [['keyCertSign', 'cRLSign']] as const
const oneUsage = [['digitalSignature'], ['keyAgreement']] as const
const printable = { issuerStrings: tag.printableString, subjectStrings: tag.printableString }

/** Sections 3 to 5: P-256, 16-octet serial numbers, 8-octet key identifiers. */
const smki = { serialOctets: 16, key: 'P-256', signature: 'ecdsa', keyIdentifierOctets: 8 } as const

/** Section 6: RSA signatures, UTF8String. */
const iki = {
  serialOctets: 16,
  signature: 'rsa',
  issuerStrings: tag.utf8String,
  subjectStrings: tag.utf8String,
  keyIdentifierOctets: 8,
} as const

const everyAssumable = [
  ...(['serial', 'issuer', 'subject', 'strings', 'key', 'signature', 'years', 'period', 'usages'] as const),
  ...(['pathLength', 'purposes', 'keyIdentifiers', 'entries', 'nothingElse', 'keyUsage'] as const),
  ...(['certificatePolicies', 'subjectKeyIdentifier', 'authorityKeyIdentifier', 'subjectAltName'] as const),
  ...(['extendedKeyUsage', 'subjectOrder'] as const),
]
const allAssumed = (register: string, ...given: Field[]) =>
  assumed(register, ...everyAssumable.filter(field => !given.includes(field)))

const rootExtensions = [critical('keyUsage'), critical('basicConstraints')]
const keyIdentifiers = [plain('subjectKeyIdentifier'), plain('authorityKeyIdentifier')]
const listExtensions = [plain('authorityKeyIdentifier'), plain('crlNumber')]
const authorityOf = (path: number) => ({ authority: true, pathLength: path, usages: signList })
const rootOf = (name: NameShape) => ({ root: true, issuer: name, subject: name, years: 50, ...authorityOf(1) })

/** certificates.md sections 4 to 8, 10 and 12. Sections 4 and 5 are settled by data; most of the others are ASSUMED. */
export const profiles: Readonly<Record<Kind, Profile>> = {
  'root-oca': {
    title: 'Root OCA Certificate',
    ...smki,
    ...printable,
    ...rootOf(rootOcaName),
    extensions: [
      ...rootExtensions,
      critical('certificatePolicies'),
      plain('subjectKeyIdentifier'),
      plain('wrappedApexContingencyKey'),
    ],
    assumed: assumed('CERT-A02', 'pathLength', 'certificatePolicies'),
  },
  'issuing-oca': {
    title: 'Issuing OCA Certificate',
    ...smki,
    ...printable,
    ...authorityOf(0),
    issuer: rootOcaName,
    subject: issuingOcaName,
    years: 25,
    extensions: [...rootExtensions, critical('certificatePolicies'), ...keyIdentifiers],
  },
  organisation: {
    title: 'Organisation Certificate',
    ...smki,
    issuer: issuingOcaName,
    issuerStrings: tag.printableString,
    subject: organisationName,
    subjectStrings: tag.utf8String,
    years: 10,
    usages: oneUsage,
    extensions: [
      critical('keyUsage'),
      plain('subjectKeyIdentifier'),
      critical('certificatePolicies'),
      plain('authorityKeyIdentifier'),
    ],
  },
  'root-dca': {
    title: 'Root DCA Certificate',
    ...smki,
    ...printable,
    ...rootOf(dcaName),
    extensions: [...rootExtensions, critical('certificatePolicies'), plain('subjectKeyIdentifier')],
    assumed: assumed(
      'CERT-A02',
      ...(['issuer', 'subject', 'strings', 'years', 'usages', 'pathLength', 'certificatePolicies'] as const),
      'nothingElse',
    ),
  },
  'issuing-dca': {
    title: 'Issuing DCA Certificate',
    ...smki,
    ...printable,
    ...authorityOf(0),
    issuer: dcaName,
    subject: dcaName,
    years: 25,
    usages: [['keyCertSign']],
    extensions: [...rootExtensions, critical('certificatePolicies'), ...keyIdentifiers],
    assumed: assumed(
      'CERT-A03',
      ...(['issuer', 'years', 'usages', 'pathLength', 'certificatePolicies', 'nothingElse'] as const),
    ),
  },
  device: {
    title: 'Device Certificate',
    ...smki,
    issuer: dcaName,
    issuerStrings: tag.printableString,
    subject: [],
    years: 'forever',
    usages: oneUsage,
    extensions: [
      critical('keyUsage'),
      plain('subjectKeyIdentifier'),
      critical('subjectAltName'),
      critical('certificatePolicies'),
      plain('authorityKeyIdentifier'),
    ],
  },
  'root-ica': {
    title: 'Root ICA Certificate',
    ...iki,
    ...rootOf(rootIcaName),
    key: { rsaBits: 4096 },
    extensions: [...rootExtensions, plain('certificatePolicies'), plain('subjectKeyIdentifier')],
    assumed: allAssumed('CERT-A08'),
  },
  'issuing-ica': {
    title: 'Issuing ICA Certificate',
    ...iki,
    ...authorityOf(0),
    key: { rsaBits: 4096 },
    issuer: rootIcaName,
    subject: issuingIcaName,
    years: 25,
    extensions: [...rootExtensions, plain('certificatePolicies'), ...keyIdentifiers],
    assumed: allAssumed('CERT-A08'),
  },
  'iki-client': {
    title: 'IKI Certificate of a client',
    ...iki,
    key: { rsaBits: 2048 },
    issuer: issuingIcaName,
    subject: clientName,
    years: 10,
    usages: [['digitalSignature']],
    purposes: [oids.clientAuth],
    extensions: [critical('keyUsage'), plain('extendedKeyUsage'), plain('certificatePolicies'), ...keyIdentifiers],
    assumed: allAssumed('CERT-A08', 'subject', 'key', 'usages', 'keyUsage'),
  },
  'iki-file-signing': {
    title: 'IKI File Signing Certificate',
    ...iki,
    key: 'P-256',
    issuer: issuingIcaName,
    subject: clientName,
    years: 10,
    usages: [['digitalSignature']],
    extensions: [critical('keyUsage'), plain('certificatePolicies'), ...keyIdentifiers],
    assumed: allAssumed('CERT-A08'),
  },
  'root-dcckica': {
    title: 'Root DCCKICA Certificate',
    ...rootOf(rootDcckicaName),
    signature: 'rsa',
    key: { rsaBits: 4096 },
    extensions: [...rootExtensions, plain('certificatePolicies'), plain('subjectKeyIdentifier')],
    assumed: allAssumed('CERT-A09'),
  },
  'eii-dcckica': {
    title: 'EII DCCKICA Certificate',
    ...authorityOf(0),
    signature: 'rsa',
    key: { rsaBits: 4096 },
    issuer: rootDcckicaName,
    subject: eiiDcckicaName,
    years: 25,
    extensions: [...rootExtensions, plain('certificatePolicies'), ...keyIdentifiers],
    assumed: allAssumed('CERT-A09'),
  },
  'dccki-infrastructure': {
    title: 'DCCKI Infrastructure Certificate',
    signature: 'rsa',
    key: { rsaBits: 2048 },
    issuer: eiiDcckicaName,
    subject: dcckiName,
    years: 3,
    usages: [['digitalSignature', 'keyEncipherment']],
    purposes: [oids.serverAuth, oids.clientAuth],
    dnsNames: true,
    extensions: [
      critical('keyUsage'),
      plain('extendedKeyUsage'),
      plain('subjectAltName'),
      plain('certificatePolicies'),
      ...keyIdentifiers,
    ],
    assumed: allAssumed('CERT-A09'),
  },
  'dccki-personnel': {
    title: 'DCCKI Personnel Authentication Certificate',
    signature: 'rsa',
    key: { rsaBits: 2048 },
    issuer: eiiDcckicaName,
    subject: dcckiName,
    years: 2,
    usages: [['digitalSignature']],
    purposes: [oids.clientAuth],
    extensions: [critical('keyUsage'), plain('extendedKeyUsage'), plain('certificatePolicies'), ...keyIdentifiers],
    assumed: allAssumed('CERT-A09'),
  },
  's1spki-root': {
    title: 'S1SPKI Operator Root CA Certificate',
    ...rootOf(s1spkiRootName),
    key: 'P-256',
    signature: 'ecdsa',
    extensions: [...rootExtensions, plain('certificatePolicies'), plain('subjectKeyIdentifier')],
    assumed: allAssumed('CERT-A10'),
  },
  's1spki-issuing': {
    title: 'S1SPKI Operator Issuing CA Certificate',
    ...authorityOf(0),
    key: 'P-256',
    signature: 'ecdsa',
    issuer: s1spkiRootName,
    subject: s1spkiIssuingName,
    years: 25,
    extensions: [...rootExtensions, plain('certificatePolicies'), ...keyIdentifiers],
    assumed: allAssumed('CERT-A10'),
  },
  's1spki-hes': {
    title: 'S1SPKI head end system Certificate',
    key: 'P-256',
    signature: 'ecdsa',
    issuer: s1spkiIssuingName,
    subject: [trading, cohort, common],
    years: 10,
    usages: [['digitalSignature', 'keyAgreement']],
    purposes: [oids.serverAuth, oids.clientAuth],
    extensions: [critical('keyUsage'), plain('extendedKeyUsage'), plain('certificatePolicies'), ...keyIdentifiers],
    assumed: allAssumed('CERT-A10'),
  },
  's1spki-hub': {
    title: 'S1SPKI communications hub Certificate',
    key: 'P-256',
    signature: 'ecdsa',
    issuer: s1spkiIssuingName,
    subject: [trading, cohort, cn(/^[0-9A-Fa-f]{16}$/)],
    years: 10,
    usages: [['digitalSignature', 'keyAgreement']],
    purposes: [oids.clientAuth],
    extensions: [critical('keyUsage'), plain('extendedKeyUsage'), plain('certificatePolicies'), ...keyIdentifiers],
    assumed: allAssumed('CERT-A10'),
  },

  // Requests (section 12). Strings may be UTF8String or PrintableString; extensions have no order.
  'organisation-csr': {
    title: 'Organisation CSR',
    key: 'P-256',
    signature: 'ecdsa',
    subject: organisationName,
    usages: oneUsage,
    extensions: [critical('keyUsage')],
    assumed: assumed('DESIGN', 'subjectOrder'),
  },
  'device-csr': {
    title: 'Device CSR',
    key: 'P-256',
    signature: 'ecdsa',
    subject: [],
    usages: oneUsage,
    extensions: [critical('keyUsage'), critical('subjectAltName')],
  },
  'iki-csr': {
    title: 'IKI CSR',
    key: { rsaBits: 2048 },
    signature: 'rsa',
    subject: clientName,
    usages: [['digitalSignature']],
    extensions: [critical('keyUsage')],
    assumed: assumed('DESIGN', 'subjectOrder'),
  },

  // Lists (section 10).
  'organisation-crl': {
    title: 'Organisation CRL',
    issuer: issuingOcaName,
    issuerStrings: tag.printableString,
    signature: 'ecdsa',
    period: { hours: 48 },
    keyIdentifierOctets: 8,
    extensions: listExtensions,
  },
  'organisation-arl': {
    title: 'Organisation ARL',
    issuer: rootOcaName,
    issuerStrings: tag.printableString,
    signature: 'ecdsa',
    period: { months: 12 },
    keyIdentifierOctets: 8,
    extensions: listExtensions,
  },
  'device-arl': {
    title: 'Device ARL',
    issuer: dcaName,
    issuerStrings: tag.printableString,
    signature: 'ecdsa',
    period: { months: 12 },
    keyIdentifierOctets: 8,
    extensions: listExtensions,
    assumed: assumed('CERT-A11', 'issuer', 'strings', 'period'),
  },
  'iki-crl': list('IKI CRL', issuingIcaName, 'rsa', { hours: 48 }),
  'iki-arl': list('IKI ARL', rootIcaName, 'rsa', { months: 12 }),
  'dccki-crl': list('DCCKI CRL', eiiDcckicaName, 'rsa', { hours: 48 }),
  'dccki-arl': list('DCCKI ARL', rootDcckicaName, 'rsa', { months: 12 }),
  's1spki-crl': list('S1SPKI CRL', s1spkiIssuingName, 'ecdsa', { hours: 48 }),
  's1spki-arl': list('S1SPKI ARL', s1spkiRootName, 'ecdsa', { months: 12 }),

  unknown: { title: 'unknown' },
}

function list(
  title: string,
  issuer: NameShape,
  signature: 'ecdsa' | 'rsa',
  period: Profile['period'] & {},
): Profile {
  // RFC 5280 5.2.1 and 5.2.3 demand the two extensions, whatever we assume.
  const given: Field[] = ['authorityKeyIdentifier']
  return { title, issuer, signature, period, extensions: listExtensions, assumed: allAssumed('CERT-A11', ...given) }
}

/** The kinds whose profile says something that `has` finds. */
export function kindsWhere(has: (profile: Profile) => unknown): KnownKind[] {
  return (Object.keys(profiles) as Kind[]).filter(
    (kind): kind is KnownKind => kind !== 'unknown' && Boolean(has(profiles[kind])),
  )
}
