/** The PKIs of SMETS1 Service Providers, one for each cohort: FOC and MOC (certificates.md section 8; CERT-A10). */

import { oids } from '../../ground/x509/names.ts'
import type { Hierarchy, Profile } from '../profile.ts'
import { aki, longName, longNamedAuthorities, policy, ski } from '../rows.ts'
import type { Settings } from '../settings.ts'

export type Cohort = 'FOC' | 'MOC'

/** @param number of the Operator Root CA, and of the issuing authority under it: several may exist (SEED-001) */
export function s1spPki(settings: Settings, cohort: Cohort, number = 1): Hierarchy {
  const { certificates, names, lists } = settings
  const pki = cohort === 'FOC' ? 's1spki-foc' : 's1spki-moc'
  const oid = cohort === 'FOC' ? certificates.policyFoc : certificates.policyMoc
  const operator = cohort === 'FOC' ? names.focOperator : names.mocOperator
  const clause = 'certificates.md 8'
  const { root, issuing } = longNamedAuthorities(settings, {
    pki,
    clause,
    key: 'P-256',
    unit: cohort,
    policyOid: oid,
    root: `${cohort} Operator Root CA Certificate`,
    issuing: `${cohort} Operator Issuing CA Certificate`,
  })
  const endEntity = (name: string, purposes: string[]): Profile => ({
    name,
    pki,
    family: 's1spki',
    clause,
    key: 'P-256',
    subject: longName(cohort),
    validity: { years: certificates.s1spkiYears, from: 'moment' },
    extensions: [
      { is: 'keyUsage', critical: true, all: ['digitalSignature', 'keyAgreement'] },
      { is: 'extendedKeyUsage', critical: false, purposes },
      policy(oid, false),
      ski,
      aki,
    ],
  })
  const subject = (part: string) => ({
    organizationName: operator,
    organizationalUnitName: cohort,
    commonName: `${part} ${number}`,
  })
  return {
    pki,
    says: `S1SPKI of the ${cohort} SMETS1 Service Provider`,
    root: {
      part: `${cohort} Operator Root CA`,
      level: 'root',
      profile: root,
      subject: subject('Operator Root CA'),
      list: { name: `S1SPKI ${cohort} ARL`, ...lists.s1spkiArl },
    },
    issuing: {
      part: `${cohort} Operator Issuing CA`,
      level: 'issuing',
      profile: issuing,
      subject: subject('Operator Issuing CA'),
      list: { name: `S1SPKI ${cohort} CRL`, ...lists.s1spkiCrl },
    },
    endEntities: [
      endEntity(`${cohort} HES Certificate`, [oids.serverAuth, oids.clientAuth]),
      endEntity(`${cohort} Communications Hub Certificate`, [oids.clientAuth]),
    ],
  }
}
