/** The Organisation PKI: Root OCA, Issuing OCA, Organisation Certificates (certificates.md section 4). */

import type { Hierarchy, Profile } from '../profile.ts'
import { aki, ca, caUsage, policy, shortCaName, ski } from '../rows.ts'
import type { Settings } from '../settings.ts'

export function organisationPki(settings: Settings): Hierarchy {
  const { certificates, names, lists } = settings
  const oid = certificates.policyOrganisation
  const common = { pki: 'smki-organisation', clause: 'certificates.md 4', key: 'P-256' } as const

  const root: Profile = {
    ...common,
    name: 'Root OCA Certificate',
    family: 'ca',
    subject: shortCaName(settings, '00'),
    validity: { years: certificates.rootYears, from: 'day' },
    extensions: [
      caUsage,
      ca(certificates.rootPathLength),
      policy(oid, true),
      ski,
      { is: 'wrappedApexContingencyKey', critical: false, oid: certificates.wrappedContingencyKeyOid },
    ],
  }
  const issuing: Profile = {
    ...common,
    name: 'Issuing OCA Certificate',
    family: 'ca',
    subject: shortCaName(settings, '07'),
    validity: { years: certificates.issuingYears, from: 'day' },
    extensions: [caUsage, ca(0), policy(oid, true), ski, aki],
  }
  const organisation: Profile = {
    ...common,
    name: 'Organisation Certificate',
    family: 'organisation',
    subject: [
      {
        attribute: 'commonName',
        string: 'UTF8String',
        optional: true,
        atMost: certificates.organisationNameCharacters,
      },
      { attribute: 'organizationalUnitName', string: 'UTF8String' },
      { attribute: 'uniqueIdentifier', string: 'BIT STRING' },
    ],
    validity: { years: certificates.organisationYears, from: 'moment' },
    extensions: [
      { is: 'keyUsage', critical: true, oneOf: ['digitalSignature', 'keyAgreement'] },
      ski,
      policy(oid, true),
      aki,
    ],
  }
  return {
    pki: 'smki-organisation',
    says: 'SMKI Organisation Certificates (OCA)',
    root: {
      part: 'Root OCA',
      level: 'root',
      profile: root,
      subject: { organizationalUnitName: '00', commonName: names.rootOca },
      list: { name: 'Organisation ARL', ...lists.organisationArl },
    },
    issuing: {
      part: 'Issuing OCA',
      level: 'issuing',
      profile: issuing,
      subject: { organizationalUnitName: '07', commonName: names.issuingOca },
      list: { name: 'Organisation CRL', ...lists.organisationCrl },
    },
    endEntities: [organisation],
  }
}
