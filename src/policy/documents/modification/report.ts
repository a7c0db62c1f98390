/** The Modification Report, generated: summary, issue, solution, impacts, costs, implementation, assessment, timetable. */

import { type Block, counted, numbered } from '../blocks.ts'
import { inWords } from '../day.ts'
import { timetable } from './checks.ts'
import { consumerAreas, partyCategories } from './events.ts'
import type { Modification } from './modification.ts'

/** @param ref as the Code administrator numbers it: `MP173`. @throws RangeError before its report was approved */
export function modificationReport(ref: string, modification: Modification): Block[] {
  const { raised, solution, report } = modification
  if (!report) throw new RangeError('its Modification Report is not approved yet')
  return numbered([
    {
      is: 'title',
      text: `${ref} '${raised.title}' Modification Report`,
      under: `Version ${report.version}, ${inWords(report.on)}. Information class: ${raised.informationClass}.`,
    },
    heading('Summary'),
    paragraph(`This proposal has been raised by ${raised.proposer}. It is a ${raised.path} Modification.`),
    ...raised.summary.map(paragraph),
    heading('Issue'),
    ...raised.issue.map(paragraph),
    list(raised.issueDocuments),
    heading('Solution'),
    ...solution!.solution.map(paragraph),
    heading('Impacts'),
    ...impacts(modification),
    heading('Costs'),
    ...costs(modification),
    heading('Implementation approach'),
    list(
      report.releases.map(({ on, decidedBy }, i) => {
        const after = i === 0 ? '' : `after ${inWords(report.releases[i - 1]!.decidedBy)} but `
        return `${inWords(on)}, if a decision to approve is received ${after}on or before ${inWords(decidedBy)}`
      }),
    ),
    heading('Assessment of the proposal'),
    ...assessment(modification),
    heading('Progression timetable'),
    {
      is: 'table',
      head: ['Event/Action', 'Date'],
      rows: timetable(modification).map(({ what, on }) => [what, inWords(on)]),
    },
    ...(report.annexes.length > 0 ? [heading('Annexes'), list(report.annexes)] : []),
  ])
}

const heading = (text: string, level: 1 | 2 = 1): Block => ({ is: 'heading', level, text })
const paragraph = (text: string): Block => ({ is: 'paragraph', text })
const list = (items: readonly string[]): Block => ({ is: 'list', items })

function impacts({ impact }: Modification): Block[] {
  const { parties, partyWords, dccSystems, documents, consumers, otherCodes, emissions } = impact!
  const rows = partyCategories.map(one => [one, parties[one] ? 'yes' : 'no'])
  return [
    heading('SEC Parties', 2),
    { is: 'table', head: ['Category', 'Impacted'], rows },
    ...partyWords.map(paragraph),
    heading('DCC Systems', 2),
    paragraph(dccSystems.words),
    heading('SEC and subsidiary documents', 2),
    list(documents),
    heading('Consumers', 2),
    paragraph(consumers.words),
    heading('Other industry Codes', 2),
    paragraph(otherCodes.words),
    heading('Greenhouse gas emissions', 2),
    paragraph(emissions.words),
  ]
}

function costs({ impact }: Modification): Block[] {
  const { dcc, secas, parties } = impact!.costs
  return [
    heading('DCC costs', 2),
    paragraph(dcc),
    heading('SECAS costs', 2),
    paragraph(secas),
    heading('SEC Party costs', 2),
    paragraph(parties),
  ]
}

function assessment({ assessment: assessed, observations, textConsultation, responses }: Modification): Block[] {
  const { views, objectives, consumers } = assessed!
  const toText = responses.filter(({ to }) => to === 'legal text')
  const shown = toText.filter(({ confidential }) => !confidential)
  return [
    ...views.flatMap(({ body, words }) => [heading(`${body} views`, 2), paragraph(words)]),
    ...(textConsultation
      ? [
          heading('Legal text consultation', 2),
          paragraph(
            `The draft legal text was shown from ${inWords(textConsultation.on)} to ${inWords(textConsultation.closesOn)}. ${capital(counted(toText.length, 'response'))} came in.`,
          ),
          ...shown.map(({ words, answer }) => paragraph(`${words} ${answer}`)),
        ]
      : []),
    ...(observations.length > 0
      ? [
          heading('Observations', 2),
          {
            is: 'table' as const,
            head: ['Observation', 'Class', 'Status', 'What it says', 'Link'],
            rows: observations.map(one => [one.id, one.class, one.status, one.words, one.link ?? '-']),
          },
        ]
      : []),
    heading('Views against the General SEC Objectives', 2),
    ...objectives.map(({ objective, facilitates, words }) =>
      paragraph(`Objective (${objective}), ${facilitates ? 'better facilitated' : 'not facilitated'}: ${words}`),
    ),
    heading('Views against the consumer areas', 2),
    {
      is: 'table',
      head: ['Area', 'Effect'],
      rows: consumerAreas.map(one => [one, consumers[one] ?? 'not assessed']),
    },
  ]
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
