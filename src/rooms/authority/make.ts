/** Makes a certification authority: its key, its certificate, its place in the register. */

import type { Bytes } from '../../ground/bytes.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import type { AuthorityPlan } from '../../policy/profile.ts'
import { type Hands, issueOne } from './issue-one.ts'
import { type AuthorityRecord, type AuthorityState, enterAuthority, nextAuthorityId } from './register.ts'
import { authority } from './sign.ts'

export interface Making {
  readonly plan: AuthorityPlan
  /** Where its key is to live. */
  readonly keys: KeyStore
  readonly state: AuthorityState
  /** Who certifies it, and where that key lives; absent for a root. */
  readonly by?: { readonly record: AuthorityRecord; readonly keys: KeyStore }
  /** Replaces the `#` of a stock's names. */
  readonly running?: string
  readonly contingencyKey?: Bytes
}

/**
 * One step of a ceremony. A key that was made for an authority that then did not come to be stays behind under its
 * label in the key store and signs nothing: the register does not know it.
 */
export async function makeAuthority(hands: Hands, making: Making): Promise<AuthorityRecord> {
  const { plan, keys, by } = making
  const id = await nextAuthorityId(hands.store)
  const subject = Object.fromEntries(
    Object.entries(plan.subject).map(([attribute, value]) => [attribute, value.replace('#', making.running ?? '')]),
  )
  const name = subject.commonName!
  const keyLabel = `${plan.profile.pki}/${name}/${id}`

  const publicKey = keys.generate(keyLabel, plan.profile.key)
  const signer = by
    ? authority(by.keys, by.record.keyLabel, by.record.certificate)
    : authority(keys, keyLabel, 'self')
  const made = {
    pki: plan.profile.pki,
    part: plan.part,
    level: plan.level,
    name,
    keyLabel,
    state: making.state,
  } as const
  const store = plan.level === 'root' ? 'root' : 'issuing'

  const certificate = await issueOne(
    hands,
    signer,
    {
      profile: plan.profile,
      subject,
      publicKey,
      ...(making.contingencyKey && { contingencyKey: making.contingencyKey }),
    },
    { authority: by?.record.id ?? id },
    { part: plan.part, name, keyStore: keys.identity, signedBy: (by?.keys ?? keys).identity },
    (client, certificate) => enterAuthority(client, id, { ...made, store, certificate }, hands.clock()),
  )
  return { ...made, id, store, allotted: 0, firstUsedAt: undefined, certificate }
}
