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
 * Takes the next portion of the batch whose turn it is, or undefined. What an earlier holder had written down for it
 * and not kept is given up first.
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
      text: `WITH next AS (
          SELECT p.batch, p.number, b.party FROM batch b JOIN portion p ON p.batch = b.id
           WHERE b.state = 'PROCESSING' AND (p.state = 'queued' OR (p.state = 'taken' AND p.lease_until < $2))
           ORDER BY b.turn, b.id, p.number LIMIT 1 FOR UPDATE OF p SKIP LOCKED),
        turned AS (UPDATE batch SET turn = nextval('batch_turn') FROM next WHERE batch.id = next.batch)
        UPDATE portion p SET state = 'taken', worker = $1, lease_until = $3, attempts = attempts + 1
          FROM next WHERE p.batch = next.batch AND p.number = next.number
        RETURNING p.batch, p.number, p.items, p.signing, p.attempts, next.party`,
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

/** A signer starts, and is the only one: what the one before it had in hand is put back. Returns how much that was. */
export async function recover(hands: Hands): Promise<{ portions: number; signings: number }> {
  return hands.store.transaction(async client => {
    const { rowCount: portions } = await client.query(
      "UPDATE portion SET state = 'queued', worker = NULL, lease_until = NULL WHERE state = 'taken'",
    )
    const { rows } = await client.query<{ id: bigint }>(
      // Those of Devices are the signer's; what a ceremony has in hand just now is not ours to give up.
      `SELECT id FROM signing WHERE state = 'intended' AND (at < $1
          OR EXISTS (SELECT FROM certificate c WHERE c.signing = signing.id AND c.family = ${families.device}))
        ORDER BY id`,
      [new Date(hands.clock().getTime() - 3_600_000)],
    )
    await giveUp(
      client,
      hands.clock(),
      rows.map(row => row.id),
    )
    return { portions: portions ?? 0, signings: rows.length }
  })
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
