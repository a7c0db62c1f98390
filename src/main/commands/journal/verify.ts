/** `smki journal verify`: recomputes a journal from its entries, and holds it against the register of certificates. */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { progress } from '../../../doors/cli/progress.ts'
import { type Bytes, equal, toHex } from '../../../ground/bytes.ts'
import { type Act, NotAnEntry, readEntry } from '../../../ground/journal/entry.ts'
import type { VerifierKey } from '../../../ground/journal/note.ts'
import { lastCheckpoint, readEntries, readPending, verifyStored } from '../../../ground/journal/stored.ts'
import { lookAhead, type Stream } from '../../../ground/journal/streams.ts'
import type { JournalReport, PlacedEntry } from '../../../ground/journal/verify.ts'
import { verifyFiles } from '../../../ground/journal/verify-files.ts'
import type { Client, Store } from '../../../ground/store/store.ts'
import { howMany } from '../../../rooms/repository/find.ts'
import { type Claims, claims, misfiled } from '../../journal-claims.ts'
import { exitCodes, type Io, json, withStore } from '../context.ts'
import { checkpointOf, counted, filesAt, logKeys, type SourceFlags, several } from './source.ts'

interface Flags extends SourceFlags {
  readonly store?: true
  readonly kept?: readonly string[]
  readonly json?: true
}

export function addVerify(journal: Command, io: Io): void {
  journal
    .command('verify')
    .description('recompute the journal from its entries, and hold it against the certificates')
    .option('--from <log>', 'the published files, a folder or an address, instead of the store')
    .option('--store', 'with --from: also hold the entries and certificates of the store against those files')
    .option('--key <file>', "the log's verifier key, kept from the ceremony; by default the environment's")
    .option('--kept <file>', 'a checkpoint that you kept; may be given several times', several)
    .option('--ca <file>', 'authority of the TLS certificate at the address, PEM')
    .option('--json', 'one JSON object')
    .action(async (flags: Flags, command: Command) => {
      const keys = logKeys(command, flags.key)
      const kept = (flags.kept ?? []).map(file => readFileSync(file, 'utf8'))
      const found =
        flags.from === undefined
          ? await withStore(command, ({ store }) => ofStore(store, keys, kept))
          : flags.store
            ? await withStore(command, ({ store }) => ofBoth(store, flags, keys, kept))
            : await ofFiles(flags, keys, kept)
      tell(io, found, flags)
    })
}

interface Found {
  readonly report: JournalReport
  /** Groups of certificates that were held against the register; undefined when it was not looked at. */
  readonly groups?: number
  /** Certificates whose rows were looked at. */
  readonly certificates?: number
  readonly faults: readonly string[]
}

/** The environment's store alone, by its own checkpoints. */
async function ofStore(store: Store, verifierKeys: VerifierKey[], kept: string[]): Promise<Found> {
  const bar = progress('verifying entries', (await store.transaction(lastCheckpoint))?.size ?? 0)
  // One snapshot for all of it: a service may be issuing meanwhile.
  return store.transaction(async client => {
    const register = claims(client)
    const report = await verifyStored(client, {
      verifierKeys,
      kept,
      claims: (act, position) => {
        bar.at(position)
        return register.of(act)
      },
    })
    bar.end()
    return { report, ...(await ofRegister(client, register, faultsOf(report))) }
  })
}

/** Published files alone: neither store nor environment is needed. */
async function ofFiles(flags: SourceFlags, verifierKeys: VerifierKey[], kept: string[]): Promise<Found> {
  const files = filesAt(flags.from!, flags.ca)
  const note = await checkpointOf(files, flags.from!)
  const bar = barFor(note)
  const report = await verifyFiles(files, note, {
    verifierKeys,
    kept,
    claims: (_, position) => void bar.at(position),
  })
  bar.end()
  return { report, faults: [...faultsOf(report), ...report.unread.map(unread)] }
}

/** The store, by what was published: whoever keeps the files finds what was changed in the store since. */
async function ofBoth(
  store: Store,
  flags: SourceFlags,
  verifierKeys: VerifierKey[],
  kept: string[],
): Promise<Found> {
  const files = filesAt(flags.from!, flags.ca)
  const note = await checkpointOf(files, flags.from!)
  const bar = barFor(note)
  return store.transaction(
    async client => {
      const register = claims(client)
      const beside = storeBeside(client)
      const question = {
        verifierKeys,
        kept,
        claims: (act: Act, position: number) => {
          bar.at(position)
          return register.of(act)
        },
      }
      const report = await verifyFiles(files, note, question, beside.through)
      bar.end()
      await beside.later(report.signed.size, register)
      const faults = [...faultsOf(report), ...report.unread.map(unread), ...beside.faults]
      return { report, ...(await ofRegister(client, register, faults)) }
    },
    { isolation: 'REPEATABLE READ' },
  )
}

/** The entries of the store, side by side with those that were published. */
function storeBeside(client: Client) {
  const faults: string[] = []
  const through = async function* (published: Stream<PlacedEntry>): AsyncGenerator<PlacedEntry> {
    const stored = lookAhead(readEntries(client))
    for await (const entry of published) {
      while (((await stored.peek())?.position ?? Infinity) < entry.position) await stored.take()
      const mine = await stored.peek()
      if (mine?.position !== entry.position)
        faults.push(`STORE_LACKS at ${entry.position}: the store has not the entry that was published`)
      else if (!equal(mine.octets, entry.octets))
        faults.push(`STORE_DIFFERS at ${entry.position}: the stored entry is not the one that was published`)
      yield entry
    }
    await stored.close()
  }
  /** What came after the published checkpoint: nobody signed for it here, but it may speak of certificates. */
  const later = async (size: number, register: Claims) => {
    for await (const { position, octets } of readEntries(client, size)) {
      const wrong = await register.of(readOr(octets, position, faults))
      if (wrong !== undefined) faults.push(`ENTRY_CLAIM at ${position}: ${wrong}`)
    }
  }
  return { faults, through, later }
}

function readOr(octets: Bytes, position: number, faults: string[]): Act {
  try {
    return readEntry(octets)
  } catch (cause) {
    if (!(cause instanceof NotAnEntry)) throw cause
    faults.push(`ENTRY_UNREADABLE at ${position}: ${cause.message}`)
    return { act: '', at: new Date(0), body: {} }
  }
}

/** What of the register no entry with a position could say. */
async function ofRegister(client: Client, register: Claims, before: readonly string[]) {
  const faults = [...before]
  for (const octets of await readPending(client)) {
    const wrong = await register.ofPending(octets)
    if (wrong !== undefined) faults.push(`PENDING_ENTRY: ${wrong}`)
  }
  for (const signing of await register.missing())
    faults.push(`NOT_JOURNALLED: signing ${signing} is complete, and no entry says so`)
  const bar = progress('certificates', await howMany(client))
  let certificates = 0
  const onRow = (done: number) => {
    certificates = done
    bar.at(done)
  }
  for await (const wrong of misfiled(client, onRow)) faults.push(`MISFILED: ${wrong}`)
  bar.end()
  return { groups: register.seen.size, certificates, faults }
}

function faultsOf({ faults }: JournalReport): string[] {
  return faults.map(({ code, from, to, says }) => `${code} at ${from === to ? from : `${from} to ${to}`}: ${says}`)
}

const unread = (says: string): string => `BUNDLE_UNREADABLE ${says}`

/** The size in the second line is good enough for a bar, whoever signed it. */
function barFor(note: string) {
  return progress('verifying entries', Number(note.split('\n')[1]) || 0)
}

function tell(io: Io, { report, groups, certificates, faults }: Found, flags: Flags): void {
  const { entries, checkpoints, hashes, signed } = report
  const holds = faults.length === 0
  if (flags.json) {
    const root = toHex(signed.root)
    json(io, { holds, entries, checkpoints, hashes, signed: signed.size, groups, certificates, root, faults })
  } else {
    const looked = [counted(entries, 'entry', 'entries'), counted(checkpoints, 'checkpoint', 'checkpoints')]
    io.out(`${looked.join(', ')}; ${counted(signed.size, 'entry is', 'entries are')} signed for\n`)
    if (groups !== undefined && certificates !== undefined)
      io.out(
        `${counted(groups, 'group', 'groups')} of certificates held against the journal, ` +
          `${counted(certificates, 'certificate', 'certificates')} against where they are filed\n`,
      )
    for (const fault of faults) io.err(`${fault}\n`)
    io.out(
      holds ? 'the journal holds\n' : `the journal does not hold: ${counted(faults.length, 'fault', 'faults')}\n`,
    )
    if (groups === undefined) io.out('(by its files; --store holds the store of the environment against them)\n')
  }
  io.exit(holds ? exitCodes.ok : exitCodes.no)
}
