/** Who is an Eligible Subscriber for Device Certificates (Section L3.16), as far as the register of Parties tells. */

import { Refusal } from '../../ground/refusal.ts'
import type { DeviceCode } from '../../policy/smki-device/codes.ts'
import type { Credential, CredentialKind } from './parties.ts'

/** Whether a credential opens that interface: its record says so, and it is active (service-interface.md section 2). */
export function opens(credential: Credential, kind: CredentialKind): boolean {
  return credential.kind === kind && credential.state === 'active'
}

/** A Party that is no Authorised Subscriber for Device Certificates is refused for each of its requests. */
export function ineligible(party: { readonly deviceSubscriber: boolean }): Refusal<DeviceCode> | undefined {
  if (party.deviceSubscriber) return undefined
  return new Refusal<DeviceCode>('IN:GG1', 'the Party is not an Authorised Subscriber for Device Certificates')
}
