/** New keys on their way to a Device: made, offered, sent, answered. Each step is stored before the next begins. */

import { fromHex } from '../../../ground/bytes.ts'
import { readActionResponse } from '../../../ground/dlms/action.ts'
import { entry } from '../../../ground/journal/entry.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { referenceOf } from '../../../policy/symmetric/grounds.ts'
import { inGroup } from '../together.ts'
import { ask, newMessage } from './ask.ts'
import { judged, type Standing } from './associate.ts'
import { keptToSend } from './gap.ts'
import { type Intended, type Intent, intendAnew } from './intent.ts'
import { appended, applyStages, octetsOf, type StoredKey, storeRecord } from './records.ts'
import { no } from './refusals.ts'
import type { Work } from './work.ts'

/** The key that was made for an intent, at whatever stage it is; undefined when there is none yet. */
export function keyOf(work: Work, { message }: Intended): StoredKey | undefined {
  return work.keys.find(key => key.message === message.id)
}

/**
 * Has the DCO make the key, and stores its record. If we stop before it is stored, the same message brings the same
 * record. @throws what the DCO refuses
 */
export async function make(work: Work, intent: Intent, { holder, type, message }: Intended): Promise<StoredKey> {
  const { hands, device } = work
  const { record } = await ask(hands, message).catch(async cause => {
    // The DCO has said no, and says the same whenever it gets this message again: another one asks anew.
    const said = cause instanceof Refusal && cause.code !== 'DCO_UNREACHABLE'
    if (said) await intendAnew(work, intent, message)
    throw cause
  })
  const stored = await inGroup(hands.store)(async client => {
    const due = {
      device: device.device,
      stage: 'made',
      rotation: intent.rotation,
      message: message.id,
      holder,
      type,
    } as const
    const key = await storeRecord(client, hands, record, due)
    const { ground } = message
    const from = work.key(holder, type, 'active')?.generation
    const body = {
      message: message.id,
      device: device.device,
      holder,
      type,
      record: key.id,
      generation: key.generation,
      ...(from !== undefined && { from }),
      ground: ground.ground,
      reference: referenceOf(ground),
    }
    await appended(client, entry('key.made', hands.clock(), body))
    return key
  })
  await work.refresh()
  return stored
}

/**
 * Offers keys to the Device. From here on each is `offered`: whatever happens, it is neither overwritten nor removed
 * until the Device has been proven to hold another.
 * @returns the action result, verified; null when no answer came that holds
 */
export async function offer(
  work: Work,
  standing: Standing,
  keys: readonly StoredKey[],
  mk: StoredKey | undefined,
): Promise<number | null> {
  const { hands, device } = work
  const { association, client } = standing
  const under = { association, ak: octetsOf(standing.ak), guek: octetsOf(standing.guek) }
  if (mk === undefined || mk.octets === null || mk.corrupt) throw no('MASTER_KEY_LOST')
  const offered = keys.map(key => octetsOf(key))
  const message = newMessage(hands, 'offer-keys', { ...under, mk: octetsOf(mk), keys: offered })
  const content = await keptToSend(work, client, standing.guek, message)

  // The point of no return: what is stored now says that the Device may hold the new key.
  await inGroup(hands.store)(async tx => {
    await applyStages(tx, hands, device.device, content.keys, { message: message.id, mk: mk.id })
  })
  await work.refresh()

  const fresh = (type: 'AK' | 'GUEK') => keys.find(key => key.type === type && key.holder === client)
  const [ak, guek] = [fresh('AK'), fresh('GUEK')]
  const candidates = { ...(ak && { newAk: octetsOf(ak) }), ...(guek && { newGuek: octetsOf(guek) }) }
  const answer = await judged(work, client, content.apdu, apdu =>
    ask(hands, newMessage(hands, 'open-reply', { ...under, apdu, ...candidates })),
  )
  if ('hint' in answer || answer.content.service !== 'action-response') return null
  return readActionResponse(fromHex(answer.content.text)).result
}

/** One read that the DCO forms and verifies: the association works. @returns whether the answer held */
export async function proofRead(work: Work, standing: Standing): Promise<boolean> {
  const { hands } = work
  const { association, client, ak, guek } = standing
  const under = { association, ak: octetsOf(ak), guek: octetsOf(guek) }
  const apdu = standing.read ?? (await protectedRead())
  standing.read = null
  const answer = await judged(work, client, apdu, reply =>
    ask(hands, newMessage(hands, 'open-reply', { ...under, apdu: reply })),
  )
  return !('hint' in answer) && answer.content.service === 'get-response'

  async function protectedRead(): Promise<string> {
    const message = newMessage(hands, 'protect-proof-read', under)
    return (await keptToSend(work, client, guek, message)).apdu
  }
}
