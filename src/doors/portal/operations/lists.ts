/** Every list that there should be: its age, what is left of it, what waits for the next; late ones first. */

import { type ListState, listWatch, type WatchedList } from '../../../rooms/revocation/watch.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { type Colour, heading, tag, warning } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { atTime, count, figure } from '../frame/words.ts'
import { span } from '../registration/urgency.ts'
import { central } from './who.ts'

const states: Readonly<Record<ListState, { says: string; colour: Colour; rank: number }>> = {
  late: { says: 'Late', colour: 'red', rank: 0 },
  due: { says: 'Due', colour: 'orange', rank: 1 },
  'waiting revocations': { says: 'Revocations wait', colour: 'yellow', rank: 2 },
  ok: { says: 'In order', colour: 'green', rank: 3 },
}

export const lists = page({
  path: '/operations/lists',
  title: 'Lists',
  who: central,
  section: 'operations',
  says: 'ages and margins of every CRL and ARL',
  async show({ door, at }) {
    const all = (await listWatch(door.store, at, door.schedules)).toSorted(
      (a, b) => states[a.state].rank - states[b.state].rank,
    )
    const late = all.filter(one => one.state === 'late').length
    return html`${heading('Lists', 'Operations')}${late > 0 ? warning(`${count(late, 'list is', 'lists are')} late: whoever renews lists has stopped, or for a root a ceremony is due`) : ''}${table(
      'Lists, the most pressing first',
      [
        'List',
        'State',
        { name: 'Number', numeric: true },
        'Age',
        'Good for',
        'Next due by',
        { name: 'Revocations that wait', numeric: true },
      ],
      all.map((one): Part[] => [
        html`${one.name}<br>${one.part}`,
        tag(states[one.state].says, states[one.state].colour),
        figure(one.number),
        one.thisUpdate ? html`${span(one.age)}<br>since ${atTime(one.thisUpdate)}` : 'there is none',
        margin(one),
        atTime(one.dueBy),
        figure(one.waiting),
      ]),
      'No authority signs lists here.',
    )}`
  },
})

/** In words, and as a bar of its whole life. */
function margin(one: WatchedList): Html {
  if (!one.thisUpdate || !one.nextUpdate) return html`–`
  if (one.margin <= 0) return html`<strong>run out ${span(one.margin)} ago</strong>`
  const whole = Math.max(1, one.nextUpdate.getTime() - one.thisUpdate.getTime())
  return html`${span(one.margin)}<br><meter class="portal-progress" min="0" max="100" low="25" value="${Math.floor((100 * one.margin) / whole)}" aria-label="Left of ${one.name}, per cent"></meter>`
}
