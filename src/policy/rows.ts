/** Rows that several profiles share. */

import type { AttributeRule, ExtensionRule, KeyKind, Profile } from './profile.ts'
import type { Settings } from './settings.ts'

export const ski: ExtensionRule = { is: 'subjectKeyIdentifier', critical: false }
export const aki: ExtensionRule = { is: 'authorityKeyIdentifier', critical: false }
export const caUsage: ExtensionRule = { is: 'keyUsage', critical: true, all: ['keyCertSign', 'cRLSign'] }

export const ca = (pathLength: number): ExtensionRule => ({ is: 'basicConstraints', critical: true, pathLength })

export const policy = (oid: string, critical: boolean): ExtensionRule => ({
  is: 'certificatePolicies',
  critical,
  oid,
})

/** A name of an OCA or a DCA: `[OU=…,] CN=…`, PrintableString, the common name of a few octets. */
export function shortCaName(settings: Settings, unit?: string): AttributeRule[] {
  const cn = {
    attribute: 'commonName',
    string: 'PrintableString',
    atMost: settings.certificates.caNameOctets,
  } as const
  return unit === undefined
    ? [cn]
    : [{ attribute: 'organizationalUnitName', string: 'PrintableString', fixed: unit }, cn]
}

/** O, OU, CN in UTF8String: names of the IKI, the DCCKI and the S1SPKIs. */
export function longName(unit?: string): AttributeRule[] {
  const ou = { attribute: 'organizationalUnitName', string: 'UTF8String' } as const
  return [
    { attribute: 'organizationName', string: 'UTF8String' },
    unit === undefined ? ou : { ...ou, fixed: unit },
    { attribute: 'commonName', string: 'UTF8String' },
  ]
}

/** Root and issuing authority of the PKIs whose policies are not critical: IKI, DCCKI, S1SPKI. */
export function longNamedAuthorities(
  settings: Settings,
  of: Pick<Profile, 'pki' | 'clause'> & {
    key: KeyKind
    unit: string
    policyOid: string
    root: string
    issuing: string
  },
): { root: Profile; issuing: Profile } {
  const { rootYears, issuingYears, rootPathLength } = settings.certificates
  const common = { pki: of.pki, family: 'ca', clause: of.clause, key: of.key, subject: longName(of.unit) } as const
  return {
    root: {
      ...common,
      name: of.root,
      validity: { years: rootYears, from: 'moment' },
      extensions: [caUsage, ca(rootPathLength), policy(of.policyOid, false), ski],
    },
    issuing: {
      ...common,
      name: of.issuing,
      validity: { years: issuingYears, from: 'moment' },
      extensions: [caUsage, ca(0), policy(of.policyOid, false), ski, aki],
    },
  }
}
