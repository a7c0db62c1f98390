/** Who here acts for the bodies that a document names: as its owner, as its approver, and as a reader. */

import type { Office } from '../registration/offices.ts'
import { type Body, type DocumentDefinition, mayRead, type Reader } from './document-set.ts'

/**
 * Offices that act for a body. The Registration Authority is the DCC's, which carries the DCCKI PMA Functions out (dccki.md
 * section 7). The other bodies have no office here: what they drafted or decided is entered by whoever records decisions
 * of the SMKI PMA too (DESIGN).
 */
const acting: Readonly<Record<Body, readonly Office[]>> = {
  DCC: ['RA_MANAGER', 'RA_PERSONNEL'],
  'DCCKI PMA Functions': ['RA_MANAGER', 'RA_PERSONNEL'],
  'SMKI PMA': ['PMA_MEMBER'],
  SSC: ['RA_MANAGER', 'PMA_MEMBER'],
  'SEC Panel': ['RA_MANAGER', 'PMA_MEMBER'],
  'Change Board': ['RA_MANAGER', 'PMA_MEMBER'],
  'Secretary of State': ['RA_MANAGER', 'PMA_MEMBER'],
}

/** Offices that enter versions of a document: those that act for its owner. */
export function entering({ owner }: Pick<DocumentDefinition, 'owner'>): readonly Office[] {
  return acting[owner]
}

/** Offices that enter what was decided on a version: those that act for its approver; to approve is not a clerk's. */
export function deciding({ approver }: Pick<DocumentDefinition, 'approver'>): readonly Office[] {
  return acting[approver].filter(office => office !== 'RA_PERSONNEL')
}

/** As whom somebody reads who holds these offices. Officers of a Party read what the public reads. */
export function readerFor(offices: readonly Office[]): Reader {
  if (offices.includes('PMA_MEMBER')) return 'SMKI PMA'
  return offices.includes('RA_MANAGER') || offices.includes('RA_PERSONNEL') ? 'DCC' : 'public'
}

/** Whether others than those who make a document may read that version: it was decided on, and not rejected. */
export function isPublished({ state }: { readonly state: string }): boolean {
  return state === 'approved' || state === 'not rejected'
}

/** What is not published is read by those who would read it were it confidential. */
export function mayReadVersion(
  reader: Reader,
  document: Pick<DocumentDefinition, 'confidential' | 'owner' | 'approver'>,
  version: { readonly state: string },
): boolean {
  return mayRead(reader, { ...document, confidential: document.confidential || !isPublished(version) })
}
