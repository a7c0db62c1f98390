/** `smki deferral`: revocations of a failed supplier that wait by decision of the SMKI PMA (L16). */

import type { Command } from 'commander'
import { columns, flat, minute } from '../../doors/cli/operator-words.ts'
import { type Io, table, wholeNumber } from './context.ts'
import { asAct, asOfficer, type GivenFlags, given, jsonFile, type OfficerFlags, speaking } from './officer.ts'

interface Deferral {
  readonly deferral: number
  readonly decision: string
  readonly party: number
  readonly review: string
  readonly ends?: string
  readonly ended?: string
}

export function addDeferral(program: Command, io: Io): void {
  const group = program.command('deferral').description('deferred revocations of a failed supplier (L16)')

  asOfficer(group.command('list'))
    .description('on record, ended ones too')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<{ deferrals: Deferral[] }>('/deferrals')
        const { names } = await speak.telling()
        await speak.tell(answer, () =>
          table([
            ['NUMBER', 'SUPPLIER', 'DECISION', 'REVIEW', 'ENDS', ''],
            ...answer.deferrals.map(one => [
              String(one.deferral),
              names.get(one.party) ?? String(one.party),
              one.decision,
              minute(one.review),
              one.ends ? minute(one.ends) : 'by decision',
              one.ended ? `ended ${minute(one.ended)}` : 'in force',
            ]),
          ]),
        )
      })
    })

  asOfficer(group.command('show'))
    .description('one deferral, with the certificates it is about')
    .argument('<id>', 'its number', wholeNumber)
    .action(async (number: number, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.get(`/deferrals/${number}`)
        await speak.tell(one, () => columns(flat(one)))
      })
    })

  asAct(group.command('begin'))
    .description('begin a deferral, under a decision to defer revocation')
    .argument('<file>', 'JSON: decision, party, userIds, mpids, review, ends, certificates')
    .action(async (file: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const body = { ...(jsonFile(file) as object), ...given(flags) }
        const one = await speak.act<Deferral>('POST', '/deferrals', body)
        await speak.tell(one, () => `Deferral ${one.deferral} is in force; review by ${minute(one.review)}.\n`)
      })
    })

  asAct(group.command('extend'))
    .description('extend it, by a decision of its own')
    .argument('<id>', 'its number', wholeNumber)
    .requiredOption('--decision <reference>', 'of the SMKI PMA')
    .requiredOption('--review <instant>', '2026-12-31T12:00:00Z')
    .option('--ends <instant>', 'when it lapses unless it is extended')
    .action(
      async (
        number: number,
        flags: GivenFlags & { decision: string; review: string; ends?: string },
        command: Command,
      ) => {
        await speaking(io, command, flags, async speak => {
          const { decision, review, ends } = flags
          const body = { decision, review, ...(ends !== undefined && { ends }), ...given(flags) }
          const one = await speak.act<Deferral>('POST', `/deferrals/${number}/extension`, body)
          await speak.tell(one, () => `Deferral ${number} goes on; review by ${minute(one.review)}.\n`)
        })
      },
    )

  asAct(group.command('end'))
    .description('end it: what waited is revoked at once')
    .argument('<id>', 'its number', wholeNumber)
    .requiredOption('--decision <reference>', 'of the SMKI PMA')
    .option('--cancel <case>', 'a case that it decided otherwise about; may be repeated', collectNumber)
    .action(
      async (number: number, flags: GivenFlags & { decision: string; cancel?: number[] }, command: Command) => {
        await speaking(io, command, flags, async speak => {
          const { decision, cancel } = flags
          const ended = await speak.act<{ revoked: object[]; cancelled: object[] }>(
            'POST',
            `/deferrals/${number}/end`,
            { decision, ...(cancel && { cancel }), ...given(flags) },
          )
          await speak.tell(ended, () => {
            const lists = ended.revoked.length > 0 ? ' Their lists are due: smki revocation lists' : ''
            return `Ended: ${ended.revoked.length} revoked, ${ended.cancelled.length} cancelled.${lists}\n`
          })
        })
      },
    )

  asAct(group.command('release'))
    .description('revoke one deferred certificate although the deferral goes on')
    .argument('<id>', 'number of the case', wholeNumber)
    .requiredOption('--decision <reference>', 'of the SMKI PMA, about it')
    .action(async (number: number, flags: GivenFlags & { decision: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const body = { decision: flags.decision, ...given(flags) }
        const one = await speak.act<{ state: string }>('POST', `/revocations/${number}/release`, body)
        await speak.tell(one, () => `Case ${number} is ${one.state}.\n`)
      })
    })
}

function collectNumber(text: string, before: number[] = []): number[] {
  return [...before, wholeNumber(text)]
}
