/** How urgent a task is, and since when it waits: what a clerk should look at first. */

import { groundRow } from '../../../policy/revocation/grounds.ts'
import type { Task } from '../../../rooms/registration/task.ts'
import type { RevocationCase } from '../../../rooms/revocation/case.ts'
import type { Colour } from '../frame/pieces.ts'

export type Urgency = 'at once' | 'today' | 'in turn'

export const urgencies: Readonly<Record<Urgency, { readonly says: string; readonly colour: Colour }>> = {
  'at once': { says: 'At once', colour: 'red' },
  today: { says: 'Today', colour: 'orange' },
  'in turn': { says: 'In turn', colour: 'grey' },
}

/**
 * A Compromise, and what its requester called urgent, waits for nobody (section 6.3: around the clock); what ends a
 * credential comes before what begins one (ending is never slowed down).
 * @param about the case that the task decides, of a revocation
 */
export function urgencyOf(task: Pick<Task, 'kind'>, about: RevocationCase | undefined): Urgency {
  if (about && (about.urgent || groundRow(about.ground).compromise === true)) return 'at once'
  if (about || task.kind.startsWith('revo')) return 'today'
  return 'in turn'
}

const rank: Readonly<Record<Urgency, number>> = { 'at once': 0, today: 1, 'in turn': 2 }

/** The most urgent first, and of these what has waited longest. */
export function byUrgency<T extends { readonly urgency: Urgency; readonly task: Task }>(all: readonly T[]): T[] {
  return all.toSorted(
    (a, b) =>
      rank[a.urgency] - rank[b.urgency] ||
      a.task.openedAt.getTime() - b.task.openedAt.getTime() ||
      a.task.id - b.task.id,
  )
}

/** `3 days`, `5 hours`, `less than a minute`: as much as one wants to know. */
export function span(ms: number): string {
  const minutes = Math.floor(Math.abs(ms) / 60_000)
  if (minutes < 1) return 'less than a minute'
  if (minutes < 120) return minutes === 1 ? '1 minute' : `${minutes} minutes`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} hours`
  return `${Math.floor(hours / 24)} days`
}
