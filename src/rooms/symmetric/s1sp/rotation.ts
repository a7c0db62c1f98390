/** Rotations: opened on a ground, tried until they close, each try on record (smets1-keys.md sections 4, 6.2). */

import type { ClientBase } from 'pg'
import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import type { Store } from '../../../ground/store/store.ts'
import { dueBy, type Ground, referenceOf } from '../../../policy/symmetric/grounds.ts'
import type { KeyHolder, LastingType } from '../../../policy/symmetric/keys.ts'
import { gathered } from '../gathered.ts'
import type { S1spHands } from './hands.ts'
import { nameOf } from './plan.ts'

export type RotationState = 'open' | 'unresolved' | 'unreachable' | 'closed'

export interface Rotation {
  readonly id: bigint
  readonly device: string
  readonly ground: Ground
  /** Names of keys; null is all that the model lets be replaced. */
  readonly wanted: readonly string[] | null
  readonly campaign: bigint | null
  readonly opened: Date
  readonly due: Date | null
  readonly late: boolean
  readonly state: RotationState
}

export const rotationColumns = 'id, device, ground, wanted, campaign, opened, due, late, state'

/**
 * Opens a rotation. Nothing opens one but an event: there is no age at which a key is replaced (Policy b(iii)).
 * @returns undefined when that ground has opened one of this Device before
 */
export async function openRotation(
  client: ClientBase,
  { clock }: Pick<S1spHands, 'clock'>,
  what: {
    readonly device: string
    readonly ground: Ground
    readonly wanted?: readonly string[]
    readonly campaign?: bigint
  },
): Promise<bigint | undefined> {
  const { device, ground, wanted, campaign } = what
  // The seven days run from the moment of commissioning, as recorded, not from when we heard of it.
  const due = ground.ground === 'commissioned' ? dueBy(new Date(ground.at)) : null
  const { rows } = await client.query<{ id: bigint }>(
    `INSERT INTO rotation (device, ground, wanted, campaign, opened, due, state)
     VALUES ($1, $2, $3, $4, $5, $6, 'open') ON CONFLICT DO NOTHING RETURNING id`,
    [device, JSON.stringify(ground), wanted ?? null, campaign ?? null, clock(), due],
  )
  const id = rows[0]?.id
  if (id === undefined) return undefined
  const body = {
    device,
    rotation: Number(id),
    ground: ground.ground,
    reference: referenceOf(ground),
    ...(wanted && { wanted: [...wanted] }),
    ...(due && { due: due.toISOString() }),
  }
  await append(client, entry('rotation.due', clock(), body))
  return id
}

export async function rotationOf(store: S1spHands['store'], id: bigint): Promise<Rotation> {
  const { rows } = await store.query<Rotation>(`SELECT ${rotationColumns} FROM rotation WHERE id = $1`, [id])
  if (rows[0] === undefined) throw new Error(`there is no rotation ${id}`)
  return rows[0]
}

/** A try that did not close the rotation; when the seven days are over, that it is late is written down once. */
export async function keepAttempt(
  hands: S1spHands,
  rotation: Rotation,
  state: Exclude<RotationState, 'closed'>,
  code: string,
  says: string,
): Promise<void> {
  const at = hands.clock()
  await hands.store.transaction(async client => {
    await client.query('INSERT INTO attempt (rotation, at, code, says) VALUES ($1, $2, $3, $4)', [
      rotation.id,
      at,
      code,
      says.slice(0, 500),
    ])
    await client.query("UPDATE rotation SET tried = $1, state = $2 WHERE id = $3 AND state <> 'closed'", [
      at,
      state,
      rotation.id,
    ])
    const body = { device: rotation.device, rotation: Number(rotation.id), state, code }
    await append(client, entry('rotation.tried', at, body))
    await noteLate(client, hands, rotation)
  })
}

/** How many tries did not close it. */
export async function attemptsOf(
  store: Pick<S1spHands['store'], 'query'> | ClientBase,
  rotation: bigint,
): Promise<number> {
  const text = 'SELECT count(*) AS n FROM attempt WHERE rotation = $1'
  const { rows } = await (store as ClientBase).query<{ n: bigint }>(text, [rotation])
  return Number(rows[0]!.n)
}

/** Policy b(iii): at the latest seven days after commissioning, subject to the Device being reachable. */
export async function noteLate(
  client: ClientBase,
  { clock }: Pick<S1spHands, 'clock'>,
  rotation: Rotation,
): Promise<void> {
  const at = clock()
  if (rotation.due === null || rotation.late || at <= rotation.due) return
  const { rowCount } = await client.query('UPDATE rotation SET late = true WHERE id = $1 AND NOT late', [
    rotation.id,
  ])
  if (rowCount !== 1) return
  const body = {
    device: rotation.device,
    rotation: Number(rotation.id),
    due: rotation.due.toISOString(),
    attempts: await attemptsOf(client, rotation.id),
  }
  await append(client, entry('rotation.late', at, body))
}

/** What the Device or its model cannot, by the name of the key. */
export const exceptions = gathered<Pick<Store, 'query'>, bigint, Map<string, string>>(async (store, rotations) => {
  const { rows } = await store.query<{ rotation: bigint; what: string; says: string }>({
    name: 's1sp exceptions',
    text: 'SELECT rotation, what, says FROM exception WHERE rotation = ANY ($1)',
    values: [rotations],
  })
  const found = Map.groupBy(rows, ({ rotation }) => rotation)
  return rotations.map(id => new Map(found.get(id)?.map(({ what, says }) => [what, says])))
})

/** How what stands against a key begins whose old record is lost, and whose new one the Device cannot be brought to take. */
export const lostOnItsWay = 'its record is lost, and the Device does not answer under the new one'

export async function keepException(
  client: ClientBase,
  rotation: bigint,
  holder: KeyHolder,
  type: LastingType,
  says: string,
): Promise<void> {
  await client.query('INSERT INTO exception (rotation, what, says) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
    rotation,
    nameOf(holder, type),
    says,
  ])
}

/** Closes a rotation: complete, or with what stands against it on record, not left pending for ever. */
export async function closeRotation(
  hands: S1spHands,
  rotation: Rotation,
  modelCannot: readonly string[],
): Promise<void> {
  const at = hands.clock()
  await hands.store.transaction(async client => {
    for (const says of modelCannot) {
      const values = [rotation.id, says]
      await client.query(
        'INSERT INTO exception (rotation, what, says) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING',
        values,
      )
    }
    // What was lost on its way, and was seen to since, stands against it no longer.
    await client.query(
      `DELETE FROM exception e USING key_record k WHERE e.rotation = $1 AND k.rotation = $1 AND k.device = $2
         AND k.stage = 'active' AND e.what = concat(k.holder, '/', k.type) AND starts_with(e.says, $3)`,
      [rotation.id, rotation.device, lostOnItsWay],
    )
    const { rows } = await client.query<{ what: string; says: string }>(
      'SELECT what, says FROM exception WHERE rotation = $1 ORDER BY what',
      [rotation.id],
    )
    const outcome = rows.length === 0 ? 'complete' : 'complete with exceptions'
    await client.query(
      "UPDATE rotation SET state = 'closed', closed = $1, tried = $1, outcome = $2 WHERE id = $3 AND state <> 'closed'",
      [at, outcome, rotation.id],
    )
    await noteLate(client, hands, rotation)
    const body = {
      device: rotation.device,
      rotation: Number(rotation.id),
      ground: rotation.ground.ground,
      reference: referenceOf(rotation.ground),
      outcome,
      exceptions: rows.map(({ what, says }) => (what === says ? says : `${what}: ${says}`)),
    }
    await append(client, entry('rotation.closed', at, body))
    if (rotation.campaign === null) return
    // Of two that close at one moment neither would see the other: the second waits, and then it does.
    await client.query('SELECT FROM campaign WHERE id = $1 FOR UPDATE', [rotation.campaign])
    await client.query(finishCampaign, [rotation.campaign, at])
  })
}

/** A campaign is finished when the last rotation of its frozen list has closed. */
const finishCampaign = `UPDATE campaign SET state = 'finished', finished = $2 WHERE id = $1 AND state = 'running'
  AND NOT EXISTS (SELECT FROM campaign_device d LEFT JOIN rotation r ON r.id = d.rotation
    WHERE d.campaign = $1 AND (r.id IS NULL OR r.state <> 'closed'))`
