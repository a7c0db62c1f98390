/** Every kind of task that is decided at this door: each room brings its own. */

import { registrationKinds } from '../../rooms/registration/kinds.ts'
import type { Kinds } from '../../rooms/registration/tasks.ts'
import { revocationKinds } from '../../rooms/revocation/kinds.ts'
import type { OperatorWorld } from './door.ts'

export function allKinds(world: OperatorWorld): Kinds {
  return { ...registrationKinds(world.rules), ...revocationKinds(world) }
}
