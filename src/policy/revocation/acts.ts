/** Who does alone what this room does without a task: each cites a decision, or is bound to act at once. */

import type { Office } from '../registration/offices.ts'

export const revocationActs = {
  // Recorded by the Registration Authority, or by a Member; decided by the SMKI PMA, whose decision is cited.
  'begin deferral': ['RA_MANAGER', 'PMA_MEMBER'],
  'extend deferral': ['RA_MANAGER', 'PMA_MEMBER'],
  'end deferral': ['RA_MANAGER', 'PMA_MEMBER'],
  'release case': ['RA_MANAGER', 'PMA_MEMBER'],
  // An emergency waits for nobody.
  suspend: ['RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
  'resume from suspension': ['RA_MANAGER', 'PMA_MEMBER'],
  'record informed': ['RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
  // L11.5, L11.6: the Subscriber rejects what it downloaded.
  'reject certificate': ['ARO'],
  'investigate rejection': ['RA_PERSONNEL', 'RA_MANAGER'],
  'open duties': ['RA_PERSONNEL', 'RA_MANAGER'],
} as const satisfies Record<string, readonly Office[]>

export type RevocationAct = keyof typeof revocationActs
