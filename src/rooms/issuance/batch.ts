/** A batch on its way: PENDING → PARSING → QUEUED → PROCESSING → COMPLETED, with REJECTED, TAMPERED and PAUSED. */

import { createHash } from 'node:crypto'
import { view } from '../../ground/bytes.ts'
import { entry, type JsonValue } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { Refusal } from '../../ground/refusal.ts'
import { copyInto } from '../../ground/store/copy.ts'
import { copyOut } from '../../ground/store/copy-out.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import type { Hands } from '../authority/issue-one.ts'
import { countItems } from './portion.ts'

export type BatchState =
  | 'PENDING'
  | 'REJECTED'
  | 'PARSING'
  | 'TAMPERED'
  | 'QUEUED'
  | 'PROCESSING'
  | 'PAUSED'
  | 'COMPLETED'

export interface Batch {
  readonly id: bigint
  readonly party: number
  /** The ID that the Party gave. */
  readonly reference: string
  readonly state: BatchState
  readonly receivedAt: Date
  readonly count: number
  readonly octets: bigint
  readonly decidedBy: string | undefined
  readonly reason: string | undefined
  readonly completedAt: Date | undefined
}

/** The Registration Authority lets a batch go on, or refuses it. @throws Refusal BATCH_NOT_PENDING */
export async function decideBatch(
  hands: Hands,
  batch: bigint,
  decision: { approve: boolean; by: string; reason?: string },
): Promise<void> {
  await hands.store.transaction(async client => {
    const { rowCount } = await client.query(
      `UPDATE batch SET state = $2, decided_by = $3, decided_at = $4, reason = $5 WHERE id = $1 AND state = 'PENDING'`,
      [batch, decision.approve ? 'PARSING' : 'REJECTED', decision.by, hands.clock(), decision.reason ?? null],
    )
    if (rowCount !== 1) {
      throw new Refusal(
        'BATCH_NOT_PENDING',
        `batch ${batch} is not waiting for a decision: it does not exist, or was decided before`,
      )
    }
    await say(hands, client, decision.approve ? 'approve batch' : 'reject batch', batch, {
      by: decision.by,
      ...(decision.reason !== undefined && { reason: decision.reason }),
    })
  })
}

/**
 * PARSING → QUEUED: what is stored is what was uploaded, and each of its parts is a portion to be taken. TAMPERED when its
 * SHA-256 is not that of the upload. REJECTED when the parts do not hold its requests: earlier builds stored the body as
 * it came. May run twice; the second finds nothing to do.
 */
export async function parse(hands: Hands, batch: bigint): Promise<BatchState | undefined> {
  return hands.store.transaction(async client => {
    const { rows } = await client.query<{ sha256: Buffer; count: number }>(
      "SELECT sha256, count FROM batch WHERE id = $1 AND state = 'PARSING' FOR UPDATE SKIP LOCKED",
      [batch],
    )
    const expected = rows[0]
    if (!expected) return undefined
    const digest = createHash('sha256')
    const portions: [batch: bigint, number: number, count: number][] = []
    let found = 0
    await eachPart(client, batch, (number, octets) => {
      digest.update(octets)
      const count = countItems(octets) ?? Number.NaN
      portions.push([batch, number, count])
      found += count
    })
    if (!digest.digest().equals(expected.sha256)) {
      await client.query("UPDATE batch SET state = 'TAMPERED', reason = $2 WHERE id = $1", [
        batch,
        'what is stored is not what was uploaded',
      ])
      await say(hands, client, 'batch tampered', batch, {})
      return 'TAMPERED'
    }
    if (found !== expected.count) {
      const reason = 'it was uploaded before the service was updated: please submit it again'
      await client.query("UPDATE batch SET state = 'REJECTED', reason = $2 WHERE id = $1", [batch, reason])
      await say(hands, client, 'reject batch', batch, { by: 'the service', reason })
      return 'REJECTED'
    }
    await copyInto(client, 'portion', { batch: 'int8', number: 'int4', count: 'int4' }, portions)
    await client.query("UPDATE batch SET state = 'QUEUED', queued_at = $2 WHERE id = $1", [batch, hands.clock()])
    return 'QUEUED'
  })
}

/** The parts of an upload, in their order. COPY gives octets as they are; a query would give them as text of twice the length. */
async function eachPart(
  client: Client,
  batch: bigint,
  each: (number: number, octets: Buffer) => void,
): Promise<void> {
  await copyOut(
    client,
    `SELECT number, octets FROM batch_part WHERE batch = ${batch} ORDER BY number`,
    ([number, octets]) => each(view(number!).readInt32BE(), view(octets!)),
  )
}

export interface Progress {
  /** What waits for the Registration Authority; `zip`: it came by the Portal. */
  readonly pending: readonly { readonly id: bigint; readonly zip: boolean }[]
  readonly parsing: readonly bigint[]
  /** Whether portions wait to be taken. */
  readonly waiting: boolean
  readonly completed: readonly bigint[]
}

/** Moves every batch whose state follows from the hour, or from its portions: opened, paused, resumed, completed. */
export async function advance(hands: Hands, open: boolean): Promise<Progress> {
  const { rows } = await hands.store.query<{
    id: bigint
    state: BatchState
    single: boolean
    zip: boolean
    waiting: boolean
    done: boolean
  }>({
    name: 'open_batches',
    text: `SELECT b.id, b.state, starts_with(b.reference, $2) AS single, starts_with(b.reference, $3) AS zip,
                  EXISTS (SELECT FROM portion p WHERE p.batch = b.id AND p.state <> 'done'
                          AND (p.state = 'queued' OR p.lease_until < $1)) AS waiting,
                  NOT EXISTS (SELECT FROM portion p WHERE p.batch = b.id AND p.state <> 'done') AS done
             FROM batch b WHERE b.state NOT IN ('REJECTED', 'TAMPERED', 'COMPLETED') ORDER BY b.id`,
    values: [hands.clock(), singleMark, zipMark],
  })
  const completed: bigint[] = []
  let waiting = false
  for (const row of rows) {
    let { state } = row
    // Whether the window is open or not: what is done is done.
    if (row.done && (state === 'PROCESSING' || state === 'PAUSED')) {
      if (await complete(hands, row.id)) completed.push(row.id)
      continue
    }
    const may = open || row.single
    if (may && (state === 'QUEUED' || state === 'PAUSED')) state = await move(hands, row.id, state, 'PROCESSING')
    else if (!may && (state === 'QUEUED' || state === 'PROCESSING'))
      state = await move(hands, row.id, state, 'PAUSED')
    waiting ||= state === 'PROCESSING' && row.waiting
  }
  return {
    pending: rows.filter(row => row.state === 'PENDING').map(({ id, zip }) => ({ id, zip })),
    parsing: rows.filter(row => row.state === 'PARSING').map(row => row.id),
    waiting,
    completed,
  }
}

/**
 * What the references of batches from the Portal begin with; the name of the file follows. No document in XML can hold
 * their first character (XML 1.0 section 2.2), so no client of the web service can take them for itself.
 */
export const zipMark = '\u0001zip:'
/** One CSR, which waits for no window: its answer is due within 30 seconds (service-interface.md section 9). */
export const singleMark = '\u0001csr:'

/**
 * Removes results past the pick-up window, uploads that were refused as long ago, and parts of uploads that broke off.
 * Certificates stay in the Repository; an upload that was tampered with stays for whoever investigates.
 */
export async function removeStale(
  store: Store,
  { now, pickupDays }: { now: Date; pickupDays: number },
): Promise<void> {
  const before = new Date(now.getTime() - pickupDays * 86_400_000)
  const ended = "SELECT id FROM batch WHERE completed_at < $1 OR (state = 'REJECTED' AND decided_at < $1)"
  await store.query(`DELETE FROM portion WHERE batch IN (${ended})`, [before])
  await store.query(`DELETE FROM batch_part WHERE batch IN (${ended})`, [before])
  await store.query(
    'DELETE FROM batch_part WHERE at < $1 AND NOT EXISTS (SELECT FROM batch WHERE id = batch_part.batch)',
    [new Date(now.getTime() - 86_400_000)],
  )
}

async function move(hands: Hands, batch: bigint, from: BatchState, to: BatchState): Promise<BatchState> {
  return hands.store.transaction(async client => {
    const { rowCount } = await client.query('UPDATE batch SET state = $3 WHERE id = $1 AND state = $2', [
      batch,
      from,
      to,
    ])
    if (rowCount !== 1) return from
    await say(hands, client, `batch ${to.toLowerCase()}`, batch, {})
    return to
  })
}

async function complete(hands: Hands, batch: bigint): Promise<boolean> {
  return hands.store.transaction(async client => {
    const { rowCount } = await client.query(
      `UPDATE batch SET state = 'COMPLETED', completed_at = $2
        WHERE id = $1 AND state IN ('PROCESSING', 'PAUSED')
          AND NOT EXISTS (SELECT FROM portion WHERE portion.batch = $1 AND portion.state <> 'done')`,
      [batch, hands.clock()],
    )
    if (rowCount !== 1) return false
    await say(hands, client, 'batch completed', batch, {})
    return true
  })
}

/** A batch of that Party; undefined when it is not its own or does not exist, `past` beyond the pick-up window. */
export async function batchOf(
  store: Pick<Store, 'query'>,
  party: number,
  id: bigint,
  pickup: { now: Date; days: number },
): Promise<Batch | 'past' | undefined> {
  if (id > 9_223_372_036_854_775_807n) return undefined
  const { rows } = await store.query<Row>(`SELECT ${columns} FROM batch WHERE id = $1 AND party = $2`, [id, party])
  const found = rows[0] && batch(rows[0])
  if (!found?.completedAt) return found
  return pickup.now.getTime() - found.completedAt.getTime() <= pickup.days * 86_400_000 ? found : 'past'
}

/** Newest first. */
export function batches(store: Pick<Store, 'query'>, atMost = 100): Promise<Batch[]> {
  return readBatches(store, 'true ORDER BY id DESC LIMIT $1', [atMost])
}

/** For the files of this room that read batches otherwise. @param where and what follows it */
export async function readBatches(store: Pick<Store, 'query'>, where: string, values: unknown[]): Promise<Batch[]> {
  const { rows } = await store.query<Row>(`SELECT ${columns} FROM batch WHERE ${where}`, values)
  return rows.map(batch)
}

const columns = 'id, party, reference, state, received_at, count, octets, decided_by, reason, completed_at'

interface Row {
  id: bigint
  party: number
  reference: string
  state: BatchState
  received_at: Date
  count: number
  octets: bigint
  decided_by: string | null
  reason: string | null
  completed_at: Date | null
}

function batch(row: Row): Batch {
  return {
    id: row.id,
    party: row.party,
    reference: row.reference,
    state: row.state,
    receivedAt: row.received_at,
    count: row.count,
    octets: row.octets,
    decidedBy: row.decided_by ?? undefined,
    reason: row.reason ?? undefined,
    completedAt: row.completed_at ?? undefined,
  }
}

async function say(
  hands: Hands,
  client: Client,
  act: string,
  id: bigint,
  body: Record<string, JsonValue>,
): Promise<void> {
  await append(client, entry(act, hands.clock(), { batch: String(id), ...body }))
}
