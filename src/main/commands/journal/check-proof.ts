/** `smki journal check-proof`: checks what `prove` wrote, offline, with nothing but the keys. */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { toHexUpper } from '../../../ground/bytes.ts'
import { checkBoundProof, type Proven } from '../../../ground/journal/bound.ts'
import { openCheckpoint } from '../../../ground/journal/checkpoint.ts'
import { cosignaturesOf } from '../../../ground/journal/cosignature.ts'
import { BadNote, type VerifierKey } from '../../../ground/journal/note.ts'
import { verifyConsistency } from '../../../ground/journal/proof.ts'
import { NotASubmission, readSubmission } from '../../../ground/journal/submission.ts'
import { NotAProof } from '../../../ground/journal/tlog-proof.ts'
import { readCertificate } from '../../../ground/x509/certificate.ts'
import { exitCodes, type Io, json, wholeNumber } from '../context.ts'
import { certificateIn, logKeys, several, witnessKeys } from './source.ts'

interface CheckFlags {
  readonly certificate?: string
  readonly since?: string
  readonly key?: string
  readonly witness?: readonly string[]
  readonly quorum?: number
  readonly json?: true
}

export function addCheckProof(journal: Command, io: Io): void {
  journal
    .command('check-proof')
    .description('check a proof offline, with nothing but the keys')
    .argument('<file>', 'what `smki journal prove` wrote')
    .option('--certificate <file>', 'the certificate that it should prove, PEM or DER')
    .option('--since <file>', 'the checkpoint that it should continue')
    .option('--key <file>', "the log's verifier key; by default the environment's")
    .option('--witness <file>', "a witness's verifier key; may be given several times", several)
    .option(
      '--quorum <n>',
      'how many of the witnesses must have signed; by default all that are named',
      wholeNumber,
    )
    .option('--json', 'one JSON object')
    .action((file: string, flags: CheckFlags, command: Command) => {
      const log = logKeys(command, flags.key)
      const witnesses = witnessKeys(flags.witness ?? [])
      const text = readFileSync(file, 'utf8')
      try {
        const found =
          flags.since === undefined ? ofThing(text, { log, witnesses }, flags) : ofGrowth(text, log, flags.since)
        requireQuorum(text, witnesses, flags.quorum ?? witnesses.length)
        if (flags.json) json(io, { holds: true, ...found.facts })
        else io.out(found.says)
        io.exit(exitCodes.ok)
      } catch (cause) {
        if (!(cause instanceof NotAProof || cause instanceof BadNote || cause instanceof NotASubmission))
          throw cause
        if (flags.json) json(io, { holds: false, fault: cause.message })
        else io.err(`PROOF_FAILS: ${cause.message}\n`)
        io.exit(exitCodes.no)
      }
    })
}

interface Found {
  readonly says: string
  readonly facts: Record<string, unknown>
}

function ofThing(text: string, keys: { log: VerifierKey[]; witnesses: VerifierKey[] }, flags: CheckFlags): Found {
  const der = flags.certificate === undefined ? undefined : certificateIn(flags.certificate)
  const proven = checkBoundProof(text, keys, der)
  // An entry of another kind may hold the same hash: only this one says that the certificate was issued.
  if (der !== undefined && proven.act.act !== 'issue')
    throw new NotAProof('the entry of the proof does not say that it was issued')
  const { act, position, checkpoint, cosignatures } = proven
  const what =
    der === undefined ? `the entry ‘${act.act}’` : `the certificate ${toHexUpper(readCertificate(der).serial)}`
  return {
    says:
      `${what} is in the journal ${checkpoint.origin}\n` +
      `  entry ${position} of ${checkpoint.size}, of ${act.at.toISOString()}: ${act.act} ${JSON.stringify(act.body)}\n` +
      cosignatures.map(one => `  seen by the witness ${one.key.name} at ${one.at.toISOString()}\n`).join(''),
    facts: factsOf(proven),
  }
}

function factsOf({ act, position, checkpoint, cosignatures }: Proven): Record<string, unknown> {
  return {
    origin: checkpoint.origin,
    size: checkpoint.size,
    position,
    act: act.act,
    at: act.at,
    body: act.body,
    witnesses: cosignatures.map(one => ({ name: one.key.name, at: one.at })),
  }
}

function ofGrowth(text: string, keys: VerifierKey[], since: string): Found {
  const before = openCheckpoint(readFileSync(since, 'utf8'), keys)
  const { old, proof, note } = readSubmission(text)
  const now = openCheckpoint(note, keys)
  const claim = { from: before.size, to: now.size, fromRoot: before.root, toRoot: now.root, proof }
  if (old !== before.size || now.origin !== before.origin || !verifyConsistency(claim))
    throw new NotAProof(
      `the proof does not show that size ${now.size} continues the checkpoint of size ${before.size}`,
    )
  return {
    says: `the journal ${now.origin} of ${now.size} entries continues that of ${before.size}: nothing before was changed\n`,
    facts: { origin: now.origin, size: now.size, since: before.size },
  }
}

/** @throws NotAProof when fewer of the named witnesses signed than must */
function requireQuorum(text: string, witnesses: readonly VerifierKey[], quorum: number): void {
  if (quorum === 0) return
  const signed = cosignaturesOf(text.slice(text.indexOf('\n\n') + 2), witnesses)
  if (signed.length < quorum)
    throw new NotAProof(
      `${signed.length} of the ${witnesses.length} witnesses named signed the checkpoint, and ${quorum} must`,
    )
}
