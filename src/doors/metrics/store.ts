/** Metrics that are read from the store when somebody asks: queues, lists, stock, the journal, the store itself. */

import { Gauge, Registry } from '@prometheus-io/client'
import type { Clock } from '../../ground/clock.ts'
import type { Store } from '../../ground/store/store.ts'
import { hierarchies } from '../../policy/hierarchies.ts'
import { listSchedules } from '../../policy/revocation/schedules.ts'
import type { Settings } from '../../policy/settings.ts'
import { stockLevel } from '../../rooms/authority/stock.ts'
import { queueLength } from '../../rooms/issuance/queue.ts'
import { listWatch } from '../../rooms/revocation/watch.ts'
import type { MetricsJson } from './program.ts'

/** @throws whatever the store throws when it does not answer */
export async function storeMetrics(store: Store, clock: Clock, settings: Settings): Promise<MetricsJson> {
  const registry = new Registry()
  const gauge = (name: string, help: string, labels: string[] = []) =>
    new Gauge({ name: `opensmki_${name}`, help, labelNames: labels, registers: [registry] })

  const begun = performance.now()
  await store.query('SELECT 1')
  gauge('store_seconds', 'How long the store took to answer').set((performance.now() - begun) / 1000)
  const size = await store.query<{ octets: bigint; sessions: number; pending: bigint; integrated: bigint }>(
    `SELECT pg_database_size(current_database()) AS octets,
            (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()) AS sessions,
            (SELECT count(*) FROM journal_pending) AS pending,
            (SELECT coalesce(max(size), 0) FROM journal_checkpoint) AS integrated`,
  )
  const { octets, sessions, pending, integrated } = size.rows[0]!
  gauge('store_octets', 'Size of the database').set(Number(octets))
  gauge('store_sessions', 'Sessions of the database').set(sessions)
  gauge('journal_pending', 'Entries of the journal that no checkpoint covers yet').set(Number(pending))
  gauge('journal_size', 'Entries of the journal that the latest checkpoint covers').set(Number(integrated))

  const at = clock()
  const { states, waiting, oldest } = await queueLength(store)
  const batches = gauge('batches', 'Batches that are under way, by state', ['state'])
  for (const [state, count] of Object.entries(states)) batches.set({ state }, count)
  gauge('batch_csrs_waiting', 'CSRs of batches that nobody works on yet').set(waiting)
  gauge('batch_oldest_seconds', 'Age of the oldest batch that is under way; 0 when there is none').set(
    oldest ? (at.getTime() - oldest.getTime()) / 1000 : 0,
  )

  const stock = await stockLevel(store, hierarchies(settings)['smki-device'].issuing.keyUse!)
  gauge('issuing_dca_stock', 'Issuing DCAs that were made ahead').set(stock.inStock)
  gauge('certificates_left', 'Certificates that can be signed before a ceremony is needed').set(stock.left)

  const age = gauge('list_age_seconds', 'Since thisUpdate of a list', ['list'])
  const margin = gauge('list_margin_seconds', 'Until nextUpdate of a list; below zero nobody can rely on it', [
    'list',
  ])
  const late = gauge('list_late', 'Whether the next list should be there by now', ['list'])
  const unlisted = gauge('list_revocations_waiting', 'Revocations that a list does not name yet', ['list'])
  for (const one of await listWatch(store, at, listSchedules(settings))) {
    const list = `${one.name} ${one.part}`
    age.set({ list }, one.age / 1000)
    margin.set({ list }, one.margin / 1000)
    late.set({ list }, one.state === 'late' ? 1 : 0)
    unlisted.set({ list }, one.waiting)
  }
  return registry.getMetricsAsJSON()
}
