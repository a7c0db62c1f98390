/** Decisions and directions of the SMKI PMA, latest first: what they cover, and whether they are in force. */

import {
  type DecidedAct,
  type Decision,
  decidedActs,
  decisions as every,
  notInForce,
} from '../../../rooms/governance/decisions.ts'
import { select } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { buttonLink, buttons, heading, link, searchForm, tag } from '../frame/pieces.ts'
import { pagination, partAsked, table } from '../frame/tables.ts'
import { atTime, count } from '../frame/words.ts'
import { acts, central } from './who.ts'

const perPage = 50

export const decisions = page({
  path: '/governance/decisions',
  title: 'Decisions and directions',
  who: central,
  section: 'governance',
  says: 'what the SMKI PMA has decided, and what was done under it',
  async show({ door, query, at, visitor }) {
    const act = decidedActs.find(one => one === query.act)
    const inForceOnly = query.force === 'now'
    const found = await every(door.store, {
      act: act as DecidedAct | undefined,
      ...(inForceOnly && { inForceAt: at }),
    })
    const part = partAsked(query)
    const given = { given: query, faults: [] }
    const kept = new URLSearchParams(Object.entries(query).filter(([name]) => name === 'act' || name === 'force'))
    return html`${heading('Decisions and directions', 'Governance')}${acts(visitor) ? buttonLink('/governance/decisions/new', 'Record a decision') : ''}${searchForm(
      '/governance/decisions',
      html`${select(given, { name: 'act', label: 'About', choices: [{ value: '', text: 'Every act' }, ...decidedActs.map(value => ({ value, text: value }))] })}${select(
        given,
        {
          name: 'force',
          label: 'In force',
          choices: [
            { value: '', text: 'All of them' },
            { value: 'now', text: 'Those in force now' },
          ],
        },
      )}${buttons({ text: 'Show', kind: 'secondary' })}`,
    )}${table(
      'Decisions, latest first',
      ['Reference', 'Acts', 'Meeting', 'Decided', 'State', 'Cited'],
      found
        .slice((part - 1) * perPage, part * perPage)
        .map((one): Part[] => [
          link(`/governance/decisions/${encodeURIComponent(one.reference)}`, one.reference),
          one.acts.join(', '),
          one.meeting,
          atTime(one.decidedAt),
          forceTag(one, at),
          cited(one),
        ]),
      'No decision is on record.',
    )}${pagination(part, found.length > part * perPage, to => `/governance/decisions?${new URLSearchParams([...kept, ['part', String(to)]])}`)}`
  },
})

export function forceTag(one: Decision, at: Date): Html {
  if (one.withdrawn) return tag('Withdrawn', 'grey')
  if (notInForce(one, at) === undefined)
    return one.limit !== undefined && one.uses >= one.limit ? tag('Used up', 'yellow') : tag('In force', 'green')
  return one.until && at >= one.until ? tag('Ended', 'grey') : tag('Not yet in force', 'blue')
}

export function cited({ uses, limit }: Decision): string {
  return limit === undefined ? count(uses, 'time') : `${uses} of ${count(limit, 'time')}`
}
