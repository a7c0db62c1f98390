/** An ARO's batches: the list, one of them while it goes on, and its files for thirty days. */

import { Refusal } from '../../../../ground/refusal.ts'
import { configuredCodes } from '../../../../policy/smki-device/codes.ts'
import type { Batch } from '../../../../rooms/issuance/batch.ts'
import { batchOf } from '../../../../rooms/issuance/batch.ts'
import { batchesOf, outcomesOf } from '../../../../rooms/issuance/progress.ts'
import { type Html, html } from '../../frame/html.ts'
import { page, type Visit } from '../../frame/page.ts'
import { buttonLink, heading, link, live, paragraph, progressBar, subheading, tag } from '../../frame/pieces.ts'
import { facts, pagination, table } from '../../frame/tables.ts'
import { callerFor } from '../../frame/visitor.ts'
import { atTime, figure, onDay } from '../../frame/words.ts'
import { refuse } from '../../refusals.ts'
import { channelOf, isFinal, nameOf, reportStatus, stateMeans, stateTag } from './named.ts'
import { certificatesZip, report } from './results.ts'

export const officer = { who: ['ARO', 'SRO'], part: 'PORTAL_DEVICE', section: 'officer' } as const

/** On one page of the list. */
const atOnce = 25

export const batchList = page({
  ...officer,
  path: '/officer/batches',
  title: 'Your batches and certificate pickup',
  says: 'See how your batches are doing, and collect Certificates for 30 days.',
  async show(visit) {
    const { door, query } = visit
    const before = /^[1-9]\d{0,17}$/.test(query.before ?? '') ? BigInt(query.before!) : undefined
    const found = await batchesOf(
      door.store,
      callerFor(visit.visitor!, 'PORTAL_DEVICE').credential.party,
      atOnce + 1,
      before,
    )
    const shown = found.slice(0, atOnce)
    return html`${heading('Your batches and certificate pickup')}
${buttonLink('/officer/batches/new', 'Submit a batch')}
${table(
  'Batches, newest first',
  ['Number', 'Name', 'Received', { name: 'Requests', numeric: true }, 'Channel', 'State'],
  shown.map(one => [
    link(`/officer/batches/${one.id}`, String(one.id)),
    nameOf(one),
    atTime(one.receivedAt),
    figure(one.count),
    channelOf(one),
    stateTag(one.state),
  ]),
  before === undefined ? 'You have not submitted a batch yet.' : 'There are no earlier batches.',
)}
${found.length > atOnce || before !== undefined ? pagination(before === undefined ? 1 : 2, found.length > atOnce, n => (n === 1 ? '/officer/batches' : `/officer/batches?before=${shown.at(-1)?.id}`)) : ''}`
  },
})

export const oneBatch = page({
  ...officer,
  path: '/officer/batches/:batch',
  title: 'Batch',
  async show(visit) {
    const batch = await ownBatch(visit)
    const outcomes = batch.state === 'PENDING' ? new Map() : await outcomesOf(visit.door.store, batch.id)
    const done = [...outcomes.values()].reduce((sum, n) => sum + n, 0)
    const { pickupDays } = visit.door.settings.issuing
    const title = `Batch ${batch.id}`
    return {
      title,
      body: html`${heading(title, nameOf(batch))}
${live(
  visit,
  isFinal(batch.state),
  html`<p class="govuk-body">${stateTag(batch.state)} ${stateMeans(batch.state)}</p>
${batch.state === 'PENDING' || batch.state === 'REJECTED' ? '' : progressBar(done, batch.count, `${figure(done)} of ${figure(batch.count)} requests are done`)}
${outcomes.size === 0 ? '' : countsOf(visit, outcomes)}
${batch.state === 'COMPLETED' ? files(batch, pickupDays) : ''}
${facts([
  ['Received', atTime(batch.receivedAt)],
  ['Requests', figure(batch.count)],
  ['Channel', channelOf(batch)],
  [
    'Decided by',
    batch.decidedBy &&
      (batch.decidedBy === 'standing rule'
        ? 'a standing rule of the Registration Authority'
        : 'Registration Authority Personnel'),
  ],
  ['Reason', batch.reason],
  ['Completed', batch.completedAt && atTime(batch.completedAt)],
])}`,
)}

${paragraph(link('/officer/batches', 'All your batches'))}`,
    }
  },
})

/** What became of a request, in a word. */
export const outcomeWords = {
  success: ['Issued', 'green'],
  anomaly: ['Anomaly', 'yellow'],
  ineligible: ['Ineligible', 'orange'],
  error: ['Error', 'red'],
} as const

function countsOf({ door }: Visit, outcomes: Awaited<ReturnType<typeof outcomesOf>>): Html {
  const codes = configuredCodes(door.settings.issuing.codes)
  return table(
    'What became of the requests',
    ['Outcome', { name: 'Requests', numeric: true }, 'What it means'],
    [...outcomes].map(([outcome, n]) => {
      const [says, colour] = outcomeWords[reportStatus(outcome)]
      const means =
        outcome === 'SUCCESS'
          ? 'The Certificate was issued, and stands in the Repository.'
          : `${codes[outcome].code}: ${codes[outcome].text}`
      return [tag(says, colour), figure(n), means]
    }),
    '',
  )
}

function files(batch: Batch, days: number): Html {
  const until = new Date((batch.completedAt?.getTime() ?? 0) + days * 86_400_000)
  return html`${subheading('Certificate pickup')}${paragraph(`You can collect the files until ${onDay(until)}. The Repository keeps the Certificates after that. Take reasonable steps to compare each Certificate with its request, and reject at once what differs.`)}
<div class="govuk-button-group">${buttonLink(`/officer/batches/${batch.id}/certificates.zip`, 'Download the Certificates')}${buttonLink(`/officer/batches/${batch.id}/report.txt`, 'Download the report', true)}${buttonLink(`/officer/batches/${batch.id}/requests`, 'Compare them with the requests', true)}</div>`
}

export const batchCertificates = page({
  ...officer,
  path: '/officer/batches/:batch/certificates.zip',
  title: 'Certificates',
  show: async visit => certificatesZip(visit.door, await completed(visit)),
})

export const batchReport = page({
  ...officer,
  path: '/officer/batches/:batch/report.txt',
  title: 'Report',
  show: async visit => report(visit.door, await completed(visit)),
})

/** Of his own Party: what is another's is not there for him. @throws Refusal NOTHING_THERE, FM:AA3 past its window */
async function ownBatch({ door, visitor, params, at }: Visit): Promise<Batch> {
  const { party } = callerFor(visitor!, 'PORTAL_DEVICE').credential
  if (!/^[1-9]\d{0,18}$/.test(params.batch ?? '')) throw refuse('NOTHING_THERE')
  const found = await batchOf(door.store, party, BigInt(params.batch!), {
    now: at,
    days: door.settings.issuing.pickupDays,
  })
  if (!found) throw refuse('NOTHING_THERE', 'your organisation has no batch of that number')
  if (found === 'past')
    throw new Refusal(
      'FM:AA3',
      'The results of this batch were removed at the end of the pickup window. The Certificates stand in the Repository.',
    )
  return found
}

/** @throws Refusal NOTHING_THERE, FM:AA3 */
export async function completed(visit: Visit): Promise<Batch> {
  const batch = await ownBatch(visit)
  if (batch.state !== 'COMPLETED') throw refuse('NOTHING_THERE', 'the batch is not completed')
  return batch
}
