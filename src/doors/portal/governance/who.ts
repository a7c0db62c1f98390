/** Who may enter the pages of governance, and what each may read of confidential documents. */

import type { Reader } from '../../../policy/documents/document-set.ts'
import { readerFor } from '../../../policy/documents/keepers.ts'
import type { Office } from '../../../policy/registration/offices.ts'
import type { Keeper } from '../../../rooms/governance/entering.ts'
import type { Asking } from '../../../rooms/governance/files.ts'
import { no } from '../../../rooms/registration/refusals.ts'
import type { Visitor, Who } from '../frame/visitor.ts'

export const central: readonly Who[] = ['PMA_MEMBER', 'RA_MANAGER', 'RA_PERSONNEL', 'AUDITOR']

/** The Registration Authority is the DCC's; an auditor reads what the public reads. */
export function readerOf(visitor: Visitor | undefined): Reader {
  return readerFor(visitor?.callers.flatMap(one => one.offices) ?? [])
}

/** Who asks for a file. */
export function askingOf(visitor: Visitor | undefined): Asking {
  return { person: visitor?.callers[0]?.person, party: visitor?.party, reader: readerOf(visitor) }
}

/** In the first of these offices that he holds; else in his own, and the room says whose it is. @throws Refusal NOT_IN_OFFICE */
export function keeperOf(visitor: Visitor | undefined, offices: readonly Office[]): Keeper {
  const callers = visitor?.callers ?? []
  const held = callers.flatMap(({ person, offices: all }) => all.map(as => ({ person, as })))
  const found = offices.flatMap(as => held.find(one => one.as === as) ?? [])[0] ?? held[0]
  if (!found) throw no('NOT_IN_OFFICE', offices.join(', '))
  return found
}

/** Whether he holds one of these offices. */
export const holds = (visitor: Visitor | undefined, offices: readonly Office[]): boolean =>
  visitor?.callers.some(one => one.offices.some(office => offices.includes(office))) ?? false

export const acts = (visitor: Visitor | undefined): boolean => (visitor?.callers.length ?? 0) > 0
