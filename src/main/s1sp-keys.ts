/** The S1SP's keys, in the module that its configuration names. */

import { Refusal } from '../ground/refusal.ts'
import { type Configured, type ModuleKeys, openModuleKeys } from './module-keys.ts'
import { passphraseOf } from './passphrases.ts'

/** Labels of its keys; the Shared Keys that it holds besides are named by its DCO. */
export const labels = { messages: 's1sp-messages', journal: 's1sp-journal', transport: 's1sp-transport' } as const

const whose = { name: 's1sp', journal: labels.journal } as const

/** Where they lie, and where the passphrase of a test lies. */
interface Places {
  readonly keys: string
  readonly passphrase: string
}

/**
 * A passphrase that is made here stays beside the keys, which is for tests in software alone.
 * @throws Refusal PASSPHRASES_NEEDED
 */
export function requirePassphrase({ kind, module }: Configured, given: Uint8Array | undefined): void {
  if (!given && (kind === 'production' || module.kind === 'pkcs11')) {
    throw new Refusal(
      'PASSPHRASES_NEEDED',
      'give the passphrase of the key store, or the PIN of the token: --passphrase-file',
    )
  }
}

/** @throws Refusal KEYSTORE_…, MODULE_… */
export function makeS1spKeys(
  { keys }: Places,
  configured: Configured,
  passphrase: Uint8Array,
  log2N: number | undefined,
): ModuleKeys {
  return openModuleKeys(keys, whose, configured, passphrase, { log2N })
}

/**
 * @param given the passphrase, which is zeroed; otherwise the file beside the keys is read, or a person asked
 * @throws Refusal KEYSTORE_…, MODULE_…, PASSPHRASE_…, NO_TERMINAL
 */
export async function openS1spKeys(home: Places, configured: Configured, given?: Buffer): Promise<ModuleKeys> {
  const passphrase = given ?? (await passphraseOf('S1SP', undefined, home.passphrase))
  try {
    return openModuleKeys(home.keys, whose, configured, passphrase)
  } finally {
    passphrase.fill(0)
  }
}
