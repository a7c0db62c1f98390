/** Everything that an S1SP reports of its Devices at once: campaigns, deadlines, what is unresolved, and what cannot be done. */

import { type Progress, progressOf } from './campaign.ts'
import type { S1spHands } from './hands.ts'
import {
  cannotBeReKeyed,
  exceptionList,
  type LostKey,
  type Overdue,
  overdue,
  type Standings,
  standings,
} from './report.ts'
import { type ReviewState, reviewState } from './review.ts'

export interface CampaignStanding extends Progress {
  readonly campaign: string
  /** Reference of the SMKI PMA's decision. */
  readonly decision: string
  readonly state: string
  /** By when it is to be done. */
  readonly by: Date
  readonly whyPaused: string | null
}

export interface Summary {
  readonly at: Date
  readonly campaigns: readonly CampaignStanding[]
  readonly models: readonly Standings[]
  /** Late, or late within a day. */
  readonly overdue: readonly Overdue[]
  readonly cannot: readonly LostKey[]
  readonly exceptions: readonly { readonly device: string; readonly what: string; readonly says: string }[]
  readonly review: ReviewState
}

/** Within how many hours a Device that becomes late is named already. */
const soonHours = 24

export async function summaryOf(hands: Pick<S1spHands, 'store' | 'clock'>): Promise<Summary> {
  const { rows } = await hands.store.query<{ id: bigint; decision: string; by: string; why_paused: string | null }>(
    "SELECT id, decision, form->>'by' AS by, why_paused FROM campaign ORDER BY id",
  )
  const campaigns: CampaignStanding[] = []
  for (const { id, decision, by, why_paused } of rows) {
    const progress = await progressOf(hands, id)
    campaigns.push({ campaign: String(id), decision, by: new Date(by), whyPaused: why_paused, ...progress })
  }
  return {
    at: hands.clock(),
    campaigns,
    models: await standings(hands),
    overdue: await overdue(hands, soonHours),
    cannot: await cannotBeReKeyed(hands),
    exceptions: await exceptionList(hands),
    review: await reviewState(hands),
  }
}
