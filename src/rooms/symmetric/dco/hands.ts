/** What a DCO works with: its store, its module, its signing keys, and what its configuration says. */

import type { Bytes } from '../../../ground/bytes.ts'
import { fromHex } from '../../../ground/bytes.ts'
import type { Chance, Clock } from '../../../ground/clock.ts'
import type { KeyStore } from '../../../ground/keystore/keystore.ts'
import type { SymmetricModule } from '../../../ground/keystore/symmetric.ts'
import type { Store } from '../../../ground/store/store.ts'
import type { DcoSettings } from '../../../policy/symmetric/dco-settings.ts'
import type { DeviceModel } from '../../../policy/symmetric/models.ts'
import { modelsOf } from '../../../policy/symmetric/settings.ts'
import { no } from '../refusals.ts'
import type { Signer } from '../signed.ts'
import { SendingCounters } from './counters.ts'
import type { EnvironmentLog } from './environment.ts'
import { HsmRegister } from './hsm-register.ts'
import { Rate } from './rate.ts'

/** What the world gives. */
export interface World {
  readonly store: Store
  readonly clock: Clock
  readonly chance: Chance
  readonly module: SymmetricModule
  /** Holds the keys of `signingKeys`. */
  readonly keys: KeyStore
  readonly settings: DcoSettings
  /** Where access to module and cards is told of; nowhere, if nobody watches. */
  readonly environment?: EnvironmentLog | undefined
}

export interface Hands extends World {
  readonly models: ReadonlyMap<string, DeviceModel>
  readonly counters: SendingCounters
  readonly hsm: HsmRegister
  readonly rate: Rate
}

/** Labels of the DCO's signing keys: P-256 each, but the journal's, which is Ed25519. */
export const signingKeys = {
  records: 'dco-records',
  messages: 'dco-messages',
  distribution: 'dco-distribution',
  journal: 'dco-journal',
} as const

/** Label of the transport key that previous holders wrap inherited keys to. */
export const importKey = 'dco-import'

/** One for each program: it holds blocks of counters that no other may hold. */
export function dcoHands(world: World): Hands {
  const { store, settings } = world
  return {
    ...world,
    models: modelsOf(settings.symmetric),
    counters: new SendingCounters(store, settings.symmetric.counterBlock),
    hsm: new HsmRegister(store, () => world.keys.reload()),
    rate: new Rate(settings.symmetric.checks.allAMinute),
  }
}

/** Signs as the DCO, with one of its keys. */
export function signer({ keys, settings }: World, use: keyof typeof signingKeys): Signer {
  return { name: settings.name, sign: octets => keys.sign(signingKeys[use], octets) }
}

/** An S1SP as it is configured. @throws Refusal SENDER_UNKNOWN */
export function s1spNamed({ settings }: World, name: string): { name: string; title: Bytes } {
  const found = settings.s1sps.find(each => each.name === name)
  if (!found) throw no('SENDER_UNKNOWN')
  return { name, title: fromHex(found.title) }
}

/** @throws Refusal MODEL_UNKNOWN */
export function modelNamed({ models }: Hands, name: string): DeviceModel {
  const model = models.get(name)
  if (!model) throw no('MODEL_UNKNOWN', name)
  return model
}
