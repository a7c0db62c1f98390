/** Who may enter the pages of governance, and what each may read of confidential documents. */

import type { Reader } from '../../../policy/documents/document-set.ts'
import type { Visitor, Who } from '../frame/visitor.ts'

export const central: readonly Who[] = ['PMA_MEMBER', 'RA_MANAGER', 'RA_PERSONNEL', 'AUDITOR']

/** The Registration Authority is the DCC's; an auditor reads what the public reads. */
export function readerOf(visitor: Visitor | undefined): Reader {
  if (visitor?.roles.includes('PMA_MEMBER')) return 'SMKI PMA'
  return visitor?.roles.some(one => one === 'RA_MANAGER' || one === 'RA_PERSONNEL') ? 'DCC' : 'public'
}

export const acts = (visitor: Visitor | undefined): boolean => (visitor?.callers.length ?? 0) > 0
