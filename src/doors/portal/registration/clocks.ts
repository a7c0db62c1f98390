/** The clocks of a revocation case: how long each state has lasted, and how much is left of what has a limit (section 6.3). */

import type { RevocationCase } from '../../../rooms/revocation/case.ts'
import type { Deferral } from '../../../rooms/revocation/covering.ts'
import { type Html, html } from '../frame/html.ts'
import { tag } from '../frame/pieces.ts'
import { atTime, onDay } from '../frame/words.ts'
import { span } from './urgency.ts'

/** In words, with what has run out said first. */
export function clockOf(one: RevocationCase, deferral: Deferral | undefined, at: Date): Html {
  const since = (from: Date) => span(at.getTime() - from.getTime())
  switch (one.state) {
    case 'revoked': {
      const left = one.listDueAt!.getTime() - at.getTime()
      return left < 0
        ? html`${tag('Late', 'red')} the list was due ${span(left)} ago, at ${atTime(one.listDueAt!)}`
        : html`${tag('Running', 'orange')} the list is due within ${span(left)}, at ${atTime(one.listDueAt!)}`
    }
    case 'listed': {
      const took = one.listedAt!.getTime() - one.revokedAt!.getTime()
      const late = one.listDueAt !== undefined && one.listedAt! > one.listDueAt
      return html`${late ? tag('Was late', 'red') : tag('In time', 'green')} listed ${span(took)} after its revocation`
    }
    case 'deferred':
      return deferral
        ? html`${tag(at > deferral.reviewAt ? 'Review overdue' : 'Waits', at > deferral.reviewAt ? 'red' : 'yellow')} decision ${deferral.decision}, review on ${onDay(deferral.reviewAt)}${deferral.endsAt ? `, lapses on ${onDay(deferral.endsAt)}` : ''}`
        : html`${tag('Waits', 'yellow')} by decision of the SMKI PMA`
    case 'refused':
    case 'cancelled':
      return html`${tag('Ended', 'grey')}`
    default:
      return html`${tag(one.urgent ? 'Urgent' : 'Open', one.urgent ? 'red' : 'blue')} received ${since(one.receivedAt)} ago`
  }
}
