/** Many tasks at once: each is decided by itself, on the digest that was looked at, and each has a result of its own. */

import { Refusal } from '../../../ground/refusal.ts'
import { taskOf } from '../../../rooms/registration/task.ts'
import { approve, verify } from '../../../rooms/registration/tasks.ts'
import { textarea } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { heading, link, paragraph, tag } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { count } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { readGiven } from './given.ts'
import { allKinds, central } from './who.ts'

/** More than anybody looks at; it also bounds the time of one request. */
const most = 200

/** A box by which a task is chosen, with the digest of what was seen. */
export function tick(task: number, digest: string, name: string): Html {
  return html`<div class="govuk-checkboxes govuk-checkboxes--small"><div class="govuk-checkboxes__item"><input class="govuk-checkboxes__input" type="checkbox" id="chosen-${task}" name="chosen" value="${task} ${digest}"><label class="govuk-label govuk-checkboxes__label" for="chosen-${task}"><span class="govuk-visually-hidden">Choose ${name}</span></label></div></div>`
}

/** What goes with every one of them. */
export function bulk(visit: Visit): Html {
  return html`${textarea(visit, {
    name: 'more',
    label: 'Evidence for the chosen',
    hint: 'One a line: what it is, a colon, its reference. Each task must have what its procedure asks for.',
    rows: 2,
  })}${textarea(visit, { name: 'words', label: 'Words for the record', hint: 'They stand in the journal for good: name no person.', rows: 2 })}`
}

export const bulkDecision = page({
  path: '/registration/bulk',
  title: 'Several tasks decided',
  who: central,
  section: 'registration',
  show(visit) {
    if (visit.faults.length === 0) throw refuse('NOTHING_THERE')
    return html`${heading('Nothing was decided', 'Registration Authority')}${paragraph(link('/registration/tasks', 'Go back to the tasks'))}`
  },
  async act(visit, form) {
    const step = form.text('do') === 'approve' ? 'approve' : 'verify'
    const chosen = form.all('chosen').map(one => /^([1-9]\d{0,8}) ([0-9a-f]{64})$/.exec(one))
    if (chosen.some(one => one === null) || chosen.length > most)
      throw refuse('FORM_UNFIT', `at most ${most} tasks`)
    if (chosen.length === 0) throw new Faulty([{ says: 'Choose the tasks first' }])
    const given = readGiven(form, [])
    const rows: Part[][] = []
    let done = 0
    for (const [, id, digest] of chosen as RegExpExecArray[]) {
      try {
        await decide(visit, step, Number(id), { ...given, digest: digest! })
        done++
        rows.push([
          link(`/registration/tasks/${id}`, `Task ${id}`),
          tag('Done', 'green'),
          step === 'verify' ? 'verified' : 'approved',
        ])
      } catch (cause) {
        if (!(cause instanceof Refusal)) throw cause
        rows.push([
          link(`/registration/tasks/${id}`, `Task ${id}`),
          tag('Not done', 'red'),
          `${cause.message} (${cause.code})`,
        ])
      }
    }
    return html`${heading(`${count(done, 'task')} of ${chosen.length} ${step === 'verify' ? 'verified' : 'approved'}`, 'Registration Authority')}${table('Result of each', ['Task', 'Result', 'Why'], rows, '')}${paragraph(link('/registration/tasks', 'Go back to the tasks'))}`
  },
})

async function decide(
  { door, visitor }: Visit,
  step: 'verify' | 'approve',
  id: number,
  given: Parameters<typeof verify>[4],
): Promise<void> {
  const kinds = allKinds(door)
  const { kind } = await taskOf(door.store, id)
  const by = officerAs(visitor, ...(kinds[kind]?.procedure[step].by ?? []))
  if (step === 'verify') await verify(door, kinds, by, id, given)
  else await approve(door, kinds, by, id, given)
}
