/** The question whether a service is stopped just now. The answer is of the rooms above; it is handed in. */

import type { Refusal } from '../../ground/refusal.ts'
import type { Client, Store } from '../../ground/store/store.ts'

/** What is about to be done, as an emergency suspension (L2.14) may name it. */
export interface AboutToDo {
  /** Absent where no interface is used: an IKI Certificate is issued to whoever was approved. */
  readonly interface?: 'PORTAL_ORG' | 'PORTAL_DEVICE' | 'ADHOC_WS' | 'BATCH_WS' | 'DCCKI'
  /** Absent where it is of no Party: what an S1SPKI issues is for its S1SP. */
  readonly party?: number
  /** The authority that would sign; absent before one was chosen. */
  readonly authority?: number
}

/** Why it may not be done now, if so. Within a transaction it reads with that transaction's client. */
export type Refuse = (
  store: Pick<Store, 'query'> | Client,
  what: AboutToDo,
  at: Date,
) => Promise<Refusal | undefined> | Refusal | undefined
