/** A Device key that a module opened: what it is opened from, and its objects in the module for as long as they last. */

import pkcs11js from 'pkcs11js'
import type { Bytes } from '../../bytes.ts'
import { Refusal } from '../../refusal.ts'
import { type KeyType, Opened } from '../dlms-cipher.ts'
import type { Handle } from './library.ts'
import { guarded } from './objects.ts'
import type { Session, Sessions } from './sessions.ts'

/**
 * Where a Device key comes from. It is kept instead of octets: it opens again after sessions were lost, and is nothing
 * to anybody without the module.
 */
export type Source = PackagedSource | WrappedSource

export interface PackagedSource {
  /** Label of the HSM Key. */
  readonly hsmKey: string
  readonly packaged: Bytes
}

export interface WrappedSource {
  readonly mk: Source
  /** 24 octets. */
  readonly wrapped: Bytes
}

/** What an object of a key may do: encipher APDUs, wrap others, or be wrapped. Never two of them. */
export type Use = 'cipher' | 'wraps' | 'wrapped'

/** Lends a key's octets for a moment, in a buffer that is zeroed afterwards. */
export type Lend = <T>(session: Session, source: Source, use: (octets: Buffer) => T) => T

export class ModuleKey<T extends KeyType = KeyType> extends Opened<T> {
  readonly #sessions: Sessions
  readonly #source: Source
  readonly #objects = new Map<Use, { epoch: number; handle: Handle }>()
  #closed = false

  constructor(type: T, id: string, sessions: Sessions, source: Source) {
    super(type, id)
    if (id === '') throw new RangeError('a Device key has an id')
    this.#sessions = sessions
    this.#source = source
  }

  close(): void {
    this.#closed = true
    const left = [...this.#objects.values()].filter(({ epoch }) => epoch === this.#sessions.epoch)
    this.#objects.clear()
    if (left.length === 0 || this.#sessions.closed) return
    try {
      this.#sessions.use(({ pkcs11, handle, epoch }) => {
        for (const object of left) if (object.epoch === epoch) pkcs11.C_DestroyObject(handle, object.handle)
      })
    } catch (cause) {
      // A module that is away has lost its sessions, and with them these objects.
      if (!(cause instanceof Refusal && cause.code === 'MODULE_UNAVAILABLE')) throw cause
    }
  }

  /** @throws TypeError for a key of another type or module; Error when it was closed */
  static sourceOf(key: Opened, sessions: Sessions, ...types: readonly KeyType[]): Source {
    return ModuleKey.#own(key, sessions, types).#source
  }

  // The compiler holds the types; this holds them where a compiler was not asked.
  static #own(key: Opened, sessions: Sessions, types: readonly KeyType[]): ModuleKey {
    if (!types.includes(key.type)) {
      throw new TypeError(`a key of type ${key.type} where ${types.join(' or ')} is due`)
    }
    if (!(key instanceof ModuleKey) || key.#sessions !== sessions) {
      throw new TypeError('the key was opened by another module')
    }
    if (key.#closed) throw new Error('the key was closed')
    return key
  }

  /** The key as an object of the module, made in the anchor session and kept until the key is closed. */
  static objectOf(
    key: Opened,
    session: Session,
    sessions: Sessions,
    use: Exclude<Use, 'wrapped'>,
    lend: Lend,
  ): Handle {
    const mine = ModuleKey.#own(key, sessions, typesFor[use])
    const known = mine.#objects.get(use)
    if (known?.epoch === session.epoch) return known.handle
    const handle = lend(session, mine.#source, octets => createObject(session, octets, use))
    mine.#objects.set(use, { epoch: session.epoch, handle })
    return handle
  }
}

/** A session object: gone with its session, never on the token (smets1-keys.md section 8). */
export function createObject(session: Session, octets: Buffer, use: Use): Handle {
  return session.pkcs11.C_CreateObject(session.anchor(), [
    ...templates[use],
    { type: pkcs11js.CKA_VALUE, value: octets },
  ])
}

const templateFor = (use: Use) => [
  { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
  { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
  ...guarded(false, {
    // What is to be wrapped can leave, but only wrapped: it is sensitive.
    extractable: use === 'wrapped',
    encrypt: use === 'cipher',
    decrypt: false,
    wrap: use === 'wraps',
    unwrap: use === 'wraps',
    sign: false,
    derive: false,
  }),
]

/** Made once: a command makes an object for its GUEK. */
const templates = {
  cipher: templateFor('cipher'),
  wraps: templateFor('wraps'),
  wrapped: templateFor('wrapped'),
} as const satisfies Record<Use, unknown>

const typesFor = { cipher: ['GUEK', 'DK'], wraps: ['MK'] } as const satisfies Record<string, readonly KeyType[]>
