/** A key store of either kind, handed from one thread of a program to another. */

import type { Bytes } from '../bytes.ts'
import type { Chance, Clock } from '../clock.ts'
import type { KeyStore } from './keystore.ts'
import { attachPkcs11KeyStore, type Pkcs11Grant } from './pkcs11.ts'
import { attachSoftwareKeyStore, type Grant } from './software.ts'

/** For `workerData` and `postMessage` only. */
export type KeyStoreGrant = Grant | Pkcs11Grant

/** What can be done with a key store by whoever opened it with its passphrase, which for a module is the token's PIN. */
export interface OpenKeyStore extends KeyStore {
  /** What another thread of this program needs to open the store too. */
  grant(): KeyStoreGrant

  /**
   * From now on the store opens with the other passphrase only. The octets stay the caller's to zero.
   * @throws Refusal PASSPHRASE_EMPTY, PASSPHRASE_TOO_LONG
   */
  changePassphrase(passphrase: Bytes): void
}

/** Opens the store that the grant is for, in this thread: a module gives it sessions of its own. */
export function attachKeyStore(grant: KeyStoreGrant, chance: Chance, clock: Clock): OpenKeyStore {
  return 'module' in grant ? attachPkcs11KeyStore(grant, chance, clock) : attachSoftwareKeyStore(grant, chance)
}
