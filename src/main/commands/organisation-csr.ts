/** `smki organisation-csr`: an ARO asks for Organisation Certificates, takes them, accepts or rejects them. */

import { readFileSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { columns, flat, minute } from '../../doors/cli/operator-words.ts'
import { Refusal } from '../../ground/refusal.ts'
import { exitCodes, type Io, table } from './context.ts'
import {
  asAct,
  asOfficer,
  asRecorded,
  type GivenFlags,
  given,
  type OfficerFlags,
  type Speaking,
  speaking,
} from './officer.ts'

interface Submission {
  readonly submission: string
  readonly party: number
  readonly state: string
  readonly received: string
  readonly asks?: { eui64: string; role: number; usage: string }
  readonly refusal?: { code: string; says: string }
  readonly acceptance?: string
  readonly rejectableUntil?: string
}

type PartyFlags = OfficerFlags & { readonly party?: string }

export function addOrganisationCsr(program: Command, io: Io): void {
  const group = program.command('organisation-csr').description('Organisation Certificates, for an ARO')

  ofParty(asOfficer(group.command('submit')))
    .description('submit a CSR')
    .argument('<file>', 'PKCS#10, PEM or base64')
    .option('--reference <mark>', 'your own mark: under it the same answer comes again')
    .action(async (file: string, flags: PartyFlags & { reference?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const { reference } = flags
        const body = { csr: readFileSync(file, 'latin1'), ...(reference !== undefined && { reference }) }
        const one = await speak.act<Submission>('POST', await pathOf(speak, flags), body)
        await speak.tell(one, () => told(one, speak.tail))
        if (one.state === 'refused') io.exit(exitCodes.no)
      })
    })

  ofParty(asOfficer(group.command('list')))
    .description('what was submitted, newest first')
    .action(async (flags: PartyFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<{ submissions: Submission[] }>(await pathOf(speak, flags))
        await speak.tell(answer, () => listed(answer.submissions))
      })
    })

  ofParty(asOfficer(group.command('show')))
    .description('one submission')
    .argument('<id>', 'its number')
    .action(async (id: string, flags: PartyFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.get<Submission>(`${await pathOf(speak, flags)}/${encodeURIComponent(id)}`)
        await speak.tell(one, () => `${columns(flat(one))}\n${told(one, speak.tail)}`)
      })
    })

  ofParty(asOfficer(group.command('download')))
    .description('take the Certificate; from then on it is to be compared with its CSR (L11.5)')
    .argument('<id>', 'its number')
    .option('--out <file>', 'where to; else it is printed')
    .action(async (id: string, flags: PartyFlags & { out?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `${await pathOf(speak, flags)}/${encodeURIComponent(id)}/download`
        const got = await speak.act<{ certificate: string; submission: Submission }>('POST', path, {})
        if (flags.out !== undefined) writeFileSync(flags.out, got.certificate, { flag: 'wx' })
        await speak.tell(got, () => {
          if (flags.out === undefined) return got.certificate
          return `It is in ${flags.out}. ${told(got.submission, speak.tail)}`
        })
      })
    })

  for (const [word, path, says] of [
    ['accept', 'acceptance', 'it agrees with its CSR'],
    ['reject', 'rejection', 'it does not agree: it is revoked by that, and investigated'],
  ] as const) {
    ofParty(asRecorded(group.command(word)))
      .description(says)
      .argument('<id>', 'its number')
      .action(async (id: string, flags: GivenFlags & { party?: string }, command: Command) => {
        await speaking(io, command, flags, async speak => {
          const at = `${await pathOf(speak, flags)}/${encodeURIComponent(id)}/${path}`
          const one = await speak.act<Submission>('POST', at, given(flags))
          await speak.tell(one, () => `The Certificate of ${id} is ${one.acceptance}.\n`)
        })
      })
  }

  asOfficer(group.command('held'))
    .description('those that the Registration Authority must act on first')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<{ submissions: Submission[] }>('/held-csrs')
        await speak.tell(answer, () => listed(answer.submissions))
      })
    })

  asAct(group.command('decide'))
    .description('an RA Manager lets a held CSR go on, or refuses it')
    .argument('<id>', 'its number')
    .argument('<answer>', 'approve or refuse')
    .action(async (id: string, answer: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        if (answer !== 'approve' && answer !== 'refuse') command.error(`${answer} is neither approve nor refuse`)
        const body = { approve: answer === 'approve', ...given(flags) }
        const one = await speak.act<Submission>('POST', `/held-csrs/${encodeURIComponent(id)}/decision`, body)
        await speak.tell(one, () => `${id} is ${one.state}.\n`)
      })
    })
}

function ofParty(command: Command): Command {
  return command.option('--party <id>', 'the organisation (default: your own)')
}

async function pathOf(speak: Speaking, { party }: { readonly party?: string }): Promise<string> {
  if (party !== undefined) return `/organisations/${await speak.party(party)}/csrs`
  const self = await speak.get<{ party?: number }>('/self')
  if (self.party === undefined)
    throw new Refusal('NO_SUCH_PARTY', 'you act for no organisation: say which by --party')
  return `/organisations/${self.party}/csrs`
}

function told(one: Submission, tail: string): string {
  const { submission, state, refusal, acceptance, rejectableUntil } = one
  if (refusal) return `${submission} is ${state}: ${refusal.code}, ${refusal.says}\n`
  if (state !== 'issued')
    return `${submission} is ${state}; look again: smki organisation-csr show ${submission}${tail}\n`
  if (acceptance !== 'open') return `${submission} is issued, and ${acceptance}.\n`
  const until = rejectableUntil ? `, until ${minute(rejectableUntil)}` : ''
  return [
    `${submission} is issued. Compare it with its CSR, and say so${until}:\n`,
    `  smki organisation-csr download ${submission} --out FILE${tail}\n`,
    `  smki organisation-csr accept ${submission}${tail}\n`,
    `  smki organisation-csr reject ${submission} --words 'WHY'${tail}\n`,
  ].join('')
}

function listed(all: readonly Submission[]): string {
  if (all.length === 0) return 'None.\n'
  return table([
    ['NUMBER', 'PARTY', 'RECEIVED', 'EUI-64', 'ROLE', 'USAGE', 'STATE', ''],
    ...all.map(one => [
      one.submission,
      String(one.party),
      minute(one.received),
      one.asks?.eui64 ?? '',
      one.asks ? one.asks.role.toString(16).padStart(2, '0').toUpperCase() : '',
      one.asks?.usage ?? '',
      one.state,
      one.refusal?.code ?? one.acceptance ?? '',
    ]),
  ])
}
