/** `smki person`, `smki nominate`, `smki cease`, `smki officers` and `smki whoami`: people and their offices. */

import { type Command, InvalidArgumentError } from 'commander'
import { columns, flat, minute } from '../../doors/cli/operator-words.ts'
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

interface DataFlags extends GivenFlags {
  readonly name?: string
  readonly email?: string
  readonly telephone?: string
  readonly question?: readonly { question: string; answer: string }[]
  readonly file?: string
}

export function addPerson(program: Command, io: Io): void {
  asOfficer(program.command('whoami'))
    .description('who the service takes you for, and in which offices')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const self = await speak.get('/self')
        await speak.tell(self, () => columns(flat(self)))
      })
    })

  const group = program.command('person').description('what the Registration Authority knows of people')

  withData(group.command('enter'))
    .description('enter a person; the answer is the reference')
    .action(async (flags: DataFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const entered = await speak.act<{ person: string }>('POST', '/persons', {
          data: dataOf(flags),
          ...given(flags),
        })
        await speak.tell(entered, () => `${entered.person}\n`)
      })
    })

  withData(group.command('amend'))
    .description('replace what is known; nominations that were verified on it are verified again')
    .argument('<id>', 'reference, p- and 12 hexadecimal digits')
    .action(async (person: string, flags: DataFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/persons/${encodeURIComponent(person)}`
        const done = await speak.act('PUT', path, { data: dataOf(flags), ...given(flags) })
        await speak.tell(done, () => `${person} is amended.\n`)
      })
    })

  asOfficer(group.command('list'))
    .description('everybody, by reference, with the offices held')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        type Listed = { person: string; entered: string; erased: boolean; offices: Held[] }
        const answer = await speak.get<{ persons: Listed[] }>('/persons')
        await speak.tell(answer, () =>
          table([
            ['PERSON', 'ENTERED', 'OFFICES'],
            ...answer.persons.map(one => [
              one.person,
              minute(one.entered),
              one.erased ? 'erased' : one.offices.map(held).join(', '),
            ]),
          ]),
        )
      })
    })

  asAct(group.command('show'))
    .description('what is known of a person; that you looked is journalled')
    .argument('<id>', 'reference')
    .action(async (person: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/persons/${encodeURIComponent(person)}/consultation`
        const known = await speak.act('POST', path, given(flags))
        await speak.tell(known, () => columns(flat(known)))
      })
    })

  asAct(group.command('erase'))
    .description('erase what is personal; the reference stays')
    .argument('<id>', 'reference')
    .action(async (person: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const done = await speak.act('POST', `/persons/${encodeURIComponent(person)}/erasure`, given(flags))
        await speak.tell(done, () => `What was known of ${person} is erased.\n`)
      })
    })

  asRecorded(program.command('nominate'))
    .description('nominate a person for an office')
    .argument('<id>', 'the nominee: reference')
    .argument('<office>', 'NO, SRO, ARO, RA_PERSONNEL, RA_MANAGER or PMA_MEMBER')
    .option('--party <id>', 'the organisation of a NO, SRO or ARO')
    .option('--policy <policy>', 'what an ARO is to be authorised for; may be repeated', collect)
    .action(
      async (
        person: string,
        office: string,
        flags: GivenFlags & { party?: string; policy?: string[] },
        command: Command,
      ) => {
        await speaking(io, command, flags, async speak => {
          const nominated = await speak.act<{ appointment: number; task: number }>('POST', '/nominations', {
            person,
            office,
            ...(flags.party !== undefined && { party: await speak.party(flags.party) }),
            ...(flags.policy && { policies: flags.policy }),
            ...given(flags),
          })
          await speak.tell(nominated, async () => `Nominated. ${await speak.next(nominated.task)}`)
        })
      },
    )

  asRecorded(program.command('cease'))
    .description('an officer ceases, at once, and with him the credentials held in that office')
    .argument('<id>', 'reference of the officer')
    .argument('<office>', 'the office that ends')
    .option('--party <id>', 'the organisation of a NO, SRO or ARO')
    .action(async (person: string, office: string, flags: GivenFlags & { party?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        type Ceased = { ended: { credential: number }[]; standing?: { state: string; missing: string[] } }
        const ceased = await speak.act<Ceased>('POST', '/cessations', {
          person,
          office,
          ...(flags.party !== undefined && { party: await speak.party(flags.party) }),
          ...given(flags),
        })
        await speak.tell(ceased, () => {
          const numbers = ceased.ended.map(one => one.credential).join(', ')
          const ended = numbers === '' ? 'No credential ended.' : `Credentials ended: ${numbers}.`
          const lacks = ceased.standing?.missing.length ? `, lacks ${ceased.standing.missing.join(', ')}` : ''
          const standing = ceased.standing ? ` The organisation is now ${ceased.standing.state}${lacks}.` : ''
          return `${person} has ceased as ${office}. ${ended}${standing}\n`
        })
      })
    })

  asOfficer(program.command('officers'))
    .description('who holds which office: of the Registration Authority and the SMKI PMA, or of an organisation')
    .option('--party <id>', 'the organisation')
    .action(async (flags: OfficerFlags & { party?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path =
          flags.party === undefined ? '/officers' : `/organisations/${await speak.party(flags.party)}/officers`
        type Officer = {
          known?: string
          person: string
          office: string
          state: string
          policies: string[]
          appointed?: string
          ceased?: string
        }
        const answer = await speak.get<{ officers: Officer[] }>(path)
        await speak.tell(answer, () =>
          table([
            ['PERSON', 'KNOWN AS', 'OFFICE', 'STATE', 'FROM', 'UNTIL', 'FOR'],
            ...answer.officers.map(one => [
              one.person,
              one.known ?? '',
              one.office,
              one.state,
              one.appointed ? minute(one.appointed) : '',
              one.ceased ? minute(one.ceased) : '',
              one.policies.join(', '),
            ]),
          ]),
        )
      })
    })
}

interface Held {
  readonly office: string
  readonly party?: number
  readonly state: string
}

function held({ office, party, state }: Held): string {
  const of = party === undefined ? '' : ` of party ${party}`
  return `${office}${of}${state === 'appointed' ? '' : ` (${state})`}`
}

function withData(command: Command): Command {
  return asAct(command)
    .option('--name <name>', 'the name')
    .option('--email <address>')
    .option('--telephone <number>')
    .option('--question <question=answer>', 'what the Service Desk asks; may be repeated', collectQuestion)
    .option('--file <file>', 'all of it as JSON, so that it stands in no history of a shell')
}

function dataOf({ name, email, telephone, question, file }: DataFlags): unknown {
  if (file !== undefined) return jsonFile(file)
  return {
    name: name ?? '',
    ...(email !== undefined && { email }),
    ...(telephone !== undefined && { telephone }),
    ...(question && { questions: question }),
  }
}

function collect(text: string, before: string[] = []): string[] {
  return [...before, text]
}

function collectQuestion(text: string, before: { question: string; answer: string }[] = []) {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It is not QUESTION=ANSWER.')
  return [...before, { question: text.slice(0, at), answer: text.slice(at + 1) }]
}
