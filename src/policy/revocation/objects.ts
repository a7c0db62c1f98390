/** What can be revoked, who asks for it, who verifies and who approves (registration-revocation.md section 6.1). */

import type { Family } from '../profile.ts'
import type { Office } from '../registration/offices.ts'
import type { Procedure, StepRule } from '../registration/procedure.ts'

/** Kinds of things that are revoked; a Device Certificate is none of them (APPM; CERT-A14). */
export const revocableObjects = {
  organisation: {
    says: 'an Organisation Certificate is revoked',
    where: 'RAPP 8; section 6.1, REG-A09',
    family: 'organisation',
  },
  iki: {
    says: 'an IKI Certificate of a Party is revoked, and the credential that it is',
    where: 'RAPP 8; section 6.1, REG-A09',
    family: 'iki',
  },
  'RA staff': {
    says: 'the credential of an RA Manager or of RA Personnel is revoked, on form A7',
    where: 'RAPP 8.3.3, 8.3.4 (SEED-003)',
    family: 'iki',
  },
  DCCKI: { says: 'a DCCKI Certificate is revoked', where: 'dccki.md section 6, DCK-A07', family: 'dccki' },
  S1SPKI: { says: 'a certificate of an S1SPKI is revoked', where: 'section 6.1, REG-A09', family: 's1spki' },
  CA: {
    says: 'the certificate of an Issuing authority is revoked, and stands on the ARL',
    where: 'section 6.1: by the DCC on Compromise, or by direction of the SMKI PMA',
    family: 'ca',
  },
} as const satisfies Record<string, { says: string; where: string; family: Family }>

export type RevocableObject = keyof typeof revocableObjects
export const objectNames = Object.keys(revocableObjects) as RevocableObject[]

/** Who may request the revocation of each, REG-A09 and DCK-A07: offices as they stand in `policy/registration`. */
export const defaultRequesters: Readonly<Record<RevocableObject, Office[]>> = {
  organisation: ['SRO', 'ARO', 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
  iki: ['SRO', 'ARO', 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
  // Any SMKI PMA Member (RAPP 8.3.3, SEED-003): the settings cannot take that away.
  'RA staff': ['PMA_MEMBER', 'RA_MANAGER', 'RA_PERSONNEL'],
  DCCKI: ['SRO', 'ARO', 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
  S1SPKI: ['RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
  CA: ['RA_MANAGER', 'PMA_MEMBER'],
}

/** What a request must bring beside its ground. */
export interface RequestRule {
  /** The form that it is made on. */
  readonly form?: 'A7'
  /** Offices that request it by direction alone: they name the decision of the SMKI PMA. */
  readonly byDirection: readonly Office[]
  /** Offices that need a direction unless the ground is a Compromise. */
  readonly byDirectionUnlessCompromise: readonly Office[]
  /** Offices that ask for what they hold themselves, or what a system holds, and for no other person's. */
  readonly ownOnly: readonly Office[]
}

const plain: RequestRule = { byDirection: [], byDirectionUnlessCompromise: [], ownOnly: [] }

export const requestRules: Readonly<Record<RevocableObject, RequestRule>> = {
  organisation: { ...plain, byDirection: ['PMA_MEMBER'] },
  iki: { ...plain, ownOnly: ['ARO'] },
  'RA staff': { ...plain, form: 'A7' },
  DCCKI: plain,
  S1SPKI: plain,
  CA: { ...plain, byDirection: ['PMA_MEMBER'], byDirectionUnlessCompromise: ['RA_MANAGER'] },
}

/** The ASSUMED values that the procedures lean on. */
export interface RevocationProcedureRules {
  readonly requesters: Readonly<Record<RevocableObject, readonly Office[]>>
  readonly authenticationEvidence: readonly string[]
}

const ra: readonly Office[] = ['RA_PERSONNEL', 'RA_MANAGER']

/** The kind of task by which a thing is revoked. */
export const kindOfTask = (object: RevocableObject): string => `revocation of ${object}`

/**
 * Every procedure by the kind of its task. Verification authenticates the requester; approval is somebody else's. Of the
 * RA's own credentials nobody takes a step whose own it is, not even the first (RAPP 8.3.4).
 * @param twoPersons REG-A01: who requests or verifies does not approve
 */
export function revocationProcedures(
  rules: RevocationProcedureRules,
  twoPersons: boolean,
): Readonly<Record<string, Procedure>> {
  const step = (by: readonly Office[], evidence: readonly string[] = []): StepRule => ({ by, count: 1, evidence })
  const apart: Procedure['apart'] = twoPersons
    ? [
        ['request', 'approve'],
        ['verify', 'approve'],
      ]
    : []
  return Object.fromEntries(
    objectNames.map((object): [string, Procedure] => {
      const { says, where } = revocableObjects[object]
      const common = { says, where, request: step(rules.requesters[object]), apart }
      const ofRa = object === 'RA staff' || object === 'CA'
      return [
        kindOfTask(object),
        {
          ...common,
          // 8.3.4 keeps the SMKI PMA Members: with a Manager's own credential in question they verify and approve.
          verify: step(ofRa ? [...ra, 'PMA_MEMBER'] : ra, rules.authenticationEvidence),
          approve: step(ofRa ? ['RA_MANAGER', 'PMA_MEMBER'] : ['RA_MANAGER']),
          ...(!ofRa && { ownRequest: true }),
        },
      ]
    }),
  )
}
