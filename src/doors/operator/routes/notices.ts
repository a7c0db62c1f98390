/** Notices: what the Registration Authority tells the Panel, the Parties and itself. */

import { z } from 'zod'
import { noticesTo } from '../../../rooms/registration/notices.ts'
import { refuse } from '../refusals.ts'
import type { Group } from '../route.ts'
import { id, when } from '../shapes.ts'

export const notices: Group = {
  name: 'notices',
  says: 'what was told to whom',
  add({ door, add }) {
    add({
      method: 'GET',
      path: '/notices',
      says: 'the notices to one recipient, oldest first',
      query: z.strictObject({
        to: z
          .string()
          .max(100)
          .optional()
          .meta({ description: '`Registration Authority` (the default), `SEC Panel`, `SMKI PMA` or `party 3`' }),
        after: z
          .string()
          .regex(/^\d{1,9}$/)
          .transform(Number)
          .optional()
          .meta({ description: 'the last that was read' }),
      }),
      answer: z.strictObject({
        to: z.string(),
        notices: z.array(
          z.strictObject({ notice: id, subject: z.string(), about: z.record(z.string(), z.unknown()), at: when }),
        ),
      }),
      async run({ caller, query }) {
        const own = caller.party === undefined ? 'Registration Authority' : `party ${caller.party}`
        const to = query.to ?? own
        if (caller.party !== undefined && to !== own) throw refuse('NOT_YOURS_TO_SEE')
        const all = await noticesTo(door.store, to, query.after)
        return { to, notices: all.map(({ id: notice, subject, about, at }) => ({ notice, subject, about, at })) }
      },
    })
  },
}
