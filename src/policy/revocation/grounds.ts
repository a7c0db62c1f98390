/** Grounds for a revocation, and the reason code that each puts on the list (registration-revocation.md section 6.4). */

import type { RevocableObject } from './objects.ts'

/** RFC 5280 5.3.1, those that our lists may carry; certificateHold and removeFromCRL never (CERT-A11). */
export const reasonCodes = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const
export type Reason = keyof typeof reasonCodes
export const reasons = Object.keys(reasonCodes) as [Reason, ...Reason[]]

interface GroundRow {
  readonly says: string
  readonly of: readonly RevocableObject[]
  /** A Compromise: under a deferral it is put before the SMKI PMA at once (section 6.5). */
  readonly compromise?: true
}

const endEntities: readonly RevocableObject[] = ['organisation', 'iki', 'RA staff', 'DCCKI', 'S1SPKI']
const all: readonly RevocableObject[] = [...endEntities, 'CA']

export const grounds = {
  'key compromise': {
    says: 'the private key is Compromised or suspected to be',
    of: endEntities,
    compromise: true,
  },
  'CA compromise': {
    says: 'the key of the authority is Compromised or suspected to be',
    of: ['CA'],
    compromise: true,
  },
  'identity changed': { says: 'identity data in the certificate are no longer right', of: endEntities },
  'not eligible': { says: 'the Subscriber is no longer an Eligible Subscriber for it', of: endEntities },
  'not authorised': { says: 'the Subscriber is no longer an Authorised Subscriber', of: endEntities },
  replaced: { says: 'another certificate has taken its place', of: all },
  rejected: { says: 'the Subscriber rejected it after download (L11.5)', of: ['organisation'] },
  'not needed': { says: 'it is no longer needed', of: all },
  'holder gone': { says: 'the person or the system that held it is gone', of: endEntities },
  'supplier of last resort': { says: 'its supplier failed, and another has taken over (L16)', of: endEntities },
  'unacceptable performance': {
    says: 'persistent failure of SEC obligations, or performance below an acceptable standard',
    of: ['RA staff'],
  },
  direction: { says: 'the SMKI PMA directed it', of: all },
  unspecified: { says: 'no reason is given', of: all },
} as const satisfies Record<string, GroundRow>

export type Ground = keyof typeof grounds
export const groundNames = Object.keys(grounds) as [Ground, ...Ground[]]

export function groundRow(ground: Ground): GroundRow {
  return grounds[ground]
}

/** REG-A10. */
export const defaultReasons: Readonly<Record<Ground, Reason>> = {
  'key compromise': 'keyCompromise',
  'CA compromise': 'cACompromise',
  'identity changed': 'affiliationChanged',
  'not eligible': 'affiliationChanged',
  'not authorised': 'privilegeWithdrawn',
  replaced: 'superseded',
  // APPM, not ours to choose: the settings refuse another.
  rejected: 'superseded',
  'not needed': 'cessationOfOperation',
  'holder gone': 'cessationOfOperation',
  'supplier of last resort': 'cessationOfOperation',
  'unacceptable performance': 'privilegeWithdrawn',
  direction: 'privilegeWithdrawn',
  unspecified: 'unspecified',
}
