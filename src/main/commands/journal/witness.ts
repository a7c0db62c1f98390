/** `smki journal witness`: a witness for logs of others, which signs only what continues what it signed before. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { submissionOctets, witnessDoor } from '../../../doors/journal/witness.ts'
import type { Bytes } from '../../../ground/bytes.ts'
import { listen, plainListener } from '../../../ground/http/listen.ts'
import { parseWitnessKey, witnessKey, witnessKeyText } from '../../../ground/journal/cosignature.ts'
import { keptIn, writeWhole } from '../../../ground/journal/kept.ts'
import type { VerifierKey } from '../../../ground/journal/note.ts'
import { witness } from '../../../ground/journal/witness.ts'
import { createSoftwareKeyStore, openSoftwareKeyStore } from '../../../ground/keystore/software.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { takeLock } from '../../../ground/store/lock.ts'
import { privateFolder } from '../../home.ts'
import { newPassphrase, passphraseOf } from '../../passphrases.ts'
import { systemChance } from '../../world.ts'
import { type Io, wholeNumber } from '../context.ts'
import { logKeys, several } from './source.ts'

interface Flags {
  readonly name?: string
  readonly log: readonly string[]
  readonly port: number
  readonly host: string
  readonly passphraseFile?: string
}

const label = 'witness'

export function addWitness(journal: Command, io: Io): void {
  journal
    .command('witness')
    .description('run a witness: POST /add-checkpoint; its key is made on the first start')
    .argument('<folder>', 'where its key and its memory lie')
    .requiredOption('--log <file>', 'verifier key of a log that it knows; may be given several times', several)
    .option('--name <name>', 'what the witness is called, on its first start: witness.example/w1')
    .option('--host <address>', 'where it listens; TLS is for a proxy before it', '127.0.0.1')
    .option('--port <n>', 'where it listens', wholeNumber, 8448)
    .option('--passphrase-file <file>', 'passphrase of its key store, readable by you alone')
    .action(async (folder: string, flags: Flags, command: Command) => {
      const logs = flags.log.flatMap(file => logKeys(command, file))
      if (!existsSync(keyFile(folder))) requireName(flags.name)
      mkdirSync(folder, { recursive: true })
      // Two that do not know of each other would sign two trees of one size.
      const lock = await takeLock(folder).catch(inUse)
      try {
        await run(io, folder, flags, logs)
      } finally {
        await lock.release()
      }
    })
}

async function run(io: Io, folder: string, flags: Flags, logs: readonly VerifierKey[]): Promise<void> {
  const keys = await keysOf(folder, flags)
  const app = plainListener(limits)
  try {
    const key = parseWitnessKey(readFileSync(keyFile(folder), 'utf8').trim())
    const signer = { ...key, sign: (octets: Bytes) => keys.sign(label, octets) }
    const asked = witness({ logs, memory: keptIn(join(folder, 'seen')), signer, clock: io.clock })
    const failed = (fault: Error) => io.err(`a fault of ours: ${fault.message}\n`)
    witnessDoor(
      app,
      asked,
      ({ status, origin, says }, submission) => {
        if (status === 200) return
        io.err(`${status}${origin === undefined ? '' : ` ${origin}`}: ${says}\n`)
        if (says?.startsWith('FORK')) keepFork(folder, io.clock(), submission).catch(failed)
      },
      failed,
    )
    const port = await listen(app, flags.host, flags.port)
    io.out(`The witness answers on http://${flags.host}:${port}/add-checkpoint\n`)
    io.out(`Its key, for those who trust it: ${witnessKeyText(key)}\n`)
    io.out(`It knows: ${logs.map(log => log.name).join(', ')}\n`)
    await stopped()
  } finally {
    await app.close()
    keys.close()
  }
}

const limits = {
  idleSeconds: 60,
  headSeconds: 15,
  requestSeconds: 15,
  bodyOctets: submissionOctets,
  connections: 100,
  tls13: true,
}

const keyFile = (folder: string): string => join(folder, 'witness.vkey')

async function keysOf(folder: string, { name, passphraseFile }: Flags) {
  const path = join(privateFolder(join(folder, 'secret')), 'keys')
  if (existsSync(keyFile(folder))) {
    const passphrase = await passphraseOf('witness', passphraseFile, join(folder, 'secret', 'passphrase'))
    return openSoftwareKeyStore({ path, passphrase, chance: systemChance })
  }
  if (existsSync(path))
    throw new Refusal(
      'WITNESS_HALF_MADE',
      `${path} was made and ${keyFile(folder)} was not: remove both and start again`,
    )
  const passphrase = await newPassphrase('witness', passphraseFile)
  const keys = createSoftwareKeyStore({ path, name: 'witness', passphrase, chance: systemChance })
  const publicKey = keys.generate(label, 'Ed25519').subarray(-32)
  // Written last: with it, the witness exists.
  writeFileSync(keyFile(folder), `${witnessKeyText(witnessKey(name!, publicKey))}\n`)
  return keys
}

/** Before a key is made for it. */
function requireName(name: string | undefined): void {
  if (name === undefined) throw new Refusal('NAME_NEEDED', 'a new witness needs a name: --name witness.example/w1')
  try {
    witnessKey(name, new Uint8Array(32))
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new Refusal('NAME_NEEDED', `${cause.message}: no spaces, no plus sign`, { cause })
  }
}

async function keepFork(folder: string, now: Date, submission: string): Promise<void> {
  await writeWhole(join(folder, `fork-${now.toISOString().replace(/[:.]/g, '-')}.txt`), submission)
}

function stopped(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}

function inUse(cause: unknown): never {
  if (!(cause instanceof Refusal) || cause.code !== 'STORE_IN_USE') throw cause
  throw new Refusal(
    'WITNESS_RUNS',
    'another process is this witness already: two would forget what the other signed',
    { cause },
  )
}
