/** What may be asked for under the DCCKI Certificate Policy: kinds of certificates, who is eligible, whose word decides. */

import { z } from 'zod'
import type { Office } from '../registration/offices.ts'
import type { Ground, Reason } from '../revocation/grounds.ts'
import type { PartyKindName } from './settings.ts'

export const dcckiKindNames = ['infrastructure', 'personnel'] as const
export type DcckiKind = (typeof dcckiKindNames)[number]

/** What the subject of a certificate says in its CN: `reference` is that of a person, who is never named (dccki.md 3). */
export const dcckiKinds: Readonly<
  Record<DcckiKind, { readonly profile: string; readonly commonName: 'host name' | 'reference' }>
> = {
  infrastructure: { profile: 'DCCKI Infrastructure Certificate', commonName: 'host name' },
  personnel: { profile: 'Personnel Authentication Certificate', commonName: 'reference' },
}

/** By the name of the profile. @throws RangeError for a profile of another PKI */
export function dcckiKindOf(profile: string): DcckiKind {
  const found = dcckiKindNames.find(kind => dcckiKinds[kind].profile === profile)
  if (!found) throw new RangeError(`${profile} is no profile of the DCCKI`)
  return found
}

/** What an Authorised DCCKI Subscriber must have besides (DCK-A03). */
export const dcckiNeeds = ['gateway connection', 'User Role'] as const
export type DcckiNeed = (typeof dcckiNeeds)[number]

export interface DcckiEligibility {
  /** Kinds of organisations. */
  readonly organisations: readonly PartyKindName[]
  readonly needs: readonly DcckiNeed[]
}

/** Why a Subscriber is not eligible for a kind, in words; undefined when it is. Pure. */
export function whyNotDccki(
  rule: DcckiEligibility,
  has: { readonly kind: PartyKindName; readonly connection: boolean; readonly userRole: boolean },
): string | undefined {
  if (!rule.organisations.includes(has.kind)) return `it is not for an organisation of the kind ${has.kind}`
  if (rule.needs.includes('gateway connection') && !has.connection)
    return 'it has no DCC Gateway Connection on record'
  if (rule.needs.includes('User Role') && !has.userRole) return 'it holds no User Role'
  return undefined
}

/** A host name as it is registered and certified: lower case, labels of RFC 1123, two at least, no wildcard, 127 characters. */
export const hostName = z
  .string()
  .max(127)
  .regex(/^(?=.*[a-z])([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)

/** A reference of a person as it stands in a CN: no blank in it, so that it is no name. */
export const personnelReference = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)

/** Who of an organisation submits, and who of the Registration Authority decides what waits (ASSUMED(M), dccki.md 2). */
export const dcckiSubmitters: readonly Office[] = ['ARO']
export const dcckiDeciders: readonly Office[] = ['RA_MANAGER']

/** The reasons that a revocation message may give, and the ground of ours that each is (dccki.md 6; REG-A10). */
export const dcckiReasons = {
  keyCompromise: 'key compromise',
  affiliationChanged: 'identity changed',
  superseded: 'replaced',
  cessationOfOperation: 'not needed',
  privilegeWithdrawn: 'not authorised',
} as const satisfies Partial<Record<Reason, Ground>>
