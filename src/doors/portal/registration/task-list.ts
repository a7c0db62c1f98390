/** The open tasks with all that a clerk chooses by: urgency, what is due, whose turn it is. */

import { openTasks, type Task } from '../../../rooms/registration/task.ts'
import { cases } from '../../../rooms/revocation/case.ts'
import type { Visit } from '../frame/page.ts'
import { type Due, dueOf, mayTake } from './may.ts'
import { byUrgency, type Urgency, urgencyOf } from './urgency.ts'
import { allKinds } from './who.ts'

export interface Listed {
  readonly task: Task
  readonly says: string
  readonly due: Due
  readonly urgency: Urgency
  readonly urgent: boolean
  /** Whether the visitor may take the step that is due. */
  readonly yours: boolean
  /** It waits by decision of the SMKI PMA (L16). */
  readonly deferred: boolean
}

export interface TaskFilter {
  readonly yours?: boolean
  readonly kind?: string | undefined
  readonly party?: number | undefined
  /** Found in the kind, the subject, the number or the words of a step. */
  readonly text?: string | undefined
}

/** The most urgent first. */
export async function listTasks({ door, visitor }: Visit, filter: TaskFilter = {}): Promise<Listed[]> {
  const kinds = allKinds(door)
  const [open, running] = await Promise.all([
    openTasks(door.store),
    cases(door.store, { states: ['received', 'authenticated', 'deferred', 'approved'] }),
  ])
  const caseByTask = new Map(running.map(one => [one.task, one]))
  const listed = open.flatMap((task): Listed[] => {
    const procedure = kinds[task.kind]?.procedure
    const due = procedure && dueOf(procedure, task)
    if (!procedure || !due) return []
    const about = caseByTask.get(task.id)
    const urgency = urgencyOf(task, about)
    const yours = 'as' in mayTake(procedure, task, due.step, visitor)
    const deferred = about?.state === 'deferred'
    return [{ task, says: procedure.says, due, urgency, urgent: urgency === 'at once', yours, deferred }]
  })
  return byUrgency(listed).filter(one => fits(one, filter))
}

function fits({ task, yours }: Listed, filter: TaskFilter): boolean {
  if (filter.yours && !yours) return false
  if (filter.kind && task.kind !== filter.kind) return false
  if (filter.party !== undefined && task.party !== filter.party) return false
  const sought = filter.text?.toLowerCase()
  if (!sought) return true
  const said = [String(task.id), task.kind, task.subject, ...task.steps.map(one => one.words)]
  return said.some(one => one.toLowerCase().includes(sought))
}
