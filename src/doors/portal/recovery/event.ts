/** One recovery: its clock, the step that is due and whose it is, counts, chart, listed Devices, and what may be done now. */

import { procedureNames } from '../../../policy/recovery/cases.ts'
import { openIn, pauseRecovery, resumeRecovery } from '../../../rooms/recovery/campaign.ts'
import { devicesOf } from '../../../rooms/recovery/devices.ts'
import { chooseProcedure, confirmCompromise } from '../../../rooms/recovery/notify.ts'
import { howLong, type RecoveryReport, reportOf } from '../../../rooms/recovery/report.ts'
import { doneStep } from '../../../rooms/recovery/steps.ts'
import { radios, select } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import {
  buttonLink,
  buttons,
  form as formHtml,
  heading,
  link,
  live,
  progressBar,
  subheading,
} from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime, count, eui64, figure } from '../frame/words.ts'
import { givenFields, readGiven } from '../registration/given.ts'
import { namesOf } from '../registration/names.ts'
import { curveChart } from './chart.ts'
import { eventFor, everyOfficer, handsOf, listFor } from './who.ts'
import { deviceWords, keyNames, stateTag } from './words.ts'

const mostListed = 200

export const recovery = page({
  path: '/recoveries/:event',
  title: 'Recovery',
  who: everyOfficer,
  section: 'operations',
  async show(visit) {
    const event = await eventFor(visit)
    const report = await reportOf(visit.door.store, event.reference)
    const isOver = event.state === 'closed' || event.state === 'rejected'
    const body = html`${heading(event.reference, 'Recovery')}${live(visit, isOver, await stateOf(visit, report))}${await listedOf(visit, report)}${formsOf(visit, report)}${link(listFor(visit.visitor), 'All recoveries')}`
    return { title: `Recovery ${event.reference}`, body }
  },
  async act(visit, form) {
    const { door, visitor } = visit
    const { reference } = await eventFor(visit)
    const hands = handsOf(door)
    const given = readGiven(form, [])
    const to = `/recoveries/${reference}`
    switch (form.text('do')) {
      case 'confirm':
      case 'reject': {
        const means = form.text('means')
        if (means === '') throw new Faulty([{ field: 'means', says: 'Choose by which means it was confirmed' }])
        const by = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER')
        const confirmed = form.text('do') === 'confirm'
        await confirmCompromise(hands, by, reference, { means, confirmed }, given)
        return { to, says: confirmed ? 'The Compromise is confirmed.' : 'The notification is rejected.' }
      }
      case 'choose': {
        const procedure = procedureNames.find(one => one === form.text('procedure'))
        if (!procedure) throw new Faulty([{ field: 'procedure', says: 'Choose a procedure' }])
        await chooseProcedure(hands, officerAs(visitor, 'RA_MANAGER', 'PMA_MEMBER'), reference, procedure, given)
        return { to, says: `The procedure is ${procedure}.` }
      }
      case 'step': {
        const due = (await reportOf(door.store, reference)).steps.find(one => one.done === undefined)
        if (!due || due.action !== form.text('action'))
          throw new Faulty([{ says: 'Another step is due by now: look at the page again' }])
        const by = officerAs(visitor, 'RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER', 'SRO', 'ARO')
        await doneStep(hands, by, reference, due.action, given)
        return { to, says: `On record: ${due.action}.` }
      }
      case 'pause':
        await pauseRecovery(hands, officerAs(visitor, 'RA_MANAGER', 'RA_PERSONNEL'), reference, given)
        return { to, says: 'Everything is held.' }
      case 'resume':
        await resumeRecovery(hands, officerAs(visitor, 'RA_MANAGER', 'RA_PERSONNEL'), reference, given)
        return { to, says: 'It goes on.' }
      default:
        throw new Faulty([{ says: 'Choose what is to be done' }])
    }
  },
})

async function stateOf({ door, at }: Visit, report: RecoveryReport): Promise<Html> {
  const { event, counts, directions, ceremonies, steps } = report
  const due = steps.find(step => step.done === undefined)
  const names = await namesOf(door.store)
  const all = Object.values(counts).reduce((a, b) => a + b, 0)
  const lasted = (event.closedAt ?? at).getTime() - event.notifiedAt.getTime()
  return html`${facts([
    ['State', stateTag(event.state)],
    [
      'Compromised',
      html`${keyNames[event.keyKind]}${event.party === undefined ? '' : html` of ${names.all.find(one => one.id === event.party)?.tradingName ?? `Party ${event.party}`}`}`,
    ],
    ['Notified', atTime(event.notifiedAt)],
    [event.closedAt ? 'From the notification to the closing' : 'Since the notification', howLong(lasted)],
    [
      'Procedure',
      event.procedure
        ? `${event.procedure}: ${report.says}`
        : event.askedFor && `not chosen; ${event.askedFor} is asked for`,
    ],
    ['Due now', due && html`<strong>${due.action}</strong>, by ${due.actor}`],
    ['Relevant Devices', event.frozen && `${figure(event.frozen.devices)}, frozen ${atTime(event.frozen.at)}`],
    ['Commands', event.wave > 0 && `wave ${event.wave}, ${figure(event.pace)} a minute`],
    ...directions.map((one): [string, Part] => [
      'Direction',
      html`${link(`/governance/decisions/${encodeURIComponent(one.decision)}`, one.decision)}: ${figure(one.used)} of ${figure(one.maximum)} commands`,
    ]),
    ...ceremonies.map((one): [string, Part] => [
      `${one.thing.slice(0, 1).toUpperCase()}${one.thing.slice(1)}`,
      one.closedAt
        ? `was awake until ${atTime(one.closedAt)}: ${count(one.signatures, 'signature')}`
        : `awake since ${atTime(one.openedAt)}`,
    ]),
  ])}${all === 0 ? '' : progressBar(all - openIn(counts), all, `${figure(all - openIn(counts))} of ${figure(all)} Devices are settled`)}${curveChart(report, at)}${
    all === 0
      ? ''
      : table(
          'Devices by state',
          ['State', { name: 'Devices', numeric: true }],
          (Object.entries(counts) as [keyof typeof deviceWords, number][])
            .filter(([, devices]) => devices > 0)
            .map(([state, devices]): Part[] => [deviceWords[state], figure(devices)]),
          '',
        )
  }${table(
    'Steps',
    ['Step', 'Phase', 'Done by', 'Done'],
    steps.map((step): Part[] => [
      `${step.number}. ${step.action}`,
      step.phase,
      step.actor,
      step.done ? atTime(step.done.at) : step === due ? html`<strong>due</strong>` : '',
    ]),
    'The steps are laid down when the procedure is chosen.',
  )}`
}

async function listedOf({ door }: Visit, { event, counts }: RecoveryReport): Promise<Html | string> {
  if (counts.listed === 0) return ''
  const devices = await devicesOf(door.store, event.reference, { state: 'listed', limit: mostListed })
  return table(
    `Listed Devices${counts.listed > mostListed ? `, the first ${mostListed} of ${figure(counts.listed)}` : ''}`,
    ['Device', 'Kind', 'Reason'],
    devices.map((one): Part[] => [eui64(one.device), one.kind, one.reason]),
    '',
  )
}

/** What the visitor's office may do now; the room decides in the end. */
function formsOf(visit: Visit, { event, steps }: RecoveryReport): Html {
  const holds = (...offices: readonly string[]) =>
    visit.visitor?.callers.some(one => one.offices.some(of => offices.includes(of)))
  const registration = holds('RA_MANAGER', 'RA_PERSONNEL')
  const due = steps.find(step => step.done === undefined)
  const parts: Html[] = []
  if (event.state === 'notified' && registration)
    parts.push(
      html`${subheading('Confirm')}${radios(visit, { name: 'means', label: 'By which means was it confirmed', choices: visit.door.settings.recovery.confirmationMeans.map(value => ({ value, text: value })), small: true })}${givenFields(visit, [])}${buttons({ text: 'Confirm the Compromise', does: 'confirm' }, { text: 'Reject it', kind: 'secondary', does: 'reject' })}`,
    )
  else if (event.state === 'confirmed' && !event.procedure && holds('RA_MANAGER', 'PMA_MEMBER'))
    parts.push(
      html`${subheading('Choose the procedure')}${select(visit, { name: 'procedure', label: 'Procedure', ...(event.askedFor !== undefined && { value: event.askedFor }), choices: procedureNames.map(value => ({ value, text: value })) })}${givenFields(visit, [])}${buttons({ text: 'Choose', does: 'choose' })}`,
    )
  else if (event.state !== 'rejected' && visit.visitor!.callers.length > 0 && (due || registration)) {
    const held = event.state === 'running' || event.state === 'paused'
    parts.push(
      html`${subheading('What is done now')}${due ? html`<input type="hidden" name="action" value="${due.action}">` : ''}${givenFields(visit, [])}${buttons(
        ...(due ? [{ text: `Record as done: ${due.action}`, does: 'step' }] : []),
        ...(held && registration
          ? [
              event.state === 'running'
                ? ({ text: 'Pause', kind: 'warning', does: 'pause' } as const)
                : ({ text: 'Resume', kind: 'secondary', does: 'resume' } as const),
            ]
          : []),
      )}`,
    )
  }
  const report = visit.visitor?.party === undefined && event.state !== 'rejected'
  return html`${report ? buttonLink(`/recoveries/${event.reference}/report`, 'Report for the SMKI PMA', true) : ''}${parts.map(one => formHtml(visit, one))}`
}
