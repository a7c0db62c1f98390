/** `smki decision`: decisions and directions of the SMKI PMA, recorded from a file. */

import type { Command } from 'commander'
import { columns, flat, minute } from '../../doors/cli/operator-words.ts'
import { type Io, table } from './context.ts'
import { asOfficer, jsonFile, type OfficerFlags, speaking } from './officer.ts'

interface Decision {
  readonly reference: string
  readonly acts: readonly string[]
  readonly subjects: readonly string[]
  readonly decidedAt: string
  readonly uses: number
  readonly limit?: number
  readonly notInForce?: string
}

export function addDecision(program: Command, io: Io): void {
  const group = program.command('decision').description('decisions and directions of the SMKI PMA')

  asOfficer(group.command('list'))
    .description('all of them, latest first')
    .option('--subject <subject>', 'those that cover it: party:7, service, interface:ADHOC_WS, …')
    .action(async (flags: OfficerFlags & { subject?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const query = new URLSearchParams(flags.subject === undefined ? {} : { subject: flags.subject })
        const answer = await speak.get<{ decisions: Decision[] }>(`/decisions?${query}`)
        await speak.tell(answer, () =>
          table([
            ['REFERENCE', 'DECIDED', 'TO', 'ABOUT', 'CITED', ''],
            ...answer.decisions.map(one => [
              one.reference,
              minute(one.decidedAt),
              one.acts.join(', '),
              one.subjects.length > 3 ? `${one.subjects.slice(0, 3).join(', ')}, …` : one.subjects.join(', '),
              one.limit === undefined ? String(one.uses) : `${one.uses} of ${one.limit}`,
              one.notInForce === undefined ? 'in force' : one.notInForce,
            ]),
          ]),
        )
      })
    })

  asOfficer(group.command('show'))
    .description('one decision')
    .argument('<id>', 'its reference')
    .action(async (reference: string, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.get(`/decisions/${encodeURIComponent(reference)}`)
        await speak.tell(one, () => columns(flat(one)))
      })
    })

  asOfficer(group.command('record'))
    .description('record what was decided; from then on acts may cite it')
    .argument('<file>', 'JSON (docs/operations/registration.md)')
    .action(async (file: string, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.act<Decision>('POST', '/decisions', jsonFile(file) as object)
        await speak.tell(
          one,
          () => `${one.reference} is recorded: to ${one.acts.join(', ')}, about ${one.subjects.join(', ')}.\n`,
        )
      })
    })

  asOfficer(group.command('withdraw'))
    .description('from now on nothing is done under it')
    .argument('<id>', 'its reference')
    .requiredOption('--words <text>', 'why; names nobody')
    .action(async (reference: string, flags: OfficerFlags & { words: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/decisions/${encodeURIComponent(reference)}/withdrawal`
        const one = await speak.act('POST', path, { words: flags.words })
        await speak.tell(one, () => `${reference} is withdrawn. What was done under it stays done.\n`)
      })
    })
}
