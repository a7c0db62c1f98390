/** One organisation: its standing and what it lacks, its ranges, people, credentials, tests and tasks. */

import { certificatePolicies, offices } from '../../../policy/registration/offices.ts'
import { credentialRecords } from '../../../rooms/registration/life.ts'
import { appointmentsOf } from '../../../rooms/registration/nominations.ts'
import { type Organisation, organisationOf } from '../../../rooms/registration/party.ts'
import { planOf } from '../../../rooms/registration/srept.ts'
import { conditions, type Standing, standingOf } from '../../../rooms/registration/standing.ts'
import { tasksOfParty } from '../../../rooms/registration/task.ts'
import { cases } from '../../../rooms/revocation/case.ts'
import { deferrals } from '../../../rooms/revocation/covering.ts'
import type { PortalWorld } from '../door.ts'
import { type Html, html } from '../frame/html.ts'
import { page, type Visit } from '../frame/page.ts'
import { banner, buttonLink, details, heading, link, paragraph, tag } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { atTime, onDay } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { capital, caseTag, kindWords, numberIn, standingTag, taskTag } from './names.ts'
import { drawn, rangesOf } from './organisations.ts'
import { overlapsOf } from './range-line.ts'
import { central } from './who.ts'

export const organisation = page({
  path: '/registration/organisations/:party',
  title: 'Organisation',
  who: central,
  section: 'registration',
  async show(visit) {
    const { door, visitor } = visit
    const one = await partyAsked(visit)
    const [standing, ranges, waiting] = await Promise.all([
      standingOf(door.store, one.id),
      rangesOf(door, [one]),
      deferrals(door.store, { party: one.id, open: true }),
    ])
    const acts = (visitor?.callers.length ?? 0) > 0 && one.ceasedAt === undefined
    const body = html`${heading(one.tradingName, 'Organisation')}${waiting.map((deferral, i) =>
      banner(
        'Revocation deferred',
        paragraph(
          `By decision ${deferral.decision} of the SMKI PMA its certificates are not revoked for now (L16). Review on ${onDay(deferral.reviewAt)}. `,
          link(`/registration/deferrals/${deferral.id}`, `See deferral ${deferral.id}`),
        ),
        'important',
        `deferral-${i}`,
      ),
    )}${facts([
      ['Standing', standingTag(standing.state)],
      ['Kind', kindWords[one.kind]],
      ['Short name', one.name],
      ['Registered', atTime(one.registeredAt)],
      ['Ceased', one.ceasedAt && atTime(one.ceasedAt)],
      ['Form in force', one.formInForce ? `version ${one.formInForce}` : 'none'],
      ['Form that waits', one.formSubmitted ? `version ${one.formSubmitted}` : undefined],
    ])}${acts ? html`<div class="govuk-button-group">${buttonLink(`/registration/organisations/${one.id}/form`, 'Receive a new form', true)}${buttonLink(`/registration/nominate?party=${one.id}`, 'Record a nomination', true)}</div>` : ''}${lacks(standing)}${drawn(ranges, overlapsOf(ranges))}${await people(door, one)}${await credentials(door, one)}${await srept(door, one)}${await tasks(door, one)}${await revocations(door, one)}`
    return { title: one.tradingName, body }
  },
})

/** @throws Refusal NOTHING_THERE, PARTY_UNKNOWN */
export async function partyAsked({ door, params }: Visit): Promise<Organisation> {
  const id = numberIn(params.party)
  if (id === undefined) throw refuse('NOTHING_THERE')
  return organisationOf(door.store, id)
}

function lacks({ policies }: Standing): Html {
  return table(
    'Authorised Subscriber',
    ['Certificate Policy', 'Authorised', 'What it lacks'],
    certificatePolicies.map(policy => [
      policy,
      policies[policy].authorised ? tag('Authorised', 'green') : tag('Not authorised', 'grey'),
      policies[policy].missing.length === 0
        ? 'nothing'
        : html`<ul class="govuk-list">${policies[policy].missing.map(one => html`<li>Not yet: ${conditions[one]}</li>`)}</ul>`,
    ]),
    '',
  )
}

async function people({ store }: PortalWorld, { id }: Organisation): Promise<Html> {
  const all = await appointmentsOf(store, id)
  return table(
    'People in office',
    ['Person', 'Office', 'State', 'Since'],
    all.map(one => [
      link(`/registration/people/${one.person}`, one.person),
      html`${offices[one.office].title}${one.policies.length > 0 ? ` for ${one.policies.join(', ')}` : ''}`,
      capital(one.state),
      one.ceasedAt ? `until ${onDay(one.ceasedAt)}` : one.appointedAt ? onDay(one.appointedAt) : '–',
    ]),
    'Nobody is in office or nominated.',
  )
}

async function credentials({ store }: PortalWorld, { id }: Organisation): Promise<Html> {
  const all = await credentialRecords(store, id)
  return table(
    'Credentials',
    ['Credential', 'Kind', 'Holder', 'State', 'Ends'],
    all.map(one => [
      `${one.id}: ${one.systemName}`,
      one.kind,
      one.person ? link(`/registration/people/${one.person}`, one.person) : 'a system',
      capital(one.state),
      one.endedAt ? `ended ${onDay(one.endedAt)}` : one.expiresAt ? onDay(one.expiresAt) : '–',
    ]),
    'It has no credential.',
  )
}

async function srept({ store }: PortalWorld, { id }: Organisation): Promise<Html> {
  const plan = await planOf(store, id)
  if (!plan) return paragraph('SREPT is not planned.')
  const says = `SREPT, ${plan.completedAt ? `completed on ${onDay(plan.completedAt)}` : 'not completed'}`
  const results = table(
    says,
    ['Scenario', 'Result', 'When'],
    plan.scenarios.map(one => [
      `${one.id}: ${one.says}`,
      one.passed === undefined
        ? tag('Not run', 'grey')
        : one.passed
          ? tag('Passed', 'green')
          : tag('Failed', 'red'),
      one.at ? atTime(one.at) : '–',
    ]),
    'Nothing is to be shown.',
  )
  const passed = plan.scenarios.filter(one => one.passed).length
  return details(`${says}: ${passed} of ${plan.scenarios.length} scenarios passed`, results)
}

async function tasks({ store }: PortalWorld, { id }: Organisation): Promise<Html> {
  const all = (await tasksOfParty(store, id)).toReversed()
  return table(
    'Tasks, newest first',
    ['Task', 'State', 'Opened', 'Decided'],
    all.map(one => [
      link(`/registration/tasks/${one.id}`, `${one.id}: ${one.kind}`),
      taskTag(one.state),
      atTime(one.openedAt),
      one.decidedAt ? atTime(one.decidedAt) : '–',
    ]),
    'There was no task about it.',
  )
}

async function revocations({ store }: PortalWorld, { id }: Organisation): Promise<Html> {
  const all = (await cases(store, { party: id })).toReversed()
  return table(
    'Revocation cases, newest first',
    ['Case', 'Ground', 'State', 'Received'],
    all.map(one => [
      link(`/registration/revocations/${one.id}`, `Case ${one.id}`),
      one.ground,
      caseTag(one.state),
      atTime(one.receivedAt),
    ]),
    'There was no revocation.',
  )
}
