/** The key stores of an environment, of the kind that its settings name: made by the ceremony, opened by all others. */

import { join } from 'node:path'
import type { OpenKeyStore } from '../ground/keystore/attach.ts'
import { openPkcs11KeyStore } from '../ground/keystore/pkcs11.ts'
import { refusal } from '../ground/keystore/refusals.ts'
import { createSoftwareKeyStore, openSoftwareKeyStore } from '../ground/keystore/software.ts'
import { splitKeyStore } from '../ground/keystore/split.ts'
import type { Settings } from '../policy/settings.ts'
import type { Home } from './home.ts'
import { systemChance, systemClock } from './world.ts'

export type KeyStoreName = 'root' | 'issuing'

/** What Key Custodians keep: the Contingency Private Key, the Symmetric Key until it is shared, the Recovery Private Key. */
export const custodyNames = ['contingency', 'symmetric', 'recovery'] as const
export type CustodyName = (typeof custodyNames)[number]

/** The label of the journal's key, in the issuing store. */
export const journalKey = 'journal'

/**
 * Opens a key store of an environment. For a module the passphrase is the token's user PIN.
 * @throws Refusal KEYSTORE_…, MODULE_…
 */
export function openKeyStore(
  home: Home,
  settings: Settings,
  name: KeyStoreName | CustodyName,
  passphrase: Uint8Array,
): OpenKeyStore {
  const weak = { chance: systemChance, allowWeak: settings.kind === 'test' }
  const software = (path: string) => openSoftwareKeyStore({ path, passphrase, ...weak })
  if (settings.keyStore.kind === 'software') return software(pathOf(home, name))
  const module = openToken(settings, name, passphrase)
  return hasSplit(settings, name) ? splitKeyStore(module, software(home.journalKeys), [journalKey]) : module
}

/**
 * Makes a key store for an environment: a file, or what a token that is still empty becomes.
 * @param log2N cost of opening a file, for tests
 * @throws Refusal KEYSTORE_EXISTS when there is something already; as `openKeyStore`
 */
export function makeKeyStore(
  home: Home,
  settings: Settings,
  name: KeyStoreName | CustodyName,
  passphrase: Uint8Array,
  log2N?: number,
): OpenKeyStore {
  const weak = log2N === undefined ? {} : { log2N, allowWeak: true }
  const software = (path: string, name: string) =>
    createSoftwareKeyStore({ path, name, passphrase, chance: systemChance, ...weak })
  if (settings.keyStore.kind === 'software') return software(pathOf(home, name), name)
  const module = openToken(settings, name, passphrase)
  if (module.labels().length > 0) {
    module.close()
    throw refusal('KEYSTORE_EXISTS', `${module.path}: the ceremony takes a token with nothing on it`)
  }
  return hasSplit(settings, name)
    ? splitKeyStore(module, software(home.journalKeys, 'journal'), [journalKey])
    : module
}

function pathOf(home: Home, name: KeyStoreName | CustodyName): string {
  if (name === 'root') return home.rootKeys
  return name === 'issuing' ? home.issuingKeys : join(home.custody, name, 'keys')
}

/** The passphrase of a store as a file beside it: until it is shared, or given by hand. */
export function passphraseFile(home: Home, name: KeyStoreName | CustodyName): string {
  if (name === 'root') return home.rootPassphrase
  return name === 'issuing' ? home.issuingPassphrase : join(home.custody, name, 'passphrase')
}

const hasSplit = ({ keyStore }: Settings, name: KeyStoreName | CustodyName) =>
  name === 'issuing' && keyStore.journalKey === 'software'

const tokenOf: Readonly<Record<KeyStoreName | CustodyName, `${KeyStoreName | CustodyName}Token`>> = {
  root: 'rootToken',
  issuing: 'issuingToken',
  contingency: 'contingencyToken',
  symmetric: 'symmetricToken',
  recovery: 'recoveryToken',
}

function openToken({ keyStore }: Settings, name: KeyStoreName | CustodyName, pin: Uint8Array): OpenKeyStore {
  return openPkcs11KeyStore({
    library: keyStore.library!,
    token: keyStore[tokenOf[name]],
    pin,
    chance: systemChance,
    clock: systemClock,
  })
}
