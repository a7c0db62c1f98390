/** The queue, the workers and the signer: whether what was approved is on its way. */

import { unansweredSubmissions } from '../../../rooms/issuance/organisation-issue.ts'
import { type QueueLength, queueLength } from '../../../rooms/issuance/queue.ts'
import { askOrganisation } from '../../../rooms/issuance/signing.ts'
import { workersAtWork } from '../../../rooms/issuance/workers.ts'
import type { PortalWorld } from '../door.ts'
import { html, type Part } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { heading, tag, warning } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { atTime, count, figure } from '../frame/words.ts'
import { span } from '../registration/urgency.ts'
import { central } from './who.ts'

const stateSays: Readonly<Record<string, string>> = {
  PENDING: 'wait for an approval',
  PARSING: 'are read',
  QUEUED: 'wait for a worker',
  PROCESSING: 'are worked on',
  PAUSED: 'wait for the hour at which batches are processed',
}

/** A page waits so long for a signer, and no longer. */
const patienceMs = 2000

export const queue = page({
  path: '/operations/queue',
  title: 'Queue, workers and signer',
  who: central,
  section: 'operations',
  says: 'batches under way, who works on them, and whether the signer answers',
  async show({ door, at }) {
    const [length, workers, signers, unanswered] = await Promise.all([
      queueLength(door.store),
      workersAtWork(door.store),
      Promise.all(door.signers.map(answers)),
      unansweredSubmissions(door.store, at),
    ])
    const silent = signers.filter(one => !one).length
    return html`${heading('Queue, workers and signer', 'Operations')}${silent > 0 ? warning(`${count(silent, 'signer does', 'signers do')} not answer: what is approved waits until one does`) : ''}${table(
      'Signers',
      ['Signer', 'State'],
      signers.map((one, i) => [`Signer ${i + 1}`, one ? tag('Answers', 'green') : tag('Does not answer', 'red')]),
      'No signer is configured.',
    )}${facts([
      ['Organisation CSRs approved and not yet issued', figure(unanswered.length)],
      ['CSRs of batches that no worker has in hand', figure(length.waiting)],
      [
        'Oldest batch under way',
        length.oldest ? `${span(at.getTime() - length.oldest.getTime())}, since ${atTime(length.oldest)}` : 'none',
      ],
    ])}${batchTable(length)}${table(
      'Workers with portions in hand',
      ['Worker', { name: 'Portions', numeric: true }, { name: 'CSRs', numeric: true }, 'State'],
      workers.map((one): Part[] => [
        one.worker,
        figure(one.portions),
        figure(one.csrs),
        one.leaseUntil < at
          ? html`${tag('Silent', 'red')} for ${span(at.getTime() - one.leaseUntil.getTime())}: another takes over`
          : tag('At work', 'green'),
      ]),
      'No worker has anything in hand.',
    )}`
  },
})

function batchTable({ states }: QueueLength) {
  return table(
    'Batches under way',
    ['State', 'Which', { name: 'Batches', numeric: true }],
    Object.entries(states).map(([state, n]) => [state, stateSays[state] ?? '', figure(n)]),
    '',
  )
}

/** Asked for what nobody submitted: a signer that lives says that it does not know it. */
async function answers(signer: PortalWorld['signers'][number]): Promise<boolean> {
  const patience = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => patience.resolve(undefined), patienceMs)
  try {
    const answer = await Promise.race([askOrganisation(signer, 0n), patience.promise])
    return answer !== undefined && !('code' in answer && answer.code === 'CA:FF1')
  } finally {
    clearTimeout(timer)
  }
}
