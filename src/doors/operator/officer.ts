/** In which office somebody acts, for himself or recording what another has signed; and what he may look at. */

import type { Office } from '../../policy/registration/offices.ts'
import type { Officer } from '../../rooms/registration/act.ts'
import { no } from '../../rooms/registration/refusals.ts'
import type { Caller } from './caller.ts'
import { refuse } from './refusals.ts'

/** Whose signature the Registration Authority records, with the paper as evidence. */
export interface SignedBy {
  readonly person: string
  readonly as: Office
  readonly party?: number | undefined
}

/**
 * The officer of an act.
 * @param actingAs the header; needed by whoever holds several offices
 * @throws Refusal NOT_IN_OFFICE, OFFICE_UNCLEAR, NOT_FOR_THIS_OFFICE (only the Registration Authority records)
 */
export function officerOf(caller: Caller, actingAs: string | undefined, signedBy?: SignedBy): Officer {
  const as = officeOf(caller, actingAs)
  const own: Officer = { person: caller.person, as, ...(caller.party !== undefined && { party: caller.party }) }
  if (!signedBy) return own
  if (as !== 'RA_PERSONNEL' && as !== 'RA_MANAGER') {
    throw no('NOT_FOR_THIS_OFFICE', 'only the Registration Authority records what others have signed')
  }
  return { person: signedBy.person, as: signedBy.as, party: signedBy.party, through: { person: caller.person, as } }
}

function officeOf({ offices }: Caller, actingAs: string | undefined): Office {
  if (actingAs === undefined) {
    if (offices.length === 1) return offices[0]!
    throw refuse('OFFICE_UNCLEAR', offices.join(', '), { offices })
  }
  const office = offices.find(one => one === actingAs)
  if (!office) throw no('NOT_IN_OFFICE', `with this credential you act as ${offices.join(', ')}`)
  return office
}

/** Officers of an organisation look at what is its own; the Registration Authority and the SMKI PMA at everything. */
export function mustSee({ party: own }: Caller, party: number | undefined): void {
  if (own !== undefined && own !== party) throw refuse('NOT_YOURS_TO_SEE')
}

/** What only the Registration Authority and the SMKI PMA look at. */
export function mustBeCentral({ party }: Caller): void {
  if (party !== undefined) throw refuse('NOT_YOURS_TO_SEE')
}
