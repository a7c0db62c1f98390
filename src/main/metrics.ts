/** The supervisor's listener for metrics and health: it asks every program, and looks into the store for itself. */

import type { ChildProcess } from 'node:child_process'
import { metricsDoor } from '../doors/metrics/door.ts'
import { type Answers, health } from '../doors/metrics/health.ts'
import { storeMetrics } from '../doors/metrics/store.ts'
import { up } from '../doors/metrics/up.ts'
import { listen, plainListener } from '../ground/http/listen.ts'
import type { Store } from '../ground/store/store.ts'
import type { Settings } from '../policy/settings.ts'
import type { MetricsAnswer } from './child.ts'
import { systemClock } from './world.ts'

export interface MetricsListener {
  readonly port: number
  close(): Promise<void>
}

/** A program that does not answer within is not well. */
const patienceMs = 2000

/** A scrape is a short request from nearby, and there are few who ask. */
const limits = {
  idleSeconds: 60,
  headSeconds: 10,
  requestSeconds: 10,
  bodyOctets: 1024,
  connections: 16,
  tls13: false,
} as const

/** @throws Refusal PORT_IN_USE, PORT_DENIED */
export async function startMetrics(
  settings: Settings,
  at: { readonly host: string; readonly port: number },
  store: Store,
  programs: ReadonlyMap<string, ChildProcess>,
): Promise<MetricsListener> {
  const app = plainListener(limits)
  const answers = async (): Promise<Answers> => {
    const asked = [...programs].map(async ([name, child]) => [name, await ask(child)] as const)
    return Object.fromEntries(await Promise.all(asked))
  }
  metricsDoor({
    app,
    async metrics() {
      const told = await answers()
      const ofStore = await withinPatience(storeMetrics(store, systemClock, settings))
      const all = [...Object.values(told), ofStore].filter(one => one !== undefined)
      return [...all, await up({ ...told, store: ofStore })]
    },
    health: async () => health(store, systemClock, settings, await answers()),
    log: { error: (about: object, says?: string) => console.error(`metrics: ${says} (${JSON.stringify(about)})`) },
  })
  const port = await listen(app, at.host, at.port)
  return { port, close: () => app.close() }
}

let asked = 0

/** What a program answers, or undefined when it does not. */
function ask(child: ChildProcess): Promise<MetricsAnswer['json'] | undefined> {
  if (!child.connected) return Promise.resolve(undefined)
  const number = ++asked
  const { promise, resolve } = Promise.withResolvers<MetricsAnswer['json'] | undefined>()
  const hear = (answer: Partial<MetricsAnswer>) => {
    if (answer.metrics === number) resolve(answer.json)
  }
  child.on('message', hear)
  const timer = setTimeout(resolve, patienceMs, undefined)
  child.send({ metrics: number }, cause => {
    if (cause) resolve(undefined)
  })
  return promise.finally(() => {
    clearTimeout(timer)
    child.off('message', hear)
  })
}

async function withinPatience<T>(work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, patienceMs, undefined)
  try {
    return await Promise.race([work, promise])
  } catch {
    // A store that does not answer is told of as such.
    return undefined
  } finally {
    clearTimeout(timer)
  }
}
