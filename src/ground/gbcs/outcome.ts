/** What a Device answers to CS02b and CS02g, at once or by a later alert: which cells took their certificate. */

import type { Bytes } from '../bytes.ts'
import { tag } from '../der/read.ts'
import { enumerated, integer, nothing, octetString } from '../der/write.ts'
import { type Cell, type Held, readCell, writeCell } from './cell.ts'
import { Elements, element, type Lengths } from './elements.ts'
import { notGbcs } from './refusals.ts'
import { readChanges, readTime, type SequenceChange, writeChanges, writeTime } from './update.ts'
import { isStatusCode, type StatusCode } from './use-cases.ts'

export interface CellOutcome {
  readonly cell: Cell
  readonly status: StatusCode
  readonly existing: Held
  /** The same as `existing` when the cell was not replaced. */
  readonly replacing: Held
}

export interface Outcome {
  /** The authoriser's counter of the command. */
  readonly counter: bigint
  readonly mode: number
  readonly changes: readonly SequenceChange[]
  readonly cells: readonly CellOutcome[]
}

/** Codes of the alerts at the time of a future-dated command. */
export const alertCodes = { replaced: 0x8f66, failed: 0x8f67 } as const

export interface UpdateAlert {
  readonly alertCode: number
  readonly executedAt: string
  readonly outcome: Outcome
}

/** @returns undefined for a command that is only accepted: a future-dated one, or a cancellation. @throws Refusal of refusals.ts */
export function readUpdateResponse(payload: Bytes): { outcome: Outcome | undefined; lengths: Lengths } {
  const whole = new Elements(payload)
  const response = whole.sequence('the response')
  whole.finish('the response')
  const at = response.at
  if (response.content(tag.null, 'commandAccepted').length > 0) throw notGbcs('GBCS_VALUE', 'commandAccepted', at)
  const outcome = response.peek() < 0 ? undefined : readOutcome(response)
  response.finish('the response')
  return { outcome, lengths: whole.lengths }
}

export function writeUpdateResponse(outcome: Outcome | undefined, lengths: Lengths = 'two octets'): Buffer {
  return element(lengths, tag.sequence, nothing(), ...(outcome ? [writeOutcome(outcome, lengths)] : []))
}

/** @throws Refusal of refusals.ts */
export function readUpdateAlert(payload: Bytes): UpdateAlert & { lengths: Lengths } {
  const whole = new Elements(payload)
  const alert = whole.sequence('the alert')
  whole.finish('the alert')
  const alertCode = alert.small('the alert code')
  const executedAt = readTime(alert)
  const outcome = readOutcome(alert)
  alert.finish('the alert')
  return { alertCode, executedAt, outcome, lengths: whole.lengths }
}

export function writeUpdateAlert(alert: UpdateAlert, lengths: Lengths = 'two octets'): Buffer {
  const { alertCode, executedAt, outcome } = alert
  return element(lengths, tag.sequence, integer(alertCode), writeTime(executedAt), writeOutcome(outcome, lengths))
}

function readOutcome(from: Elements): Outcome {
  const outcome = from.sequence('the outcome')
  const counter = outcome.integer('the counter of the outcome')
  const mode = outcome.small('the mode of the outcome')
  const changes = readChanges(outcome.sequence('the changes of the outcome'))
  const list = outcome.sequence('the cells of the outcome')
  outcome.finish('the outcome')
  const cells: CellOutcome[] = []
  while (list.peek() >= 0) {
    const one = list.sequence('the outcome of a cell')
    const cell = readCell(one, 'the cell of an outcome')
    const at = one.at
    const status = one.small('the status of a cell', tag.enumerated)
    if (!isStatusCode(status)) throw notGbcs('GBCS_VALUE', `the status ${status}`, at)
    cells.push({ cell, status, existing: readHeld(one), replacing: readHeld(one) })
    one.finish('the outcome of a cell')
  }
  return { counter, mode, changes, cells }
}

function writeOutcome({ counter, mode, changes, cells }: Outcome, lengths: Lengths): Buffer {
  const seq = (...content: Bytes[]) => element(lengths, tag.sequence, ...content)
  return seq(
    integer(counter),
    integer(mode),
    seq(...writeChanges(changes, lengths)),
    seq(
      ...cells.map(({ cell, status, existing, replacing }) =>
        seq(writeCell(cell, lengths), enumerated(status), ...held(existing), ...held(replacing)),
      ),
    ),
  )
}

function readHeld(from: Elements): Held {
  return { uniqueId: from.octetsOf(8, 'a Subject Unique ID'), keyId: from.octetsOf(8, 'a key identifier') }
}

const held = ({ uniqueId, keyId }: Held) => [octetString(uniqueId), octetString(keyId)]
