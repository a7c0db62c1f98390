/** One person: offices, credentials, and the evidence by which the person came to them. */

import { type Office, offices } from '../../../policy/registration/offices.ts'
import { cease } from '../../../rooms/registration/cease.ts'
import { credentialRecords } from '../../../rooms/registration/life.ts'
import { type Appointment, appointmentsOf } from '../../../rooms/registration/nominations.ts'
import { partiesOfPerson, tasksAbout } from '../../../rooms/registration/of-person.ts'
import { consultPerson } from '../../../rooms/registration/people.ts'
import { type PersonalData, type PersonRecord, people } from '../../../rooms/registration/person.ts'
import type { PortalWorld } from '../door.ts'
import { input, select } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { buttonLink, buttons, form as formHtml, heading, link, warning } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime, onDay } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { evidenceList } from './given.ts'
import { stepWords } from './may.ts'
import { callNames, capital, type Names, namesOf, numberIn, taskTag } from './names.ts'
import { openable } from './openable.ts'
import { central } from './who.ts'

export const person = page({
  path: '/registration/people/:person',
  title: 'Person',
  who: central,
  section: 'registration',
  async show(visit) {
    const one = await asked(visit)
    return { title: `Person ${one.reference}`, body: await about(visit, one) }
  },
  async act(visit, form) {
    const { door, visitor } = visit
    const one = await asked(visit)
    if (form.text('do') === 'consult') {
      const words = form.text('why')
      if (words === '') throw new Faulty([{ field: 'why', says: 'Say why you look, in a sentence' }])
      const by = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER')
      const known = await consultPerson(door, by, one.reference, { words })
      return { title: `Person ${one.reference}`, body: await about(visit, one, known) }
    }
    const [, office, party] = /^([A-Z_]+) (\d*)$/.exec(form.text('office')) ?? []
    if (!office || !Object.hasOwn(offices, office))
      throw new Faulty([{ field: 'office', says: 'Choose the office that ends' }])
    const words = form.text('words')
    if (words === '') throw new Faulty([{ field: 'words', says: 'Say why, in a sentence' }])
    const by = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER')
    const { ended } = await cease(
      door,
      by,
      { person: one.reference, office: office as Office, party: numberIn(party) },
      { words },
    )
    return { to: visit.path, says: `The office has ended, and with it ${ended.length} credentials.` }
  },
})

/** @throws Refusal NOTHING_THERE */
async function asked({ door, params }: Visit): Promise<PersonRecord> {
  const one = (await people(door.store)).find(({ reference }) => reference === params.person)
  if (!one) throw refuse('NOTHING_THERE')
  return one
}

async function about(visit: Visit, one: PersonRecord, known?: PersonalData): Promise<Html> {
  const { door, visitor } = visit
  const names = await namesOf(door.store)
  const called = await callNames(door.store, names.all)
  const parties = await partiesOfPerson(door.store, one.reference)
  const appointments = (await Promise.all(parties.map(party => appointmentsOf(door.store, party)))).flat()
  const own = appointments.filter(of => of.person === one.reference)
  const inOffice = own.filter(of => of.state === 'appointed')
  const acts = (visitor?.callers.length ?? 0) > 0 && !one.erased
  return html`${heading(`Person ${one.reference}`, 'People')}${facts([
    ['Called', called.get(one.reference)],
    ['Entered', atTime(one.enteredAt)],
    ['Erased', one.erased && 'What is personal is erased; the reference stays.'],
  ])}${known ? personal(known) : acts ? consult(visit) : ''}${table(
    'Offices',
    ['Office', 'Organisation', 'State', 'Since', 'Until'],
    own.map(of => [
      html`${offices[of.office].title}${of.policies.length > 0 ? ` for ${of.policies.join(', ')}` : ''}`,
      names.link(of.party) ?? '–',
      capital(of.state),
      of.appointedAt ? onDay(of.appointedAt) : '–',
      of.ceasedAt ? onDay(of.ceasedAt) : '–',
    ]),
    'The person holds no office and is nominated for none.',
  )}${await credentials(door, one, parties, names)}${await evidence(door, one)}${acts ? buttonLink(`/registration/nominate?person=${one.reference}`, 'Record a nomination', true) : ''}${acts && inOffice.length > 0 ? end(visit, inOffice, names) : ''}`
}

/** Shown this once; the next page has to ask again. */
function personal({ name, email, telephone, questions }: PersonalData): Html {
  return html`${warning('Personal data: that you looked is on record. Leave this page when you are done.')}${facts([
    ['Name', name],
    ['Email address', email],
    ['Telephone number', telephone],
    [
      'Authentication questions',
      questions &&
        questions.length > 0 &&
        html`<ul class="govuk-list">${questions.map(of => html`<li>${of.question}: ${of.answer}</li>`)}</ul>`,
    ],
  ])}`
}

function consult(visit: Visit): Html {
  return openable(
    visit,
    'Show what is known of this person',
    ['why'],
    formHtml(
      visit,
      html`${input(visit, { name: 'why', label: 'Why you need it', hint: 'It stands in the journal with your reference: name no person.' })}${buttons({ text: 'Show it', does: 'consult', kind: 'secondary' })}`,
    ),
  )
}

function end(visit: Visit, inOffice: readonly Appointment[], names: Names): Html {
  return openable(
    visit,
    'End an office of this person',
    ['words'],
    formHtml(
      visit,
      html`${warning('It ends at once, with the credentials that are held in it.')}${select(visit, {
        name: 'office',
        label: 'Office',
        choices: inOffice.map(of => ({
          value: `${of.office} ${of.party ?? ''}`,
          text: `${offices[of.office].title}${of.party === undefined ? '' : ` of ${names.party(of.party)}`}`,
        })),
      })}${input(visit, { name: 'words', label: 'Why', hint: 'It stands in the journal for good: name no person.' })}${buttons({ text: 'End the office', does: 'cease', kind: 'warning' })}`,
    ),
  )
}

async function credentials(
  { store }: PortalWorld,
  { reference }: PersonRecord,
  parties: readonly (number | undefined)[],
  names: Names,
): Promise<Html> {
  const all = (
    await Promise.all(parties.flatMap(party => (party === undefined ? [] : credentialRecords(store, party))))
  ).flat()
  return table(
    'Credentials',
    ['Credential', 'Kind', 'Of', 'State', 'Ends'],
    all
      .filter(one => one.person === reference)
      .map(one => [
        `${one.id}: ${one.systemName}`,
        one.kind,
        names.link(one.party),
        capital(one.state),
        one.expiresAt ? onDay(one.expiresAt) : '–',
      ]),
    'The person holds no credential.',
  )
}

/** What the person's tasks rest on: the references, and where in each task they were given. */
async function evidence({ store }: PortalWorld, { reference }: PersonRecord): Promise<Html> {
  const rows = (await tasksAbout(store, reference)).flatMap(task =>
    task.steps.map((step): Part[] => [
      link(`/registration/tasks/${task.id}`, `${task.id}: ${task.kind}`),
      taskTag(task.state),
      `${stepWords[step.step]} on ${onDay(step.at)}`,
      evidenceList(step.evidence) ?? 'none',
    ]),
  )
  return table(
    'Evidence',
    ['Task', 'State', 'Step', 'References'],
    rows,
    'No task about this person has evidence here.',
  )
}
