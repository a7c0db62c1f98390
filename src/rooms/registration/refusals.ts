/** The codes with which the Registration Authority says no. None is ever renamed or given another meaning. */

import { type Refusals, refusing } from '../../ground/refusal.ts'

export const registrationRefusals = {
  // Who may act.
  NOT_IN_OFFICE: { status: 403, says: 'that person does not hold that office' },
  NOT_FOR_THIS_OFFICE: { status: 403, says: 'this act does not belong to that office' },
  OTHER_ORGANISATION: { status: 403, says: 'an officer of one organisation does not act for another' },
  IN_PERSON: { status: 403, says: 'this step is taken in person, and not recorded for somebody else' },
  TWO_PERSON_RULE: { status: 403, says: 'two different people take these steps' },
  OWN_AFFAIRS: { status: 403, says: 'nobody takes a step in a matter about himself' },
  CEREMONY_OVER: { status: 409, says: 'the first appointments were made: from then on the procedures apply' },
  CEREMONY_ONLY: { status: 403, says: 'a ceremony makes the first appointments and nothing else' },
  CEREMONY_INCOMPLETE: { status: 400, says: 'the first appointments do not let the procedures begin' },
  // Tasks.
  TASK_UNKNOWN: { status: 404, says: 'there is no such task' },
  TASK_DECIDED: { status: 409, says: 'the task was decided already' },
  TASK_CHANGED: { status: 409, says: 'what is to be approved is not what that digest is of' },
  STEP_NOT_DUE: { status: 409, says: 'another step of the task comes first' },
  EVIDENCE_MISSING: { status: 400, says: 'this step names evidence of every kind that its procedure asks for' },
  WORDS_UNFIT: { status: 400, says: 'words and references are short text without control characters' },
  // Organisations and their forms.
  PARTY_UNKNOWN: { status: 404, says: 'there is no such Party' },
  PARTY_CEASED: { status: 409, says: 'the Party has ceased' },
  PARTY_NAME_UNFIT: {
    status: 400,
    says: 'a short name is a letter or digit and up to 31 letters, digits or hyphens, lower case',
  },
  PARTY_NAME_TAKEN: { status: 409, says: 'another Party has that short name' },
  ORGANISATION_KNOWN: { status: 409, says: 'another Party has that identifier' },
  FORM_INCOMPLETE: { status: 400, says: 'the Organisation Information Form lacks fields' },
  FORM_UNFIT: { status: 400, says: 'a field of the Organisation Information Form is too long or is not text' },
  FORM_UNKNOWN: { status: 404, says: 'there is no such form' },
  EUI64_UNREADABLE: { status: 400, says: 'an EUI-64 is 16 hexadecimal digits, or 8 pairs with hyphens' },
  EUI64_BEYOND_64_BITS: { status: 400, says: 'an EUI-64 has 64 bits, and that one has more' },
  RANGE_REVERSED: { status: 400, says: 'a range begins with its lower end' },
  ROLE_UNKNOWN: { status: 400, says: 'there is no such User Role' },
  ROLE_TWICE: { status: 400, says: 'a User Role has exactly one range' },
  ROLE_NOT_FOR_ORGANISATION: { status: 400, says: 'an organisation of that kind does not hold that User Role' },
  RANGES_OVERLAP: { status: 400, says: 'ranges of two User Roles share identifiers that H1.5 exempts none of' },
  RANGE_OF_ANOTHER: { status: 409, says: 'identifiers of a range belong to another organisation' },
  SHARED_PAIR_NOT_ALLOWED: { status: 400, says: 'those two User Roles may not share an EUI-64 (H1.5)' },
  SHARED_OUTSIDE_RANGES: {
    status: 400,
    says: 'a shared EUI-64 lies in the range of each User Role that shares it',
  },
  SHARED_UNFIT: { status: 400, says: 'a shared EUI-64 is recorded once, for two or more User Roles' },
  // People and offices.
  PERSON_UNKNOWN: { status: 404, says: 'there is no such person, or what was known of the person was erased' },
  PERSON_UNFIT: { status: 400, says: 'what is entered of a person is short text, and a name at least' },
  PERSON_NEEDED: { status: 409, says: 'a person in office, nominated, or with a credential is not erased' },
  OFFICE_PARTY: { status: 400, says: 'an officer of an organisation has a Party, others have none' },
  OFFICE_HELD: { status: 409, says: 'that person holds or is nominated for that office already' },
  OFFICE_NOT_HELD: { status: 409, says: 'that person does not hold that office, so it cannot end' },
  POLICIES_UNFIT: {
    status: 400,
    says: 'an ARO is authorised for Organisation, Device or DCCKI Certificates, or several of them; others for none',
  },
  SRO_NOT_ARO: { status: 409, says: 'the SRO and the ARO of an organisation are two people here' },
  IDENTITY_LEVEL: { status: 400, says: 'the identity was not verified at the level that is asked for' },
  // Becoming and being an Authorised Subscriber.
  CONDITION_NOT_MET: { status: 409, says: 'that condition is not met, so it cannot be withdrawn' },
  SREPT_NOT_PLANNED: { status: 409, says: 'there is no plan of the entry process tests' },
  SREPT_INTERFACES: { status: 400, says: 'the plan names interfaces that do not exist, or none' },
  SREPT_SCENARIO_UNKNOWN: { status: 400, says: 'that scenario is none, or none of the plan' },
  SREPT_INCOMPLETE: { status: 409, says: 'scenarios of the plan have not been passed' },
  SREPT_COMPLETED: { status: 409, says: 'the entry process tests were completed already' },
  SREPT_NOT_COMPLETED: {
    status: 409,
    says: 'SREPT comes first: before it neither an application nor Repository access is possible',
  },
  POLICY_UNKNOWN: { status: 400, says: 'there is no such Certificate Policy to apply for' },
  APPLICATION_EXISTS: { status: 409, says: 'the Party has applied under that Certificate Policy already' },
  NOT_AUTHORISED_SUBSCRIBER: { status: 403, says: 'the Party is not an Authorised Subscriber' },
  EUI64_NOT_OWN: { status: 403, says: 'the EUI-64 lies in no range of the Party' },
  OU_ROLE_NOT_HELD: {
    status: 403,
    says: 'no User Role that the Party holds the EUI-64 for may carry that Remote Party Role',
  },
  ARO_NOT_AUTHORISED: { status: 403, says: 'the person is no ARO of the Party for that Certificate Policy' },
  CONNECTION_UNFIT: { status: 400, says: 'a DCC Gateway Connection has a reference and 1 to 200 host names' },
  // Credentials.
  CREDENTIAL_KIND_UNKNOWN: { status: 400, says: 'there is no such kind of credential' },
  CREDENTIAL_UNKNOWN: { status: 404, says: 'there is no such credential' },
  CREDENTIAL_STATE: { status: 409, says: 'that does not follow in the life of this credential' },
  CREDENTIAL_HOLDER: {
    status: 400,
    says: 'a credential of that kind is held by a person in office, or by a system',
  },
  CREDENTIAL_ROLE: { status: 403, says: 'that interface is not for the User Roles of the Party' },
  CREDENTIAL_REQUEST_UNFIT: {
    status: 400,
    says: 'the request does not carry what a credential of that kind is made from',
  },
  SYSTEM_NAME_TAKEN: { status: 409, says: 'the Party has used that name for that interface already' },
  KEY_USED_ELSEWHERE: { status: 409, says: 'one key serves one interface of one Party' },
  SSH_KEY_UNFIT: { status: 400, says: 'that is not an SSH public key of a kind that is taken' },
  USERNAME_UNFIT: { status: 400, says: 'a username is 3 to 64 letters, digits, dots, hyphens or underscores' },
  USERNAME_TAKEN: { status: 409, says: 'that username is taken' },
  USERNAME_UNKNOWN: { status: 404, says: 'there is no such username' },
  PASSWORD_UNFIT: { status: 400, says: 'the new password is too short, too long, the old one, or the username' },
  LOGIN_REFUSED: { status: 401, says: 'username and password do not open an account' },
  LOGIN_LOCKED: { status: 423, says: 'the account is locked after too many wrong passwords' },
} as const satisfies Refusals<string>

export type RegistrationCode = keyof typeof registrationRefusals

/** The sentence of the code, and after it what is particular. */
export const no = refusing(registrationRefusals)
