/** What a try comes to: keys that are active, or proven not to have been taken; the intent closes with it. */

import { actionResults } from '../../../ground/dlms/action.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { inGroup } from '../together.ts'
import { ask, newMessage } from './ask.ts'
import { release, type Standing } from './associate.ts'
import { closeIntent, type Intent } from './intent.ts'
import { applyStages, type StoredKey } from './records.ts'
import { keepException, type Rotation } from './rotation.ts'
import { proofRead } from './transfer.ts'
import type { Work } from './work.ts'

/** `later`: the Device did not take the keys, and nothing says why. */
export type Outcome = 'later' | { readonly standing: Standing | undefined }

/** Whether its fate is not known yet. */
export const isOpen = (work: Work, { id }: StoredKey): boolean =>
  work.keys.some(key => key.id === id && (key.stage === 'made' || key.stage === 'offered'))

/** Closes the intent of keys whose fate is proven now. */
export async function concluded(
  work: Work,
  rotation: Rotation,
  intent: Intent,
  keys: readonly StoredKey[],
  standing: Standing | undefined,
): Promise<Outcome> {
  const { hands } = work
  const taken = keys.filter(key => work.keys.find(({ id }) => id === key.id)?.stage === 'active')
  const open = keys.filter(key =>
    ['made', 'offered'].includes(work.keys.find(({ id }) => id === key.id)?.stage ?? ''),
  )
  if (open.length > 0) {
    // The same broadcast key can be offered again.
    if (open.every(({ type }) => type === 'GBEK')) return 'later'
    throw new Refusal(
      'DEVICE_UNRESOLVED',
      `the fate of a key is not known yet: ${open.map(key => key.type).join(', ')}`,
    )
  }
  if (taken.length === keys.length) {
    // A verified read besides: the association is of use, not only proven.
    if (standing) await proofRead(work, standing)
    await inGroup(hands.store)(client => closeIntent(client, work, intent, 'active'))
    return { standing }
  }
  const givenUp = await abandoned(
    work,
    rotation,
    intent,
    keys.filter(key => !taken.includes(key)),
  )
  if (givenUp) return { standing }
  if (standing) await release(work, standing)
  return 'later'
}

/** Results that trying again does not change: denied, undefined, inconsistent, unavailable, unmatched, violated. */
const final: ReadonlySet<number> = new Set([3, 4, 9, 11, 12, 13])

/** The Device is proven not to have taken keys. @returns whether that is now on record as what it cannot */
async function abandoned(
  work: Work,
  rotation: Rotation,
  intent: Intent,
  keys: readonly StoredKey[],
): Promise<boolean> {
  const { hands } = work
  const { result, holder } = intent
  return hands.store.transaction(async client => {
    await closeIntent(client, work, intent, 'abandoned')
    if (result === null) return false
    const { rows } = await client.query<{ n: bigint }>(
      `SELECT count(*) AS n FROM intent
       WHERE rotation = $1 AND holder = $2 AND outcome = 'abandoned' AND result IS NOT NULL`,
      [rotation.id, holder],
    )
    if (!final.has(result) && Number(rows[0]!.n) < hands.settings.refusals) return false
    const says =
      result === 0
        ? 'the Device said that it took the key, and was proven not to have'
        : `the Device refused: ${actionResults[result] ?? `result ${result}`}`
    for (const { holder, type } of keys) await keepException(client, rotation.id, holder, type, says)
    return true
  })
}

/** The stages as the DCO has them: what it holds for proven was proven, also if we stopped before we heard. */
export async function reconcile(work: Work): Promise<void> {
  const { hands, device } = work
  const message = newMessage(hands, 'tell-device', { device: device.device })
  const { keys } = await ask(hands, message)
  await inGroup(hands.store)(client => applyStages(client, hands, device.device, keys, { message: message.id }))
  await work.refresh()
}
