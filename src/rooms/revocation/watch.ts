/** A watch over the lists: how old each is, how much is left of it, what waits for the next, and whether that is right. */

import type { Client, Store } from '../../ground/store/store.ts'
import type { ListSchedule } from '../../policy/profile.ts'
import type { Schedules } from '../../policy/revocation/schedules.ts'
import { authorities } from '../authority/register.ts'
import { currentIntervals, type ListInterval } from '../repository/lists.ts'
import { unlisted } from './inside/below.ts'
import { asStore } from './object.ts'
import { early, listsAtRisk } from './schedule.ts'

export type ListState = 'ok' | 'due' | 'late' | 'waiting revocations'

export interface WatchedList {
  readonly authority: number
  /** Of the authority: `Issuing OCA`. */
  readonly part: string
  readonly name: string
  /** 0n when there is none at all. */
  readonly number: bigint
  readonly thisUpdate: Date | undefined
  readonly nextUpdate: Date | undefined
  /** Milliseconds since thisUpdate. */
  readonly age: number
  /** Milliseconds until nextUpdate; below zero when nobody can rely on it any more. */
  readonly margin: number
  /** Revocations that it does not name yet. */
  readonly waiting: number
  /** Until when the next one is to be lodged: by its schedule, or for the oldest revocation that waits. */
  readonly dueBy: Date
  /**
   * `late`: it has run out, or the next one should have been lodged by now; `due`: the time to make the next has come;
   * `waiting revocations`: it is made before its time, for those; else `ok`. The worst that is true.
   */
  readonly state: ListState
}

/**
 * Every list that there should be, in the order of the authorities. `late` is an alarm, and `due` that stays for minutes
 * too: whoever renews lists has stopped, or for a root a ceremony is due.
 */
export async function listWatch(
  store: Pick<Store, 'query'> | Client,
  at: Date,
  schedules: Schedules,
): Promise<WatchedList[]> {
  const reader = asStore(store as Client)
  const current = new Map((await currentIntervals(reader)).map(list => [list.authority, list]))
  const waiting = new Map((await unlisted(reader)).map(one => [one.authority, one]))
  return (await authorities(reader)).flatMap(({ id, pki, level, part }) => {
    const schedule = schedules({ pki, level })
    if (!schedule) return []
    const about = { authority: id, part, name: schedule.name }
    return [{ ...about, ...watched(schedule, current.get(id), waiting.get(id), at) }]
  })
}

function watched(
  schedule: ListSchedule,
  list: ListInterval | undefined,
  unnamed: { count: number; since: Date } | undefined,
  at: Date,
): Omit<WatchedList, 'authority' | 'part' | 'name'> {
  const hours = (from: Date, count: number) => new Date(from.getTime() + count * 3_600_000)
  const waiting = unnamed?.count ?? 0
  if (!list) {
    const none = { number: 0n, thisUpdate: undefined, nextUpdate: undefined, age: 0, margin: 0 }
    return { ...none, waiting, dueBy: at, state: 'late' }
  }
  const { number, thisUpdate, nextUpdate } = list
  const regular = hours(thisUpdate, schedule.everyHours)
  const forRevocations = unnamed ? hours(unnamed.since, schedule.afterRevocationHours) : regular
  const dueBy = new Date(Math.min(regular.getTime(), forRevocations.getTime(), nextUpdate.getTime()))
  const isDue = at >= hours(thisUpdate, schedule.everyHours * early) || listsAtRisk([list], at).length > 0
  return {
    number,
    thisUpdate,
    nextUpdate,
    age: at.getTime() - thisUpdate.getTime(),
    margin: nextUpdate.getTime() - at.getTime(),
    waiting,
    dueBy,
    state: at >= dueBy ? 'late' : isDue ? 'due' : waiting > 0 ? 'waiting revocations' : 'ok',
  }
}
