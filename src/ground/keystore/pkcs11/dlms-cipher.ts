/** The AES of DLMS security suite 0 in a module: the GUEK, the DK and the MK are objects in it, the AK is lent to it. */

import { timingSafeEqual } from 'node:crypto'
import pkcs11js from 'pkcs11js'
import type { Bytes } from '../../bytes.ts'
import { view } from '../../bytes.ts'
import { spend, type TakenCounter } from '../../dlms/counter.ts'
import { refusal } from '../../dlms/refusals.ts'
import { Refusal } from '../../refusal.ts'
import { type CipherKey, type DlmsCipher, Opened, type Text, type TransferKey } from '../dlms-cipher.ts'
import { createObject, type Lend, ModuleKey, type Source } from './device-key.ts'
import { keyWrap } from './lend.ts'
import type { Handle } from './library.ts'
import { Lost, type Session, type Sessions } from './sessions.ts'

/**
 * Only encryption is asked of the module, both ways: GCM is a stream cipher, and a tag is checked by making it anew and
 * comparing. A module's answer to a wrong tag is no error of its own (smets1-keys.md section 8), and might as well mean
 * that the module is in trouble.
 */
export class ModuleCipher implements DlmsCipher {
  readonly identity: string
  readonly #sessions: Sessions
  readonly #lend: Lend

  constructor(identity: string, sessions: Sessions, lend: Lend) {
    this.identity = identity
    this.#sessions = sessions
    this.#lend = lend
  }

  seal(key: CipherKey, ak: Opened<'AK'>, counter: TakenCounter, control: number, text: Text): Buffer {
    const iv = spend(counter, key)
    return this.#with(key, (session, object) =>
      this.#associated(session, ak, control, nothing, aad =>
        this.#plain(session, text, plain => gcm(session, object, iv, aad, plain)),
      ),
    )
  }

  authenticate(key: CipherKey, ak: Opened<'AK'>, counter: TakenCounter, control: number, clear: Bytes): Buffer {
    return this.#tag(key, ak, spend(counter, key), control, clear)
  }

  encipher(key: CipherKey, counter: TakenCounter, text: Text): Buffer {
    const iv = spend(counter, key)
    return this.#with(key, (session, object) =>
      this.#plain(session, text, plain => gcm(session, object, iv, nothing, plain).subarray(0, plain.length)),
    )
  }

  open(key: CipherKey, ak: Opened<'AK'>, iv: Bytes, control: number, sealed: Bytes): Buffer {
    const end = sealed.length - tagLength
    if (end < 0) throw refusal('DLMS_TAG')
    const text = this.#with(key, (session, object) =>
      this.#associated(session, ak, control, nothing, aad => {
        const text = gcm(session, object, iv, nothing, sealed.subarray(0, end)).subarray(0, end)
        const again = gcm(session, object, iv, aad, text)
        if (timingSafeEqual(again.subarray(end), sealed.subarray(end))) return text
        // What was deciphered and is not verified is nobody's to see.
        text.fill(0)
        return undefined
      }),
    )
    if (!text) throw refusal('DLMS_TAG')
    return text
  }

  verify(key: CipherKey, ak: Opened<'AK'>, iv: Bytes, control: number, clear: Bytes, tag: Bytes): void {
    if (tag.length !== tagLength || !timingSafeEqual(this.#tag(key, ak, iv, control, clear), tag)) {
      throw refusal('DLMS_TAG')
    }
  }

  decipher(key: CipherKey, iv: Bytes, ciphertext: Bytes): Buffer {
    return this.#with(key, (session, object) =>
      gcm(session, object, iv, nothing, ciphertext).subarray(0, ciphertext.length),
    )
  }

  wrap(mk: Opened<'MK'>, key: TransferKey): Buffer {
    const source = ModuleKey.sourceOf(key, this.#sessions, 'MK', 'AK', 'GUEK', 'GBEK')
    return this.#sessions.use(session => {
      const wrapping = ModuleKey.objectOf(mk, session, this.#sessions, 'wraps', this.#lend)
      const wrapped = this.#lend(session, source, octets => createObject(session, octets, 'wrapped'))
      try {
        return Buffer.from(
          session.pkcs11.C_WrapKey(session.handle, keyWrap, wrapping, wrapped, Buffer.alloc(wrappedLength)),
        )
      } finally {
        session.pkcs11.C_DestroyObject(session.handle, wrapped)
      }
    })
  }

  unwrap<T extends TransferKey['type']>(mk: Opened<'MK'>, wrapped: Bytes, type: T, id: string): Opened<T> {
    if (wrapped.length !== wrappedLength) throw refusal('DLMS_WRAP')
    const source: Source = { mk: ModuleKey.sourceOf(mk, this.#sessions, 'MK'), wrapped: Uint8Array.from(wrapped) }
    try {
      this.#sessions.use(session => this.#lend(session, source, () => undefined))
    } catch (cause) {
      if (cause instanceof Refusal && cause.code === 'WRAP_REFUSED')
        throw refusal('DLMS_WRAP', undefined, { cause })
      throw cause
    }
    return new ModuleKey(type, id, this.#sessions, source)
  }

  #tag(key: CipherKey, ak: Opened<'AK'>, iv: Bytes, control: number, clear: Bytes): Buffer {
    return this.#with(key, (session, object) =>
      this.#associated(session, ak, control, clear, aad => gcm(session, object, iv, aad, nothing)),
    )
  }

  #with<T>(key: CipherKey, work: (session: Session, object: Handle) => T): T {
    return this.#sessions.use(session =>
      work(session, ModuleKey.objectOf(key, session, this.#sessions, 'cipher', this.#lend)),
    )
  }

  /** SC ‖ AK ‖ clear: GCM takes it as octets, so that the AK is in memory for this call (smets1-keys.md section 8). */
  #associated<T>(session: Session, ak: Opened<'AK'>, control: number, clear: Bytes, use: (aad: Buffer) => T): T {
    const source = ModuleKey.sourceOf(ak, this.#sessions, 'AK')
    const aad = Buffer.alloc(17 + clear.length)
    try {
      aad[0] = control
      this.#lend(session, source, octets => octets.copy(aad, 1))
      aad.set(clear, 17)
      return use(aad)
    } finally {
      aad.fill(0)
    }
  }

  /** A plain APDU in one buffer; one that carries a Dedicated Key is zeroed after use. */
  #plain<T>(session: Session, text: Text, use: (plain: Bytes) => T): T {
    if (text instanceof Uint8Array) return use(text)
    const length = text.reduce((sum, part) => sum + (Opened.is(part) ? 16 : part.length), 0)
    const plain = Buffer.alloc(length)
    try {
      let at = 0
      for (const part of text) {
        if (Opened.is(part)) {
          const source = ModuleKey.sourceOf(part, this.#sessions, 'DK')
          at += this.#lend(session, source, octets => octets.copy(plain, at))
        } else {
          plain.set(part, at)
          at += part.length
        }
      }
      return use(plain)
    } finally {
      plain.fill(0)
    }
  }
}

const tagLength = 12
const wrappedLength = 24
const nothing = Buffer.alloc(0)

/** @returns ciphertext, then the tag. */
function gcm({ pkcs11, handle }: Session, key: Handle, iv: Bytes, aad: Buffer, text: Bytes): Buffer {
  const parameter = { type: pkcs11js.CK_PARAMS_AES_GCM, iv: Buffer.from(iv), ivBits: 96, aad, tagBits: 96 }
  pkcs11.C_EncryptInit(handle, { mechanism: pkcs11js.CKM_AES_GCM, parameter }, key)
  const out = Buffer.alloc(text.length + tagLength)
  // Of an empty text, SoftHSM2 fails the whole and leaves the operation open (smets1-keys.md section 8).
  const made = text.length === 0 ? pkcs11.C_EncryptFinal(handle, out) : pkcs11.C_Encrypt(handle, view(text), out)
  if (made.length !== out.length) throw new Lost('the module gave a text of another length')
  return made
}
