/** `smki journal verify`: recomputes the whole journal, and holds it against the register of certificates. */

import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { progress } from '../../doors/cli/progress.ts'
import { toHex } from '../../ground/bytes.ts'
import { type Act, NotAnEntry, readEntry } from '../../ground/journal/entry.ts'
import { leafHash, rootOf } from '../../ground/journal/merkle.ts'
import { parseVerifierKey } from '../../ground/journal/note.ts'
import { lastCheckpoint, readPending, verifyStored } from '../../ground/journal/stored.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { certificatesOf, completeSignings, tbsOf } from '../../rooms/repository/signings.ts'
import { exitCodes, type Io, json, withStore } from './context.ts'

export function addJournal(program: Command, io: Io): void {
  program
    .command('journal')
    .description('the journal of the environment')
    .command('verify')
    .description('recompute the journal from its entries, and hold it against the certificates')
    .option('--key <file>', "the log's verifier key, kept from the ceremony; by default the environment's")
    .option('--json', 'one JSON object')
    .action(async (flags: { key?: string; json?: true }, command: Command) => {
      await withStore(command, async ({ home, store }) => {
        const key = parseVerifierKey(readFileSync(flags.key ?? home.journalKey, 'utf8').trim())
        const seen = new Set<string>()
        const bar = progress('verifying entries', await howManyEntries(store))
        // One snapshot for all of it: a service may be issuing meanwhile.
        const { report, pending, unjournalled } = await store.transaction(async client => {
          const report = await verifyStored(client, {
            verifierKeys: [key],
            claims: (act, position) => {
              bar.at(position)
              return holds(client, act, seen)
            },
          })
          bar.end()
          const pending: string[] = []
          for (const octets of await readPending(client)) {
            const fault = await ofPending(client, octets, seen)
            if (fault !== undefined) pending.push(`PENDING_ENTRY: ${fault}`)
          }
          return { report, pending, unjournalled: await missingFrom(client, seen) }
        })
        const faults = [
          ...report.faults.map(fault => `${fault.code} at ${fault.from}: ${fault.says}`),
          ...pending,
          ...unjournalled.map(signing => `NOT_JOURNALLED: signing ${signing} is complete, and no entry says so`),
        ]
        const counts = {
          entries: report.entries,
          checkpoints: report.checkpoints,
          signed: report.signed.size,
          groups: seen.size,
        }
        if (flags.json) json(io, { holds: faults.length === 0, ...counts, root: toHex(report.signed.root), faults })
        else {
          io.out(
            `${counts.entries} entries, ${counts.checkpoints} checkpoints; ${counts.signed} entries are signed for\n`,
          )
          io.out(`${counts.groups} groups of certificates are what the journal says they are\n`)
          for (const fault of faults) io.err(`${fault}\n`)
          io.out(
            faults.length === 0 ? 'the journal holds\n' : `the journal does not hold: ${faults.length} faults\n`,
          )
        }
        io.exit(faults.length === 0 ? exitCodes.ok : exitCodes.no)
      })
    })
}

async function ofPending(store: Client, octets: Buffer, seen: Set<string>): Promise<string | undefined> {
  try {
    return await holds(store, readEntry(octets), seen)
  } catch (cause) {
    if (cause instanceof NotAnEntry) return cause.message
    throw cause
  }
}

/** What an `issue` entry says must be what the register has: as many certificates, with that root. */
async function holds(store: Client, act: Act, seen: Set<string>): Promise<string | undefined> {
  const { signing, root, sha256 } = act.body
  if (act.act === 'intend' && root !== undefined) {
    const planned = rootOf((await tbsOf(store, BigInt(String(signing)))).map(leafHash))
    return toHex(planned) === root
      ? undefined
      : `what signing ${signing} wrote down is not in the register as it was`
  }
  if (act.act !== 'issue') return undefined
  seen.add(String(signing))
  const certificates = await certificatesOf(store, BigInt(String(signing)))
  if (sha256 !== undefined) {
    const [only] = certificates
    return only && hash('sha256', only, 'hex') === sha256
      ? undefined
      : `the certificate of signing ${signing} is not the one that was issued`
  }
  return toHex(rootOf(certificates.map(leafHash))) === root
    ? undefined
    : `the certificates of signing ${signing} are not those that were issued`
}

async function missingFrom(store: Client, seen: ReadonlySet<string>): Promise<bigint[]> {
  return (await completeSignings(store)).filter(signing => !seen.has(String(signing)))
}

async function howManyEntries(store: Store): Promise<number> {
  return (await store.transaction(lastCheckpoint))?.size ?? 0
}
