/** The requests of a completed batch one by one: found by name or leafed through, each compared with its Certificate. */

import { toHex } from '../../../../ground/bytes.ts'
import { readCertificate } from '../../../../ground/x509/certificate.ts'
import { toPem } from '../../../../ground/x509/pem.ts'
import { configuredCodes } from '../../../../policy/smki-device/codes.ts'
import {
  type BatchRequestWhole,
  requestAt,
  requestNamed,
  requestsFrom,
} from '../../../../rooms/issuance/batch-requests.ts'
import { findBySerials } from '../../../../rooms/repository/find.ts'
import { input } from '../../frame/fields.ts'
import { html } from '../../frame/html.ts'
import { page, type Visit } from '../../frame/page.ts'
import { buttonLink, buttons, heading, link, paragraph, searchForm, tag, warning } from '../../frame/pieces.ts'
import { table } from '../../frame/tables.ts'
import { officerAs } from '../../frame/visitor.ts'
import { refuse } from '../../refusals.ts'
import { compared } from '../devices/compared.ts'
import { reject, rejectForm } from '../devices/reject.ts'
import { nameOf, reportStatus } from './named.ts'
import { completed, officer, outcomeWords } from './pages.ts'

const perPage = 50

export const batchRequests = page({
  ...officer,
  path: '/officer/batches/:batch/requests',
  title: 'Requests of a batch',
  async show(visit) {
    const { door, query } = visit
    const batch = await completed(visit)
    const here = `/officer/batches/${batch.id}/requests`
    const name = query.name?.trim() ?? ''
    const at = name === '' ? placeIn(query.from) : await requestNamed(door.store, batch.id, name)
    const found = at ? await requestsFrom(door.store, batch.id, at, perPage + 1) : []
    const next = name === '' ? found[perPage] : undefined
    const codes = configuredCodes(door.settings.issuing.codes)
    const title = `Requests of batch ${batch.id}`
    return {
      title,
      body: html`${heading(title, nameOf(batch))}
${searchForm(here, html`${input({ given: query, faults: [] }, { name: 'name', label: 'Name of a request', hint: 'As its file was called, without “.csr”', width: 20, code: true })}${buttons({ text: 'Find it', kind: 'secondary' })}`)}
${table(
  name === '' ? 'In the order of submission' : `From “${name.slice(0, 100)}” on`,
  ['Request', 'Outcome', 'Code'],
  found.slice(0, perPage).map(one => {
    const [words, colour] = outcomeWords[reportStatus(one.outcome)]
    return [
      link(`${here}/${one.portion}/${one.place}`, one.id),
      tag(words, colour),
      one.outcome === 'SUCCESS' ? '–' : codes[one.outcome].code,
    ]
  }),
  name === '' ? 'There are no more requests.' : 'No request of this batch has that name.',
)}
${next ? buttonLink(`${here}?from=${next.portion}.${next.place}`, `The next ${perPage}`, true) : ''}
${paragraph(link(`/officer/batches/${batch.id}`, 'Back to the batch'))}`,
    }
  },
})

export const batchRequest = page({
  ...officer,
  path: '/officer/batches/:batch/requests/:portion/:place',
  title: 'Request',
  async show(visit) {
    const { batch, one } = await asked(visit)
    const title = `Request ${one.id}`
    const codes = configuredCodes(visit.door.settings.issuing.codes)
    const refused =
      one.outcome === 'SUCCESS'
        ? ''
        : warning(`${codes[one.outcome].code}: ${codes[one.outcome].text}${one.says ? ` (${one.says})` : ''}`)
    return {
      title,
      body: html`${heading(title, `Batch ${batch}`)}
${refused}
${one.certificate ? html`${compared(one.csr, one.certificate)}${rejectForm(visit, true)}` : ''}
${paragraph(link(`/officer/batches/${batch}/requests`, 'All requests of the batch'))}`,
    }
  },
  async act(visit, form) {
    const { one } = await asked(visit)
    if (!one.certificate) throw refuse('NOTHING_THERE', 'that request led to no Certificate')
    if (form.text('do') === 'download')
      return {
        name: `${one.id}.crt`,
        type: 'application/x-pem-file',
        octets: toPem('CERTIFICATE', one.certificate),
      }
    const { serial } = readCertificate(one.certificate)
    const [lodged] = (await findBySerials(visit.door.store, [serial], visit.at)).filter(of =>
      of.der.equals(one.certificate!),
    )
    if (!lodged) throw refuse('NOTHING_THERE', 'the Repository holds no such Certificate')
    const certificate = { authority: lodged.authority, serial: toHex(lodged.serial) }
    return reject(visit.door, officerAs(visit.visitor, 'ARO'), certificate, form)
  },
})

/** Of his own Party's batch: what is another's is not there for him. @throws Refusal NOTHING_THERE */
async function asked(visit: Visit): Promise<{ batch: bigint; one: BatchRequestWhole }> {
  const { id } = await completed(visit)
  const place = placeIn(`${visit.params.portion}.${visit.params.place}`)
  const one = place && (await requestAt(visit.door.store, id, place))
  if (!one) throw refuse('NOTHING_THERE', 'the batch has no such request')
  return { batch: id, one }
}

/** `3.250`; the beginning when it is not given. */
function placeIn(text = '0.0') {
  const [, portion, place] = /^(\d{1,6})\.(\d{1,6})$/.exec(text) ?? []
  return portion === undefined ? undefined : { portion: Number(portion), place: Number(place) }
}
