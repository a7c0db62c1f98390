/** `smki default`: Events of Default (L2.5), from the finding to the outcome. */

import type { Command } from 'commander'
import { minute } from '../../doors/cli/operator-words.ts'
import { type Io, table, wholeNumber } from './context.ts'
import { asAct, asOfficer, type GivenFlags, given, type OfficerFlags, speaking } from './officer.ts'

export function addDefault(program: Command, io: Io): void {
  const group = program.command('default').description('Events of Default (L2.5)')

  asOfficer(group.command('list'))
    .description('on record, each with the step that is due')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        type Event = { event: number; party: number; provision: string; found: string; due?: string }
        const answer = await speak.get<{ events: Event[] }>('/defaults')
        await speak.tell(answer, () =>
          table([
            ['NUMBER', 'PARTY', 'PROVISION', 'FOUND', 'NEXT'],
            ...answer.events.map(one => [
              String(one.event),
              String(one.party),
              one.provision,
              minute(one.found),
              one.due ?? 'closed',
            ]),
          ]),
        )
      })
    })

  asAct(group.command('find'))
    .description('the SMKI PMA finds a material breach')
    .argument('<id>', 'number or short name of the organisation')
    .argument('<provision>', 'the provision that was broken')
    .option('--decision <reference>', 'of the SMKI PMA')
    .action(
      async (text: string, provision: string, flags: GivenFlags & { decision?: string }, command: Command) => {
        await speaking(io, command, flags, async speak => {
          const { decision } = flags
          const body = { party: await speak.party(text), provision, ...(decision && { decision }), ...given(flags) }
          const one = await speak.act<{ event: number; due?: string }>('POST', '/defaults', body)
          await speak.tell(one, () => stepOf(one, speak.tail))
        })
      },
    )

  asAct(group.command('step'))
    .description('take the step that is due')
    .argument('<id>', 'number of the event', wholeNumber)
    .argument('<step>', 'as smki default list has it')
    .option('--decision <reference>', 'of the SMKI PMA')
    .action(async (number: number, step: string, flags: GivenFlags & { decision?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const { decision } = flags
        const body = { step, ...(decision && { decision }), ...given(flags) }
        const one = await speak.act<{ event: number; due?: string }>('POST', `/defaults/${number}/steps`, body)
        await speak.tell(one, () => stepOf(one, speak.tail))
      })
    })
}

function stepOf({ event, due }: { event: number; due?: string }, tail: string): string {
  if (due === undefined) return `Event ${event} is closed.\n`
  return `Event ${event} is on record. Next: smki default step ${event} '${due}'${tail}\n`
}
