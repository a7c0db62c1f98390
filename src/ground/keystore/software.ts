/** The key store in a file: keys encrypted at rest under a passphrase, opened once, changed by one writer at a time. */

import type { KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Bytes } from '../bytes.ts'
import { equal, toHex } from '../bytes.ts'
import type { Chance } from '../clock.ts'
import { type Contents, decodeContents, type Entry, encodeContents, isLabel } from './contents.ts'
import type { KeyKind, KeyStore } from './keystore.ts'
import { importPrivate, makePair, signWith } from './kinds.ts'
import { withLock } from './lock.ts'
import { type OwnCheck, ownCheck, type Signatures, scalarOf } from './own-check.ts'
import { checkFolder, type Privacy, readPrivateFile, replacePrivateFile } from './private-file.ts'
import { refusal } from './refusals.ts'
import {
  type Cost,
  checkPassphrase,
  type Derived,
  derive,
  type Header,
  isName,
  isWeak,
  looksWhole,
  parseSealed,
  type Sealed,
  seal,
  standardCost,
  unseal,
} from './sealed.ts'

export interface SoftwareKeyStore extends KeyStore {
  /** What another thread of this program needs to open the store without the passphrase and its third of a second. */
  grant(): Grant

  /**
   * From now on the file opens with the other passphrase only. Other processes go on with the keys that they have in
   * memory, and must open the store again for anything else. The passphrase stays the caller's to zero.
   * @throws Refusal PASSPHRASE_EMPTY
   */
  changePassphrase(passphrase: Bytes): void
}

/** For `workerData` and `postMessage` only: a KeyObject passes there without its octets being copied or shown. */
export interface Grant {
  readonly path: string
  readonly fileKey: KeyObject
  readonly header: Header
}

interface Opening {
  readonly path: string
  /** Stays the caller's to zero. */
  readonly passphrase: Bytes
  readonly chance: Chance
  /** For tests only: scrypt with a lower cost than the standard one is accepted. */
  readonly allowWeak?: boolean
}

/**
 * Makes a new store with nothing in it. Its folder is made if missing, for the owner only.
 * @param creation `name` stands in the store's identity: 1 to 32 characters, a-z first, then a-z, 0-9, -. `log2N` is
 * for tests, with `allowWeak`, or to ask for more than the standard 17; each step doubles time and memory.
 * @throws Refusal KEYSTORE_EXISTS, KEYSTORE_NAME_INVALID, KEYSTORE_WEAK, KEYSTORE_WORLD_READABLE, PASSPHRASE_EMPTY
 */
export function createSoftwareKeyStore(creation: Opening & { name: string; log2N?: number }): SoftwareKeyStore {
  const { name, passphrase, chance, allowWeak = false } = creation
  const cost = { ...standardCost, log2N: creation.log2N ?? standardCost.log2N }
  if (!isName(name)) throw refusal('KEYSTORE_NAME_INVALID', name)
  if (isWeak(cost) && !allowWeak) throw refusal('KEYSTORE_WEAK', creation.path)
  mkdirSync(dirname(resolve(creation.path)), { recursive: true, mode: 0o700 })
  const path = realPath(creation.path)
  checkFolder(dirname(path), privacy)
  if (existsSync(path)) throw refusal('KEYSTORE_EXISTS', path)

  const salt = chance(32)
  const { fileKey, check } = deriveFrom(passphrase, salt, cost)
  const header = { cost, id: chance(16), name, salt, check, generation: 1n, nonce: chance(12) }
  const octets = sealContents(header, new Map(), fileKey, path)
  withLock(path, () => {
    const mustBeNew = () => {
      if (existsSync(path)) throw refusal('KEYSTORE_EXISTS', path)
    }
    mustBeNew()
    replacePrivateFile(path, octets, mustBeNew)
  })
  return new FileKeyStore(path, fileKey, header, chance)
}

/**
 * Opens a store with its passphrase: a third of a second and 128 MiB, once. Nothing is written.
 * @throws Refusal KEYSTORE_MISSING, KEYSTORE_WORLD_READABLE, KEYSTORE_DAMAGED, KEYSTORE_FORMAT_UNKNOWN,
 * KEYSTORE_WEAK, KEYSTORE_WRONG_PASSPHRASE
 */
export function openSoftwareKeyStore({ path: given, passphrase, chance, allowWeak }: Opening): SoftwareKeyStore {
  const path = realPath(given)
  const { header } = readSealed(path)
  // A file that asks for little work is a file whose passphrase somebody hopes to guess.
  if (isWeak(header.cost) && !allowWeak) throw refusal('KEYSTORE_WEAK', path)
  const derived = deriveFrom(passphrase, header.salt, header.cost)
  checkPassphrase(derived, header, path)
  const store = new FileKeyStore(path, derived.fileKey, header, chance)
  store.reload()
  return store
}

/** Opens a store that another thread of this program has open. @throws Refusal as `openSoftwareKeyStore` */
export function attachSoftwareKeyStore({ path, fileKey, header }: Grant, chance: Chance): SoftwareKeyStore {
  const store = new FileKeyStore(path, fileKey, header, chance)
  store.reload()
  return store
}

/** Defends memory: some thousand RSA keys. */
const largest = 2 ** 24

const privacy: Privacy = {
  missing: 'KEYSTORE_MISSING',
  open: 'KEYSTORE_WORLD_READABLE',
  tooLarge: 'KEYSTORE_TOO_LARGE',
  limit: largest,
  folder: 'closed',
}

/** A key in use, and what checks its signatures: for that it is held a second time. */
interface Signing {
  readonly kind: KeyKind
  readonly spki: Bytes
  readonly key: KeyObject
  readonly check: OwnCheck | undefined
}

/** What may be known of an entry without opening anything: all of it but the secret. */
type Known = Omit<Entry, 'secret'>

class FileKeyStore implements SoftwareKeyStore {
  readonly identity: string
  readonly path: string
  readonly #chance: Chance
  /** Undefined once closed. The octets are the crypto library's, which clears them when it lets go. */
  #fileKey: KeyObject | undefined
  #header: Header
  #known = new Map<string, Known>()
  #signing = new Map<string, Signing>()
  /** The nonce of the file that `#known` was read from: tells every write from every other. */
  #seen: Bytes | undefined

  constructor(path: string, fileKey: KeyObject, header: Header, chance: Chance) {
    this.identity = `software:${header.name}:${toHex(header.id.subarray(0, 4))}`
    this.path = path
    this.#fileKey = fileKey
    this.#header = header
    this.#chance = chance
  }

  generate(label: string, kind: KeyKind): Bytes {
    this.#mustBeFree(label)
    const { spki, pkcs8 } = makePair(kind)
    try {
      this.#add(label, { kind, spki, secret: pkcs8 })
      return spki
    } finally {
      pkcs8.fill(0)
    }
  }

  publicKey(label: string): Bytes {
    const { kind, spki } = this.#find(label)
    if (kind === 'secret') throw refusal('KEY_NOT_FOR_THIS', label)
    return spki
  }

  has(label: string): boolean {
    return this.#directory().has(label)
  }

  kind(label: string): KeyKind | 'secret' {
    return this.#find(label).kind
  }

  labels(): readonly string[] {
    return [...this.#directory().keys()].sort()
  }

  sign(label: string, octets: Bytes): Bytes {
    const { kind, key } = this.#signing.get(label) ?? this.#loadSigning(label)
    return signWith(kind, key, octets)
  }

  checkOwn(label: string, spki: Bytes, signatures: Signatures): boolean[] | undefined {
    const signing = this.#signing.get(label) ?? this.#loadSigning(label)
    if (!equal(signing.spki, spki)) return signatures.map(() => false)
    return signing.check?.(signatures)
  }

  keepSecret(label: string, octets: Bytes): void {
    this.#mustBeFree(label)
    if (octets.length < 1 || octets.length > 0xffff) throw refusal('SECRET_LENGTH', label)
    const secret = ownCopy(octets)
    try {
      this.#add(label, { kind: 'secret', spki: new Uint8Array(0), secret })
    } finally {
      secret.fill(0)
    }
  }

  withSecret<T>(label: string, use: (octets: Bytes) => T): T {
    if (this.#find(label).kind !== 'secret') throw refusal('KEY_NOT_FOR_THIS', label)
    // A copy with a buffer of its own: the borrower's `octets.buffer` has no other secret in it.
    const secret = this.#withContents(contents => ownCopy(entryOf(contents, label).secret))
    try {
      const result = use(secret)
      if (result instanceof Promise) throw new TypeError('a secret is lent to synchronous work only')
      return result
    } finally {
      secret.fill(0)
    }
  }

  destroy(label: string): void {
    this.#change(contents => {
      if (!contents.delete(label)) throw refusal('KEY_UNKNOWN', label)
    })
  }

  reload(): void {
    const { header } = this.#read()
    if (this.#seen !== undefined && equal(header.nonce, this.#seen)) return
    this.#withContents(() => undefined)
  }

  close(): void {
    this.#fileKey = undefined
    this.#known.clear()
    this.#signing.clear()
  }

  grant(): Grant {
    return { path: this.path, fileKey: this.#openKey(), header: this.#header }
  }

  changePassphrase(passphrase: Bytes): void {
    this.#openKey()
    const salt = this.#chance(32)
    const derived = deriveFrom(passphrase, salt, this.#header.cost)
    this.#change(() => undefined, { ...derived, salt })
  }

  #add(label: string, entry: Entry): void {
    this.#change(contents => {
      if (contents.has(label)) throw refusal('KEY_EXISTS', label)
      contents.set(label, entry)
    })
  }

  /** Reads the file as it is now, changes it, writes it, all under the lock: nobody's change is lost. */
  #change(change: (contents: Contents) => void, renewed?: Derived & { salt: Bytes }): void {
    this.#openKey()
    withLock(this.path, () =>
      this.#withContents((contents, { header: before }) => {
        change(contents)
        const { salt, check, fileKey } = renewed ?? { ...before, fileKey: this.#openKey() }
        const after = { ...before, salt, check, generation: before.generation + 1n, nonce: this.#chance(12) }
        const octets = sealContents(after, contents, fileKey, this.path)
        // The lock forbids it, but a lost key is not made good again: look once more that the file is still the one
        // that was read.
        replacePrivateFile(this.path, octets, () => {
          if (!equal(readSealed(this.path).header.nonce, before.nonce)) throw refusal('KEYSTORE_CHANGED', this.path)
        })
        this.#fileKey = fileKey
        this.#adopt(after, contents)
      }),
    )
  }

  /** Opens the file for as long as `work` runs; its secrets are zeroed afterwards. */
  #withContents<T>(work: (contents: Contents, sealed: Sealed) => T): T {
    const sealed = this.#read()
    const plain = unseal(sealed, this.#openKey(), this.path)
    try {
      const contents = decodeContents(plain)
      this.#adopt(sealed.header, contents)
      return work(contents, sealed)
    } finally {
      plain.fill(0)
    }
  }

  /** The file as it is now, if it is a later state of the store that was opened. */
  #read(): Sealed {
    this.#openKey()
    const sealed = readSealed(this.path)
    const { id, generation, salt } = sealed.header
    if (!equal(id, this.#header.id)) throw refusal('KEYSTORE_REPLACED', this.path)
    if (!equal(salt, this.#header.salt)) throw refusal('KEYSTORE_PASSPHRASE_CHANGED', this.path)
    if (generation < this.#header.generation) throw refusal('KEYSTORE_ROLLED_BACK', this.path)
    return sealed
  }

  #adopt(header: Header, contents: Contents): void {
    this.#header = header
    this.#seen = header.nonce
    this.#known = new Map([...contents].map(([label, { kind, spki }]) => [label, { kind, spki }]))
    for (const [label, { spki }] of this.#signing) {
      // The label can be gone, and it can be back with another key.
      const now = this.#known.get(label)
      if (now === undefined || !equal(now.spki, spki)) this.#signing.delete(label)
    }
  }

  #loadSigning(label: string): Signing {
    if (this.#find(label).kind === 'secret') throw refusal('KEY_NOT_FOR_THIS', label)
    return this.#withContents(contents => {
      const { kind, spki, secret } = entryOf(contents, label)
      if (kind === 'secret') throw refusal('KEY_NOT_FOR_THIS', label)
      const key = importPrivate(secret, spki)
      const check = kind === 'P-256' ? ownCheck(scalarOf(secret), spki) : undefined
      const signing = { kind, spki, key, check }
      this.#signing.set(label, signing)
      return signing
    })
  }

  /** By what the file says now: a label that another process took or gave back counts. */
  #mustBeFree(label: string): void {
    if (!isLabel(label)) throw refusal('KEY_LABEL_INVALID', label)
    this.reload()
    if (this.has(label)) throw refusal('KEY_EXISTS', label)
  }

  #find(label: string): Known {
    const known = this.#directory().get(label)
    if (known === undefined) throw refusal('KEY_UNKNOWN', label)
    return known
  }

  #directory(): Map<string, Known> {
    this.#openKey()
    return this.#known
  }

  #openKey(): KeyObject {
    if (this.#fileKey === undefined) throw new Error('the key store is closed')
    return this.#fileKey
  }
}

function entryOf(contents: Contents, label: string): Entry {
  const entry = contents.get(label)
  if (entry === undefined) throw refusal('KEY_UNKNOWN', label)
  return entry
}

/** Not from the runtime's pool, where many small buffers share one. */
function ownCopy(octets: Bytes): Buffer {
  const copy = Buffer.alloc(octets.length)
  copy.set(octets)
  return copy
}

function deriveFrom(passphrase: Bytes, salt: Bytes, cost: Cost): Derived {
  if (passphrase.length === 0) throw refusal('PASSPHRASE_EMPTY')
  return derive(passphrase, salt, cost)
}

function sealContents(header: Header, contents: Contents, fileKey: KeyObject, path: string): Buffer {
  const plain = encodeContents(contents)
  try {
    const octets = seal(header, plain, fileKey)
    if (octets.length > largest) throw refusal('KEYSTORE_TOO_LARGE', path)
    return octets
  } finally {
    plain.fill(0)
  }
}

/**
 * The file as it is now. A writer that puts a new file in its place overwrites the old one, perhaps while we read it:
 * what we have read is then no file of anybody's, and is read again.
 */
function readSealed(path: string): Sealed {
  for (;;) {
    const { octets, replaced } = readPrivateFile(path, privacy)
    if (looksWhole(octets) || !replaced) return parseSealed(octets, path)
  }
}

/** The path without symbolic links: a rename would replace the link, and leave the key store where it was. */
function realPath(given: string): string {
  const path = resolve(given)
  if (existsSync(path)) return realpathSync(path)
  const folder = dirname(path)
  return existsSync(folder) ? join(realpathSync(folder), basename(path)) : path
}
