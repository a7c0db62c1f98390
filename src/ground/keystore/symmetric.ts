/** What a module for SMETS1 symmetric keys does, whether it is software or stands behind PKCS#11. */

import type { Bytes } from '../bytes.ts'
import { isLabel } from './contents.ts'
import type { DlmsCipher, KeyType, Opened } from './dlms-cipher.ts'
import { refusal } from './refusals.ts'

/**
 * What an HSM Key is for, and with it the only thing that it does (smets1-keys.md sections 2, 3): the DCO Key packages
 * MK and AK, the Shared Key of an S1SP packages GUEK, GBEK and DK, `seal` makes the AES-CMAC over key records.
 */
export type HsmKeyRole = 'DCO Key' | 'Shared Key' | 'seal'

/** An HSM Key: AES-128, never in the clear outside the module. */
export interface HsmKey {
  /** Names it in key records and journal entries: 1 to 100 printable ASCII characters, never used again. */
  readonly label: string
  readonly role: HsmKeyRole
}

/** How a key is packaged. A named field, because a module or the Policy may come to ask for another. */
export type Packaging = 'AES-128-ECB'

/**
 * A Packaged Key: for storage, never for the journey to a Device. One ECB block has no integrity and names nobody, so
 * it never lies or travels alone: it is a field of a sealed key record (smets1-keys.md section 3).
 */
export interface Packaged {
  /** Label of the HSM Key that it is under. */
  readonly hsmKey: string
  readonly packaging: Packaging
  /** 16. */
  readonly octets: Bytes
}

/** A key that was just made or imported: opened, and packaged. Whoever takes it closes `key`. */
export interface MadeKey<T extends KeyType = KeyType> {
  readonly key: Opened<T>
  readonly packaged: Packaged
}

/** The recipient of an HSM Key shows that it has it (smets1-keys.md section 6.6, point 5). */
export interface HsmKeyProof {
  /** A random value of 16 octets, packaged. It is no key, and is never stored as one. */
  readonly octets: Bytes
  /** SHA-256 of the value. */
  readonly hash: Bytes
}

/**
 * The module of a DCO. It opens packages, and its `cipher` does with what was opened all that `DlmsCipher` says. There is no
 * operation that gives out a key, encrypts or decrypts a block of the caller's choice, makes a check value, or changes a package
 * from one role's key to another's: the HSM Key must have the role that follows from the type of the key.
 *
 * Every call is synchronous. Whether a package belongs to a Device, a client and a type only its record's seal says:
 * check that first, always.
 */
export interface SymmetricModule {
  /** Who did it: stands on the journal entry of each act. */
  readonly identity: string
  /** What APDUs are enciphered with: takes keys that this module opened, and no others. */
  readonly cipher: DlmsCipher
  /** Where the HSM Keys are: a file, or the module and token. For messages to the operator. */
  readonly path: string

  /**
   * Makes an HSM Key. From when this returns it cannot leave the module, not even wrapped.
   * @param recipients transport keys (SubjectPublicKeyInfo, DER) of other modules that are to hold it too
   * @returns for each recipient the key under RSA-OAEP (SHA-1, empty label), to go into a signed package (section 6.6)
   * @throws Refusal KEY_EXISTS, KEY_LABEL_INVALID, KEY_UNUSABLE for a transport key that is not RSA-3072
   */
  makeHsmKey(label: string, role: HsmKeyRole, recipients?: readonly Bytes[]): readonly Bytes[]

  /** By label, ascending. */
  hsmKeys(): readonly HsmKey[]

  /**
   * Makes a Device key from randomness of the module and packages it under an HSM Key.
   * @param id of the record and generation: see `Opened.id`
   * @throws Refusal KEY_UNKNOWN; HSM_KEY_ROLE unless the HSM Key is the one that keys of the type are under
   */
  makeKey<T extends KeyType>(type: T, id: string, hsmKey: string): MadeKey<T>

  /**
   * Opens a package whose record's seal was found right.
   * @throws Refusal KEY_UNKNOWN, HSM_KEY_ROLE, PACKAGE_UNKNOWN for another packaging or length
   */
  openPackage<T extends KeyType>(type: T, id: string, packaged: Packaged): Opened<T>

  /**
   * The same key under a newer HSM Key of the same role: the renewal of an HSM Key, and nothing else.
   * @throws Refusal as `openPackage`
   */
  repackage(type: KeyType, packaged: Packaged, hsmKey: string): Packaged

  /**
   * Whether two keys are one and the same: keys that were made, imported or opened from a package here. What it is told
   * by does not outlive the module.
   */
  same(a: Opened, b: Opened): boolean

  /** AES-CMAC over the encoding of a key record. @returns 16 octets. @throws Refusal KEY_UNKNOWN, HSM_KEY_ROLE */
  sealRecord(hsmKey: string, octets: Bytes): Buffer

  /** In constant time. A seal of another length than 16 is wrong. @throws Refusal KEY_UNKNOWN, HSM_KEY_ROLE */
  checkSeal(hsmKey: string, octets: Bytes, seal: Bytes): boolean

  /**
   * Makes an RSA-3072 key pair to which others wrap keys for this module: HSM Keys, and inherited Device keys.
   * @returns its SubjectPublicKeyInfo, DER. @throws Refusal KEY_EXISTS, KEY_LABEL_INVALID
   */
  makeTransportKey(label: string): Bytes

  /** @throws Refusal KEY_UNKNOWN */
  transportKey(label: string): Bytes

  /**
   * Takes an inherited key, 16 octets under RSA-OAEP (SHA-1, empty label) to a transport key, and packages it.
   * The signature over the file that it came in was checked before (section 6.1).
   * @throws Refusal KEY_UNKNOWN, HSM_KEY_ROLE, TRANSPORT_REFUSED when it does not open
   */
  importKey<T extends KeyType>(arrival: {
    readonly type: T
    readonly id: string
    readonly hsmKey: string
    readonly transport: string
    readonly wrapped: Bytes
  }): MadeKey<T>

  /**
   * Takes an HSM Key that another module made for this one. The signed package was checked before (section 6.6).
   * @throws Refusal KEY_EXISTS, KEY_LABEL_INVALID, KEY_UNKNOWN, TRANSPORT_REFUSED
   */
  importHsmKey(arrival: {
    readonly label: string
    readonly role: HsmKeyRole
    readonly transport: string
    readonly wrapped: Bytes
  }): void

  /** @throws Refusal KEY_UNKNOWN; HSM_KEY_ROLE for `seal`, which packages nothing */
  proveHsmKey(hsmKey: string): HsmKeyProof

  /** Whether whoever made the proof has the HSM Key. @throws Refusal as `proveHsmKey` */
  checkHsmKeyProof(hsmKey: string, proof: HsmKeyProof): boolean

  /** Forgets what it can, and lets every handle go. Every later call is a fault. */
  close(): void
}

/** The HSM Key that keys of a type are packaged under: follows from the type, never from the caller. */
export const roleOf = {
  MK: 'DCO Key',
  AK: 'DCO Key',
  GUEK: 'Shared Key',
  GBEK: 'Shared Key',
  DK: 'Shared Key',
} as const satisfies Record<KeyType, HsmKeyRole>

/** @throws Refusal PACKAGE_UNKNOWN */
export function mustBePackage({ packaging, octets }: Packaged): void {
  if (packaging !== 'AES-128-ECB' || octets.length !== 16) throw refusal('PACKAGE_UNKNOWN')
}

/** @throws Refusal KEY_LABEL_INVALID */
export function mustBeHsmLabel(label: string): void {
  if (!isLabel(label) || label.length > 100) throw refusal('KEY_LABEL_INVALID', label)
}
