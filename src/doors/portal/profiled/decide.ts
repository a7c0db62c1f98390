/** The form by which the Registration Authority decides of a request that waits, on exactly what was shown. */

import { type Office, offices } from '../../../policy/registration/offices.ts'
import type { ProfiledRequest } from '../../../rooms/issuance/profiled-request.ts'
import type { Given } from '../../../rooms/registration/act.ts'
import { hidden } from '../frame/fields.ts'
import type { Form } from '../frame/form.ts'
import { type Html, html } from '../frame/html.ts'
import type { Visit } from '../frame/page.ts'
import { buttons, form as formHtml, paragraph } from '../frame/pieces.ts'
import { refuse } from '../refusals.ts'
import { givenFields, readGiven } from '../registration/given.ts'

/** Nothing where nothing waits; whoever may not decide is told who does. */
export function decideForm(visit: Visit, one: ProfiledRequest, by: readonly Office[]): Html | undefined {
  if (one.state !== 'verified') return undefined
  if (!by.some(as => visit.visitor?.roles.includes(as)))
    return paragraph(`It waits for ${by.map(as => offices[as].title).join(' or ')}.`)
  return formHtml(
    visit,
    html`${hidden('sha256', one.sha256)}${givenFields(visit, [])}${buttons({ text: 'Approve it', does: 'approve' }, { text: 'Refuse it', does: 'refuse', kind: 'warning' })}`,
  )
}

/** @throws Refusal FORM_STALE for another request than was shown, FORM_UNFIT; Faulty for a refusal without words */
export function decisionIn(form: Form, one: ProfiledRequest): Given & { readonly approve: boolean } {
  const does = form.text('do')
  if (does !== 'approve' && does !== 'refuse') throw refuse('FORM_UNFIT')
  if (form.text('sha256') !== one.sha256) throw refuse('FORM_STALE')
  return { approve: does === 'approve', ...readGiven(form, [], does === 'refuse') }
}
