/** What the S1SP's work needs of the world: its store, its DCO, its Devices, time and chance. */

import type { Chance, Clock } from '../../../ground/clock.ts'
import type { Store } from '../../../ground/store/store.ts'
import type { DeviceModel } from '../../../policy/symmetric/models.ts'
import type { SymmetricSettings } from '../../../policy/symmetric/settings.ts'
import type { DcoLine } from '../messages.ts'
import type { Dial } from './line.ts'
import type { Notebook } from './notebook.ts'
import type { S1spSettings } from './settings.ts'

export interface S1spHands {
  readonly store: Pick<Store, 'query' | 'transaction'>
  readonly clock: Clock
  readonly chance: Chance
  /** The way to the DCO: all cryptography on keys and APDUs is there. */
  readonly dco: DcoLine
  /** The way to Devices. */
  readonly dial: Dial
  readonly models: ReadonlyMap<string, DeviceModel>
  readonly symmetric: SymmetricSettings
  readonly settings: S1spSettings
  readonly notebook: Notebook
  /** The DCO's key for records, SubjectPublicKeyInfo: what comes from elsewhere is not stored. */
  readonly recordKey: Uint8Array
}
