/** People: everybody by reference, with the offices they hold; and a new one entered. */

import { offices } from '../../../policy/registration/offices.ts'
import { enterPerson } from '../../../rooms/registration/people.ts'
import { people as everybody, type PersonalData } from '../../../rooms/registration/person.ts'
import { input, textarea } from '../frame/fields.ts'
import type { Form } from '../frame/form.ts'
import { type Html, html } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { buttonLink, buttons, form as formHtml, heading, paragraph } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { onDay } from '../frame/words.ts'
import { readGiven } from './given.ts'
import { callNames, namesOf, person as personLink } from './names.ts'
import { central } from './who.ts'

export const people = page({
  path: '/registration/people',
  title: 'People',
  who: central,
  section: 'registration',
  says: 'people, the offices they hold, the evidence of it, and nominations',
  async show({ door, visitor }) {
    const [all, names] = await Promise.all([everybody(door.store), namesOf(door.store)])
    const called = await callNames(door.store, names.all)
    return html`${heading('People', 'Registration Authority')}${paragraph('People stand here by reference. What is known of a person is shown on the page of that person, to whoever needs it, and that it was looked at is on record.')}${visitor?.callers.length ? html`<div class="govuk-button-group">${buttonLink('/registration/people/new', 'Enter a person')}${buttonLink('/registration/nominate', 'Record a nomination', true)}</div>` : ''}${table(
      'People',
      ['Person', 'Offices', 'Entered'],
      all.map(one => [
        html`${personLink(one.reference, called)}${one.erased ? ' (erased)' : ''}`,
        one.offices.length === 0
          ? 'none'
          : html`<ul class="govuk-list">${one.offices.map(held => html`<li>${offices[held.office as keyof typeof offices]?.title ?? held.office}${held.party === undefined ? '' : html` of ${names.link(held.party)}`}${held.state === 'appointed' ? '' : html` (${held.state})`}</li>`)}</ul>`,
        onDay(one.enteredAt),
      ]),
      'Nobody is entered.',
    )}`
  },
})

export const newPerson = page({
  path: '/registration/people/new',
  title: 'Enter a person',
  who: ['RA_PERSONNEL', 'RA_MANAGER'],
  section: 'registration',
  show: visit =>
    html`${heading('Enter a person', 'People')}${formHtml(visit, html`${personFields(visit)}${buttons({ text: 'Enter the person' })}`)}`,
  async act({ door, visitor }, form) {
    const by = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER')
    const reference = await enterPerson(door, by, readPerson(form), readGiven(form, []))
    return { to: `/registration/people/${reference}`, says: `The person is entered, as ${reference}.` }
  },
})

export function personFields(visit: Visit, now?: PersonalData): Html {
  return html`${input(visit, { name: 'name', label: 'Full name', value: now?.name ?? '' })}${input(visit, { name: 'email', label: 'Email address (optional)', value: now?.email ?? '' })}${input(visit, { name: 'telephone', label: 'Telephone number (optional)', value: now?.telephone ?? '', width: 20 })}${textarea(
    visit,
    {
      name: 'questions',
      label: 'Authentication questions (optional)',
      hint: 'What the Service Desk asks to know an ARO by telephone. One a line: the question, a question mark, the answer.',
      rows: 3,
      value: (now?.questions ?? []).map(one => `${one.question}? ${one.answer}`).join('\n'),
    },
  )}`
}

/** @throws Faulty */
export function readPerson(form: Form): PersonalData {
  const name = form.text('name')
  if (name === '') throw new Faulty([{ field: 'name', says: 'Enter the full name' }])
  const questions = form
    .text('questions')
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const at = line.indexOf('?')
      const [question, answer] = [line.slice(0, at).trim(), line.slice(at + 1).trim()]
      if (at < 1 || answer === '')
        throw new Faulty([
          { field: 'questions', says: 'Enter each question with a question mark, and its answer after it' },
        ])
      return { question, answer }
    })
  const [email, telephone] = [form.text('email'), form.text('telephone')]
  return {
    name,
    ...(email !== '' && { email }),
    ...(telephone !== '' && { telephone }),
    ...(questions.length > 0 && { questions }),
  }
}
