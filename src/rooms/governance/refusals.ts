/** The codes with which governance says no. None is ever renamed or given another meaning. */

import { type Refusals, refusing } from '../../ground/refusal.ts'

export const governanceRefusals = {
  // Decisions.
  DECISION_UNKNOWN: { status: 409, says: 'there is no decision of the SMKI PMA with that reference' },
  DECISION_NOT_IN_FORCE: { status: 409, says: 'that decision is not in force at this time' },
  DECISION_NOT_COVERING: { status: 409, says: 'that decision does not cover this act on this subject' },
  DECISION_USED_UP: { status: 409, says: 'that decision was cited as often as it allows' },
  DECISION_EXISTS: { status: 409, says: 'a decision has that reference already, and a reference is used once' },
  DECISION_WITHDRAWN: { status: 409, says: 'that decision was withdrawn already' },
  DECISION_UNFIT: { status: 400, says: 'the decision is not whole' },
  // Documents.
  DOCUMENT_UNKNOWN: { status: 404, says: 'there is no such document' },
  DOCUMENT_EXISTS: { status: 409, says: 'the register has a document of that reference already' },
  DOCUMENT_CONFIDENTIAL: { status: 403, says: 'that document is for the DCC and for those who oversee it' },
  DOCUMENT_STAYS_CONFIDENTIAL: { status: 409, says: 'what was confidential is not opened by an entry' },
  DOCUMENT_UNFIT: { status: 400, says: 'the document, or its version, is not whole' },
  VERSION_UNKNOWN: { status: 404, says: 'there is no such version of that document' },
  VERSION_EXISTS: { status: 409, says: 'that document has a version of that name, or of those octets, already' },
  VERSION_DECIDED: { status: 409, says: 'it was decided on that version already' },
  VERSION_ORDER: { status: 409, says: 'a version takes force after the one that it follows' },
  APPROVAL_NEEDS_DECISION: {
    status: 409,
    says: 'a document that the SMKI PMA approves is approved by its decision',
  },
  VERSION_NOT_LATER: {
    status: 409,
    says: 'a version is called by a number, such as 2.1, that is later than every one before',
  },
  VERSION_NOT_PUBLISHED: {
    status: 403,
    says: 'that version was not approved: it is for those who make and approve the document',
  },
  VERSION_SAME_PERSON: {
    status: 409,
    says: 'whoever entered a version does not decide on it: another person does',
  },
  NOT_THE_OWNER: { status: 403, says: 'versions of a document are entered for whoever looks after it' },
  NOT_THE_APPROVER: { status: 403, says: 'what becomes of a version is entered for whoever approves the document' },
  // Their octets.
  FILE_NOT_KEPT: { status: 404, says: 'that version was entered by title only: no file of it is kept here' },
  FILE_TOO_LARGE: { status: 413, says: 'the file is larger than documents may be here' },
  FILE_TYPE_REFUSED: {
    status: 415,
    says: 'documents are kept as PDF, DOCX, Markdown, plain text in UTF-8, or XML, and as nothing else',
  },
  FILE_ACTIVE: { status: 400, says: 'what a browser or a word processor would run is not kept as a document' },
  FILE_NOT_AS_SAID: { status: 400, says: 'the octets are not of the type that they are said to be' },
  FILE_HASH_WRONG: { status: 409, says: 'the octets that arrived have another SHA-256 than was said' },
  REVIEW_UNKNOWN: { status: 404, says: 'nothing of that name is under review' },
  REVIEW_UNFIT: { status: 400, says: 'the review is not whole' },
  // Development of documents.
  DEVELOPMENT_UNKNOWN: { status: 404, says: 'there is no such development of a document' },
  DEVELOPMENT_EXISTS: { status: 409, says: 'a development has that reference already' },
  DEVELOPMENT_UNFIT: { status: 400, says: 'what is entered of a development is not whole' },
  DEVELOPMENT_STEP: { status: 409, says: 'another step of the development comes first' },
  // Modifications.
  MODIFICATION_UNKNOWN: { status: 404, says: 'there is no such modification' },
  MODIFICATION_EXISTS: { status: 409, says: 'a modification has that reference already' },
  MODIFICATION_UNFIT: { status: 400, says: 'what is entered of a modification is not whole' },
  MODIFICATION_STEP: { status: 409, says: 'another step of the modification comes first' },
  // The DCCKI PMA Functions.
  MEETING_UNFIT: {
    status: 400,
    says: 'a record of a meeting has a reference, a day that has come, roles and an agenda',
  },
  MEETING_EXISTS: { status: 409, says: 'another meeting has that reference' },
  MEETING_UNKNOWN: { status: 404, says: 'there is no such meeting' },
  MEETING_CONFIDENTIAL: {
    status: 403,
    says: 'papers of the DCCKI PMA Functions are for the DCC, the SMKI PMA and the SSC',
  },
} as const satisfies Refusals<string>

export type GovernanceCode = keyof typeof governanceRefusals

/** The sentence of the code, and after it what is particular. */
export const no = refusing(governanceRefusals)
