/** What rooms above know of requests, as the reports are given it: batches, and Organisation CSRs. */

/** One Batched CSR, or one that came singly by the Portal: kept for good in the room that issues. */
export interface BatchFact {
  readonly id: bigint
  readonly channel: 'BATCH_WS' | 'PORTAL_BATCH' | 'PORTAL_DEVICE'
  readonly party: number
  /** Its members. */
  readonly count: number
  /** Accepted at the door: every check of the batch was passed. */
  readonly receivedAt: Date
  /** Each step once it was taken: decided by the Registration Authority, parsed, ready for download. */
  readonly decidedAt: Date | undefined
  readonly queuedAt: Date | undefined
  readonly completedAt: Date | undefined
  /** Refused by the Registration Authority, or tampered with: there is no answer to wait for. */
  readonly refused: boolean
}

/** One Organisation CSR that passed every check. */
export interface OrganisationFact {
  readonly party: number
  readonly receivedAt: Date
  readonly sentAt: Date | undefined
}

export interface Facts {
  readonly batches: readonly BatchFact[]
  readonly organisation: readonly OrganisationFact[]
}

/** An Authorised Subscriber under the Device Certificate Policy. */
export interface Subscriber {
  readonly party: number
  readonly name: string
  /** When the Party was registered: who came after forecasts were due is expected in the next round. */
  readonly since: Date
}
