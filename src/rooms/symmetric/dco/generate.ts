/** New keys: made in the module, on a ground, one at a time of each Device (smets1-keys.md sections 4 and 6.2). */

import { fromHex, toHex } from '../../../ground/bytes.ts'
import type { Client } from '../../../ground/store/store.ts'
import { type Ground, referenceOf } from '../../../policy/symmetric/grounds.ts'
import { belongs, keyIdOf, type LastingType, lastingTypes } from '../../../policy/symmetric/keys.ts'
import type { DeviceModel } from '../../../policy/symmetric/models.ts'
import { isUnresolved } from '../../../policy/symmetric/stages.ts'
import { gathered } from '../gathered.ts'
import { readRecord } from '../record.ts'
import { no } from '../refusals.ts'
import { requireDecision } from './decisions.ts'
import { type DeviceRow, deviceOf, type KeyRow, keyIn, keysOf, lockDevice, stateOf } from './devices.ts'
import { type Asking, Conflict, type Planner } from './plan.ts'
import { admit, makeRecord } from './records.ts'

export const makeKey: Planner<'make-key'> = async asking => {
  const { hands, module, s1sp, question, now, openings } = asking
  const { device, holder, keyType: type, ground } = question
  if (!belongs(type, holder)) throw no('RECORD_WRONG_TYPE', `a key of type ${type} of ${holder}`)
  const known = await deviceOf(hands, s1sp.name, device)
  const keys = await keysOf(hands.store, device)

  // 1. May it be made?
  if (!can(known.model, type)) throw no('MODEL_CANNOT', `${known.model.name}: ${type}`)
  requireResolved(keys, known.model, holder, type)
  await requireGround(asking, known, keys)

  // 2. The Device's other keys, as the S1SP has them: that no two of one Device are equal, nor new and old.
  const others = []
  for (const octets of question.records) {
    const one = await admit(hands, s1sp.name, octets, { types: lastingTypes, device })
    keyIn(keys, one.record)
    others.push(one)
  }
  const active = keys.find(key => key.holder === holder && key.type === type && key.stage === 'active')
  const shown = others.some(({ record }) => active && keyIn(keys, record) === active)
  if (active && !shown && ground.ground !== 'lost-or-corrupt')
    throw no('RECORD_MISSING', `the active ${type} of ${holder}`)

  // 3. Made and packaged inside; a key that came out twice would mean that the module's randomness is broken.
  const generation =
    1 + Math.max(0, ...keys.filter(key => key.holder === holder && key.type === type).map(g => g.generation))
  const hsmKey = await hands.hsm.newestFor(type, s1sp.name)
  const made = module.makeKey(type, keyIdOf({ device, holder, type, generation }), hsmKey.label)
  openings.keep(made.key)
  if (others.some(other => module.same(openings.open(other), made.key))) throw no('KEYS_EQUAL', `of ${device}`)
  const what = { device, holder, type, generation, packaged: made.packaged, hsmGeneration: hsmKey.generation }
  const sealed = await makeRecord(hands, what)

  const keep = async (client: Client): Promise<void> => {
    await lockDevice(client, device)
    if (ground.ground === 'commissioned' && !known.commissionedAt) await keepCommissioned(client, device, ground.at)
    const row = { device, holder, type, generation, record: sealed.record.id, reference: referenceOf(ground) }
    if (!(await kept(client, { ...row, ground: ground.ground, at: now }))) {
      throw new Conflict('another key was made meanwhile')
    }
    // Of another holder or type: what was resolved when the plan was made may not be any more.
    const others = (await keysOf(client, device)).filter(key => key.record !== sealed.record.id)
    requireResolved(others, known.model, holder, type)
  }
  const from = active?.generation ?? null
  const body = { device, client: holder, keyType: type, record: sealed.record.id, from, to: generation }
  const why = { ground: ground.ground, reference: referenceOf(ground), hsmKey: hsmKey.label }
  return {
    content: { record: toHex(sealed.octets) },
    tells: [{ act: 'key.made', body: { ...body, ...why } }],
    keep,
  }
}

interface Made {
  readonly device: string
  readonly holder: string
  readonly type: string
  readonly generation: number
  readonly record: string
  readonly ground: string
  readonly reference: string
  readonly at: Date
}

/** @returns of each whether there was room for it */
const kept = gathered<Client, Made, boolean>(async (client, keys) => {
  const { rows } = await client.query<{ record: string }>({
    name: 'dco made',
    text: `INSERT INTO dco_key (stage, device, holder, type, generation, record, ground, reference, made_at)
      SELECT 'made', * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::int[], $5::bytea[], $6::text[], $7::text[],
        $8::timestamptz[]) ON CONFLICT DO NOTHING RETURNING encode(record, 'hex') AS record`,
    values: [
      keys.map(({ device }) => fromHex(device)),
      keys.map(({ holder }) => holder),
      keys.map(({ type }) => type),
      keys.map(({ generation }) => generation),
      keys.map(({ record }) => fromHex(record)),
      keys.map(({ ground }) => ground),
      keys.map(({ reference }) => reference),
      keys.map(({ at }) => at),
    ],
  })
  const made = new Set(rows.map(({ record }) => record))
  return keys.map(({ record }) => made.has(record))
})

async function keepCommissioned(client: Client, device: string, at: string): Promise<void> {
  await client.query('UPDATE dco_device SET commissioned_at = COALESCE(commissioned_at, $2) WHERE eui64 = $1', [
    fromHex(device),
    new Date(at),
  ])
}

export const abandonKey: Planner<'abandon-key'> = async ({ hands, s1sp, question }) => {
  // Only the outside is read before the seal is checked: whose it claims to be.
  const { device } = readRecord(question.record).record
  const { record } = await admit(hands, s1sp.name, question.record, { types: lastingTypes, device })
  await deviceOf(hands, s1sp.name, device)
  const row = keyIn(await keysOf(hands.store, device), record)
  if (row.stage !== 'made') throw no('KEY_STAGE', `it is ${row.stage}`)
  const keep = async (client: Client): Promise<void> => {
    await lockDevice(client, device)
    const { rowCount } = await client.query(
      "UPDATE dco_key SET stage = 'abandoned' WHERE record = $1 AND device = $2 AND stage = 'made'",
      [fromHex(row.record), fromHex(device)],
    )
    if (rowCount === 0) throw new Conflict('the key was offered meanwhile')
  }
  const key = { ...stateOf(row), stage: 'abandoned' as const }
  const body = { device, client: row.holder, keyType: row.type, record: row.record, generation: row.generation }
  return { content: { key }, tells: [{ act: 'key.abandoned', body: { ...body, because: 'never offered' } }], keep }
}

function can({ rotates }: DeviceModel, type: LastingType): boolean {
  return { MK: rotates.mk, AK: rotates.ak, GUEK: rotates.guek, GBEK: rotates.broadcast }[type]
}

/**
 * One unresolved rotation of a Device at a time. Two cases are no second one: an MK that was offered is proven by one more
 * AK, with its GUEK where they go together; and where a model takes several keys of a client together, they are made
 * together.
 */
function requireResolved(keys: readonly KeyRow[], model: DeviceModel, holder: string, type: LastingType): void {
  for (const key of keys.filter(({ stage }) => isUnresolved(stage))) {
    const proof = key.type === 'MK' && key.stage === 'offered' && provesMk(keys, model, holder, type)
    const together =
      model.keyTransfer === 'one-array' && key.holder === holder && key.type !== type && key.stage === 'made'
    if (!proof && !together)
      throw no('KEY_UNRESOLVED', `${key.type} of ${key.holder}, generation ${key.generation}`)
  }
}

/**
 * Whether such a key may be made to prove an MK that was offered. Of a Device that wants strictly the next counter an AK
 * does not travel without a new GUEK, so there one may be made beside the AK.
 */
function provesMk(keys: readonly KeyRow[], { counters }: DeviceModel, holder: string, type: LastingType): boolean {
  if (!keys.some(key => key.type === 'MK' && key.stage === 'offered')) return false
  const beside = keys.some(key => key.holder === holder && key.type === 'AK' && key.stage === 'made')
  return type === 'AK' || (type === 'GUEK' && counters.rule === 'strictly-next' && beside)
}

async function requireGround(
  { hands, question }: Asking<'make-key'>,
  { device, model, commissionedAt }: DeviceRow,
  keys: readonly KeyRow[],
): Promise<void> {
  const { holder, keyType: type, ground } = question
  if (
    ground.ground === 'commissioned' &&
    commissionedAt &&
    commissionedAt.toISOString() !== new Date(ground.at).toISOString()
  ) {
    throw no('GROUND_UNKNOWN', 'the Device was Commissioned at another time')
  }
  if (ground.ground === 'pma-instruction') await requireDecision(hands, ground.decision, device)
  if (ground.ground === 'lost-or-corrupt') return
  // There is no periodic rotation: what a ground asked for is done once. One more is made only to prove an MK.
  const done = keys.some(
    key =>
      key.holder === holder &&
      key.type === type &&
      key.provenAt !== null &&
      key.generation > 0 &&
      isSame(ground, key),
  )
  if (done && !provesMk(keys, model, holder, type)) throw no('GROUND_SPENT', `${type} of ${holder}`)
}

const isSame = (ground: Ground, key: KeyRow) =>
  key.ground === ground.ground && key.reference === referenceOf(ground)
