/** The ceremony that sets a DCO up: its signing keys, its import key, its card holders, its first DCO Key and seal. */

import type { Bytes } from '../../../ground/bytes.ts'
import { no } from '../refusals.ts'
import { importKey, signingKeys, type World } from './hands.ts'
import { type Ceremony, makeDcoKey, makeSealKey } from './hsm.ts'
import { hsmKeys } from './hsm-register.ts'
import { nominate } from './people.ts'

/** What others need to know of a DCO: S1SPs its keys, previous holders its import key. Public. */
export interface DcoIdentity {
  readonly name: string
  /** SubjectPublicKeyInfo, DER, lower-case hexadecimal. */
  readonly records: string
  readonly messages: string
  readonly distribution: string
  readonly importKey: string
}

/**
 * @param world.keys an empty key store for the signing keys
 * @throws Refusal DCO_EXISTS, PERSON_NOT_ALLOWED, REASON_MISSING
 */
export async function setUp(world: World, ceremony: Ceremony): Promise<DcoIdentity> {
  const { keys, module, settings } = world
  if ((await hsmKeys(world.store)).length > 0) throw no('DCO_EXISTS')
  // 1. Keys that sign. If we stop after any of these, nothing refers to what was made: the set-up is begun again in an
  //    empty folder.
  keys.generate(signingKeys.journal, 'Ed25519')
  for (const label of [signingKeys.records, signingKeys.messages, signingKeys.distribution]) {
    keys.generate(label, 'P-256')
  }
  module.makeTransportKey(importKey)
  // 2. The people of whom a quorum must be present for whatever follows.
  const { present, reason, ticket } = ceremony
  if (present.length < settings.quorum) throw no('PERSON_NOT_ALLOWED', `${settings.quorum} card holders are needed`)
  for (const person of present) {
    const by = { person: present[0]!, role: 'ACS card holder', reason, ticket } as const
    await nominate(
      world,
      person,
      by,
      (await countHolders(world)) >= settings.quorum ? present.slice(0, settings.quorum) : [],
    )
  }
  // 3. The keys that everything is packaged under and sealed with.
  await makeSealKey(world, ceremony)
  await makeDcoKey(world, ceremony)
  return identityOf(world)
}

export function identityOf({ keys, module, settings }: World): DcoIdentity {
  const hex = (octets: Bytes) => Buffer.from(octets).toString('hex')
  return {
    name: settings.name,
    records: hex(keys.publicKey(signingKeys.records)),
    messages: hex(keys.publicKey(signingKeys.messages)),
    distribution: hex(keys.publicKey(signingKeys.distribution)),
    importKey: hex(module.transportKey(importKey)),
  }
}

async function countHolders({ store }: World): Promise<number> {
  const { rows } = await store.query<{ count: bigint }>('SELECT count(*) AS count FROM dco_card_holder')
  return Number(rows[0]!.count)
}
