/** What a modification is checked for: its dates, its releases, and whether its parts speak of the same documents. */

import { type Dated, outOfOrder } from '../chronology.ts'
import { type Day, inWords } from '../day.ts'
import type { Modification } from './modification.ts'
import { cutOffOf, defaultCutOff, releaseFor } from './release.ts'

export interface ModificationFinding {
  readonly check: 'chronology' | 'release' | 'documents' | 'observations'
  readonly says: string
}

/** @throws YearWithoutHolidays when a release lies in a year whose bank holidays are unknown */
export function modificationFindings(
  modification: Modification,
  cutOffDays = defaultCutOff,
): ModificationFinding[] {
  return [
    ...outOfOrder(timetable(modification)).map(({ says }) => ({ check: 'chronology' as const, says })),
    ...releases(modification, cutOffDays).map(says => ({ check: 'release' as const, says })),
    ...documents(modification).map(says => ({ check: 'documents' as const, says })),
    ...observations(modification).map(says => ({ check: 'observations' as const, says })),
  ]
}

/** What is known of its dates, as they came or else as they are planned, in the order of the steps. */
export function timetable(modification: Modification): Dated[] {
  const { raised, presented, textConsultation, converted, report, reportConsultation, vote, released } =
    modification
  const consulted = reportConsultation ?? report?.consultation
  const dates: (Omit<Dated, 'on'> & { on: Day | undefined })[] = [
    { what: 'Draft Proposal raised', on: raised.on },
    { what: 'Presented to CSC for initial comment', on: presented?.on },
    { what: 'Legal text consultation opened', on: textConsultation?.on },
    { what: 'Legal text consultation closed', on: textConsultation?.closesOn, strictly: true },
    { what: 'CSC converts Draft Proposal to Modification Proposal', on: converted?.on },
    { what: 'Modification Report approved by CSC', on: report?.on },
    { what: 'Modification Report Consultation opened', on: consulted?.on },
    { what: 'Modification Report Consultation closed', on: consulted?.closesOn, strictly: true },
    { what: 'Change Board Vote', on: vote?.on ?? report?.voteOn },
    { what: 'SEC Release', on: released?.on },
  ]
  return dates.flatMap(({ on, ...rest }) => (on === undefined ? [] : [{ ...rest, on }]))
}

function releases({ report, vote, released }: Modification, cutOffDays: number): string[] {
  if (!report) return []
  const unfit = report.releases
    .filter(({ on, decidedBy }) => decidedBy !== cutOffOf(on, cutOffDays))
    .map(({ on, decidedBy }) => {
      const due = inWords(cutOffOf(on, cutOffDays))
      return `the release of ${inWords(on)} takes decisions until ${due}, ${cutOffDays} Working Days before it, not ${inWords(decidedBy)}`
    })
  const due = releaseFor(vote?.on ?? report.voteOn, report.releases)
  const decided = inWords(vote?.on ?? report.voteOn)
  if (!due) return [...unfit, `a decision on ${decided} is too late for every release that was agreed`]
  if (!released || released.on === due.on) return unfit
  return [
    ...unfit,
    `decided on ${decided} it belongs to the release of ${inWords(due.on)}, not ${inWords(released.on)}`,
  ]
}

/** The impact list is the effective one; where the issue names others, somebody looks (disagreement D10). */
function documents({ raised, impact }: Modification): string[] {
  if (!impact) return []
  const unsaid = impact.documents.filter(one => !raised.issueDocuments.includes(one))
  const lost = raised.issueDocuments.filter(one => !impact.documents.includes(one))
  return [
    ...(unsaid.length > 0 ? [`impacted, but not named by the issue: ${unsaid.join(', ')}`] : []),
    ...(lost.length > 0 ? [`named by the issue, but not impacted: ${lost.join(', ')}`] : []),
  ]
}

function observations({ observations: all, impact }: Modification): string[] {
  const left = all.filter(({ status }) => status === 'open' || status === 'unresolved')
  const outside = all.filter(
    ({ document, status }) => status === 'drafted' && impact && !impact.documents.includes(document),
  )
  return [
    ...left.map(({ id, status }) => `${id} is ${status}`),
    ...outside.map(({ id, document }) => `${id} is drafted, and ${document} is not impacted`),
  ]
}
