/** What every page has around it: title, skip link, header, menu, suspensions in force, error summary, footer. */

import type { RecoveryEvent } from '../../../rooms/recovery/event.ts'
import type { SuspensionInForce } from '../../../rooms/revocation/suspended.ts'
import type { Assets } from './assets.ts'
import { hidden } from './fields.ts'
import { type Html, html } from './html.ts'
import type { Fault, Section } from './page.ts'
import { banner, paragraph } from './pieces.ts'
import type { Session } from './session.ts'
import type { Visitor } from './visitor.ts'
import { atTime } from './words.ts'

export interface Around {
  readonly environment: string
  readonly test: boolean
  readonly build: string
  readonly assets: Assets
  readonly visitor: Visitor | undefined
  readonly session: Session | undefined
  readonly suspensions: readonly SuspensionInForce[]
  /** Recoveries under way that the visitor may know of. */
  readonly recoveries: readonly Pick<RecoveryEvent, 'reference' | 'notifiedAt'>[]
  /** Sections that the visitor may enter. */
  readonly menu: readonly { readonly section: Section; readonly to: string }[]
  readonly section: Section | undefined
}

export const sectionNames: Readonly<Record<Section, string>> = {
  officer: 'Certificates',
  registration: 'Registration Authority',
  repository: 'Repository',
  governance: 'Governance',
  operations: 'Operations',
  account: 'Your credentials',
}

export interface Middle {
  readonly title: string
  readonly body: Html
  readonly faults: readonly Fault[]
  readonly notice: string | undefined
}

export function document(around: Around, { title, body, faults, notice }: Middle): string {
  const { environment, test, build, assets, visitor, session, suspensions, recoveries, menu, section } = around
  const named = `${faults.length > 0 ? 'Error: ' : ''}${title} – SMKI Portal of ${environment}`
  return `<!DOCTYPE html>\n${html`<html lang="en-GB" class="govuk-template"><head><meta charset="utf-8"><title>${named}</title><meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"><meta name="theme-color" content="#173b48"><link rel="icon" href="data:,"><link rel="stylesheet" href="${assets.style}"><script type="module" src="${assets.script}"></script></head>
<body class="govuk-template__body"><a href="#main-content" class="govuk-skip-link" data-module="govuk-skip-link">Skip to main content</a>
<header class="portal-header"><div class="govuk-width-container portal-header__inner"><a class="portal-header__name" href="${session ? '/home' : '/'}">SMKI Portal</a>${visitor ? who(visitor, session) : ''}</div></header>
${menu.length === 0 ? '' : navigation(menu, section)}
<div class="govuk-width-container">${test ? html`<div class="govuk-phase-banner" role="region" aria-label="Kind of environment"><p class="govuk-phase-banner__content"><strong class="govuk-tag govuk-phase-banner__content__tag">Test</strong><span class="govuk-phase-banner__text">This is the test environment ${environment}. Nothing here is trusted by any real Device.</span></p></div>` : ''}
${suspensions.map((one, i) => inForce(one, i))}${recoveries.map((one, i) => underWay(one, i))}
<main class="govuk-main-wrapper" id="main-content">${notice === undefined ? '' : banner('Done', html`<p class="govuk-notification-banner__heading">${notice}</p>`, 'success', 'done')}${faults.length === 0 ? '' : summary(faults)}${body}</main></div>
<footer class="govuk-footer"><div class="govuk-width-container"><p class="govuk-body-s">${build}, environment ${environment}. Software under the Apache License 2.0.</p></div></footer></body></html>`}`
}

function who({ name, partyName, roles }: Visitor, session: Session | undefined): Html {
  return html`<p class="portal-header__who">${name}${partyName ? html`, ${partyName}` : ''} (${roles.map(one => roleNames[one] ?? one).join(', ')}) <form class="portal-signout" method="post" action="/sign-out">${session ? hidden('token', session.token) : ''}<button type="submit">Sign out</button></form></p>`
}

/** As people say them. */
export const roleNames: Readonly<Record<string, string>> = {
  ARO: 'Authorised Responsible Officer',
  SRO: 'Senior Responsible Officer',
  NO: 'Nominating Officer',
  RA_PERSONNEL: 'Registration Authority Personnel',
  RA_MANAGER: 'Registration Authority Manager',
  PMA_MEMBER: 'SMKI PMA Member',
  AUDITOR: 'auditor',
  READER: 'user of the Repository',
}

function navigation(menu: Around['menu'], now: Section | undefined): Html {
  return html`<nav class="govuk-service-navigation" aria-label="Menu"><div class="govuk-width-container"><div class="govuk-service-navigation__container"><ul class="govuk-service-navigation__list">${menu.map(
    ({ section, to }) =>
      html`<li class="govuk-service-navigation__item${section === now ? ' govuk-service-navigation__item--active' : ''}"><a class="govuk-service-navigation__link" href="${to}"${section === now ? html` aria-current="true"` : ''}>${sectionNames[section]}</a></li>`,
  )}</ul></div></div></nav>`
}

/** On every page while it lasts (L2.14). */
function inForce({ decision, scope, stops, startedAt, interface: on }: SuspensionInForce, i: number): Html {
  const covers =
    scope === 'interface' ? `the interface ${on}` : scope === 'service' ? 'the whole service' : `one ${scope}`
  return banner(
    'Suspended',
    paragraph(
      `By direction ${decision} of the SMKI PMA, ${covers} has been suspended since ${atTime(startedAt)} (${stops}). Contact the Service Desk.`,
    ),
    'important',
    `suspension-${i}`,
  )
}

/** On every page while it runs, of whoever may look at it. */
function underWay({ reference, notifiedAt }: Around['recoveries'][number], i: number): Html {
  return banner(
    'Recovery under way',
    paragraph(
      'A Compromise was notified on ',
      atTime(notifiedAt),
      ': ',
      html`<a class="govuk-notification-banner__link" href="/recoveries/${reference}">${reference}</a>.`,
    ),
    'important',
    `recovery-${i}`,
  )
}

/** On top of the page what is wrong, each with a way to its field. */
function summary(faults: readonly Fault[]): Html {
  return html`<div class="govuk-error-summary" data-module="govuk-error-summary"><div role="alert"><h2 class="govuk-error-summary__title">There is a problem</h2><div class="govuk-error-summary__body"><ul class="govuk-list govuk-error-summary__list">${faults.map(
    ({ field, says }) => html`<li>${field === undefined ? says : html`<a href="#${field}">${says}</a>`}</li>`,
  )}</ul></div></div></div>`
}
