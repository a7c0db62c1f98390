/** An upload on its way in: its requests are stored as they come, a part for each portion, and accepted as one batch. */

import { createHash } from 'node:crypto'
import { entry, type JsonValue } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { Hands } from '../authority/issue-one.ts'
import { encodeItems, type PortionItem } from './portion.ts'

export interface Said {
  readonly party: number
  /** The ID that the Party gave, or a mark of batch.ts and a name. */
  readonly reference: string
  /** Stands on the journal entry too: by which channel, by whom, and the SHA-256 of what was sent. */
  readonly says?: Readonly<Record<string, JsonValue>>
}

export interface Upload {
  /** The number of the batch to be. */
  readonly id: bigint
  /** How many requests were taken. */
  readonly count: number
  /** The next request: nothing is stored before `keep`. */
  take(item: PortionItem): void
  /** Stores what fills parts. One part is written while the requests of the next come. */
  keep(): Promise<void>
  /** Stores the rest. From its commit on the batch is ours to bring to its end. */
  accept(said: Said): Promise<void>
  /** It broke off, or was refused. One that was accepted after all, and nobody was told, keeps its parts. */
  drop(): Promise<void>
}

/** Takes a number for a batch. @param portion how many requests are issued together */
export async function beginUpload(hands: Hands, portion: number): Promise<Upload> {
  const { rows } = await hands.store.query<{ id: bigint }>("SELECT nextval('batch_id') AS id")
  const id = rows[0]!.id
  const digest = createHash('sha256')
  let waiting: PortionItem[] = []
  let [count, octets, part] = [0, 0, 0]
  let kept: Promise<void> = Promise.resolve()

  async function keepOne(size: number): Promise<void> {
    const encoded = encodeItems(waiting.slice(0, size))
    waiting = waiting.slice(size)
    digest.update(encoded)
    octets += encoded.length
    await kept
    kept = keepPart(hands, id, part++, encoded)
    // Whoever awaits it is told.
    kept.catch(() => {})
  }
  async function keep(): Promise<void> {
    while (waiting.length >= portion) await keepOne(portion)
  }
  return {
    id,
    get count() {
      return count
    },
    take(item) {
      waiting.push(item)
      count++
    },
    keep,
    async accept(said) {
      await keep()
      if (waiting.length > 0) await keepOne(waiting.length)
      await kept
      await accept(hands, id, said, { sha256: digest.digest('hex'), octets, count })
    },
    async drop() {
      await kept.catch(() => {})
      await hands.store.query(
        'DELETE FROM batch_part WHERE batch = $1 AND NOT EXISTS (SELECT FROM batch WHERE id = $1)',
        [id],
      )
    },
  }
}

async function keepPart(
  { store, clock }: Pick<Hands, 'store' | 'clock'>,
  batch: bigint,
  number: number,
  octets: Buffer,
): Promise<void> {
  await store.query({
    name: 'keep_part',
    text: 'INSERT INTO batch_part (batch, number, octets, at) VALUES ($1, $2, $3, $4)',
    values: [batch, number, octets, clock()],
  })
}

interface Stored {
  /** Of all parts in order, hexadecimal. */
  readonly sha256: string
  readonly octets: number
  readonly count: number
}

async function accept(hands: Hands, id: bigint, { party, reference, says }: Said, stored: Stored): Promise<void> {
  const at = hands.clock()
  const { sha256, octets, count } = stored
  await hands.store.transaction(async client => {
    await client.query(
      `INSERT INTO batch (id, party, reference, state, received_at, sha256, octets, count)
       VALUES ($1, $2, $3, 'PENDING', $4, $5, $6, $7)`,
      [id, party, reference, at, Buffer.from(sha256, 'hex'), octets, count],
    )
    await append(client, entry('submit batch', at, { batch: String(id), party, count, sha256, ...says }))
  })
}
