/** Signed notes: a text and Ed25519 signatures under it (C2SP signed-note, golang.org/x/mod/sumdb/note). */

import { createPublicKey, hash, verify } from 'node:crypto'
import { type Bytes, equal, fromHex, toHex, view } from '../bytes.ts'

/** Whose signature is trusted: told apart by name and key ID together. */
export interface VerifierKey {
  readonly name: string
  /** 4 octets. */
  readonly keyId: Bytes
  /** 32 octets (RFC 8032 5.1.5). */
  readonly publicKey: Bytes
}

/** Who signs. `sign` gives the 64 octets of Ed25519 over what it is handed. */
export interface NoteSigner {
  readonly name: string
  readonly publicKey: Bytes
  readonly sign: (octets: Bytes) => Bytes | Promise<Bytes>
}

/** Not a note, or not one that a trusted key signed. */
export class BadNote extends Error {
  override readonly name = 'BadNote'
}

// The type of an Ed25519 signature over the text itself (signed-note, Signature types).
const ed25519 = 0x01

/** What stands before the 32 octets in an Ed25519 SubjectPublicKeyInfo (RFC 8410 4). */
const spkiHeader = fromHex('302a300506032b6570032100')

// A note that an enemy handed us costs at most this to refuse; 16 signatures must be taken (signed-note, Format).
const longestNote = 1_000_000
const mostSignatures = 100

/**
 * @param type of the signatures: 01 for those over the text itself, 04 for cosignatures (cosignature.ts)
 * @throws RangeError for a name that is empty or has a space, a plus sign or a control character, or a wrong length
 */
export function verifierKey(name: string, publicKey: Bytes, type = ed25519): VerifierKey {
  if (!isKeyName(name)) throw new RangeError(`${JSON.stringify(name)} cannot be the name of a key`)
  if (publicKey.length !== 32) throw new RangeError(`an Ed25519 public key has 32 octets, not ${publicKey.length}`)
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([type]), publicKey])
  return { name, keyId: hash('sha256', named, 'buffer').subarray(0, 4), publicKey }
}

/** `name+hex(key ID)+base64(01 ‖ public key)`: the form in which a log's key is handed to those who check it. */
export function verifierKeyText({ name, keyId, publicKey }: VerifierKey, type = ed25519): string {
  return `${name}+${toHex(keyId)}+${Buffer.concat([Buffer.from([type]), publicKey]).toString('base64')}`
}

/** @throws RangeError unless the text is a verifier key, to the letter, whose key ID is that of its name and key */
export function parseVerifierKey(text: string, type = ed25519): VerifierKey {
  const [, name, , encoded] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? []
  const octets = fromBase64(encoded ?? '')
  if (name === undefined || octets?.[0] !== type)
    throw new RangeError(`not an Ed25519 verifier key of type 0${type}`)
  const key = verifierKey(name, octets.subarray(1), type)
  if (verifierKeyText(key, type) !== text) throw new RangeError('the key ID is not that of this name and key')
  return key
}

/**
 * The note of a text that ends in a newline. The signature is checked before the note leaves (lessons, row 13).
 * @throws RangeError for a text that no note can hold; Error when the signature is not of the signer's public key
 */
export async function signNote(text: string, signer: NoteSigner): Promise<string> {
  if (!isNoteText(text) || !text.endsWith('\n'))
    throw new RangeError('a note is whole lines without control characters')
  const key = verifierKey(signer.name, signer.publicKey)
  const signature = await signer.sign(Buffer.from(text))
  if (!signs(key, text, signature)) throw new Error(`what signs for ${key.name} does not hold the key of that name`)
  return `${text}\n— ${key.name} ${Buffer.concat([key.keyId, signature]).toString('base64')}\n`
}

/**
 * The text of a note that at least one of `keys` signed, and which of them did. Signatures of other keys are passed
 * over; a wrong one of a known key condemns the note.
 * @throws BadNote
 */
export function openNote(note: string, keys: readonly VerifierKey[]): { text: string; signedBy: VerifierKey[] } {
  const { text, signatures } = readNote(note)
  const signedBy: VerifierKey[] = []
  for (const { name, keyId, signature } of signatures) {
    const key = keys.find(known => known.name === name && equal(known.keyId, keyId))
    if (key === undefined) continue
    if (!signs(key, text, signature)) throw new BadNote(`the signature of ${name}+${toHex(keyId)} is wrong`)
    if (!signedBy.includes(key)) signedBy.push(key)
  }
  if (signedBy.length === 0) throw new BadNote('no trusted key signed the note')
  return { text, signedBy }
}

export interface NoteSignature {
  readonly name: string
  readonly keyId: Bytes
  /** What follows the key ID: what it means depends on the type of the key. */
  readonly signature: Bytes
}

/** The parts of a note, of which nothing is believed yet. @throws BadNote */
export function readNote(note: string): { text: string; signatures: NoteSignature[] } {
  const end = note.lastIndexOf('\n\n')
  if (note.length > longestNote || !isNoteText(note) || !note.endsWith('\n') || end < 0) throw malformed()
  const text = note.slice(0, end + 1)
  const lines = note.slice(end + 2, -1).split('\n')
  if (text === '\n' || lines.length > mostSignatures) throw malformed()
  return { text, signatures: lines.map(parseSignature) }
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = /^— (\S+) (\S+)$/u.exec(line) ?? []
  const octets = fromBase64(encoded ?? '')
  if (name === undefined || !isKeyName(name) || octets === undefined || octets.length <= 4) throw malformed()
  return { name, keyId: octets.subarray(0, 4), signature: octets.subarray(4) }
}

/** Whether these are the 64 octets of Ed25519 that the key makes of a text. */
export function signs(key: VerifierKey, text: string, signature: Bytes): boolean {
  const spki = Buffer.concat([spkiHeader, key.publicKey])
  return verify(
    null,
    Buffer.from(text),
    createPublicKey({ key: spki, format: 'der', type: 'spki' }),
    view(signature),
  )
}

function isKeyName(name: string): boolean {
  return isNoteText(name) && /^[^\s\u0085+]+$/u.test(name)
}

function isNoteText(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a note must not hold
  return text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text)
}

/** Standard base64 with its padding (RFC 4648 4), or nothing: Node's decoder would pass over what it does not know. */
export function fromBase64(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64')
  return text !== '' && octets.toString('base64') === text ? octets : undefined
}

function malformed(): BadNote {
  return new BadNote('not a signed note')
}
