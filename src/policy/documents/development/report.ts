/** The conclusions report, generated from a development: what is in it is what was entered, and confidential responses are not. */

import { type Block, counted, listed, numbered } from '../blocks.ts'
import { inWords } from '../day.ts'
import type { Development, Round } from './development.ts'
import { changeClasses, stances } from './events.ts'

/**
 * "DCC Conclusions and Report to Secretary of State", section by section as governance-performance.md 3 lists them.
 * @throws RangeError before the conclusions were drawn
 */
export function conclusionsReport(development: Development): Block[] {
  const { draft, rounds, concluded } = development
  if (!concluded) throw new RangeError('there are no conclusions yet')
  return numbered([
    { is: 'title', text: draft.title, under: 'DCC Conclusions and Report to Secretary of State' },
    heading('Introduction and Context'),
    ...draft.context.map(paragraph),
    ...introduction(development),
    ...rounds.flatMap((round, i) => consultation(development, round, rounds.length > 1 ? i + 1 : undefined)),
    heading(`Summary of Changes to the ${draft.called}`),
    ...rounds.flatMap(changes),
    ...(development.confirmed ? [paragraph(development.confirmed.words)] : []),
    heading('Conclusions'),
    ...concluded.statements.map(paragraph),
    heading('Next Steps'),
    ...nextSteps(development),
    heading('Attachments'),
    { is: 'list', items: concluded.attachments.map((what, i) => `Attachment ${i + 1} – ${what}`) },
  ])
}

const heading = (text: string, level: 1 | 2 = 1): Block => ({ is: 'heading', level, text })
const paragraph = (text: string): Block => ({ is: 'paragraph', text })

function introduction({ draft, reviews, confirmed }: Development): Block[] {
  const dated = reviews.map(({ on, outcome, words }) => {
    const what = outcome === 'satisfied' ? 'approved it for consultation' : 'commented'
    return on === undefined ? words : `${words} The SMKI PMA ${what} on ${inWords(on)}.`
  })
  return [
    paragraph(`${draft.requiredBy} asks for the ${draft.called}.`),
    ...dated.map(paragraph),
    ...(confirmed?.on === undefined
      ? []
      : [
          paragraph(
            `On ${inWords(confirmed.on)} the SMKI PMA considered its content again and found it fit for designation.`,
          ),
        ]),
  ]
}

function consultation({ draft }: Development, round: Round, number: number | undefined): Block[] {
  const { consultation: asked, closed, responses, assurances, analysis } = round
  const secret = responses.filter(({ confidential }) => confidential).length
  return [
    heading(number === undefined ? 'Consultation' : `Consultation ${number}`),
    paragraph(`Pursuant to ${draft.consultedUnder}, on ${inWords(asked.on)}, DCC consulted on ${asked.about}`),
    paragraph(`The consultation closed on ${inWords(closed?.on ?? asked.closesOn)}.`),
    paragraph(
      `The date proposed for designation was ${inWords(asked.designationOn)}${tolerance(asked.toleranceMonths)}.`,
    ),
    ...(asked.attachments.length > 0
      ? [paragraph(`The consultation document had as attachments: ${listed(asked.attachments)}.`)]
      : []),
    ...(draft.consequential.length > 0
      ? [
          paragraph('Consequential changes that were consulted on:'),
          {
            is: 'list' as const,
            items: draft.consequential.map(({ document, words }) => `${document}: ${words}`),
          },
        ]
      : []),
    paragraph('DCC sought views by these questions:'),
    { is: 'table', head: ['Number', 'Question'], rows: asked.questions.map(({ id, text }) => [id, text]) },
    heading('Respondents', 2),
    paragraph(`DCC received ${counted(responses.length, 'response')} to the consultation.`),
    ...(secret > 0
      ? [paragraph(`Of these, ${counted(secret, 'is', 'are')} confidential, counted here and not published.`)]
      : []),
    ...assurances.flatMap(({ from, words }) => [
      paragraph(`Besides, ${counted(from, 'other was', 'others were')} asked.`),
      paragraph(words),
    ]),
    heading('Analysis of Responses', 2),
    ...(analysis?.findings ?? []).map(paragraph),
    answers(round),
    ...published(round),
  ]
}

const tolerance = (months: number) =>
  months === 0 ? '' : `, or as soon as reasonably practicable within ${counted(months, 'month')} thereafter`

/** How many said what. Of confidential ones it is not told what they said: of a few respondents that would be telling. */
function answers({ consultation: { questions }, responses, analysis }: Round): Block {
  const open = responses.filter(({ confidential }) => !confidential).flatMap(response => response.answers)
  const secret = responses.filter(({ confidential }) => confidential).flatMap(response => response.answers)
  const count = (all: typeof open, id: string, stance?: string) =>
    String(all.filter(one => one.question === id && (stance === undefined || one.stance === stance)).length)
  return {
    is: 'table',
    head: ['Question', ...stances, 'confidential', 'Conclusion'],
    rows: questions.map(({ id }) => [
      id,
      ...stances.map(stance => count(open, id, stance)),
      count(secret, id),
      analysis?.conclusions.find(({ question }) => question === id)?.words ?? 'none yet',
    ]),
  }
}

function published({ responses }: Round): Block[] {
  const rows = responses
    .filter(({ confidential }) => !confidential)
    .flatMap(({ respondent, answers: given }) =>
      given.flatMap(({ question, words }) => (words === undefined ? [] : [[respondent, question, words]])),
    )
  return rows.length === 0 ? [] : [{ is: 'table', head: ['Respondent', 'Question', 'Answer'], rows }]
}

function changes({ changes: settled }: Round): Block[] {
  if (!settled) return []
  const of = (kind: (typeof changeClasses)[number]) => settled.changes.filter(one => one.class === kind)
  const lists = changeClasses.flatMap((kind): Block[] => {
    if (of(kind).length === 0) return []
    const says = of(kind).map(({ document, where, words, reason }) => {
      const why = reason === undefined ? '' : ` Reason: ${reason}`
      return `${document}, ${where}: ${words}${why}`
    })
    return [paragraph(`Changes of the class ${kind}:`), { is: 'list', items: says }]
  })
  const none = settled.changes.length === 0 ? [paragraph('No changes were made.')] : []
  return [...settled.summary.map(paragraph), ...none, ...lists]
}

function nextSteps({ draft, concluded, submitted, designated }: Development): Block[] {
  const { submissionOn, designationOn, powers } = concluded!
  const all = listed([draft.called, ...draft.consequential.map(({ document }) => document)])
  return [
    paragraph(
      submitted
        ? `DCC submitted the ${all} to the Secretary of State on ${inWords(submitted.on)}.`
        : `DCC will submit the ${all} to the Secretary of State on ${inWords(submissionOn)}.`,
    ),
    paragraph(
      designated
        ? `The Secretary of State designated the ${all} on ${inWords(designated.on)}.${designated.explanation === undefined ? '' : ` ${designated.explanation}`}`
        : `DCC anticipates that the Secretary of State will designate the ${all}, using the powers set out in ${powers}, on or shortly after ${inWords(designationOn)}.`,
    ),
  ]
}
