/** The Device PKI: Root DCA, a stock of Issuing DCAs, Device Certificates (certificates.md section 5). */

import type { Hierarchy, Profile } from '../profile.ts'
import { aki, ca, caUsage, policy, shortCaName, ski } from '../rows.ts'
import type { Settings } from '../settings.ts'

export function devicePki(settings: Settings): Hierarchy {
  const { certificates, names, lists } = settings
  const oid = certificates.policyDevice
  const common = { pki: 'smki-device', clause: 'certificates.md 5', key: 'P-256' } as const

  const root: Profile = {
    ...common,
    name: 'Root DCA Certificate',
    family: 'ca',
    subject: shortCaName(settings),
    validity: { years: certificates.rootYears, from: 'moment' },
    extensions: [caUsage, ca(certificates.rootPathLength), policy(oid, true), ski],
  }
  const issuing: Profile = {
    ...common,
    name: 'Issuing DCA Certificate',
    family: 'ca',
    subject: shortCaName(settings),
    validity: { years: certificates.issuingYears, from: 'moment' },
    extensions: [
      { is: 'keyUsage', critical: true, all: certificates.issuingDcaUsages },
      ca(0),
      policy(oid, true),
      ski,
      aki,
    ],
  }
  const device: Profile = {
    ...common,
    name: 'Device Certificate',
    family: 'device',
    subject: [],
    validity: { years: 'forever', from: 'moment' },
    extensions: [
      { is: 'keyUsage', critical: true, oneOf: ['digitalSignature', 'keyAgreement'] },
      ski,
      { is: 'hardwareModuleName', critical: true },
      policy(oid, true),
      aki,
    ],
  }
  return {
    pki: 'smki-device',
    says: 'SMKI Device Certificates (DCA)',
    root: {
      part: 'Root DCA',
      level: 'root',
      profile: root,
      subject: { commonName: names.rootDca },
      list: { name: 'Device ARL', ...lists.deviceArl },
    },
    issuing: {
      part: 'Issuing DCA',
      level: 'issuing',
      profile: issuing,
      subject: { commonName: names.issuingDca },
      keyUse: {
        certificates: certificates.issuingDcaCertificates,
        months: certificates.issuingDcaMonths,
        stock: certificates.issuingDcaStock,
      },
    },
    endEntities: [device],
  }
}
