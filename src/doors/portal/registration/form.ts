/** An Organisation Information Form is received: the first of an applicant, or a new version (RAPP 5.1, A1). */

import type { OrganisationForm, PartyKind } from '../../../rooms/registration/form.ts'
import { apply, submitForm } from '../../../rooms/registration/organisation.ts'
import { formOf } from '../../../rooms/registration/party.ts'
import { input, radios, textarea } from '../frame/fields.ts'
import type { Form } from '../frame/form.ts'
import { type Html, html } from '../frame/html.ts'
import { type Fault, Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, form as formHtml, heading, paragraph } from '../frame/pieces.ts'
import { officerAs } from '../frame/visitor.ts'
import { givenFields, readGiven } from './given.ts'
import { kindWords } from './names.ts'
import { partyAsked } from './organisation.ts'

const texts = [
  ['legalName', 'Legal name'],
  ['tradingName', 'Trading name'],
  ['identifier', 'SEC Party ID or RDP ID'],
  ['companyNumber', 'Company number'],
  ['address', 'Address'],
  ['contactNumber', 'Telephone number, found independently of the applicant'],
] as const

const kinds = (Object.keys(kindWords) as PartyKind[]).map(value => ({ value, text: kindWords[value] }))

export const firstForm = page({
  path: '/registration/organisations/new',
  title: 'Receive an Organisation Information Form',
  who: ['RA_PERSONNEL', 'RA_MANAGER'],
  section: 'registration',
  show(visit) {
    return html`${heading('Receive an Organisation Information Form', 'Organisations')}${paragraph('Enter the form as it was received. Somebody else verifies it, and a Manager approves it.')}${formHtml(
      visit,
      html`${input(visit, { name: 'name', label: 'Short name', hint: 'For folders and commands: lower-case letters, digits and hyphens', width: 20, code: true })}${fields(visit)}${givenFields(visit, [])}${buttons({ text: 'Receive the form' })}`,
    )}`
  },
  async act(visit, form) {
    const by = officerAs(visit.visitor, 'RA_PERSONNEL', 'RA_MANAGER')
    const read = readOrganisationForm(form)
    const { task } = await apply(visit.door, by, form.text('name'), read, readGiven(form, []))
    return { to: `/registration/tasks/${task}`, says: 'The form is received. It waits for its verification.' }
  },
})

export const nextForm = page({
  path: '/registration/organisations/:party/form',
  title: 'Receive a new Organisation Information Form',
  who: ['RA_PERSONNEL', 'RA_MANAGER'],
  section: 'registration',
  async show(visit) {
    const one = await partyAsked(visit)
    const now = one.formInForce && (await formOf(visit.door.store, one.id, one.formInForce)).form
    return html`${heading('Receive a new Organisation Information Form', one.tradingName)}${paragraph('The version in force stays so until this one is approved.')}${formHtml(
      visit,
      html`${fields(visit, now || undefined)}${givenFields(visit, [])}${buttons({ text: 'Receive the form' })}`,
    )}`
  },
  async act(visit, form) {
    const by = officerAs(visit.visitor, 'RA_PERSONNEL', 'RA_MANAGER')
    const { id } = await partyAsked(visit)
    const { task } = await submitForm(visit.door, by, id, readOrganisationForm(form), readGiven(form, []))
    return { to: `/registration/tasks/${task}`, says: 'The form is received. It waits for its verification.' }
  },
})

function fields(visit: Visit, now?: OrganisationForm): Html {
  const ranges = now?.userRoles.map(one => `${one.userRole} ${one.first} ${one.last}`).join('\n')
  const shared = now?.shared?.map(one => `${one.eui64} ${one.userRoles.join(' ')}`).join('\n')
  return html`${radios(visit, { name: 'kind', label: 'Kind of organisation', choices: kinds, value: now?.kind ?? 'party', small: true })}${texts.map(
    ([name, label]) => input(visit, { name, label, value: now?.[name] ?? '' }),
  )}${textarea(visit, {
    name: 'ranges',
    label: 'User Roles and their ranges',
    hint: 'One a line: User Role, first and last EUI-64. For example: IS 02-D0-00-00-00-00-00-00 02-D0-00-00-00-00-FF-FF',
    rows: 6,
    value: ranges ?? '',
    code: true,
  })}${textarea(visit, {
    name: 'shared',
    label: 'Identifiers that several User Roles share (optional)',
    hint: 'H1.5. One a line: the EUI-64, then its User Roles',
    rows: 2,
    value: shared ?? '',
    code: true,
  })}${input(visit, { name: 'reference', label: 'Reference of the signed declaration', width: 20 })}${input(visit, { name: 'signedOn', label: 'Day of its signature', hint: 'For example 2026-11-20', width: 10 })}`
}

/** What is wrong within is for the room to say; here only what is no form at all. @throws Faulty */
export function readOrganisationForm(form: Form): OrganisationForm {
  const faults: Fault[] = []
  const kind = kinds.find(one => one.value === form.text('kind'))?.value
  if (!kind) faults.push({ field: 'kind', says: 'Choose the kind of organisation' })
  const lines = (field: string) =>
    form
      .text(field)
      .split('\n')
      .map(line => line.trim().split(/\s+/))
      .filter(words => words[0] !== '')
  const ranges = lines('ranges')
  if (ranges.some(words => words.length !== 3))
    faults.push({ field: 'ranges', says: 'Enter each range as a User Role, its first and its last EUI-64' })
  const shared = lines('shared')
  if (shared.some(words => words.length < 3))
    faults.push({ field: 'shared', says: 'Enter each shared identifier as an EUI-64 and its User Roles' })
  const [reference, signedOn] = [form.text('reference'), form.text('signedOn')]
  if ((reference === '') !== (signedOn === ''))
    faults.push({
      field: reference === '' ? 'reference' : 'signedOn',
      says: 'Enter the declaration with its reference and its day',
    })
  if (faults.length > 0) throw new Faulty(faults)
  const given = texts.map(([name]) => [name, form.text(name)] as const).filter(([, value]) => value !== '')
  return {
    kind: kind as PartyKind,
    ...Object.fromEntries(given),
    userRoles: ranges.map(([userRole, first, last]) => ({ userRole: userRole!, first: first!, last: last! })),
    ...(shared.length > 0 && { shared: shared.map(([eui64, ...userRoles]) => ({ eui64: eui64!, userRoles })) }),
    ...(reference !== '' && { declaration: { reference, signedOn } }),
  }
}
