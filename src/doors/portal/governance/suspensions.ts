/** Emergency suspensions (L2.14): those in force, who was informed, their end by direction; and Events of Default. */

import { interfaces } from '../../../policy/revocation/suspension.ts'
import { authorities } from '../../../rooms/authority/register.ts'
import { eventsOfDefault } from '../../../rooms/revocation/default.ts'
import { suspensionRecords } from '../../../rooms/revocation/suspended.ts'
import { recordInformed, resume } from '../../../rooms/revocation/suspension.ts'
import { hidden, input } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { type Fault, Faulty, page, type Visit } from '../frame/page.ts'
import {
  buttonLink,
  buttons,
  form as formHtml,
  heading,
  link,
  paragraph,
  subheading,
  tag,
} from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { type Names, namesOf, numberIn } from '../registration/names.ts'
import { openable } from '../registration/openable.ts'
import { acts, central } from './who.ts'

type Recorded = Awaited<ReturnType<typeof suspensionRecords>>[number]

export const suspensions = page({
  path: '/governance/suspensions',
  title: 'Suspensions',
  who: central,
  section: 'governance',
  says: 'emergency suspensions in force and ended, and Events of Default',
  async show(visit) {
    const { door, visitor } = visit
    const [all, names, events] = await Promise.all([
      suspensionRecords(door.store),
      namesOf(door.store),
      eventsOfDefault(door.store),
    ])
    const known = new Map((await authorities(door.store)).map(one => [one.id, one.name]))
    const inForce = all.filter(one => one.endedAt === undefined)
    const covers = (one: Recorded) => coverOf(one, names, known)
    return html`${heading('Suspensions', 'Governance')}${acts(visitor) ? buttonLink('/governance/suspensions/new', 'Suspend') : ''}${inForce.length === 0 ? paragraph('Nothing is suspended.') : inForce.map(one => current(visit, one, covers(one)))}${table(
      'Ended',
      ['Suspension', 'Covered', 'Began', 'Ended', 'By direction'],
      all
        .filter(one => one.endedAt !== undefined)
        .toReversed()
        .map((one): Part[] => [
          `${one.id}: ${one.decision}`,
          covers(one),
          atTime(one.startedAt),
          atTime(one.endedAt!),
          link(`/governance/decisions/${encodeURIComponent(one.endDecision!)}`, one.endDecision!),
        ]),
      'No suspension has ended.',
    )}${table(
      'Events of Default (L2.5)',
      ['Event', 'Party', 'Provision', 'Found', 'Steps taken', 'Due'],
      events
        .toReversed()
        .map((one): Part[] => [
          `Event ${one.id}`,
          names.link(one.party),
          one.provision,
          atTime(one.foundAt),
          one.steps.map(step => step.step).join(', '),
          one.due ? tag(one.due, 'blue') : tag('Closed', 'green'),
        ]),
      'No Event of Default is on record.',
    )}`
  },
  async act(visit, form) {
    const { door, visitor, path } = visit
    const id = numberIn(form.text('suspension'))
    if (id === undefined) throw refuse('FORM_UNFIT')
    if (form.text('do') === 'informed') {
      const [who, how] = [form.text(`who-${id}`), form.text(`how-${id}`)]
      const faults: Fault[] = []
      if (who === '') faults.push({ field: `who-${id}`, says: 'Enter who was informed' })
      if (how === '') faults.push({ field: `how-${id}`, says: 'Enter how' })
      if (faults.length > 0) throw new Faulty(faults)
      const by = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER')
      await recordInformed(door, by, id, { who, how })
      return { to: path, says: 'It is recorded who was informed.' }
    }
    const decision = form.text(`decision-${id}`)
    if (decision === '') throw new Faulty([{ field: `decision-${id}`, says: 'Enter the later direction' }])
    await resume(door, officerAs(visitor, 'RA_MANAGER', 'PMA_MEMBER'), id, decision, {})
    return { to: path, says: `Suspension ${id} has ended.` }
  },
})

function coverOf(one: Recorded, names: Names, known: ReadonlyMap<number, string>): string {
  if (one.scope === 'service') return 'the whole service'
  if (one.scope === 'interface') return interfaces[one.interface!]
  if (one.scope === 'authority') return `authority ${known.get(one.authority!) ?? one.authority}`
  return one.scope === 'party' ? names.party(one.party) : `${one.certificates.length} certificates`
}

function current(visit: Visit, one: Recorded, covers: string): Html {
  const ids = `suspension-of-${one.id}`
  return html`${subheading(`Suspension ${one.id}: ${covers}`, ids)}${facts([
    ['State', one.forGood ? tag('For good', 'red') : tag('In force', 'red')],
    ['Direction', link(`/governance/decisions/${encodeURIComponent(one.decision)}`, one.decision)],
    ['Stops', one.stops],
    ['In danger', one.ground],
    ['Since', atTime(one.startedAt)],
    ['Goes on', one.goesOn.length > 0 && one.goesOn.map(of => interfaces[of]).join(', ')],
    [
      'Informed',
      one.informed.length === 0
        ? 'nobody yet'
        : html`<ul class="govuk-list">${one.informed.map(of => html`<li>${of.who}, ${of.how}, ${atTime(of.at)}</li>`)}</ul>`,
    ],
  ])}${
    acts(visit.visitor)
      ? html`${openable(
          visit,
          `Record who was informed of suspension ${one.id}`,
          [`who-${one.id}`, `how-${one.id}`],
          formHtml(
            visit,
            html`${hidden('suspension', one.id)}${input(visit, { name: `who-${one.id}`, label: 'Who', hint: 'SEC Panel, party and its number, or the reference of a person', width: 20 })}${input(visit, { name: `how-${one.id}`, label: 'How' })}${buttons({ text: 'Record it', does: 'informed', kind: 'secondary' })}`,
          ),
        )}${one.forGood ? '' : openable(visit, `End suspension ${one.id}`, [`decision-${one.id}`], formHtml(visit, html`${hidden('suspension', one.id)}${input(visit, { name: `decision-${one.id}`, label: 'Later direction to resume', hint: 'Its reference', width: 20 })}${buttons({ text: 'End the suspension', does: 'resume', kind: 'warning' })}`))}`
      : ''
  }`
}
