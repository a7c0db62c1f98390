/**
 * The way to real Devices, by files: whoever carries messages to the network (the DSP) picks up signed files of commands
 * from `out`, and hands back signed files of responses in `in`. Nothing is deleted here, and nothing is waited for.
 */

import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bytes, fromHex } from '../ground/bytes.ts'
import { type DetachedSignature, verifyDetached } from '../ground/cms.ts'
import { NotDer } from '../ground/der/read.ts'
import { readKeyPair } from '../ground/keystore/pair.ts'
import { Refusal } from '../ground/refusal.ts'
import {
  commandFile,
  filesAfter,
  type OutgoingFile,
  receiveFile,
  recordedFiles,
  type SignFile,
} from '../rooms/recovery/exchange.ts'
import { fileNameOf, type RecoveryFile, readFile, signFile } from '../rooms/recovery/files.ts'
import { noteRefused, type RecoveryHands } from '../rooms/recovery/hands.ts'
import { no } from '../rooms/recovery/refusals.ts'
import type { Carrier } from '../rooms/recovery/send.ts'
import { credentialOf, operatorName, parties } from '../rooms/registration/parties.ts'
import { privateFolder } from './home.ts'
import { certificateIn, requireOurs } from './recovery-officer.ts'

/** Signs files by a FILE_SIGN credential: `STEM.crt.pem` and `STEM.key.pem`. */
export function fileSigner({ clock }: Pick<RecoveryHands, 'clock'>, stem: string): SignFile {
  const certificate = certificateIn(`${stem}.crt.pem`)
  const pair = readKeyPair(readFileSync(`${stem}.key.pem`))
  return octets => signFile(octets, { certificate, sign: of => pair.sign(of), at: clock() })
}

/** Puts a file and its signature there: whoever sees the file finds its signature beside it, and each of them whole. */
export function putFile(folder: string, { name, octets, signature }: OutgoingFile): void {
  const put = (as: string, content: Uint8Array) => {
    const draft = join(folder, `.${as}.new`)
    writeFileSync(draft, content, { mode: 0o600 })
    renameSync(draft, join(folder, as))
  }
  if (signature) put(`${name}.p7s`, signature)
  put(name, octets)
}

export interface FileExchange {
  readonly hands: RecoveryHands
  readonly event: string
  /** With the folders `out` and `in`. */
  readonly folder: string
  /** Stands in the header of our files. */
  readonly sender: string
  readonly sign: SignFile
}

/** A carrier by files. What we had on record and not yet put there is put there now. */
export async function fileCarrier({ hands, event, folder, sender, sign }: FileExchange): Promise<Carrier> {
  const [out, into] = [privateFolder(join(folder, 'out')), privateFolder(join(folder, 'in'))]
  for (const file of await filesAfter(hands.store, event, { fileType: 'RecoveryCommands', sender, sequence: 0 }))
    if (!existsSync(join(out, file.name))) putFile(out, file)

  let next = 1 + (await lastReceived(hands, event))
  /** Read, and not yet on record: recorded when they are asked for again, for then their messages were taken. */
  let taken: { file: RecoveryFile<'RecoveryResponses'>; octets: Buffer; signature: Buffer }[] = []
  const refused = new Set<string>()

  return {
    async send(messages) {
      putFile(out, await commandFile(hands, event, sender, messages, sign))
    },
    async received() {
      for (const { file, octets, signature } of taken) {
        await receiveFile(hands, event, file, octets, signature)
        next = file.sequence + 1
      }
      taken = []
      for (let sequence = next; ; sequence++) {
        const name = fileNameOf('RecoveryResponses', event, sequence)
        // The signature comes first, so that a file without one is one that is not for us to wait for.
        if (!readdirSync(into).includes(name) || !existsSync(join(into, `${name}.p7s`))) break
        const [octets, signature] = [readFileSync(join(into, name)), readFileSync(join(into, `${name}.p7s`))]
        try {
          await requireCarriers(hands, octets, signature)
          const file = readFile(octets, 'RecoveryResponses')
          if (file.sequence !== sequence) throw no('FILE_SEQUENCE', `${sequence} is due, not ${file.sequence}`)
          taken.push({ file, octets, signature })
        } catch (cause) {
          if (!(cause instanceof Refusal)) throw cause
          // Once for each, and nothing after it is read: a good one may come under the same name.
          const known = `${name} ${cause.code} ${octets.length}`
          if (!refused.has(known)) await noteRefused(hands, 'receive recovery file', cause, { event, file: name })
          refused.add(known)
          break
        }
      }
      return taken.flatMap(({ file }) => file.records.map(one => messageIn(one.message)))
    },
  }
}

async function lastReceived({ store }: RecoveryHands, event: string): Promise<number> {
  const all = await recordedFiles(store, event)
  return Math.max(0, ...all.filter(one => one.fileType === 'RecoveryResponses').map(one => one.sequence))
}

/** What is no message is none that was asked for: the room says so. */
const messageIn = (text: string): Bytes => (/^([0-9a-f]{2})+$/.test(text) ? fromHex(text) : new Uint8Array(1))

/**
 * That a file is signed by a FILE_SIGN credential in use of the organisation that provides SMKI Services, whose network
 * the Devices are reached by. @throws Refusal FILE_SIGNATURE
 */
async function requireCarriers(hands: RecoveryHands, octets: Bytes, signature: Bytes): Promise<void> {
  const { certificate } = verified(octets, signature)
  await requireOurs(hands.store, certificate).catch(() => {
    throw no('FILE_SIGNATURE', 'by a certificate of another PKI')
  })
  const found = await credentialOf(hands.store, certificate.issuer.der, certificate.serial)
  const operator = await operatorName(hands.store)
  const party = (await parties(hands.store)).find(one => one.id === found?.party)
  const isGood = found?.kind === 'FILE_SIGN' && found.state === 'active' && party?.name === operator
  if (!isGood || hands.clock().getTime() > certificate.notAfter.ms)
    throw no('FILE_SIGNATURE', 'by a credential that does not sign for the DCC')
}

function verified(octets: Bytes, signature: Bytes): DetachedSignature {
  try {
    return verifyDetached(signature, octets)
  } catch (cause) {
    if (cause instanceof NotDer || cause instanceof Refusal) throw no('FILE_SIGNATURE')
    throw cause
  }
}
