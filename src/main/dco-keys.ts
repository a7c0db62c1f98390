/** The DCO's keys, in the module that its configuration names. */

import type { DcoSettings } from '../policy/symmetric/dco-settings.ts'
import { signingKeys } from '../rooms/symmetric/dco/hands.ts'
import { type ModuleKeys, openModuleKeys } from './module-keys.ts'

export type DcoKeys = ModuleKeys

/** @throws Refusal as `openModuleKeys`, which says the rest */
export function openDcoKeys(
  path: string,
  settings: DcoSettings,
  passphrase: Uint8Array,
  make?: { readonly log2N?: number | undefined },
): DcoKeys {
  return openModuleKeys(path, { name: 'dco', journal: signingKeys.journal }, settings, passphrase, make)
}
