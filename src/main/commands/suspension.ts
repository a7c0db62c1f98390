/** `smki suspension`: emergency suspension by direction of the SMKI PMA (L2.14). */

import { type Command, InvalidArgumentError } from 'commander'
import { minute } from '../../doors/cli/operator-words.ts'
import { interfaceNames, suspendedThings, suspensionGrounds } from '../../policy/revocation/suspension.ts'
import { type Io, table, wholeNumber } from './context.ts'
import { asAct, asOfficer, type GivenFlags, given, jsonFile, type OfficerFlags, speaking } from './officer.ts'

interface Suspension {
  readonly suspension: number
  readonly decision: string
  readonly scope: string
  readonly interface?: string
  readonly authority?: number
  readonly party?: number
  readonly stops: string
  readonly started: string
  readonly ended?: string
  readonly informed?: readonly { who: string }[]
}

interface BeginFlags extends GivenFlags {
  readonly decision: string
  readonly stops: string
  readonly ground: string
  readonly named?: readonly string[]
}

export function addSuspension(program: Command, io: Io): void {
  const group = program
    .command('suspension')
    .description('emergency suspension by direction of the SMKI PMA (L2.14)')

  asOfficer(group.command('list'))
    .description('on record, ended ones too, with who was informed')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<{ suspensions: Suspension[] }>('/suspensions')
        await speak.tell(answer, () =>
          table([
            ['NUMBER', 'OF', 'STOPS', 'DIRECTION', 'FROM', 'UNTIL', 'INFORMED'],
            ...answer.suspensions.map(one => [
              String(one.suspension),
              ofWhat(one),
              one.stops,
              one.decision,
              minute(one.started),
              one.ended ? minute(one.ended) : 'in force',
              [...new Set((one.informed ?? []).map(({ who }) => who))].join(', '),
            ]),
          ]),
        )
      })
    })

  asAct(group.command('begin'))
    .description('suspend at once; the direction names the same scope')
    .argument('<scope>', 'service, interface:ADHOC_WS, authority:3, party:7, or certificates:FILE (JSON)', scopeOf)
    .requiredOption('--decision <reference>', 'the direction of the SMKI PMA')
    .option('--stops <what>', suspendedThings.join(', '), 'services')
    .requiredOption('--ground <what>', `what is in immediate danger: ${suspensionGrounds.join(', ')}`)
    .option('--named <interface>', `one that would go on, and shall not: ${interfaceNames.join(', ')}`, collect)
    .action(async (of: object, flags: BeginFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const { decision, stops, ground, named } = flags
        const body = { decision, of, stops, ground, ...(named && { named }), ...given(flags) }
        const one = await speak.act<Suspension>('POST', '/suspensions', body)
        await speak.tell(one, () => {
          const number = one.suspension
          const informed = `  smki suspension informed ${number} WHO HOW${speak.tail}\n`
          const end = `  smki suspension end ${number} --decision REFERENCE${speak.tail}\n`
          return `Suspended: ${ofWhat(one)}, number ${number}. Note who else is told:\n${informed}It ends by a later direction:\n${end}`
        })
      })
    })

  asAct(group.command('end'))
    .description('resume, by a later direction')
    .argument('<id>', 'its number', wholeNumber)
    .requiredOption('--decision <reference>', 'the later direction')
    .action(async (number: number, flags: GivenFlags & { decision: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const body = { decision: flags.decision, ...given(flags) }
        const one = await speak.act<Suspension>('POST', `/suspensions/${number}/end`, body)
        await speak.tell(one, () => `Suspension ${number} (${ofWhat(one)}) has ended.\n`)
      })
    })

  asOfficer(group.command('informed'))
    .description('who else was told, and how')
    .argument('<id>', 'its number', wholeNumber)
    .argument('<who>', "'SEC Panel', 'party 3', or a reference")
    .argument('<how>', 'by telephone, by letter …')
    .action(async (number: number, who: string, how: string, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const done = await speak.act('POST', `/suspensions/${number}/informed`, { who, how })
        await speak.tell(done, () => `On record: ${who}, ${how}.\n`)
      })
    })
}

/** `party:7` as the API has it. */
function scopeOf(text: string): object {
  const [scope, what = '', ...more] = text.split(':')
  const number = /^[1-9]\d{0,8}$/.test(what) ? Number(what) : undefined
  if (scope === 'service' && what === '') return { scope }
  if (scope === 'interface' && what !== '' && more.length === 0) return { scope, interface: what }
  if ((scope === 'authority' || scope === 'party') && number !== undefined) return { scope, [scope]: number }
  if (scope === 'certificates' && what !== '') return { scope, certificates: jsonFile([what, ...more].join(':')) }
  throw new InvalidArgumentError('It is none of the scopes.')
}

function ofWhat({ scope, interface: through, authority, party }: Suspension): string {
  const what = through ?? authority ?? party
  return what === undefined ? scope : `${scope} ${what}`
}

function collect(text: string, before: string[] = []): string[] {
  return [...before, text]
}
