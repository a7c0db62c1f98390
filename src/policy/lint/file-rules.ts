/** Rules about a certificate or request as a whole: its kind, version, serial number and attributes. */

import { toHexUpper } from '../../ground/bytes.ts'
import { oidName, oids } from '../../ground/x509/names.ts'
import { certificateKinds, formOfKind, requestKinds } from './kind.ts'
import { kindsWhere } from './profiles.ts'
import { type Rule, rule } from './rule.ts'

export const fileRules: readonly Rule[] = [
  rule({
    id: 'kind_known',
    says: 'the file fits one of the profiles, and is of the form of the one that was asked for',
    clause: 'certificates.md 1',
    of: ({ kind, form }) => ({ kind, form }),
    holds: ({ kind, form }) => formOfKind(kind) === form,
    shows: ({ kind, form }) => `a ${form} that is no ${kind === 'unknown' ? 'kind known here' : kind}`,
  }),
  rule({
    id: 'version_3',
    says: 'a certificate is of version 3',
    clause: 'certificates.md 3, 8',
    kinds: [...certificateKinds, 'unknown'],
    of: view => (view.form === 'certificate' ? view.version : undefined),
    holds: version => version === 3,
    shows: version => `version ${version}`,
  }),
  rule({
    id: 'serial_positive',
    says: 'the serial number is positive and has at most 20 octets',
    clause: 'RFC 5280 4.1.2.2',
    kinds: [...certificateKinds, 'unknown'],
    of: view => view.serial,
    holds: serial => serial[0]! < 0x80 && serial.length <= 20 && serial.some(octet => octet !== 0),
    shows: toHexUpper,
  }),
  rule({
    id: 'serial_octets',
    says: 'the serial number has exactly 16 octets, the first of them 01 to 7F',
    clause: 'certificates.md 3, 6',
    kinds: kindsWhere(profile => profile.serialOctets),
    field: 'serial',
    of: view => view.serial,
    holds: (serial, { profile }) =>
      serial.length === profile.serialOctets && serial[0]! >= 0x01 && serial[0]! <= 0x7f,
    shows: toHexUpper,
  }),
  rule({
    id: 'unique_ids_absent',
    says: 'issuerUniqueID and subjectUniqueID are not there',
    clause: 'certificates.md 3',
    kinds: [...certificateKinds, 'unknown'],
    of: view => (view.form === 'certificate' ? view.uniqueIds : undefined),
    holds: present => !present,
    shows: () => 'present',
  }),
  rule({
    id: 'request_version',
    says: 'a request is of version 0',
    clause: 'certificates.md 12, RFC 2986 4.1',
    kinds: [...requestKinds, 'unknown'],
    of: view => (view.form === 'request' ? view.version : undefined),
    holds: version => version === 0,
    shows: version => `version ${version}`,
  }),
  rule({
    id: 'request_attributes',
    severity: 'warning',
    says: 'a request has no attribute but extensionRequest',
    clause: 'certificates.md 12',
    kinds: requestKinds,
    of: view => view.attributes,
    holds: found => found.every(oid => oid === oids.extensionRequest),
    shows: found => found.map(oidName).join(', '),
  }),
]
