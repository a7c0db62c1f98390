/** The procedures of the Registration Authority as data: who requests, who verifies, who approves, how many. */

import { certificatePolicies, type Office } from './offices.ts'

export type StepName = 'request' | 'verify' | 'approve'

export interface StepRule {
  /** Who may do it: an officer of the organisation concerned, or of the Registration Authority, or of the SMKI PMA. */
  readonly by: readonly Office[]
  /** How many different people do it. */
  readonly count: number
  /** Kinds of evidence that each of them names at least one reference of. */
  readonly evidence: readonly string[]
}

export interface Procedure {
  readonly says: string
  readonly where: string
  readonly request: StepRule
  readonly verify: StepRule
  readonly approve: StepRule
  /** Whether a person may request it for himself. Nobody verifies or approves what concerns him. */
  readonly ownRequest?: true
  /** Pairs of steps that are never one person's. */
  readonly apart: readonly (readonly [StepName, StepName])[]
  /** For the identity of a person: the lowest level that verification must reach. */
  readonly identityLevel?: number
}

/** The order of the steps. */
export const stepOrder: readonly StepName[] = ['request', 'verify', 'approve']

export type Procedures = Readonly<Record<string, Procedure>>

/** The ASSUMED values that the procedures lean on, from the group `registration` of the settings. */
export interface ProcedureRules {
  readonly twoPersons: boolean
  readonly identityLevel: number
  readonly organisationEvidence: readonly string[]
  readonly personEvidence: readonly string[]
  readonly screeningEvidence: readonly string[]
}

const ra: readonly Office[] = ['RA_PERSONNEL', 'RA_MANAGER']
const manager: readonly Office[] = ['RA_MANAGER']

/**
 * Every procedure of this room by the kind of its tasks. Who does what is ASSUMED(M) (registration-revocation.md
 * section 1: the RAPP's text was not available); that two people do it is REG-A01.
 */
export function procedures(rules: ProcedureRules): Procedures {
  const step = (by: readonly Office[], evidence: readonly string[] = [], count = 1): StepRule => ({
    by,
    count,
    evidence,
  })
  const apart: Procedure['apart'] = rules.twoPersons
    ? [
        ['request', 'approve'],
        ['verify', 'approve'],
      ]
    : []
  const person = { apart, identityLevel: rules.identityLevel }
  const byOrganisation: Pick<Procedure, 'request' | 'verify' | 'approve' | 'apart'> = {
    request: step(['NO', 'SRO', 'ARO', ...ra]),
    verify: step(ra),
    approve: step(manager),
    apart,
  }
  return {
    // An applicant has no officers yet: the Registration Authority enters the form that it received.
    'organisation form': {
      says: 'an Organisation Information Form takes effect: the organisational identity is verified',
      where: 'RAPP 5.1 (SEED-003)',
      request: step(['NO', 'SRO', ...ra]),
      verify: step(ra, rules.organisationEvidence),
      approve: step(manager, ['verification record']),
      apart,
    },
    'appoint NO': {
      says: 'a Nominating Officer is appointed, on the letter of the organisation',
      where: 'section 1, ASSUMED(M)',
      request: step(['NO', ...ra], ['signed form']),
      verify: step(ra, rules.personEvidence),
      approve: step(manager),
      ...person,
    },
    'appoint SRO': {
      says: 'a Senior Responsible Officer is appointed, nominated by a Nominating Officer',
      where: 'SEED-004; duties ASSUMED(M)',
      request: step(['NO'], ['signed form']),
      verify: step(ra, rules.personEvidence),
      approve: step(manager),
      ...person,
    },
    // A Nominating Officer too, so that an only SRO can become ARO (REG-A02) without nominating himself.
    'appoint ARO': {
      says: 'an Authorised Responsible Officer is appointed, nominated by a Senior Responsible Officer',
      where: 'SEED-004, APPP; screening G4.2, G4.3 (MP127)',
      request: step(['SRO', 'NO'], ['signed form']),
      verify: step(ra, [...rules.personEvidence, ...rules.screeningEvidence]),
      approve: step(manager),
      ...person,
    },
    'appoint RA_PERSONNEL': {
      says: 'a member of SMKI Registration Authority Personnel is appointed',
      where: 'section 1, ASSUMED(M)',
      request: step(manager),
      verify: step(ra, [...rules.personEvidence, ...rules.screeningEvidence]),
      approve: step(['RA_MANAGER', 'PMA_MEMBER']),
      ...person,
    },
    // Not by RA Managers alone: if the last one is gone, the SMKI PMA can still have one appointed.
    'appoint RA_MANAGER': {
      says: 'an SMKI Registration Authority Manager is appointed',
      where: 'section 1, ASSUMED(M)',
      request: step(['RA_MANAGER', 'PMA_MEMBER']),
      verify: step(ra, [...rules.personEvidence, ...rules.screeningEvidence]),
      approve: step(['PMA_MEMBER']),
      ...person,
    },
    'appoint PMA_MEMBER': {
      says: "an SMKI PMA Member is entered, on the SEC Panel's decision",
      where: 'governance-performance.md section 1, ASSUMED(M)',
      request: step(['RA_MANAGER', 'PMA_MEMBER'], ['Panel decision']),
      verify: step(ra, rules.personEvidence),
      approve: step(['RA_MANAGER', 'PMA_MEMBER']),
      ...person,
    },
    'SREPT completion': {
      says: 'SREPT is completed, confirmed by the DCC and told to the Panel',
      where: 'L7 (SEED-004)',
      ...byOrganisation,
      verify: step(ra, ['test report']),
    },
    ...Object.fromEntries(
      certificatePolicies.map(policy => [
        `application ${policy}`,
        {
          says: `an organisation is accepted as Authorised Subscriber under ${policy}`,
          where: 'section 5.1 condition 4, ASSUMED(M)',
          ...byOrganisation,
          request: step(['SRO', 'NO'], ['signed form']),
        },
      ]),
    ),
    credential: {
      says: 'a credential of a Party is given',
      where: 'RAPP 5.4 (APPM)',
      ...byOrganisation,
      request: step(['SRO', 'ARO']),
      ownRequest: true,
    },
    'RA credential': {
      says: 'a credential of the Registration Authority or the SMKI PMA is given',
      where: 'SEED-003; steps ASSUMED(M)',
      request: step(['RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER']),
      verify: step(ra),
      approve: step(['RA_MANAGER', 'PMA_MEMBER']),
      apart,
      ownRequest: true,
    },
    'revoke credential': {
      says: 'a credential of a Party is revoked',
      where: 'section 6.1, REG-A09',
      ...byOrganisation,
      request: step(['SRO', 'ARO', 'RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER']),
      ownRequest: true,
    },
    // Any SMKI PMA Member may ask (RAPP 8.3.3, SEED-003).
    'revoke RA credential': {
      says: 'a credential of an RA Manager or of RA Personnel is revoked',
      where: 'RAPP 8.3.3, 8.3.4 (SEED-003)',
      request: step(['PMA_MEMBER', 'RA_MANAGER', 'RA_PERSONNEL']),
      verify: step(ra),
      approve: step(['RA_MANAGER', 'PMA_MEMBER']),
      apart,
      ownRequest: true,
    },
  }
}

/** What one officer may do alone, each with its words and evidence in the journal. Ending is never slowed down. */
export const singleActs = {
  'enter person': ra,
  'amend person': ra,
  'consult person': ra,
  'erase person': manager,
  'cease NO': ['NO', 'SRO', ...ra],
  'cease SRO': ['NO', 'SRO', ...ra],
  'cease ARO': ['NO', 'SRO', ...ra],
  'cease RA_PERSONNEL': ['RA_MANAGER', 'PMA_MEMBER'],
  'cease RA_MANAGER': ['RA_MANAGER', 'PMA_MEMBER'],
  'cease PMA_MEMBER': ['RA_MANAGER', 'PMA_MEMBER'],
  'withdraw condition': manager,
  'cease organisation': manager,
  'report certificates': ra,
  'plan SREPT': ['SRO', 'ARO', 'NO', ...ra],
  'record SREPT result': ['SRO', 'ARO', ...ra],
  'issue credential': ra,
  'hand over credential': ra,
  'lock credential': ['SRO', 'RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER'],
  'unlock credential': ra,
  'return credential': ra,
  'reset password': ra,
} as const satisfies Record<string, readonly Office[]>

export type SingleAct = keyof typeof singleActs
