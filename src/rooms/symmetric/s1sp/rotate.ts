/** One try at a rotation: from where it stands, key by key, to its end or to what stops it (smets1-keys.md section 7). */

import { actionResults } from '../../../ground/dlms/action.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { KeyedClient } from '../../../policy/symmetric/keys.ts'
import { exceptionsOf } from '../../../policy/symmetric/models.ts'
import { leave, release, type Standing } from './associate.ts'
import { concluded, isOpen, type Outcome, reconcile } from './conclude.ts'
import type { S1spHands } from './hands.ts'
import { type Intent, intend, keepResult, openIntent } from './intent.ts'
import { keepLost } from './lost.ts'
import { replaceMaster } from './master.ts'
import { carriers, nameOf, type Step, stepsOf, together } from './plan.ts'
import { settle } from './probe.ts'
import type { StoredKey } from './records.ts'
import { no } from './refusals.ts'
import {
  attemptsOf,
  closeRotation,
  exceptions,
  keepAttempt,
  keepException,
  lostOnItsWay,
  type Rotation,
  type RotationState,
  rotationOf,
} from './rotation.ts'
import { keyOf, make, offer } from './transfer.ts'
import { Work } from './work.ts'

/**
 * Tries a rotation once. It goes on from what is stored, whatever stopped the try before, and closes the rotation or
 * keeps on record what stopped this one.
 * @throws faults of ours; they too are kept on record
 */
export async function tryRotation(hands: S1spHands, id: bigint): Promise<RotationState> {
  const rotation = await rotationOf(hands.store, id)
  if (rotation.state === 'closed') return 'closed'
  let work: Work | undefined
  try {
    work = await Work.on(hands, rotation.device)
    return await go(work, rotation)
  } catch (cause) {
    if (cause instanceof Refusal) return await stopped(hands, work, rotation, cause)
    // On record, if that can be, so that it is not tried again at once; the fault itself goes up.
    await keepAttempt(hands, rotation, 'open', 'FAULT', 'a fault of the S1SP').catch(() => {})
    throw cause
  } finally {
    work?.hangUp()
  }
}

async function go(work: Work, rotation: Rotation): Promise<RotationState> {
  const { hands, model, device } = work
  let standing: Standing | undefined
  // 1. What was begun before goes before anything new. What the DCO holds for proven since is heard first.
  const open = await openIntent(work, device.device)
  if (open !== undefined) {
    await reconcile(work)
    const outcome = await replace(work, rotation, open, undefined)
    if (outcome === 'later') return later(hands, rotation)
    standing = outcome.standing
  }
  // 2. What is left, key by key.
  for (;;) {
    const step = await nextStep(work, rotation)
    if (step === undefined) break
    const intent = await intend(work, rotation.id, rotation.ground, step)
    const outcome = await replace(work, rotation, intent, standing)
    if (outcome === 'later') return later(hands, rotation)
    standing = outcome.standing
  }
  // 3. Nothing is left.
  if (standing) await release(work, standing)
  const cannot = rotation.wanted === null ? exceptionsOf(model) : []
  await closeRotation(hands, rotation, cannot)
  return 'closed'
}

/** The first step of which a key is neither replaced nor known to be impossible. */
async function nextStep(work: Work, rotation: Rotation): Promise<Step | undefined> {
  const { model, hands } = work
  const known = await exceptions(hands.store, rotation.id)
  const isDone = (holder: Step['holder'], type: Step['types'][number]) =>
    known.has(nameOf(holder, type)) || work.key(holder, type, 'active')?.rotation === rotation.id
  for (const step of stepsOf(model, hands.symmetric.clientOrder, rotation.wanted ?? undefined)) {
    const types = step.types.filter(type => !isDone(step.holder, type))
    if (types.length > 0) return { ...step, types: together(model, types) }
  }
  return undefined
}

/** Replaces the keys of one step, from wherever it stopped. */
async function replace(
  work: Work,
  rotation: Rotation,
  begun: Intent,
  standing: Standing | undefined,
): Promise<Outcome> {
  if (begun.holder === 'device') {
    if (standing) await release(work, standing)
    return replaceMaster(work, rotation, begun)
  }
  let intent = begun
  const holder = begun.holder
  const keys: StoredKey[] = []
  // 1. The new keys exist, and the Device has not heard of them.
  for (const one of intent.messages) keys.push(keyOf(work, one) ?? (await make(work, intent, one)))
  // Proven already, when we stopped before the intent was closed.
  if (!keys.some(key => isOpen(work, key))) return concluded(work, rotation, intent, keys, standing)
  // 2. Offer them. From within `offer` on, the Device may hold them.
  const broadcast = keys.every(({ type }) => type === 'GBEK')
  if (broadcast || keys.every(key => key.stage === 'made')) {
    const through = await carrier(work, rotation, holder, standing)
    const result = await offer(work, through, keys, work.key('device', 'MK', 'active'))
    intent = await keepResult(work, intent, result)
    await leaveFor(work, through, holder)
    // No association can prove a broadcast key: that the Device said yes, verified, is all that there is.
    if (broadcast) {
      await reconcile(work)
      return concluded(work, rotation, intent, keys, undefined)
    }
  } else if (standing) {
    await leaveFor(work, standing, holder)
  }
  // 3. Associate anew: that alone tells which keys the Device holds.
  const proven = await resolve(work, holder, keys, intent.result === 0).catch(cause => {
    if (!isUnresolved(cause) || !keys.some(key => isStranded(work, key))) throw cause
    return offerAgain(work, rotation, holder, keys)
  })
  // 4. Active, or proven not to have been taken: both are stored already, and the intent closes.
  return concluded(work, rotation, intent, keys, proven)
}

/** The association is over; one of the same client that follows ends it at the DCO besides. */
const leaveFor = (work: Work, standing: Standing, next: KeyedClient): Promise<void> =>
  standing.client === next ? leave(work, standing) : release(work, standing)

/**
 * Finds out what the Device holds. An offer that went through another client can still be on its way until that client
 * has associated anew; so where the fate of a key is open after the first proof, those clients do, and then its own again.
 */
async function resolve(
  work: Work,
  holder: KeyedClient,
  keys: readonly StoredKey[],
  successSeen: boolean,
): Promise<Standing> {
  const first = await settle(work, holder, successSeen, true)
  if (!keys.some(key => isOpen(work, key))) return first
  await release(work, first)
  for (const other of carriers(work.model, holder).filter(client => client !== holder)) {
    await release(work, await settle(work, other))
  }
  return settle(work, holder, false, true)
}

const isUnresolved = (cause: unknown) => cause instanceof Refusal && cause.code === 'DEVICE_UNRESOLVED'

/** On its way, and the key before it lost: that the Device still holds that one cannot be proven. */
function isStranded(work: Work, { id, holder, type }: StoredKey): boolean {
  const before = work.key(holder, type, 'active')
  return work.key(holder, type, 'offered')?.id === id && !(before?.octets && !before.corrupt)
}

/**
 * The same keys once more, through another client (smets1-keys.md section 6.5): an offered key is neither withdrawn nor
 * overwritten, and whichever offer of it the Device takes, it then answers under it.
 * @throws Refusal KEY_LOST when no other client may set them: nothing more can be done from here, and
 * that stands among what cannot be done until it is
 */
async function offerAgain(
  work: Work,
  rotation: Rotation,
  holder: KeyedClient,
  keys: readonly StoredKey[],
): Promise<Standing> {
  const lost = async (why: string) => {
    const says = `${lostOnItsWay}: ${why}; it has to be seen to there`
    await work.hands.store.transaction(async client => {
      for (const { type } of keys) await keepException(client, rotation.id, holder, type, says)
    })
    return no('KEY_LOST', `of ${holder}: ${says}`)
  }
  const other = carriers(work.model, holder).find(client => client !== holder)
  if (other === undefined) throw await lost('no other client may set it')
  const through = await settle(work, other)
  const again = work.keys.filter(({ id }) => keys.some(key => key.id === id))
  const result = await offer(work, through, again, work.key('device', 'MK', 'active'))
  await release(work, through)
  return settle(work, holder, result === 0).catch(async cause => {
    // Without an answer, another try may bring one.
    if (!isUnresolved(cause) || result === null || result === 0) throw cause
    throw await lost(`it refuses it through ${other}, ${actionResults[result] ?? `result ${result}`}`)
  })
}

/**
 * An association through which the keys of a holder can be set: one that stands, else its own, else that of another client
 * that may. Another repairs what is lost (section 6.5); so it is asked only when the client's own keys are missing, or it
 * has not answered under them for some tries.
 */
async function carrier(
  work: Work,
  rotation: Rotation,
  holder: KeyedClient,
  standing: Standing | undefined,
): Promise<Standing> {
  const able = carriers(work.model, holder)
  if (standing && able[0] === standing.client) return standing
  if (standing) await release(work, standing)
  let refused: unknown
  for (const client of able) {
    try {
      return await settle(work, client)
    } catch (cause) {
      const lost = cause instanceof Refusal && cause.code === 'KEY_LOST'
      const silent = cause instanceof Refusal && cause.code === 'DEVICE_UNRESOLVED'
      const tries = silent ? await attemptsOf(work.hands.store, rotation.id) : 0
      if (!lost && !(silent && tries >= work.hands.settings.refusals)) throw cause
      refused ??= cause
    }
  }
  throw refused ?? new Refusal('MODEL_CANNOT', `no client of the model may set the keys of ${holder}`)
}

async function later(hands: S1spHands, rotation: Rotation): Promise<RotationState> {
  await keepAttempt(hands, rotation, 'open', 'KEY_NOT_TAKEN', 'the Device was proven not to have taken a key')
  return 'open'
}

/** What stopped a try, by its code: where nothing can be done any more, the rotation closes and says so. */
async function stopped(
  hands: S1spHands,
  work: Work | undefined,
  rotation: Rotation,
  refused: Refusal,
): Promise<RotationState> {
  const { code, message } = refused
  if (work && lostCodes.has(code) && (await keepLost(work, rotation))) {
    await closeRotation(hands, rotation, [])
    return 'closed'
  }
  const state = code === 'DEVICE_UNREACHABLE' || code === 'DEVICE_UNADDRESSED' ? 'unreachable' : 'unresolved'
  const shown = code === 'DCO_UNREACHABLE' ? 'open' : state
  await keepAttempt(hands, rotation, shown, code, message)
  return shown
}

const lostCodes: ReadonlySet<string> = new Set(['MASTER_KEY_LOST', 'KEY_LOST', 'RECORD_CORRUPT'])
