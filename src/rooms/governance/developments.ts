/** The development of documents (L14.8 and alike): what happened is entered step by step, and never changed. */

import type { Chance } from '../../ground/clock.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { markdown } from '../../policy/documents/blocks.ts'
import { type Development, developmentOf, whyNot } from '../../policy/documents/development/development.ts'
import {
  type DevelopmentEvent,
  eventSchema,
  type NewDevelopmentEvent,
} from '../../policy/documents/development/events.ts'
import { conclusionsReport } from '../../policy/documents/development/report.ts'
import { type Acting, act, committed, type HandsWithChance } from './act.ts'
import { citeDecision } from './decisions.ts'
import { decideIn } from './documents.ts'
import { keepReport, reportOn } from './generated.ts'
import { no } from './refusals.ts'
import { isPlainText } from './text.ts'

/**
 * Begins a development with its draft.
 * @throws Refusal DEVELOPMENT_EXISTS, DEVELOPMENT_UNFIT, DEVELOPMENT_STEP
 */
export function beginDevelopment(
  hands: HandsWithChance,
  by: string,
  ref: string,
  draft: NewDevelopmentEvent,
): Promise<Development> {
  return act(hands, by, 'begin development', ref, async acting => {
    if (!isPlainText(ref, 100) || ref === '') throw no('DEVELOPMENT_UNFIT', 'its reference')
    const { rowCount } = await acting.client.query(
      'INSERT INTO development (ref, begun_at) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [ref, acting.at],
    )
    if (rowCount === 0) throw no('DEVELOPMENT_EXISTS', ref)
    return enter(acting, hands.chance, by, ref, draft)
  })
}

/**
 * Enters what happened next. Where the SMKI PMA is satisfied or confirms, a decision of its own to `approve document`
 * covers every document that is developed; what is designated is in force from that day. With the conclusions their report
 * is kept, as a version of the document `reportRef` names.
 * @throws Refusal DEVELOPMENT_UNKNOWN, DEVELOPMENT_UNFIT, DEVELOPMENT_STEP; those of `citeDecision` and `decideVersion`
 */
export function enterDevelopment(
  hands: HandsWithChance,
  by: string,
  ref: string,
  event: NewDevelopmentEvent,
): Promise<Development> {
  return act(hands, by, 'enter development', ref, async acting => {
    // One at a time: each follows what the one before it has come to.
    const { rowCount } = await acting.client.query('SELECT FROM development WHERE ref = $1 FOR UPDATE', [ref])
    if (rowCount === 0) throw no('DEVELOPMENT_UNKNOWN', ref)
    return enter(acting, hands.chance, by, ref, event)
  })
}

async function enter(
  acting: Acting,
  chance: Chance,
  by: string,
  ref: string,
  given: NewDevelopmentEvent,
): Promise<Development> {
  const { client, at, note } = acting
  const parsed = eventSchema.safeParse(given)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw no('DEVELOPMENT_UNFIT', `${path.join('.') || 'it'}: ${message}`)
  }
  const event = parsed.data
  const events = await eventsOf(client, ref)
  const reason = whyNot(developmentOf(events), event)
  if (reason !== undefined) throw no('DEVELOPMENT_STEP', reason)

  const now = developmentOf([...events, event])!
  const subjects = now.draft.documents.map(one => `document:${one}`)
  if ((event.step === 'review' || event.step === 'confirm') && event.decision !== undefined) {
    await citeDecision(client, { reference: event.decision, act: 'approve document', subjects, at })
  }
  if (event.step === 'designate') {
    const basis = `designation of ${event.on}, development ${ref}`
    for (const version of event.versions) {
      await decideIn(acting, chance, { ...version, outcome: 'approved', from: event.on, under: { basis } })
    }
  }
  const number = events.length + 1
  const text = JSON.stringify(event)
  const { salt, digest } = committed(chance, text)
  await client.query(
    `INSERT INTO development_event (development, number, event, salt, entered_at, entered_by)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [ref, number, text, salt, at, by],
  )
  const report = event.step === 'conclude' ? await conclude(acting, ref, now) : undefined
  // What people responded may be confidential, and it may be long.
  const says = { development: ref, number, step: event.step, state: now.state, event: digest }
  await note({ ...says, ...(report && { report }) })
  return now
}

/** The document that the report on a development's conclusions is kept as, of which it is version 1.0. */
export const reportRef = (ref: string): string => `Conclusions report ${ref}`

async function conclude(acting: Acting, ref: string, development: Development) {
  const { title, documents } = development.draft
  const definition = await reportOn(acting, reportRef(ref), `Conclusions: ${title}`, documents)
  const text = markdown(conclusionsReport(development))
  return keepReport(acting, { definition, version: '1.0', text, basis: `conclusions of the development ${ref}` })
}

/** @returns undefined when there is none of that reference */
export async function developmentFrom(
  store: Pick<Store, 'query'> | Client,
  ref: string,
): Promise<Development | undefined> {
  return developmentOf(await eventsOf(store, ref))
}

async function eventsOf(store: Pick<Store, 'query'> | Client, ref: string): Promise<DevelopmentEvent[]> {
  const { rows } = await (store as Client).query<{ event: string }>(
    'SELECT event FROM development_event WHERE development = $1 ORDER BY number',
    [ref],
  )
  return rows.map(({ event }) => eventSchema.parse(JSON.parse(event)))
}
