/** Revocation cases with their clocks: those that run, the most pressing first, and those that have come to their end. */

import { groundRow } from '../../../policy/revocation/grounds.ts'
import { type CaseState, cases, type RevocationCase } from '../../../rooms/revocation/case.ts'
import { deferrals } from '../../../rooms/revocation/covering.ts'
import { select } from '../frame/fields.ts'
import { html, type Part } from '../frame/html.ts'
import { page, type Visit } from '../frame/page.ts'
import { buttonLink, buttons, code, heading, link, paragraph, searchForm, tag } from '../frame/pieces.ts'
import { pagination, partAsked, table } from '../frame/tables.ts'
import { atTime, count } from '../frame/words.ts'
import { clockOf } from './clocks.ts'
import { csv } from './csv.ts'
import { deferrers } from './deferral-begin.ts'
import { capital, caseTag, namesOf, numberIn } from './names.ts'
import { central } from './who.ts'

const running: readonly CaseState[] = ['received', 'authenticated', 'deferred', 'approved', 'revoked']
const ended: readonly CaseState[] = ['listed', 'refused', 'cancelled']
const perPage = 50

const statesAsked = ({ query }: Visit): readonly CaseState[] =>
  query.show === 'ended' ? ended : query.show === 'all' ? [...running, ...ended] : running

export const revocations = page({
  path: '/registration/revocations',
  title: 'Revocation cases',
  who: central,
  section: 'registration',
  says: 'Certificate Revocation Requests with their clocks, and deferrals',
  async show(visit) {
    const { door, at, query, visitor } = visit
    // What runs is as much as there is work; what has ended is everything that ever was, and comes in parts.
    const isRunning = query.show !== 'ended' && query.show !== 'all'
    const [found, waiting, names] = await Promise.all([
      isRunning
        ? cases(door.store, { states: running })
        : cases(door.store, { states: statesAsked(visit), before: numberIn(query.before), atMost: perPage + 1 }),
      deferrals(door.store),
      namesOf(door.store),
    ])
    const sorted = isRunning ? byPressure(found, at) : found.toReversed()
    const part = isRunning ? partAsked(query) : 1
    const shown = sorted.slice((part - 1) * perPage, part * perPage)
    const more = sorted.length > part * perPage
    const older = `/registration/revocations?show=${isRunning ? '' : query.show}&before=${shown.at(-1)?.id}`
    const kept = query.show === undefined ? '' : `show=${encodeURIComponent(query.show)}&`
    return html`${heading('Revocation cases', 'Registration Authority')}${visitor?.callers.length ? buttonLink('/registration/revocations/new', 'Request a revocation') : ''}${searchForm(
      '/registration/revocations',
      html`${select(
        { given: query, faults: [] },
        {
          name: 'show',
          label: 'Show',
          choices: [
            { value: 'running', text: 'Running, the most pressing first' },
            { value: 'ended', text: 'Ended, newest first' },
            { value: 'all', text: 'All, newest first' },
          ],
        },
      )}${buttons({ text: 'Show', kind: 'secondary' })}`,
    )}${paragraph(isRunning ? `${count(found.length, 'case')}. ` : '', link(`/registration/revocations.csv?${kept}`, 'Export them as CSV'))}${table(
      'Cases',
      ['Case', 'Certificate', 'Party', 'Ground', 'State', 'Clock'],
      shown.map((one): Part[] => [
        link(`/registration/revocations/${one.id}`, `Case ${one.id}`),
        html`${capital(one.object)}, ${code(one.certificate.serial.toUpperCase())}`,
        names.link(one.party) ?? '–',
        html`${one.ground}${groundRow(one.ground).compromise ? html` ${tag('Compromise', 'red')}` : ''}`,
        caseTag(one.state),
        clockOf(
          one,
          waiting.find(({ id }) => id === one.deferral),
          at,
        ),
      ]),
      'There is no such case.',
    )}${isRunning ? pagination(part, more, to => `/registration/revocations?${kept}part=${to}`) : more ? buttonLink(older, 'Older cases', true) : ''}${table(
      'Deferrals (L16)',
      ['Deferral', 'Decision', 'Supplier', 'Began', 'Review', 'State'],
      waiting
        .toReversed()
        .map((one): Part[] => [
          link(`/registration/deferrals/${one.id}`, `Deferral ${one.id}`),
          link(`/governance/decisions/${encodeURIComponent(one.decision)}`, one.decision),
          names.link(one.party),
          atTime(one.startedAt),
          atTime(one.reviewAt),
          one.endedAt
            ? html`${tag('Ended', 'grey')} ${atTime(one.endedAt)}`
            : at > one.reviewAt
              ? tag('Review overdue', 'red')
              : tag('In force', 'yellow'),
        ]),
      'No revocation was ever deferred.',
    )}${deferrers.some(as => visitor?.roles.includes(as)) ? buttonLink('/registration/deferrals/new', 'Defer the revocations of a supplier', true) : ''}`
  },
})

/** First whose list is due, by what is left; then urgent and Compromised ones; then as they came. */
function byPressure(all: readonly RevocationCase[], at: Date): RevocationCase[] {
  const rank = (one: RevocationCase) => {
    if (one.state === 'revoked') return 0
    return one.urgent || groundRow(one.ground).compromise === true ? 1 : one.state === 'deferred' ? 3 : 2
  }
  const clock = (one: RevocationCase) => (one.listDueAt ?? at).getTime()
  return all.toSorted((a, b) => rank(a) - rank(b) || clock(a) - clock(b) || a.id - b.id)
}

export const revocationsCsv = page({
  path: '/registration/revocations.csv',
  title: 'Revocation cases as CSV',
  who: central,
  async show(visit) {
    const [found, names] = await Promise.all([
      cases(visit.door.store, { states: statesAsked(visit) }),
      namesOf(visit.door.store),
    ])
    return csv(
      'revocations.csv',
      [
        'case',
        'object',
        'authority',
        'serial',
        'party',
        'organisation',
        'ground',
        'reason',
        'state',
        'received',
        'revoked',
        'list due',
        'listed',
        'list',
      ],
      found.map(one => [
        one.id,
        one.object,
        one.certificate.authority,
        one.certificate.serial,
        one.party,
        names.party(one.party),
        one.ground,
        one.reason,
        one.state,
        one.receivedAt,
        one.revokedAt,
        one.listDueAt,
        one.listedAt,
        one.listNumber,
      ]),
    )
  },
})
