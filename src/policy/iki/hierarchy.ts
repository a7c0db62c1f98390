/** The Infrastructure Key Infrastructure: Root ICA, Issuing ICA, IKI Certificates (certificates.md section 6; CERT-A08). */

import { oids } from '../../ground/x509/names.ts'
import type { Hierarchy, Profile } from '../profile.ts'
import { aki, longName, longNamedAuthorities, policy, ski } from '../rows.ts'
import type { Settings } from '../settings.ts'

export function ikiPki(settings: Settings): Hierarchy {
  const { certificates, names, lists } = settings
  const oid = certificates.policyIki
  const common = { pki: 'iki', family: 'iki', clause: 'certificates.md 6', subject: longName() } as const
  const { root, issuing } = longNamedAuthorities(settings, {
    pki: 'iki',
    clause: 'certificates.md 6',
    key: 'RSA-4096',
    unit: 'IKI',
    policyOid: oid,
    root: 'Root ICA Certificate',
    issuing: 'Issuing ICA Certificate',
  })
  const usage = { is: 'keyUsage', critical: true, all: ['digitalSignature'] } as const
  const client: Profile = {
    ...common,
    name: 'IKI Client Certificate',
    key: 'RSA-2048',
    validity: { years: certificates.ikiYears, from: 'moment' },
    extensions: [
      usage,
      { is: 'extendedKeyUsage', critical: false, purposes: [oids.clientAuth] },
      policy(oid, false),
      ski,
      aki,
    ],
  }
  const fileSigning: Profile = {
    ...common,
    name: 'IKI File Signing Certificate',
    key: 'P-256',
    validity: { years: certificates.ikiYears, from: 'moment' },
    extensions: [usage, policy(oid, false), ski, aki],
  }
  const subject = (part: string) => ({
    organizationName: names.operator,
    organizationalUnitName: 'IKI',
    commonName: `${part} ${names.ikiId}`,
  })
  return {
    pki: 'iki',
    says: 'Infrastructure Key Infrastructure (ICA)',
    root: {
      part: 'Root ICA',
      level: 'root',
      profile: root,
      subject: subject('Root ICA'),
      list: { name: 'IKI ARL', ...lists.ikiArl },
    },
    issuing: {
      part: 'Issuing ICA',
      level: 'issuing',
      profile: issuing,
      subject: subject('Issuing ICA'),
      list: { name: 'IKI CRL', ...lists.ikiCrl },
    },
    endEntities: [client, fileSigning],
  }
}
