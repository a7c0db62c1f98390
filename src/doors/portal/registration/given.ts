/** Words and evidence, as fields of a form and as what a room is given. Evidence is a reference; the paper stays where it is. */

import type { Evidence, Given } from '../../../rooms/registration/act.ts'
import { input, textarea } from '../frame/fields.ts'
import type { Form } from '../frame/form.ts'
import { type Html, html } from '../frame/html.ts'
import { type Fault, Faulty, type Visit } from '../frame/page.ts'

type Asked = Pick<Visit, 'given' | 'faults'>

/**
 * A field for each kind of evidence that is asked for, one for more of it, and one for words.
 * @param kinds as the procedure names them
 * @param words the label of the field for words
 */
export function givenFields(visit: Asked, kinds: readonly string[], words = 'Words for the record'): Html {
  return html`${kinds.map((kind, i) =>
    input(visit, {
      name: `evidence-${i}`,
      label: `Reference of the evidence “${kind}”`,
      hint: 'Where it is filed, such as 2026/117',
      width: 20,
    }),
  )}${textarea(visit, {
    name: 'more',
    label: kinds.length === 0 ? 'Evidence (optional)' : 'More evidence (optional)',
    hint: 'One a line: what it is, a colon, its reference. For example: call note: 2026/118',
    rows: 2,
  })}${textarea(visit, { name: 'words', label: words, hint: 'They stand in the journal for good: name no person.', rows: 3 })}`
}

/** What the form says. @throws Faulty for a missing reference, or a line that is none, or words where they are needed */
export function readGiven(
  form: Form,
  kinds: readonly string[],
  needsWords = false,
): Given & { readonly evidence: Evidence[] } {
  const faults: Fault[] = []
  const evidence: Evidence[] = []
  kinds.forEach((kind, i) => {
    const reference = form.text(`evidence-${i}`)
    if (reference === '')
      faults.push({ field: `evidence-${i}`, says: `Enter the reference of the evidence “${kind}”` })
    else evidence.push({ kind, reference })
  })
  for (const line of form.text('more').split('\n')) {
    if (line.trim() === '') continue
    const at = line.indexOf(':')
    const [kind, reference] = [line.slice(0, at).trim(), line.slice(at + 1).trim()]
    if (at < 1 || kind === '' || reference === '') {
      faults.push({ field: 'more', says: 'Enter evidence as what it is, a colon, and its reference' })
      break
    }
    evidence.push({ kind, reference })
  }
  const words = form.text('words').replaceAll('\r\n', '\n')
  if (needsWords && words === '') faults.push({ field: 'words', says: 'Say why, in a sentence' })
  if (faults.length > 0) throw new Faulty(faults)
  return { words, evidence }
}

/** A list of references for a page. */
export function evidenceList(evidence: readonly Evidence[]): Html | undefined {
  if (evidence.length === 0) return undefined
  return html`<ul class="govuk-list">${evidence.map(({ kind, reference }) => html`<li>${kind}: ${reference}</li>`)}</ul>`
}
