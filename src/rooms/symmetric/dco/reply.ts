/** Replies: verified and deciphered under the Device's title and with a response tag only (smets1-keys.md section 6.3). */

import { type Bytes, toHex } from '../../../ground/bytes.ts'
import { readActionResponse } from '../../../ground/dlms/action.ts'
import type { Floor } from '../../../ground/dlms/floor.ts'
import { readPlain } from '../../../ground/dlms/plain.ts'
import type { Keys } from '../../../ground/dlms/protect.ts'
import { refusal } from '../../../ground/dlms/refusals.ts'
import { type Removed, remove } from '../../../ground/dlms/remove.ts'
import type { CipherKey, Opened } from '../../../ground/keystore/dlms-cipher.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { Client } from '../../../ground/store/store.ts'
import { no } from '../refusals.ts'
import { floorOf, keepFloor } from './counters.ts'
import { keyIn, keysOf, lockDevice } from './devices.ts'
import type { Asking, Planner, Told } from './plan.ts'
import { admit } from './records.ts'
import { broadcastTaken } from './resolve.ts'
import { type Awaiting, enter, type Session, saysOf, step } from './session.ts'

/** One set of keys that the reply may be under. */
interface Candidate {
  readonly under: 'association' | 'new'
  readonly keys: Keys
  readonly keyId: string
}

export const openReply: Planner<'open-reply'> = async asking => {
  const session = await enter(asking, 'proven')
  const { association } = session
  const { awaiting } = association
  if (!awaiting) throw no('ASSOCIATION_STATE', 'nothing was asked that is not answered')
  const title = association.title!
  const found = await firstThatOpens(asking, title, await candidates(asking, session, awaiting))
  const { removed, candidate, floor } = found
  try {
    requireAnswer(removed, awaiting)
    const result = awaiting.service === 'action-response' ? readActionResponse(removed.text).result : null
    const content = { service: removed.service, text: toHex(removed.text), under: candidate.under }
    const keep = async (db: Client): Promise<Told[]> => {
      if (awaiting.what === 'offer') await lockDevice(db, association.device.device)
      await step(db, association, { state: 'proven', awaiting: null })
      await keepFloor(db, candidate.keyId, title, floor, removed.floor)
      return awaiting.what === 'offer' && result === 0
        ? broadcastTaken(db, asking, association, awaiting.offered ?? [])
        : []
    }
    const body = {
      ...saysOf(session),
      counter: removed.counter,
      service: removed.service,
      under: candidate.under,
      result,
    }
    return { content, tells: [{ act: 'reply.verified', body: { ...body, to: awaiting.what } }], keep }
  } finally {
    removed.text.fill(0)
  }
}

/** The old keys first; then, after an offer, what the Device may have taken of it (section 7, rule 11). */
async function candidates(
  asking: Asking<'open-reply'>,
  { association, keys }: Session,
  awaiting: Awaiting,
): Promise<Candidate[]> {
  const { hands, s1sp, question, openings } = asking
  const first: Candidate = { under: 'association', keys, keyId: keys.key.id }
  if (awaiting.what !== 'offer') return [first]
  const { device } = association.device
  const rows = await keysOf(hands.store, device)
  const owner = { device, holder: association.client }
  const offered = async <T extends 'AK' | 'GUEK'>(octets: Uint8Array | undefined, type: T) => {
    if (!octets) return undefined
    const admitted = await admit(hands, s1sp.name, octets, { types: [type], ...owner })
    const row = keyIn(rows, admitted.record)
    if (row.stage !== 'offered') throw no('KEY_STAGE', `the ${type} is ${row.stage}`)
    return openings.open(admitted)
  }
  const newAk = await offered(question.newAk, 'AK')
  const newGuek = await offered(question.newGuek, 'GUEK')
  const of = (key: CipherKey, ak: Opened<'AK'>): Candidate => ({
    under: 'new',
    keys: { ...keys, key, ak },
    keyId: key.id,
  })
  return [
    first,
    ...(newAk ? [of(keys.key, newAk)] : []),
    ...(newGuek ? [of(newGuek, keys.ak)] : []),
    ...(newAk && newGuek ? [of(newGuek, newAk)] : []),
  ]
}

async function firstThatOpens(
  asking: Asking<'open-reply'>,
  title: Bytes,
  tried: readonly Candidate[],
): Promise<{ removed: Removed; candidate: Candidate; floor: Floor }> {
  let first: Refusal | undefined
  for (const candidate of tried) {
    const floor = await floorOf(asking, candidate.keyId, title)
    try {
      const removed = remove(candidate.keys, asking.question.apdu, { from: 'server', title, floor })
      return { removed, candidate, floor }
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause
      // What is said is why it does not open under the keys of the association.
      first ??= cause
    }
  }
  throw first
}

/** That it answers what was asked: the service, and the invoke-id. So no pass 4 is ever deciphered here. */
function requireAnswer({ service, text }: Removed, awaiting: Awaiting): void {
  if (service !== awaiting.service) throw refusal('DLMS_SERVICE_MISMATCH', service)
  const plain = readPlain(text)
  if (!('invoke' in plain) || plain.invoke !== awaiting.invoke) {
    throw refusal('DLMS_SERVICE_MISMATCH', 'another invoke-id')
  }
}
