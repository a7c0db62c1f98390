/** What a door measures, collected in memory and kept in groups: a request waits for none of it. */

import type { Client, Store } from '../../../ground/store/store.ts'
import { channels } from '../../../policy/performance/targets.ts'
import { causeOf, judged, pack, type Sample } from './sample.ts'

/** What a door does with each request, once its answer is out. It takes no time and never fails. */
export type Measure = (sample: Sample) => void

export interface Collector {
  readonly measure: Measure
  /**
   * Keeps what was collected; nothing happens twice when the store's answer was lost and it is done again.
   * @returns how many samples were kept now, and how many had to be dropped since the last time
   */
  flush(): Promise<{ kept: Sample[]; dropped: number }>
}

/** What a store that does not answer may cost in memory: some 50 MB. */
const mostWaiting = 500_000
const hour = 3_600_000

/**
 * Samples stand outside the journal: there may be a thousand of them a second, and the reports made of them are in it. A
 * door that is killed loses what it collected since the last flush.
 * @param source what no other run of any door has
 */
export function collector(store: Store, source: string, zone: string): Collector {
  let waiting: Sample[] = []
  let dropped = 0
  let number = 0
  let pending: { groups: Group[]; samples: Sample[] } | undefined
  let turn: Promise<unknown> = Promise.resolve()

  async function flush() {
    if (!pending && waiting.length > 0) {
      pending = { samples: waiting, groups: grouped(waiting).map(samples => ({ number: number++, samples })) }
      waiting = []
    }
    const now = pending
    if (now) await store.transaction(client => keep(client, source, now.groups, zone))
    pending = undefined
    const lost = dropped
    dropped = 0
    return { kept: now?.samples ?? [], dropped: lost }
  }

  return {
    measure(sample) {
      if (waiting.length < mostWaiting) waiting.push(sample)
      else dropped++
    },
    flush() {
      const result = turn.then(flush)
      turn = result.catch(() => {})
      return result
    },
  }
}

interface Group {
  readonly number: number
  readonly samples: readonly Sample[]
}

/** By channel and hour: a group lies within one month, wherever the month's bounds are. */
function grouped(samples: readonly Sample[]): Sample[][] {
  const key = ({ channel, received }: Sample) => `${channel} ${Math.floor(received / hour)}`
  return [...Map.groupBy(samples, key).values()]
}

async function keep(client: Client, source: string, groups: readonly Group[], zone: string): Promise<void> {
  for (const { number, samples } of groups) {
    const { channel } = samples[0]!
    const received = samples.map(one => one.received)
    const first = received.reduce((a, b) => Math.min(a, b))
    const begins = Math.floor(first / hour) * hour
    const last = samples.reduce((latest, one) => Math.max(latest, one.sent), first)
    const verdicts = samples.map(one => judged(one, zone))
    const { rowCount } = await client.query({
      name: 'keep_responses',
      text: `INSERT INTO response_group (source, number, channel, hour, first_at, last_at, measured, within, samples)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
      values: [
        source,
        number,
        channels[channel].number,
        new Date(begins),
        new Date(first),
        new Date(last),
        verdicts.filter(one => one.measured).length,
        verdicts.filter(one => one.within).length,
        pack(samples, begins),
      ],
    })
    // It was kept before, with what belongs to it.
    if (rowCount === 0) continue
    await keepBreaches(
      client,
      samples.filter((_, i) => verdicts[i]!.measured && !verdicts[i]!.within),
    )
    if (channels[channel].device) await keepDemand(client, samples, begins)
  }
}

async function keepBreaches(client: Client, samples: readonly Sample[]): Promise<void> {
  for (const sample of samples) {
    const { channel, party, received, sent } = sample
    await client.query(
      'INSERT INTO response_breach (channel, party, received_at, sent_at, cause) VALUES ($1, $2, $3, $4, $5)',
      [channels[channel].number, party ?? null, new Date(received), new Date(sent), causeOf(sample)],
    )
  }
}

async function keepDemand(client: Client, samples: readonly Sample[], begins: number): Promise<void> {
  const { channel } = samples[0]!
  const parties = samples.flatMap(one => one.party ?? [])
  const counts = [...Map.groupBy(parties, party => party)].sort(([a], [b]) => a - b)
  for (const [party, of] of counts) {
    await client.query({
      name: 'keep_demand',
      text: `INSERT INTO demand (party, channel, hour, csrs) VALUES ($1, $2, $3, $4)
             ON CONFLICT (hour, party, channel) DO UPDATE SET csrs = demand.csrs + EXCLUDED.csrs`,
      values: [party, channels[channel].number, new Date(begins), of.length],
    })
  }
}
