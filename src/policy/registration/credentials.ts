/** The kinds of credentials: what each is, who holds it, and what must be true before it is given (section 4). */

import type { CertificatePolicy, Office } from './offices.ts'

export interface CredentialKindRow {
  readonly form: 'certificate' | 'password' | 'api key' | 'ssh key'
  /** A person in one of these offices; a system of the Party where absent. */
  readonly heldIn?: readonly Office[]
  /** What the Party must be: an Authorised Subscriber under that policy, or under any; through SREPT; or nothing. */
  readonly needs: CertificatePolicy | 'any policy' | 'SREPT' | 'nothing'
  /** User Roles of which the Party holds one, where the interface is not for every Subscriber. */
  readonly userRoles?: readonly string[]
  readonly where: string
}

export const credentialKinds = {
  PORTAL_ORG: { form: 'certificate', heldIn: ['ARO'], needs: 'smki-organisation', where: 'APPM, APPN' },
  PORTAL_DEVICE: { form: 'certificate', heldIn: ['ARO'], needs: 'smki-device', where: 'APPM, APPN' },
  ADHOC_WS: { form: 'certificate', needs: 'smki-device', userRoles: ['IS', 'GS', 'DCC'], where: 'APPM, APPN' },
  BATCH_WS: { form: 'certificate', needs: 'smki-device', where: 'APPM' },
  FILE_SIGN: { form: 'certificate', needs: 'any policy', where: 'ASSUMED(M)' },
  REPO_PORTAL: {
    form: 'password',
    heldIn: ['ARO'],
    needs: 'SREPT',
    where: 'APPP; before SREPT no access: SEED-004',
  },
  REPO_API_KEY: { form: 'api key', needs: 'SREPT', where: 'APPP' },
  REPO_SFTP: { form: 'ssh key', needs: 'SREPT', where: 'ASSUMED(M)' },
  // No text names a credential for SMKI PMA Members: they use the Registration Authority's own (DESIGN).
  RA_STAFF: {
    form: 'certificate',
    heldIn: ['RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER'],
    needs: 'nothing',
    where: 'SEED-003',
  },
} as const satisfies Record<string, CredentialKindRow>

export type AnyCredentialKind = keyof typeof credentialKinds

/** Kinds that are IKI Certificates. */
export type CertificateKind = {
  [Kind in AnyCredentialKind]: (typeof credentialKinds)[Kind]['form'] extends 'certificate' ? Kind : never
}[AnyCredentialKind]

/** The life of a credential (section 4); `refused` and `withdrawn` end a request before anything was issued. */
export const credentialStates = [
  'requested',
  'verified',
  'approved',
  'issued',
  'active',
  'locked',
  'revoked',
  'expired',
  'returned',
  'refused',
  'withdrawn',
] as const
export type CredentialState = (typeof credentialStates)[number]

/** States after which nothing follows. */
export const endStates: readonly CredentialState[] = ['revoked', 'expired', 'returned', 'refused', 'withdrawn']

/** Which states may follow which. */
export const credentialLife: Readonly<Record<CredentialState, readonly CredentialState[]>> = {
  requested: ['verified', 'refused', 'withdrawn', 'revoked'],
  verified: ['requested', 'approved', 'refused', 'withdrawn', 'revoked'],
  approved: ['issued', 'revoked'],
  issued: ['active', 'revoked', 'expired', 'returned'],
  active: ['locked', 'revoked', 'expired', 'returned'],
  locked: ['active', 'revoked', 'expired', 'returned'],
  revoked: [],
  expired: [],
  returned: [],
  refused: [],
  withdrawn: [],
}
