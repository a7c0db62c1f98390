/** Personnel of the Registration Authority approve batches, or reject them (APPM). */

import { decideBatch } from '../../../../rooms/issuance/batch.ts'
import { anyBatch, batchesToDecide, uploadDigest } from '../../../../rooms/issuance/progress.ts'
import { parties } from '../../../../rooms/registration/parties.ts'
import { textarea } from '../../frame/fields.ts'
import { html } from '../../frame/html.ts'
import { Faulty, page, type Visit } from '../../frame/page.ts'
import { buttons, code, form, heading, link, paragraph } from '../../frame/pieces.ts'
import { facts, table } from '../../frame/tables.ts'
import { officerAs } from '../../frame/visitor.ts'
import { atTime, figure, size } from '../../frame/words.ts'
import { refuse } from '../../refusals.ts'
import { channelOf, nameOf, stateMeans, stateTag } from './named.ts'

const staff = { who: ['RA_PERSONNEL', 'RA_MANAGER'], section: 'registration' } as const

async function nameOfParty({ store }: Visit['door'], id: number): Promise<string> {
  return (await parties(store)).find(one => one.id === id)?.tradingName ?? `Party ${id}`
}

export const pendingBatchList = page({
  ...staff,
  path: '/registration/batches',
  title: 'Batches awaiting approval',
  says: 'Approve or reject batches of Device CSRs.',
  async show({ door }) {
    const [waiting, all] = await Promise.all([batchesToDecide(door.store), parties(door.store)])
    const names = new Map(all.map(one => [one.id, one.tradingName]))
    return html`${heading('Batches awaiting approval')}
${table(
  'Oldest first',
  ['Number', 'Submitted by', 'Name', 'Received', { name: 'Requests', numeric: true }],
  waiting.map(one => [
    link(`/registration/batches/${one.id}`, String(one.id)),
    names.get(one.party),
    nameOf(one),
    atTime(one.receivedAt),
    figure(one.count),
  ]),
  'No batch waits for approval.',
)}`
  },
})

export const decidePendingBatch = page({
  ...staff,
  path: '/registration/batches/:batch',
  title: 'Decide on a batch',
  async show(visit) {
    const { door, params } = visit
    const batch = /^[1-9]\d{0,18}$/.test(params.batch ?? '')
      ? await anyBatch(door.store, BigInt(params.batch!))
      : undefined
    if (!batch) throw refuse('NOTHING_THERE', 'there is no batch of that number')
    const title = `Batch ${batch.id}`
    const asks =
      batch.state !== 'PENDING'
        ? ''
        : form(
            visit,
            html`${textarea(visit, { name: 'reason', label: 'Reason', hint: 'Needed if you reject the batch. The submitter sees it, and it stands in the journal: name no person.', rows: 3 })}${buttons({ text: 'Approve batch', does: 'approve' }, { text: 'Reject batch', kind: 'warning', does: 'reject' })}`,
          )
    return {
      title,
      body: html`${heading(title, 'Batch of Device CSRs')}
${facts([
  ['State', html`${stateTag(batch.state)} ${stateMeans(batch.state)}`],
  ['Submitted by', await nameOfParty(door, batch.party)],
  ['Name', nameOf(batch)],
  ['Channel', channelOf(batch)],
  ['Received', atTime(batch.receivedAt)],
  ['Requests', figure(batch.count)],
  ['Stored', size(Number(batch.octets))],
  ['SHA-256 of what is approved', code(await uploadDigest(door.store, batch.id))],
  ['Reason', batch.reason],
])}
${asks}${paragraph(link('/registration/batches', 'All batches that wait'))}`,
    }
  },
  async act({ door, visitor, params }, sent) {
    const officer = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER')
    const does = sent.text('do')
    if (does !== 'approve' && does !== 'reject')
      throw new Faulty([{ says: 'Choose whether to approve or to reject the batch.' }])
    const reason = sent.text('reason').replace(/\s+/g, ' ')
    if (does === 'reject' && reason === '')
      throw new Faulty([{ field: 'reason', says: 'Enter the reason for which you reject the batch.' }])
    if (reason.length > 500)
      throw new Faulty([{ field: 'reason', says: 'Enter a reason of at most 500 characters.' }])
    if (!/^[1-9]\d{0,18}$/.test(params.batch ?? '')) throw refuse('NOTHING_THERE')
    const decision = { approve: does === 'approve', by: officer.person, ...(reason !== '' && { reason }) }
    await decideBatch(door, BigInt(params.batch!), decision)
    return {
      to: '/registration/batches',
      says: `Batch ${params.batch} was ${does === 'approve' ? 'approved' : 'rejected'}.`,
    }
  },
})
