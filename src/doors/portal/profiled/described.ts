/** A request for a DCCKI or S1SPKI Certificate in words: what it asks for, what was decided, and its state as a tag. */

import { toHexUpper } from '../../../ground/bytes.ts'
import { authorities } from '../../../rooms/authority/register.ts'
import type { ProfiledPki, ProfiledRequest } from '../../../rooms/issuance/profiled-request.ts'
import { askProfiled, type RoomAnswer } from '../../../rooms/issuance/signing.ts'
import type { PortalWorld } from '../door.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { type Colour, code, link, tag, warning } from '../frame/pieces.ts'
import { facts } from '../frame/tables.ts'
import { atTime } from '../frame/words.ts'
import { addressOf } from '../repository/described.ts'

const states: Readonly<Record<ProfiledRequest['state'], readonly [words: string, colour: Colour]>> = {
  verified: ['Waits for approval', 'yellow'],
  approved: ['Being issued', 'blue'],
  issued: ['Issued', 'green'],
  refused: ['Refused', 'red'],
  ineligible: ['Ineligible', 'orange'],
}

export const stateTag = (state: ProfiledRequest['state']): Html => tag(...states[state])

/** @param party what the Party is called, where the reader is not of it */
export function described(one: ProfiledRequest, party?: Part): Html {
  const { asks, certificate, refusal } = one
  return html`${refusal ? warning(`${refusal.says} (${refusal.code})`) : ''}${facts([
    ['State', stateTag(one.state)],
    ['Party', party],
    ['Sent by', 'person' in one.by ? one.by.person : `a system, credential ${one.by.credential.toUpperCase()}`],
    ['Received', atTime(one.receivedAt)],
    ['Asks for', asks ? asks.profile : 'It could not be read'],
    ['Organisation (O)', asks?.subject.organizationName],
    ['Unit (OU)', asks?.subject.organizationalUnitName],
    ['Name (CN)', asks?.subject.commonName],
    ['Hosts', asks && asks.names.length > 0 && asks.names.join(', ')],
    ['SHA-256 of the request', code(one.sha256)],
    ['Approved', one.approvedAt && atTime(one.approvedAt)],
    ['Answered', one.answeredAt && atTime(one.answeredAt)],
    [
      'Certificate',
      certificate && link(addressOf(certificate), `in the Repository as ${toHexUpper(certificate.serial)}`),
    ],
  ])}`
}

/** Whether the environment has an authority that could issue for that PKI. */
export async function hasIssuer({ store }: Pick<PortalWorld, 'store'>, pki: ProfiledPki): Promise<boolean> {
  return (await authorities(store)).some(one => one.pki === pki && one.level === 'issuing')
}

/** It is on record: if the signer does not answer now, it is issued later all the same. */
export async function issueNow(
  { signers }: Pick<PortalWorld, 'signers'>,
  { id, state }: Pick<ProfiledRequest, 'id' | 'state'>,
): Promise<RoomAnswer | undefined> {
  return state === 'approved' ? askProfiled(signers[Number(id) % signers.length]!, id) : undefined
}
