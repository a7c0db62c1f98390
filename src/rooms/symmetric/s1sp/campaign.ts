/** Bulk rotation on instruction of the SMKI PMA: a frozen list, a pace, a pause, and progress against the list (6.4). */

import { z } from 'zod'
import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import { keyedClients, lastingTypes } from '../../../policy/symmetric/keys.ts'
import type { S1spHands } from './hands.ts'
import { nameOf } from './plan.ts'
import { no } from './refusals.ts'
import { openRotation } from './rotation.ts'

/** The form on which a decision is entered. */
export const decisionForm = z.strictObject({
  /** The reference of the SMKI PMA's decision. */
  decision: z.string().regex(/^[\x20-\x7e]{1,200}$/),
  compromised: z.string().min(1).max(2000),
  where: z.enum(['DCO', 'S1SP', 'both', 'controls']),
  /** All Devices, those of models, or those of a list. */
  scope: z.discriminatedUnion('of', [
    z.strictObject({ of: z.literal('all') }),
    z.strictObject({ of: z.literal('models'), models: z.array(z.string()).min(1) }),
    z.strictObject({ of: z.literal('devices'), devices: z.array(z.string().regex(/^[0-9a-f]{16}$/)).min(1) }),
  ]),
  keyTypes: z.array(z.enum(lastingTypes)).min(1),
  hsmKeys: z.array(z.string()).default([]),
  by: z.iso.datetime(),
  /**
   * Whether Master Keys are in question. If they are: new keys travel wrapped under them, so the rotation shuts out those
   * who do not see its traffic, and no one else.
   */
  masterKeysInQuestion: z.boolean(),
})

export type DecisionForm = z.output<typeof decisionForm>

export const masterKeysWarning =
  'New keys travel wrapped under the Master Keys. Whoever has the Master Keys and the encryption keys, and sees the traffic ' +
  'of this rotation, reads the new keys; changing the Master Keys first does not help, for they travel under the old ones. ' +
  'If Master Keys are in question, this rotation shuts out those who are not on the wire at the time, and no one else.'

export interface Entered {
  readonly id: bigint
  /** The frozen list has so many Devices. */
  readonly devices: number
  readonly warning?: string
}

/**
 * Enters a decision, and freezes the list of Devices. Nothing starts: another person has to approve what is shown.
 * @param by a reference to the person
 * @throws Refusal CAMPAIGN_EXISTS, CAMPAIGN_EMPTY
 */
export async function enterDecision(hands: S1spHands, form: DecisionForm, by: string): Promise<Entered> {
  const { settings, clock } = hands
  return hands.store.transaction(async client => {
    const { rows } = await client.query<{ id: bigint }>(
      `INSERT INTO campaign (decision, form, state, entered_by, entered, pace, threshold)
       VALUES ($1, $2, 'entered', $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id`,
      [form.decision, JSON.stringify(form), by, clock(), settings.pace, settings.failureThreshold],
    )
    const id = rows[0]?.id
    if (id === undefined) throw no('CAMPAIGN_EXISTS', form.decision)
    const { scope } = form
    const devices = scope.of === 'devices' ? scope.devices : null
    const models = scope.of === 'models' ? scope.models : null
    const { rowCount } = await client.query(
      `INSERT INTO campaign_device (campaign, device) SELECT $1, device FROM device
       WHERE ($2::text[] IS NULL OR device = ANY ($2)) AND ($3::text[] IS NULL OR model = ANY ($3))`,
      [id, devices, models],
    )
    const count = rowCount ?? 0
    if (count === 0) throw no('CAMPAIGN_EMPTY')
    if (devices && count !== new Set(devices).size) {
      throw no('DEVICE_NOT_TAKEN_ON', `${devices.length - count} of the list`)
    }
    const body = { campaign: Number(id), decision: form.decision, devices: count, by, keyTypes: [...form.keyTypes] }
    await append(client, entry('campaign.entered', clock(), body))
    return { id, devices: count, ...(form.masterKeysInQuestion && { warning: masterKeysWarning }) }
  })
}

/** @throws Refusal TWO_PERSONS, CAMPAIGN_UNKNOWN, CAMPAIGN_STATE */
export async function approveCampaign(hands: S1spHands, id: bigint, by: string): Promise<void> {
  await change(hands, id, 'campaign.approved', { by }, ['entered'], async (client, campaign) => {
    if (campaign.entered_by === by) throw no('TWO_PERSONS')
    const values = [hands.clock(), by, id]
    await client.query(
      "UPDATE campaign SET state = 'running', approved = $1, since = $1, approved_by = $2 WHERE id = $3",
      values,
    )
  })
}

export async function pauseCampaign(hands: S1spHands, id: bigint, why: string): Promise<void> {
  await change(hands, id, 'campaign.paused', { why }, ['running'], client =>
    client.query("UPDATE campaign SET state = 'paused', why_paused = $1 WHERE id = $2", [why, id]),
  )
}

/** @param pace rotations a minute from now on */
export async function resumeCampaign(hands: S1spHands, id: bigint, by: string, pace?: number): Promise<void> {
  await change(hands, id, 'campaign.resumed', { by, ...(pace && { pace }) }, ['paused'], client =>
    client.query(
      `UPDATE campaign SET state = 'running', why_paused = NULL, since = $1, pace = coalesce($2, pace) WHERE id = $3`,
      [hands.clock(), pace ?? null, id],
    ),
  )
}

interface Campaign {
  readonly id: bigint
  readonly decision: string
  readonly form: DecisionForm
  readonly state: string
  readonly entered_by: string
  readonly pace: number
  readonly threshold: number
  readonly since: Date | null
}

type Tx = Parameters<Parameters<S1spHands['store']['transaction']>[0]>[0]

async function change(
  hands: S1spHands,
  id: bigint,
  act: string,
  body: Record<string, string | number>,
  from: readonly string[],
  work: (client: Tx, campaign: Campaign) => Promise<unknown>,
): Promise<void> {
  await hands.store.transaction(async client => {
    const { rows } = await client.query<Campaign>('SELECT * FROM campaign WHERE id = $1 FOR UPDATE', [id])
    const campaign = rows[0]
    if (campaign === undefined) throw no('CAMPAIGN_UNKNOWN', String(id))
    if (!from.includes(campaign.state)) throw no('CAMPAIGN_STATE', `it is ${campaign.state}`)
    await work(client, campaign)
    const { decision } = campaign
    await append(client, entry(act, hands.clock(), { campaign: Number(id), decision, ...body }))
  })
}

/** Opens the rotations that each running campaign's pace allows by now. */
export async function beginOfCampaigns(hands: S1spHands): Promise<number> {
  const { rows } = await hands.store.query<Campaign>("SELECT * FROM campaign WHERE state = 'running' ORDER BY id")
  let begun = 0
  for (const campaign of rows) begun += await begin(hands, campaign)
  return begun
}

/** How many rotations one transaction opens: bounds it. */
const atOnce = 500

async function begin(hands: S1spHands, { id, decision, form, pace, since }: Campaign): Promise<number> {
  const minutes = (hands.clock().getTime() - since!.getTime()) / 60_000
  // A minute's worth at the start, then as time goes on.
  const allowed = Math.floor(pace * (1 + minutes))
  const wanted = namesOf(form)
  for (let begun = 0; ; ) {
    const more = await hands.store.transaction(async client => {
      const { rows: counted } = await client.query<{ n: bigint }>(
        'SELECT count(*) AS n FROM campaign_device WHERE campaign = $1 AND begun >= $2',
        [id, since],
      )
      const room = Math.min(atOnce, allowed - Number(counted[0]!.n))
      if (room <= 0) return 0
      const { rows } = await client.query<{ device: string }>(
        `SELECT device FROM campaign_device WHERE campaign = $1 AND begun IS NULL ORDER BY device LIMIT $2
         FOR UPDATE SKIP LOCKED`,
        [id, room],
      )
      for (const { device } of rows) {
        const ground = { ground: 'pma-instruction', decision } as const
        const rotation = await openRotation(client, hands, { device, ground, wanted, campaign: id })
        await client.query(
          'UPDATE campaign_device SET begun = $1, rotation = $2 WHERE campaign = $3 AND device = $4',
          [hands.clock(), rotation ?? null, id, device],
        )
      }
      return rows.length
    })
    begun += more
    if (more < atOnce) return begun
  }
}

function namesOf({ keyTypes }: DecisionForm): string[] {
  const ofClients = keyedClients.flatMap(client =>
    keyTypes.filter(type => type !== 'MK').map(type => nameOf(client, type)),
  )
  return keyTypes.includes('MK') ? [...ofClients, nameOf('device', 'MK')] : ofClients
}

/** A campaign pauses by itself when failures pass its threshold: a fault of ours is not to go through a whole list. */
export async function pauseWhatFails(hands: S1spHands): Promise<void> {
  const { rows } = await hands.store.query<{ id: bigint; failed: bigint; tried: bigint }>({
    name: 's1sp campaigns that fail',
    text: `SELECT c.id, count(*) FILTER (WHERE r.state = 'unresolved') AS failed, count(*) AS tried
     FROM campaign c JOIN campaign_device d ON d.campaign = c.id AND d.begun >= c.since
     JOIN rotation r ON r.id = d.rotation AND r.tried IS NOT NULL
     WHERE c.state = 'running' GROUP BY c.id
     HAVING count(*) >= $1 AND 100 * count(*) FILTER (WHERE r.state = 'unresolved') >= c.threshold * count(*)`,
    values: [hands.settings.failuresCountedFrom],
  })
  for (const { id, failed, tried } of rows) {
    await pauseCampaign(hands, id, `${failed} of ${tried} Devices are unresolved: the threshold is passed`)
  }
}

export interface Progress {
  readonly devices: number
  readonly waiting: number
  readonly done: number
  readonly unresolved: number
  readonly unreachable: number
  /** Closed with exceptions: what the Device or its model cannot. */
  readonly cannot: number
  /** Begun, and not tried to an end yet. */
  readonly open: number
}

/** Against the frozen list. @throws Refusal CAMPAIGN_UNKNOWN */
export async function progressOf(
  hands: Pick<S1spHands, 'store'>,
  id: bigint,
): Promise<Progress & { state: string }> {
  const { rows } = await hands.store.query<Record<keyof Progress, bigint> & { state: string }>(
    `SELECT c.state, count(*) AS devices, count(*) FILTER (WHERE d.begun IS NULL) AS waiting,
       count(*) FILTER (WHERE r.outcome = 'complete' OR (d.begun IS NOT NULL AND r.id IS NULL)) AS done,
       count(*) FILTER (WHERE r.state = 'unresolved') AS unresolved,
       count(*) FILTER (WHERE r.state = 'unreachable') AS unreachable,
       count(*) FILTER (WHERE r.outcome = 'complete with exceptions') AS cannot,
       count(*) FILTER (WHERE r.state = 'open') AS open
     FROM campaign c JOIN campaign_device d ON d.campaign = c.id LEFT JOIN rotation r ON r.id = d.rotation
     WHERE c.id = $1 GROUP BY c.id`,
    [id],
  )
  const found = rows[0]
  if (found === undefined) throw no('CAMPAIGN_UNKNOWN', String(id))
  const { state, ...counts } = found
  const numbers = Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, Number(n)]))
  return { state, ...(numbers as unknown as Progress) }
}
