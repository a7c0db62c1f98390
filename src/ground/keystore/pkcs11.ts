/** The key store in a module behind PKCS#11: one token is one key store, and no private key ever leaves it. */

import { createSecretKey } from 'node:crypto'
import pkcs11js from 'pkcs11js'
import type { Bytes } from '../bytes.ts'
import { view } from '../bytes.ts'
import type { Chance, Clock } from '../clock.ts'
import { verifier } from './check.ts'
import { isLabel } from './contents.ts'
import type { KeyKind, KeyStore } from './keystore.ts'
import { kindOf, makePair, signWith, spkiOf } from './pkcs11/kinds.ts'
import type { Handle } from './pkcs11/library.ts'
import { findObjects, valuesOf } from './pkcs11/objects.ts'
import { type Access, Lost, type Session, Sessions } from './pkcs11/sessions.ts'
import { refusal } from './refusals.ts'

export interface Pkcs11KeyStore extends KeyStore {
  /** What another thread of this program needs to open sessions of its own. */
  grant(): Pkcs11Grant

  /**
   * From now on the token opens with the other PIN only; threads with sessions go on until they lose them.
   * @throws Refusal PASSPHRASE_EMPTY, PASSPHRASE_TOO_LONG by what the token takes
   */
  changePassphrase(pin: Bytes): void
}

/** For `workerData` and `postMessage` only: the PIN passes there without being shown. */
export interface Pkcs11Grant {
  readonly module: Access
}

export interface Pkcs11Opening {
  /** Path of the module's PKCS#11 library. */
  readonly library: string
  /** Label of a token that was initialised, and has a user PIN. */
  readonly token: string
  /** The user PIN. Stays the caller's to zero. */
  readonly pin: Bytes
  readonly chance: Chance
  readonly clock: Clock
}

/**
 * Opens a token. Nothing is written to it.
 * @throws Refusal MODULE_MISSING, MODULE_NO_TOKEN, MODULE_PIN_LOCKED, MODULE_UNAVAILABLE, PASSPHRASE_EMPTY,
 * KEYSTORE_WRONG_PASSPHRASE: which is tried once only, for modules lock a PIN after a few wrong ones
 */
export function openPkcs11KeyStore({ library, token, pin, chance, clock }: Pkcs11Opening): Pkcs11KeyStore {
  if (pin.length === 0) throw refusal('PASSPHRASE_EMPTY')
  return attach({ library, token, pin: createSecretKey(pin) }, chance, clock)
}

/** Opens a token that another thread of this program has open. @throws Refusal as `openPkcs11KeyStore` */
export function attachPkcs11KeyStore({ module }: Pkcs11Grant, chance: Chance, clock: Clock): Pkcs11KeyStore {
  return attach(module, chance, clock)
}

function attach(access: Access, chance: Chance, clock: Clock): Pkcs11KeyStore {
  return new ModuleKeyStore(new Sessions(access, { clock }), access, chance)
}

interface KnownKey {
  readonly kind: KeyKind
  /** CKA_ID: with the label, what the key is found by. */
  readonly id: Buffer
  readonly spki: Bytes
  readonly verifies: (octets: Bytes, signature: Bytes) => boolean
}

class ModuleKeyStore implements Pkcs11KeyStore {
  readonly identity: string
  readonly path: string
  readonly #sessions: Sessions
  readonly #chance: Chance
  readonly #known = new Map<string, KnownKey>()
  readonly #handles = new Map<string, { epoch: number; handle: Handle }>()

  constructor(sessions: Sessions, access: Access, chance: Chance) {
    this.#sessions = sessions
    this.#chance = chance
    const { label, serial } = sessions.token
    this.identity = `pkcs11:${label}:${serial}`
    this.path = `${access.library}, token ${label}`
  }

  generate(label: string, kind: KeyKind): Bytes {
    this.#mustBeFree(label)
    const id = Buffer.from(this.#chance(16))
    let again = false
    const spki = this.#sessions.use(session => {
      // What a first try made before its session was lost: nobody else has its id.
      if (again) this.#destroyById(session, label, id)
      again = true
      const spki = makePair(session, kind, { label, id })
      this.#mustBeAlone(session, label, () => this.#destroyById(session, label, id))
      return spki
    })
    this.#known.set(label, { kind, id, spki, verifies: verifier(spki) })
    return spki
  }

  publicKey(label: string): Bytes {
    return this.#find(label).spki
  }

  has(label: string): boolean {
    return this.#known.has(label) || this.#sessions.use(session => holds(session, label) !== undefined)
  }

  kind(label: string): KeyKind | 'secret' {
    const known = this.#known.get(label)
    if (known) return known.kind
    const found = this.#sessions.use(session => holds(session, label))
    if (found === undefined) throw refusal('KEY_UNKNOWN', label)
    return found === 'secret' ? 'secret' : this.#find(label).kind
  }

  labels(): readonly string[] {
    return this.#sessions.use(session => {
      const found = [...findObjects(session, privateKeys), ...findObjects(session, secrets)]
      return found.map(object => valuesOf(session, object, pkcs11js.CKA_LABEL)[0]!.toString('latin1')).sort()
    })
  }

  sign(label: string, octets: Bytes): Bytes {
    const known = this.#find(label)
    return this.#sessions.use(session => {
      const signature = signWith(session, known.kind, this.#handle(session, label, known), octets)
      // A handle that came to mean another key, a fault of the module: nothing leaves that does not verify.
      if (!known.verifies(octets, signature)) throw new Lost('the module gave a signature that does not verify')
      return signature
    })
  }

  keepSecret(label: string, octets: Bytes): void {
    this.#mustBeFree(label)
    if (octets.length < 1 || octets.length > 0xffff) throw refusal('SECRET_LENGTH', label)
    let again = false
    this.#sessions.use(session => {
      // What a first try made before its session was lost: the label was free when we began.
      const ours = again ? findObjects(session, named(secrets, label)) : []
      for (const object of ours) session.pkcs11.C_DestroyObject(session.handle, object)
      again = true
      const secret = session.pkcs11.C_CreateObject(session.handle, [
        ...secrets,
        { type: pkcs11js.CKA_TOKEN, value: true },
        { type: pkcs11js.CKA_PRIVATE, value: true },
        { type: pkcs11js.CKA_LABEL, value: label },
        { type: pkcs11js.CKA_VALUE, value: view(octets) },
      ])
      this.#mustBeAlone(session, label, () => session.pkcs11.C_DestroyObject(session.handle, secret))
    })
  }

  withSecret<T>(label: string, use: (octets: Bytes) => T): T {
    const secret = this.#sessions.use(session => {
      const [object] = findObjects(session, named(secrets, label))
      if (object) return ownCopy(valuesOf(session, object, pkcs11js.CKA_VALUE)[0]!)
      throw refusal(holds(session, label) ? 'KEY_NOT_FOR_THIS' : 'KEY_UNKNOWN', label)
    })
    try {
      const result = use(secret)
      if (result instanceof Promise) throw new TypeError('a secret is lent to synchronous work only')
      return result
    } finally {
      secret.fill(0)
    }
  }

  destroy(label: string): void {
    this.#forget(label)
    const found = this.#sessions.use(session => {
      const objects = [privateKeys, secrets, publicKeys].flatMap(kind => findObjects(session, named(kind, label)))
      for (const object of objects) session.pkcs11.C_DestroyObject(session.handle, object)
      return objects.length
    })
    if (found === 0) throw refusal('KEY_UNKNOWN', label)
  }

  reload(): void {
    this.#sessions.mustBeOpen()
    this.#known.clear()
    this.#handles.clear()
  }

  close(): void {
    this.#known.clear()
    this.#handles.clear()
    this.#sessions.close()
  }

  grant(): Pkcs11Grant {
    return { module: this.#sessions.access }
  }

  changePassphrase(pin: Bytes): void {
    this.#sessions.changePin(pin)
  }

  #find(label: string): KnownKey {
    const known = this.#known.get(label)
    if (known) return known
    const found = this.#sessions.use(session => lookUp(session, label))
    this.#known.set(label, found)
    return found
  }

  /** Looked up anew, by label and id, in every epoch. @throws Refusal KEY_UNKNOWN when the key is there no more */
  #handle(session: Session, label: string, { id }: KnownKey): Handle {
    const known = this.#handles.get(label)
    if (known?.epoch === session.epoch) return known.handle
    const [handle] = findObjects(session, [...named(privateKeys, label), { type: pkcs11js.CKA_ID, value: id }])
    if (handle === undefined) {
      this.#forget(label)
      throw refusal('KEY_UNKNOWN', label)
    }
    this.#handles.set(label, { epoch: session.epoch, handle })
    return handle
  }

  #forget(label: string): void {
    this.#known.delete(label)
    this.#handles.delete(label)
  }

  #mustBeFree(label: string): void {
    if (!isLabel(label)) throw refusal('KEY_LABEL_INVALID', label)
    if (this.#sessions.use(session => holds(session, label)) !== undefined) throw refusal('KEY_EXISTS', label)
  }

  /** PKCS#11 keeps no label unique: of two processes that took one at the same time, both give it back. */
  #mustBeAlone(session: Session, label: string, giveBack: () => void): void {
    const held = [privateKeys, secrets].flatMap(kind => findObjects(session, named(kind, label)))
    if (held.length === 1) return
    giveBack()
    throw refusal('KEY_EXISTS', label)
  }

  #destroyById(session: Session, label: string, id: Buffer): void {
    for (const kind of [privateKeys, publicKeys]) {
      for (const object of findObjects(session, [...named(kind, label), { type: pkcs11js.CKA_ID, value: id }])) {
        session.pkcs11.C_DestroyObject(session.handle, object)
      }
    }
  }
}

// What is ours on the token: pairs that sign, and data of our application.
const application = 'opensmki'
const privateKeys = [
  { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
  { type: pkcs11js.CKA_SIGN, value: true },
]
const publicKeys = [
  { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
  { type: pkcs11js.CKA_VERIFY, value: true },
]
const secrets = [
  { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_DATA },
  { type: pkcs11js.CKA_APPLICATION, value: application },
]
const named = (kind: pkcs11js.Attribute[], label: string) => [...kind, { type: pkcs11js.CKA_LABEL, value: label }]

/** In a buffer that holds nothing else; what the binding made is zeroed. */
function ownCopy(octets: Buffer): Buffer {
  const copy = Buffer.alloc(octets.length)
  copy.set(octets)
  octets.fill(0)
  return copy
}

function holds(session: Session, label: string): 'key' | 'secret' | undefined {
  if (findObjects(session, named(privateKeys, label)).length > 0) return 'key'
  return findObjects(session, named(secrets, label)).length > 0 ? 'secret' : undefined
}

/** @throws Refusal KEY_UNKNOWN, KEY_NOT_FOR_THIS; KEYSTORE_DAMAGED when the label does not mean one pair of ours */
function lookUp(session: Session, label: string): KnownKey {
  const [key, ...others] = findObjects(session, named(privateKeys, label))
  if (!key) throw refusal(holds(session, label) ? 'KEY_NOT_FOR_THIS' : 'KEY_UNKNOWN', label)
  const [id] = valuesOf(session, key, pkcs11js.CKA_ID)
  const [publicKey, ...more] = findObjects(session, [
    ...named(publicKeys, label),
    { type: pkcs11js.CKA_ID, value: id! },
  ])
  if (!publicKey || others.length + more.length > 0) throw refusal('KEYSTORE_DAMAGED', label)
  const kind = kindOf(session, publicKey)
  if (kind === undefined) throw refusal('KEY_UNUSABLE', label)
  const spki = spkiOf(session, kind, publicKey)
  return { kind, id: id!, spki, verifies: verifier(spki) }
}
