/** `/metrics` for Prometheus and `/health` for whoever watches: plain HTTP on loopback, or a port of its own. No secrets. */

import { Registry } from '@prometheus-io/client'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Check } from './health.ts'
import type { MetricsJson } from './program.ts'

export interface MetricsDoor {
  readonly app: FastifyInstance
  /** Those of each program that answers, and of the store where it does. */
  readonly metrics: () => Promise<readonly MetricsJson[]>
  readonly health: () => Promise<readonly Check[]>
  readonly log: Pick<Logger, 'error'>
}

/**
 * `GET /metrics`: 200, text in the format of Prometheus. `GET /health`: 200 when every check is well, else 503; both with
 * JSON `{ "status", "checks": [{ "check", "ok", "says" }] }`.
 */
export function metricsDoor({ app, metrics, health, log }: MetricsDoor): void {
  app.setNotFoundHandler((_, reply) => reply.code(404).send())
  app.setErrorHandler((cause: Error, _, reply) => {
    log.error({ fault: cause.message }, 'metrics could not be told')
    return reply.code(500).send()
  })
  app.get('/metrics', async (_, reply) => {
    const joined = await Registry.aggregate((await metrics()).map(one => [...one])).metrics()
    return reply.type(Registry.PROMETHEUS_CONTENT_TYPE).header('cache-control', 'no-store').send(joined)
  })
  app.get('/health', async (_, reply) => {
    const checks = await health()
    const well = checks.every(one => one.ok)
    const status = well ? 'ok' : 'failing'
    return reply
      .code(well ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status, checks })
  })
}
