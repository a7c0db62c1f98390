/** Meetings of the DCCKI PMA Functions: recorded once, told to the SMKI PMA and the SSC, never edited (dccki.md section 7). */

import type { Client, Store } from '../../ground/store/store.ts'
import { type Day, dayOf, isDay } from '../../policy/documents/day.ts'
import type { Body } from '../../policy/documents/document-set.ts'
import { act, committed, type Hands, type HandsWithChance } from './act.ts'
import { no } from './refusals.ts'
import { isPlainText, isProse } from './text.ts'

/** Who is told of each meeting (SEED-004). */
export const toldBodies = ['SMKI PMA', 'SSC'] as const
export type ToldBody = (typeof toldBodies)[number]

export interface NewMeeting {
  /** Used once, for ever. */
  readonly reference: string
  readonly heldOn: Day
  /** By role, never by name. */
  readonly attendees: readonly string[]
  readonly agenda: readonly string[]
  /** References of what was before the meeting. */
  readonly papers: readonly string[]
  readonly notifications: readonly string[]
  readonly recommendations: readonly string[]
}

export interface Meeting extends NewMeeting {
  readonly recordedAt: Date
  /** To whom it was told, and when. */
  readonly told: Readonly<Partial<Record<ToldBody, Day>>>
}

/**
 * Puts a meeting on record. The journal has its reference, its day and a digest of the rest: papers may be confidential.
 * @param by a person's reference
 * @throws Refusal MEETING_UNFIT, MEETING_EXISTS
 */
export function recordMeeting(hands: HandsWithChance, by: string, meeting: NewMeeting): Promise<Meeting> {
  const { reference, heldOn, attendees, agenda, papers, notifications, recommendations } = meeting
  return act(hands, by, 'record DCCKI meeting', reference, async ({ client, at, note }) => {
    const lists = [attendees, agenda, papers, notifications, recommendations]
    const fits =
      /^[A-Za-z0-9][\w .:/#-]{0,99}$/.test(reference) &&
      isDay(heldOn) &&
      heldOn <= dayOf(at) &&
      attendees.length > 0 &&
      agenda.length > 0 &&
      attendees.every(role => role !== '' && isPlainText(role, 100)) &&
      lists.every(list => list.length <= 100 && list.every(text => text !== '' && isProse(text, 2000)))
    if (!fits) throw no('MEETING_UNFIT')
    const { salt, digest } = committed(hands.chance, JSON.stringify({ reference, heldOn, lists }))
    const { rowCount } = await client.query(
      `INSERT INTO dccki_meeting (reference, held_on, attendees, agenda, papers, notifications, recommendations, salt,
         recorded_at, recorded_by) VALUES ($1, $2::date, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
      [reference, heldOn, ...lists, salt, at, by],
    )
    if (rowCount === 0) throw no('MEETING_EXISTS', reference)
    await note({ reference, heldOn, record: digest })
    return (await meetingOf(client, reference))!
  })
}

/**
 * Records that a body was told of a meeting's notifications and recommendations, with its agenda and papers. Told again,
 * the first day stands.
 * @throws Refusal MEETING_UNKNOWN, MEETING_UNFIT
 */
export function tellMeeting(hands: Hands, by: string, reference: string, body: ToldBody): Promise<Meeting> {
  return act(hands, by, 'tell DCCKI meeting', reference, async ({ client, at, note }) => {
    if (!toldBodies.includes(body)) throw no('MEETING_UNFIT', 'it is told to the SMKI PMA and the SSC')
    if (!(await meetingOf(client, reference))) throw no('MEETING_UNKNOWN', reference)
    const { rowCount } = await client.query(
      'INSERT INTO dccki_meeting_told (meeting, body, told_on) VALUES ($1, $2, $3::date) ON CONFLICT DO NOTHING',
      [reference, body, dayOf(at)],
    )
    if (rowCount === 1) await note({ reference, body })
    return (await meetingOf(client, reference))!
  })
}

/** Those who may see agendas and papers: the DCC, which carries the Functions out, and the members of both bodies. */
const readers: readonly (Body | 'public')[] = ['DCC', 'DCCKI PMA Functions', ...toldBodies]

/** Latest first. @throws Refusal MEETING_CONFIDENTIAL for any other reader */
export async function meetingsFor(
  store: Pick<Store, 'query'> | Client,
  reader: Body | 'public',
): Promise<Meeting[]> {
  if (!readers.includes(reader)) throw no('MEETING_CONFIDENTIAL')
  return list(store, 'true', [])
}

/** Of these meetings, those of which a body has not been told yet. */
export function untold(meetings: readonly Meeting[], body: ToldBody): string[] {
  return meetings.filter(one => one.told[body] === undefined).map(one => one.reference)
}

async function meetingOf(client: Client, reference: string): Promise<Meeting | undefined> {
  return (await list(client, 'm.reference = $1', [reference]))[0]
}

interface Row extends Omit<NewMeeting, 'heldOn'> {
  readonly held_on: Day
  readonly recorded_at: Date
  readonly told: Record<string, Day> | null
}

async function list(store: Pick<Store, 'query'> | Client, where: string, values: unknown[]): Promise<Meeting[]> {
  const { rows } = await (store as Client).query<Row>(
    `SELECT m.reference, m.held_on::text, m.attendees, m.agenda, m.papers, m.notifications, m.recommendations,
            m.recorded_at, (SELECT json_object_agg(t.body, t.told_on::text) FROM dccki_meeting_told t
              WHERE t.meeting = m.reference) AS told
       FROM dccki_meeting m WHERE ${where} ORDER BY m.held_on DESC, m.reference`,
    values,
  )
  return rows.map(({ held_on: heldOn, recorded_at: recordedAt, told, ...row }) => ({
    ...row,
    heldOn,
    recordedAt,
    told: told ?? {},
  }))
}
