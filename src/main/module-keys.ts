/** The keys of a DCO or an S1SP, in the module that its configuration names: signing keys, and the module for symmetric keys. */

import { existsSync } from 'node:fs'
import type { OpenKeyStore } from '../ground/keystore/attach.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import { openPkcs11KeyStore } from '../ground/keystore/pkcs11.ts'
import { attachPkcs11SymmetricModule } from '../ground/keystore/pkcs11-symmetric.ts'
import { createSoftwareKeyStore, openSoftwareKeyStore } from '../ground/keystore/software.ts'
import { splitKeyStore } from '../ground/keystore/split.ts'
import type { SymmetricModule } from '../ground/keystore/symmetric.ts'
import { softwareSymmetricModule } from '../ground/keystore/symmetric-software.ts'
import type { ModuleSettings } from '../policy/symmetric/module-settings.ts'
import { no } from '../rooms/symmetric/refusals.ts'
import { systemChance, systemClock } from './world.ts'

export interface ModuleKeys {
  readonly keys: KeyStore
  readonly module: SymmetricModule
  close(): void
}

/** As far as keys are concerned: what a configuration says. */
export interface Configured {
  readonly kind: 'test' | 'production'
  readonly module: ModuleSettings
}

/** Whose keys they are. */
export interface Whose {
  /** Of a software key store that is made. */
  readonly name: string
  /** Label of the key that signs checkpoints of the journal. */
  readonly journal: string
}

/**
 * Whoever is in production keeps its keys in a module that is named with its certificate (Policy (b)(ii)).
 * @throws Refusal SOFTWARE_KEYS_REFUSED
 */
export function requireModule({ kind, module }: Configured): void {
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
export function openModuleKeys(
  path: string,
  { name, journal }: Whose,
  { kind, module }: Configured,
  passphrase: Uint8Array,
  make?: { readonly log2N?: number | undefined },
): ModuleKeys {
  const file = (): OpenKeyStore => {
    const common = { path, passphrase, chance: systemChance }
    if (!make || existsSync(path)) return openSoftwareKeyStore({ ...common, allowWeak: kind === 'test' })
    const weak = make.log2N === undefined ? {} : { log2N: make.log2N, allowWeak: true }
    return createSoftwareKeyStore({ ...common, name, ...weak })
  }
  if (module.kind === 'software') {
    const keys = file()
    return opened(keys, softwareSymmetricModule(keys, systemChance))
  }
  const { library, token } = module
  const at = { library: library!, token: token!, pin: passphrase, chance: systemChance, clock: systemClock }
  const inToken = openPkcs11KeyStore(at)
  try {
    // Checkpoints of the journal are signed with Ed25519, which not every module has.
    const keys = module.journalKey === 'module' ? inToken : splitKeyStore(inToken, file(), [journal])
    return opened(keys, attachPkcs11SymmetricModule(inToken.grant(), systemChance, systemClock))
  } catch (cause) {
    inToken.close()
    throw cause
  }
}

function opened(keys: KeyStore, module: SymmetricModule): ModuleKeys {
  return {
    keys,
    module,
    close() {
      module.close()
      keys.close()
    },
  }
}
