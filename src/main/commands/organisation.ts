/** `smki organisation`: forms received, what is on record, applications, and the end of an organisation. */

import type { Command } from 'commander'
import { columns, minute } from '../../doors/cli/operator-words.ts'
import { type Io, table } from './context.ts'
import {
  asAct,
  asOfficer,
  asRecorded,
  type GivenFlags,
  given,
  jsonFile,
  type OfficerFlags,
  speaking,
} from './officer.ts'

interface Organisation {
  readonly party: number
  readonly name: string
  readonly tradingName: string
  readonly kind: string
  readonly ceased?: string
  readonly registered: string
  readonly formInForce?: number
  readonly formSubmitted?: number
}

interface Standing {
  readonly state: string
  readonly missing: readonly string[]
  readonly policies: Readonly<Record<string, { readonly authorised: boolean; readonly missing: readonly string[] }>>
}

interface Submitted {
  readonly party: number
  readonly version: number
  readonly task: number
}

export function addOrganisation(program: Command, io: Io): void {
  const group = program.command('organisation').description('applicants and Parties')

  asOfficer(group.command('list'))
    .description('every organisation')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<{ organisations: Organisation[] }>('/organisations')
        await speak.tell(answer, () =>
          table([
            ['PARTY', 'NAME', 'TRADING NAME', 'KIND', 'FORM', ''],
            ...answer.organisations.map(one => [
              String(one.party),
              one.name,
              one.tradingName,
              one.kind,
              one.formInForce === undefined ? 'none in force' : `version ${one.formInForce}`,
              one.ceased ? 'ceased' : one.formSubmitted === undefined ? '' : `version ${one.formSubmitted} waits`,
            ]),
          ]),
        )
      })
    })

  asOfficer(group.command('show'))
    .description('one organisation: ranges, standing, and what it lacks')
    .argument('<id>', 'number or short name')
    .action(async (text: string, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.get<
          Organisation & { ranges: { userRole: string; first: string; last: string }[]; standing: Standing }
        >(`/organisations/${await speak.party(text)}`)
        await speak.tell(one, () => {
          const rows: [string, string][] = [
            ['registered', minute(one.registered)],
            ['standing', inWords(one.standing)],
            ...one.ranges.map(({ userRole, first, last }): [string, string] => [userRole, `${first} to ${last}`]),
            ...Object.entries(one.standing.policies).map(([policy, { authorised, missing }]): [string, string] => [
              policy,
              authorised ? 'Authorised Subscriber' : `not authorised, lacks ${missing.join(', ')}`,
            ]),
          ]
          return `${one.tradingName} (${one.name}, party ${one.party}, ${one.kind})\n${columns(rows)}`
        })
      })
    })

  asRecorded(group.command('apply'))
    .description('receive the first Organisation Information Form of an applicant')
    .argument('<name>', 'short, for folders and commands')
    .argument('<file>', 'the form, JSON (docs/operations/registration.md)')
    .action(async (name: string, file: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const body = { name, form: jsonFile(file), ...given(flags) }
        const submitted = await speak.act<Submitted>('POST', '/organisations', body)
        await speak.tell(
          submitted,
          async () => `${name} is party ${submitted.party}. ${await speak.next(submitted.task)}`,
        )
      })
    })

  asRecorded(group.command('form'))
    .description('receive a new version of the form')
    .argument('<id>', 'number or short name')
    .argument('<file>', 'the form, JSON')
    .action(async (text: string, file: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const body = { form: jsonFile(file), ...given(flags) }
        const path = `/organisations/${await speak.party(text)}/forms`
        const submitted = await speak.act<Submitted>('POST', path, body)
        await speak.tell(
          submitted,
          async () => `Version ${submitted.version} is received. ${await speak.next(submitted.task)}`,
        )
      })
    })

  asRecorded(group.command('application'))
    .description('apply to be an Authorised Subscriber under a Certificate Policy')
    .argument('<id>', 'number or short name')
    .argument('<policy>', 'smki-organisation or smki-device')
    .action(async (text: string, policy: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/organisations/${await speak.party(text)}/applications`
        const applied = await speak.act<{ application: number; task: number }>('POST', path, {
          policy,
          ...given(flags),
        })
        await speak.tell(
          applied,
          async () => `Application ${applied.application} is received. ${await speak.next(applied.task)}`,
        )
      })
    })

  asAct(group.command('withdraw-condition'))
    .description('a condition is found to hold no more: the Party is suspended until it is met anew')
    .argument('<id>', 'number or short name')
    .argument('<condition>', 'identity, SREPT or application')
    .option('--policy <policy>', 'of an application')
    .action(async (text: string, condition: string, flags: GivenFlags & { policy?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const { policy } = flags
        const path = `/organisations/${await speak.party(text)}/withdrawals`
        const after = await speak.act<Standing>('POST', path, {
          condition,
          ...(policy && { policy }),
          ...given(flags),
        })
        await speak.tell(after, () => `It is now ${inWords(after)}\n`)
      })
    })

  asAct(group.command('cease'))
    .description('the organisation ends, with its officers, its credentials and all that waits for it')
    .argument('<id>', 'number or short name')
    .action(async (text: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/organisations/${await speak.party(text)}/cessation`
        const { ended } = await speak.act<{ ended: object[] }>('POST', path, given(flags))
        await speak.tell({ ended }, () => `It has ceased. ${ended.length} credentials ended with it.\n`)
      })
    })
}

function inWords({ state, missing }: Standing): string {
  return missing.length === 0 ? state : `${state}, lacks ${missing.join(', ')}`
}
