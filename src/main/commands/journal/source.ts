/** What the commands of the journal read: a log at a folder or an address, keys, kept checkpoints. */

import { existsSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type Checkpoint, openCheckpoint } from '../../../ground/journal/checkpoint.ts'
import { parseWitnessKey } from '../../../ground/journal/cosignature.ts'
import { checkpointIn, folderFiles, type LogFiles } from '../../../ground/journal/files.ts'
import { BadNote, parseVerifierKey, type VerifierKey } from '../../../ground/journal/note.ts'
import { type RemoteOptions, remoteFiles } from '../../../ground/journal/remote.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { readPemOrDer } from '../../../ground/x509/pem.ts'
import { homeOf } from '../context.ts'

/** Flags that say which log, and by which key it is believed. */
export interface SourceFlags {
  readonly from?: string
  readonly key?: string
  readonly ca?: string
}

export const isAddress = (where: string): boolean => /^https?:\/\//i.test(where)

/** A folder that was exported to, or the address of a log. @throws Refusal NOT_AN_ADDRESS */
export function filesAt(where: string, ca?: string): LogFiles {
  return isAddress(where) ? remoteFiles(addressOf(where), remoteOptions(ca)) : folderFiles(where)
}

/** @throws Refusal NOT_AN_ADDRESS */
export function addressOf(text: string): string {
  if (isAddress(text) && URL.canParse(text)) return text
  throw new Refusal('NOT_AN_ADDRESS', `${text} is not an address: it begins with https:// or http://`)
}

export function remoteOptions(ca: string | undefined): RemoteOptions {
  return ca === undefined ? {} : { ca: readFileSync(ca, 'utf8') }
}

/** The log's checkpoint. @throws Refusal NOT_A_LOG when there is none */
export async function checkpointOf(files: LogFiles, where: string): Promise<string> {
  const note = await checkpointIn(files)
  if (note !== undefined) return note
  throw new Refusal('NOT_A_LOG', `there is no checkpoint in ${where}: is it a log's folder or address?`)
}

/** The log's keys, of a file with one on each line; by default the environment's. @throws Refusal KEY_NEEDED, NOT_A_KEY */
export function logKeys(command: Command, file: string | undefined): VerifierKey[] {
  const path = file ?? homeOf(command).journalKey
  if (file === undefined && !existsSync(path))
    throw new Refusal(
      'KEY_NEEDED',
      'there is no environment here: name the file of the log’s verifier key with --key',
    )
  return keysIn(path, parseVerifierKey, 'a log')
}

/** Keys of witnesses, of files with one on each line. @throws Refusal NOT_A_KEY */
export function witnessKeys(files: readonly string[]): VerifierKey[] {
  return files.flatMap(file => keysIn(file, parseWitnessKey, 'a witness'))
}

function keysIn(path: string, parse: (text: string) => VerifierKey, whose: string): VerifierKey[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
  try {
    if (lines.length === 0) throw new RangeError('the file is empty')
    return lines.map(line => parse(line))
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new Refusal('NOT_A_KEY', `${path} does not hold the verifier key of ${whose}: ${cause.message}`, {
      cause,
    })
  }
}

/** For a flag that may be given several times. */
export const several = (value: string, before: readonly string[] = []): string[] => [...before, value]

/** `1 entry`, `19 entries` */
export function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`
}

/** A certificate of a file, PEM or DER. @throws Refusal CERTIFICATE_UNKNOWN when there is none in it */
export function certificateIn(path: string): Buffer {
  const [der] = readPemOrDer(readFileSync(path), ['CERTIFICATE'])
  if (!der) throw new Refusal('CERTIFICATE_UNKNOWN', `${path} holds no certificate`)
  return der
}

/** What a checkpoint says. @throws Refusal CHECKPOINT_FORGED unless one of the keys signed it */
export function trusted(note: string, keys: readonly VerifierKey[]): Checkpoint {
  try {
    return openCheckpoint(note, keys)
  } catch (cause) {
    throw notTrusted(cause)
  }
}

/** A checkpoint that the key did not sign is an answer; everything else stays what it is. */
export function notTrusted(cause: unknown): unknown {
  if (!(cause instanceof BadNote)) return cause
  return new Refusal('CHECKPOINT_FORGED', `the checkpoint is not one that the log’s key signed: ${cause.message}`, {
    cause,
  })
}
