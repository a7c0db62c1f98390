/** The DCC Key Infrastructure: Root DCCKICA, EII DCCKICA and their certificates (certificates.md section 7; CERT-A09). */

import { oids } from '../../ground/x509/names.ts'
import type { Hierarchy, Profile } from '../profile.ts'
import { aki, longName, longNamedAuthorities, policy, ski } from '../rows.ts'
import type { Settings } from '../settings.ts'

export function dcckiPki(settings: Settings): Hierarchy {
  const { certificates, names, lists } = settings
  const oid = certificates.policyDccki
  const clause = 'certificates.md 7'
  const common = { pki: 'dccki', family: 'dccki', clause, key: 'RSA-2048', subject: longName() } as const
  const { root, issuing } = longNamedAuthorities(settings, {
    pki: 'dccki',
    clause,
    key: 'RSA-4096',
    unit: 'DCCKI',
    policyOid: oid,
    root: 'Root DCCKICA Certificate',
    issuing: 'EII DCCKICA Certificate',
  })
  const infrastructure: Profile = {
    ...common,
    name: 'DCCKI Infrastructure Certificate',
    validity: { years: certificates.dcckiInfrastructureYears, from: 'moment' },
    extensions: [
      { is: 'keyUsage', critical: true, all: ['digitalSignature', 'keyEncipherment'] },
      { is: 'extendedKeyUsage', critical: false, purposes: [oids.serverAuth, oids.clientAuth] },
      { is: 'serverNames', critical: false },
      policy(oid, false),
      ski,
      aki,
    ],
  }
  const personnel: Profile = {
    ...common,
    name: 'Personnel Authentication Certificate',
    validity: { years: certificates.dcckiPersonnelYears, from: 'moment' },
    extensions: [
      { is: 'keyUsage', critical: true, all: ['digitalSignature'] },
      { is: 'extendedKeyUsage', critical: false, purposes: [oids.clientAuth] },
      policy(oid, false),
      ski,
      aki,
    ],
  }
  const subject = (part: string) => ({
    organizationName: names.operator,
    organizationalUnitName: 'DCCKI',
    commonName: part,
  })
  return {
    pki: 'dccki',
    says: 'DCC Key Infrastructure (DCCKICA)',
    root: {
      part: 'Root DCCKICA',
      level: 'root',
      profile: root,
      subject: subject('Root DCCKICA'),
      list: { name: 'DCCKI ARL', ...lists.dcckiArl },
    },
    issuing: {
      part: 'EII DCCKICA',
      level: 'issuing',
      profile: issuing,
      subject: subject('EII DCCKICA'),
      list: { name: 'DCCKI CRL', ...lists.dcckiCrl },
    },
    endEntities: [infrastructure, personnel],
  }
}
