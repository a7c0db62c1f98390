/** Who may enter the Registration Authority's pages, and every kind of task that is decided there. */

import { registrationKinds } from '../../../rooms/registration/kinds.ts'
import type { Kinds } from '../../../rooms/registration/tasks.ts'
import { revocationKinds } from '../../../rooms/revocation/kinds.ts'
import type { PortalWorld } from '../door.ts'
import type { Who } from '../frame/visitor.ts'

/** The SMKI PMA and auditors look; what each may do is for the rooms to say. */
export const central: readonly Who[] = ['RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER', 'AUDITOR']

export function allKinds(world: PortalWorld): Kinds {
  return { ...registrationKinds(world.rules), ...revocationKinds(world) }
}
