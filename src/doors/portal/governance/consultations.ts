/** Consultations, in the developments that they are part of; and modifications of the Code. */

import { datesOf, findingsOf } from '../../../policy/documents/development/checks.ts'
import { type Development, states } from '../../../policy/documents/development/development.ts'
import { mayRead } from '../../../policy/documents/document-set.ts'
import { mayReadVersion } from '../../../policy/documents/keepers.ts'
import { modificationFindings, timetable } from '../../../policy/documents/modification/checks.ts'
import { dayIn } from '../../../policy/performance/zone.ts'
import { developmentFrom, reportRef } from '../../../rooms/governance/developments.ts'
import { documentOf, versionsFor } from '../../../rooms/governance/documents.ts'
import { modificationFrom, modificationReportRef } from '../../../rooms/governance/modifications.ts'
import { developments, modifications } from '../../../rooms/governance/register.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { page, type Visit } from '../frame/page.ts'
import { heading, link, list, subheading, tag } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { count } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { day, fileCell } from './documents.ts'
import { central, readerOf } from './who.ts'

const stateWords: Readonly<Record<Development['state'], string>> = {
  drafted: 'Drafted',
  pmaReview: 'SMKI PMA reviews',
  consultation: 'In consultation',
  analysis: 'Responses are analysed',
  changes: 'Changes are settled',
  pmaConfirmed: 'Confirmed by the SMKI PMA',
  concluded: 'Concluded',
  submitted: 'Submitted',
  designated: 'Designated',
}

export const consultations = page({
  path: '/governance/consultations',
  title: 'Consultations',
  who: central,
  section: 'governance',
  says: 'documents under development with their consultations, and modifications of the Code',
  async show({ door, at }) {
    const today = dayIn(at, door.settings.performance.zone)
    const [all, changes] = await Promise.all([developments(door.store), modifications(door.store)])
    return html`${heading('Consultations', 'Governance')}${table(
      'Developments, latest first',
      ['Development', 'Documents', 'State', 'Consultation', 'Responses', 'Findings'],
      all.map(({ ref, development }): Part[] => [
        html`${link(`/governance/consultations/${encodeURIComponent(ref)}`, ref)}<br>${development.draft.title}`,
        development.draft.documents.join(', '),
        tag(stateWords[development.state], development.state === 'designated' ? 'green' : 'blue'),
        consultation(development, today),
        count(
          development.rounds.reduce((total, round) => total + round.responses.length, 0),
          'response',
        ),
        findings(findingsOf(development)),
      ]),
      'No document is under development.',
    )}${table(
      'Modifications, latest first',
      ['Modification', 'State', 'Raised', 'Findings'],
      changes.map(({ ref, modification }): Part[] => [
        link(`/governance/modifications/${encodeURIComponent(ref)}`, ref),
        tag(
          modification.state,
          modification.state === 'released' ? 'green' : modification.state === 'rejected' ? 'red' : 'blue',
        ),
        day(modification.raised.on),
        findings(modificationFindings(modification)),
      ]),
      'No modification is on record.',
    )}`
  },
})

function consultation({ rounds }: Development, today: string): Part {
  const round = rounds.at(-1)
  if (!round) return 'not yet'
  const { on, closesOn } = round.consultation
  const open = !round.closed && on <= today && today <= closesOn
  return html`${open ? tag('Open', 'green') : tag(round.closed || today > closesOn ? 'Closed' : 'Not open yet', 'grey')} ${day(on)} to ${day(round.closed?.on ?? closesOn)}`
}

function findings(all: readonly { readonly says: string }[]): Html {
  return all.length === 0 ? html`none` : html`${tag(count(all.length, 'finding'), 'red')}`
}

export const development = page({
  path: '/governance/consultations/:ref',
  title: 'Development',
  who: central,
  section: 'governance',
  async show(visit) {
    const { door, params } = visit
    const one = await developmentFrom(door.store, params.ref ?? '')
    if (!one) throw refuse('NOTHING_THERE')
    const found = findingsOf(one)
    const reached = states.indexOf(one.state)
    const body = html`${heading(one.draft.title, params.ref)}${facts([
      ['State', `${stateWords[one.state]} (step ${reached + 1} of ${states.length})`],
      ['Documents', one.draft.documents.join(', ')],
      ['Asked for by', one.draft.requiredBy],
      ['Consulted on under', one.draft.consultedUnder],
    ])}${found.length > 0 ? html`${subheading('Findings')}${list(found.map(of => `${of.check}: ${of.says}`))}` : ''}${table(
      'Dates',
      ['What', 'When'],
      datesOf(one).map(of => [of.what, day(of.on)]),
      'No date is known.',
    )}${await files(visit, [...one.draft.documents, reportRef(params.ref ?? '')])}${one.rounds.map((round, i) => roundOf(round, i, one.rounds.length))}${
      one.concluded
        ? facts([['Attachments of the conclusions', one.concluded.attachments.join('; ') || 'none']])
        : ''
    }`
    return { title: one.draft.title, body }
  },
})

/** What was consulted on, and the report on it, as far as this visitor may read of them. */
async function files({ door, visitor }: Visit, refs: readonly string[]): Promise<Html> {
  const reader = readerOf(visitor)
  const rows: Part[][] = []
  for (const ref of refs) {
    const known = await documentOf(door.store, ref)
    if (!known || !mayRead(reader, known)) continue
    for (const one of (await versionsFor(door.store, reader, ref)).toReversed()) {
      const to = link(`/governance/documents/${encodeURIComponent(ref)}`, ref)
      rows.push([to, one.version, one.state, fileCell(one, mayReadVersion(reader, known, one))])
    }
  }
  const none = 'No version of its documents was entered: they stand here by title only; no file is kept.'
  return table('Documents and reports', ['Document', 'Version', 'State', 'File'], rows, none)
}

/** Confidential responses are counted and not shown: who is to publish the report sees what may be in it. */
function roundOf(round: Development['rounds'][number], i: number, of: number): Html {
  const { consultation: asked, responses, analysis, changes, assurances } = round
  const open = responses.filter(one => !one.confidential)
  const answers = (question: string) =>
    open.flatMap(one =>
      one.answers.filter(answer => answer.question === question && answer.stance !== 'no comment'),
    )
  return html`${subheading(of > 1 ? `Consultation ${i + 1}` : 'Consultation')}${facts([
    ['About', asked.about],
    ['Proposed designation', day(asked.designationOn)],
    ['Attachments', asked.attachments.length > 0 && asked.attachments.join('; ')],
    [
      'Responses',
      html`${count(responses.length, 'response')}${responses.length > open.length ? `, of which ${responses.length - open.length} confidential` : ''}`,
    ],
    ['Assurance', assurances.length > 0 && assurances.map(one => `${one.from} others: ${one.words}`).join(' ')],
  ])}${table(
    'Questions',
    ['Question', 'Text', 'Answers', 'Conclusion'],
    asked.questions.map(({ id, text }): Part[] => [
      id,
      text,
      answers(id).length === 0
        ? 'none published'
        : html`<ul class="govuk-list">${answers(id).map(answer => html`<li>${answer.stance}${answer.words ? `: ${answer.words}` : ''}</li>`)}</ul>`,
      analysis?.conclusions.find(one => one.question === id)?.words ?? 'not yet',
    ]),
    '',
  )}${
    changes
      ? table(
          'Changes',
          ['Document', 'Where', 'Class', 'What', 'Why no further consultation'],
          changes.changes.map(one => [one.document, one.where, one.class, one.words, one.reason ?? '–']),
          'Nothing was changed.',
        )
      : ''
  }`
}

export const modification = page({
  path: '/governance/modifications/:ref',
  title: 'Modification',
  who: central,
  section: 'governance',
  async show(visit) {
    const { door, params } = visit
    const one = await modificationFrom(door.store, params.ref ?? '')
    if (!one) throw refuse('NOTHING_THERE')
    const found = modificationFindings(one)
    const body = html`${heading(params.ref ?? '', 'Modification')}${facts([
      ['State', one.state],
      ['Observations', count(one.observations.length, 'observation')],
      ['Responses', count(one.responses.length, 'response')],
      ['Vote', one.vote && `${one.vote.outcome} on ${day(one.vote.on)}: ${one.vote.words}`],
      ['Release', one.released && `${one.released.name}, ${day(one.released.on)}`],
    ])}${found.length > 0 ? html`${subheading('Findings')}${list(found.map(of => of.says))}` : ''}${table(
      'Timetable',
      ['What', 'When'],
      timetable(one).map(of => [of.what, day(of.on)]),
      'No date is known.',
    )}${one.report ? await files(visit, [modificationReportRef(params.ref ?? '')]) : ''}`
    return { title: params.ref ?? '', body }
  },
})
