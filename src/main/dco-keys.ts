/** The DCO's keys, in the module that its configuration names: signing keys, and the module for symmetric keys. */

import { existsSync } from 'node:fs'
import type { OpenKeyStore } from '../ground/keystore/attach.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import { openPkcs11KeyStore } from '../ground/keystore/pkcs11.ts'
import { attachPkcs11SymmetricModule } from '../ground/keystore/pkcs11-symmetric.ts'
import { createSoftwareKeyStore, openSoftwareKeyStore } from '../ground/keystore/software.ts'
import { splitKeyStore } from '../ground/keystore/split.ts'
import type { SymmetricModule } from '../ground/keystore/symmetric.ts'
import { softwareSymmetricModule } from '../ground/keystore/symmetric-software.ts'
import type { DcoSettings } from '../policy/symmetric/dco-settings.ts'
import { signingKeys } from '../rooms/symmetric/dco/hands.ts'
import { no } from '../rooms/symmetric/refusals.ts'
import { systemChance, systemClock } from './world.ts'

export interface DcoKeys {
  readonly keys: KeyStore
  readonly module: SymmetricModule
  close(): void
}

/** A DCO of production keeps its keys in a module that is named with its certificate (Policy (b)(ii)). */
export function requireModule({ kind, module }: DcoSettings): void {
  if (kind === 'production' && (module.kind === 'software' || module.certificate === null)) {
    throw no('SOFTWARE_KEYS_REFUSED', 'configure module.kind, module.library, module.token and module.certificate')
  }
}

/**
 * Opens them; the file of a software key store is made if there is none and `make` is set.
 * @param path of the file: of all keys, or beside a module of the journal's key alone
 * @param passphrase of the file, and the user PIN of the token; stays the caller's to zero
 * @throws Refusal KEYSTORE_…, MODULE_…
 */
export function openDcoKeys(
  path: string,
  { kind, module }: DcoSettings,
  passphrase: Uint8Array,
  make?: { readonly log2N?: number | undefined },
): DcoKeys {
  const file = (): OpenKeyStore => {
    const common = { path, passphrase, chance: systemChance }
    if (!make || existsSync(path)) return openSoftwareKeyStore({ ...common, allowWeak: kind === 'test' })
    const weak = make.log2N === undefined ? {} : { log2N: make.log2N, allowWeak: true }
    return createSoftwareKeyStore({ ...common, name: 'dco', ...weak })
  }
  if (module.kind === 'software') {
    const keys = file()
    const symmetric = softwareSymmetricModule(keys, systemChance)
    return opened(keys, symmetric)
  }
  const { library, token } = module
  const at = { library: library!, token: token!, pin: passphrase, chance: systemChance, clock: systemClock }
  const inToken = openPkcs11KeyStore(at)
  const symmetric = attachPkcs11SymmetricModule(inToken.grant(), systemChance, systemClock)
  // Checkpoints of the journal are signed with Ed25519, which not every module has.
  const keys = module.journalKey === 'module' ? inToken : splitKeyStore(inToken, file(), [signingKeys.journal])
  return opened(keys, symmetric)
}

function opened(keys: KeyStore, module: SymmetricModule): DcoKeys {
  return {
    keys,
    module,
    close() {
      module.close()
      keys.close()
    },
  }
}
