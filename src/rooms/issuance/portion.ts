/** Portions of a batch: taken by one worker at a time, issued together, done once. */

import { type Bytes, view } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import type { DeviceCode } from '../../policy/smki-device/codes.ts'
import type { Hands } from '../authority/issue-one.ts'
import { families, giveUp } from '../repository/register.ts'
import type { DecisionRules } from './decide.ts'
import type { Eligibility } from './device-eligible.ts'
import { type DeviceIssuing, issueDevices, type Outcome } from './issue.ts'
import { forgetGone, whoIsGone } from './signers.ts'

export interface PortionItem {
  /** The DeviceCSR's ID. */
  readonly id: string
  readonly csr: Bytes
}

export interface Portion {
  readonly batch: bigint
  readonly number: number
  readonly party: number
  readonly items: readonly PortionItem[]
  readonly attempts: number
}

/** Longer than any portion takes; a worker that died loses its portion to another after so long. */
const leaseMs = 60_000

/**
 * Takes the next portion, or undefined: of the Party that was served least recently, and of its batches the one that was.
 * What an earlier holder had written down for it and not kept is given up first.
 * @param worker begins with the number of its signer process (signers.ts) and a stroke
 */
export async function takePortion(hands: Hands, worker: string): Promise<Portion | undefined> {
  return hands.store.transaction(async client => {
    const now = hands.clock()
    const { rows } = await client.query<{
      batch: bigint
      number: number
      items: Buffer
      signing: bigint | null
      attempts: number
      party: number
    }>({
      name: 'take_portion',
      // A portion of one batch after the other, in the order of whose turn it is: the first that nobody is taking just now.
      text: `WITH next AS (
          SELECT free.batch, free.number, due.party
            FROM (SELECT b.id, b.party FROM batch b
                   WHERE b.state = 'PROCESSING'
                   ORDER BY (SELECT max(of.turn) FROM batch of WHERE of.party = b.party), b.turn, b.id) due
           CROSS JOIN LATERAL (SELECT p.batch, p.number FROM portion p
                   WHERE p.batch = due.id AND p.state <> 'done'
                     AND (p.state = 'queued' OR (p.state = 'taken' AND p.lease_until < $2))
                   ORDER BY p.number LIMIT 1 FOR UPDATE SKIP LOCKED) free LIMIT 1),
        turned AS (UPDATE batch SET turn = nextval('batch_turn') FROM next WHERE batch.id = next.batch)
        UPDATE portion p SET state = 'taken', worker = $1, lease_until = $3, attempts = attempts + 1
          FROM next WHERE p.batch = next.batch AND p.number = next.number
        RETURNING p.batch, p.number, p.signing, p.attempts, next.party, coalesce(p.items,
          (SELECT octets FROM batch_part of WHERE of.batch = p.batch AND of.number = p.number)) AS items`,
      values: [worker, now, new Date(now.getTime() + leaseMs)],
    })
    const row = rows[0]
    if (!row) return undefined
    if (row.signing !== null) await giveUp(client, now, [row.signing])
    return {
      batch: row.batch,
      number: row.number,
      party: row.party,
      items: decodeItems(row.items),
      attempts: row.attempts,
    }
  })
}

/** Whether a portion of a batch under way waits to be taken. */
export async function portionsWait(store: Pick<Store, 'query'>, now: Date): Promise<boolean> {
  const { rows } = await store.query<{ wait: boolean }>({
    name: 'portions_wait',
    text: `SELECT EXISTS (SELECT FROM batch b JOIN portion p ON p.batch = b.id
             WHERE b.state = 'PROCESSING' AND p.state <> 'done'
               AND (p.state = 'queued' OR p.lease_until < $1)) AS wait`,
    values: [now],
  })
  return rows[0]!.wait
}

/** The portion is another's by now: what we would write of it is not wanted. */
export class PortionLost extends Error {
  override name = 'PortionLost'
}

/** Puts a portion back. A try that could not succeed, whatever the portion, does not count. */
export async function releasePortion(
  store: Pick<Store, 'query'>,
  portion: Portion,
  worker: string,
  tried: { counts: boolean },
): Promise<void> {
  await store.query(
    `UPDATE portion SET state = 'queued', worker = NULL, lease_until = NULL, attempts = attempts - $4
      WHERE batch = $1 AND number = $2 AND worker = $3 AND state = 'taken'`,
    [portion.batch, portion.number, worker, tried.counts ? 0 : 1],
  )
}

export interface TakenOver {
  readonly portions: number
  readonly signings: number
}

/** What signer processes that have ended had in hand is put back, and what they had only written down is given up. */
export async function takeOver(hands: Hands): Promise<TakenOver> {
  return hands.store.transaction(async client => {
    const at = hands.clock()
    const { gone } = await whoIsGone(client, at)
    if (gone.length === 0) return { portions: 0, signings: 0 }
    const portions = await putBack(client, 'split_part(worker, $2, 1) = ANY($1)', gone)
    const { rows } = await client.query<{ id: bigint }>(
      "SELECT id FROM signing WHERE state = 'intended' AND signer = ANY($1) ORDER BY id",
      [gone],
    )
    const signings = rows.map(row => row.id)
    await giveUp(client, at, signings)
    await forgetGone(client, at)
    return { portions, signings: signings.length }
  })
}

/** The lead starts: whatever no living signer process has in hand is taken over, whoever it was that left it. */
export async function recover(hands: Hands): Promise<TakenOver> {
  return hands.store.transaction(async client => {
    const at = hands.clock()
    const { living } = await whoIsGone(client, at)
    const portions = await putBack(client, 'NOT split_part(worker, $2, 1) = ANY($1)', living)
    const { rows } = await client.query<{ id: bigint }>(
      // Those of Devices are the signers'; what a ceremony has in hand just now is not ours to give up.
      `SELECT id FROM signing WHERE state = 'intended' AND (signer IS NULL OR NOT signer = ANY($2)) AND (at < $1
          OR EXISTS (SELECT FROM certificate c WHERE c.signing = signing.id AND c.family = ${families.device}))
        ORDER BY id`,
      [new Date(at.getTime() - 3_600_000), living],
    )
    const signings = rows.map(row => row.id)
    await giveUp(client, at, signings)
    return { portions, signings: signings.length }
  })
}

/** @param whose of $1, numbers of signer processes as text, and $2, what ends such a number in a worker's name */
async function putBack(client: Client, whose: string, signers: readonly number[]): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE portion SET state = 'queued', worker = NULL, lease_until = NULL WHERE state = 'taken' AND ${whose}`,
    [signers.map(String), '/'],
  )
  return rowCount ?? 0
}

/** Tries before the requests of a portion are answered with CA_ERROR. */
const attemptsAtMost = 5

/**
 * Issues what a portion asks for and marks it done, all in the transactions that write down and keep.
 * @param ineligible why the Party is refused for every request, if it is; `eligibility` judges by the Device
 */
export async function issuePortion(
  issuing: DeviceIssuing,
  portion: Portion,
  worker: string,
  rules: DecisionRules,
  ineligible: Refusal<DeviceCode> | undefined,
  eligibility?: Eligibility,
): Promise<void> {
  const hold = async (client: Client, set: string, values: unknown[]) => {
    const { rowCount } = await client.query(
      `UPDATE portion SET ${set} WHERE batch = $1 AND number = $2 AND worker = $3 AND state = 'taken'`,
      [portion.batch, portion.number, worker, ...values],
    )
    if (rowCount !== 1)
      throw new PortionLost(`portion ${portion.number} of batch ${portion.batch} is another's by now`)
  }
  // Whatever it is that cannot be done, it is not tried for ever.
  const exhausted =
    portion.attempts > attemptsAtMost
      ? new Refusal<DeviceCode>('CA:FF1', 'the certification authority could not sign; please submit again')
      : undefined
  await issueDevices(issuing, {
    requests: portion.items.map(item => exhausted ?? item.csr),
    ineligible: () => ineligible,
    eligibility,
    rules,
    says: { party: portion.party, batch: String(portion.batch), portion: portion.number },
    intending: (client, signing) => hold(client, 'signing = $4', [signing]),
    keeping: (client, outcomes) =>
      hold(client, "state = 'done', results = $4", [
        JSON.stringify(outcomes.map((one, i) => resultOf(portion.items[i]!, one))),
      ]),
  })
}

/** One row of the column `results`. */
export type ResultRow =
  | readonly [id: string, position: number]
  | readonly [id: string, code: DeviceCode, text: string]

function resultOf(item: PortionItem, outcome: Outcome): ResultRow {
  return 'refusal' in outcome
    ? [item.id, outcome.refusal.code, outcome.refusal.message]
    : [item.id, outcome.position]
}

/** Length (16 bits) and octets of the ID, length (32 bits) and octets of the request; one after another. */
export function encodeItems(items: readonly PortionItem[]): Buffer {
  const ids = items.map(item => Buffer.from(item.id, 'utf8'))
  const out = Buffer.allocUnsafe(items.reduce((sum, item, i) => sum + 6 + ids[i]!.length + item.csr.length, 0))
  let at = 0
  items.forEach(({ csr }, i) => {
    const id = ids[i]!
    at = out.writeUInt16BE(id.length, at)
    at += id.copy(out, at)
    at = out.writeUInt32BE(csr.length, at)
    out.set(csr, at)
    at += csr.length
  })
  return out
}

export function decodeItems(octets: Bytes): PortionItem[] {
  const from = view(octets)
  const items: PortionItem[] = []
  for (let at = 0; at < from.length; ) {
    const idEnd = at + 2 + from.readUInt16BE(at)
    const csrEnd = idEnd + 4 + from.readUInt32BE(idEnd)
    items.push({ id: from.toString('utf8', at + 2, idEnd), csr: from.subarray(idEnd + 4, csrEnd) })
    at = csrEnd
  }
  return items
}

/** How many there are; undefined when the octets are not items from their first to their last. */
export function countItems(octets: Bytes): number | undefined {
  const from = view(octets)
  let [at, count] = [0, 0]
  for (; at + 2 <= from.length; count++) {
    const idEnd = at + 2 + from.readUInt16BE(at)
    if (idEnd + 4 > from.length) return undefined
    at = idEnd + 4 + from.readUInt32BE(idEnd)
  }
  return at === from.length ? count : undefined
}
