/** Documents in the Repository, each with its versions: what is confidential is not shown. */

import { documentsFor, versionsFor } from '../../../rooms/governance/documents.ts'
import { html } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { code, heading, link, paragraph, tag } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { figure, onDay } from '../frame/words.ts'
import { refuse } from '../refusals.ts'

const repository = { who: 'signed in', section: 'repository' } as const

const day = (text: string | undefined) => (text === undefined ? undefined : onDay(new Date(`${text}T12:00:00Z`)))

export const documentsPage = page({
  ...repository,
  path: '/repository/documents',
  title: 'Documents',
  says: 'See the documents of the SMKI and their versions.',
  async show({ door }) {
    const all = await documentsFor(door.store, 'public')
    return html`${heading('Documents')}
${table(
  'Documents',
  ['Document', 'Reference', 'Document Sets', 'Approved by'],
  all.map(({ ref, title, sets, approver }) => [
    link(`/repository/documents/${encodeURIComponent(ref)}`, title),
    ref,
    sets.join(', '),
    approver,
  ]),
  'No document was entered in this environment yet.',
)}`
  },
})

const states = { draft: 'grey', approved: 'green', 'not rejected': 'green', rejected: 'red' } as const

export const documentPage = page({
  ...repository,
  path: '/repository/documents/:ref',
  title: 'Document',
  async show({ door, params }) {
    const document = (await documentsFor(door.store, 'public')).find(one => one.ref === params.ref)
    if (!document) throw refuse('NOTHING_THERE')
    const versions = await versionsFor(door.store, 'public', document.ref)
    return {
      title: document.title,
      body: html`${heading(document.title, 'Document')}
${facts([
  ['Reference', document.ref],
  ['Kind', document.kind],
  ['Document Sets', document.sets.join(', ')],
  ['Owner', document.owner],
  ['Approved by', document.approver],
  ['Reviewed every', document.reviewMonths && `${document.reviewMonths} months`],
])}
${table(
  'Versions, newest first',
  ['Version', 'State', 'In force from', 'Until', { name: 'Octets', numeric: true }, 'SHA-256'],
  versions
    .toReversed()
    .map(one => [
      one.version,
      tag(one.state, states[one.state]),
      day(one.from) ?? 'not in force',
      day(one.until) ?? 'no end set',
      figure(one.octets),
      code(one.sha256),
    ]),
  'No version was entered yet.',
)}
${paragraph(link('/repository/documents', 'All documents'))}`,
    }
  },
})
