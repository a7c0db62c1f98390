/** Who enters what the SMKI PMA has decided, and whether those who are said to have decided it were its Members then. */

import type { Client, Store } from '../../ground/store/store.ts'
import type { Office } from '../../policy/registration/offices.ts'
import { appointmentsOf } from './nominations.ts'
import { no } from './refusals.ts'

/** By an RA Manager, or by a Member himself (DESIGN: no text says it). */
export const decisionRecorders: readonly Office[] = ['RA_MANAGER', 'PMA_MEMBER']

/** Each was in office at that instant, whatever has become of them since. @throws Refusal NOT_IN_OFFICE */
export async function requireMembers(client: Client, members: readonly string[], at: Date): Promise<void> {
  const all = await appointmentsOf(client as unknown as Pick<Store, 'query'>, undefined)
  for (const member of members) {
    const sat = all.some(
      one =>
        one.person === member &&
        one.office === 'PMA_MEMBER' &&
        one.appointedAt !== undefined &&
        one.appointedAt <= at &&
        (one.ceasedAt === undefined || at < one.ceasedAt),
    )
    if (!sat) throw no('NOT_IN_OFFICE', `${member} was no SMKI PMA Member then`)
  }
}
