/** For every rule, a file that breaks it. */

import {
  bitString,
  boolean,
  element,
  integer,
  namedBits,
  nothing,
  octetString,
  oid,
  sequence,
  setOf,
  taggedPrimitive,
} from '../../src/ground/der/write.ts'
import { badExtensions } from './broken-extensions.ts'
import {
  added,
  algorithms,
  type Broken,
  boxedIssuer,
  cert,
  compressed,
  crl,
  csr,
  entries,
  extended,
  good,
  hex,
  issuerOf,
  keyed,
  oddKeyUsage,
  offCurve,
  organisation,
  p,
  period,
  signedAs,
  signer,
  u,
  withPoint,
} from './files.ts'
import {
  aki,
  entry,
  eui64,
  extension,
  generalized,
  ids,
  keys,
  name,
  nullParameters,
  rdn,
  reason,
  rootOca,
  swap,
  three,
  uid,
  usage,
  utc,
  validity,
} from './forge.ts'

/**
 * For every rule, a file with one part wrong. What else that wrong part breaks is named as well, so that a rule that
 * speaks where it should not is seen here.
 */
export const bad: Broken = {
  kind_known: [() => cert('organisation', t => ({ ...t, subject: name(rdn(ids.o, u('Nobody'))) }))],
  version_3: [
    () => cert('device', t => ({ ...t, version: Buffer.alloc(0), extensions: [] })),
    // Version 1 knows no extensions.
    'authority_key_identifier_present',
    'certificate_policies_present',
    'key_usage_present',
    'subject_alt_name_present',
    'subject_key_identifier_present',
  ],
  serial_positive: [
    () => cert('device', t => ({ ...t, serial: element(2, hex('81'.repeat(16))) })),
    'serial_octets',
  ],
  serial_octets: [() => cert('device', t => ({ ...t, serial: integer(hex('48'.repeat(15))) }))],
  unique_ids_absent: [() => cert('device', t => ({ ...t, extra: [taggedPrimitive(1, hex('0001'))] }))],
  request_version: [() => csr('device-csr', t => ({ ...t, version: integer(1) }))],
  request_attributes: [
    () =>
      csr('iki-csr', t => ({
        ...t,
        attributes: [...t.attributes, sequence(oid('1.2.840.113549.1.9.7'), setOf(u('x')))],
      })),
  ],

  der_truncated: [() => ({ form: 'certificate', octets: good('device').octets.subarray(0, -1) })],
  der_trailing: [() => ({ form: 'certificate', octets: Buffer.concat([good('device').octets, hex('00')]) })],
  der_tag: [() => period(utc('261120093000Z'), nothing())],
  der_length: [
    () => {
      const { octets } = good('device')
      return { form: 'certificate', octets: Buffer.concat([hex('308300'), octets.subarray(2)]) }
    },
  ],
  der_boolean: [
    () =>
      extended('organisation', ids.keyUsage, sequence(oid(ids.keyUsage), hex('010101'), octetString(namedBits(0)))),
  ],
  der_integer: [() => cert('device', t => ({ ...t, serial: element(2, hex('00'), hex('48'.repeat(16))) }))],
  der_bit_string: [() => oddKeyUsage('030207ff')],
  der_null: [() => cert('iki-client', algorithms(sequence(oid('1.2.840.113549.1.1.11'), hex('050100'))))],
  der_oid: [
    () =>
      extended(
        'organisation',
        ids.certificatePolicies,
        extension(ids.certificatePolicies, true, sequence(sequence(hex('06032a8001')))),
      ),
  ],
  der_time: [() => period(utc('261120093000Z'), utc('3611200929Z'))],
  der_string: [() => organisation(rdn(ids.cn, element(0x0c, hex('c328'))), rdn(ids.ou, u('02')), uid)],
  der_set_order: [
    () => {
      const pairs = [sequence(oid(ids.ou), u('02')), sequence(oid(ids.cn), u('A'))]
      return cert('organisation', t => ({ ...t, subject: name(element(0x31, ...pairs), uid) }))
    },
  ],
  der_default: [
    () =>
      extended(
        'organisation',
        ids.subjectKeyIdentifier,
        sequence(oid(ids.subjectKeyIdentifier), boolean(false), octetString(octetString(keys.subject().id))),
      ),
  ],
  der_empty: [() => oddKeyUsage('030100')],
  der_duplicate: [() => added('organisation', usage(0))],
  der_structure: [() => cert('device', t => ({ ...t, version: Buffer.alloc(0) }))],
  key_usage_trailing_zeros: [() => oddKeyUsage('03020080')],
  printable_string_characters: [
    () =>
      cert('issuing-oca', t => ({
        ...t,
        subject: name(rdn(ids.ou, p('07')), rdn(ids.cn, element(0x13, hex('5a5f')))),
      })),
  ],

  name_single_valued: [
    () => organisation(setOf(sequence(oid(ids.cn), u('A')), sequence(oid(ids.ou), u('02'))), uid),
  ],
  name_string_types: [
    () => organisation(rdn(ids.cn, element(0x14, Buffer.from('A'))), rdn(ids.ou, u('02')), uid),
    'subject_strings',
  ],
  issuer_attributes: [() => cert('organisation', t => ({ ...t, issuer: name(rdn(ids.cn, p('Z1'))) }))],
  issuer_order: [
    () => cert('organisation', t => ({ ...t, issuer: name(rdn(ids.cn, p('Z1')), rdn(ids.ou, p('07'))) })),
  ],
  issuer_texts: [() => cert('organisation', t => ({ ...t, issuer: rootOca }))],
  issuer_strings: [
    () => cert('organisation', t => ({ ...t, issuer: name(rdn(ids.ou, u('07')), rdn(ids.cn, u('Z1'))) })),
  ],
  device_issued_by_organisation: [() => cert('device', t => ({ ...t, issuer: boxedIssuer }))],
  subject_attributes: [() => organisation(rdn(ids.ou, u('02')), rdn(ids.o, u('Trading')), uid)],
  subject_order: [() => organisation(uid, rdn(ids.ou, u('02')))],
  subject_texts: [() => cert('issuing-ica', t => ({ ...t, subject: three('Operator', 'IKI', 'Some ICA') }))],
  subject_strings: [() => organisation(rdn(ids.ou, p('02')), uid)],
  authority_name_length: [() => cert('device', t => ({ ...t, issuer: name(rdn(ids.cn, p('E3570'))) }))],
  organisation_name_length: [() => organisation(rdn(ids.cn, u('A'.repeat(17))), rdn(ids.ou, u('02')), uid)],
  role_two_hex_digits: [() => organisation(rdn(ids.ou, u('137')), uid)],
  role_upper_case: [() => organisation(rdn(ids.ou, u('7f')), uid)],
  role_known: [() => organisation(rdn(ids.ou, u('80')), uid)],
  role_of_end_entity: [() => organisation(rdn(ids.ou, u('07')), uid)],
  unique_identifier_eui64: [() => organisation(rdn(ids.ou, u('02')), rdn(ids.uid, bitString(eui64.subarray(1))))],

  time_generalized_before_2050: [() => period(utc('261120093000Z'), generalized('20361120092959Z'))],
  time_utc_from_2050: [
    () => cert('issuing-oca', t => ({ ...t, validity: validity(utc('261120093000Z'), utc('511120092959Z')) })),
    'validity_order',
    'validity_too_short',
  ],
  validity_order: [() => period(utc('261120093000Z'), utc('261120092959Z')), 'validity_too_short'],
  validity_too_long: [() => period(utc('261120093000Z'), utc('361120093001Z'))],
  validity_too_short: [() => period(utc('261120093000Z'), utc('361120092958Z'))],
  validity_on_anniversary: [() => period(utc('261120093000Z'), utc('361120093000Z'))],
  validity_one_day_over: [() => period(utc('250901000000Z'), utc('350901235959Z'))],
  validity_forever: [
    () => cert('device', t => ({ ...t, validity: validity(utc('261120093000Z'), generalized('99991231235958Z')) })),
  ],
  list_next_update: [() => crl('organisation-crl', t => ({ ...t, nextUpdate: Buffer.alloc(0) }))],
  list_update_order: [() => crl('organisation-crl', t => ({ ...t, nextUpdate: t.thisUpdate }))],
  list_period: [() => crl('organisation-crl', t => ({ ...t, nextUpdate: utc('261122093001Z') }))],

  public_key_kind: [
    () => keyed('device', keys.p384().spki),
    // The identifier of the old key no longer fits.
    'subject_key_identifier_method_2',
  ],
  public_key_p256_form: [() => keyed('device', withPoint(compressed)), 'subject_key_identifier_method_2'],
  public_key_on_curve: [() => keyed('device', withPoint(offCurve)), 'subject_key_identifier_method_2'],
  rsa_bits: [() => keyed('iki-client', keys.rsa1024().spki), 'subject_key_identifier_method_2'],
  rsa_exponent: [() => keyed('iki-client', keys.rsaExponent3().spki), 'subject_key_identifier_method_2'],
  rsa_key_parameters: [
    () => {
      const { spki } = keys.rsa2048()
      const bits = spki.subarray(spki.indexOf(hex('0500')) + 2)
      return keyed('iki-client', sequence(sequence(oid('1.2.840.113549.1.1.1')), bits))
    },
  ],

  ...badExtensions,

  algorithm_inner_outer: [() => cert('device', t => ({ ...t, inner: nullParameters('1.2.840.10045.4.3.2') }))],
  signature_algorithm: [() => cert('device', algorithms(sequence(oid('1.2.840.10045.4.3.3'))))],
  ecdsa_parameters: [() => cert('device', algorithms(sequence(oid('1.2.840.10045.4.3.2'), oid('1.2.3'))))],
  ecdsa_parameters_null: [() => cert('device', algorithms(nullParameters('1.2.840.10045.4.3.2')))],
  rsa_parameters_null: [() => cert('iki-client', algorithms(sequence(oid('1.2.840.113549.1.1.11'))))],
  signature_value: [() => signedAs(integer(0), integer(1))],
  signature_not_minimal: [() => signedAs(integer(1), element(2, hex('0001')))],
  root_issuer_is_subject: [
    () => cert('root-oca', t => ({ ...t, issuer: name(rdn(ids.ou, p('00')), rdn(ids.cn, p('ZB'))) })),
  ],
  root_self_signed: [() => cert('root-oca', t => ({ ...t, signer: keys.subject() }))],
  request_signature_verifies: [() => csr('device-csr', t => ({ ...t, signer: keys.authority() }))],
  signature_verifies: [() => cert('device', t => ({ ...t, signer: keys.subject() }), { issuer: signer() })],
  issuer_copied: [
    () => cert('organisation', t => t, { issuer: issuerOf(name(rdn(ids.ou, u('07')), rdn(ids.cn, u('Z1')))) }),
  ],
  authority_key_identifier_of_issuer: [
    () => cert('organisation', t => swap(t, ids.authorityKeyIdentifier, aki(keys.subject())), { issuer: signer() }),
  ],

  list_version_2: [
    () =>
      crl('organisation-crl', t => ({ ...t, version: Buffer.alloc(0), entries: [entry('01')], extensions: [] })),
    'authority_key_identifier_present',
    'crl_number_present',
  ],
  list_complete: [
    () =>
      crl('organisation-crl', t => ({
        ...t,
        extensions: [...t.extensions, extension(ids.deltaCrlIndicator, true, integer(6))],
      })),
  ],
  crl_number_octets: [
    () =>
      crl('organisation-crl', t =>
        swap(t, ids.crlNumber, extension(ids.crlNumber, false, integer(Buffer.alloc(21, 1)))),
      ),
  ],
  list_serials_positive: [() => entries(sequence(hex('0201ff'), utc('261120093000Z')))],
  list_ascending: [() => entries(entry('02'), entry('01'))],
  list_no_repeats: [() => entries(entry('02'), entry('02'))],
  reason_not_critical: [() => entries(entry('02', reason(1, true)))],
  reason_unspecified_omitted: [() => entries(entry('02', reason(0)))],
  no_suspension: [() => entries(entry('02', reason(6)))],
  entry_extensions: [() => entries(entry('02', extension('2.5.29.24', false, generalized('20261120093000Z'))))],
}
