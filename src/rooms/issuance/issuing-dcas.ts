/** The Issuing DCAs as one signer holds them: opened keys, plans, and what was allotted to it. */

import type { Chance, Clock } from '../../ground/clock.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Certificate } from '../../ground/x509/certificate.ts'
import type { Profile } from '../../policy/profile.ts'
import { type Plan, planFor } from '../authority/plan.ts'
import { authorities } from '../authority/register.ts'
import { serialNumbers } from '../authority/serial.ts'
import { type Authority, authority } from '../authority/sign.ts'
import { type Allotment, allot, type KeyUse } from '../authority/stock.ts'

export interface IssuingDca {
  readonly id: number
  readonly profile: Profile
  readonly certificate: Certificate
  readonly authority: Authority
  readonly plan: Plan
  readonly serial: () => Buffer
}

export interface IssuingDcas {
  /** One authority for each of `count` certificates. @throws Refusal NO_ISSUING_DCA, and what `stopped` answers */
  take(count: number): Promise<IssuingDca[]>
  /** Gives up a key that signs no more: this signer holds nothing of it afterwards. */
  forget(id: number): void
}

export function issuingDcas(
  hands: { store: Store; clock: Clock; chance: Chance },
  keys: KeyStore,
  profile: Profile,
  limit: KeyUse,
  /** Allotted at a time, so that single requests do not wait for a commit of their own. */
  atOnce: number,
  /** Why that authority may not sign just now, if it may not. */
  stopped: (authority: number) => Refusal | undefined = () => undefined,
): IssuingDcas {
  const open = new Map<number, IssuingDca>()
  const serial = serialNumbers(hands.chance)
  let left: Allotment[] = []
  let turn: Promise<unknown> = Promise.resolve()

  async function opened(id: number): Promise<IssuingDca> {
    const known = open.get(id)
    if (known) return known
    const record = (await authorities(hands.store)).find(one => one.id === id)!
    // It may have come from a ceremony that was held while we ran.
    keys.reload()
    const signer = authority(keys, record.keyLabel, record.certificate)
    const made = {
      id,
      profile,
      certificate: record.certificate,
      authority: signer,
      plan: planFor(profile, record.certificate),
      serial,
    }
    open.set(id, made)
    return made
  }

  async function take(count: number): Promise<IssuingDca[]> {
    const now = hands.clock()
    left = left.filter(one => now < one.until)
    const missing = count - left.reduce((sum, one) => sum + one.count, 0)
    if (missing > 0) left = [...left, ...(await allotAbout(missing, now))]
    const taken: IssuingDca[] = []
    while (taken.length < count) {
      const [first, ...rest] = left as [Allotment, ...Allotment[]]
      const some = Math.min(first.count, count - taken.length)
      const stop = stopped(first.authority)
      if (stop) throw stop
      const dca = await opened(first.authority)
      for (let i = 0; i < some; i++) taken.push(dca)
      left = first.count > some ? [{ ...first, count: first.count - some }, ...rest] : rest
    }
    return taken
  }

  /** More than asked for where there is more; near the end of the stock, just what is needed. */
  async function allotAbout(missing: number, now: Date) {
    if (missing >= atOnce) return allot(hands.store, missing, limit, now)
    try {
      return await allot(hands.store, atOnce, limit, now)
    } catch (cause) {
      if (cause instanceof Refusal) return allot(hands.store, missing, limit, now)
      throw cause
    }
  }

  return {
    take(count) {
      // One after another: two groups of one signer do not divide what is left between them.
      const result = turn.then(() => take(count))
      turn = result.catch(() => {})
      return result
    },
    forget(id) {
      left = left.filter(one => one.authority !== id)
      open.delete(id)
    },
  }
}
