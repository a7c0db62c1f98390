/** The pieces that pages are made of: headings, buttons, notices, tags, lists (GOV.UK Design System). */

import { hidden } from './fields.ts'
import { type Html, html, type Part } from './html.ts'
import type { Visit } from './page.ts'

/** The heading of a page; `caption` says what it belongs to. */
export function heading(text: string | Html, caption?: string): Html {
  return html`${caption ? html`<span class="govuk-caption-l">${caption}</span>` : ''}<h1 class="govuk-heading-l">${text}</h1>`
}

export function subheading(text: string, id?: string): Html {
  return html`<h2 class="govuk-heading-m"${id ? html` id="${id}"` : ''}>${text}</h2>`
}

export function paragraph(...text: readonly Part[]): Html {
  return html`<p class="govuk-body">${text}</p>`
}

export function link(to: string, text: string | Html): Html {
  return html`<a class="govuk-link" href="${to}">${text}</a>`
}

export function list(items: readonly Part[]): Html {
  return html`<ul class="govuk-list govuk-list--bullet">${items.map(one => html`<li>${one}</li>`)}</ul>`
}

export function buttonLink(to: string, text: string, secondary = false): Html {
  return html`<a class="govuk-button${secondary ? ' govuk-button--secondary' : ''}" href="${to}" role="button" draggable="false" data-module="govuk-button">${text}</a>`
}

export interface Button {
  readonly text: string
  readonly kind?: 'secondary' | 'warning'
  /** What `form.text('do')` says in `act`, where a form has several buttons. */
  readonly does?: string
}

/** Several stand beside one another. Pressed twice within a second, it counts once, where script runs. */
export function buttons(...all: readonly Button[]): Html {
  return html`<div class="govuk-button-group">${all.map(
    ({ text, kind, does }) =>
      html`<button type="submit" class="govuk-button${kind ? html` govuk-button--${kind}` : ''}" data-module="govuk-button" data-prevent-double-click="true"${does ? html` name="do" value="${does}"` : ''}>${text}</button>`,
  )}</div>`
}

/** A form to the page's own address, with the token of the session. Pages that take files say so. */
export function form(
  visit: Pick<Visit, 'session' | 'path'>,
  content: Part,
  options: { readonly upload?: boolean; readonly to?: string } = {},
): Html {
  return html`<form method="post" action="${options.to ?? visit.path}" novalidate${options.upload ? html` enctype="multipart/form-data"` : ''}>${visit.session ? hidden('token', visit.session.token) : ''}${content}</form>`
}

/** A form that looks for something: its answers have addresses of their own. */
export function searchForm(to: string, content: Part): Html {
  return html`<form method="get" action="${to}" novalidate>${content}</form>`
}

export type Colour = 'grey' | 'green' | 'turquoise' | 'blue' | 'purple' | 'pink' | 'red' | 'orange' | 'yellow'

/** A status in words; the colour only repeats them. */
export function tag(text: string, colour?: Colour): Html {
  return html`<strong class="govuk-tag${colour ? html` govuk-tag--${colour}` : ''}">${text}</strong>`
}

export function inset(content: Part): Html {
  return html`<div class="govuk-inset-text">${content}</div>`
}

export function warning(text: Part): Html {
  return html`<div class="govuk-warning-text"><span class="govuk-warning-text__icon" aria-hidden="true">!</span><strong class="govuk-warning-text__text"><span class="govuk-visually-hidden">Warning</span>${text}</strong></div>`
}

/** Something to open when it is wanted. */
export function details(summary: string, content: Part): Html {
  return html`<details class="govuk-details"><summary class="govuk-details__summary"><span class="govuk-details__summary-text">${summary}</span></summary><div class="govuk-details__text">${content}</div></details>`
}

/** A banner of its own region: `success` for what was done. */
export function banner(
  title: string,
  content: Part,
  kind: 'success' | 'important' = 'important',
  id = 'banner',
): Html {
  const role = kind === 'success' ? html` role="alert"` : html` role="region"`
  return html`<div class="govuk-notification-banner${kind === 'success' ? ' govuk-notification-banner--success' : ''}"${role} aria-labelledby="${id}-title" data-module="govuk-notification-banner" data-disable-auto-focus="${kind === 'success' ? 'false' : 'true'}"><div class="govuk-notification-banner__header"><h2 class="govuk-notification-banner__title" id="${id}-title">${title}</h2></div><div class="govuk-notification-banner__content">${content}</div></div>`
}

/** What goes on by itself: without script a link shows it anew; with script it is fetched again until it has ended. */
export function live(visit: Pick<Visit, 'path'>, ended: boolean, content: Part): Html {
  return html`<div id="live" aria-live="polite"${ended ? '' : html` data-live="${visit.path}"`}>${content}${ended ? '' : html`<p class="govuk-body" data-live-link><a class="govuk-link" href="${visit.path}">Show the latest state</a></p>`}</div>`
}

/** How much is done, in words and as a bar. */
export function progressBar(done: number, of: number, what: string): Html {
  const percent = of === 0 ? 100 : Math.floor((100 * done) / of)
  return html`<label class="govuk-label" for="progress">${what}</label><progress class="portal-progress" id="progress" value="${done}" max="${of}">${percent}%</progress>`
}

/** Octets, keys, proofs: in the face of a typewriter; long ones can be scrolled by keyboard. */
export function code(text: string, name?: string): Html {
  return name === undefined
    ? html`<span class="portal-code">${text}</span>`
    : html`<pre class="portal-block" tabindex="0" role="region" aria-label="${name}">${text}</pre>`
}
