/** A nomination, recorded by the Registration Authority in the name of whoever signed it, or made by a Manager himself. */

import {
  certificatePolicies,
  isOfOrganisation,
  type Office,
  offices,
} from '../../../policy/registration/offices.ts'
import { procedures } from '../../../policy/registration/procedure.ts'
import type { Officer } from '../../../rooms/registration/act.ts'
import { appointmentsOf, nominate as nominatePerson } from '../../../rooms/registration/nominations.ts'
import { input, select } from '../frame/fields.ts'
import type { Form } from '../frame/form.ts'
import { html } from '../frame/html.ts'
import { type Fault, Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, form as formHtml, heading, paragraph } from '../frame/pieces.ts'
import { officerAs } from '../frame/visitor.ts'
import { givenFields, readGiven } from './given.ts'
import { namesOf, numberIn } from './names.ts'

export const nominate = page({
  path: '/registration/nominate',
  title: 'Record a nomination',
  who: ['RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
  section: 'registration',
  async show(visit) {
    const { door, query } = visit
    const names = await namesOf(door.store)
    const [party, person] = [query.party ?? '', query.person ?? '']
    return html`${heading('Record a nomination', 'People')}${paragraph('Somebody else verifies the identity of the person, and a third one appoints.')}${formHtml(
      visit,
      html`${input(visit, { name: 'person', label: 'Reference of the person', hint: 'p- and 12 characters, as on the page of people', width: 20, value: person, code: true })}${select(
        visit,
        {
          name: 'office',
          label: 'Office',
          choices: Object.entries(offices).map(([value, { title }]) => ({ value, text: title })),
        },
      )}${select(visit, {
        name: 'party',
        label: 'Organisation',
        hint: 'Of a Nominating Officer, an SRO and an ARO',
        value: party,
        choices: [
          { value: '', text: 'None: Registration Authority or SMKI PMA' },
          ...names.all.map(one => ({ value: String(one.id), text: one.tradingName })),
        ],
      })}${policyBoxes()}${input(visit, { name: 'signedBy', label: 'Who signed it (optional)', hint: 'Reference of the Nominating Officer or SRO who signed the form that you record', width: 20, code: true })}${givenFields(visit, [])}${buttons({ text: 'Record the nomination' })}`,
    )}`
  },
  async act(visit, form) {
    const { door } = visit
    const office = officeIn(form)
    const party = numberIn(form.text('party'))
    const faults: Fault[] = []
    if (!/^p-[0-9a-f]{12}$/.test(form.text('person')))
      faults.push({ field: 'person', says: 'Enter the reference of the person, such as p-0123456789ab' })
    if (isOfOrganisation(office) && party === undefined)
      faults.push({ field: 'party', says: 'Choose the organisation of the office' })
    const policies = certificatePolicies.filter(one => form.all('policies').includes(one))
    if (office === 'ARO' && policies.length === 0)
      faults.push({ field: 'policies', says: 'Choose what the ARO is authorised for' })
    if (faults.length > 0) throw new Faulty(faults)
    const by = await nominator(visit, form, office, party)
    const nomination = { person: form.text('person'), office, party, ...(policies.length > 0 && { policies }) }
    const { task } = await nominatePerson(door, by, nomination, readGiven(form, []))
    return { to: `/registration/tasks/${task}`, says: 'The nomination is recorded. It waits for its verification.' }
  },
})

function policyBoxes() {
  return html`<div class="govuk-form-group"><fieldset class="govuk-fieldset"><legend class="govuk-fieldset__legend govuk-fieldset__legend--s">Certificate Policies that an ARO is authorised for</legend><div class="govuk-checkboxes govuk-checkboxes--small">${certificatePolicies.map(
    (policy, i) =>
      html`<div class="govuk-checkboxes__item"><input class="govuk-checkboxes__input" type="checkbox" id="${i === 0 ? 'policies' : `policies-${i}`}" name="policies" value="${policy}"><label class="govuk-label govuk-checkboxes__label" for="${i === 0 ? 'policies' : `policies-${i}`}">${policy}</label></div>`,
  )}</div></fieldset></div>`
}

function officeIn(form: Form): Office {
  const office = form.text('office')
  if (!Object.hasOwn(offices, office)) throw new Faulty([{ field: 'office', says: 'Choose the office' }])
  return office as Office
}

/**
 * Where the visitor's own office may nominate, he does; else he records what somebody in a fitting office of the same
 * organisation has signed.
 */
async function nominator(
  { door, visitor }: Visit,
  form: Form,
  office: Office,
  party: number | undefined,
): Promise<Officer> {
  const signer = form.text('signedBy')
  const { by } = procedures(door.rules)[`appoint ${office}`]!.request
  if (signer === '') return officerAs(visitor, ...by)
  const own = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER')
  const held = (await appointmentsOf(door.store, party)).find(
    one => one.person === signer && one.state === 'appointed' && by.includes(one.office),
  )
  if (!held)
    throw new Faulty([
      {
        field: 'signedBy',
        says: `Nobody of that reference is in an office that nominates an ${offices[office].title} there`,
      },
    ])
  return {
    person: signer,
    as: held.office,
    party,
    through: { person: own.person, as: own.as as 'RA_PERSONNEL' | 'RA_MANAGER' },
  }
}
