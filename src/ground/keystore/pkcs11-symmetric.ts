/** The module for SMETS1 symmetric keys behind PKCS#11: HSM Keys never leave it, Device keys are objects of a session. */

import { createSecretKey, hash, timingSafeEqual } from 'node:crypto'
import pkcs11js from 'pkcs11js'
import type { Bytes } from '../bytes.ts'
import { view } from '../bytes.ts'
import type { Chance, Clock } from '../clock.ts'
import type { DlmsCipher, KeyType, Opened } from './dlms-cipher.ts'
import { ModuleKey } from './pkcs11/device-key.ts'
import { ModuleCipher } from './pkcs11/dlms-cipher.ts'
import { HsmKeys } from './pkcs11/hsm-keys.ts'
import { ecb, lender } from './pkcs11/lend.ts'
import { valuesOf } from './pkcs11/objects.ts'
import { type Access, type Session, Sessions } from './pkcs11/sessions.ts'
import { findTransportKey, makeTransportKey, transportKeyOf, unwrapOaep } from './pkcs11/transport.ts'
import type { Pkcs11Grant, Pkcs11Opening } from './pkcs11.ts'
import { refusal } from './refusals.ts'
import {
  type HsmKey,
  type HsmKeyProof,
  type HsmKeyRole,
  type MadeKey,
  mustBePackage,
  type Packaged,
  type SymmetricModule,
} from './symmetric.ts'

/** Opens a token as a module for symmetric keys. @throws Refusal as `openPkcs11KeyStore` */
export function openPkcs11SymmetricModule(opening: Pkcs11Opening): SymmetricModule {
  const { library, token, pin, chance, clock } = opening
  if (pin.length === 0) throw refusal('PASSPHRASE_EMPTY')
  return attach({ library, token, pin: createSecretKey(pin) }, chance, clock)
}

/** The same over the token of a key store that this program has open. @throws Refusal as `openPkcs11KeyStore` */
export function attachPkcs11SymmetricModule(
  { module }: Pkcs11Grant,
  chance: Chance,
  clock: Clock,
): SymmetricModule {
  return attach(module, chance, clock)
}

function attach(access: Access, chance: Chance, clock: Clock): SymmetricModule {
  return new TokenModule(new Sessions(access, { clock }), access, chance)
}

class TokenModule implements SymmetricModule {
  readonly identity: string
  readonly path: string
  readonly cipher: DlmsCipher
  readonly #sessions: Sessions
  readonly #chance: Chance
  readonly #hsmKeys = new HsmKeys()
  readonly #lend = lender((session, label) => this.#hsmKeys.find(session, label).handle)

  constructor(sessions: Sessions, access: Access, chance: Chance) {
    const { label, serial } = sessions.token
    this.identity = `pkcs11:${label}:${serial}`
    this.path = `${access.library}, token ${label}`
    this.#sessions = sessions
    this.#chance = chance
    this.cipher = new ModuleCipher(this.identity, sessions, this.#lend)
  }

  makeHsmKey(label: string, role: HsmKeyRole, recipients: readonly Bytes[] = []): readonly Bytes[] {
    return this.#sessions.use(session => this.#hsmKeys.make(session, label, role, recipients))
  }

  hsmKeys(): readonly HsmKey[] {
    return this.#sessions.use(session => this.#hsmKeys.list(session))
  }

  makeKey<T extends KeyType>(type: T, id: string, hsmKey: string): MadeKey<T> {
    return this.#sessions.use(session =>
      lendRandom(session, octets => this.#made(session, type, id, hsmKey, octets)),
    )
  }

  openPackage<T extends KeyType>(type: T, id: string, packaged: Packaged): Opened<T> {
    mustBePackage(packaged)
    return this.#sessions.use(session => {
      this.#hsmKeys.findFor(session, type, packaged.hsmKey)
      return this.#opened(type, id, packaged)
    })
  }

  repackage(type: KeyType, packaged: Packaged, hsmKey: string): Packaged {
    mustBePackage(packaged)
    return this.#sessions.use(session => {
      const to = this.#hsmKeys.findFor(session, type, hsmKey)
      this.#hsmKeys.findFor(session, type, packaged.hsmKey)
      const source = { hsmKey: packaged.hsmKey, packaged: packaged.octets }
      const renewed = this.#lend(session, source, octets => ecb(session, 'encrypt', to, octets))
      return { hsmKey, packaging: 'AES-128-ECB', octets: renewed }
    })
  }

  same(a: Opened, b: Opened): boolean {
    const [left, right] = [a, b].map(key => ModuleKey.sourceOf(key, this.#sessions, key.type))
    return this.#sessions.use(session =>
      this.#lend(session, left!, mine => this.#lend(session, right!, theirs => timingSafeEqual(mine, theirs))),
    )
  }

  sealRecord(hsmKey: string, octets: Bytes): Buffer {
    return this.#sessions.use(session => {
      const { handle: key, role } = this.#hsmKeys.find(session, hsmKey)
      if (role !== 'seal') throw refusal('HSM_KEY_ROLE', hsmKey)
      const { pkcs11, handle } = session
      pkcs11.C_SignInit(handle, { mechanism: pkcs11js.CKM_AES_CMAC }, key)
      const out = Buffer.alloc(16)
      return octets.length === 0 ? pkcs11.C_SignFinal(handle, out) : pkcs11.C_Sign(handle, view(octets), out)
    })
  }

  checkSeal(hsmKey: string, octets: Bytes, seal: Bytes): boolean {
    const due = this.sealRecord(hsmKey, octets)
    return seal.length === due.length && timingSafeEqual(seal, due)
  }

  makeTransportKey(label: string): Bytes {
    return this.#sessions.use(session => makeTransportKey(session, label, this.#chance(16)))
  }

  transportKey(label: string): Bytes {
    return this.#sessions.use(session => transportKeyOf(session, label))
  }

  importKey<T extends KeyType>(arrival: {
    type: T
    id: string
    hsmKey: string
    transport: string
    wrapped: Bytes
  }): MadeKey<T> {
    const { type, id, hsmKey, transport, wrapped } = arrival
    return this.#sessions.use(session => {
      this.#hsmKeys.findFor(session, type, hsmKey)
      const octets = this.#arrived(session, transport, wrapped)
      try {
        return this.#made(session, type, id, hsmKey, octets)
      } finally {
        octets.fill(0)
      }
    })
  }

  importHsmKey(arrival: { label: string; role: HsmKeyRole; transport: string; wrapped: Bytes }): void {
    const { label, role, transport, wrapped } = arrival
    this.#sessions.use(session =>
      this.#hsmKeys.import(session, label, role, findTransportKey(session, transport), wrapped),
    )
  }

  proveHsmKey(hsmKey: string): HsmKeyProof {
    return this.#sessions.use(session => {
      const key = this.#hsmKeys.findPackaging(session, hsmKey)
      return lendRandom(session, value => ({
        octets: ecb(session, 'encrypt', key, value),
        hash: hash('sha256', value, 'buffer'),
      }))
    })
  }

  checkHsmKeyProof(hsmKey: string, { octets, hash: due }: HsmKeyProof): boolean {
    return this.#sessions.use(session => {
      const key = this.#hsmKeys.findPackaging(session, hsmKey)
      if (octets.length !== 16) return false
      const value = ecb(session, 'decrypt', key, octets)
      return hash('sha256', value, 'buffer').equals(due)
    })
  }

  close(): void {
    this.#sessions.close()
  }

  #made<T extends KeyType>(session: Session, type: T, id: string, hsmKey: string, octets: Buffer): MadeKey<T> {
    const key = this.#hsmKeys.findFor(session, type, hsmKey)
    const packaged: Packaged = {
      hsmKey,
      packaging: 'AES-128-ECB',
      octets: ecb(session, 'encrypt', key, octets),
    }
    return { key: this.#opened(type, id, packaged), packaged }
  }

  #opened<T extends KeyType>(type: T, id: string, { hsmKey, octets }: Packaged): Opened<T> {
    return new ModuleKey(type, id, this.#sessions, { hsmKey, packaged: Uint8Array.from(octets) })
  }

  /** Unwrapped to where it can be read, for a module does not package by ECB inside (smets1-keys.md section 8). */
  #arrived(session: Session, transport: string, wrapped: Bytes): Buffer {
    const key = unwrapOaep(session, findTransportKey(session, transport), wrapped, [
      { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
      { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
      { type: pkcs11js.CKA_TOKEN, value: false },
      { type: pkcs11js.CKA_SENSITIVE, value: false },
      { type: pkcs11js.CKA_EXTRACTABLE, value: true },
    ])
    try {
      const [octets] = valuesOf(session, key, pkcs11js.CKA_VALUE)
      if (octets!.length === 16) return octets!
      octets!.fill(0)
      throw refusal('TRANSPORT_REFUSED')
    } finally {
      session.pkcs11.C_DestroyObject(session.handle, key)
    }
  }
}

/** 16 octets of the module's randomness, zeroed after use. */
function lendRandom<T>({ pkcs11, handle }: Session, use: (octets: Buffer) => T): T {
  const octets = Buffer.alloc(16)
  try {
    pkcs11.C_GenerateRandom(handle, octets)
    return use(octets)
  } finally {
    octets.fill(0)
  }
}
