/** For every rule about extensions, a file that breaks it. */

import {
  boolean,
  integer,
  namedBits,
  octetString,
  oid,
  sequence,
  tagged,
  taggedPrimitive,
} from '../../src/ground/der/write.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { added, asking, type Broken, boxedIssuer, cert, crl, extended, hex, u } from './files.ts'
import {
  aki,
  apex,
  certificate,
  constraints,
  dns,
  eui64,
  extension,
  hardwareModule,
  ids,
  keys,
  name,
  policed,
  policies,
  policy,
  rdn,
  rootOca,
  san,
  swap,
  uid,
  usage,
} from './forge.ts'

/** As `bad`, which holds them too. */
export const badExtensions: Broken = {
  key_usage_present: [() => extended('organisation', ids.keyUsage)],
  basic_constraints_present: [() => extended('issuing-oca', ids.basicConstraints)],
  certificate_policies_present: [() => extended('organisation', ids.certificatePolicies)],
  subject_key_identifier_present: [() => extended('organisation', ids.subjectKeyIdentifier)],
  authority_key_identifier_present: [() => extended('organisation', ids.authorityKeyIdentifier)],
  subject_alt_name_present: [() => extended('device', ids.subjectAltName)],
  extended_key_usage_present: [() => extended('iki-client', ids.extendedKeyUsage)],
  wrapped_apex_contingency_key_present: [() => extended('root-oca', ids.apex)],
  crl_number_present: [() => crl('organisation-crl', t => swap(t, ids.crlNumber))],
  key_usage_criticality: [
    () => extended('organisation', ids.keyUsage, extension(ids.keyUsage, false, namedBits(0))),
  ],
  basic_constraints_criticality: [
    () => extended('issuing-oca', ids.basicConstraints, extension(ids.basicConstraints, false, constraints(0))),
  ],
  certificate_policies_criticality: [() => extended('organisation', ids.certificatePolicies, policed(false))],
  subject_key_identifier_criticality: [
    () =>
      extended(
        'organisation',
        ids.subjectKeyIdentifier,
        extension(ids.subjectKeyIdentifier, true, octetString(keys.subject().id)),
      ),
  ],
  authority_key_identifier_criticality: [
    () =>
      extended(
        'organisation',
        ids.authorityKeyIdentifier,
        extension(ids.authorityKeyIdentifier, true, sequence(taggedPrimitive(0, keys.authority().id))),
      ),
  ],
  subject_alt_name_criticality: [() => extended('device', ids.subjectAltName, san(false, hardwareModule(eui64)))],
  extended_key_usage_criticality: [
    () =>
      extended(
        'iki-client',
        ids.extendedKeyUsage,
        extension(ids.extendedKeyUsage, true, sequence(oid('1.3.6.1.5.5.7.3.2'))),
      ),
  ],
  wrapped_apex_contingency_key_criticality: [
    () =>
      cert('root-oca', t =>
        swap(
          t,
          ids.apex,
          extension(ids.apex, true, readCertificate(certificate(t)).extensions.at(-1)!.value as Buffer),
        ),
      ),
  ],
  crl_number_criticality: [
    () => crl('organisation-crl', t => swap(t, ids.crlNumber, extension(ids.crlNumber, true, integer(7)))),
  ],
  device_subject_key_identifier: [
    () => cert('device', t => ({ ...swap(t, ids.subjectKeyIdentifier), issuer: boxedIssuer })),
    'device_issued_by_organisation',
  ],
  device_policies_criticality: [() => extended('device', ids.certificatePolicies, policed(false))],
  device_csr_criticality: [
    () => asking('device-csr', extension(ids.keyUsage, false, namedBits(0)), san(true, hardwareModule(eui64))),
  ],
  crl_distribution_points_absent: [
    () => added('organisation', extension(ids.cRLDistributionPoints, false, sequence(sequence()))),
  ],
  authority_info_access_absent: [
    () => added('organisation', extension(ids.authorityInfoAccess, false, sequence(sequence()))),
  ],
  extended_key_usage_absent: [
    () => added('organisation', extension(ids.extendedKeyUsage, false, sequence(oid('1.3.6.1.5.5.7.3.2')))),
  ],
  extension_unexpected: [() => added('root-oca', aki(keys.authority()))],
  requested_extensions_ignored: [() => asking('iki-csr', usage(0), policed(false))],
  extension_order: [() => cert('organisation', t => ({ ...t, extensions: t.extensions.toReversed() }))],
  key_usage_exact: [() => extended('device', ids.keyUsage, usage(1))],
  key_usage_cert_sign: [() => extended('issuing-oca', ids.keyUsage, usage(6)), 'key_usage_exact'],
  key_usage_of_role: [
    () =>
      cert('organisation', t => swap({ ...t, subject: name(rdn(ids.ou, u('01')), uid) }, ids.keyUsage, usage(4))),
  ],
  basic_constraints_ca: [
    () =>
      extended('issuing-oca', ids.basicConstraints, extension(ids.basicConstraints, true, sequence(integer(0)))),
  ],
  path_length: [
    () => extended('issuing-oca', ids.basicConstraints, extension(ids.basicConstraints, true, constraints(1))),
  ],
  end_entity_not_ca: [() => added('organisation', extension(ids.basicConstraints, true, sequence(boolean(true))))],
  end_entity_basic_constraints: [() => added('organisation', extension(ids.basicConstraints, true, sequence()))],
  subject_key_identifier_octets: [
    () =>
      extended(
        'organisation',
        ids.subjectKeyIdentifier,
        extension(ids.subjectKeyIdentifier, false, octetString(Buffer.alloc(20, 1))),
      ),
  ],
  subject_key_identifier_method_2: [
    () =>
      extended(
        'organisation',
        ids.subjectKeyIdentifier,
        extension(ids.subjectKeyIdentifier, false, octetString(keys.authority().id)),
      ),
  ],
  authority_key_identifier_form: [
    () =>
      extended(
        'organisation',
        ids.authorityKeyIdentifier,
        extension(
          ids.authorityKeyIdentifier,
          false,
          sequence(
            taggedPrimitive(0, keys.authority().id),
            tagged(1, tagged(4, rootOca)),
            taggedPrimitive(2, hex('01')),
          ),
        ),
      ),
  ],
  authority_key_identifier_octets: [
    () =>
      extended(
        'organisation',
        ids.authorityKeyIdentifier,
        extension(ids.authorityKeyIdentifier, false, sequence(taggedPrimitive(0, Buffer.alloc(20, 0x44)))),
      ),
  ],
  certificate_policies_one: [
    () => extended('organisation', ids.certificatePolicies, policed(true, policy, '1.2.826.0.1.8641679.1.2.1.2')),
  ],
  certificate_policies_qualifiers: [
    () =>
      extended(
        'organisation',
        ids.certificatePolicies,
        extension(ids.certificatePolicies, true, sequence(sequence(oid(policy), sequence(sequence())))),
      ),
  ],
  certificate_policies_known: [
    () =>
      extended(
        'organisation',
        ids.certificatePolicies,
        extension(ids.certificatePolicies, true, policies('1.2.3')),
      ),
  ],
  hardware_module_name: [
    () => extended('device', ids.subjectAltName, san(true, hardwareModule(eui64), dns('meter'))),
  ],
  device_id_octets: [() => extended('device', ids.subjectAltName, san(true, hardwareModule(eui64.subarray(1))))],
  dns_names: [
    () => extended('dccki-infrastructure', ids.subjectAltName, san(false, taggedPrimitive(7, hex('7f000001')))),
  ],
  extended_key_usage_exact: [
    () =>
      extended(
        'iki-client',
        ids.extendedKeyUsage,
        extension(ids.extendedKeyUsage, false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
      ),
  ],
  apex_algorithm: [() => extended('root-oca', ids.apex, apex(91))],
}
