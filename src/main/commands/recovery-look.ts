/** `smki recovery`: what is on record of recoveries, over the operator API. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { minute } from '../../doors/cli/operator-words.ts'
import { howLong } from '../../rooms/recovery/report.ts'
import { type Io, table } from './context.ts'
import { asOfficer, type OfficerFlags, speaking } from './officer.ts'

export interface Event {
  readonly event: string
  readonly keyKind: string
  readonly party?: number
  readonly notifiedAt: string
  readonly state: string
  readonly procedure?: string
  readonly wave: number
  readonly pace: number
  readonly devices?: { count: number; sha256: string }
}

export interface Report extends Event {
  readonly says: string
  readonly due?: Step
  readonly steps: readonly Step[]
  readonly counts: Readonly<Record<string, number>>
  readonly reasons: readonly { reason: string; devices: number }[]
  readonly curve: readonly { at: string; proven: number }[]
  readonly directions: readonly { decision: string; used: number; maximum: number }[]
  readonly ceremonies: readonly { thing: string; openedAt: string; closedAt?: string; signatures: number }[]
  readonly refused: Readonly<Record<string, number>>
}

interface Step {
  readonly number: number
  readonly phase: string
  readonly actor: string
  readonly action: string
  readonly done?: { at: string }
}

/** `events`, `show`, `devices` and `files`. */
export function addRecoveryLook(recovery: Command, io: Io): void {
  asOfficer(recovery.command('events'))
    .description('recoveries on record, latest first')
    .option('--open', 'those that are not closed')
    .action(async (flags: OfficerFlags & { open?: true }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<{ recoveries: Event[] }>(`/recoveries${flags.open ? '?open=yes' : ''}`)
        await speak.tell(answer, () =>
          table([
            ['EVENT', 'KEY', 'NOTIFIED', 'STATE', 'CASE', 'DEVICES'],
            ...answer.recoveries.map(one => [
              one.event,
              one.keyKind,
              minute(one.notifiedAt),
              one.state,
              one.procedure ?? '',
              String(one.devices?.count ?? ''),
            ]),
          ]),
        )
      })
    })

  asOfficer(recovery.command('show'))
    .description('one event: its clock, the step that is due and whose it is, counts, directions')
    .argument('<event>', 'its reference')
    .action(async (event: string, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.get<Report>(at(event))
        await speak.tell(one, () => shown(one, io.clock()))
      })
    })

  asOfficer(recovery.command('devices'))
    .description('its Relevant Devices, those that are listed with their reasons')
    .argument('<event>', 'its reference')
    .option('--state <state>', 'those in that state: pending, proven, listed …')
    .option('--after <eui64>', 'the last of the part before')
    .action(async (event: string, flags: OfficerFlags & { state?: string; after?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const query = new URLSearchParams(
          Object.entries({ state: flags.state, after: flags.after }).flatMap(([key, value]) =>
            value === undefined ? [] : [[key, value]],
          ),
        )
        const answer = await speak.get<{
          devices: { device: string; kind: string; state: string; reason?: string }[]
        }>(at(event, `/devices?${query}`))
        await speak.tell(answer, () =>
          table([
            ['DEVICE', 'KIND', 'STATE', 'REASON'],
            ...answer.devices.map(one => [one.device, one.kind, one.state, one.reason ?? '']),
          ]),
        )
      })
    })

  asOfficer(recovery.command('files'))
    .description('files of an event that came and went; with --out they are written there, with their signatures')
    .argument('<event>', 'its reference')
    .option('--out <folder>', 'where they are written')
    .action(async (event: string, flags: OfficerFlags & { out?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<{
          files: { name: string; sender: string; sha256: string; isSigned: boolean }[]
        }>(at(event, '/files'))
        if (flags.out !== undefined) {
          const folder = resolve(flags.out)
          mkdirSync(folder, { recursive: true, mode: 0o700 })
          for (const { name } of answer.files) {
            const one = await speak.get<{ octets: string; signature?: string }>(
              at(event, `/files/${encodeURIComponent(name)}`),
            )
            writeFileSync(join(folder, basename(name)), Buffer.from(one.octets, 'base64'))
            if (one.signature)
              writeFileSync(join(folder, `${basename(name)}.p7s`), Buffer.from(one.signature, 'base64'))
          }
        }
        await speak.tell(answer, () =>
          table([
            ['FILE', 'FROM', 'SIGNED', 'SHA-256'],
            ...answer.files.map(one => [one.name, one.sender, one.isSigned ? 'yes' : 'no', one.sha256]),
          ]),
        )
      })
    })
}

export const at = (event: string, what = '') => `/recoveries/${encodeURIComponent(event)}${what}`

function shown(one: Report, now: Date): string {
  const took = howLong(now.getTime() - new Date(one.notifiedAt).getTime())
  const facts = [
    ['state', one.state],
    ['key', one.keyKind],
    ['case', one.procedure ? `${one.procedure}: ${one.says}` : 'not chosen'],
    ['since the notification', took],
    ['wave', `${one.wave}, ${one.pace} commands a minute`],
    ['Relevant Devices', one.devices ? `${one.devices.count}, SHA-256 ${one.devices.sha256}` : 'not frozen'],
    [
      'Devices',
      Object.entries(one.counts)
        .flatMap(([state, count]) => (count === 0 ? [] : [`${count} ${state}`]))
        .join(', ') || '–',
    ],
    ...one.directions.map(of => ['direction', `${of.decision}: ${of.used} of ${of.maximum} commands`]),
    ...one.ceremonies.map(of => [
      of.thing,
      `${minute(of.openedAt)} to ${of.closedAt ? minute(of.closedAt) : 'now: awake'}, ${of.signatures} signatures`,
    ]),
    ...one.reasons.map(of => ['listed', `${of.devices}: ${of.reason}`]),
    ...Object.entries(one.refused).map(([code, count]) => ['not believed', `${count} ${code}`]),
  ]
  const steps = one.steps.map(step => [
    String(step.number),
    step.action,
    step.actor,
    step.done ? minute(step.done.at) : step.number === one.due?.number ? 'DUE' : '',
  ])
  return `${one.event}\n${table(facts as string[][])}\n${table(steps)}`
}

export const dueText = ({ due }: Pick<Report, 'due'>) =>
  due
    ? `Due: ${due.action} (${due.actor}), step ${due.number}.\n`
    : 'All steps are done, or none is laid down yet.\n'

/** The decision that the SMKI PMA takes, as `smki decision record` reads it. */
