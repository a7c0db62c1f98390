/** The commands CS02b and CS02g: which certificates go into which cells, on whose authority, and when. */

import type { Bytes } from '../bytes.ts'
import { tag } from '../der/read.ts'
import { integer } from '../der/write.ts'
import { type Cell, readCell, writeCell } from './cell.ts'
import { roleOf } from './details.ts'
import { Elements, element, type Lengths } from './elements.ts'
import { notGbcs } from './refusals.ts'

/** The floor of a party's other counter. Usage 0 is prepayment top-up. */
export interface SpecialistFloor {
  readonly usage: number
  readonly floor: bigint
}

/** What the counters of a party start from, once its cells are another's. */
export interface SequenceChange {
  readonly role: number
  readonly floor: bigint
  readonly specialist?: readonly SpecialistFloor[] | undefined
}

export interface Replacement {
  /** A whole certificate, DER. */
  readonly certificate: Bytes
  readonly cell: Cell
}

export interface UpdateCommand {
  readonly mode: number
  /** Only of mode 9: opens the contingency key in the root certificate that the Device holds. */
  readonly symmetricKey?: Bytes | undefined
  /** False: the Device does not check the validity periods of the certificates. */
  readonly timeChecks: boolean
  readonly authoriser?: Cell | undefined
  readonly authoriserCounter: bigint
  readonly newFloor?: bigint | undefined
  readonly newSpecialistFloors?: readonly SpecialistFloor[] | undefined
  readonly otherChanges?: readonly SequenceChange[] | undefined
  /** At least one. */
  readonly replacements: readonly Replacement[]
  /** Certificates of the path, DER. */
  readonly path: readonly Bytes[]
  /** GeneralizedTime, 15 characters; `cancelTime` takes back what waits. At once where absent. */
  readonly executeAt?: string | undefined
}

export const cancelTime = '99991231235959Z'

/** @throws Refusal of refusals.ts */
export function readUpdate(payload: Bytes): UpdateCommand & { readonly lengths: Lengths } {
  const whole = new Elements(payload)
  const command = whole.sequence('the command')
  whole.finish('the command')
  const control = readControl(command.sequence('the control'))
  const list = command.sequence('the replacements')
  const replacements: Replacement[] = []
  while (list.peek() >= 0) {
    const one = list.sequence('a replacement')
    const certificate = one.foreign(tag.sequence, 'a certificate')
    replacements.push({ certificate, cell: readCell(one, 'the cell of a replacement') })
    one.finish('a replacement')
  }
  if (replacements.length === 0) throw notGbcs('GBCS_VALUE', 'nothing is replaced', list.at)
  const inPath = command.sequence('the path')
  const path: Bytes[] = []
  while (inPath.peek() >= 0) path.push(inPath.foreign(tag.sequence, 'a certificate of the path'))
  const executeAt = command.peek() === tag.generalizedTime ? readTime(command) : undefined
  command.finish('the command')
  return { ...control, replacements, path, executeAt, lengths: whole.lengths }
}

type Control = Omit<UpdateCommand, 'replacements' | 'path' | 'executeAt'>

function readControl(control: Elements): Control {
  const mode = control.small('the mode')
  const symmetricKey = control.peek() === 0x80 ? control.content(0x80, 'the symmetric key') : undefined
  let timeChecks = true
  if (control.peek() === 0x81) {
    const at = control.at
    // Absent is "apply": written out, that would be a second encoding.
    if (control.small('the time checks', 0x81) !== 1) throw notGbcs('GBCS_VALUE', 'the time checks', at)
    timeChecks = false
  }
  const authoriser = control.peek() === 0xa2 ? readCell(control, 'the authorising cell', 0xa2) : undefined
  const authoriserCounter = control.integer("the authoriser's counter", 0x83)
  const newFloor = control.peek() === 0x84 ? control.integer('the new floor', 0x84) : undefined
  const newSpecialistFloors = control.peek() === 0xa5 ? readFloors(control.enter(0xa5, 'the floors')) : undefined
  const otherChanges = control.peek() === 0xa6 ? readChanges(control.enter(0xa6, 'the changes')) : undefined
  control.finish('the control')
  return {
    mode,
    symmetricKey,
    timeChecks,
    authoriser,
    authoriserCounter,
    newFloor,
    newSpecialistFloors,
    otherChanges,
  }
}

function readFloors(list: Elements): SpecialistFloor[] {
  const floors: SpecialistFloor[] = []
  while (list.peek() >= 0) {
    const one = list.sequence('a floor')
    floors.push({ usage: one.small('the usage of a floor'), floor: one.integer('a floor') })
    one.finish('a floor')
  }
  return floors
}

/** Of commands and of outcomes alike. */
export function readChanges(list: Elements): SequenceChange[] {
  const changes: SequenceChange[] = []
  while (list.peek() >= 0) {
    const one = list.sequence('a change of counters')
    const role = roleOf(one, 'the role of a change')
    const floor = one.integer('the floor of a change')
    const specialist = one.peek() < 0 ? undefined : readFloors(one.sequence('the floors of a change'))
    one.finish('a change of counters')
    changes.push({ role, floor, specialist })
  }
  return changes
}

/** `YYYYMMDDHHMMSSZ`. Whether there is such an instant is for the Device to judge. */
export function readTime(from: Elements): string {
  const at = from.at
  const text = Buffer.from(from.content(tag.generalizedTime, 'the time')).toString('latin1')
  if (!/^\d{14}Z$/.test(text)) throw notGbcs('GBCS_VALUE', 'the time', at)
  return text
}

export function writeTime(text: string): Buffer {
  return Buffer.concat([Buffer.of(tag.generalizedTime, text.length), Buffer.from(text, 'latin1')])
}

export function writeUpdate(command: UpdateCommand, lengths: Lengths = 'two octets'): Buffer {
  const seq = (...content: Bytes[]) => element(lengths, tag.sequence, ...content)
  const some = <T>(value: T | undefined, write: (value: T) => Buffer) => (value === undefined ? [] : [write(value)])
  const control = seq(
    integer(command.mode),
    ...some(command.symmetricKey, key => element(lengths, 0x80, key)),
    ...(command.timeChecks ? [] : [integer(1, 0x81)]),
    ...some(command.authoriser, cell => writeCell(cell, lengths, 0xa2)),
    integer(command.authoriserCounter, 0x83),
    ...some(command.newFloor, floor => integer(floor, 0x84)),
    ...some(command.newSpecialistFloors, floors =>
      element(lengths, 0xa5, ...floors.map(one => writeFloor(one, lengths))),
    ),
    ...some(command.otherChanges, changes => element(lengths, 0xa6, ...writeChanges(changes, lengths))),
  )
  return seq(
    control,
    seq(...command.replacements.map(({ certificate, cell }) => seq(certificate, writeCell(cell, lengths)))),
    seq(...command.path),
    ...some(command.executeAt, writeTime),
  )
}

export function writeChanges(changes: readonly SequenceChange[], lengths: Lengths): Buffer[] {
  return changes.map(({ role, floor, specialist }) =>
    element(
      lengths,
      tag.sequence,
      integer(role),
      integer(floor),
      ...(specialist ? [element(lengths, tag.sequence, ...specialist.map(one => writeFloor(one, lengths)))] : []),
    ),
  )
}

function writeFloor({ usage, floor }: SpecialistFloor, lengths: Lengths): Buffer {
  return element(lengths, tag.sequence, integer(usage), integer(floor))
}
