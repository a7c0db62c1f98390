/** Fields of forms: each with its label, its hint, and its fault beside it (GOV.UK Design System). */

import { type Html, html } from './html.ts'
import type { Visit } from './page.ts'

export interface Field {
  readonly name: string
  readonly label: string | Html
  readonly hint?: string | Html
  /** When nothing was entered before. */
  readonly value?: string
  /** Characters that what is entered will have, for the width of the field. */
  readonly width?: 2 | 3 | 4 | 5 | 10 | 20
  /** The label is the heading of the page. */
  readonly heading?: boolean
  readonly autocomplete?: string
  readonly type?: 'text' | 'password' | 'date' | 'search'
  /** For numbers and codes, a keyboard and no spell checking. */
  readonly inputmode?: 'numeric' | 'text'
  readonly code?: boolean
}

type Asked = Pick<Visit, 'given' | 'faults'>

export function input(visit: Asked, field: Field): Html {
  const { name, type = 'text', width, autocomplete, inputmode, code } = field
  const fault = faultOf(visit, name)
  // A password is never written into a page.
  const value = type === 'password' ? '' : (visit.given[name] ?? field.value ?? '')
  return group(
    fault,
    html`${label(field)}${hint(field)}${message(name, fault)}
<input class="govuk-input${width ? html` govuk-input--width-${width}` : ''}${fault ? ' govuk-input--error' : ''}" id="${name}" name="${name}" type="${type}" value="${value}"${describedBy(field, fault)}${autocomplete ? html` autocomplete="${autocomplete}"` : ''}${inputmode ? html` inputmode="${inputmode}"` : ''}${code ? html` spellcheck="false" autocapitalize="none"` : ''}>`,
  )
}

export function textarea(visit: Asked, field: Field & { readonly rows?: number }): Html {
  const { name, rows = 5, code } = field
  const fault = faultOf(visit, name)
  return group(
    fault,
    html`${label(field)}${hint(field)}${message(name, fault)}
<textarea class="govuk-textarea${fault ? ' govuk-textarea--error' : ''}${code ? ' portal-code' : ''}" id="${name}" name="${name}" rows="${rows}"${describedBy(field, fault)}${code ? html` spellcheck="false" autocapitalize="none"` : ''}>
${visit.given[name] ?? field.value ?? ''}</textarea>`,
  )
}

export interface Choice {
  readonly value: string
  readonly text: string | Html
  readonly hint?: string
}

export function select(visit: Asked, field: Field & { readonly choices: readonly Choice[] }): Html {
  const { name, choices } = field
  const fault = faultOf(visit, name)
  const chosen = visit.given[name] ?? field.value
  return group(
    fault,
    html`${label(field)}${hint(field)}${message(name, fault)}
<select class="govuk-select${fault ? ' govuk-select--error' : ''}" id="${name}" name="${name}"${describedBy(field, fault)}>${choices.map(
      one => html`<option value="${one.value}"${one.value === chosen ? html` selected` : ''}>${one.text}</option>`,
    )}</select>`,
  )
}

export function radios(
  visit: Asked,
  field: Field & { readonly choices: readonly Choice[]; readonly small?: boolean },
): Html {
  return choosing(visit, field, 'radio')
}

export function checkboxes(
  visit: Asked,
  field: Field & { readonly choices: readonly Choice[]; readonly small?: boolean },
): Html {
  return choosing(visit, field, 'checkbox')
}

export function fileUpload(
  visit: Asked,
  field: Field & { readonly accept?: string; readonly mostOctets?: number },
): Html {
  const { name, accept, mostOctets } = field
  const fault = faultOf(visit, name)
  return group(
    fault,
    html`${label(field)}${hint(field)}${message(name, fault)}
<input class="govuk-file-upload${fault ? ' govuk-file-upload--error' : ''}" id="${name}" name="${name}" type="file"${accept ? html` accept="${accept}"` : ''}${mostOctets ? html` data-most-octets="${mostOctets}"` : ''}${describedBy(field, fault)}>`,
  )
}

/** What the form must bring back and nobody edits. */
export function hidden(name: string, value: string | number | bigint): Html {
  return html`<input type="hidden" name="${name}" value="${value}">`
}

function choosing(
  visit: Asked,
  field: Field & { readonly choices: readonly Choice[]; readonly small?: boolean },
  type: 'radio' | 'checkbox',
): Html {
  const { name, choices, small } = field
  const of = type === 'radio' ? 'radios' : 'checkboxes'
  const fault = faultOf(visit, name)
  const chosen = visit.given[name] ?? field.value
  const one = ({ value, text, hint: says }: Choice, i: number) => {
    // The error summary leads to the first.
    const id = i === 0 ? name : `${name}-${i + 1}`
    return html`<div class="govuk-${of}__item"><input class="govuk-${of}__input" id="${id}" name="${name}" type="${type}" value="${value}"${value === chosen ? html` checked` : ''}${says ? html` aria-describedby="${id}-item-hint"` : ''}>
<label class="govuk-label govuk-${of}__label" for="${id}">${text}</label>${says ? html`<div id="${id}-item-hint" class="govuk-hint govuk-${of}__hint">${says}</div>` : ''}</div>`
  }
  return group(
    fault,
    html`<fieldset class="govuk-fieldset"${describedBy(field, fault)}><legend class="govuk-fieldset__legend${field.heading ? ' govuk-fieldset__legend--l' : ' govuk-fieldset__legend--s'}">${field.heading ? html`<h1 class="govuk-fieldset__heading">${field.label}</h1>` : field.label}</legend>${hint(field)}${message(name, fault)}
<div class="govuk-${of}${small ? html` govuk-${of}--small` : ''}">${choices.map(one)}</div></fieldset>`,
  )
}

export function faultOf(visit: Pick<Visit, 'faults'>, name: string): string | undefined {
  return visit.faults.find(one => one.field === name)?.says
}

function group(fault: string | undefined, content: Html): Html {
  return html`<div class="govuk-form-group${fault ? ' govuk-form-group--error' : ''}">${content}</div>`
}

function label({ name, label: text, heading }: Field): Html {
  const written = html`<label class="govuk-label${heading ? ' govuk-label--l' : ''}" for="${name}">${text}</label>`
  return heading ? html`<h1 class="govuk-label-wrapper">${written}</h1>` : written
}

function hint({ name, hint: says }: Field): Html | undefined {
  return says === undefined ? undefined : html`<div id="${name}-hint" class="govuk-hint">${says}</div>`
}

function message(name: string, fault: string | undefined): Html | undefined {
  if (fault === undefined) return undefined
  return html`<p id="${name}-error" class="govuk-error-message"><span class="govuk-visually-hidden">Error:</span> ${fault}</p>`
}

function describedBy({ name, hint: says }: Field, fault: string | undefined): Html | undefined {
  const by = [says === undefined ? [] : [`${name}-hint`], fault === undefined ? [] : [`${name}-error`]].flat()
  return by.length === 0 ? undefined : html` aria-describedby="${by.join(' ')}"`
}
