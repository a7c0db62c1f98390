/** Who is an Eligible Subscriber: for Device Certificates by Section L3.16, for Organisation Certificates by its ranges. */

import { Refusal } from '../../ground/refusal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { credentialKinds } from '../../policy/registration/credentials.ts'
import { type DeviceFacts, whyNotEligible } from '../../policy/registration/device-eligibility.ts'
import type { CertificatePolicy } from '../../policy/registration/offices.ts'
import { mayCarry } from '../../policy/registration/user-roles.ts'
import { codes, type DeviceCode } from '../../policy/smki-device/codes.ts'
import type { RegistrationRules } from './form.ts'
import type { Inventory } from './inventory.ts'
import type { Credential, CredentialKind } from './parties.ts'
import { rangesInForce } from './party.ts'
import { contains, type Range, readEui64 } from './ranges.ts'
import { no, type RegistrationCode } from './refusals.ts'
import { authorisedSql } from './standing.ts'

/** Whether a credential opens that interface: its record says so, and it is active (service-interface.md section 2). */
export function opens(credential: Credential, kind: CredentialKind): boolean {
  return credential.kind === kind && credential.state === 'active'
}

/** A Party that is no Authorised Subscriber for Device Certificates is refused for each of its requests. */
export function ineligible(party: { readonly deviceSubscriber: boolean }): Refusal<DeviceCode> | undefined {
  if (party.deviceSubscriber) return undefined
  return new Refusal<DeviceCode>('IN:GG1', 'the Party is not an Authorised Subscriber for Device Certificates')
}

/** A Party as eligibility sees it: whether it is an Authorised Subscriber, and which identifiers are its own. */
export interface Subscriber {
  readonly party: number
  readonly authorised: Readonly<Record<CertificatePolicy, boolean>>
  /** Of its form in force. */
  readonly ranges: readonly Range[]
}

export async function subscriberOf(store: Pick<Store, 'query'> | Client, party: number): Promise<Subscriber> {
  const { rows } = await (store as Pick<Store, 'query'>).query<{
    organisation: boolean
    device: boolean
    dccki: boolean
  }>({
    name: 'subscriber',
    text: `SELECT ${authorisedSql('smki-organisation')} AS organisation,
             p.ceased_at IS NULL AND p.device_subscriber OR ${authorisedSql('smki-device')} AS device,
             ${authorisedSql('dccki')} AS dccki
             FROM party p WHERE p.id = $1`,
    values: [party],
  })
  if (!rows[0]) throw no('PARTY_UNKNOWN')
  const { organisation, device, dccki } = rows[0]
  const authorised = { 'smki-organisation': organisation, 'smki-device': device, dccki }
  return { party, authorised, ranges: await rangesInForce(store, party) }
}

/**
 * Whether the Subscriber is Eligible for a certificate of that Device. Pure.
 * @param device what the inventory says of it; undefined when it does not know it
 * @param by the Ad Hoc web service is for some User Roles only
 */
export function deviceEligibility(
  rules: Pick<RegistrationRules, 'deviceEligibility' | 'smiStatuses'>,
  subscriber: Subscriber,
  device: DeviceFacts | undefined,
  by?: 'ADHOC_WS',
): Refusal<DeviceCode> | undefined {
  const reason = ineligible({ deviceSubscriber: subscriber.authorised['smki-device'] })
  if (reason) return reason
  const userRoles = subscriber.ranges.map(range => range.userRole)
  const forAdHoc: readonly string[] = credentialKinds.ADHOC_WS.userRoles
  if (by === 'ADHOC_WS' && !userRoles.some(role => forAdHoc.includes(role))) return ineligibleBy('IN:GG1')
  const owns = (userRole: string, eui64: string) =>
    subscriber.ranges.some(range => range.userRole === userRole && contains(range, readEui64(eui64)))
  const code = whyNotEligible(rules.deviceEligibility, rules.smiStatuses, { userRoles, owns }, device)
  return code && ineligibleBy(code)
}

/** As `deviceEligibility` for many Devices, in their order, with one question to the inventory. */
export async function deviceEligibilities(
  rules: Pick<RegistrationRules, 'deviceEligibility' | 'smiStatuses'>,
  inventory: Inventory,
  subscriber: Subscriber,
  deviceIds: readonly string[],
  by?: 'ADHOC_WS',
): Promise<(Refusal<DeviceCode> | undefined)[]> {
  const facts = await inventory.devices([...new Set(deviceIds)])
  return deviceIds.map(id => deviceEligibility(rules, subscriber, facts.get(id), by))
}

/**
 * Whether the Subscriber is Eligible for an Organisation Certificate. Pure.
 * @param request the EUI-64 and the Remote Party Role that the CSR names
 * @param aroFor Certificate Policies that the person who submits is an ARO of the Subscriber for (`aroPolicies`)
 */
export function organisationEligibility(
  rules: Pick<RegistrationRules, 'userRoles'>,
  subscriber: Subscriber,
  request: { readonly eui64: string; readonly role: number },
  aroFor: readonly CertificatePolicy[],
): Refusal<RegistrationCode> | undefined {
  if (!aroFor.includes('smki-organisation')) return no('ARO_NOT_AUTHORISED')
  if (!subscriber.authorised['smki-organisation']) return no('NOT_AUTHORISED_SUBSCRIBER')
  const identifier = readEui64(request.eui64)
  const own = subscriber.ranges.filter(range => contains(range, identifier))
  if (own.length === 0) return no('EUI64_NOT_OWN')
  if (!own.some(range => mayCarry(rules.userRoles, range.userRole, request.role))) return no('OU_ROLE_NOT_HELD')
  return undefined
}

/** What that person is an ARO of the Party for, at that instant. */
export async function aroPolicies(
  store: Pick<Store, 'query'>,
  person: string,
  party: number,
  at: Date,
): Promise<CertificatePolicy[]> {
  const { rows } = await store.query<{ policies: CertificatePolicy[] }>(
    `SELECT a.policies FROM appointment a JOIN person p ON p.id = a.person
      WHERE p.reference = $1 AND a.party = $2 AND a.office = 'ARO' AND a.state = 'appointed' AND a.appointed_at <= $3`,
    [person, party, at],
  )
  return rows[0]?.policies ?? []
}

function ineligibleBy(code: DeviceCode): Refusal<DeviceCode> {
  return new Refusal<DeviceCode>(code, codes[code].text)
}
