/** The Master Key, last of all: no association can prove it, so one more AK, wrapped under it, does (section 7, point 10). */

import { Refusal } from '../../../ground/refusal.ts'
import { release } from './associate.ts'
import { concluded, type Outcome, reconcile } from './conclude.ts'
import { alsoIntend, type Intended, type Intent, keepResult } from './intent.ts'
import { together } from './plan.ts'
import { settle } from './probe.ts'
import type { StoredKey } from './records.ts'
import type { Rotation } from './rotation.ts'
import { keyOf, make, offer } from './transfer.ts'
import type { Work } from './work.ts'

const client = 'management'

/** Replaces the MK, from wherever it stopped. Until it is proven, both records are kept. */
export async function replaceMaster(work: Work, rotation: Rotation, begun: Intent): Promise<Outcome> {
  let intent = begun
  // 1. The new MK exists.
  const first = intent.messages[0]!
  const mk = keyOf(work, first) ?? (await make(work, intent, first))
  if (mk.stage !== 'made' && mk.stage !== 'offered') return concluded(work, rotation, intent, [mk], undefined)
  // 2. Offer it, wrapped under the old one.
  if (mk.stage === 'made') {
    const standing = await settle(work, client)
    const result = await offer(work, standing, [mk], work.key('device', 'MK', 'active'))
    intent = await keepResult(work, intent, result)
    await release(work, standing)
  }
  // 3. One more AK, wrapped under the MK that the Device is likelier to hold; if it is not taken, under the other.
  const [old, fresh] = [work.key('device', 'MK', 'active'), work.key('device', 'MK', 'offered')]
  const likelier = intent.result === null || intent.result === 0 ? [fresh, old] : [old, fresh]
  for (const under of likelier) {
    const proven = await proveBy(work, rotation, intent, under)
    intent = proven.intent
    if (proven.taken) break
  }
  await reconcile(work)
  return concluded(work, rotation, intent, [mk], undefined)
}

/**
 * An AK of Management, and what has to travel with it, wrapped under that MK.
 * @returns whether the Device took it: then it holds that MK
 */
async function proveBy(
  work: Work,
  rotation: Rotation,
  begun: Intent,
  under: StoredKey | undefined,
): Promise<{ intent: Intent; taken: boolean }> {
  let intent = begun
  let proofs = lastProofs(intent)
  if (proofs[0] === undefined || keyOf(work, proofs[0])?.stage === 'abandoned') {
    const step = { holder: client, types: together(work.model, ['AK']) } as const
    intent = await alsoIntend(work, intent, rotation.ground, step)
    proofs = lastProofs(intent)
  }
  const keys: StoredKey[] = []
  for (const one of proofs) keys.push(keyOf(work, one) ?? (await make(work, intent, one)))
  const ak = keys[0]!
  if (ak.stage === 'active') return { intent, taken: true }
  let successSeen = false
  if (ak.stage === 'made') {
    if (under === undefined) throw new Refusal('MASTER_KEY_LOST', 'there is no Master Key to wrap under')
    const standing = await settle(work, client)
    successSeen = (await offer(work, standing, keys, under)) === 0
    await release(work, standing)
  }
  const standing = await settle(work, client, successSeen)
  await release(work, standing)
  const taken = work.keys.some(key => key.id === ak.id && key.stage === 'active')
  return { intent, taken }
}

/** The last AK that was intended, and what travels with it; nothing before the first. */
function lastProofs({ messages }: Intent): readonly Intended[] {
  const at = messages.findLastIndex(({ type }) => type === 'AK')
  return at < 0 ? [] : messages.slice(at)
}
