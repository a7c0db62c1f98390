/** Documents in the Repository, each with its versions and their files: what is confidential or not approved is not shown. */

import { dayIn } from '../../../policy/performance/zone.ts'
import {
  type DocumentVersion,
  documentOf,
  documentsFor,
  publishedVersions,
} from '../../../rooms/governance/documents.ts'
import { readPublicFile } from '../../../rooms/governance/files.ts'
import { html, type Part } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { code, heading, link, paragraph, tag } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { onDay, size } from '../frame/words.ts'
import { refuse } from '../refusals.ts'

const repository = { who: 'signed in', section: 'repository' } as const

const day = (text: string | undefined) => (text === undefined ? undefined : onDay(new Date(`${text}T12:00:00Z`)))

const titleOnly = 'Entered by title only; no file is kept.'

export const documentsPage = page({
  ...repository,
  path: '/repository/documents',
  title: 'Documents',
  says: 'See and download the documents of the SMKI and their versions.',
  async show({ door, at }) {
    const [all, versions] = await Promise.all([documentsFor(door.store, 'public'), publishedVersions(door.store)])
    const today = dayIn(at, door.settings.performance.zone)
    return html`${heading('Documents')}
${table(
  'Documents',
  ['Document', 'Reference', 'In force', 'Document Sets', 'Approved by'],
  all.map(({ ref, title, sets, approver }) => [
    link(`/repository/documents/${encodeURIComponent(ref)}`, title),
    ref,
    inForce(
      versions.filter(one => one.document === ref),
      today,
    ),
    sets.join(', '),
    approver,
  ]),
  'No document was entered in this environment yet.',
)}`
  },
})

function inForce(versions: readonly DocumentVersion[], today: string): Part {
  if (!versions.some(one => one.kept)) return titleOnly
  const now = versions.find(one => one.from! <= today && (one.until === undefined || one.until > today))
  return now ? file(now, `Version ${now.version}`) : 'None today'
}

function file({ document, version, kept, octets }: DocumentVersion, text: string): Part {
  if (!kept) return titleOnly
  const to = `/repository/documents/${encodeURIComponent(document)}/${encodeURIComponent(version)}`
  return html`${link(to, text)} (${size(octets)})`
}

export const documentPage = page({
  ...repository,
  path: '/repository/documents/:ref',
  title: 'Document',
  async show({ door, params, at }) {
    const document = await documentOf(door.store, params.ref ?? '')
    if (!document || document.confidential) throw refuse('NOTHING_THERE')
    const versions = (await publishedVersions(door.store)).filter(one => one.document === document.ref)
    const today = dayIn(at, door.settings.performance.zone)
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
  ['Version', 'State', 'In force from', 'Until', 'File', 'SHA-256'],
  versions
    .toReversed()
    .map(one => [
      one.version,
      one.from! > today
        ? tag('To come', 'blue')
        : one.until !== undefined && one.until <= today
          ? tag('Superseded', 'grey')
          : tag('In force', 'green'),
      day(one.from),
      day(one.until) ?? 'no end set',
      file(one, `Download ${one.version}`),
      code(one.sha256),
    ]),
  titleOnly,
)}
${paragraph(link('/repository/documents', 'All documents'))}`,
    }
  },
})

export const documentFilePage = page({
  ...repository,
  path: '/repository/documents/:ref/:version',
  title: 'File of a document',
  show: ({ door, params }) => readPublicFile(door.store, params.ref ?? '', params.version ?? ''),
})
