/** A version of a document is entered, with its file, for whoever looks after the document. */

import { hash } from 'node:crypto'
import { Refusal } from '../../../ground/refusal.ts'
import { mayRead } from '../../../policy/documents/document-set.ts'
import { deciding, entering } from '../../../policy/documents/keepers.ts'
import { mediaTypeOf, mediaTypes } from '../../../policy/documents/media.ts'
import { documentOf } from '../../../rooms/governance/documents.ts'
import { enterVersion } from '../../../rooms/governance/entering.ts'
import { fileUpload, input } from '../frame/fields.ts'
import { html } from '../frame/html.ts'
import { AtField, type Fault, Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, form as formHtml, heading, inset, link, paragraph } from '../frame/pieces.ts'
import { facts } from '../frame/tables.ts'
import { refuse } from '../refusals.ts'
import { versionPath } from './documents.ts'
import { holds, keeperOf, readerOf } from './who.ts'

const endings = Object.values(mediaTypes)
  .flat()
  .map(one => `.${one}`)

export const enterDocument = page({
  path: '/governance/documents/:ref/enter',
  title: 'Enter a version',
  who: ['PMA_MEMBER', 'RA_MANAGER', 'RA_PERSONNEL'],
  section: 'governance',
  upload: true,
  async show(visit) {
    const one = await askedFor(visit)
    const { ref, title, owner, approver } = one
    const offices = entering(one)
    const back = paragraph(link(`/governance/documents/${encodeURIComponent(ref)}`, `Back to ${ref}`))
    return html`${heading('Enter a version', ref)}${facts([
      ['Title', title],
      ['Looked after by', owner],
      ['Approved by', `${approver}, for which ${deciding(one).join(' or ')} acts here: another person than you`],
    ])}${
      holds(visit.visitor, offices)
        ? formHtml(
            visit,
            html`${input(visit, { name: 'version', label: 'Version', hint: 'A number that is later than every one before, for example 2.1', width: 10 })}${input(visit, { name: 'sha256', label: 'SHA-256 of the file (optional)', hint: '64 hexadecimal digits, as whoever made the file knows it: what arrives must be that', code: true })}${fileUpload(visit, { name: 'file', label: 'The file', hint: `PDF, DOCX, Markdown, plain text in UTF-8, or XML; at most ${Math.min(visit.door.settings.governance.documentMiB, visit.door.settings.services.bodyMiB)} MiB. It is kept as it is, and never changed.`, accept: endings.join(','), mostOctets: most(visit) })}${buttons({ text: 'Enter the version' })}`,
            { upload: true },
          )
        : inset(`Versions of it are entered for the ${owner}, for which ${offices.join(' or ')} acts here.`)
    }${back}`
  },
  async act(visit, form) {
    const { door, visitor } = visit
    const one = await askedFor(visit)
    const faults: Fault[] = []
    const version = form.text('version')
    if (version === '') faults.push({ field: 'version', says: 'Enter the version, such as 2.1' })
    const said = form.text('sha256').toLowerCase().replace(/\s/g, '')
    if (!/^([0-9a-f]{64})?$/.test(said))
      faults.push({ field: 'sha256', says: 'Enter 64 hexadecimal digits, or leave it empty' })
    const { file } = form
    if (!file || file.octets.length === 0) faults.push({ field: 'file', says: 'Choose the file' })
    const mediaType = mediaTypeOf(file?.name ?? '')
    if (file && mediaType === undefined)
      faults.push({ field: 'file', says: `Choose a file whose name ends in ${endings.join(', ')}` })
    if (faults.length > 0) throw new Faulty(faults)
    const { octets } = file!
    const sha256 = said || hash('sha256', octets, 'hex')
    const given = { document: one.ref, version, sha256, mediaType: mediaType!, octets }
    try {
      await enterVersion(door, keeperOf(visitor, entering(one)), given, most(visit))
    } catch (cause) {
      if (cause instanceof Refusal && cause.code.startsWith('FILE_')) throw new AtField('file', cause)
      if (cause instanceof Refusal && cause.code.startsWith('VERSION_')) throw new AtField('version', cause)
      throw cause
    }
    return { to: versionPath(one.ref, version), says: `${one.ref} ${version} is entered as a draft.` }
  },
})

function most({ door }: Visit): number {
  const { governance, services } = door.settings
  return Math.floor(Math.min(governance.documentMiB, services.bodyMiB) * 1_048_576)
}

async function askedFor({ door, params, visitor }: Visit) {
  const one = await documentOf(door.store, params.ref ?? '')
  if (!one || !mayRead(readerOf(visitor), one)) throw refuse('NOTHING_THERE')
  return one
}
