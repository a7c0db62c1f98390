/** Whether the service does what it is for, told as it is: each thing that was looked at, and what is wrong with it. */

import type { Clock } from '../../ground/clock.ts'
import type { Store } from '../../ground/store/store.ts'
import { hierarchies } from '../../policy/hierarchies.ts'
import { listSchedules } from '../../policy/revocation/schedules.ts'
import type { Settings } from '../../policy/settings.ts'
import { stockLevel } from '../../rooms/authority/stock.ts'
import { listWatch } from '../../rooms/revocation/watch.ts'
import type { MetricsJson } from './program.ts'

export interface Check {
  readonly check: string
  readonly ok: boolean
  /** A sentence, without anything that is not for everybody. */
  readonly says: string
}

/** What each program answered when it was asked; undefined when it did not within its time. */
export type Answers = Readonly<Record<string, MetricsJson | undefined>>

/** How long a task may not have been done. The slowest of the signer's comes by each minute, but for two. */
const patienceSeconds = 150
const rareTasks: Readonly<Record<string, number>> = { stale: 2 * 3600, performance: 2 * 3600 }

/** The store does not answer: then nothing else can be known. */
const storeMs = 2000

export async function health(store: Store, clock: Clock, settings: Settings, answers: Answers): Promise<Check[]> {
  const at = clock()
  const programs = Object.entries(answers).map(([program, answer]) => ({
    check: `program ${program}`,
    ok: answer !== undefined,
    says: answer ? 'it answers' : 'it does not answer',
  }))
  return [...programs, ...tasksOf(answers, at), ...(await storeChecks(store, at, settings))]
}

/** Each task of a program has been done not long ago. */
function tasksOf(answers: Answers, at: Date): Check[] {
  return Object.entries(answers).flatMap(([program, metrics]) => {
    const tasks = metrics?.find(one => one.name === 'opensmki_task_done_timestamp_seconds')?.values ?? []
    return tasks.map(({ labels, value }) => {
      const task = String((labels as { task?: string }).task)
      const ago = Math.max(0, Math.round(at.getTime() / 1000 - value))
      const ok = ago <= (rareTasks[task] ?? patienceSeconds)
      return { check: `${program}: ${task}`, ok, says: `done ${ago} seconds ago` }
    })
  })
}

async function storeChecks(store: Store, at: Date, settings: Settings): Promise<Check[]> {
  const patience = Promise.withResolvers<never>()
  const timer = setTimeout(() => patience.reject(new Error('no answer in time')), storeMs)
  try {
    return await Promise.race([lookInto(store, at, settings), patience.promise])
  } catch {
    return [{ check: 'store', ok: false, says: 'it does not answer' }]
  } finally {
    clearTimeout(timer)
  }
}

async function lookInto(store: Store, at: Date, settings: Settings): Promise<Check[]> {
  const stock = await stockLevel(store, hierarchies(settings)['smki-device'].issuing.keyUse!)
  const lists = await listWatch(store, at, listSchedules(settings))
  return [
    { check: 'store', ok: true, says: 'it answers' },
    {
      check: 'stock of Issuing DCAs',
      ok: stock.left > 0,
      says: `${stock.left} certificates can be signed before a ceremony is needed`,
    },
    ...lists.map(({ part, name, state, margin }) => ({
      check: `${name} of ${part}`,
      ok: state !== 'late',
      says: margin > 0 ? `${state}, good for ${Math.floor(margin / 60_000)} minutes more` : 'nobody can rely on it',
    })),
  ]
}
