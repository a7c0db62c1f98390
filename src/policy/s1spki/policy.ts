/** What each S1SPKI carries of its own: its cohort, its documents, its profiles (Annex B), its procedures (Annex E). */

import { hostName } from '../dccki/requests.ts'
import type { Profile } from '../profile.ts'
import type { Office } from '../registration/offices.ts'
import type { Settings } from '../settings.ts'
import { type Cohort, s1spPki } from './hierarchy.ts'

export const s1spkis = ['s1spki-foc', 's1spki-moc'] as const
export type S1spki = (typeof s1spkis)[number]

export interface S1spkiPolicy {
  readonly cohort: Cohort
  readonly pki: S1spki
  /** In the register of documents: its Certificate Policy, and the practice statement that the SMKI PMA looks at. */
  readonly documents: { readonly policy: string; readonly practice: string }
  /** O of every subject: the S1SP. */
  readonly operator: string
  /** Annex B. */
  readonly profiles: readonly Profile[]
  /** What a CN of that profile is. */
  commonName(profile: string): 'host name' | 'EUI-64'
  /** Annex E. */
  readonly procedures: {
    /** Who enters what the S1SP sent; somebody else approves it (REG-A01). */
    readonly request: readonly Office[]
    readonly approve: readonly Office[]
    /** Kinds of evidence that a request names. */
    readonly evidence: readonly string[]
  }
}

/** SEED-001, SEED-002; profiles and procedures are ASSUMED (CERT-A10, REG-A09). */
export function s1spkiPolicy(settings: Settings, pki: S1spki): S1spkiPolicy {
  const cohort = pki === 's1spki-foc' ? 'FOC' : 'MOC'
  const { focOperator, mocOperator } = settings.names
  return {
    cohort,
    pki,
    documents: { policy: `S1SPKI CP ${cohort}`, practice: `S1SPKI CPS ${cohort}` },
    operator: cohort === 'FOC' ? focOperator : mocOperator,
    profiles: s1spPki(settings, cohort).endEntities,
    commonName: profile => (profile.endsWith('HES Certificate') ? 'host name' : 'EUI-64'),
    procedures: {
      request: ['RA_PERSONNEL', 'RA_MANAGER'],
      approve: ['RA_MANAGER'],
      evidence: ['request of the S1SP'],
    },
  }
}

/** Whether a CN is what it must be; an EUI-64 is 16 hexadecimal digits, upper case. */
export function isS1spkiName(commonName: string, form: 'host name' | 'EUI-64'): boolean {
  return form === 'EUI-64' ? /^[0-9A-F]{16}$/.test(commonName) : hostName.safeParse(commonName).success
}
