/** Lost and corrupt keys: found, never opened, replaced where that can be; reported where it cannot (section 6.5). */

import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import { type KeyHolder, keyedClients, type LastingType } from '../../../policy/symmetric/keys.ts'
import { ask, newMessage } from './ask.ts'
import type { S1spHands } from './hands.ts'
import { carriers, nameOf } from './plan.ts'
import { isCurrent, isSound, type StoredKey } from './records.ts'
import { keepException, openRotation, type Rotation } from './rotation.ts'
import { Work } from './work.ts'

export interface Lost {
  readonly device: string
  readonly holder: KeyHolder
  readonly type: LastingType
  /** `missing`: there is no record; `corrupt`: its signature or its seal does not hold. */
  readonly how: 'missing' | 'corrupt'
  /** What can be done; `report` is: nothing, from here. */
  readonly can: 'rotate' | 'report'
}

/**
 * Looks at all records of a Device: signatures here, seals at the DCO. What is corrupt is marked, and never opened
 * "to see"; what can be replaced gets a rotation with the finding as its evidence.
 */
export async function checkDevice(hands: S1spHands, device: string): Promise<Lost[]> {
  const work = await Work.on(hands, device)
  const keys = work.keys.filter(isCurrent)
  const signed = keys.filter(key => isSound(key, hands.recordKey))
  const sealed = signed.length === 0 ? [] : await sound(hands, signed)
  const corrupt = keys.filter(key => !signed.includes(key) || !sealed[signed.indexOf(key)])
  for (const key of corrupt.filter(({ corrupt }) => !corrupt)) await markCorrupt(hands, key)
  await work.refresh()
  const found = lostOf(work)
  const repairable = found.filter(({ can }) => can === 'rotate')
  await hands.store.transaction(async client => {
    if (found.some(({ type }) => type === 'MK')) {
      const cannot = 'the record of the Master Key is missing or corrupt: the Device can never be re-keyed'
      const { rowCount } = await client.query(
        'UPDATE device SET cannot = $1 WHERE device = $2 AND cannot IS NULL',
        [cannot, device],
      )
      const body = { device, holder: 'device', type: 'MK' }
      if (rowCount === 1) await append(client, entry('master-key.lost', hands.clock(), body))
    }
    if (repairable.length === 0) return
    const wanted = repairable.map(({ holder, type }) => nameOf(holder, type))
    const evidence = repairable
      .map(({ holder, type, how }) => `${nameOf(holder, type)} ${how} ${evidenceOf(keys, holder, type)}`)
      .join('; ')
      .slice(0, 200)
    await openRotation(client, hands, { device, ground: { ground: 'lost-or-corrupt', evidence }, wanted })
  })
  return found
}

/** What a Device should have by its model, and has not, or has corrupt. */
export function lostOf(work: Work): Lost[] {
  const { model, device } = work
  const wanted: [KeyHolder, LastingType][] = [
    ...keyedClients.flatMap(client => [[client, 'AK'] as const, [client, 'GUEK'] as const]),
    ['device', 'MK'],
  ].map(([holder, type]) => [holder as KeyHolder, type as LastingType])
  const here = (holder: KeyHolder, type: LastingType) => {
    const key = work.key(holder, type, 'active')
    return key !== undefined && key.octets !== null && !key.corrupt
  }
  const whole = (client: KeyHolder) => here(client, 'AK') && here(client, 'GUEK')
  return wanted
    .filter(([holder, type]) => !here(holder, type))
    .map(([holder, type]) => {
      const how = work.key(holder, type, 'active') === undefined ? 'missing' : 'corrupt'
      const byOther = carriers(model, holder).some(client => client !== holder && whole(client))
      const can = type !== 'MK' && here('device', 'MK') && byOther ? 'rotate' : 'report'
      return { device: device.device, holder, type, how, can } as const
    })
}

/**
 * What a try at a rotation found lost, on record as what cannot be done there.
 * @returns whether nothing more can be done in that rotation
 */
export async function keepLost(work: Work, rotation: Rotation): Promise<boolean> {
  const found = await checkDevice(work.hands, work.device.device)
  const hopeless = found.filter(({ can }) => can === 'report')
  if (hopeless.length === 0) return false
  const mkLost = hopeless.some(({ type }) => type === 'MK')
  if (mkLost) await giveUpMade(work)
  await work.hands.store.transaction(async client => {
    for (const { holder, type, how } of hopeless) {
      await keepException(
        client,
        rotation.id,
        holder,
        type,
        `the key record is ${how}, and cannot be replaced remotely`,
      )
    }
    if (!mkLost) return
    const says = 'the Master Key is lost: no new key can be wrapped'
    for (const holder of keyedClients) {
      for (const type of ['AK', 'GUEK'] as const) await keepException(client, rotation.id, holder, type, says)
    }
    const values = [work.hands.clock(), work.device.device]
    await client.query(
      "UPDATE intent SET closed = $1, outcome = 'never begun' WHERE device = $2 AND closed IS NULL",
      values,
    )
  })
  return mkLost
}

/** A key that the Device has not heard of, and never will. */
async function giveUpMade(work: Work): Promise<void> {
  const { hands, device } = work
  for (const key of work.keys.filter(({ stage, octets }) => stage === 'made' && octets !== null)) {
    const message = newMessage(hands, 'abandon-key', { record: key.octets!.toString('hex') })
    await ask(hands, message)
    await hands.store.transaction(async client => {
      const values = [hands.clock(), key.id]
      await client.query("UPDATE key_record SET stage = 'abandoned', changed = $1 WHERE id = $2", values)
      const body = {
        message: message.id,
        device: device.device,
        holder: key.holder,
        type: key.type,
        record: key.id,
      }
      await append(client, entry('key.abandoned', hands.clock(), body))
    })
  }
  await work.refresh()
}

/** Every Device in turn: what is found stands in the journal and in the report of lost keys. */
export async function checkAll(hands: S1spHands, tell: (found: readonly Lost[]) => void): Promise<number> {
  let looked = 0
  for (let after = ''; ; ) {
    const { rows } = await hands.store.query<{ device: string }>(
      'SELECT device FROM device WHERE device > $1 ORDER BY device LIMIT 500',
      [after],
    )
    if (rows.length === 0) return looked
    for (const { device } of rows) {
      tell(await checkDevice(hands, device))
      looked++
    }
    after = rows.at(-1)!.device
  }
}

async function sound(hands: S1spHands, keys: readonly StoredKey[]): Promise<readonly boolean[]> {
  const records = keys.map(key => key.octets!.toString('hex'))
  return (await ask(hands, newMessage(hands, 'check-records', { records }))).sound
}

async function markCorrupt(hands: S1spHands, key: StoredKey): Promise<void> {
  await hands.store.transaction(async client => {
    await client.query('UPDATE key_record SET corrupt = true WHERE id = $1', [key.id])
    const { device, holder, type, id, generation } = key
    const body = { device, holder, type, record: id, generation }
    await append(client, entry('record.corrupt', hands.clock(), body))
  })
}

function evidenceOf(keys: readonly StoredKey[], holder: KeyHolder, type: LastingType): string {
  return keys.find(key => key.holder === holder && key.type === type && key.stage === 'active')?.id ?? 'no record'
}
