/** Who may enter the pages of recovery, and which event is for whom. */

import { eventOf, type RecoveryEvent } from '../../../rooms/recovery/event.ts'
import type { RecoveryHands } from '../../../rooms/recovery/hands.ts'
import type { PortalWorld } from '../door.ts'
import type { Visit } from '../frame/page.ts'
import type { Visitor, Who } from '../frame/visitor.ts'
import { refuse } from '../refusals.ts'

export const central: readonly Who[] = ['RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER', 'AUDITOR']
export const ofParties: readonly Who[] = ['SRO', 'ARO']
export const everyOfficer: readonly Who[] = [...central, ...ofParties]

/** Whether an event is one that he may look at: of a Party's officers, those about its own keys. */
export const isFor = (visitor: Visitor | undefined, { party }: Pick<RecoveryEvent, 'party'>): boolean =>
  visitor !== undefined && (visitor.party === undefined || visitor.party === party)

/** The event of the address. @throws Refusal EVENT_UNKNOWN, NOT_FOR_YOU */
export async function eventFor({ door, visitor, params }: Visit): Promise<RecoveryEvent> {
  const event = await eventOf(door.store, params.event!)
  if (!isFor(visitor, event)) throw refuse('NOT_FOR_YOU')
  return event
}

/** What the room of recovery needs, of what the door has. */
export const handsOf = (door: PortalWorld): RecoveryHands => ({ ...door, recovery: door.settings.recovery })

/** Where those who look at an event see all of theirs. */
export const listFor = (visitor: Visitor | undefined): string =>
  visitor?.party === undefined ? '/operations/recoveries' : '/officer/recoveries'
