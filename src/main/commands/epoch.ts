/** `smki epoch`: whether the store has everything that was signed, and how it goes on when it has not. */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { equal } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import { readList } from '../../ground/x509/list.ts'
import { readPemOrDer } from '../../ground/x509/pem.ts'
import { listSchedules } from '../../policy/revocation/schedules.ts'
import { authorities } from '../../rooms/authority/register.ts'
import { readmitList } from '../../rooms/revocation/readmit.ts'
import { marksIn } from '../epoch.ts'
import { acknowledge } from '../epoch-begin.ts'
import { missing, sentences } from '../epoch-compare.ts'
import { epochLog } from '../epoch-log.ts'
import { exitCodes, type Io, json, withStore } from './context.ts'

export function addEpoch(program: Command, io: Io): void {
  const epoch = program
    .command('epoch')
    .description('what the store lacks of what was signed, and the beginning of a new epoch without it')
    .option('--json', 'one JSON object')
    .action(async (flags: { json?: true }, command: Command) => {
      await withStore(command, async ({ home, settings, store }) => {
        const log = await epochLog(store, settings)
        const found = await missing(store, marksIn(home.marks), log.name)
        const says = found ? sentences(found) : []
        if (flags.json) json(io, { epoch: log.epoch, log: log.name, missing: says })
        else {
          io.out(`Epoch ${log.epoch}, journal ${log.name}\n`)
          for (const one of says) io.out(`STORE_WENT_BACK: ${one}\n`)
          io.out(found ? 'Nothing is signed until it is acknowledged: smki epoch begin\n' : 'Nothing is missing\n')
        }
        io.exit(found ? exitCodes.no : exitCodes.ok)
      })
    })

  epoch
    .command('readmit')
    .description('enter lists again that were published and are not in the store, with what they revoked')
    .argument('<file...>', 'the lists, DER or PEM, of each authority in the order of their numbers')
    .action(async (files: string[], _: unknown, command: Command) => {
      await withStore(command, async ({ settings, hands }) => {
        const schedules = listSchedules(settings)
        const known = await authorities(hands.store)
        for (const file of files) {
          const [der] = readPemOrDer(readFileSync(file), ['X509 CRL'])
          if (!der) throw new Refusal('LIST_UNKNOWN', `${file} holds no list`)
          const issuer = readList(der).issuer.der
          const authority = known.find(one => equal(one.certificate.subject.der, issuer))
          const schedule = authority && schedules(authority)
          if (!authority || !schedule)
            throw new Refusal('LIST_UNKNOWN', `${file} is the list of no authority of this store`)
          const { list, revoked } = await readmitList(hands, authority, schedule, Buffer.from(der))
          io.out(`${list.name} number ${list.number} is entered again, ${revoked} revocations with it\n`)
        }
      })
    })

  epoch
    .command('begin')
    .description(
      'acknowledge what is missing: list numbers and other numbers go on above it, the journal as a new log',
    )
    .requiredOption('--by <reference>', 'who acknowledges it, by reference')
    .requiredOption('--words <text>', 'why the store was put back')
    .option('--lists-are-lost', 'the missing lists cannot be entered again')
    .action(async (flags: { by: string; words: string; listsAreLost?: true }, command: Command) => {
      await withStore(command, async ({ home, settings, hands }) => {
        const { by, words, listsAreLost = false } = flags
        const acknowledgement = { by, words, listsAreLost }
        const begun = await acknowledge(hands, home, settings, marksIn(home.marks), acknowledgement)
        for (const one of sentences(begun.missing)) io.out(`acknowledged: ${one}\n`)
        io.out(
          `Epoch ${begun.epoch} has begun. The journal goes on as ${begun.log}: tell its witnesses the key in ${home.journalKey}\n`,
        )
      })
    })
}
