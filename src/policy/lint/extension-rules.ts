/** Rules about extensions: which stand there, in which order, critical or not, and what they say. */

import { equal, toHexUpper } from '../../ground/bytes.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import { attributeText } from '../../ground/x509/name.ts'
import { oidName, oids } from '../../ground/x509/names.ts'
import { numberFromOu, roleName } from '../roles.ts'
import { certificateKinds, type Form, type Kind, listKinds, requestKinds } from './kind.ts'
import { isBoxed } from './name-rules.ts'
import type { ExtensionName } from './profile.ts'
import { kindsWhere, profiles } from './profiles.ts'
import { type Rule, rule } from './rule.ts'
import type { View } from './view.ts'

/** `key_usage` of `keyUsage`. */
const snake = (name: string) => name.replace('cRL', 'crl').replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
const find = (view: View, name: ExtensionName) => view.extensions.find(one => one.oid === oids[name])
const expected = (view: View, name: ExtensionName) => view.profile.extensions?.find(one => one.name === name)
const withExtension = (name: ExtensionName) =>
  kindsWhere(profile => profile.extensions?.some(one => one.name === name))

const endEntities = certificateKinds.filter(kind => !profiles[kind].authority)
const authorities = certificateKinds.filter(kind => profiles[kind].authority)
const withIdentifier = certificateKinds.filter(kind => profiles[kind].keyIdentifierOctets)
const identified: readonly Kind[] = [
  ...kindsWhere(profile => profile.keyIdentifierOctets),
  ...listKinds.filter(kind => !profiles[kind].keyIdentifierOctets),
]
const withDevice: readonly Kind[] = ['device', 'device-csr']

/** Roles that were seen with digitalSignature alone (certificates.md section 4). */
const signingRoles: readonly number[] = [1, 5, 6, 135, 137]

const names: readonly ExtensionName[] = [
  'keyUsage',
  'basicConstraints',
  'certificatePolicies',
  'subjectKeyIdentifier',
  'authorityKeyIdentifier',
  'subjectAltName',
  'extendedKeyUsage',
  'wrappedApexContingencyKey',
  'crlNumber',
]

/** RFC 5280 itself demands these, so that no profile of ours need be sure of it. */
const demanded: readonly ExtensionName[] = ['basicConstraints', 'crlNumber']
const clauseOf = (name: ExtensionName) =>
  demanded.includes(name) ? 'RFC 5280 4.2.1.9, 5.2.3' : 'certificates.md 3 to 8, 10, 12'

/** Where the profile has an extension: it is there, and as critical as the profile says. */
const presence = names.map(name =>
  rule({
    id: `${snake(name)}_present`,
    says: `${name} is there`,
    clause: clauseOf(name),
    kinds: withExtension(name),
    field: name,
    // What DCC Boxed leaves out has a rule of its own, below.
    of: view =>
      expected(view, name) && !(name === 'subjectKeyIdentifier' && isBoxed(view)) ? { view } : undefined,
    holds: ({ view }) => find(view, name) !== undefined,
    shows: () => 'absent',
  }),
)

/** Two kinds are measured by rows of their own, below: criticality in a Device CSR, and of a Device's policies. */
const measured = (name: ExtensionName, kind: Kind) =>
  kind !== 'device-csr' && !(kind === 'device' && name === 'certificatePolicies')

const criticality = names.map(name =>
  rule({
    id: `${snake(name)}_criticality`,
    says: `${name} is critical where its profile says so, and not elsewhere`,
    clause: clauseOf(name),
    kinds: withExtension(name).filter(kind => measured(name, kind)),
    field: name,
    of: view => criticalityOf(view, name),
    holds: ({ found, due }) => found === due,
    shows: ({ found }) => (found ? 'critical' : 'not critical'),
  }),
)

function criticalityOf(view: View, name: ExtensionName): { found: boolean; due: boolean } | undefined {
  const [found, due] = [find(view, name), expected(view, name)]
  return found && due && { found: found.critical, due: due.critical }
}

/** Extensions that no certificate of these PKIs has, each with its rule (certificates.md section 3). */
const neverPresent = (['cRLDistributionPoints', 'authorityInfoAccess'] as const).map(name =>
  rule({
    id: `${snake(name)}_absent`,
    says: `${name} is not there`,
    clause: 'certificates.md 3',
    kinds: certificateKinds,
    field: 'nothingElse',
    of: view => view.extensions.map(one => one.oid),
    holds: found => !found.includes(oids[name]),
    shows: () => 'present',
  }),
)
const withoutPurposes = certificateKinds.filter(kind => !profiles[kind].purposes)

/** What `extension_unexpected` leaves to a rule of its own. */
const namedElsewhere: Readonly<Record<Form, readonly string[]>> = {
  certificate: [oids.cRLDistributionPoints, oids.authorityInfoAccess, oids.extendedKeyUsage, oids.basicConstraints],
  list: [oids.deltaCrlIndicator, oids.issuingDistributionPoint, oids.freshestCrl],
  request: [],
}
const unexpected = (view: View) => {
  const due = view.profile.extensions?.map(one => oids[one.name] as string) ?? []
  return view.extensions.map(one => one.oid).filter(oid => !due.includes(oid))
}

const shownUsages = (usages: readonly string[]) => usages.join(', ')

export const extensionRules: readonly Rule[] = [
  ...presence,
  ...criticality,
  rule({
    id: 'device_subject_key_identifier',
    severity: 'warning',
    says: 'subjectKeyIdentifier is there also in a Device Certificate of DCC Boxed',
    clause: 'certificates.md 16 (trap 5)',
    kinds: ['device'],
    of: view => (isBoxed(view) ? view : undefined),
    holds: view => find(view, 'subjectKeyIdentifier') !== undefined,
    shows: () => 'absent',
  }),
  rule({
    id: 'device_policies_criticality',
    severity: 'warning',
    says: 'certificatePolicies of a Device Certificate is critical',
    clause: 'certificates.md 5, 16 (trap 6)',
    kinds: ['device'],
    of: view => criticalityOf(view, 'certificatePolicies'),
    holds: ({ found, due }) => found === due,
    shows: () => 'not critical',
  }),
  rule({
    id: 'device_csr_criticality',
    severity: 'notice',
    says: 'keyUsage and subjectAltName of a Device CSR are critical (no channel checks it)',
    clause: 'certificates.md 12',
    kinds: ['device-csr'],
    of: view => (['keyUsage', 'subjectAltName'] as const).flatMap(name => criticalityOf(view, name)?.found ?? []),
    holds: found => found.every(Boolean),
    shows: () => 'not critical',
  }),
  ...neverPresent,
  rule({
    id: 'extended_key_usage_absent',
    says: 'extendedKeyUsage is not there',
    clause: 'certificates.md 3, 6, 7, 8',
    kinds: withoutPurposes,
    field: 'nothingElse',
    of: view => view.extensions.map(one => one.oid),
    holds: found => !found.includes(oids.extendedKeyUsage),
    shows: (_, { purposes }) => purposes?.map(oidName).join(', ') ?? 'present',
  }),
  rule({
    id: 'extension_unexpected',
    says: 'no other extension is there',
    clause: 'certificates.md 3 to 8, 10',
    kinds: [...certificateKinds, ...listKinds],
    field: 'nothingElse',
    of: view => unexpected(view).filter(oid => !namedElsewhere[view.form].includes(oid)),
    holds: found => found.length === 0,
    shows: found => found.map(oidName).join(', '),
  }),
  rule({
    id: 'requested_extensions_ignored',
    severity: 'notice',
    says: 'a request asks for nothing that will be ignored',
    clause: 'certificates.md 12',
    kinds: requestKinds,
    of: unexpected,
    holds: found => found.length === 0,
    shows: found => found.map(oidName).join(', '),
  }),
  rule({
    id: 'extension_order',
    // It differs between issuers of real certificates, and nobody may compare by it.
    severity: 'warning',
    says: 'extensions stand in the order of the profile',
    clause: 'certificates.md 3, 16 (trap 7)',
    kinds: certificateKinds,
    of: view => {
      const due = view.profile.extensions?.map(one => oids[one.name] as string) ?? []
      return view.extensions
        .map(one => one.oid)
        .filter(oid => due.includes(oid))
        .map(oid => due.indexOf(oid))
    },
    holds: places => places.every((place, i) => i === 0 || places[i - 1]! < place),
    shows: (_, view) => view.extensions.map(one => oidName(one.oid)).join(', '),
  }),

  rule({
    id: 'key_usage_exact',
    says: 'keyUsage is what the profile gives: one of digitalSignature and keyAgreement in SMKI end entities',
    clause: 'certificates.md 2, 4 to 8, 12',
    kinds: kindsWhere(profile => profile.usages),
    field: 'usages',
    of: view => view.keyUsage,
    holds: (usages, { profile }) => profile.usages!.some(due => due.join() === usages.join()),
    shows: shownUsages,
  }),
  rule({
    id: 'key_usage_cert_sign',
    says: 'keyUsage of a certification authority has keyCertSign',
    clause: 'RFC 5280 4.2.1.3',
    kinds: authorities,
    of: view => view.keyUsage,
    holds: usages => usages.includes('keyCertSign'),
    shows: shownUsages,
  }),
  rule({
    id: 'key_usage_of_role',
    severity: 'notice',
    says: 'recovery, transitionalCoS, wanProvider and the XML signing roles were seen with digitalSignature alone',
    clause: 'certificates.md 4',
    kinds: ['organisation'],
    of: view => {
      const unit = view.subject?.rdns.flat().find(attribute => attribute.oid === oids.organizationalUnitName)
      const role = numberFromOu((unit && attributeText(unit)) ?? '')
      return role !== undefined && view.keyUsage ? { role, usages: view.keyUsage } : undefined
    },
    holds: ({ role, usages }) => !signingRoles.includes(role) || !usages.includes('keyAgreement'),
    shows: ({ role, usages }) => `${roleName(role)} with ${shownUsages(usages)}`,
  }),
  rule({
    id: 'basic_constraints_ca',
    says: 'basicConstraints says that a certification authority is one',
    clause: 'RFC 5280 4.2.1.9',
    kinds: authorities,
    of: view => view.basicConstraints,
    holds: ({ ca }) => ca,
    shows: () => 'cA is FALSE',
  }),
  rule({
    id: 'path_length',
    says: 'pathLenConstraint is 0 of an issuing authority and 1 of a root',
    clause: 'certificates.md 4 to 8',
    kinds: kindsWhere(profile => profile.pathLength !== undefined),
    field: 'pathLength',
    of: view => view.basicConstraints,
    holds: ({ pathLength }, { profile }) => pathLength === profile.pathLength,
    shows: ({ pathLength }) => `pathLenConstraint ${pathLength ?? 'absent'}`,
  }),
  rule({
    id: 'end_entity_not_ca',
    says: 'an end entity is no certification authority',
    clause: 'certificates.md 3, RFC 5280 4.2.1.9',
    kinds: endEntities,
    of: view => ({ constraints: view.basicConstraints }),
    holds: ({ constraints }) => constraints?.ca !== true,
    shows: () => 'cA is TRUE',
  }),
  rule({
    id: 'end_entity_basic_constraints',
    severity: 'warning',
    says: 'an end entity has no basicConstraints, not even an empty one',
    clause: 'certificates.md 3, 16 (trap 6)',
    kinds: endEntities,
    of: view => (view.basicConstraints?.ca ? undefined : view),
    holds: view => find(view, 'basicConstraints') === undefined,
    shows: () => 'basicConstraints without cA',
  }),
  rule({
    id: 'subject_key_identifier_octets',
    says: 'subjectKeyIdentifier has 8 octets',
    clause: 'certificates.md 3',
    kinds: withIdentifier,
    field: 'keyIdentifiers',
    of: view => view.subjectKeyIdentifier,
    holds: (id, { profile }) => id.length === profile.keyIdentifierOctets,
    shows: id => `${id.length} octets`,
  }),
  rule({
    id: 'subject_key_identifier_method_2',
    says: 'subjectKeyIdentifier is 0100 and the last 60 bits of SHA-1 over the public key',
    clause: 'certificates.md 3, RFC 5280 4.2.1.2 (2)',
    kinds: withIdentifier,
    field: 'keyIdentifiers',
    of: ({ subjectKeyIdentifier: found, publicKey }) =>
      found?.length === 8 && publicKey ? { found, due: keyIdentifier(publicKey.key) } : undefined,
    holds: ({ found, due }) => equal(found, due),
    shows: ({ found, due }) => `${toHexUpper(found)}, not ${toHexUpper(due)}`,
  }),
  rule({
    id: 'authority_key_identifier_form',
    says: 'authorityKeyIdentifier is keyIdentifier alone',
    clause: 'certificates.md 3, 10',
    kinds: identified,
    field: 'keyIdentifiers',
    of: view => view.authorityKeyIdentifier,
    holds: ({ keyIdentifier: id, issuer, serial }) => id !== undefined && !issuer && !serial,
    shows: found =>
      Object.entries(found)
        .flatMap(([part, value]) => (value ? part : []))
        .join(', ') || 'nothing',
  }),
  rule({
    id: 'authority_key_identifier_octets',
    says: 'authorityKeyIdentifier has 8 octets, the first 40 to 4F as method 2 makes them',
    clause: 'certificates.md 3',
    kinds: kindsWhere(profile => profile.keyIdentifierOctets),
    field: 'keyIdentifiers',
    of: view => view.authorityKeyIdentifier?.keyIdentifier,
    holds: (id, { profile }) => id.length === profile.keyIdentifierOctets && id[0]! >> 4 === 4,
    shows: toHexUpper,
  }),
  rule({
    id: 'certificate_policies_one',
    says: 'certificatePolicies has one policy',
    clause: 'certificates.md 3',
    kinds: withExtension('certificatePolicies'),
    field: 'certificatePolicies',
    of: view => view.policies,
    holds: policies => policies.length === 1,
    shows: policies => policies.map(policy => policy.oid).join(', '),
  }),
  rule({
    id: 'certificate_policies_qualifiers',
    says: 'the policy has no qualifiers',
    clause: 'certificates.md 3',
    kinds: withExtension('certificatePolicies'),
    field: 'certificatePolicies',
    of: view => view.policies,
    holds: policies => policies.every(policy => policy.qualifiers === undefined),
    shows: () => 'qualifiers',
  }),
  rule({
    id: 'certificate_policies_known',
    severity: 'warning',
    says: 'the policy is one that was named as known',
    clause: 'certificates.md 11, CERT-A12',
    kinds: withExtension('certificatePolicies'),
    of: view => view.policies,
    holds: (policies, { settings }) => policies.every(policy => settings.policies.includes(policy.oid)),
    shows: policies => policies.map(policy => policy.oid).join(', '),
  }),
  rule({
    id: 'hardware_module_name',
    says: 'subjectAltName is one otherName, a hardwareModuleName',
    clause: 'certificates.md 5, 12',
    kinds: withDevice,
    of: view => view.alternativeNames,
    holds: found => found.length === 1 && found[0]!.kind === 'hardwareModuleName',
    shows: found =>
      found.map(name => (name.kind === 'other' ? `tag ${name.tag.toString(16)}` : name.kind)).join(', '),
  }),
  rule({
    id: 'device_id_octets',
    says: 'hwSerialNum is a Device ID: 8 octets',
    clause: 'certificates.md 5, 12, 13',
    kinds: withDevice,
    of: view => view.alternativeNames?.find(name => name.kind === 'hardwareModuleName'),
    holds: ({ hwSerialNum }) => hwSerialNum.length === 8,
    shows: ({ hwSerialNum }) => toHexUpper(hwSerialNum),
  }),
  rule({
    id: 'dns_names',
    says: 'subjectAltName holds host names and nothing else',
    clause: 'certificates.md 7',
    kinds: kindsWhere(profile => profile.dnsNames),
    field: 'subjectAltName',
    of: view => view.alternativeNames,
    holds: found => found.every(name => name.kind === 'other' && name.tag === 0x82),
    shows: found =>
      found.map(name => (name.kind === 'other' ? `tag ${name.tag.toString(16)}` : name.kind)).join(', '),
  }),
  rule({
    id: 'extended_key_usage_exact',
    says: 'extendedKeyUsage has the purposes of the profile and no other',
    clause: 'certificates.md 6, 7, 8',
    kinds: kindsWhere(profile => profile.purposes),
    field: 'purposes',
    of: view => view.purposes,
    holds: (purposes, { profile }) => purposes.toSorted().join() === profile.purposes!.toSorted().join(),
    shows: purposes => purposes.map(oidName).join(', '),
  }),
  rule({
    id: 'apex_algorithm',
    severity: 'warning',
    says: 'WrappedApexContingencyKey is a key of 91 octets under an algorithm that can carry it',
    clause: 'recovery.md 8, REC-A09',
    kinds: withExtension('wrappedApexContingencyKey'),
    of: view => view.apex,
    holds: ({ algorithm, octets }, { settings }) => settings.apexAlgorithms[algorithm] === octets,
    shows: ({ algorithm, octets }) => `${oidName(algorithm)}, ${octets} octets`,
  }),
]
