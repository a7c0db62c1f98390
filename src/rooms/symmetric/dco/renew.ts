/** Records under a new HSM Key, and whether seals hold: what is done with records that opens no key for anybody. */

import { fromHex, toHex } from '../../../ground/bytes.ts'
import { roleOf } from '../../../ground/keystore/symmetric.ts'
import type { Client } from '../../../ground/store/store.ts'
import { lastingTypes } from '../../../policy/symmetric/keys.ts'
import { isSigned, type KeyRecord, readRecord } from '../record.ts'
import { no } from '../refusals.ts'
import { deviceOf, keyIn, keysOf, lockDevice } from './devices.ts'
import { signingKeys } from './hands.ts'
import { hsmKeys } from './hsm-register.ts'
import { Conflict, type Planner, type Told } from './plan.ts'
import { admit, isSealed, makeRecord, packagedIn } from './records.ts'

/**
 * The same keys under the newest HSM Key of the same role, in one step inside: there is no other way from one HSM Key to
 * another. Of the old packages only what a rotation needs: the MK, and the active keys (section 6.4).
 */
export const renewRecords: Planner<'renew-records'> = async ({ hands, module, s1sp, question }) => {
  const renewed: { old: KeyRecord; octets: Buffer; record: KeyRecord }[] = []
  const all = await hsmKeys(hands.store)
  for (const octets of question.records) {
    const { device } = readRecord(octets).record
    const { record: old } = await admit(hands, s1sp.name, octets, { types: lastingTypes, device })
    await deviceOf(hands, s1sp.name, device)
    const row = keyIn(await keysOf(hands.store, device), old)
    if (row.record !== old.id) throw no('RECORD_NOT_KNOWN')
    if (row.stage !== 'active') throw no('KEY_STAGE', `the ${row.type} is ${row.stage}`)
    const under = all.find(({ label }) => label === old.hsmKey)
    const next = await hands.hsm.newestFor(old.type, s1sp.name)
    if (!under?.renewing || next.role !== roleOf[old.type] || next.label === old.hsmKey) {
      throw no('RENEWAL_NOT_OPEN', old.hsmKey)
    }
    const packaged = module.repackage(old.type, packagedIn(old), next.label)
    const { holder, type, generation } = old
    const made = await makeRecord(hands, {
      device,
      holder,
      type,
      generation,
      packaged,
      hsmGeneration: next.generation,
    })
    renewed.push({ old, record: made.record, octets: Buffer.from(made.octets) })
  }
  const keep = async (db: Client): Promise<void> => {
    for (const device of [...new Set(renewed.map(({ old }) => old.device))].sort()) await lockDevice(db, device)
    for (const { old, record } of renewed) {
      const { rowCount } = await db.query(
        `UPDATE dco_key SET former_record = record, record = $3
          WHERE device = $1 AND record = $2 AND stage = 'active'`,
        [fromHex(old.device), fromHex(old.id), fromHex(record.id)],
      )
      if (rowCount === 0) throw new Conflict('the key was renewed or superseded meanwhile')
    }
  }
  const tells = renewed.map(({ old, record }): Told => {
    const { device, holder, type, generation } = old
    const body = { device, client: holder, keyType: type, record: record.id, former: old.id, generation }
    return { act: 'record.renewed', body: { ...body, from: old.hsmKey, to: record.hsmKey } }
  })
  return { content: { records: renewed.map(({ octets }) => toHex(octets)) }, tells, keep }
}

export const checkRecords: Planner<'check-records'> = async ({ hands, question }) => {
  const spki = hands.keys.publicKey(signingKeys.records)
  const sound: boolean[] = []
  const corrupt: number[] = []
  for (const [i, octets] of question.records.entries()) {
    const holds = await soundness(octets)
    sound.push(holds)
    if (!holds) corrupt.push(i)
  }
  const tells = corrupt.length > 0 ? [{ act: 'record.corrupt', body: { places: corrupt } }] : []
  return { content: { sound }, tells }

  async function soundness(octets: Uint8Array): Promise<boolean> {
    const sealed = readOrNot(octets)
    return sealed !== undefined && (await isSealed(hands, sealed)) && isSigned(sealed, spki)
  }
}

function readOrNot(octets: Uint8Array) {
  try {
    return readRecord(octets)
  } catch {
    // What cannot be read is corrupt: there is one reason only for which `readRecord` throws.
    return undefined
  }
}
