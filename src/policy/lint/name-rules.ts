/** Rules about names: which attributes, in which order, in which strings, saying what. */

import { toHexUpper } from '../../ground/bytes.ts'
import { tag } from '../../ground/der/read.ts'
import { type Attribute, attributes, attributeText, type Name, showName } from '../../ground/x509/name.ts'
import { oids } from '../../ground/x509/names.ts'
import { numberFromOu, roleOf } from '../roles.ts'
import type { Kind } from './kind.ts'
import { attributeOids, type NameShape } from './profile.ts'
import { kindsWhere } from './profiles.ts'
import { type Rule, rule } from './rule.ts'
import type { View } from './view.ts'

const namesOf = (view: View): Name[] => [view.issuer, view.subject].filter(name => name !== undefined)
const shown = (names: Name[]) => names.map(showName).join(' / ')

/** The attributes by type alone, without regard to order. */
const withOid = (name: Name) => name.rdns.flat().map(attribute => attribute.oid)
const fits = (name: Name, shape: NameShape, sorted: boolean) => {
  const found = withOid(name)
  const due = shape
    .filter(part => !part.optional || found.includes(attributeOids[part.type]))
    .map(part => attributeOids[part.type])
  return (sorted ? due.toSorted().join() : due.join()) === (sorted ? found.toSorted().join() : found.join())
}

/** DCC Boxed signs Device Certificates in the name of an organisation, its Access Control Broker (trap 5). */
const organisationShape: NameShape = [{ type: 'CN', optional: true }, { type: 'OU' }, { type: 'UID' }]
const isOrganisationName = (name: Name) => fits(name, organisationShape, true)

/** True for the quirk that `device_issued_by_organisation` names. */
export const isBoxed = (view: View): boolean =>
  view.kind === 'device' && view.issuer !== undefined && isOrganisationName(view.issuer)

const issuerRules = shapeRules('issuer', 'certificates.md 4 to 8, 10')
const subjectRules = shapeRules('subject', 'certificates.md 4 to 8, 12')

const stringTags: readonly number[] = [tag.utf8String, tag.printableString]
const tagNames: Readonly<Record<number, string>> = {
  [tag.utf8String]: 'UTF8String',
  [tag.printableString]: 'PrintableString',
  [tag.bitString]: 'BIT STRING',
  [tag.ia5String]: 'IA5String',
  [tag.teletexString]: 'TeletexString',
  [tag.bmpString]: 'BMPString',
  [tag.universalString]: 'UniversalString',
}
const strings = (name: Name) => name.rdns.flat().filter(attribute => attribute.oid !== oids.uniqueIdentifier)
const tagsOf = (found: readonly Attribute[]) =>
  [...new Set(found.map(({ tag: type }) => tagNames[type] ?? `tag ${type}`))].join(', ')

const withRole: readonly Kind[] = ['organisation', 'iki-client', 'iki-file-signing', 'organisation-csr', 'iki-csr']
const ofOrganisation: readonly Kind[] = ['organisation', 'organisation-csr']
const ofParty = kindsWhere(profile => profile.subject?.some(part => part.type === 'UID'))
const authorityNamed: readonly Kind[] = [
  ...(['root-oca', 'issuing-oca', 'organisation', 'root-dca', 'issuing-dca', 'device'] as const),
  ...(['organisation-crl', 'organisation-arl', 'device-arl'] as const),
]

/** The text of the only OU of the subject; an unreadable or doubled one is for other rules. */
const unitText = ({ subject }: View) => {
  const found = subject ? attributes(subject, oids.organizationalUnitName) : []
  return found.length === 1 ? attributeText(found[0]!) : undefined
}
const unitNumber = (view: View) => numberFromOu(unitText(view) ?? '')

/** The common names of authorities: the issuer's, and the subject's when that is one too. */
const authorityNames = (view: View) =>
  [isBoxed(view) ? undefined : view.issuer, view.profile.authority ? view.subject : undefined]
    .flatMap(name => (name ? attributes(name, oids.commonName) : []))
    .map(attribute => attribute.content)

export const nameRules: readonly Rule[] = [
  rule({
    id: 'name_single_valued',
    says: 'each relative name has one attribute',
    clause: 'certificates.md 3',
    of: namesOf,
    holds: names => names.every(name => name.rdns.every(rdn => rdn.length === 1)),
    shows: shown,
  }),
  rule({
    id: 'name_string_types',
    says: 'names are written in PrintableString or UTF8String',
    clause: 'RFC 5280 4.1.2.4, certificates.md 12',
    of: view => namesOf(view).flatMap(strings),
    holds: found => found.every(attribute => stringTags.includes(attribute.tag)),
    shows: tagsOf,
  }),
  ...issuerRules,
  rule({
    id: 'issuer_strings',
    // Real certificates of one issuer, and forged ones of another, differ from the rest here: worth a look, no more.
    severity: 'warning',
    says: 'the issuer is written in the string type of its own certificate: PrintableString of an OCA or DCA',
    clause: 'certificates.md 4, 5, 16 (trap 3)',
    kinds: kindsWhere(profile => profile.issuerStrings !== undefined),
    field: 'strings',
    of: view => (view.issuer && !isBoxed(view) ? strings(view.issuer) : undefined),
    holds: (found, view) => found.every(attribute => attribute.tag === view.profile.issuerStrings),
    shows: tagsOf,
  }),
  rule({
    id: 'device_issued_by_organisation',
    severity: 'warning',
    says: 'a Device Certificate names an Issuing DCA as its issuer, not an organisation (as DCC Boxed does)',
    clause: 'certificates.md 16 (trap 5)',
    kinds: ['device'],
    of: view => view.issuer,
    holds: name => !isOrganisationName(name),
    shows: showName,
  }),
  ...subjectRules,
  rule({
    id: 'subject_strings',
    says: 'the subject is in PrintableString for an OCA or DCA, in UTF8String for an organisation and in IKI',
    clause: 'certificates.md 4, 5, 6',
    kinds: kindsWhere(profile => profile.subjectStrings !== undefined),
    field: 'strings',
    of: view => view.subject && strings(view.subject),
    holds: (found, view) => found.every(attribute => attribute.tag === view.profile.subjectStrings),
    shows: tagsOf,
  }),
  rule({
    id: 'authority_name_length',
    says: 'the common name of an OCA or DCA has 1 to 4 octets',
    clause: 'certificates.md 4, 5, CERT-A05',
    kinds: authorityNamed,
    of: authorityNames,
    holds: (found, { settings }) =>
      found.every(octets => octets.length >= 1 && octets.length <= settings.authorityNameOctets),
    shows: found => found.map(octets => `${octets.length} octets`).join(', '),
  }),
  rule({
    id: 'organisation_name_length',
    severity: 'warning',
    says: 'the common name of an organisation, if any, has 1 to 16 characters',
    clause: 'certificates.md 4, CERT-A06',
    kinds: ofOrganisation,
    of: ({ subject }) =>
      subject &&
      attributes(subject, oids.commonName).map(attribute => [...(attributeText(attribute) ?? '?')].length),
    holds: (lengths, { settings }) =>
      lengths.every(length => length >= 1 && length <= settings.organisationNameCharacters),
    shows: lengths => lengths.map(length => `${length} characters`).join(', '),
  }),
  rule({
    id: 'role_two_hex_digits',
    says: 'the OU of the subject is a Remote Party Role in two hexadecimal digits',
    clause: 'certificates.md 4, 12, 16 (trap 2)',
    kinds: withRole,
    field: 'subject',
    of: unitText,
    holds: text => numberFromOu(text) !== undefined,
    shows: text => `OU "${text}"`,
  }),
  rule({
    id: 'role_upper_case',
    severity: 'warning',
    says: 'the hexadecimal digits of a Remote Party Role are upper case',
    clause: 'certificates.md 14',
    kinds: withRole,
    of: unitText,
    holds: text => numberFromOu(text) === undefined || text === text.toUpperCase(),
    shows: text => `OU "${text}"`,
  }),
  rule({
    id: 'role_known',
    // Eight roles have numbers that nobody has told us, so an unknown one is not yet a fault.
    severity: 'warning',
    says: 'the Remote Party Role is in the table',
    clause: 'certificates.md 14, CERT-A13',
    kinds: withRole,
    of: unitNumber,
    holds: (number, { settings }) => roleOf(number, settings.roles) !== undefined,
    shows: number => `role ${number}`,
  }),
  rule({
    id: 'role_of_end_entity',
    says: 'the roles 00 and 07 belong to certification authorities, not to an organisation',
    clause: 'certificates.md 14',
    kinds: ofOrganisation,
    of: unitNumber,
    holds: (number, { settings }) => roleOf(number, settings.roles)?.endEntity !== false,
    shows: number => `role ${number}`,
  }),
  rule({
    id: 'unique_identifier_eui64',
    says: 'the attribute 2.5.4.45 of the subject is a BIT STRING of exactly 64 bits, the EUI-64',
    clause: 'certificates.md 2, 12, 13',
    kinds: ofParty,
    of: ({ subject }) => subject && attributes(subject, oids.uniqueIdentifier)[0],
    holds: ({ tag: type, content }) => type === tag.bitString && content.length === 9 && content[0] === 0,
    shows: ({ tag: type, content }) => `${tagNames[type] ?? `tag ${type}`} ${toHexUpper(content)}`,
  }),
]

/** Three rules, for the issuer and again for the subject, held against the shape of the profile. */
function shapeRules(which: 'issuer' | 'subject', clause: string): Rule[] {
  const shaped = kindsWhere(profile => profile[which])
  const due = (view: View) => {
    const [name, shape] = [view[which], view.profile[which]]
    return name && shape && !(which === 'issuer' && isBoxed(view)) ? { name, shape } : undefined
  }
  /** Order and texts are worth a word only where the right attributes stand. */
  const rightlyMade = (view: View) => {
    const found = due(view)
    return found && found.shape.length > 0 && fits(found.name, found.shape, true) ? found : undefined
  }
  const shows = ({ name }: { name: Name }) => showName(name)
  return [
    rule({
      id: `${which}_attributes`,
      says: `the ${which} has the attributes of its profile, each once, and nothing else`,
      clause,
      kinds: shaped,
      field: which,
      of: due,
      holds: ({ name, shape }) => fits(name, shape, true),
      shows,
    }),
    rule({
      id: `${which}_order`,
      says: `the attributes of the ${which} are in the order of its profile`,
      clause,
      kinds: shaped,
      field: which === 'subject' ? 'subjectOrder' : 'issuer',
      of: rightlyMade,
      holds: ({ name, shape }) => fits(name, shape, false),
      shows,
    }),
    rule({
      id: `${which}_texts`,
      says: `the ${which} says what its profile fixes (OU 00 a Root OCA, OU 07 an Issuing OCA, and their like)`,
      clause,
      kinds: kindsWhere(profile => profile[which]?.some(part => part.text)),
      field: which,
      of: rightlyMade,
      holds: ({ name, shape }) =>
        shape.every(part => {
          const [found] = attributes(name, attributeOids[part.type])
          return !part.text || !found || part.text.test(attributeText(found) ?? '')
        }),
      shows,
    }),
  ]
}
