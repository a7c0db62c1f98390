/** `smki journal watch`: keeps the last checkpoint of a log, and cries out when the log does not continue it. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { keptIn, writeWhole } from '../../../ground/journal/kept.ts'
import { BadNote } from '../../../ground/journal/note.ts'
import { look, type Sighting } from '../../../ground/journal/watch.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { exitCodes, type Io, wholeNumber } from '../context.ts'
import { again } from './every.ts'
import { counted, filesAt, logKeys } from './source.ts'

interface Flags {
  readonly key?: string
  readonly state: string
  readonly every?: number
  readonly ca?: string
}

export function addWatch(journal: Command, io: Io): void {
  journal
    .command('watch')
    .description('look at a log from outside, and refuse it when it does not continue what was seen before')
    .argument('<log>', 'an address, or a folder that the log was exported to')
    .requiredOption('--state <folder>', 'where the last checkpoint is kept, and evidence if there is any')
    .option('--key <file>', "the log's verifier key; by default the environment's")
    .option('--every <seconds>', 'go on until stopped, looking so often; by default once', wholeNumber)
    .option('--ca <file>', 'authority of the TLS certificate at the address, PEM')
    .action(async (where: string, flags: Flags, command: Command) => {
      const keys = logKeys(command, flags.key)
      const files = filesAt(where, flags.ca)
      const memory = keptIn(flags.state)
      await again(io, flags.every, async () => {
        const seen = await look(files, keys, memory).catch(keptIsBad)
        if (!('says' in seen)) {
          if (seen.seen !== 'same' || flags.every === undefined) io.out(`${told(seen)}\n`)
          io.exit(exitCodes.ok)
          return true
        }
        const evidence = await keepEvidence(flags.state, seen, io.clock())
        io.err(`${codes[seen.seen]}: ${seen.says}\n`)
        if (evidence !== undefined)
          io.err(`Both checkpoints, signed by the log, are in ${evidence}: show them to others.\n`)
        io.exit(exitCodes.no)
        // What is not there may come; what was signed twice stays signed twice.
        return seen.seen === 'absent' || seen.seen === 'incomplete'
      })
    })
}

const codes = {
  absent: 'NOT_A_LOG',
  forged: 'CHECKPOINT_FORGED',
  back: 'JOURNAL_WENT_BACK',
  fork: 'JOURNAL_FORKED',
  incomplete: 'JOURNAL_INCOMPLETE',
} as const

function told(sighting: Extract<Sighting, { before: number }>): string {
  const size = counted(sighting.size, 'entry', 'entries')
  if (sighting.seen === 'first') return `${size}: seen for the first time, and kept`
  if (sighting.seen === 'same') return `${size}: nothing new since the last look`
  return `${size}: the ${sighting.before.toLocaleString('en-GB')} that were seen before are their beginning`
}

async function keepEvidence(state: string, seen: Sighting, now: Date): Promise<string | undefined> {
  if (!('kept' in seen) || seen.kept === undefined || seen.note === undefined) return undefined
  if (seen.seen === 'forged' || seen.seen === 'incomplete') return undefined
  mkdirSync(state, { recursive: true })
  const path = join(state, `${seen.seen}-${now.toISOString().replace(/[:.]/g, '-')}.txt`)
  await writeWhole(path, `${seen.says}\n\n--- kept\n${seen.kept}\n--- shown\n${seen.note}`)
  return path
}

function keptIsBad(cause: unknown): never {
  if (!(cause instanceof BadNote)) throw cause
  throw new Refusal(
    'CHECKPOINT_FORGED',
    `the checkpoint that was kept is not of this log’s key: ${cause.message}`,
    { cause },
  )
}
