/** Modifications of the Code: what happened to each is entered step by step, and never changed. */

import type { Chance } from '../../ground/clock.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { markdown } from '../../policy/documents/blocks.ts'
import {
  type ModificationEvent,
  modificationEventSchema,
  type NewModificationEvent,
} from '../../policy/documents/modification/events.ts'
import { type Modification, modificationOf, whyNotNow } from '../../policy/documents/modification/modification.ts'
import { modificationReport } from '../../policy/documents/modification/report.ts'
import { type Acting, act, committed, type HandsWithChance } from './act.ts'
import { keepReport, reportOn } from './generated.ts'
import { no } from './refusals.ts'
import { isPlainText } from './text.ts'

/** @throws Refusal MODIFICATION_EXISTS, MODIFICATION_UNFIT, MODIFICATION_STEP */
export function raiseModification(
  hands: HandsWithChance,
  by: string,
  ref: string,
  raised: NewModificationEvent,
): Promise<Modification> {
  return act(hands, by, 'raise modification', ref, async acting => {
    if (!isPlainText(ref, 100) || ref === '') throw no('MODIFICATION_UNFIT', 'its reference')
    const { rowCount } = await acting.client.query(
      'INSERT INTO modification (ref, begun_at) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [ref, acting.at],
    )
    if (rowCount === 0) throw no('MODIFICATION_EXISTS', ref)
    return enter(acting, hands.chance, by, ref, raised)
  })
}

/**
 * Enters what happened next. With the approval of the Modification Report the report is kept, as a version of the document
 * that `modificationReportRef` names.
 * @throws Refusal MODIFICATION_UNKNOWN, MODIFICATION_UNFIT, MODIFICATION_STEP
 */
export function enterModification(
  hands: HandsWithChance,
  by: string,
  ref: string,
  event: NewModificationEvent,
): Promise<Modification> {
  return act(hands, by, 'enter modification', ref, async acting => {
    const { rowCount } = await acting.client.query('SELECT FROM modification WHERE ref = $1 FOR UPDATE', [ref])
    if (rowCount === 0) throw no('MODIFICATION_UNKNOWN', ref)
    return enter(acting, hands.chance, by, ref, event)
  })
}

async function enter(
  acting: Acting,
  chance: Chance,
  by: string,
  ref: string,
  given: NewModificationEvent,
): Promise<Modification> {
  const { client, at, note } = acting
  const parsed = modificationEventSchema.safeParse(given)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw no('MODIFICATION_UNFIT', `${path.join('.') || 'it'}: ${message}`)
  }
  const events = await eventsOf(client, ref)
  const reason = whyNotNow(modificationOf(events), parsed.data)
  if (reason !== undefined) throw no('MODIFICATION_STEP', reason)
  const now = modificationOf([...events, parsed.data])!
  const number = events.length + 1
  const text = JSON.stringify(parsed.data)
  const { salt, digest } = committed(chance, text)
  await client.query(
    `INSERT INTO modification_event (modification, number, event, salt, entered_at, entered_by)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [ref, number, text, salt, at, by],
  )
  const report = parsed.data.step === 'approveReport' ? await keepApproved(acting, ref, now) : undefined
  const says = { modification: ref, number, step: parsed.data.step, state: now.state, event: digest }
  await note({ ...says, ...(report && { report }) })
  return now
}

/** The document that a Modification Report is kept as, of which it is the version that it says. */
export const modificationReportRef = (ref: string): string => `Modification Report ${ref}`

async function keepApproved(acting: Acting, ref: string, modification: Modification) {
  const { raised, impact, report } = modification
  const about = impact?.documents ?? raised.issueDocuments
  const definition = await reportOn(acting, modificationReportRef(ref), `${ref} ${raised.title}`, about)
  const text = markdown(modificationReport(ref, modification))
  const basis = `Modification Report of ${ref}, approved on ${report!.on}`
  return keepReport(acting, { definition, version: report!.version, text, basis })
}

/** @returns undefined when there is none of that reference */
export async function modificationFrom(
  store: Pick<Store, 'query'> | Client,
  ref: string,
): Promise<Modification | undefined> {
  return modificationOf(await eventsOf(store, ref))
}

async function eventsOf(store: Pick<Store, 'query'> | Client, ref: string): Promise<ModificationEvent[]> {
  const { rows } = await (store as Client).query<{ event: string }>(
    'SELECT event FROM modification_event WHERE modification = $1 ORDER BY number',
    [ref],
  )
  return rows.map(({ event }) => modificationEventSchema.parse(JSON.parse(event)))
}
