/** The list of recoveries: for those who look after all of them, and for the officers of a Party about its own keys. */

import { procedureNames } from '../../../policy/recovery/cases.ts'
import { drills, dueDrills } from '../../../rooms/recovery/drills.ts'
import { events, type RecoveryEvent } from '../../../rooms/recovery/event.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { page, type Visit } from '../frame/page.ts'
import { buttonLink, heading, link, tag } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { atTime, figure, onDay } from '../frame/words.ts'
import { central, ofParties } from './who.ts'
import { keyNames, stateTag } from './words.ts'

export const recoveries = page({
  path: '/operations/recoveries',
  title: 'Recoveries',
  who: central,
  section: 'operations',
  says: 'Compromises that were notified, how far each recovery is, and drills that are due',
  async show(visit) {
    const { door, visitor } = visit
    const all = await events(door.store)
    return html`${heading('Recoveries', 'Operations')}${visitor!.callers.length > 0 ? notifyButton : ''}${listOf(all)}${await drillsOf(visit)}`
  },
})

export const ownRecoveries = page({
  path: '/officer/recoveries',
  title: 'Compromise and recovery',
  who: ofParties,
  section: 'officer',
  says: 'notify the Compromise of a key of yours, and follow its recovery',
  async show({ door, visitor }) {
    const all = await events(door.store, { party: visitor!.party })
    return html`${heading('Compromise and recovery', 'Certificates')}${notifyButton}${listOf(all)}`
  },
})

const notifyButton = buttonLink('/recoveries/new', 'Notify a Compromise')

function listOf(all: readonly RecoveryEvent[]): Html {
  return table(
    'Recoveries, latest first',
    ['Event', 'State', 'Key', 'Notified', 'Case', { name: 'Relevant Devices', numeric: true }],
    all.map((one): Part[] => [
      link(`/recoveries/${one.reference}`, one.reference),
      stateTag(one.state),
      keyNames[one.keyKind],
      atTime(one.notifiedAt),
      one.procedure ?? '–',
      one.frozen ? figure(one.frozen.devices) : '–',
    ]),
    'No Compromise was notified.',
  )
}

async function drillsOf({ door, at }: Visit): Promise<Html> {
  const held = await drills(door.store)
  const due = dueDrills(held, procedureNames, door.settings.recovery.drillMonths, at)
  return table(
    'Drills',
    ['Case', 'Next', 'Last', { name: 'Recovered', numeric: true }, 'Lessons'],
    due.map((one): Part[] => {
      const last = held.find(of => of.procedure === one.procedure)
      return [
        one.procedure,
        one.isDue ? tag('Due now', 'red') : onDay(one.due),
        last ? onDay(last.at) : 'never',
        last ? `${figure(last.proven)} of ${figure(last.proven + last.listed)}` : '–',
        last ? (last.lessons === '' ? 'to be written' : 'written') : '–',
      ]
    }),
    '',
  )
}
