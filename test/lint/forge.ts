/** Makes certificates, requests and lists for tests of the linter: one good template a kind, any part of it replaced. */

import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  bitString,
  boolean,
  element,
  enumerated,
  integer,
  namedBits,
  nothing,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  tagged,
  taggedPrimitive,
  utf8String,
} from '../../src/ground/der/write.ts'

// Spelled out here, from the specification: the linter's own tables would prove nothing.
export const ids = {
  cn: '2.5.4.3',
  o: '2.5.4.10',
  ou: '2.5.4.11',
  uid: '2.5.4.45',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  deltaCrlIndicator: '2.5.29.27',
  cRLDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  apex: '1.3.6.1.5.5.7.1.20',
  extensionRequest: '1.2.840.113549.1.9.14',
}
const serverAuth = '1.3.6.1.5.5.7.3.1'
const clientAuth = '1.3.6.1.5.5.7.3.2'
export const policy = '1.2.826.0.1.8641679.1.2.1.4'

export const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
export const sha256WithRsa = Buffer.from('300d06092a864886f70d01010b0500', 'hex')

// --- keys, made when first asked for ---

export interface Key {
  readonly privateKey: KeyObject
  readonly spki: Buffer
  /** Method 2 of RFC 5280 4.2.1.2. */
  readonly id: Buffer
  readonly algorithm: Buffer
}

const made = new Map<string, Key>()
function key(name: string, make: () => { publicKey: KeyObject; privateKey: KeyObject }, algorithm: Buffer): Key {
  const known = made.get(name)
  if (known) return known
  const { publicKey, privateKey } = make()
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const fresh = { privateKey, spki, id: idOf(spki), algorithm }
  made.set(name, fresh)
  return fresh
}

const ec = (name: string, namedCurve = 'P-256') =>
  key(name, () => generateKeyPairSync('ec', { namedCurve }), ecdsaWithSha256)
const rsa = (modulusLength: number, publicExponent = 65537) =>
  key(
    `${modulusLength}/${publicExponent}`,
    () => generateKeyPairSync('rsa', { modulusLength, publicExponent }),
    sha256WithRsa,
  )

export const keys = {
  authority: () => ec('authority'),
  subject: () => ec('subject'),
  p384: () => ec('p384', 'P-384'),
  rsa2048: () => rsa(2048),
  rsa4096: () => rsa(4096),
  rsa1024: () => rsa(1024),
  rsaExponent3: () => rsa(2048, 3),
}

/** SHA-1 over what follows the header of the BIT STRING; for P-256 that is the last 65 octets, for RSA found by its tag. */
function idOf(spki: Buffer): Buffer {
  const bits = spki.length === 91 ? spki.subarray(26) : spki.subarray(spki.indexOf(Buffer.of(0x00, 0x30, 0x82)) + 1)
  const id = createHash('sha1').update(bits).digest().subarray(12)
  id[0] = 0x40 | (id[0]! & 0x0f)
  return id
}

// --- small pieces ---

export const rdn = (type: string, value: Buffer) => setOf(sequence(oid(type), value))
export const name = (...rdns: Buffer[]) => sequence(...rdns)
export const utc = (text: string) => element(0x17, Buffer.from(text))
export const generalized = (text: string) => element(0x18, Buffer.from(text))
export const validity = (from: Buffer, to: Buffer) => sequence(from, to)
export const extension = (type: string, critical: boolean, value: Buffer) =>
  critical ? sequence(oid(type), boolean(true), octetString(value)) : sequence(oid(type), octetString(value))
export const constraints = (pathLength: number) => sequence(boolean(true), integer(pathLength))
export const policies = (...oids: string[]) => sequence(...oids.map(one => sequence(oid(one))))
export const hardwareModule = (deviceId: Buffer) =>
  tagged(0, oid('1.3.6.1.5.5.7.8.4'), tagged(0, sequence(oid('1.2.826.0.1.1372.1.1.2.1'), octetString(deviceId))))

const p = printableString
const u = utf8String
export const eui64 = Buffer.from('90b3d51f30010000', 'hex')
export const uid = rdn(ids.uid, bitString(eui64))
export const rootOca = name(rdn(ids.ou, p('00')), rdn(ids.cn, p('ZA')))
export const issuingOca = name(rdn(ids.ou, p('07')), rdn(ids.cn, p('Z1')))
const issuingDca = name(rdn(ids.cn, p('E357')))
const rootDca = name(rdn(ids.cn, p('E001')))
export const three = (o: string, ou: string, cn: string) =>
  name(rdn(ids.o, u(o)), rdn(ids.ou, u(ou)), rdn(ids.cn, u(cn)))
const rootIca = three('Operator', 'IKI', 'Root ICA 1')
const issuingIca = three('Operator', 'IKI', 'Issuing ICA 1')
const rootDcckica = three('Operator', 'DCCKI', 'Root DCCKICA')
const eiiDcckica = three('Operator', 'DCCKI', 'EII DCCKICA')
const operatorRoot = three('Provider', 'FOC', 'Operator Root CA 1')
const operatorIssuing = three('Provider', 'FOC', 'Operator Issuing CA 1')

const from = utc('261120093000Z')
const years = {
  50: validity(from, generalized('20761120092959Z')),
  25: validity(from, generalized('20511120092959Z')),
  10: validity(from, utc('361120092959Z')),
  3: validity(from, utc('291120092959Z')),
  2: validity(from, utc('281120092959Z')),
  forever: validity(from, generalized('99991231235959Z')),
}

export const usage = (...bits: number[]) => extension(ids.keyUsage, true, namedBits(...bits))
const signsAll = usage(5, 6)
const ca = (pathLength: number) => extension(ids.basicConstraints, true, constraints(pathLength))
export const policed = (critical: boolean, ...oids: string[]) =>
  extension(ids.certificatePolicies, critical, policies(...(oids.length ? oids : [policy])))
const ski = (of: Key) => extension(ids.subjectKeyIdentifier, false, octetString(of.id))
export const aki = (of: Key) => extension(ids.authorityKeyIdentifier, false, sequence(taggedPrimitive(0, of.id)))
const purposes = (...oids: string[]) => extension(ids.extendedKeyUsage, false, sequence(...oids.map(oid)))
export const san = (critical: boolean, ...names: Buffer[]) =>
  extension(ids.subjectAltName, critical, sequence(...names))
export const dns = (host: string) => taggedPrimitive(2, Buffer.from(host))
export const apex = (octets = 107) => {
  const parameters = sequence(octetString(Buffer.alloc(12, 7)), integer(16))
  const algorithm = sequence(oid('2.16.840.1.101.3.4.1.6'), parameters)
  return extension(ids.apex, false, sequence(algorithm, octetString(Buffer.alloc(octets, 9))))
}

// --- certificates ---

export interface CertificateTemplate {
  readonly version: Buffer
  readonly serial: Buffer
  readonly inner: Buffer
  readonly issuer: Buffer
  readonly validity: Buffer
  readonly subject: Buffer
  readonly spki: Buffer
  /** What stands between the key and the extensions. */
  readonly extra: readonly Buffer[]
  readonly extensions: readonly Buffer[]
  readonly outer: Buffer
  readonly signer: Key
  /** In place of a signature. */
  readonly signature?: Buffer
}

/** The octets, signed anew. */
export function certificate(template: CertificateTemplate): Buffer {
  const { version, serial, inner, issuer, subject, spki, extra, extensions } = template
  const tail = extensions.length > 0 ? [tagged(3, sequence(...extensions))] : []
  const tbs = sequence(version, serial, inner, issuer, template.validity, subject, spki, ...extra, ...tail)
  return signed(tbs, template)
}

function signed(
  tbs: Buffer,
  { outer, signer, signature }: { outer: Buffer; signer: Key; signature?: Buffer },
): Buffer {
  return sequence(tbs, outer, bitString(signature ?? sign('sha256', tbs, signer.privateKey)))
}

interface Wanted {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly validity: Buffer
  readonly of: Key
  readonly by: Key
  readonly extensions: readonly Buffer[]
}

function template({ issuer, subject, validity: period, of, by, extensions }: Wanted): CertificateTemplate {
  return {
    version: tagged(0, integer(2)),
    serial: integer(Buffer.from('30398236744d9da0e57f8d74ae041fcd', 'hex')),
    inner: by.algorithm,
    issuer,
    validity: period,
    subject,
    spki: of.spki,
    extra: [],
    extensions,
    outer: by.algorithm,
    signer: by,
  }
}

/** One good certificate of every kind (certificates.md sections 4 to 8). */
export const certificates = {
  'root-oca': () => {
    const [of, by] = [keys.authority(), keys.authority()]
    const extensions = [signsAll, ca(1), policed(true), ski(of), apex()]
    return template({ issuer: rootOca, subject: rootOca, validity: years[50], of, by, extensions })
  },
  'issuing-oca': () => {
    const [of, by] = [keys.subject(), keys.authority()]
    const extensions = [signsAll, ca(0), policed(true), ski(of), aki(by)]
    return template({ issuer: rootOca, subject: issuingOca, validity: years[25], of, by, extensions })
  },
  organisation: () => {
    const [of, by] = [keys.subject(), keys.authority()]
    const subject = name(rdn(ids.cn, u('SUPPLIER')), rdn(ids.ou, u('02')), uid)
    const extensions = [usage(0), ski(of), policed(true), aki(by)]
    return template({ issuer: issuingOca, subject, validity: years[10], of, by, extensions })
  },
  'root-dca': () => {
    const [of, by] = [keys.authority(), keys.authority()]
    const extensions = [signsAll, ca(1), policed(true), ski(of)]
    return template({ issuer: rootDca, subject: rootDca, validity: years[50], of, by, extensions })
  },
  'issuing-dca': () => {
    const [of, by] = [keys.subject(), keys.authority()]
    const extensions = [usage(5), ca(0), policed(true), ski(of), aki(by)]
    return template({ issuer: rootDca, subject: issuingDca, validity: years[25], of, by, extensions })
  },
  device: () => {
    const [of, by] = [keys.subject(), keys.authority()]
    const extensions = [usage(4), ski(of), san(true, hardwareModule(eui64)), policed(true), aki(by)]
    return template({ issuer: issuingDca, subject: name(), validity: years.forever, of, by, extensions })
  },
  'root-ica': () => {
    const [of, by] = [keys.rsa4096(), keys.rsa4096()]
    const extensions = [signsAll, ca(1), policed(false), ski(of)]
    return template({ issuer: rootIca, subject: rootIca, validity: years[50], of, by, extensions })
  },
  'issuing-ica': () => {
    const [of, by] = [keys.rsa4096(), keys.rsa4096()]
    const extensions = [signsAll, ca(0), policed(false), ski(of), aki(by)]
    return template({ issuer: rootIca, subject: issuingIca, validity: years[25], of, by, extensions })
  },
  'iki-client': () => {
    const [of, by] = [keys.rsa2048(), keys.rsa4096()]
    const extensions = [usage(0), purposes(clientAuth), policed(false), ski(of), aki(by)]
    const subject = three('Trading Name', '02', 'head-end-1')
    return template({ issuer: issuingIca, subject, validity: years[10], of, by, extensions })
  },
  'iki-file-signing': () => {
    const [of, by] = [keys.subject(), keys.rsa4096()]
    const extensions = [usage(0), policed(false), ski(of), aki(by)]
    const subject = three('Trading Name', '02', 'signer-1')
    return template({ issuer: issuingIca, subject, validity: years[10], of, by, extensions })
  },
  'root-dcckica': () => {
    const [of, by] = [keys.rsa4096(), keys.rsa4096()]
    const extensions = [signsAll, ca(1), policed(false), ski(of)]
    return template({ issuer: rootDcckica, subject: rootDcckica, validity: years[50], of, by, extensions })
  },
  'eii-dcckica': () => {
    const [of, by] = [keys.rsa4096(), keys.rsa4096()]
    const extensions = [signsAll, ca(0), policed(false), ski(of), aki(by)]
    return template({ issuer: rootDcckica, subject: eiiDcckica, validity: years[25], of, by, extensions })
  },
  'dccki-infrastructure': () => {
    const [of, by] = [keys.rsa2048(), keys.rsa4096()]
    const hosts = san(false, dns('gateway.example'))
    const extensions = [usage(0, 2), purposes(serverAuth, clientAuth), hosts, policed(false), ski(of), aki(by)]
    const subject = three('Party', '90B3D51F30010000', 'gateway.example')
    return template({ issuer: eiiDcckica, subject, validity: years[3], of, by, extensions })
  },
  'dccki-personnel': () => {
    const [of, by] = [keys.rsa2048(), keys.rsa4096()]
    const extensions = [usage(0), purposes(clientAuth), policed(false), ski(of), aki(by)]
    const subject = three('Party', '90B3D51F30010000', 'person-1')
    return template({ issuer: eiiDcckica, subject, validity: years[2], of, by, extensions })
  },
  's1spki-root': () => {
    const [of, by] = [keys.authority(), keys.authority()]
    const extensions = [signsAll, ca(1), policed(false), ski(of)]
    return template({ issuer: operatorRoot, subject: operatorRoot, validity: years[50], of, by, extensions })
  },
  's1spki-issuing': () => {
    const [of, by] = [keys.subject(), keys.authority()]
    const extensions = [signsAll, ca(0), policed(false), ski(of), aki(by)]
    return template({ issuer: operatorRoot, subject: operatorIssuing, validity: years[25], of, by, extensions })
  },
  's1spki-hes': () => {
    const [of, by] = [keys.subject(), keys.authority()]
    const extensions = [usage(0, 4), purposes(serverAuth, clientAuth), policed(false), ski(of), aki(by)]
    const subject = three('Provider', 'FOC', 'hes.example')
    return template({ issuer: operatorIssuing, subject, validity: years[10], of, by, extensions })
  },
  's1spki-hub': () => {
    const [of, by] = [keys.subject(), keys.authority()]
    const extensions = [usage(0, 4), purposes(clientAuth), policed(false), ski(of), aki(by)]
    const subject = three('Provider', 'FOC', '90B3D51F30010000')
    return template({ issuer: operatorIssuing, subject, validity: years[10], of, by, extensions })
  },
}

// --- requests ---

export interface RequestTemplate {
  readonly version: Buffer
  readonly subject: Buffer
  readonly spki: Buffer
  readonly attributes: readonly Buffer[]
  readonly outer: Buffer
  readonly signer: Key
  readonly signature?: Buffer
}

export function request(template: RequestTemplate): Buffer {
  const { version, subject, spki, attributes } = template
  return signed(sequence(version, subject, spki, tagged(0, ...attributes.toSorted(Buffer.compare))), template)
}

export const asks = (...extensions: Buffer[]) => sequence(oid(ids.extensionRequest), setOf(sequence(...extensions)))

function asking(subject: Buffer, of: Key, ...extensions: Buffer[]): RequestTemplate {
  return {
    version: integer(0),
    subject,
    spki: of.spki,
    attributes: [asks(...extensions)],
    outer: of.algorithm,
    signer: of,
  }
}

/** One good request of every kind (section 12). */
export const requests = {
  'organisation-csr': () => asking(name(rdn(ids.ou, u('02')), uid), keys.subject(), usage(0)),
  'device-csr': () => asking(name(), keys.subject(), usage(4), san(true, hardwareModule(eui64))),
  'iki-csr': () => asking(three('Trading Name', '02', 'head-end-1'), keys.rsa2048(), usage(0)),
}

// --- lists ---

export interface ListTemplate {
  readonly version: Buffer
  readonly inner: Buffer
  readonly issuer: Buffer
  readonly thisUpdate: Buffer
  readonly nextUpdate: Buffer
  readonly entries: readonly Buffer[]
  readonly extensions: readonly Buffer[]
  readonly outer: Buffer
  readonly signer: Key
  readonly signature?: Buffer
}

export function list(template: ListTemplate): Buffer {
  const { version, inner, issuer, thisUpdate, nextUpdate, entries, extensions } = template
  const revoked = entries.length > 0 ? [sequence(...entries)] : []
  const tail = extensions.length > 0 ? [tagged(0, sequence(...extensions))] : []
  return signed(sequence(version, inner, issuer, thisUpdate, nextUpdate, ...revoked, ...tail), template)
}

export const entry = (serial: string, ...extensions: Buffer[]) =>
  sequence(integer(Buffer.from(serial, 'hex')), from, ...(extensions.length ? [sequence(...extensions)] : []))
export const reason = (code: number, critical = false) => extension(ids.reasonCode, critical, enumerated(code))

function listing(issuer: Buffer, by: Key, nextUpdate: Buffer): ListTemplate {
  const entries = [entry('30398236744d9da0e57f8d74ae041fcd', reason(1)), entry('71872bdbc82789bc1401ce01ba06ada3')]
  const extensions = [aki(by), extension(ids.crlNumber, false, integer(7))]
  const [inner, outer] = [by.algorithm, by.algorithm]
  return {
    version: integer(1),
    inner,
    issuer,
    thisUpdate: from,
    nextUpdate,
    entries,
    extensions,
    outer,
    signer: by,
  }
}

const in48Hours = utc('261122093000Z')
const in12Months = utc('271120093000Z')

/** One good list of every kind (section 10). */
export const lists = {
  'organisation-crl': () => listing(issuingOca, keys.authority(), in48Hours),
  'organisation-arl': () => listing(rootOca, keys.authority(), in12Months),
  'device-arl': () => listing(rootDca, keys.authority(), in12Months),
  'iki-crl': () => listing(issuingIca, keys.rsa4096(), in48Hours),
  'iki-arl': () => listing(rootIca, keys.rsa4096(), in12Months),
  'dccki-crl': () => listing(eiiDcckica, keys.rsa4096(), in48Hours),
  'dccki-arl': () => listing(rootDcckica, keys.rsa4096(), in12Months),
  's1spki-crl': () => listing(operatorIssuing, keys.authority(), in48Hours),
  's1spki-arl': () => listing(operatorRoot, keys.authority(), in12Months),
}

/** The same template with the extension of one type replaced, or left out. */
export function swap<T extends { readonly extensions: readonly Buffer[] }>(
  of: T,
  type: string,
  ...by: Buffer[]
): T {
  const prefix = oid(type)
  const at = of.extensions.findIndex(one => one.includes(prefix) && one.indexOf(prefix) <= 4)
  if (at < 0) throw new Error(`the template has no ${type}`)
  return { ...of, extensions: of.extensions.toSpliced(at, 1, ...by) }
}

export const nullParameters = (algorithm: string) => sequence(oid(algorithm), nothing())
