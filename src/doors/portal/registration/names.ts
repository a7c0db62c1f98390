/** What numbers and references are called: organisations, people of the Registration Authority, states. */

import type { Store } from '../../../ground/store/store.ts'
import { credentialRecords } from '../../../rooms/registration/life.ts'
import { type Organisation, organisations } from '../../../rooms/registration/party.ts'
import type { StandingState } from '../../../rooms/registration/standing.ts'
import type { TaskState } from '../../../rooms/registration/task.ts'
import type { CaseState } from '../../../rooms/revocation/case.ts'
import { type Html, html } from '../frame/html.ts'
import { type Colour, link, tag } from '../frame/pieces.ts'

export interface Names {
  readonly all: readonly Organisation[]
  /** The trading name. */
  party(id: number | undefined): string
  /** The name with a way to its page; nothing without a Party. */
  link(id: number | undefined): Html | undefined
}

export async function namesOf(store: Pick<Store, 'query'>): Promise<Names> {
  const all = await organisations(store as Store)
  const byId = new Map(all.map(one => [one.id, one.tradingName]))
  const party: Names['party'] = id => (id === undefined ? '' : (byId.get(id) ?? `Party ${id}`))
  return {
    all,
    party,
    link: id => (id === undefined ? undefined : link(`/registration/organisations/${id}`, party(id))),
  }
}

/** What the credentials of the Registration Authority call their holders; nobody else's name is shown unasked. */
export async function callNames(
  store: Pick<Store, 'query'>,
  all: readonly Organisation[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const { id } of all.filter(one => one.kind === 'dcc')) {
    for (const one of await credentialRecords(store as Store, id)) {
      if (one.kind === 'RA_STAFF' && one.state === 'active' && one.person !== undefined)
        found.set(one.person, one.systemName)
    }
  }
  return found
}

/** A person by reference, with what he is called here where that is known. */
export function person(reference: string, called: ReadonlyMap<string, string>): Html {
  const name = called.get(reference)
  return html`${link(`/registration/people/${reference}`, reference)}${name ? html` (${name})` : ''}`
}

const taskColours: Readonly<Record<TaskState, Colour>> = {
  open: 'blue',
  approved: 'green',
  refused: 'red',
  withdrawn: 'grey',
  void: 'grey',
}

export const taskTag = (state: TaskState): Html =>
  tag(state === 'open' ? 'Open' : capital(state), taskColours[state])

const caseColours: Readonly<Record<CaseState, Colour>> = {
  received: 'blue',
  authenticated: 'turquoise',
  deferred: 'yellow',
  approved: 'orange',
  revoked: 'orange',
  listed: 'green',
  refused: 'red',
  cancelled: 'grey',
}

export const caseTag = (state: CaseState): Html => tag(capital(state), caseColours[state])

export const standingWords: Readonly<Record<StandingState, string>> = {
  applicant: 'Applicant',
  identityVerified: 'Identity verified',
  officersInPlace: 'Officers in place',
  sreptComplete: 'SREPT complete',
  authorised: 'Authorised Subscriber',
  suspended: 'Suspended',
  ceased: 'Ceased',
}

const standingColours: Readonly<Record<StandingState, Colour>> = {
  applicant: 'grey',
  identityVerified: 'blue',
  officersInPlace: 'blue',
  sreptComplete: 'turquoise',
  authorised: 'green',
  suspended: 'red',
  ceased: 'grey',
}

export const standingTag = (state: StandingState): Html => tag(standingWords[state], standingColours[state])

export const kindWords: Readonly<Record<Organisation['kind'], string>> = {
  party: 'SEC Party',
  rdp: 'Registration Data Provider',
  dcc: 'DCC',
  s1sp: 'SMETS1 Service Provider',
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Of a path or a form: a whole number that a row may have; undefined for anything else. */
export function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined
}
