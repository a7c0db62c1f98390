/** `smki credential` and `smki account`: what people and systems show at the doors, from request to end. */

import { readFileSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { columns, flat, minute } from '../../doors/cli/operator-words.ts'
import { type Io, table, wholeNumber } from './context.ts'
import { asAct, asOfficer, asRecorded, type GivenFlags, given, type OfficerFlags, speaking } from './officer.ts'

interface Credential {
  readonly credential: number
  readonly party: number
  readonly person?: string
  readonly kind: string
  readonly systemName: string
  readonly state: string
  readonly expires?: string
}

interface RequestFlags extends GivenFlags {
  readonly party?: string
  readonly person?: string
  readonly csr?: string
  readonly name?: string
  readonly sshKey?: string
  readonly replaces?: number
}

export function addCredential(program: Command, io: Io): void {
  const group = program
    .command('credential')
    .description('credentials: requested, given, locked, revoked, replaced')

  asOfficer(group.command('list'))
    .description('the credentials of an organisation, or those that end soon')
    .argument('[id]', 'number or short name of the organisation')
    .option('--ending <days>', 'those in use that end within so many days', wholeNumber)
    .action(async (text: string | undefined, flags: OfficerFlags & { ending?: number }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path =
          text === undefined
            ? `/credentials?ending=${flags.ending ?? 90}`
            : `/organisations/${await speak.party(text)}/credentials`
        const answer = await speak.get<{ credentials: Credential[] }>(path)
        await speak.tell(answer, () => listed(answer.credentials))
      })
    })

  asOfficer(group.command('show'))
    .description('one credential')
    .argument('<id>', 'its number', wholeNumber)
    .action(async (id: number, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.get(`/credentials/${id}`)
        await speak.tell(one, () => columns(flat(one)))
      })
    })

  asRecorded(group.command('request'))
    .description('request a credential: --csr for a certificate, --ssh-key for SFTP, --name for all others')
    .argument('<kind>', 'PORTAL_ORG, PORTAL_DEVICE, ADHOC_WS, BATCH_WS, FILE_SIGN, REPO_PORTAL, REPO_API_KEY, …')
    .option('--party <id>', 'the organisation; none for RA_STAFF')
    .option('--person <reference>', 'the holder, of the kinds that people hold')
    .option('--csr <file>', 'the CSR, PEM; its CN names the system')
    .option('--name <name>', 'what the organisation calls the system or account')
    .option('--ssh-key <file>', 'the public key, one line as OpenSSH writes it')
    .option('--replaces <number>', 'the credential that this one follows (re-issue)', wholeNumber)
    .action(async (kind: string, flags: RequestFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const { party, person, csr, name, sshKey, replaces } = flags
        const asked = await speak.act<{ credential: number; task: number }>('POST', '/credentials', {
          kind,
          ...(party !== undefined && { party: await speak.party(party) }),
          ...(person !== undefined && { person }),
          ...(csr !== undefined && { csr: readFileSync(csr, 'latin1') }),
          ...(name !== undefined && { systemName: name }),
          ...(sshKey !== undefined && { sshKey: readFileSync(sshKey, 'utf8').trim() }),
          ...(replaces !== undefined && { replaces }),
          ...given(flags),
        })
        await speak.tell(
          asked,
          async () => `Credential ${asked.credential} is requested. ${await speak.next(asked.task)}`,
        )
      })
    })

  const acts = {
    'hand-over': 'its holder has it: it opens doors now, and what it replaces ends',
    lock: 'stop it at once; unlock brings it back',
    unlock: 'bring it back, having known its holder; --evidence says on what',
    return: 'it came back, or is not needed any more',
  }
  for (const [word, says] of Object.entries(acts)) {
    asRecorded(group.command(word))
      .description(says)
      .argument('<id>', 'number of the credential', wholeNumber)
      .action(async (id: number, flags: GivenFlags, command: Command) => {
        await speaking(io, command, flags, async speak => {
          const one = await speak.act<Credential>('POST', `/credentials/${id}/${word}`, given(flags))
          await speak.tell(one, () => `Credential ${id} is ${one.state} now.\n`)
        })
      })
  }

  asRecorded(group.command('revoke'))
    .description('ask that it be revoked; two others decide')
    .argument('<id>', 'number of the credential', wholeNumber)
    .action(async (id: number, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const asked = await speak.act<{ task: number }>('POST', `/credentials/${id}/revocation`, given(flags))
        await speak.tell(asked, async () => {
          const meanwhile = `It works until then; to stop it now: smki credential lock ${id} --words 'WHY'${speak.tail}`
          return `Asked. ${await speak.next(asked.task)}${meanwhile}\n`
        })
      })
    })

  asAct(group.command('issue'))
    .description('issue the approved IKI Certificate, from the CSR that was approved')
    .argument('<id>', 'number of the credential', wholeNumber)
    .requiredOption('--csr <file>', 'that CSR, PEM')
    .option('--out <file>', 'where to; else it is printed')
    .action(async (id: number, flags: GivenFlags & { csr: string; out?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const body = { csr: readFileSync(flags.csr, 'latin1'), ...given(flags) }
        const made = await speak.act<{ certificate: string }>('POST', `/credentials/${id}/certificate`, body)
        if (flags.out !== undefined) writeFileSync(flags.out, made.certificate, { flag: 'wx' })
        await speak.tell(made, () => {
          if (flags.out === undefined) return made.certificate
          const next = `smki credential hand-over ${id} --evidence 'receipt=REFERENCE'${speak.tail}`
          return `It is in ${flags.out}. It opens doors once it is handed over:\n  ${next}\n`
        })
      })
    })

  asAct(group.command('api-key'))
    .description('make the approved API key; it is shown this once')
    .argument('<id>', 'number of the credential', wholeNumber)
    .action(async (id: number, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const made = await speak.act<{ apiKey: string }>('POST', `/credentials/${id}/api-key`, given(flags))
        await speak.tell(made, () => secret(made.apiKey, id, speak.tail))
      })
    })

  asAct(group.command('ssh-key'))
    .description('enter the approved SSH key')
    .argument('<id>', 'number of the credential', wholeNumber)
    .action(async (id: number, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const done = await speak.act('POST', `/credentials/${id}/ssh-key`, given(flags))
        await speak.tell(
          done,
          () => `Entered. It opens SFTP once it is handed over: smki credential hand-over ${id}${speak.tail}\n`,
        )
      })
    })

  asAct(group.command('account'))
    .description('open the approved account of the Repository portal; its first password is shown this once')
    .argument('<id>', 'number of the credential', wholeNumber)
    .argument('<username>', 'for the account')
    .action(async (id: number, username: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const body = { username, ...given(flags) }
        const made = await speak.act<{ password: string }>('POST', `/credentials/${id}/account`, body)
        await speak.tell(made, () => secret(made.password, id, speak.tail))
      })
    })

  asOfficer(group.command('owner'))
    .description('whose API key that is, for one that was found where it should not be')
    .argument('<file>', 'a file with the key in it: it stands in no history of a shell then')
    .action(async (file: string, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const apiKey = readFileSync(file, 'utf8').trim()
        const found = await speak.act<{ party: number }>('POST', '/api-keys/owner', { apiKey })
        await speak.tell(found, () => `party ${found.party}: smki credential list ${found.party}${speak.tail}\n`)
      })
    })

  asOfficer(group.command('terms'))
    .description('give the notices of expiry that are due, and end what has expired, now and not at the next hour')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const done = await speak.act<{ noticed: object[]; expired: number[] }>('POST', '/credential-terms', {})
        await speak.tell(
          done,
          () => `${done.noticed.length} notices given, ${done.expired.length} credentials expired.\n`,
        )
      })
    })
}

export function addAccount(program: Command, io: Io): void {
  const group = program.command('account').description('accounts of the Repository portal')

  asAct(group.command('reset'))
    .description('set a new password for one use, having known the ARO; --evidence says on what')
    .argument('<id>', 'username')
    .action(async (username: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/repository-accounts/${encodeURIComponent(username)}/reset`
        const made = await speak.act<{ password: string }>('POST', path, given(flags))
        await speak.tell(
          made,
          () => `${made.password}\nThat is shown this once; it is changed at the first login.\n`,
        )
      })
    })

  asAct(group.command('unlock'))
    .description('end the lock after wrong passwords, having known the ARO; --evidence says on what')
    .argument('<id>', 'username')
    .action(async (username: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/repository-accounts/${encodeURIComponent(username)}/unlock`
        const done = await speak.act('POST', path, given(flags))
        await speak.tell(done, () => `${username} may log in again.\n`)
      })
    })
}

function secret(value: string, credential: number, tail: string): string {
  return `${value}\nThat is shown this once: nobody can look it up again. It opens once it is handed over:\n  smki credential hand-over ${credential} --evidence 'receipt=REFERENCE'${tail}\n`
}

function listed(all: readonly Credential[]): string {
  if (all.length === 0) return 'None.\n'
  return table([
    ['NUMBER', 'KIND', 'NAME', 'HOLDER', 'STATE', 'UNTIL'],
    ...all.map(one => [
      String(one.credential),
      one.kind,
      one.systemName,
      one.person ?? '',
      one.state,
      one.expires ? minute(one.expires) : '',
    ]),
  ])
}
