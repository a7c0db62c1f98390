/** The AES of DLMS security suite 0, over Device keys that were opened for a moment (dlms.md sections 1, 4, 5). */

import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { view } from '../bytes.ts'
import { spend, type TakenCounter } from '../dlms/counter.ts'
import { refusal } from '../dlms/refusals.ts'

/** Master Key, Authentication Key, Global Unicast and Global Broadcast Encryption Key, Dedicated Key: AES-128 each. */
export type KeyType = 'MK' | 'AK' | 'GUEK' | 'GBEK' | 'DK'

/**
 * A Device key that a key store opened: its octets here, or a handle in a module. What it is cannot be mistaken, since
 * each type is a type of its own. Only key stores extend this class.
 */
export abstract class Opened<T extends KeyType = KeyType> {
  readonly type: T
  /** Which key it is: record and generation. Counters are kept by it, so one key has one id, always. */
  readonly id: string
  /** Makes the type nominal: nothing that merely looks like a key is one. */
  readonly #nominal = true

  constructor(type: T, id: string) {
    this.type = type
    this.id = id
  }

  /** Zeroes the octets, or lets the handle go. Every later use is a fault. */
  abstract close(): void

  static is(value: unknown): value is Opened {
    return typeof value === 'object' && value !== null && #nominal in value && value.#nominal
  }
}

/** What an APDU is enciphered under. An AK or an MK never is one. */
export type CipherKey = Opened<'GUEK'> | Opened<'DK'>

/** What `key_transfer` can carry. A Dedicated Key never is wrapped. */
export type TransferKey = Opened<'MK'> | Opened<'AK'> | Opened<'GUEK'> | Opened<'GBEK'>

/** A plain APDU. A Dedicated Key stands in it as what it is, so that its octets need not leave the key store. */
export type Text = Bytes | readonly (Bytes | Opened<'DK'>)[]

/**
 * What every key store for Device keys does. Only here is the AK associated data. The sending half takes a counter and
 * spends it, also when it fails; `control` is the security control octet. For the DCO alone: whoever can call this
 * freely can command a Device (smets1-keys.md section 5).
 */
export interface DlmsCipher {
  /** Who did it: stands on the journal entry of each act. */
  readonly identity: string

  /** Authenticated and encrypted (30). @returns ciphertext, then the tag of 12 octets. */
  seal(key: CipherKey, ak: Opened<'AK'>, counter: TakenCounter, control: number, text: Text): Buffer

  /** Authenticated only (10), and f(challenge) of HLS. @returns the tag, 12 octets. */
  authenticate(key: CipherKey, ak: Opened<'AK'>, counter: TakenCounter, control: number, clear: Bytes): Buffer

  /** Encrypted only (20): can be altered by anybody. @returns the ciphertext. */
  encipher(key: CipherKey, counter: TakenCounter, text: Text): Buffer

  /**
   * Undoes `seal`. The tag is compared in constant time, and nothing is given out unless it is right.
   * @param iv 12 octets: the originator's title, the counter
   * @throws Refusal DLMS_TAG
   */
  open(key: CipherKey, ak: Opened<'AK'>, iv: Bytes, control: number, sealed: Bytes): Buffer

  /** Checks what `authenticate` made. @throws Refusal DLMS_TAG */
  verify(key: CipherKey, ak: Opened<'AK'>, iv: Bytes, control: number, clear: Bytes, tag: Bytes): void

  /** Undoes `encipher`; nothing is verified. */
  decipher(key: CipherKey, iv: Bytes, ciphertext: Bytes): Buffer

  /** RFC 3394, for the journey to the Device. @returns 24 octets. */
  wrap(mk: Opened<'MK'>, key: TransferKey): Buffer

  /** @throws Refusal DLMS_WRAP */
  unwrap<T extends TransferKey['type']>(mk: Opened<'MK'>, wrapped: Bytes, type: T, id: string): Opened<T>
}

/** A cipher over keys in the memory of this process. */
export interface SoftwareDlmsCipher extends DlmsCipher {
  /**
   * Takes a copy of a key's 16 octets; the caller's buffer stays the caller's to zero.
   * @throws RangeError for another length or an empty id
   */
  hold<T extends KeyType>(type: T, id: string, octets: Bytes): Opened<T>
}

export function softwareDlmsCipher(name = 'memory'): SoftwareDlmsCipher {
  return new SoftwareCipher(`software:dlms:${name}`)
}

const gcm = 'aes-128-gcm'
const keyWrap = 'id-aes128-wrap'
/** RFC 3394 section 2.2.3.1. */
const initialValue = Buffer.alloc(8, 0xa6)
const tagLength = 12
const withTag = { authTagLength: tagLength } as const
const nothing = Buffer.alloc(0)

class SoftwareCipher implements SoftwareDlmsCipher {
  readonly identity: string

  constructor(identity: string) {
    this.identity = identity
  }

  hold<T extends KeyType>(type: T, id: string, octets: Bytes): Opened<T> {
    return new SoftwareKey(type, id, octets)
  }

  seal(key: CipherKey, ak: Opened<'AK'>, counter: TakenCounter, control: number, text: Text): Buffer {
    const cipher = createCipheriv(gcm, cipherOctets(key), spend(counter, key), withTag)
    cipher.setAAD(associated(ak, control))
    const ciphertext = update(cipher, text)
    cipher.final()
    return Buffer.concat([ciphertext, cipher.getAuthTag()])
  }

  authenticate(key: CipherKey, ak: Opened<'AK'>, counter: TakenCounter, control: number, clear: Bytes): Buffer {
    const cipher = createCipheriv(gcm, cipherOctets(key), spend(counter, key), withTag)
    cipher.setAAD(associated(ak, control))
    cipher.setAAD(clear)
    cipher.final()
    return cipher.getAuthTag()
  }

  encipher(key: CipherKey, counter: TakenCounter, text: Text): Buffer {
    const cipher = createCipheriv(gcm, cipherOctets(key), spend(counter, key), withTag)
    return update(cipher, text)
  }

  open(key: CipherKey, ak: Opened<'AK'>, iv: Bytes, control: number, sealed: Bytes): Buffer {
    const end = sealed.length - tagLength
    if (end < 0) throw refusal('DLMS_TAG')
    const decipher = createDecipheriv(gcm, cipherOctets(key), iv, withTag)
    decipher.setAAD(associated(ak, control))
    decipher.setAuthTag(view(sealed).subarray(end))
    const text = decipher.update(sealed.subarray(0, end))
    finish(decipher, text)
    return text
  }

  verify(key: CipherKey, ak: Opened<'AK'>, iv: Bytes, control: number, clear: Bytes, tag: Bytes): void {
    // GCM itself would take a shorter tag, and with it a better guess.
    if (tag.length !== tagLength) throw refusal('DLMS_TAG')
    const decipher = createDecipheriv(gcm, cipherOctets(key), iv, withTag)
    decipher.setAAD(associated(ak, control))
    decipher.setAAD(clear)
    decipher.setAuthTag(tag)
    finish(decipher, nothing)
  }

  decipher(key: CipherKey, iv: Bytes, ciphertext: Bytes): Buffer {
    // Never finished: there is no tag.
    return createDecipheriv(gcm, cipherOctets(key), iv, withTag).update(ciphertext)
  }

  wrap(mk: Opened<'MK'>, key: TransferKey): Buffer {
    const cipher = createCipheriv(keyWrap, octetsOf(mk, 'MK'), initialValue)
    const wrapped = cipher.update(octetsOf(key, 'MK', 'AK', 'GUEK', 'GBEK'))
    return Buffer.concat([wrapped, cipher.final()])
  }

  unwrap<T extends TransferKey['type']>(mk: Opened<'MK'>, wrapped: Bytes, type: T, id: string): Opened<T> {
    if (wrapped.length !== 24) throw refusal('DLMS_WRAP')
    const decipher = createDecipheriv(keyWrap, octetsOf(mk, 'MK'), initialValue)
    let octets: Buffer
    try {
      octets = decipher.update(wrapped)
    } catch (cause) {
      throw refusal('DLMS_WRAP', undefined, { cause })
    }
    try {
      return this.hold(type, id, octets)
    } finally {
      octets.fill(0)
    }
  }
}

/** The octets stand in one buffer of their own, after an octet that is free: an AK has the control octet there. */
class SoftwareKey<T extends KeyType> extends Opened<T> {
  #buffer: Buffer | undefined

  constructor(type: T, id: string, octets: Bytes) {
    super(type, id)
    if (octets.length !== 16) throw new RangeError('a Device key is 16 octets')
    if (id === '') throw new RangeError('a Device key has an id')
    // Not from the runtime's pool, where many small buffers share one.
    this.#buffer = Buffer.alloc(17)
    this.#buffer.set(octets, 1)
  }

  close(): void {
    this.#buffer?.fill(0)
    this.#buffer = undefined
  }

  static buffer(key: Opened): Buffer {
    if (!(key instanceof SoftwareKey)) throw new TypeError('the key was opened by another key store')
    if (key.#buffer === undefined) throw new Error('the key was closed')
    return key.#buffer
  }
}

// The compiler holds the types; this holds them where a compiler was not asked.
function octetsOf(key: Opened, ...types: KeyType[]): Buffer {
  if (!types.includes(key.type)) throw new TypeError(`a key of type ${key.type} where ${types.join(' or ')} is due`)
  return SoftwareKey.buffer(key).subarray(1)
}

const cipherOctets = (key: CipherKey) => octetsOf(key, 'GUEK', 'DK')

/** SC ‖ AK: lent to the call that sets it as associated data, and to nothing else. */
function associated(ak: Opened<'AK'>, control: number): Buffer {
  if (ak.type !== 'AK') throw new TypeError(`a key of type ${ak.type} where AK is due`)
  const buffer = SoftwareKey.buffer(ak)
  buffer[0] = control
  return buffer
}

function update(cipher: ReturnType<typeof createCipheriv>, text: Text): Buffer {
  if (text instanceof Uint8Array) return cipher.update(text)
  return Buffer.concat(text.map(part => cipher.update(Opened.is(part) ? octetsOf(part, 'DK') : part)))
}

function finish(decipher: { final(): unknown }, text: Buffer): void {
  try {
    decipher.final()
  } catch (cause) {
    // What was deciphered and is not verified is nobody's to see.
    text.fill(0)
    throw refusal('DLMS_TAG', undefined, { cause })
  }
}
