/** Invocation counters at the DCO: no (key, title, counter) ever carries two texts, whatever stops when. */

import { type Bytes, toHexUpper } from '../../../ground/bytes.ts'
import {
  type CounterLedger,
  type Counters,
  sendingCounters,
  type TakenCounter,
} from '../../../ground/dlms/counter.ts'
import type { CounterRule, Floor } from '../../../ground/dlms/floor.ts'
import type { CipherKey } from '../../../ground/keystore/dlms-cipher.ts'
import type { Client, Store } from '../../../ground/store/store.ts'
import type { DeviceModel } from '../../../policy/symmetric/models.ts'
import { gathered } from '../gathered.ts'
import { no } from '../refusals.ts'
import { type Asking, Conflict } from './plan.ts'

/** What is drawn for a message besides counters, as JSON; kept with them where it must come out the same again. */
export type Drawn = Readonly<Record<string, string | null>>

/**
 * Hands out counters from blocks that were marked as used, durably, before. Of one stream two programs may hold a block
 * each: no value is in two.
 */
export class SendingCounters {
  readonly #store: Store
  readonly #block: number
  #keepers = new Map<number, Counters>()

  constructor(store: Store, block: number) {
    this.#store = store
    this.#block = block
  }

  /** @param first the first value of a stream that is new */
  take(key: CipherKey, title: Bytes, first: number): Promise<TakenCounter> {
    let keeper = this.#keepers.get(first)
    if (!keeper) {
      keeper = sendingCounters(ledger(this.#store, first), { block: this.#block })
      this.#keepers.set(first, keeper)
    }
    return keeper.take(key, title)
  }

  /** Lets go of every block: the rest of each is skipped. After counters were raised. */
  forget(): void {
    this.#keepers = new Map()
  }
}

/** The memory of what was handed out: rows of `dco_counter`. */
export function ledger(store: Pick<Store, 'query'>, first: number): CounterLedger {
  return {
    reserve: ({ keyId, title }, count) =>
      reserved(store, { keyId, title: Buffer.from(title, 'hex'), first, count }),
  }
}

interface Reserving extends Stream {
  readonly first: number
  readonly count: number
}

/** One block of one stream; of a stream that two ask for in one statement, each gets a part. */
const reserved = gathered<Pick<Store, 'query'>, Reserving, number>(async (store, all) => {
  const name = ({ keyId, title }: Stream) => `${keyId} ${title.toString('hex')}`
  const streams = new Map<string, { count: number; readonly one: Reserving }>()
  const places = all.map(one => {
    const stream = streams.get(name(one)) ?? { count: 0, one }
    streams.set(name(one), stream)
    const place = stream.count
    stream.count += one.count
    return place
  })
  const each = [...streams.values()]
  const { rows } = await store.query<{ key_id: string; title: Buffer; next: bigint }>({
    name: 'dco reserve',
    text: `INSERT INTO dco_counter AS c (key_id, title, next)
      SELECT key_id, title, first + counters + count
        FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bigint[]) AS asked (key_id, title, first, count), dco_skipped
        ORDER BY key_id, title
      ON CONFLICT (key_id, title) DO UPDATE SET next = c.next + (
        SELECT count FROM unnest($1::text[], $2::bytea[], $4::bigint[]) AS more (key_id, title, count)
          WHERE more.key_id = c.key_id AND more.title = c.title)
      RETURNING key_id, title, next`,
    values: [
      each.map(({ one }) => one.keyId),
      each.map(({ one }) => one.title),
      each.map(({ one }) => one.first),
      each.map(({ count }) => count),
    ],
  })
  const next = new Map<string, number>(
    rows.map(row => [`${row.key_id} ${row.title.toString('hex')}`, Number(row.next)] as const),
  )
  return all.map((one, i) => next.get(name(one))! - streams.get(name(one))!.count + places[i]!)
})

/** What an APDU is made with. */
export interface Taken<D extends Drawn> {
  /** In the order in which they were taken: ascending. */
  readonly counters: readonly TakenCounter[]
  readonly drawn: D
}

/**
 * Counters for the APDU of a message. A Device that wants strictly the next value cannot be sent past a gap, and a gap
 * is closed by the same octets only: so there the value stands beside the message and what was drawn for it, durably,
 * before anything is enciphered, and the message sent again gives the same APDU.
 * @throws Refusal MESSAGE_ID_REUSED, DLMS_COUNTER_USED_UP
 */
export async function takeFor<D extends Drawn>(
  asking: Asking,
  model: DeviceModel,
  key: CipherKey,
  count: number,
  draw: () => D | Promise<D>,
): Promise<Taken<D>> {
  const { hands, s1sp } = asking
  const first = key.type === 'DK' ? 0 : model.counters.first
  if (model.counters.rule === 'greater') {
    const counters: TakenCounter[] = []
    while (counters.length < count) counters.push(await hands.counters.take(key, s1sp.title, first))
    return { counters, drawn: await draw() }
  }
  const claimed = (await claimOf(asking)) ?? (await claim(asking, key, first, count, await draw()))
  if (claimed.keyId !== key.id) throw new Conflict('the message claimed counters of another key before')
  let next = claimed.first
  const keeper = sendingCounters({ reserve: async () => next++ })
  const counters: TakenCounter[] = []
  while (counters.length < claimed.count) counters.push(await keeper.take(key, s1sp.title))
  return { counters, drawn: claimed.drawn as D }
}

interface Claim {
  readonly keyId: string
  readonly first: number
  readonly count: number
  readonly drawn: Drawn
}

async function claimOf({ hands, question, digest }: Asking): Promise<Claim | undefined> {
  const { rows } = await hands.store.query<{
    digest: Buffer
    key_id: string
    first: bigint
    count: number
    drawn: Drawn
  }>('SELECT digest, key_id, first, count, drawn FROM dco_claim WHERE message = $1', [
    Buffer.from(question.id, 'hex'),
  ])
  const row = rows[0]
  if (!row) return undefined
  if (!row.digest.equals(digest)) throw no('MESSAGE_ID_REUSED')
  return { keyId: row.key_id, first: Number(row.first), count: row.count, drawn: row.drawn }
}

function claim(asking: Asking, key: CipherKey, first: number, count: number, drawn: Drawn): Promise<Claim> {
  const { hands, s1sp, question, digest, now } = asking
  const title = Buffer.from(s1sp.title)
  return hands.store.transaction(async client => {
    const start = await ledger(client, first).reserve({ keyId: key.id, title: toHexUpper(title) }, count)
    const message = Buffer.from(question.id, 'hex')
    const values = [message, digest, key.id, title, start, count, JSON.stringify(drawn), now]
    const { rowCount } = await client.query(
      `INSERT INTO dco_claim (message, digest, key_id, title, first, count, drawn, at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
      values,
    )
    if (rowCount === 0) throw new Conflict('the message is worked on already')
    return { keyId: key.id, first: start, count, drawn }
  })
}

/** Of a Device gaps are always taken, so that a lost reply locks nobody out; replay the floor prevents. */
const rule: CounterRule = 'greater'

/** What may come under that key from that Device. */
export async function floorOf({ hands }: Asking, keyId: string, title: Bytes): Promise<Floor> {
  return { lowest: await storedFloor(hands.store, { keyId, title: Buffer.from(title) }), rule }
}

interface Stream {
  readonly keyId: string
  readonly title: Buffer
}

const storedFloor = gathered<Pick<Store, 'query'>, Stream, number>(async (store, streams) => {
  const { rows } = await store.query<{ lowest: number }>({
    name: 'dco floors',
    text: `SELECT coalesce(f.lowest, 0)::float8 AS lowest
      FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS asked (key_id, title, place)
      LEFT JOIN dco_floor f ON f.key_id = asked.key_id AND f.title = asked.title ORDER BY place`,
    values: [streams.map(({ keyId }) => keyId), streams.map(({ title }) => title)],
  })
  return rows.map(({ lowest }) => lowest)
})

/** Keeps the raised floor, if it still stood where the APDU was judged: of one APDU twice, one is taken. @throws Conflict */
export async function keepFloor(
  client: Client,
  keyId: string,
  title: Bytes,
  before: Floor,
  after: Floor,
): Promise<void> {
  const raise = { keyId, title: Buffer.from(title), before: before.lowest, after: after.lowest }
  if (!(await raised(client, raise))) throw new Conflict('another APDU of that stream was taken meanwhile')
}

/** @returns of each whether it was raised; of one stream twice in one statement, PostgreSQL fails the statement */
const raised = gathered<Client, Stream & { before: number; after: number }, boolean>(async (client, all) => {
  const { rows } = await client.query<{ key_id: string; title: Buffer }>({
    name: 'dco keep floors',
    // Of a stream that is new, what was judged by was 0; another that came first is seen by its row.
    text: `INSERT INTO dco_floor AS f (key_id, title, lowest)
      SELECT key_id, title, after FROM unnest($1::text[], $2::bytea[], $3::bigint[]) AS given (key_id, title, after)
      ORDER BY key_id, title
      ON CONFLICT (key_id, title) DO UPDATE SET lowest = excluded.lowest
        WHERE f.lowest = (SELECT before FROM unnest($1::text[], $2::bytea[], $4::bigint[]) AS was (key_id, title, before)
          WHERE was.key_id = f.key_id AND was.title = f.title)
      RETURNING key_id, title`,
    values: [
      all.map(({ keyId }) => keyId),
      all.map(({ title }) => title),
      all.map(({ after }) => after),
      all.map(({ before }) => before),
    ],
  })
  const kept = new Set(rows.map(({ key_id, title }) => `${key_id} ${title.toString('hex')}`))
  return all.map(({ keyId, title }) => kept.has(`${keyId} ${title.toString('hex')}`))
})
