/** What an answer changes about its Device: what it is believed to hold, and what is to be done about it next. */

import type { Bytes } from '../../ground/bytes.ts'
import type { RoleDetails } from '../../ground/gbcs/details.ts'
import type { Outcome } from '../../ground/gbcs/outcome.ts'
import { type StatusCode, statusCodes } from '../../ground/gbcs/use-cases.ts'
import type { Client } from '../../ground/store/store.ts'
import type { RecoveryRules } from '../../policy/recovery/settings.ts'
import type { Commanded } from './answer.ts'
import { type Material, nextQuestion, targetsOf } from './build.ts'
import { type Holding, holding, showCell } from './cells.ts'
import { no } from './refusals.ts'

export interface Progress {
  readonly state: 'pending' | 'accepted' | 'proven' | 'listed'
  readonly cells: readonly Holding[]
  readonly shown: readonly number[]
  readonly nextAt: Date | undefined
  readonly reason?: string | undefined
  readonly status?: number | undefined
}

export interface Changed extends Progress {
  readonly command: Commanded
  readonly octets: Bytes
}

/** Statuses that another try may cure: the Device was busy, or short of memory for a while. */
const passing: readonly StatusCode[] = [17, 30]

/**
 * The answer to a command: each cell for itself, matched by cell and never by place. @throws Refusal ANSWER_TO_ANOTHER
 * when it claims what was not commanded
 */
export function applyOutcome(
  rules: RecoveryRules,
  { cells, attempts, state }: Pick<Commanded, 'cells' | 'attempts' | 'state'>,
  { cells: outcomes }: Outcome,
  material: Material,
  at: Date,
): Progress {
  const wanted = targetsOf(cells, material)
  const failed: { cell: string; status: StatusCode }[] = []
  const after = new Map(cells.map(one => [one.cell, one]))
  for (const { cell, status, replacing } of outcomes) {
    const text = showCell(cell)
    const target = wanted.find(one => one.becomes.cell === text)
    const says = holding(cell, replacing)
    if (status !== 0) {
      // One that is there already may have been shown by a question meanwhile.
      if (target) failed.push({ cell: text, status })
      continue
    }
    const becomes = target?.becomes ?? after.get(text)
    if (!becomes || becomes.keyId !== says.keyId || becomes.uniqueId !== says.uniqueId)
      throw no('ANSWER_TO_ANOTHER', `${text} holds what was not given`)
    after.set(text, says)
  }
  const missing = wanted.find(one => !outcomes.some(({ cell }) => showCell(cell) === one.becomes.cell))
  if (missing) throw no('ANSWER_TO_ANOTHER', `it says nothing of ${missing.becomes.cell}`)
  const now = [...after.values()]
  if (failed.length === 0)
    return { state: state === 'proven' ? 'proven' : 'accepted', cells: now, shown: [], nextAt: at }
  const text = failed.map(({ cell, status }) => `${cell} ${statusCodes[status]}`).join(', ')
  const isPassing = failed.every(({ status }) => passing.includes(status))
  if (isPassing && attempts < rules.attempts)
    return { state: 'pending', cells: now, shown: [], nextAt: later(at, rules.patienceMinutes) }
  return { state: 'listed', cells: now, shown: [], nextAt: undefined, reason: text, status: failed[0]!.status }
}

/** The answer to a question: what is in the cells, whatever was believed. */
export function applyDetails(
  rules: RecoveryRules,
  command: Pick<Commanded, 'cells' | 'attempts' | 'shown' | 'state'>,
  details: readonly RoleDetails[],
  material: Material,
  at: Date,
): Progress {
  const { cells, attempts, shown } = command
  const after = new Map(cells.map(one => [one.cell, one]))
  const absent: number[] = []
  for (const { role, found } of details) {
    if (!found) absent.push(role)
    for (const one of found?.cells ?? []) {
      const cell = { role, keyUsage: one.keyUsage, cellUsage: one.cellUsage }
      if (after.has(showCell(cell))) after.set(showCell(cell), holding(cell, one))
    }
  }
  const now = [...after.values()]
  const asked = [...new Set([...shown, ...details.map(one => one.role)])]
  const left = targetsOf(now, material).filter(one => asked.includes(one.cell.role))
  const without = left.find(one => absent.includes(one.cell.role))
  if (without) {
    const reason = `${without.becomes.cell} ${statusCodes[25]}`
    return { state: 'listed', cells: now, shown: asked, nextAt: undefined, reason, status: 25 }
  }
  if (left.length > 0) {
    if (attempts < rules.attempts) return { state: 'pending', cells: now, shown: [], nextAt: undefined }
    const reason = `${attempts} commands had no effect on ${left.map(one => one.becomes.cell).join(', ')}`
    return { state: 'listed', cells: now, shown: asked, nextAt: undefined, reason }
  }
  const isShown = nextQuestion(now, material, asked) === undefined
  return { state: isShown ? 'proven' : 'accepted', cells: now, shown: asked, nextAt: isShown ? undefined : at }
}

export const later = (at: Date, minutes: number): Date => new Date(at.getTime() + minutes * 60_000)

/** Writes down what answers changed. An answer about an earlier wave is kept, and moves nothing. */
export async function keepChanged(
  client: Client,
  event: string,
  changed: readonly Changed[],
  at: Date,
): Promise<void> {
  if (changed.length === 0) return
  await client.query(
    `UPDATE recovery_command c SET state = 'answered', answered_at = $3, answer = one.answer
       FROM unnest($1::bigint[], $2::bytea[]) AS one (id, answer) WHERE c.id = one.id`,
    [changed.map(one => String(one.command.id)), changed.map(one => one.octets), at],
  )
  // Of two answers about one Device the later in order counts.
  const moving = new Map(changed.filter(moves).map(one => [one.command.device.toString('hex'), one]))
  const rows = [...moving.values()]
  // A Device that has what it should gets no command that still waits.
  await client.query(
    `UPDATE recovery_command SET state = 'dropped' WHERE event = $1 AND device = ANY($2)
        AND kind = 'update' AND state IN ('intended', 'ready')`,
    [event, rows.filter(one => one.state === 'accepted' || one.state === 'proven').map(one => one.command.device)],
  )
  await client.query(
    `UPDATE recovery_device d SET state = one.state, cells = one.cells, shown = ARRAY(
         SELECT jsonb_array_elements_text(one.shown)::smallint), next_at = one.next_at, reason = one.reason,
       status_code = one.status, questions = 0, accepted_at = CASE WHEN one.state IN ('accepted', 'proven')
         THEN coalesce(d.accepted_at, $2) ELSE d.accepted_at END,
       proven_at = CASE WHEN one.state = 'proven' THEN coalesce(d.proven_at, $2) END
       FROM unnest($3::bytea[], $4::text[], $5::jsonb[], $6::jsonb[], $7::timestamptz[], $8::text[], $9::smallint[])
         AS one (device, state, cells, shown, next_at, reason, status)
      WHERE d.event = $1 AND d.device = one.device`,
    [
      event,
      at,
      rows.map(one => one.command.device),
      rows.map(one => one.state),
      rows.map(one => JSON.stringify(one.cells)),
      rows.map(one => JSON.stringify(one.shown)),
      rows.map(one => one.nextAt ?? null),
      rows.map(one => one.reason ?? null),
      rows.map(one => one.status ?? null),
    ],
  )
}

/**
 * Whether the answer moves its Device on. What an answer says against a Device does not undo a newer command that is on its
 * way; what it says for it does.
 */
function moves({ command, state }: Changed): boolean {
  if (command.device_wave !== command.wave || command.state === 'proven') return false
  if (state === 'accepted' || state === 'proven') return true
  const open = command.kind === 'question' ? ['commanded', 'sending'] : ['commanded']
  return !open.includes(command.state)
}
