/** A certificate in plain words: what it is, whose it is, and what its state means. */

import { toHexUpper } from '../../../ground/bytes.ts'
import { roleName } from '../../../policy/roles.ts'
import type { Lodged, Status } from '../../../rooms/repository/find.ts'
import type { Html } from '../frame/html.ts'
import { type Colour, tag } from '../frame/pieces.ts'
import { eui64 } from '../frame/words.ts'

const kinds: Readonly<Record<Lodged['family'], string>> = {
  ca: 'Certification Authority Certificate',
  device: 'Device Certificate',
  organisation: 'Organisation Certificate',
  iki: 'IKI Certificate',
  dccki: 'DCCKI Certificate',
  s1spki: 'S1SPKI Certificate',
  tls: 'TLS Certificate',
}

export const kindOf = ({ family }: Pick<Lodged, 'family'>): string => kinds[family]

const usages = { DS: 'digital signatures', KA: 'key agreement', '-': undefined } as const

export const usageOf = ({ usage }: Pick<Lodged, 'usage'>): string | undefined => usages[usage]

/** `Device Certificate of 02-…, for key agreement` */
export function inWords(one: Lodged): string {
  const of =
    one.eui64 === undefined
      ? ''
      : ` of ${one.family === 'device' ? 'the Device' : 'the organisation’s identifier'} ${eui64(one.eui64)}`
  const role = one.role === undefined ? '' : `, in the role “${roleInWords(one.role)}”`
  const usage = usageOf(one)
  return `${kindOf(one)}${of}${role}${usage ? `, for ${usage}` : ''}`
}

/** `network operator` */
export function roleInWords(role: number): string {
  const name = roleName(role)
  return named[name] ?? name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
}

/** Those whose name holds an abbreviation. */
const named: Readonly<Record<string, string>> = {
  transitionalCoS: 'transitional change of supplier',
  wanProvider: 'WAN provider',
  xmlSign: 'XML signing',
  dspXmlSign: 'DSP XML signing',
}

const statuses: Readonly<Record<Status, readonly [words: string, colour: Colour, means: string]>> = {
  P: ['Pending', 'yellow', 'It was issued, and is not in effect yet.'],
  I: ['In use', 'green', 'It is the current Certificate for its subject and usage.'],
  N: ['Not in use', 'grey', 'Another Certificate has taken its place, or it was withdrawn. It was not revoked.'],
  E: ['Expired', 'orange', 'Its period of validity has ended.'],
  R: ['Revoked', 'red', 'It must not be relied on.'],
}

export const statusTag = (status: Status): Html => tag(statuses[status][0], statuses[status][1])
export const statusMeans = (status: Status): string => statuses[status][2]
export const statusChoices = (Object.keys(statuses) as Status[]).map(value => ({ value, text: statuses[value][0] }))
export const familyChoices = (['device', 'organisation', 'ca', 'iki', 'dccki', 's1spki'] as const).map(value => ({
  value,
  text: `${kinds[value]}s`,
}))

export function addressOf({ authority, serial }: Pick<Lodged, 'authority' | 'serial'>): string {
  return `/repository/certificates/${authority}/${toHexUpper(serial)}`
}
