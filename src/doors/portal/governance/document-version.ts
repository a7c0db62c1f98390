/** One version of a document: its file, and what its approver decided on it. */

import { isDay } from '../../../policy/documents/day.ts'
import { deciding, mayReadVersion } from '../../../policy/documents/keepers.ts'
import { documentOf, versionsFor } from '../../../rooms/governance/documents.ts'
import { decideEntered } from '../../../rooms/governance/entering.ts'
import { readFile } from '../../../rooms/governance/files.ts'
import { hidden, input, radios, textarea } from '../frame/fields.ts'
import { html } from '../frame/html.ts'
import { type Fault, Faulty, page, type Visit } from '../frame/page.ts'
import {
  buttons,
  code,
  form as formHtml,
  heading,
  inset,
  link,
  paragraph,
  subheading,
  tag,
} from '../frame/pieces.ts'
import { facts } from '../frame/tables.ts'
import { atTime } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { colours, day, fileCell, versionPath } from './documents.ts'
import { askingOf, central, holds, keeperOf, readerOf } from './who.ts'

const outcomes = [
  { value: 'approved', text: 'Approved' },
  { value: 'not rejected', text: 'Not rejected (a CPS of an S1SPKI)' },
  { value: 'rejected', text: 'Rejected' },
] as const

export const documentVersion = page({
  path: '/governance/documents/:ref/versions/:version',
  title: 'Version of a document',
  who: central,
  section: 'governance',
  async show(visit) {
    const { document, version: one } = await asked(visit)
    const { visitor } = visit
    const decider = holds(visitor, deciding(document))
    const own = one.enteredBy !== undefined && visitor?.callers.some(({ person }) => person === one.enteredBy)
    const body = html`${heading(`${document.ref} ${one.version}`, document.title)}${facts([
      ['State', tag(one.state.charAt(0).toUpperCase() + one.state.slice(1), colours[one.state])],
      ['In force', one.from && `from ${day(one.from)}${one.until ? ` until ${day(one.until)}` : ''}`],
      ['File', fileCell(one, mayReadVersion(readerOf(visitor), document, one))],
      ['SHA-256', code(one.sha256)],
      ['Kept as', one.mediaType],
      ['Entered by', one.enteredBy && code(one.enteredBy)],
      ['Decided', one.decidedAt && atTime(one.decidedAt)],
      [
        'Under',
        one.decision ? link(`/governance/decisions/${encodeURIComponent(one.decision)}`, one.decision) : one.basis,
      ],
      ['Amendments directed', one.amendments !== '' && one.amendments],
    ])}${
      one.state !== 'draft'
        ? ''
        : own
          ? inset('You entered it: another person enters what was decided on it.')
          : decider
            ? html`${subheading('Enter what was decided')}${formHtml(visit, fields(visit, one.sha256, document.approver))}`
            : inset(
                `What is decided on it is entered for the ${document.approver}, for which ${deciding(document).join(' or ')} acts here.`,
              )
    }${paragraph(link(`/governance/documents/${encodeURIComponent(document.ref)}`, `All versions of ${document.ref}`))}`
    return { title: `${document.ref} ${one.version}`, body }
  },
  async act(visit, form) {
    const { document, version: one } = await asked(visit)
    const faults: Fault[] = []
    const outcome = outcomes.find(({ value }) => value === form.text('outcome'))?.value
    if (!outcome) faults.push({ field: 'outcome', says: 'Choose what was decided' })
    const from = form.text('from')
    if (outcome && outcome !== 'rejected' && !isDay(from))
      faults.push({ field: 'from', says: 'Enter the day from which it is in force, such as 2026-12-01' })
    const [decision, basis] = [form.text('decision'), form.text('basis')]
    if ((decision === '') === (basis === ''))
      faults.push({
        field: 'decision',
        says: 'Enter the decision of the SMKI PMA, or below it the basis of another body',
      })
    if (faults.length > 0) throw new Faulty(faults)
    await decideEntered(visit.door, keeperOf(visit.visitor, deciding(document)), {
      document: document.ref,
      version: one.version,
      // Of what was on the page: had it been another version by now, the room would say so.
      sha256: form.text('sha256'),
      outcome: outcome!,
      ...(outcome !== 'rejected' && { from }),
      under: decision === '' ? { basis } : { decision },
      amendments: form.text('amendments').replaceAll('\r\n', '\n'),
    })
    return { to: versionPath(document.ref, one.version), says: `${document.ref} ${one.version} is ${outcome}.` }
  },
})

export const documentFile = page({
  path: '/governance/documents/:ref/versions/:version/file',
  title: 'File of a version',
  who: central,
  show: ({ door, params, visitor }) => readFile(door, askingOf(visitor), params.ref ?? '', params.version ?? ''),
})

function fields(visit: Visit, sha256: string, approver: string) {
  return html`${hidden('sha256', sha256)}${radios(visit, { name: 'outcome', label: 'Decided', choices: outcomes })}${input(visit, { name: 'from', label: 'In force from', hint: 'For example 2026-12-01; not for one that is rejected', width: 10 })}${input(visit, { name: 'decision', label: 'Decision of the SMKI PMA', hint: `Its reference${approver === 'SMKI PMA' ? '' : ', if it decided'}`, width: 20 })}${input(visit, { name: 'basis', label: 'Basis, where another body approves', hint: 'Its designation, direction or modification' })}${textarea(visit, { name: 'amendments', label: 'Amendments directed (optional)', rows: 3 })}${buttons({ text: 'Enter the decision' })}`
}

async function asked({ door, params, visitor }: Visit) {
  const document = await documentOf(door.store, params.ref ?? '')
  if (!document) throw refuse('NOTHING_THERE')
  const versions = await versionsFor(door.store, readerOf(visitor), document.ref)
  const version = versions.find(one => one.version === params.version)
  if (!version) throw refuse('NOTHING_THERE')
  return { document, version }
}
