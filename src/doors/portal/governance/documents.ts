/** Document sets with the state of each document: which version is in force, which waits, when it is reviewed next. */

import { documentSets } from '../../../policy/documents/document-set.ts'
import type { Due } from '../../../policy/documents/due.ts'
import { entering, mayReadVersion } from '../../../policy/documents/keepers.ts'
import { dayIn } from '../../../policy/performance/zone.ts'
import { type DocumentVersion, documentOf, documentsFor, versionsFor } from '../../../rooms/governance/documents.ts'
import { reviewsDone } from '../../../rooms/governance/register.ts'
import { reviewsDue } from '../../../rooms/governance/reviews.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { buttonLink, type Colour, code, heading, link, paragraph, tag } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { atTime, onDay, size } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { central, holds, readerOf } from './who.ts'

export const colours: Readonly<Record<DocumentVersion['state'], Colour>> = {
  draft: 'blue',
  approved: 'green',
  'not rejected': 'green',
  rejected: 'red',
}

const dueColours: Readonly<Record<Due['state'], Colour>> = { 'in time': 'green', soon: 'yellow', overdue: 'red' }

export const day = (text: string): string => onDay(new Date(`${text}T12:00:00Z`))
export const dueTag = ({ state, dueOn }: Due): Html =>
  html`${tag(state === 'in time' ? 'In time' : state === 'soon' ? 'Due soon' : 'Overdue', dueColours[state])} ${day(dueOn)}`

/** Of a document, and of a version, of which there is no more than that. */
export const titleOnly = 'Entered by title only; no file is kept.'

export const versionPath = (ref: string, version: string): string =>
  `/governance/documents/${encodeURIComponent(ref)}/versions/${encodeURIComponent(version)}`

/** To download it, for whoever may; or why there is nothing to download. */
export function fileCell({ document, version, kept, heldAt, octets }: DocumentVersion, may: boolean): Part {
  if (!kept) return heldAt === 'store' ? titleOnly : html`${titleOnly} Its octets: ${heldAt}`
  const what = size(octets)
  return may ? html`${link(`${versionPath(document, version)}/file`, `Download ${version}`)} (${what})` : what
}

export const documents = page({
  path: '/governance/documents',
  title: 'Document sets',
  who: central,
  section: 'governance',
  says: 'the documents of the Code that concern keys, their versions and their reviews',
  async show({ door, visitor, at }) {
    const reader = readerOf(visitor)
    const [all, due] = await Promise.all([documentsFor(door.store, reader), reviewsDue(door.store, door.clock)])
    const today = dayIn(at, door.settings.performance.zone)
    const versions = new Map<string, DocumentVersion[]>()
    for (const { ref } of all) versions.set(ref, await versionsFor(door.store, reader, ref))
    const row = (ref: string, title: string, confidential: boolean, approver: string): Part[] => {
      const of = versions.get(ref)!
      const inForce = of.find(
        one => one.from !== undefined && one.from <= today && (one.until === undefined || one.until > today),
      )
      const drafts = of.filter(one => one.state === 'draft')
      const review = due.find(one => one.subject === `document:${ref}`)
      return [
        html`${link(`/governance/documents/${encodeURIComponent(ref)}`, ref)}<br>${title}${confidential ? html` ${tag('Confidential', 'purple')}` : ''}`,
        approver,
        inForce
          ? html`${tag('In force', 'green')} ${inForce.version}${inForce.kept ? '' : html`<br>${titleOnly}`}`
          : of.length === 0
            ? titleOnly
            : tag('None in force', 'grey'),
        drafts.length > 0 ? html`${tag('Draft', 'blue')} ${drafts.map(one => one.version).join(', ')}` : '–',
        review ? dueTag(review) : '–',
      ]
    }
    return html`${heading('Document sets', 'Governance')}${
      all.length === 0
        ? paragraph('No document is registered.')
        : documentSets.map(set => {
            const of = all.filter(one => one.sets.includes(set))
            return of.length === 0
              ? ''
              : table(
                  set,
                  ['Document', 'Approved by', 'In force', 'Waits', 'Review due'],
                  of.map(one => row(one.ref, one.title, one.confidential, one.approver)),
                  '',
                )
          })
    }`
  },
})

export const document = page({
  path: '/governance/documents/:ref',
  title: 'Document',
  who: central,
  section: 'governance',
  async show({ door, params, visitor }) {
    const ref = params.ref ?? ''
    const one = await documentOf(door.store, ref)
    if (!one) throw refuse('NOTHING_THERE')
    const [versions, due, done] = await Promise.all([
      versionsFor(door.store, readerOf(visitor), ref),
      reviewsDue(door.store, door.clock),
      reviewsDone(door.store, `document:${ref}`),
    ])
    const review = due.find(of => of.subject === `document:${ref}`)
    const reader = readerOf(visitor)
    const body = html`${heading(ref, 'Document')}${facts([
      ['Title', one.title],
      ['Kind', one.kind],
      ['Sets', one.sets.join(', ')],
      ['Looked after by', one.owner],
      ['Approved by', one.approver],
      [
        'Confidential',
        one.confidential ? 'yes: for the DCC, the SMKI PMA, and who looks after or approves it' : 'no',
      ],
      ['Next review', review && dueTag(review)],
    ])}${
      holds(visitor, entering(one))
        ? buttonLink(`/governance/documents/${encodeURIComponent(ref)}/enter`, 'Enter a version', true)
        : ''
    }${table(
      'Versions, latest first',
      ['Version', 'State', 'In force', 'Under', 'SHA-256', 'File'],
      versions
        .toReversed()
        .map(of => [
          link(versionPath(ref, of.version), of.version),
          html`${tag(of.state.charAt(0).toUpperCase() + of.state.slice(1), colours[of.state])}${of.decidedAt ? html` ${atTime(of.decidedAt)}` : ''}`,
          of.from ? `from ${day(of.from)}${of.until ? ` until ${day(of.until)}` : ''}` : '–',
          of.decision
            ? link(`/governance/decisions/${encodeURIComponent(of.decision)}`, of.decision)
            : (of.basis ?? '–'),
          code(of.sha256),
          fileCell(of, mayReadVersion(reader, one, of)),
        ]),
      titleOnly,
    )}${table(
      'Reviews, latest first',
      ['On', 'Found', 'Evidence', 'Decision'],
      done.map(of => [day(of.on), of.words, of.evidence.join(', '), of.decision ?? '–']),
      'It was not reviewed yet.',
    )}`
    return { title: ref, body }
  },
})
