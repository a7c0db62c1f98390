/** A decision of the SMKI PMA is recorded. */

import { type DecidedAct, decidedActs, recordDecision } from '../../../rooms/governance/decisions.ts'
import { appointmentsOf } from '../../../rooms/registration/nominations.ts'
import { decisionRecorders, requireMembers } from '../../../rooms/registration/pma.ts'
import { input, textarea } from '../frame/fields.ts'
import { type Html, html } from '../frame/html.ts'
import { instantHint, readInstant } from '../frame/instant.ts'
import { type Fault, Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, form as formHtml, heading, paragraph } from '../frame/pieces.ts'
import { officerAs } from '../frame/visitor.ts'

const instants = [
  ['decidedAt', 'When it was decided', true],
  ['from', 'In force from', true],
  ['until', 'In force until (optional)', false],
] as const

export const record = page({
  path: '/governance/decisions/new',
  title: 'Record a decision',
  who: decisionRecorders,
  section: 'governance',
  async show(visit) {
    const members = (await appointmentsOf(visit.door.store, undefined)).filter(
      one => one.office === 'PMA_MEMBER' && one.appointedAt,
    )
    return html`${heading('Record a decision of the SMKI PMA', 'Decisions and directions')}${paragraph('It is written once: what is recorded is never edited, only withdrawn.')}${formHtml(
      visit,
      html`${input(visit, { name: 'reference', label: 'Reference', hint: "The SMKI PMA's own; it is used once, for ever", width: 20 })}${boxes(
        visit,
        'acts',
        'To do what',
        decidedActs.map(value => ({ value, text: value })),
      )}${textarea(visit, {
        name: 'subjects',
        label: 'What it covers',
        hint: 'One a line: service, interface:ADHOC_WS, party:7, authority:3, document:Appendix D, certificate:3:<serial>, key:recovery, or * for everything',
        rows: 4,
        code: true,
      })}${input(visit, { name: 'meeting', label: 'Meeting or written procedure' })}${textarea(visit, { name: 'text', label: 'What was decided', hint: 'It stands in the journal, which is public: name no person.', rows: 6 })}${boxes(
        visit,
        'members',
        'Members who decided',
        members.map(one => ({
          value: one.person,
          text: one.state === 'appointed' ? one.person : `${one.person} (ceased since)`,
        })),
      )}${instants.map(([name, label]) => input(visit, { name, label, hint: instantHint, width: 20 }))}${input(visit, { name: 'limit', label: 'How many times it may be cited (optional)', width: 5, inputmode: 'numeric' })}${buttons({ text: 'Record the decision' })}`,
    )}`
  },
  async act({ door, visitor }, form) {
    const by = officerAs(visitor, ...decisionRecorders)
    const faults: Fault[] = []
    const need = (field: string, says: string) => {
      const text = form.text(field).replaceAll('\r\n', '\n')
      if (text === '') faults.push({ field, says })
      return text
    }
    const reference = need('reference', 'Enter the reference')
    const acts = decidedActs.filter(one => form.all('acts').includes(one)) as DecidedAct[]
    if (acts.length === 0) faults.push({ field: 'acts', says: 'Choose what it allows' })
    const subjects = need('subjects', 'Enter what it covers')
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== '')
    const meeting = need('meeting', 'Enter the meeting')
    const text = need('text', 'Enter what was decided')
    const members = form.all('members')
    if (members.length === 0) faults.push({ field: 'members', says: 'Choose the members who decided' })
    const [decidedAt, from, until] = instants.map(([name, label, needed]) =>
      readInstant(form, name, label, needed, door.settings.performance.zone, faults),
    )
    const limitText = form.text('limit')
    if (!/^([1-9]\d{0,6})?$/.test(limitText))
      faults.push({ field: 'limit', says: 'Enter a whole number, or leave it empty' })
    if (faults.length > 0) throw new Faulty(faults)
    await recordDecision(
      door,
      by.person,
      {
        reference,
        acts,
        subjects,
        meeting,
        text,
        members,
        decidedAt: decidedAt!,
        from: from!,
        until,
        ...(limitText !== '' && { limit: Number(limitText) }),
      },
      requireMembers,
    )
    return {
      to: `/governance/decisions/${encodeURIComponent(reference)}`,
      says: `Decision ${reference} is recorded.`,
    }
  },
})

/** Boxes of which several may be ticked; after a fault they are ticked anew. */
function boxes(
  visit: Visit,
  name: string,
  label: string,
  choices: readonly { value: string; text: string }[],
): Html {
  const fault = visit.faults.find(one => one.field === name)?.says
  return html`<div class="govuk-form-group${fault ? ' govuk-form-group--error' : ''}"><fieldset class="govuk-fieldset"${fault ? html` aria-describedby="${name}-error"` : ''}><legend class="govuk-fieldset__legend govuk-fieldset__legend--s">${label}</legend>${fault ? html`<p id="${name}-error" class="govuk-error-message"><span class="govuk-visually-hidden">Error:</span> ${fault}</p>` : ''}<div class="govuk-checkboxes govuk-checkboxes--small">${choices.map(
    ({ value, text }, i) =>
      html`<div class="govuk-checkboxes__item"><input class="govuk-checkboxes__input" type="checkbox" id="${i === 0 ? name : `${name}-${i}`}" name="${name}" value="${value}"><label class="govuk-label govuk-checkboxes__label" for="${i === 0 ? name : `${name}-${i}`}">${text}</label></div>`,
  )}</div></fieldset></div>`
}
