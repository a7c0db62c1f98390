/** The DCO's journal: its name, its key, and the signing of its tree. */

import { integrate } from '../ground/journal/journal.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import type { DcoSettings } from '../policy/symmetric/dco-settings.ts'
import { signingKeys, type World } from '../rooms/symmetric/dco/hands.ts'

/** Name and key of the DCO's journal: the name is also the origin of its checkpoints. */
export function journalOf(settings: DcoSettings, keys: KeyStore): { name: string; publicKey: Uint8Array } {
  return { name: `opensmki/dco/${settings.name}`, publicKey: keys.publicKey(signingKeys.journal).subarray(-32) }
}

export async function integrateJournal({ store, clock, keys, settings }: World): Promise<number> {
  const { name, publicKey } = journalOf(settings, keys)
  return integrate({ store, at: clock(), name, publicKey, sign: octets => keys.sign(signingKeys.journal, octets) })
}
