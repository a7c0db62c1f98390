import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  aki,
  apex,
  asks,
  type CertificateTemplate,
  certificate,
  certificates,
  constraints,
  dns,
  ecdsaWithSha256,
  entry,
  eui64,
  extension,
  generalized,
  hardwareModule,
  ids,
  issuingOca,
  keys,
  type ListTemplate,
  list,
  lists,
  name,
  nullParameters,
  policed,
  policies,
  policy,
  type RequestTemplate,
  rdn,
  reason,
  request,
  requests,
  rootOca,
  san,
  swap,
  three,
  uid,
  usage,
  utc,
  validity,
} from '../../../test/lint/forge.ts'
import {
  bitString,
  boolean,
  element,
  integer,
  namedBits,
  nothing,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  tagged,
  taggedPrimitive,
  utf8String,
} from '../../ground/der/write.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readList } from '../../ground/x509/list.ts'
import { toPem } from '../../ground/x509/pem.ts'
import { readRequest } from '../../ground/x509/request.ts'
import { type Form, formOfKind, type Kind, type KnownKind, knownKinds } from './kind.ts'
import { examine, judge, type LintOptions, lintCertificate } from './lint.ts'
import { profiles } from './profiles.ts'
import { severityFor } from './rule.ts'
import { rules } from './rules.ts'
import { readSigner } from './signer.ts'
import { open } from './view.ts'

interface File {
  readonly form: Form
  readonly octets: Buffer
  readonly options?: LintOptions
}

type CertificateKind = keyof typeof certificates
type Change<T> = (template: T) => T
const cert = (kind: CertificateKind, change: Change<CertificateTemplate>, options?: LintOptions): File => ({
  form: 'certificate',
  octets: certificate(change(certificates[kind]())),
  ...(options && { options }),
})
const csr = (kind: keyof typeof requests, change: Change<RequestTemplate>): File => ({
  form: 'request',
  octets: request(change(requests[kind]())),
})
const crl = (kind: keyof typeof lists, change: Change<ListTemplate>): File => ({
  form: 'list',
  octets: list(change(lists[kind]())),
})

/** The good file of a kind. */
function good(kind: KnownKind): File {
  if (kind in certificates) return cert(kind as CertificateKind, same => same)
  return kind in requests
    ? csr(kind as keyof typeof requests, same => same)
    : crl(kind as keyof typeof lists, same => same)
}

const signer = () => readSigner(Buffer.from(toPem('PUBLIC KEY', keys.authority().spki)))
/** A certificate of the key that signs the templates, under the name that they carry as their issuer, or another. */
const issuerOf = (subject: Buffer) =>
  readSigner(certificate({ ...certificates['issuing-oca'](), subject, spki: keys.authority().spki }))

const p = printableString
const u = utf8String
const hex = (text: string) => Buffer.from(text, 'hex')
const organisation = (...rdns: Buffer[]) => cert('organisation', t => ({ ...t, subject: name(...rdns) }))
const period = (from: Buffer, to: Buffer) => cert('organisation', t => ({ ...t, validity: validity(from, to) }))
const extended = (kind: CertificateKind, type: string, ...by: Buffer[]) => cert(kind, t => swap(t, type, ...by))
const added = (kind: CertificateKind, ...by: Buffer[]) =>
  cert(kind, t => ({ ...t, extensions: [...t.extensions, ...by] }))
const asking = (kind: keyof typeof requests, ...by: Buffer[]) =>
  csr(kind, t => ({ ...t, attributes: [asks(...by)] }))
const entries = (...by: Buffer[]) => crl('organisation-crl', t => ({ ...t, entries: by }))
const algorithms = (der: Buffer) => (t: CertificateTemplate) => ({ ...t, inner: der, outer: der })
const keyed = (kind: CertificateKind, spki: Buffer, change: Change<CertificateTemplate> = t => t) =>
  cert(kind, t => change({ ...t, spki }))
/** The point of the subject's key in another form, or with one octet changed. */
const withPoint = (change: (point: Buffer) => Buffer) =>
  sequence(
    sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')),
    bitString(change(Buffer.from(keys.subject().spki.subarray(26)))),
  )
const compressed = (point: Buffer) => Buffer.concat([Buffer.of(2 + (point[64]! & 1)), point.subarray(1, 33)])
const offCurve = (point: Buffer) => Buffer.concat([point.subarray(0, 64), Buffer.of(point[64]! ^ 1)])
const boxedIssuer = name(rdn(ids.ou, u('04')), uid)
const signedAs = (...content: Buffer[]) => cert('device', t => ({ ...t, signature: sequence(...content) }))
const oddKeyUsage = (text: string) =>
  extended('organisation', ids.keyUsage, extension(ids.keyUsage, true, hex(text)))

/**
 * For every rule, a file with one part wrong. What else that wrong part breaks is named as well, so that a rule that
 * speaks where it should not is seen here.
 */
const bad: Record<string, [make: () => File, ...also: string[]]> = {
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

const idsOf = ({ form, octets, options }: File) =>
  examine(form, octets, options ?? {}).findings.map(finding => finding.rule)

/** As `judge`, of a file that can be read. */
function judged({ form, octets, options }: File, kind: Kind) {
  const it =
    form === 'certificate' ? readCertificate(octets) : form === 'request' ? readRequest(octets) : readList(octets)
  return judge(open(it), kind, options)
}

describe('every rule', () => {
  it('has a name of its own, and a file that breaks it', () => {
    const names = rules.map(rule => rule.id)
    assert.ok(names.length > 100, `${names.length} rules`)
    assert.equal(new Set(names).size, names.length)
    assert.deepEqual(Object.keys(bad).toSorted(), names.toSorted())
    for (const { id, says, clause, kinds } of rules) {
      assert.match(id, /^[a-z0-9]+(_[a-z0-9]+)*$/)
      assert.ok(kinds.length > 0 && !/[|\n]/.test(says + clause), id)
    }
  })

  for (const [rule, [make, ...also]] of Object.entries(bad)) {
    it(`${rule} is named where it is broken, and nothing is named beside it`, () => {
      assert.deepEqual(idsOf(make()).toSorted(), [rule, ...also].toSorted())
    })
  }

  it('holds on some good file, where it had something to look at', () => {
    const held = new Set<string>()
    const files: [Kind, File][] = knownKinds.map(kind => [kind, good(kind)])
    // With an issuer, and in the name of an organisation: rules that are silent on the rest.
    files.push(['organisation', cert('organisation', t => t, { issuer: issuerOf(issuingOca) })])
    files.push(['device', cert('device', t => ({ ...t, issuer: boxedIssuer }))])
    for (const [kind, file] of files) {
      for (const [rule, answer] of judged(file, kind)) if (answer === true) held.add(rule.id)
    }
    assert.deepEqual(
      rules.map(rule => rule.id).filter(id => !held.has(id)),
      [],
    )
  })
})

describe('a good file', () => {
  for (const kind of knownKinds) {
    it(`of the kind ${kind} is recognised, and nothing is found in it`, () => {
      const { form, octets } = good(kind)
      const report = examine(form, octets)
      assert.deepEqual(report.findings, [])
      assert.equal(report.kind, kind)
      assert.equal(formOfKind(kind), form)
    })
  }

  it('of an environment with periods of its own is measured by those', () => {
    const short = cert('root-oca', t => ({ ...t, validity: validity(utc('261120093000Z'), utc('461120092959Z')) }))
    assert.deepEqual(idsOf(short), ['validity_too_short'])
    const settings = { profiles: { 'root-oca': { years: 20 } } }
    assert.deepEqual(idsOf({ ...short, options: { settings } }), [])
    assert.deepEqual(idsOf({ ...good('root-oca'), options: { settings } }), ['validity_too_long'])
  })

  it('shows faults by another profile, when it is told to', () => {
    const { octets } = good('organisation')
    assert.ok(
      lintCertificate(octets, { as: 'device' }).some(finding => finding.rule === 'subject_alt_name_present'),
    )
    assert.deepEqual(lintCertificate(octets, { as: 'device-csr' })[0]?.rule, 'kind_known')
  })
})

describe('a part that cannot be read', () => {
  it('is one finding, and the rest is measured all the same', () => {
    const change = (t: CertificateTemplate) => ({
      ...swap(t, ids.keyUsage, extension(ids.keyUsage, true, hex('030207ff'))),
      subject: name(rdn(ids.ou, u('137')), uid),
    })
    assert.deepEqual(idsOf(cert('organisation', change)), ['der_bit_string', 'role_two_hex_digits'])
  })

  it('is named by the rule of its own: keyUsage in whichever wrong way', () => {
    const found = (text: string) => idsOf(oddKeyUsage(text))
    assert.deepEqual(found('0303078000'), ['key_usage_trailing_zeros'])
    assert.deepEqual(found('030307ff80'), ['key_usage_exact'])
    assert.deepEqual(found('0305008000000001'), ['der_trailing'])
    assert.deepEqual(found('03050080000001'), ['der_bit_string'])
    assert.deepEqual(found('0302078000'), ['der_trailing'])
    assert.deepEqual(found('04020780'), ['der_tag'])
    assert.deepEqual(found(''), ['der_truncated'])
  })

  it('is a key that OpenSSL would throw upon', () => {
    const spki = sequence(sequence(oid('1.2.840.113549.1.1.1'), nothing()), bitString(hex('0500')))
    assert.deepEqual(idsOf(csr('iki-csr', t => ({ ...t, spki }))), ['der_tag', 'request_signature_verifies'])
  })

  it('of a certificate that is no DER at all is the only finding', () => {
    const report = examine('certificate', hex('3080'))
    assert.equal(report.opened, undefined)
    assert.deepEqual(
      report.findings.map(({ rule, severity }) => [rule, severity]),
      [['der_length', 'error']],
    )
  })
})

describe('the inclusive period of an Organisation Certificate', () => {
  const cases: [from: string, to: string, found: string[]][] = [
    ['261231235959Z', '361231235958Z', []],
    ['270101000000Z', '361231235959Z', []],
    ['270101000000Z', '370101000000Z', ['validity_on_anniversary']],
    ['270101000000Z', '370101235959Z', ['validity_one_day_over']],
    ['270101000000Z', '370102000000Z', ['validity_too_long']],
    // Whichever day the tenth 29 February is taken to be, and no other.
    ['280229000000Z', '380227235959Z', []],
    ['280229000000Z', '380228235959Z', []],
    ['280229000000Z', '380302000000Z', ['validity_too_long']],
    ['280229000000Z', '380226235959Z', ['validity_too_short']],
    ['280228000000Z', '380227235959Z', []],
    // From 2040 on, ten years reach into the years of GeneralizedTime.
    ['391231000000Z', '491230235959Z', []],
  ]
  for (const [from, to, found] of cases) {
    it(`from ${from} to ${to} is ${found.join() || 'right'}`, () => {
      assert.deepEqual(idsOf(period(utc(from), utc(to))), found)
    })
  }

  it('may cross into 2050', () => {
    assert.deepEqual(idsOf(period(utc('400101000000Z'), utc('491231235959Z'))), [])
    assert.deepEqual(idsOf(period(utc('400101000001Z'), generalized('20500101000000Z'))), [])
  })
})

describe('a list', () => {
  it('in disorder is searched for repeats that do not stand side by side', () => {
    assert.deepEqual(idsOf(entries(entry('03'), entry('02'), entry('03'))).toSorted(), [
      'list_ascending',
      'list_no_repeats',
    ])
    assert.deepEqual(idsOf(entries(entry('03'), entry('01'), entry('02'), entry('01'))).toSorted(), [
      'list_ascending',
      'list_no_repeats',
    ])
  })

  it('has revocation dates in the right form too', () => {
    const odd = sequence(integer(2), generalized('20261120093000Z'))
    assert.deepEqual(idsOf(entries(entry('01'), odd)), ['time_generalized_before_2050'])
  })

  it('of an unreadable reason is measured on', () => {
    const bad = extension(ids.reasonCode, false, hex('0a0163'))
    assert.deepEqual(idsOf(entries(entry('01', bad), entry('02', bad), entry('03', reason(6)))), [
      'der_structure',
      'no_suspension',
    ])
  })
})

describe('a finding', () => {
  it('is short, however long what it found', () => {
    const findings = lintCertificate(organisation(rdn(ids.ou, u('x'.repeat(5000))), uid).octets)
    assert.equal(findings[0]?.found.length, 160)
  })

  it('is not silenced by what only a Device Certificate is forgiven', () => {
    assert.deepEqual(idsOf(cert('organisation', t => ({ ...t, issuer: boxedIssuer }))), [
      'issuer_attributes',
      'issuer_strings',
    ])
    assert.deepEqual(
      idsOf(cert('organisation', t => ({ ...swap(t, ids.subjectKeyIdentifier), issuer: boxedIssuer }))),
      ['issuer_attributes', 'subject_key_identifier_present', 'issuer_strings'],
    )
  })

  it('is made of an authority key identifier of 8 octets that method 2 does not make', () => {
    const value = sequence(taggedPrimitive(0, Buffer.alloc(8)))
    const by = extension(ids.authorityKeyIdentifier, false, value)
    assert.deepEqual(idsOf(extended('organisation', ids.authorityKeyIdentifier, by)), [
      'authority_key_identifier_octets',
    ])
  })
})

describe('the severity', () => {
  it('of what is ASSUMED below high is a warning, and the finding names its row of the register', () => {
    const severities = (file: File) =>
      examine(file.form, file.octets).findings.map(({ rule, severity, clause }) => ({ rule, severity, clause }))
    const without = extended('iki-client', ids.subjectKeyIdentifier)
    const [assumed] = severities(without)
    assert.equal(assumed?.severity, 'warning')
    assert.match(assumed.clause, /CERT-A08$/)
    const [given] = severities(extended('organisation', ids.subjectKeyIdentifier))
    assert.equal(given?.severity, 'error')
    assert.doesNotMatch(given.clause, /CERT/)
  })

  it('of IKI, DCCKI and S1SPKI is an error only where a text, RFC 5280 or DER demands it', () => {
    const strict = rules.filter(
      rule => rule.field && severityFor(rule, 'iki-client') === 'error' && rule.kinds.includes('iki-client'),
    )
    assert.deepEqual(new Set(strict.map(rule => rule.field)), new Set(['subject', 'key', 'usages', 'keyUsage']))
    assert.ok(Object.keys(profiles['s1spki-hub'].assumed ?? {}).length > 15)
  })
})

describe('a signature', () => {
  it('with needless octets is right by its numbers: a warning, not a bad signature', () => {
    const { octets } = good('device')
    const { tbs, signature } = readCertificate(octets)
    const r = signature.subarray(2, 4 + signature[3]!)
    const s = signature.subarray(4 + signature[3]!)
    const padded = sequence(r, element(2, Buffer.of(0), Buffer.alloc(1), s.subarray(2)))
    const file = cert('device', t => ({ ...t, signature: padded }), { issuer: signer() })
    // The tbs of the template is the same each time, so that the signature taken from the first one still fits.
    assert.deepEqual(Buffer.from(readCertificate(file.octets).tbs), Buffer.from(tbs))
    assert.deepEqual(idsOf(file), ['signature_not_minimal'])
    const key = createPublicKey({ key: keys.authority().spki, format: 'der', type: 'spki' })
    assert.equal(verify('sha256', tbs, key, signature), true)
    assert.equal(verify('sha256', tbs, key, padded), false, 'OpenSSL is strict')
  })

  it('by RSA is checked too', () => {
    const ikiSigner = readSigner(certificate(certificates['issuing-ica']()))
    assert.deepEqual(idsOf(cert('iki-client', t => t, { issuer: ikiSigner })), [])
    const other = cert('iki-client', t => ({ ...t, signer: keys.rsa2048() }), { issuer: ikiSigner })
    assert.deepEqual(idsOf(other), ['signature_verifies'])
    assert.deepEqual(idsOf(cert('root-ica', t => ({ ...t, signer: keys.rsa2048() }))), ['root_self_signed'])
    assert.deepEqual(idsOf(csr('iki-csr', t => ({ ...t, signer: keys.rsa4096() }))), ['request_signature_verifies'])
  })

  it('of a list is held against the issuer', () => {
    const issuer = issuerOf(issuingOca)
    const { octets } = good('organisation-crl')
    assert.deepEqual(idsOf({ form: 'list', octets, options: { issuer } }), [])
    const forged = crl('organisation-crl', t => ({ ...t, signer: keys.subject() }))
    assert.deepEqual(idsOf({ ...forged, options: { issuer } }), ['signature_verifies'])
  })

  it('is ECDSA with SHA-256 in the templates, so that these tests speak of the real thing', () => {
    assert.deepEqual(certificates.device().outer, ecdsaWithSha256)
  })
})
