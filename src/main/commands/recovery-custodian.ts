/** `smki recovery custodian`: who keeps the keys of recovery, shares for them, and stores of their own. */

import { type Command, InvalidArgumentError } from 'commander'
import { minute } from '../../doors/cli/operator-words.ts'
import { digestOf } from '../../ground/keystore/quorum.ts'
import { Refusal } from '../../ground/refusal.ts'
import { type CustodyName, custodyNames, makeKeyStore, passphraseFile } from '../key-stores.ts'
import { passphraseOf } from '../passphrases.ts'
import { custodyStores, keptAs, makeCustody, shareCustody } from '../recovery-custody.ts'
import { type Io, table } from './context.ts'
import { asAct, asOfficer, type GivenFlags, given, type OfficerFlags, speaking } from './officer.ts'
import { asHere, type HereFlags, recoveringHere, whoHere } from './recovery-here.ts'

interface Kept {
  readonly thing: string
  readonly store?: string
  readonly needed?: number
  readonly since: string
  readonly custodians: readonly { person: string; share: number; from: string; until?: string }[]
}

export function addCustodian(recovery: Command, io: Io): void {
  const group = recovery.command('custodian').description('Key Custodians of the keys of recovery')

  asOfficer(group.command('list'))
    .description('what is kept, how many shares open it, and who holds or held one')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<{ custody: Kept[] }>('/recovery-custody')
        await speak.tell(answer, () =>
          table([
            ['THING', 'NEEDED', 'SHARE', 'CUSTODIAN', 'FROM', 'UNTIL'],
            ...answer.custody.flatMap(({ thing, needed, custodians }) =>
              custodians.map(one => [
                thing,
                String(needed ?? ''),
                String(one.share),
                one.person,
                minute(one.from),
                one.until ? minute(one.until) : 'in office',
              ]),
            ),
          ]),
        )
      })
    })

  // Whoever is appointed gets a share, and a share is what appoints: one act under both words.
  for (const [verb, says] of [
    ['share', 'share a key among Key Custodians: what opened it before opens it no more'],
    ['appoint', 'appoint Key Custodians, which is to give each of them one share'],
  ] as const) {
    asHere(group.command(verb))
      .description(says)
      .argument('<id>', custodyNames.join(', '), thingOf)
      .requiredOption('--custodian <references...>', 'people in the register, by reference')
      .requiredOption('--out <folder>', 'where the shares are written, one file for each; empty')
      .option('--passphrase-file <file>', 'the passphrase or PIN of today')
      .option('--share <files...>', 'the shares of today, when it is shared already')
      .action(async (name: CustodyName, flags: SharingFlags, command: Command) => {
        await recoveringHere(command, async here => {
          const by = await whoHere(here, flags)
          const { custodian: custodians, out, passphraseFile: file, share } = flags
          const plan = { name, custodians, out, opener: { passphraseFile: file, share } }
          const { quorum, files } = await shareCustody(here, by, plan)
          io.out(`The ${keptAs[name]} opens with ${quorum.threshold} of these ${files.length} shares:\n`)
          for (const path of files) io.out(`  ${path}\n`)
          io.out(
            `Give each to its custodian, and leave none on this machine. Record: SHA-256 ${digestOf(quorum)}\n`,
          )
        })
      })
  }

  asAct(group.command('cease'))
    .description('a Key Custodian leaves: the share counts no more from now on')
    .argument('<id>', custodyNames.join(', '), thingOf)
    .argument('<reference>', 'who leaves')
    .action(async (name: CustodyName, person: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/recovery-custody/${keptAs[name].replace(' ', '-')}/cessations`
        const done = await speak.act<{ needed: number; left: number }>('POST', path, { person, ...given(flags) })
        await speak.tell(
          done,
          () =>
            `${person} keeps no share of the ${keptAs[name]} any more: ${done.left} are left, ${done.needed} are needed.\nThe share itself is what it was: share anew to make it worthless.\n`,
        )
      })
    })

  group
    .command('prepare')
    .description('make the stores of Key Custodians in an environment that was made without them')
    .option('--passphrase-folder <folder>', `files called ${custodyNames.join(', ')}: a passphrase or PIN each`)
    .action(async ({ passphraseFolder }: { passphraseFolder?: string }, command: Command) => {
      await recoveringHere(command, async ({ home, settings }) => {
        if (custodyStores(home))
          throw new Refusal('KEYSTORE_EXISTS', 'this environment has stores of Key Custodians')
        const file = (name: CustodyName) =>
          passphraseFolder === undefined ? undefined : `${passphraseFolder}/${name}`
        const passphrases = new Map<CustodyName, Buffer>()
        for (const name of custodyNames)
          passphrases.set(name, await passphraseOf(name, file(name), passphraseFile(home, name)))
        const stores = makeCustody(home, name => makeKeyStore(home, settings, name, passphrases.get(name)!))
        for (const name of custodyNames) {
          io.out(`${keptAs[name]}: ${stores[name].identity}\n`)
          stores[name].close()
          passphrases.get(name)!.fill(0)
        }
        io.out(
          'They are empty. The key that lies in the root store cannot be moved: replace it (smki recovery make root).\n',
        )
      })
    })
}

interface SharingFlags extends HereFlags {
  readonly custodian: readonly string[]
  readonly out: string
  readonly passphraseFile?: string
  readonly share?: readonly string[]
}

function thingOf(text: string): CustodyName {
  const found = custodyNames.find(one => one === text)
  if (!found) throw new InvalidArgumentError(`It is one of ${custodyNames.join(', ')}.`)
  return found
}
