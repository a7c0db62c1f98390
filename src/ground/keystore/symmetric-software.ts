/** The module for SMETS1 symmetric keys in software: its HSM Keys are secrets of a key store. Not for production. */

import { createSecretKey, hash, timingSafeEqual } from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import type { Chance } from '../clock.ts'
import { type Blocks, ecbBlocks } from './blocks.ts'
import { aesCmac } from './cmac.ts'
import { type KeyType, type Opened, type SoftwareDlmsCipher, softwareDlmsCipher } from './dlms-cipher.ts'
import type { KeyStore } from './keystore.ts'
import { refusal } from './refusals.ts'
import {
  type HsmKey,
  type HsmKeyProof,
  type HsmKeyRole,
  type MadeKey,
  mustBeHsmLabel,
  mustBePackage,
  type Packaged,
  roleOf,
  type SymmetricModule,
} from './symmetric.ts'
import { makeTransportPair, transportKeyOf, unwrapFromTransport, wrapToTransportKey } from './transport.ts'

/**
 * A module over the secrets of an open key store, whose labels `hsm-key/…` and `transport-key/…` are then its own. It
 * keeps what it used in memory until it is closed; the key store stays the caller's to close.
 */
export function softwareSymmetricModule(keys: KeyStore, chance: Chance): SymmetricModule {
  return new SoftwareModule(keys, chance)
}

const roles: readonly HsmKeyRole[] = ['DCO Key', 'Shared Key', 'seal']
const hsmPrefix = 'hsm-key/'
const transportPrefix = 'transport-key/'

/** An HSM Key that was used: what it does, and nothing else. */
type Known =
  | { readonly role: 'seal'; readonly mac: (message: Bytes) => Buffer }
  | { readonly role: Exclude<HsmKeyRole, 'seal'>; readonly blocks: Blocks }

class SoftwareModule implements SymmetricModule {
  readonly identity: string
  readonly path: string
  readonly cipher: SoftwareDlmsCipher
  readonly #keys: KeyStore
  readonly #chance: Chance
  readonly #known = new Map<string, Known>()
  /** What a key was opened from: with it two keys are compared, and no mark of a key is kept that would mean something. */
  readonly #sources = new WeakMap<Opened, Packaged>()

  constructor(keys: KeyStore, chance: Chance) {
    this.identity = keys.identity
    this.path = keys.path
    this.cipher = softwareDlmsCipher(keys.identity.replace('software:', ''))
    this.#keys = keys
    this.#chance = chance
  }

  makeHsmKey(label: string, role: HsmKeyRole, recipients: readonly Bytes[] = []): readonly Bytes[] {
    return this.#lend(this.#random(), octets => {
      // Before the key is kept: a recipient that is none leaves nothing behind.
      const copies = recipients.map(recipient => wrapToTransportKey(recipient, octets))
      this.#keep(label, role, octets)
      return copies
    })
  }

  hsmKeys(): readonly HsmKey[] {
    const stored = this.#keys.labels().filter(label => label.startsWith(hsmPrefix))
    return stored.map(name => name.slice(hsmPrefix.length)).map(label => ({ label, role: this.#find(label).role }))
  }

  makeKey<T extends KeyType>(type: T, id: string, hsmKey: string): MadeKey<T> {
    return this.#lend(this.#random(), octets => this.#made(type, id, hsmKey, octets))
  }

  openPackage<T extends KeyType>(type: T, id: string, packaged: Packaged): Opened<T> {
    return this.#lend(this.#open(type, packaged), octets => this.#hold(type, id, octets, packaged))
  }

  repackage(type: KeyType, packaged: Packaged, hsmKey: string): Packaged {
    const key = this.#findFor(type, hsmKey)
    return this.#lend(this.#open(type, packaged), octets => pack(hsmKey, key, octets))
  }

  same(a: Opened, b: Opened): boolean {
    return this.#lend(this.#openAgain(a), mine =>
      this.#lend(this.#openAgain(b), theirs => timingSafeEqual(mine, theirs)),
    )
  }

  sealRecord(hsmKey: string, octets: Bytes): Buffer {
    const known = this.#find(hsmKey)
    if (known.role !== 'seal') throw refusal('HSM_KEY_ROLE', hsmKey)
    return known.mac(octets)
  }

  checkSeal(hsmKey: string, octets: Bytes, seal: Bytes): boolean {
    const due = this.sealRecord(hsmKey, octets)
    return seal.length === due.length && timingSafeEqual(seal, due)
  }

  makeTransportKey(label: string): Bytes {
    mustBeHsmLabel(label)
    const { spki, pkcs8 } = makeTransportPair()
    return this.#lend(pkcs8, () => {
      this.#keys.keepSecret(transportPrefix + label, pkcs8)
      return spki
    })
  }

  transportKey(label: string): Bytes {
    return this.#keys.withSecret(transportPrefix + label, transportKeyOf)
  }

  importKey<T extends KeyType>(arrival: {
    type: T
    id: string
    hsmKey: string
    transport: string
    wrapped: Bytes
  }): MadeKey<T> {
    const { type, id, hsmKey } = arrival
    return this.#lend(this.#unwrap(arrival), octets => this.#made(type, id, hsmKey, octets))
  }

  importHsmKey(arrival: { label: string; role: HsmKeyRole; transport: string; wrapped: Bytes }): void {
    this.#lend(this.#unwrap(arrival), octets => this.#keep(arrival.label, arrival.role, octets))
  }

  proveHsmKey(hsmKey: string): HsmKeyProof {
    const value = this.#chance(16)
    return { octets: this.#findPackaging(hsmKey).encrypt(value), hash: hash('sha256', value, 'buffer') }
  }

  checkHsmKeyProof(hsmKey: string, { octets, hash: due }: HsmKeyProof): boolean {
    const blocks = this.#findPackaging(hsmKey)
    return octets.length === 16 && hash('sha256', blocks.decrypt(octets), 'buffer').equals(due)
  }

  close(): void {
    this.#known.clear()
  }

  #made<T extends KeyType>(type: T, id: string, hsmKey: string, octets: Buffer): MadeKey<T> {
    const packaged = pack(hsmKey, this.#findFor(type, hsmKey), octets)
    return { key: this.#hold(type, id, octets, packaged), packaged }
  }

  #hold<T extends KeyType>(type: T, id: string, octets: Bytes, packaged: Packaged): Opened<T> {
    const key = this.cipher.hold(type, id, octets)
    this.#sources.set(key, { ...packaged, octets: Uint8Array.from(packaged.octets) })
    return key
  }

  #openAgain(key: Opened): Buffer {
    const packaged = this.#sources.get(key)
    if (!packaged) throw new TypeError('the key was opened by another module')
    return this.#open(key.type, packaged)
  }

  #open(type: KeyType, packaged: Packaged): Buffer {
    mustBePackage(packaged)
    return this.#findFor(type, packaged.hsmKey).decrypt(packaged.octets)
  }

  #unwrap({ transport, wrapped }: { transport: string; wrapped: Bytes }): Buffer {
    return this.#keys.withSecret(transportPrefix + transport, pkcs8 => unwrapFromTransport(pkcs8, wrapped))
  }

  #keep(label: string, role: HsmKeyRole, octets: Bytes): void {
    mustBeHsmLabel(label)
    this.#lend(Buffer.alloc(17), kept => {
      // The role stands with the key, and is as hard to change.
      kept[0] = roles.indexOf(role)
      kept.set(octets, 1)
      this.#keys.keepSecret(hsmPrefix + label, kept)
    })
  }

  #findFor(type: KeyType, label: string): Blocks {
    const known = this.#find(label)
    if (known.role === 'seal' || known.role !== roleOf[type]) {
      throw refusal('HSM_KEY_ROLE', `${type} under ${label}`)
    }
    return known.blocks
  }

  #findPackaging(label: string): Blocks {
    const known = this.#find(label)
    if (known.role === 'seal') throw refusal('HSM_KEY_ROLE', label)
    return known.blocks
  }

  #find(label: string): Known {
    const known = this.#known.get(label)
    if (known) return known
    const found = this.#keys.withSecret(hsmPrefix + label, (octets): Known => {
      const role = roles[octets[0]!]!
      const key = createSecretKey(octets.subarray(1))
      return role === 'seal' ? { role, mac: aesCmac(key) } : { role, blocks: ecbBlocks(key) }
    })
    this.#known.set(label, found)
    return found
  }

  #random(): Buffer {
    const octets = Buffer.alloc(16)
    octets.set(this.#chance(16))
    return octets
  }

  /** Key octets live for one call. */
  #lend<T>(octets: Buffer, use: (octets: Buffer) => T): T {
    try {
      return use(octets)
    } finally {
      octets.fill(0)
    }
  }
}

function pack(hsmKey: string, blocks: Blocks, octets: Bytes): Packaged {
  return { hsmKey, packaging: 'AES-128-ECB', octets: blocks.encrypt(octets) }
}
