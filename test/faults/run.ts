/** Tries a scenario at its points: finds them in a run without a fault, then breaks each off in each way, and looks. */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { toHex } from '../../src/ground/bytes.ts'
import type { ChildOrder } from './child.ts'
import { type From, faults, here, journalFaults } from './invariants.ts'
import { type How, Injected, Points, type When } from './points.ts'
import type { Scenario } from './scenario.ts'
import { act, notedIn, type Stage } from './stage.ts'

export interface Way {
  readonly how: How
  readonly when: When
}

export const ways: readonly Way[] = [
  { how: 'error', when: 'before' },
  { how: 'error', when: 'after' },
  { how: 'gone', when: 'before' },
  { how: 'gone', when: 'after' },
  { how: 'kill', when: 'before' },
  { how: 'kill', when: 'after' },
]

export interface Tried {
  readonly scenario: string
  /** The points that were found, in order, by what is done at each. */
  readonly points: readonly string[]
  /** How many were tried, by `how when`. */
  readonly tried: Readonly<Record<string, number>>
  /** What was not as it must be, each with the point. */
  readonly found: readonly string[]
}

/** @param wanted which points are tried in which way; all without it */
export async function tryAll(
  stage: Stage,
  scenario: Scenario,
  wanted: (way: Way, nth: number, points: number) => boolean = () => true,
): Promise<Tried> {
  const found: string[] = []
  const tried: Record<string, number> = {}

  // 1. Without a fault: what is passed is what there is to be tried.
  const clean = new Points()
  await oneRun(stage, scenario, clean, undefined, 'without a fault', found)
  const points = clean.passed

  // 2. Each point, in each way. A run that was broken off earlier may pass fewer.
  for (const way of ways) {
    const name = `${way.how} ${way.when}`
    tried[name] = 0
    for (let nth = 1; nth <= points.length; nth++) {
      if (!wanted(way, nth, points.length)) continue
      const where = `${name} point ${nth} (${points[nth - 1]})`
      await oneRun(
        stage,
        scenario,
        new Points(nth, way.when, way.how),
        way.how === 'kill' ? { nth, ...way } : undefined,
        where,
        found,
      )
      tried[name]++
    }
  }

  // 3. Everything at once, from the first row on.
  const all = [...(await faults(stage.scene.store, before(stage), [])), ...(await journalFaults(stage.scene.store))]
  found.push(...all.map(one => `in the end: ${one}`))
  return { scenario: scenario.name, points, tried, found }
}

/** The ceremony's certificates and lists were made before anybody counted. */
const beginnings = new WeakMap<Stage, From>()
export async function begin(stage: Stage): Promise<void> {
  beginnings.set(stage, await here(stage.scene.store))
}
const before = (stage: Stage): From => beginnings.get(stage)!

async function oneRun(
  stage: Stage,
  scenario: Scenario,
  points: Points,
  kill: { nth: number; when: When } | undefined,
  where: string,
  found: string[],
): Promise<void> {
  const { scene, folder } = stage
  const given = await scenario.prepare(stage)
  const from = await here(scene.store)
  const signed: string[] = []
  const note = (octets: Uint8Array) => void signed.push(toHex(octets))
  try {
    if (kill) signed.push(...(await killed(stage, scenario, given, kill)))
    else {
      const acting = act(scene.store, scene.hands, scene.keys, folder, points, note)
      const failed = await scenario.act(acting, given).then(
        () => undefined,
        (cause: unknown) => cause,
      )
      if (failed !== undefined && !(failed instanceof Injected) && !isOfInjected(failed)) throw failed
    }
    await scenario.finish(act(scene.store, scene.hands, scene.keys, folder, new Points(), note), given)
    await scenario.check(stage, given)
    found.push(...(await faults(scene.store, from, signed)).map(one => `${where}: ${one}`))
  } catch (cause) {
    found.push(`${where}: ${(cause as Error).message.split('\n').slice(0, 3).join(' ')}`)
  }
}

function isOfInjected(cause: unknown): boolean {
  return (cause as { cause?: unknown }).cause instanceof Injected
}

/** Acts in another process, which dies at the point. @returns what it had signed */
async function killed(
  stage: Stage,
  scenario: Scenario,
  given: unknown,
  { nth, when }: { nth: number; when: When },
): Promise<string[]> {
  const child = await ready()
  const noted = join(stage.folder, `signed-${child.pid}`)
  const order: ChildOrder = { place: stage.place(), scenario: scenario.name, given, nth, when, noted }
  const said: { fault?: string; passed?: number }[] = []
  child.on('message', message => void said.push(message as { fault?: string }))
  child.send(order)
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (said[0]?.fault !== undefined) throw new Error(`the process to be killed failed: ${said[0].fault}`)
  if (signal !== 'SIGKILL') throw new Error(`the process ended by itself, after ${said[0]?.passed} points`)
  // Its sessions end a moment later, and with them what they had begun.
  await sessionsEnded(stage)
  return notedIn(noted)
}

/** The next one is begun while the one before is used: most of its life is reading its own code. */
let next: ChildProcess | undefined
async function ready(): Promise<ChildProcess> {
  const child = next ?? start()
  next = start()
  await isReady.get(child)
  return child
}

const isReady = new WeakMap<ChildProcess, Promise<unknown>>()
function start(): ChildProcess {
  const child = fork(new URL('child.ts', import.meta.url), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  isReady.set(child, once(child, 'message'))
  return child
}

/** The process that waits for a next turn is not needed any more. */
export function stopChildren(): void {
  next?.kill()
  next = undefined
}

async function sessionsEnded({ scene }: Stage): Promise<void> {
  for (;;) {
    const { rows } = await scene.store.query<{ busy: bigint }>(
      `SELECT count(*) AS busy FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`,
    )
    if (rows[0]!.busy === 0n) return
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** A report of one line for each scenario. */
export function told({ scenario, points, tried, found }: Tried): string {
  const counts = Object.entries(tried).map(([name, count]) => `${name} ${count}`)
  const total = Object.values(tried).reduce((sum, count) => sum + count, 0)
  return `${scenario}: ${points.length} points, ${total} tried (${counts.join(', ')}), ${found.length} faults`
}
