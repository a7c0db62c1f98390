/** Metrics of one program, for Prometheus: its runtime, and what it measured of requests. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import { channels } from '../../policy/performance/targets.ts'
import type { Sample } from '../../rooms/governance/performance/sample.ts'
import { judged } from '../../rooms/governance/performance/sample.ts'

/** As the library gives them, to be joined with those of other programs. */
export type MetricsJson = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

export interface ProgramMetrics {
  /** Adds what was measured. */
  readonly show: (samples: readonly Sample[]) => void
  /** When that task of the program was last done, at this instant. */
  readonly done: (task: string, at: Date) => void
  readonly json: () => Promise<MetricsJson>
}

/** Seconds; 3 and 30 are the targets of the Repository and of one CSR. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10, 30, 60]

/** @param program `signer`, `device`, …: a label on every metric */
export function programMetrics(program: string, zone: string): ProgramMetrics {
  const registry = new Registry()
  registry.setDefaultLabels({ program })
  collectDefaultMetrics({ register: registry, prefix: 'opensmki_' })
  const seconds = new Histogram({
    name: 'opensmki_response_seconds',
    help: 'From receipt to sending, of requests that were received in the sense of Appendix M',
    labelNames: ['channel'],
    buckets,
    registers: [registry],
  })
  const requests = new Counter({
    name: 'opensmki_requests_total',
    help: 'Single requests, by what became of them: within or beyond their target, or refused by a check',
    labelNames: ['channel', 'outcome'],
    registers: [registry],
  })
  const tasks = new Gauge({
    name: 'opensmki_task_done_timestamp_seconds',
    help: 'When a task of the program was last done; at first when the program began',
    labelNames: ['task'],
    registers: [registry],
  })
  return {
    show(samples) {
      for (const sample of samples) {
        const { channel, received, sent } = sample
        const { measured, within } = judged(sample, zone)
        requests.inc({ channel, outcome: within ? 'within' : measured ? 'beyond' : 'refused' })
        if (measured && channel in channels) seconds.observe({ channel }, (sent - received) / 1000)
      }
    },
    done: (task, at) => tasks.set({ task }, at.getTime() / 1000),
    json: () => registry.getMetricsAsJSON(),
  }
}
