/** The hierarchies of the SMKI as they are issued, small: each chain and its lists, clean by the linter. */

import { bitString, octetString, oid, printableString, sequence, utf8String } from '../../src/ground/der/write.ts'
import { oids } from '../../src/ground/x509/names.ts'
import {
  attribute,
  extensions as ext,
  extension,
  forgeCertificate,
  forgeList,
  name,
  type Pair,
  p256,
  rsa,
} from './forge.ts'

export interface Hierarchy {
  readonly root: Buffer
  readonly issuing: Buffer
  readonly end: Buffer
  readonly endSerial: Buffer
  readonly issuingSerial: Buffer
  /** Of the root. */
  readonly arl: Buffer
  /** Of the issuing authority; undefined where it signs none. */
  readonly crl: Buffer | undefined
  readonly revoking: { readonly arl: Buffer; readonly crl: Buffer | undefined }
}

export const moment = '2026-11-21T00:00:00Z'
const policy = '1.2.826.0.1.8641679.1.2.1.4'
const eui64 = Buffer.from('90b3d51f30010000', 'hex')

const printable = (...parts: [string, string][]) =>
  name(...parts.map(([type, text]) => attribute(type, printableString(text))))
const utf8 = (o: string, ou: string, cn: string) =>
  name(
    attribute(oids.organizationName, utf8String(o)),
    attribute(oids.organizationalUnitName, utf8String(ou)),
    attribute(oids.commonName, utf8String(cn)),
  )
const policies = (critical: boolean) =>
  extension(oids.certificatePolicies, critical, sequence(sequence(oid(policy))))
const signs = ext.usage('keyCertSign', 'cRLSign')

interface Plan {
  rootName: Buffer
  issuingName: Buffer
  endName: Buffer
  rootKey: Pair
  issuingKey: Pair
  endKey: Pair
  criticalPolicies: boolean
  issuingUsage: Buffer
  rootExtra: readonly Buffer[]
  endExtensions: (ids: { ski: Buffer; aki: Buffer; policies: Buffer }) => readonly Buffer[]
  endUntil: string
  signsLists: boolean
}

function make(plan: Plan): Hierarchy {
  const { rootName, issuingName, rootKey, issuingKey, endKey, criticalPolicies } = plan
  const [rootSerial, issuingSerial, endSerial] = [0x31, 0x32, 0x33].map(octet => Buffer.alloc(16, octet))
  const own = policies(criticalPolicies)
  const from = '2026-11-20T09:30:00'
  const root = forgeCertificate({
    issuer: rootName,
    subject: rootName,
    spki: rootKey.spki,
    by: rootKey,
    serial: rootSerial!,
    from,
    until: '2076-11-20T09:29:59',
    extensions: [signs, ext.constraints(true, 1), own, ext.ski(rootKey.id), ...plan.rootExtra],
  })
  const issuing = forgeCertificate({
    issuer: rootName,
    subject: issuingName,
    spki: issuingKey.spki,
    by: rootKey,
    serial: issuingSerial!,
    from,
    until: '2051-11-20T09:29:59',
    extensions: [plan.issuingUsage, ext.constraints(true, 0), own, ext.ski(issuingKey.id), ext.aki(rootKey.id)],
  })
  const end = forgeCertificate({
    issuer: issuingName,
    subject: plan.endName,
    spki: endKey.spki,
    by: issuingKey,
    serial: endSerial!,
    from,
    until: plan.endUntil,
    extensions: plan.endExtensions({ ski: ext.ski(endKey.id), aki: ext.aki(issuingKey.id), policies: own }),
  })
  const list = (issuer: Buffer, by: Pair, until: string, revoked: Buffer[]) =>
    forgeList({
      issuer,
      by,
      from,
      until,
      revoked: revoked.map(serial => ({ serial, at: '2026-11-20T09:00:00', reason: 1 })),
    })
  const arl = (...revoked: Buffer[]) => list(rootName, rootKey, '2027-11-20T09:30:00', revoked)
  const crl = (...revoked: Buffer[]) =>
    plan.signsLists ? list(issuingName, issuingKey, '2026-11-22T09:30:00', revoked) : undefined
  return {
    root,
    issuing,
    end,
    endSerial: endSerial!,
    issuingSerial: issuingSerial!,
    arl: arl(),
    crl: crl(),
    revoking: { arl: arl(issuingSerial!), crl: crl(endSerial!) },
  }
}

/** The contingency key, wrapped, as its length has it: nobody opens it here. */
const apex = extension(
  oids.wrappedApexContingencyKey,
  false,
  sequence(sequence(oid('2.16.840.1.101.3.4.1.8')), octetString(Buffer.alloc(104, 1))),
)

function organisation(): Hierarchy {
  return make({
    rootName: printable([oids.organizationalUnitName, '00'], [oids.commonName, 'ZT']),
    issuingName: printable([oids.organizationalUnitName, '07'], [oids.commonName, 'T1']),
    endName: name(
      attribute(oids.organizationalUnitName, utf8String('02')),
      attribute(oids.uniqueIdentifier, bitString(eui64)),
    ),
    rootKey: p256(),
    issuingKey: p256(),
    endKey: p256(),
    criticalPolicies: true,
    issuingUsage: signs,
    rootExtra: [apex],
    endExtensions: ({ ski, aki, policies: own }) => [ext.usage('digitalSignature'), ski, own, aki],
    endUntil: '2036-11-20T09:29:59',
    signsLists: true,
  })
}

function device(): Hierarchy {
  return make({
    rootName: printable([oids.commonName, 'D001']),
    issuingName: printable([oids.commonName, 'D357']),
    endName: name(),
    rootKey: p256(),
    issuingKey: p256(),
    endKey: p256(),
    criticalPolicies: true,
    issuingUsage: ext.usage('keyCertSign'),
    rootExtra: [],
    endExtensions: ({ ski, aki, policies: own }) => [ext.usage('keyAgreement'), ski, ext.device(eui64), own, aki],
    endUntil: '9999-12-31T23:59:59',
    signsLists: false,
  })
}

function iki(): Hierarchy {
  const key = rsa(4096)
  return make({
    rootName: utf8('Operator', 'IKI', 'Root ICA 1'),
    issuingName: utf8('Operator', 'IKI', 'Issuing ICA 1'),
    endName: utf8('Trading Name', '02', 'head-end-1'),
    rootKey: key,
    // One key for both, because making one takes a second.
    issuingKey: key,
    endKey: rsa(2048),
    criticalPolicies: false,
    issuingUsage: signs,
    rootExtra: [],
    endExtensions: ({ ski, aki, policies: own }) => [
      ext.usage('digitalSignature'),
      ext.purposes(false, oids.clientAuth),
      own,
      ski,
      aki,
    ],
    endUntil: '2036-11-20T09:29:59',
    signsLists: true,
  })
}

export const hierarchies: Readonly<Record<string, () => Hierarchy>> = { organisation, device, iki }
