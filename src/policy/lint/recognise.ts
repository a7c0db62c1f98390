/** Which profile a file is measured by, decided from what it holds, also when part of that is wrong. */

import { equal } from '../../ground/bytes.ts'
import { attributes, attributeText, type Name } from '../../ground/x509/name.ts'
import { oids } from '../../ground/x509/names.ts'
import { eui64 } from '../identifiers.ts'
import { roleFromOu } from '../roles.ts'
import type { CertificateKind, Kind, ListKind, RequestKind } from './kind.ts'
import type { Opened } from './view.ts'

/** The first row that fits gives the kind; `unknown` when none does. */
export function recognise(it: Opened): Kind {
  const rows = it.form === 'certificate' ? certificates : it.form === 'request' ? requests : lists
  return rows.find(([, fits]) => fits(it))?.[0] ?? 'unknown'
}

type Rows<K extends Kind> = readonly (readonly [K, (it: Opened) => boolean])[]

/** What a name holds, for a glance: the first text of each attribute type. */
const text = (name: Name | undefined, oid: string): string | undefined => {
  const found = name && attributes(name, oid)[0]
  return found && attributeText(found)
}
const unit = (name: Name | undefined) => text(name, oids.organizationalUnitName)
const common = (name: Name | undefined) => text(name, oids.commonName)
const has = (name: Name | undefined, oid: string) => name !== undefined && attributes(name, oid).length > 0
const only = (name: Name | undefined, oid: string) =>
  name !== undefined && name.rdns.length > 0 && name.rdns.flat().every(attribute => attribute.oid === oid)

const namesDevice = (it: Opened) => it.alternativeNames?.some(name => name.kind === 'hardwareModuleName') === true
const namesParty = (it: Opened) => has(it.subject, oids.uniqueIdentifier)
const isAuthority = (it: Opened) =>
  it.basicConstraints?.ca === true || it.keyUsage?.includes('keyCertSign') === true
const isSelfIssued = (it: Opened) => !!it.issuer && !!it.subject && equal(it.issuer.der, it.subject.der)
const isClient = (it: Opened) => it.purposes !== undefined || it.publicKey?.kind === 'RSA'
const holdsRole = (name: Name | undefined) =>
  has(name, oids.organizationName) && has(name, oids.commonName) && roleFromOu(unit(name) ?? '') !== undefined
const isCohort = (name: Name | undefined) => /^(FOC|MOC)$/.test(unit(name) ?? '')
const isDccki = (it: Opened) => unit(it.issuer) === 'DCCKI' || eui64(unit(it.subject) ?? '') !== undefined

const certificates: Rows<CertificateKind> = [
  ['device', namesDevice],
  ['organisation', namesParty],
  ['root-ica', it => unit(it.subject) === 'IKI' && isSelfIssued(it)],
  ['issuing-ica', it => unit(it.subject) === 'IKI'],
  ['root-dcckica', it => unit(it.subject) === 'DCCKI' && isSelfIssued(it)],
  ['eii-dcckica', it => unit(it.subject) === 'DCCKI'],
  ['s1spki-root', it => isCohort(it.subject) && isAuthority(it) && isSelfIssued(it)],
  ['s1spki-issuing', it => isCohort(it.subject) && isAuthority(it)],
  ['s1spki-hub', it => isCohort(it.subject) && eui64(common(it.subject) ?? '') !== undefined],
  ['s1spki-hes', it => isCohort(it.subject)],
  ['dccki-infrastructure', it => isDccki(it) && (it.alternativeNames !== undefined || servesTls(it))],
  ['dccki-personnel', isDccki],
  ['iki-client', it => (unit(it.issuer) === 'IKI' || holdsRole(it.subject)) && isClient(it)],
  ['iki-file-signing', it => unit(it.issuer) === 'IKI' || holdsRole(it.subject)],
  ['root-oca', it => unit(it.subject) === '00'],
  ['issuing-oca', it => unit(it.subject) === '07'],
  ['root-dca', it => only(it.subject, oids.commonName) && isAuthority(it) && isSelfIssued(it)],
  ['issuing-dca', it => only(it.subject, oids.commonName) && isAuthority(it)],
  ['device', it => it.subject?.rdns.length === 0],
]

function servesTls(it: Opened): boolean {
  return it.purposes?.includes(oids.serverAuth) === true
}

const requests: Rows<RequestKind> = [
  ['device-csr', namesDevice],
  ['organisation-csr', namesParty],
  ['device-csr', it => it.subject?.rdns.length === 0],
  ['iki-csr', it => has(it.subject, oids.organizationName)],
  ['organisation-csr', it => has(it.subject, oids.organizationalUnitName)],
]

/** A list is recognised by its issuer, the only name it has. */
const lists: Rows<ListKind> = [
  ['organisation-arl', it => unit(it.issuer) === '00'],
  ['organisation-crl', it => unit(it.issuer) === '07'],
  ['iki-arl', it => unit(it.issuer) === 'IKI' && namesRoot(it)],
  ['iki-crl', it => unit(it.issuer) === 'IKI'],
  ['dccki-arl', it => unit(it.issuer) === 'DCCKI' && namesRoot(it)],
  ['dccki-crl', it => unit(it.issuer) === 'DCCKI'],
  ['s1spki-arl', it => isCohort(it.issuer) && namesRoot(it)],
  ['s1spki-crl', it => isCohort(it.issuer)],
  ['device-arl', it => only(it.issuer, oids.commonName)],
]

function namesRoot(it: Opened): boolean {
  return /\bRoot\b/.test(common(it.issuer) ?? '')
}
