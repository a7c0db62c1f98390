/** `smki revoke` and `smki revocation`: requests to revoke, their cases, rejections, duties, and the lists. */

import type { Command } from 'commander'
import { columns, flat, minute } from '../../doors/cli/operator-words.ts'
import { groundNames } from '../../policy/revocation/grounds.ts'
import { exitCodes, type Io, table, wholeNumber } from './context.ts'
import { asAct, asOfficer, asRecorded, type GivenFlags, given, type OfficerFlags, speaking } from './officer.ts'

interface RequestFlags extends GivenFlags {
  readonly ground: string
  readonly authority?: number
  readonly form?: string
  readonly decision?: string
  readonly urgent?: true
}

interface Case {
  readonly case: number
  readonly object: string
  readonly certificate: { authority: number; serial: string }
  readonly party?: number
  readonly ground: string
  readonly state: string
  readonly received: string
  readonly listDue?: string
  readonly task?: number
}

export function addRevoke(program: Command, io: Io): void {
  asRecorded(program.command('revoke'))
    .description('request the revocation of a certificate; two others authenticate and approve')
    .argument('<serial>', 'serial number, 32 hexadecimal digits')
    .requiredOption('--ground <ground>', groundNames.filter(name => name !== 'rejected').join(', '))
    .option('--authority <number>', 'of the issuer here, should several have used that serial number', wholeNumber)
    .option('--form <form>', "A7, for the Registration Authority's own credentials")
    .option('--decision <reference>', 'the direction of the SMKI PMA that it rests on')
    .option('--urgent', 'it is urgent')
    .action(async (serial: string, flags: RequestFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const { ground, authority, form, decision, urgent } = flags
        const opened = await speak.act<{ case: number; task: number; deferral?: number }>('POST', '/revocations', {
          certificate: { serial, ...(authority !== undefined && { authority }) },
          ground,
          ...(form !== undefined && { form }),
          ...(decision !== undefined && { decision }),
          ...(urgent && { urgent }),
          ...given(flags),
        })
        await speak.tell(opened, async () => {
          const waits = opened.deferral ? ` It waits under deferral ${opened.deferral} (L16).` : ''
          return `Case ${opened.case} is received.${waits} ${await speak.next(opened.task)}`
        })
      })
    })

  const group = program.command('revocation').description('revocation cases, rejections, duties to revoke, lists')

  asOfficer(group.command('list'))
    .description('cases, oldest first')
    .option('--party <id>', 'of one organisation')
    .option('--state <state>', 'received, authenticated, deferred, approved, revoked, listed, refused or cancelled')
    .action(async (flags: OfficerFlags & { party?: string; state?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const query = new URLSearchParams({
          ...(flags.party !== undefined && { party: String(await speak.party(flags.party)) }),
          ...(flags.state !== undefined && { state: flags.state }),
        })
        const answer = await speak.get<{ cases: Case[] }>(`/revocations?${query}`)
        await speak.tell(answer, () => listed(answer.cases))
      })
    })

  asOfficer(group.command('show'))
    .description('one case')
    .argument('<id>', 'its number', wholeNumber)
    .action(async (number: number, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.get<Case>(`/revocations/${number}`)
        const open = one.task !== undefined && ['received', 'authenticated'].includes(one.state)
        await speak.tell(one, async () => `${columns(flat(one))}${open ? `\n${await speak.next(one.task!)}` : ''}`)
      })
    })

  asRecorded(group.command('reject'))
    .description('an ARO rejects what was downloaded; an Organisation Certificate is revoked by that')
    .argument('<serial>', 'serial number, 32 hexadecimal digits')
    .option('--device', 'it is a Device Certificate, which is investigated and never revoked')
    .action(async (serial: string, flags: GivenFlags & { device?: true }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const body = { certificate: { serial }, of: flags.device ? 'device' : 'organisation', ...given(flags) }
        const done = await speak.act<{ case?: Case; rejection?: number }>('POST', '/rejections', body)
        await speak.tell(done, () =>
          done.case
            ? `Rejected: case ${done.case.case} is ${done.case.state}.\n`
            : `Rejection ${done.rejection} is on record, and the Registration Authority is told to investigate.\n`,
        )
      })
    })

  asAct(group.command('finding'))
    .description('what came of the investigation of a rejected Device Certificate')
    .argument('<id>', 'number of the rejection', wholeNumber)
    .argument('<finding>', 'in a sentence')
    .action(async (number: number, finding: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const done = await speak.act('POST', `/rejections/${number}/finding`, { finding, ...given(flags) })
        await speak.tell(done, () => `The investigation of rejection ${number} is closed.\n`)
      })
    })

  asOfficer(group.command('duties'))
    .description(
      'Parties that are no Authorised Subscribers any more and still have good Organisation Certificates',
    )
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        type Duty = { party: number; name: string; standing: string; certificates: object[]; inCases: number }
        const answer = await speak.get<{ duties: Duty[] }>('/duties')
        await speak.tell(answer, () => {
          if (answer.duties.length === 0) return 'No revocation is due.\n'
          const rows = answer.duties.map(one => [
            String(one.party),
            one.name,
            one.standing,
            String(one.certificates.length),
            String(one.inCases),
          ])
          const open = answer.duties
            .filter(one => one.certificates.length > 0)
            .map(one => `  smki revocation open ${one.party}${speak.tail}\n`)
          const next = open.length > 0 ? `Open their cases:\n${open.join('')}` : ''
          return `${table([['PARTY', 'NAME', 'IS', 'CERTIFICATES', 'IN CASES'], ...rows])}${next}`
        })
      })
    })

  asAct(group.command('open'))
    .description('open a case for each certificate that it is a duty to revoke')
    .argument('<id>', 'number or short name of the organisation')
    .action(async (text: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/organisations/${await speak.party(text)}/duties`
        const { cases } = await speak.act<{ cases: { case: number; task: number }[] }>('POST', path, given(flags))
        await speak.tell({ cases }, async () => {
          const first = cases[0] ? `The first of them: ${await speak.next(cases[0].task)}` : ''
          return `${cases.length} cases are opened. ${first}\n`
        })
      })
    })

  asOfficer(group.command('lists'))
    .description('every list that there should be, and whether it is right; exit code 1 when one is late')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        type List = {
          name: string
          number: string
          marginSeconds: number
          waiting: number
          dueBy: string
          state: string
        }
        const answer = await speak.get<{ lists: List[] }>('/lists')
        await speak.tell(answer, () =>
          table([
            ['LIST', 'NUMBER', 'GOOD FOR', 'WAITING', 'NEXT DUE BY', ''],
            ...answer.lists.map(one => [
              one.name,
              one.number,
              `${Math.floor(one.marginSeconds / 3600)} hours`,
              String(one.waiting),
              minute(one.dueBy),
              one.state === 'ok' ? '' : one.state.toUpperCase(),
            ]),
          ]),
        )
        if (answer.lists.some(one => one.state === 'late')) io.exit(exitCodes.no)
      })
    })
}

function listed(cases: readonly Case[]): string {
  if (cases.length === 0) return 'None.\n'
  return table([
    ['CASE', 'STATE', 'RECEIVED', 'WHAT', 'PARTY', 'SERIAL', 'GROUND', 'LIST DUE BY'],
    ...cases.map(one => [
      String(one.case),
      one.state,
      minute(one.received),
      one.object,
      one.party === undefined ? '' : String(one.party),
      one.certificate.serial,
      one.ground,
      one.listDue ? minute(one.listDue) : '',
    ]),
  ])
}
