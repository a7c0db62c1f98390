/** Works on open rotations, many Devices at a time and each once at a time, at the pace that campaigns set. */

import { Refusal } from '../../../ground/refusal.ts'
import { beginOfCampaigns, pauseWhatFails } from './campaign.ts'
import type { S1spHands } from './hands.ts'
import { tryRotation } from './rotate.ts'
import type { RotationState } from './rotation.ts'

export interface Round {
  readonly tried: number
  readonly closed: number
  readonly by: Readonly<Record<RotationState, number>>
  /** Tries that ended in a fault of ours, by Device. */
  readonly faults: readonly { readonly device: string; readonly cause: unknown }[]
}

export interface RoundOptions {
  /** No further rotation is begun once this is aborted. */
  readonly signal?: AbortSignal
  readonly onTried?: (device: string, state: RotationState | 'fault') => void
  /** All open rotations, also those that were tried a moment ago: a Device just connected, or somebody asks. */
  readonly now?: boolean
}

/**
 * One round: every rotation that is open and due for a try is tried once, of very many the first thousands. Campaigns first hand over as many Devices as
 * their pace allows; of one Device only the oldest rotation is worked on.
 */
export async function round(hands: S1spHands, { signal, onTried, now = false }: RoundOptions = {}): Promise<Round> {
  await beginOfCampaigns(hands)
  const before = now ? hands.clock() : new Date(hands.clock().getTime() - hands.settings.againMinutes * 60_000)
  const by: Record<RotationState, number> = { open: 0, unresolved: 0, unreachable: 0, closed: 0 }
  const faults: { device: string; cause: unknown }[] = []
  const waiting = due(hands, before, now)
  let tried = 0

  const worker = async (): Promise<void> => {
    for (;;) {
      if (signal?.aborted) return
      const { value: next, done } = await waiting.next()
      if (done || next === undefined) return
      tried++
      try {
        const state = await tryRotation(hands, next.id)
        by[state]++
        onTried?.(next.device, state)
      } catch (cause) {
        if (cause instanceof Refusal) throw cause
        faults.push({ device: next.device, cause })
        onTried?.(next.device, 'fault')
      }
      // Not after every one: it counts a campaign's whole list.
      if (tried % 10 === 0) await pauseWhatFails(hands)
    }
  }
  await Promise.all(Array.from({ length: hands.settings.atOnce }, worker))
  await pauseWhatFails(hands)
  return { tried, closed: by.closed, by, faults }
}

/**
 * A Device has connected: its oldest open rotation is tried now, however short a while ago it was tried before.
 * @returns undefined when none is open
 */
export async function deviceConnected(hands: S1spHands, device: string): Promise<RotationState | undefined> {
  const { rows } = await hands.store.query<{ id: bigint | null }>(
    `SELECT min(r.id) AS id FROM rotation r LEFT JOIN campaign c ON c.id = r.campaign
     WHERE r.device = $1 AND r.state <> 'closed' AND (c.id IS NULL OR c.state = 'running')`,
    [device],
  )
  const id = rows[0]?.id ?? null
  return id === null ? undefined : tryRotation(hands, id)
}

interface Due {
  readonly id: bigint
  readonly device: string
}

/** Rotations that one round tries: those that are left are the next round's. Bounds what it remembers. */
const mostInRound = 5000

/** Rotations in the order in which they were tried last, read some at a time; none twice in a round. */
async function* due(hands: S1spHands, before: Date, now: boolean): AsyncGenerator<Due, undefined> {
  const began = hands.clock()
  const seen = new Set<bigint>()
  for (;;) {
    const { rows } = await hands.store.query<Due>(
      `SELECT r.id, r.device FROM rotation r LEFT JOIN campaign c ON c.id = r.campaign
       WHERE r.state <> 'closed' AND (r.tried IS NULL OR r.tried <= $1) AND (c.id IS NULL OR c.state = 'running')
         AND NOT r.id = ANY ($2)
         AND NOT EXISTS (SELECT FROM rotation o WHERE o.device = r.device AND o.state <> 'closed' AND o.id < r.id)
       ORDER BY r.tried NULLS FIRST, r.id LIMIT 200`,
      [now ? began : before, [...seen]],
    )
    if (rows.length === 0 || seen.size >= mostInRound) return undefined
    for (const row of rows) {
      seen.add(row.id)
      yield row
    }
  }
}
