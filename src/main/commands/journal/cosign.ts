/** `smki journal cosign`: shows the last checkpoint to a witness, and keeps what it signs. */

import type { Command } from 'commander'
import { askWitness } from '../../../ground/journal/ask-witness.ts'
import { keepCosignature } from '../../../ground/journal/cosigned.ts'
import { tilesIn } from '../../../ground/journal/files.ts'
import { publishedFiles } from '../../../ground/journal/published.ts'
import { lastCheckpoint } from '../../../ground/journal/stored.ts'
import { hashesOf } from '../../../ground/journal/tiles.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { type Io, wholeNumber, withStore } from '../context.ts'
import { again } from './every.ts'
import { addressOf, logKeys, remoteOptions, trusted, witnessKeys } from './source.ts'

interface Flags {
  readonly witness: string
  readonly witnessKey: string
  readonly key?: string
  readonly ca?: string
  readonly every?: number
}

export function addCosign(journal: Command, io: Io): void {
  journal
    .command('cosign')
    .description('ask a witness to sign under the last checkpoint; its signature is published with it')
    .requiredOption('--witness <address>', 'where the witness answers')
    .requiredOption('--witness-key <file>', 'its verifier key')
    .option('--key <file>', "the log's verifier key; by default the environment's")
    .option('--every <seconds>', 'go on until stopped, asking so often; by default once', wholeNumber)
    .option('--ca <file>', "authority of the witness's TLS certificate, PEM")
    .action(async (flags: Flags, command: Command) => {
      const keys = logKeys(command, flags.key)
      const [key] = witnessKeys([flags.witnessKey])
      const at = { prefix: addressOf(flags.witness), key: key!, ...remoteOptions(flags.ca) }
      await withStore(command, ({ store }) =>
        again(io, flags.every, async () => {
          const last = await lastCheckpoint(store)
          if (!last) throw new Refusal('JOURNAL_EMPTY', 'the journal has no checkpoint yet')
          const checkpoint = trusted(last.note, keys)
          const hashAt = hashesOf(tilesIn(publishedFiles(store), checkpoint.size))
          const signed = await askWitness(at, { note: last.note, checkpoint, hashAt })
          await keepCosignature(store, { size: last.size, witness: key!.name, line: signed.line, at: signed.at })
          io.out(`${key!.name} signed under ${checkpoint.size} entries at ${signed.at.toISOString()}\n`)
          return true
        }),
      )
    })
}
