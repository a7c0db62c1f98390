/** `smki quorum`: key stores that k of n people open together, for ceremonies and administration. */

import { type Command, InvalidArgumentError } from 'commander'
import type { OpenKeyStore } from '../../ground/keystore/attach.ts'
import { digestOf, type Quorum } from '../../ground/keystore/quorum.ts'
import { counting, marksIn } from '../epoch.ts'
import { requireWhole } from '../epoch-compare.ts'
import { epochLog } from '../epoch-log.ts'
import { type KeyStoreName, openKeyStore } from '../key-stores.ts'
import { passphraseOf } from '../passphrases.ts'
import { leaveQuorum, quorumOf, shareKeyStore, uniteShares } from '../quorum.ts'
import { type Io, json, type Opened, table, wholeNumber, withStore } from './context.ts'

export function addQuorum(program: Command, io: Io): void {
  const quorum = program
    .command('quorum')
    .description('passphrases of key stores that k of n holders have together')

  quorum
    .command('share')
    .description('give a key store a new passphrase that nobody knows, and each holder a share of it')
    .requiredOption('--store <name>', 'root or issuing', storeName)
    .requiredOption('--threshold <k>', 'how many holders are needed', wholeNumber)
    .requiredOption('--holder <references...>', 'who holds a share, by reference to the register of nominations')
    .requiredOption('--out <folder>', 'where the shares are written, one file for each holder')
    .option('--passphrase-file <file>', 'the passphrase or PIN of today')
    .option('--share <files...>', 'the shares of today, when it is shared already')
    .action(async (flags: SharingFlags, command: Command) => {
      await withStore(command, async opened => {
        const { store: name, threshold, holder: holders, out } = flags
        const store = await openBy(opened, name, flags, 'sharing anew')
        try {
          const { quorum, files } = await shareKeyStore(opened.hands, opened.home, store, {
            name,
            threshold,
            holders,
            out,
          })
          io.out(`The ${name} key store ${quorum.store} opens with ${threshold} of these ${files.length} shares:\n`)
          for (const file of files) io.out(`  ${file}\n`)
          io.out(`Give each to its holder, and leave none on this machine. Record: SHA-256 ${digestOf(quorum)}\n`)
        } finally {
          store.close()
        }
      })
    })

  quorum
    .command('check')
    .description('whether these shares open the key store; nothing is changed')
    .requiredOption('--store <name>', 'root or issuing', storeName)
    .requiredOption('--share <files...>', 'files of holders')
    .action(async ({ store: name, share }: { store: KeyStoreName; share: string[] }, command: Command) => {
      await withStore(command, async opened => {
        const store = await openBy(opened, name, { share }, 'check')
        io.out(`The shares open ${store.identity}: ${store.labels().length} keys and secrets\n`)
        store.close()
      })
    })

  quorum
    .command('leave')
    .description('a holder leaves: the share counts no more')
    .requiredOption('--store <name>', 'root or issuing', storeName)
    .requiredOption('--holder <reference>', 'who leaves')
    .action(async ({ store: name, holder }: { store: KeyStoreName; holder: string }, command: Command) => {
      await withStore(command, async ({ hands, home }) => {
        const left = await leaveQuorum(hands, home, name, holder)
        io.out(holdersOf(left))
        io.out('The share itself is what it was: share anew (smki quorum share) to make it worthless.\n')
      })
    })

  quorum
    .command('show')
    .description('who holds shares of a key store, and how many are needed')
    .requiredOption('--store <name>', 'root or issuing', storeName)
    .option('--json', 'one JSON object')
    .action(async ({ store: name, json: asJson }: { store: KeyStoreName; json?: true }, command: Command) => {
      await withStore(command, async ({ home }) => {
        const quorum = quorumOf(home, name)
        if (asJson) return json(io, { ...quorum, record: digestOf(quorum) })
        io.out(`${quorum.threshold} of these open ${quorum.store}. Record: SHA-256 ${digestOf(quorum)}\n`)
        io.out(holdersOf(quorum))
      })
    })
}

/** What opens a key store: shares, a file with the passphrase or PIN, or what is typed. */
export interface Opener {
  readonly passphraseFile?: string | undefined
  readonly share?: readonly string[] | undefined
}

/** Opens a key store of the environment for one piece of work, by shares where it is shared. @throws Refusal */
export async function openBy(
  { home, settings, hands }: Opened,
  name: KeyStoreName,
  { passphraseFile, share }: Opener,
  purpose: string,
): Promise<OpenKeyStore> {
  const beside = name === 'root' ? home.rootPassphrase : home.issuingPassphrase
  const passphrase =
    share === undefined
      ? await passphraseOf(name, passphraseFile, beside)
      : await uniteShares(hands, home, name, share, purpose)
  try {
    const marks = marksIn(home.marks)
    // A ceremony signs lists and authorities: not over a store that has forgotten some.
    if (purpose.startsWith('ceremony'))
      await requireWhole(hands.store, marks, (await epochLog(hands.store, settings)).name)
    return counting(openKeyStore(home, settings, name, passphrase), marks)
  } finally {
    passphrase.fill(0)
  }
}

interface SharingFlags extends Opener {
  readonly store: KeyStoreName
  readonly threshold: number
  readonly holder: readonly string[]
  readonly out: string
}

function storeName(text: string): KeyStoreName {
  if (text !== 'root' && text !== 'issuing') throw new InvalidArgumentError('It is root or issuing.')
  return text
}

function holdersOf({ holders }: Quorum): string {
  return table([
    ['SHARE', 'HOLDER', 'LEFT'],
    ...holders.map(({ index, holder, left }) => [String(index), holder, left ?? '']),
  ])
}
