/** `smki journal prove` and `check-proof`: what a holder needs to show, without us, that the journal has something. */

import { readFileSync, writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { equal } from '../../../ground/bytes.ts'
import { checkBoundProof, writeBoundProof } from '../../../ground/journal/bound.ts'
import { cosignedNote, lastCosigned } from '../../../ground/journal/cosigned.ts'
import { readEntry } from '../../../ground/journal/entry.ts'
import { entriesIn, type LogFiles, tilesIn } from '../../../ground/journal/files.ts'
import type { VerifierKey } from '../../../ground/journal/note.ts'
import { consistencyProof, inclusionProof, verifyConsistency } from '../../../ground/journal/proof.ts'
import { publishedFiles } from '../../../ground/journal/published.ts'
import { entryAt, findEntry } from '../../../ground/journal/stored.ts'
import { writeSubmission } from '../../../ground/journal/submission.ts'
import { hashesOf, TileMissing } from '../../../ground/journal/tiles.ts'
import { NotAProof } from '../../../ground/journal/tlog-proof.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { Store } from '../../../ground/store/store.ts'
import { readCertificate } from '../../../ground/x509/certificate.ts'
import { findBySerials } from '../../../rooms/repository/find.ts'
import { certificatesOf } from '../../../rooms/repository/signings.ts'
import { homeOf, type Io, wholeNumber, withStore } from '../context.ts'
import { certificateIn, checkpointOf, counted, filesAt, logKeys, type SourceFlags, trusted } from './source.ts'

interface ProveFlags extends SourceFlags {
  readonly certificate?: string
  readonly position?: number
  readonly since?: string
  readonly out?: string
  readonly cosigned?: true
}

export function addProve(journal: Command, io: Io): void {
  journal
    .command('prove')
    .description('write a proof that a certificate or an entry is in the journal, or that it only grew')
    .addOption(
      new Option('--certificate <file>', 'the certificate, PEM or DER').conflicts(['position', 'since', 'from']),
    )
    .addOption(new Option('--position <n>', 'an entry, by its position').argParser(wholeNumber).conflicts('since'))
    .option('--since <file>', 'a checkpoint that was kept: prove that the journal continues it')
    .option('--from <log>', 'the published files, a folder or an address, instead of the store')
    .addOption(new Option('--cosigned', 'under the last checkpoint that a witness signed too').conflicts('from'))
    .option('--key <file>', "the log's verifier key; by default the environment's")
    .option('--ca <file>', 'authority of the TLS certificate at the address, PEM')
    .option('-o, --out <file>', 'where to; by default it is printed')
    .action(async (flags: ProveFlags, command: Command) => {
      const keys = logKeys(command, flags.key)
      const proof =
        flags.from === undefined
          ? await withStore(command, ({ store }) => fromStore(store, flags, keys))
          : await fromFiles(filesAt(flags.from, flags.ca), flags.from, flags, keys)
      if (flags.out === undefined) io.out(proof)
      else {
        writeFileSync(flags.out, proof)
        const what =
          flags.since === undefined ? `check-proof ${flags.out}` : `check-proof ${flags.out} --since ${flags.since}`
        const thing = flags.certificate === undefined ? '' : ` --certificate ${flags.certificate}`
        io.out(`The proof is in ${flags.out}. Anybody with the log’s key checks it offline:\n`)
        io.out(`  smki journal ${what}${thing} --key ${flags.key ?? homeOf(command).journalKey}\n`)
      }
    })
}

async function fromStore(store: Store, flags: ProveFlags, keys: VerifierKey[]): Promise<string> {
  const files = publishedFiles(store)
  const least = flags.position === undefined ? 0 : flags.position + 1
  if (flags.certificate === undefined) {
    const note = await noteOf(store, files, flags, least)
    return fromNote(files, note, flags, keys, async position => entryAt(store, position))
  }
  const der = certificateIn(flags.certificate)
  const found = await findBySerials(store, [readCertificate(der).serial], new Date(0))
  const lodged = found.find(one => equal(one.der, der))
  if (!lodged)
    throw new Refusal('CERTIFICATE_UNKNOWN', `the certificate in ${flags.certificate} is not in the Repository`)
  const sought = { act: 'issue', contains: `"signing":"${lodged.signing}"`, since: lodged.issuedAt }
  const entry = await findEntry(store, sought)
  if (!entry)
    throw new Refusal(
      'NO_POSITION_YET',
      'the journal has not taken up the entry of this certificate: try again in a second',
    )
  const note = await noteOf(store, files, flags, entry.position + 1)
  const place = await placeOf(files, note, entry.position, keys)
  const member = { position: lodged.position, group: await certificatesOf(store, lodged.signing) }
  const alone = readEntry(entry.octets).body.root === undefined
  const proof = await writeBoundProof(place, entry.octets, alone ? undefined : member)
  return usable(proof, keys, der)
}

async function fromFiles(files: LogFiles, where: string, flags: ProveFlags, keys: VerifierKey[]): Promise<string> {
  const note = await checkpointOf(files, where)
  const { size } = trusted(note, keys)
  return fromNote(files, note, flags, keys, async position => {
    for await (const entry of entriesIn(files, size, { from: position }))
      return entry.position === position ? entry.octets : undefined
    return undefined
  })
}

async function fromNote(
  files: LogFiles,
  note: string,
  flags: ProveFlags,
  keys: VerifierKey[],
  entryOf: (position: number) => Promise<Uint8Array | undefined>,
): Promise<string> {
  const { size } = trusted(note, keys)
  if (flags.since !== undefined) {
    const old = trusted(readFileSync(flags.since, 'utf8'), keys)
    if (old.size > size)
      throw new Refusal(
        'JOURNAL_WENT_BACK',
        `the checkpoint kept is for ${old.size} entries, and the journal has ${size}`,
      )
    const proof = await consistencyProof(old.size, size, hashesOf(tilesIn(files, size))).catch(incomplete)
    const { root } = trusted(note, keys)
    if (!verifyConsistency({ from: old.size, to: size, fromRoot: old.root, toRoot: root, proof }))
      throw new Refusal(
        'JOURNAL_FORKED',
        `the journal of ${size} entries does not continue the checkpoint of ${old.size} that was kept`,
      )
    return writeSubmission({ old: old.size, proof, note })
  }
  if (flags.position === undefined)
    throw new Refusal('NOTHING_TO_PROVE', 'say what to prove: --certificate FILE, --position N or --since FILE')
  const entry = flags.position < size ? await entryOf(flags.position) : undefined
  if (entry === undefined)
    throw new Refusal(
      'NO_SUCH_ENTRY',
      `the journal has ${counted(size, 'entry', 'entries')}, and none at ${flags.position}`,
    )
  return usable(await writeBoundProof(await placeOf(files, note, flags.position, keys), entry), keys)
}

/** The checkpoint to prove under. @throws Refusal NOT_COSIGNED_YET, NOT_A_LOG */
async function noteOf(store: Store, files: LogFiles, flags: ProveFlags, least: number): Promise<string> {
  if (!flags.cosigned) return checkpointOf(files, 'the store')
  const last = await lastCosigned(store, least)
  if (last) return cosignedNote(store, last)
  throw new Refusal(
    'NOT_COSIGNED_YET',
    'no witness has signed under a checkpoint that covers it: `smki journal cosign` asks one',
  )
}

async function placeOf(files: LogFiles, note: string, index: number, keys: VerifierKey[]) {
  const { size } = trusted(note, keys)
  return { index, note, proof: await inclusionProof(index, size, hashesOf(tilesIn(files, size))).catch(incomplete) }
}

function incomplete(cause: unknown): never {
  if (!(cause instanceof TileMissing)) throw cause
  throw new Refusal('JOURNAL_INCOMPLETE', cause.message, { cause })
}

/** A proof that its holder could not use must not leave here. */
function usable(proof: string, keys: VerifierKey[], der?: Buffer): string {
  try {
    checkBoundProof(proof, { log: keys }, der)
    return proof
  } catch (cause) {
    if (!(cause instanceof NotAProof)) throw cause
    const sentence = `the journal does not bear it out: ${cause.message}; \`smki journal verify\` says what was changed`
    throw new Refusal('PROOF_FAILS', sentence, { cause })
  }
}
