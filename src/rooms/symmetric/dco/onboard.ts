/** Onboarding: takes keys on from a previous holder's file, and packages them as generation 0 (smets1-keys.md 6.1). */

import { setImmediate as yielding } from 'node:timers/promises'
import { fromHex, toHex } from '../../../ground/bytes.ts'
import type { Opened } from '../../../ground/keystore/dlms-cipher.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { Client } from '../../../ground/store/store.ts'
import { inherited, keyIdOf } from '../../../policy/symmetric/keys.ts'
import { type InheritedDevice, readInheritedFile } from '../inherited.ts'
import type { SealedRecord } from '../record.ts'
import { no } from '../refusals.ts'
import { importKey, modelNamed } from './hands.ts'
import type { HsmRow } from './hsm-register.ts'
import type { Asking, Planner, Told } from './plan.ts'
import { makeRecord, Openings } from './records.ts'

/** One Device of the file: its records, or why it was not taken on. */
type Taken =
  | { readonly from: InheritedDevice; readonly records: readonly SealedRecord[] }
  | { readonly from: InheritedDevice; readonly refused: Refusal }

export const importKeys: Planner<'import-keys'> = async asking => {
  const { hands, s1sp, question } = asking
  // 1. Whose file it is, before anything in it is read.
  const { signed, content } = readInheritedFile(question.file)
  const holder = hands.settings.holders.find(({ name }) => name === signed.by)
  if (!holder || !signed.holds(fromHex(holder.publicKey))) throw no('FILE_UNSIGNED')
  const file = content()
  if (file.dco !== hands.settings.name || file.s1sp !== s1sp.name || file.importKey !== importKey) {
    throw no('FILE_NOT_FOR_US', `${file.importKey} of ${file.dco}, for ${file.s1sp}`)
  }
  const known = await hands.store.query('SELECT FROM dco_file WHERE holder = $1 AND file = $2', [
    holder.name,
    fromHex(file.file),
  ])
  if (known.rowCount !== 0) throw no('FILE_SEEN', file.file)

  // 2. Open, package and seal, Device by Device.
  const hsmKeys = {
    'DCO Key': await hands.hsm.newestFor('AK', s1sp.name),
    'Shared Key': await hands.hsm.newestFor('GUEK', s1sp.name),
  }
  const taken: Taken[] = []
  const seen = new Set<string>()
  for (const device of file.devices) {
    taken.push(await takeOn(asking, device, hsmKeys, seen))
    // RSA takes milliseconds a key: others are served in between.
    await yielding()
  }

  // 3. What is kept: the file, so that it is not seen twice; the Devices; which keys there are.
  const keep = async (client: Client): Promise<Told[]> => {
    const values = [holder.name, fromHex(file.file), asking.now]
    const { rowCount } = await client.query(
      'INSERT INTO dco_file (holder, file, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      values,
    )
    if (rowCount === 0) throw no('FILE_SEEN', file.file)
    for (const one of taken) if ('records' in one) await keepDevice(client, asking, one.from, one.records)
    return []
  }
  return { content: { devices: taken.map(answerFor) }, tells: taken.flatMap(one => tellsOf(one, file.file)), keep }
}

async function takeOn(
  asking: Asking,
  from: InheritedDevice,
  hsmKeys: Readonly<Record<'DCO Key' | 'Shared Key', HsmRow>>,
  seen: Set<string>,
): Promise<Taken> {
  const { hands } = asking
  const openings = new Openings(hands.module)
  try {
    modelNamed(hands, from.model)
    const before = await hands.store.query('SELECT FROM dco_device WHERE eui64 = $1', [fromHex(from.device)])
    if (before.rowCount !== 0) throw no('DEVICE_KNOWN', from.device)
    if (new Set(from.keys.map(({ holder, type }) => `${holder} ${type}`)).size !== from.keys.length) {
      throw no('FILE_UNREADABLE', `a key of ${from.device} stands twice`)
    }
    const records: SealedRecord[] = []
    const opened: Opened[] = []
    const packages: string[] = []
    for (const { holder, type, wrapped } of from.keys) {
      const hsmKey = hsmKeys[type === 'MK' || type === 'AK' ? 'DCO Key' : 'Shared Key']
      const id = keyIdOf({ device: from.device, holder, type, generation: inherited })
      const { key, packaged } = hands.module.importKey({
        type,
        id,
        hsmKey: hsmKey.label,
        transport: importKey,
        wrapped,
      })
      openings.keep(key)
      // Of one Device compared as keys; with other Devices of the file by their packages, which under one HSM Key are
      // equal when the keys are.
      if (opened.some(other => hands.module.same(other, key))) throw no('KEYS_EQUAL', `of ${from.device}`)
      opened.push(key)
      packages.push(`${hsmKey.label} ${toHex(packaged.octets)}`)
      const what = { device: from.device, holder, type, generation: inherited, packaged }
      records.push(await makeRecord(hands, { ...what, hsmGeneration: hsmKey.generation }))
    }
    if (packages.some(each => seen.has(each))) throw no('KEYS_EQUAL', `of ${from.device} and another Device`)
    for (const each of packages) seen.add(each)
    return { from, records }
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return { from, refused: cause }
  } finally {
    openings.close()
  }
}

async function keepDevice(
  client: Client,
  { s1sp, now }: Asking,
  { device, model, title, commissionedAt }: InheritedDevice,
  records: readonly SealedRecord[],
): Promise<void> {
  const eui64 = fromHex(device)
  const { rowCount } = await client.query(
    `INSERT INTO dco_device (eui64, s1sp, model, title, commissioned_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING`,
    [eui64, s1sp.name, model, title === null ? null : fromHex(title), commissionedAt],
  )
  if (rowCount === 0) throw no('DEVICE_KNOWN', device)
  const all = records.map(({ record }) => record)
  await client.query(
    `INSERT INTO dco_key (device, holder, type, generation, record, stage, ground, reference, made_at)
     SELECT $1, holder, type, $2, record, 'active', 'inherited', $3, $4
       FROM unnest($5::text[], $6::text[], $7::bytea[]) AS given (holder, type, record)`,
    [
      eui64,
      inherited,
      '',
      now,
      all.map(({ holder }) => holder),
      all.map(({ type }) => type),
      all.map(({ id }) => fromHex(id)),
    ],
  )
}

function answerFor(one: Taken) {
  const { device, model, title, commissionedAt } = one.from
  const records = 'records' in one ? one.records.map(({ octets }) => toHex(octets)) : []
  const refused = 'refused' in one ? { code: one.refused.code, says: one.refused.message } : null
  return { device, model, title, commissionedAt, records, refused }
}

function tellsOf(one: Taken, file: string): Told[] {
  const { device } = one.from
  if ('refused' in one) return [{ act: 'message.refused', body: { device, file, code: one.refused.code } }]
  return one.records.map(({ record: { id, holder, type, generation, hsmKey } }) => ({
    act: 'key.inherited',
    body: { device, client: holder, keyType: type, record: id, generation, hsmKey, file },
  }))
}
