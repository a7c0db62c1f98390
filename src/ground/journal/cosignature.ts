/** Cosignatures: a witness says which tree it saw, and when (C2SP tlog-cosignature, the Ed25519 form). */

import { type Bytes, equal, toHex, view } from '../bytes.ts'
import {
  BadNote,
  type NoteSigner,
  parseVerifierKey,
  readNote,
  signs,
  type VerifierKey,
  verifierKey,
  verifierKeyText,
} from './note.ts'

/** Key and signature type of an Ed25519 cosignature: its key ID differs from that of the same key signing a note. */
const cosignatureType = 0x04

/** Seconds since 1970 in 64 bits, then 64 octets of Ed25519. */
const payloadLength = 8 + 64

export interface Cosignature {
  readonly key: VerifierKey
  /** When the witness had seen no larger tree of this log; whole seconds. */
  readonly at: Date
  /** The signature line, its line feed included. */
  readonly line: string
}

/** @throws RangeError as `verifierKey` */
export function witnessKey(name: string, publicKey: Bytes): VerifierKey {
  return verifierKey(name, publicKey, cosignatureType)
}

/** `name+hex(key ID)+base64(04 ‖ public key)` */
export function witnessKeyText(key: VerifierKey): string {
  return verifierKeyText(key, cosignatureType)
}

/** @throws RangeError unless the text is the key of a witness, to the letter */
export function parseWitnessKey(text: string): VerifierKey {
  return parseVerifierKey(text, cosignatureType)
}

/**
 * The signature line of a witness under a checkpoint. `text` is the checkpoint's, its last line feed included.
 * @throws Error when the signature is not of the signer's public key: it is checked before it leaves
 */
export async function cosign(text: string, at: Date, signer: NoteSigner): Promise<string> {
  const key = witnessKey(signer.name, signer.publicKey)
  const seconds = Math.floor(at.getTime() / 1000)
  const signature = await signer.sign(Buffer.from(message(text, BigInt(seconds))))
  if (!signs(key, message(text, BigInt(seconds)), signature))
    throw new Error(`what signs for ${key.name} does not hold the key of that name`)
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(seconds))
  return lineOf(key, Buffer.concat([time, signature]))
}

/**
 * The cosignatures of known witnesses under a checkpoint. Lines of others are passed over; a wrong one of a known
 * witness condemns the note. @throws BadNote
 */
export function cosignaturesOf(note: string, witnesses: readonly VerifierKey[]): Cosignature[] {
  const { text, signatures } = readNote(note)
  const found: Cosignature[] = []
  for (const { name, keyId, signature } of signatures) {
    const key = witnesses.find(known => known.name === name && equal(known.keyId, keyId))
    if (key === undefined) continue
    const wrong = new BadNote(`the cosignature of ${name}+${toHex(keyId)} is wrong`)
    if (signature.length !== payloadLength) throw wrong
    const seconds = view(signature).readBigUInt64BE()
    const at = new Date(Number(seconds) * 1000)
    if (Number.isNaN(at.getTime()) || !signs(key, message(text, seconds), signature.subarray(8))) throw wrong
    if (!found.some(other => other.key === key)) found.push({ key, at, line: lineOf(key, signature) })
  }
  return found
}

function message(text: string, seconds: bigint): string {
  return `cosignature/v1\ntime ${seconds}\n${text}`
}

function lineOf(key: VerifierKey, payload: Bytes): string {
  return `— ${key.name} ${Buffer.concat([key.keyId, payload]).toString('base64')}\n`
}
