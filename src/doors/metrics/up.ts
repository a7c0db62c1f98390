/** Which programs answered, as a metric: what does not answer cannot say so itself. */

import { Gauge, Registry } from '@prometheus-io/client'
import type { Answers } from './health.ts'
import type { MetricsJson } from './program.ts'

export function up(answers: Answers): Promise<MetricsJson> {
  const registry = new Registry()
  const gauge = new Gauge({
    name: 'opensmki_up',
    help: 'Whether a program, or the store, answered just now',
    labelNames: ['part'],
    registers: [registry],
  })
  for (const [part, answer] of Object.entries(answers)) gauge.set({ part }, answer ? 1 : 0)
  return registry.getMetricsAsJSON()
}
