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
export function ledger(store: Pick<Store, 'query'> | Client, first: number): CounterLedger {
  return {
    async reserve({ keyId, title }, count) {
      const { rows } = await (store as Pick<Store, 'query'>).query<{ start: bigint }>({
        name: 'dco reserve',
        text: `INSERT INTO dco_counter AS c (key_id, title, next)
          SELECT $1, $2, $3::bigint + counters + $4 FROM dco_skipped
          ON CONFLICT (key_id, title) DO UPDATE SET next = c.next + $4 RETURNING next - $4 AS start`,
        values: [keyId, Buffer.from(title, 'hex'), first, count],
      })
      return Number(rows[0]!.start)
    },
  }
}

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
export async function floorOf(asking: Asking, keyId: string, title: Bytes): Promise<Floor> {
  const { rows } = await asking.hands.store.query<{ lowest: bigint }>({
    name: 'dco floor',
    text: 'SELECT lowest FROM dco_floor WHERE key_id = $1 AND title = $2',
    values: [keyId, Buffer.from(title)],
  })
  return { lowest: Number(rows[0]?.lowest ?? 0), rule }
}

/** Keeps the raised floor, if it still stood where the APDU was judged: of one APDU twice, one is taken. @throws Conflict */
export async function keepFloor(
  client: Client,
  keyId: string,
  title: Bytes,
  before: Floor,
  after: Floor,
): Promise<void> {
  const { rowCount } = await client.query({
    name: 'dco keep floor',
    text: `INSERT INTO dco_floor AS f (key_id, title, lowest) VALUES ($1, $2, $3)
      ON CONFLICT (key_id, title) DO UPDATE SET lowest = $3 WHERE f.lowest = $4`,
    values: [keyId, Buffer.from(title), after.lowest, before.lowest],
  })
  if (rowCount === 0) throw new Conflict('another APDU of that stream was taken meanwhile')
}
