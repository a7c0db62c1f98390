/** A recovery event as it stands in the store. */

import type { Client, Store } from '../../ground/store/store.ts'
import type { KeyKind, ProcedureName } from '../../policy/recovery/cases.ts'
import { no } from './refusals.ts'

export type EventState = 'notified' | 'rejected' | 'confirmed' | 'running' | 'paused' | 'closed'

export interface RecoveryEvent {
  readonly reference: string
  readonly keyKind: KeyKind
  /** SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly key: Buffer
  readonly keyIds: readonly Buffer[]
  readonly party: number | undefined
  readonly suspectedSince: Date
  readonly notifiedAt: Date
  readonly notifiedBy: string
  readonly state: EventState
  readonly means: string | undefined
  readonly procedure: ProcedureName | undefined
  /** Which wave of commands is under way, from 1; 0 before the first. */
  readonly wave: number
  /** Commands a minute. */
  readonly pace: number
  readonly frozen: { readonly at: Date; readonly devices: number; readonly digest: Buffer } | undefined
  readonly closedAt: Date | undefined
}

export type Reader = Pick<Store, 'query'> | Client

interface Row {
  reference: string
  key_kind: KeyKind
  key: Buffer
  key_ids: Buffer[]
  party: number | null
  suspected_since: Date
  notified_at: Date
  notified_by: string
  state: EventState
  means: string | null
  procedure: ProcedureName | null
  wave: number
  pace: number
  frozen_at: Date | null
  devices: number | null
  devices_digest: Buffer | null
  closed_at: Date | null
}

/** @throws Refusal EVENT_UNKNOWN */
export async function eventOf(
  store: Reader,
  reference: string,
  hold: 'hold' | 'look' = 'look',
): Promise<RecoveryEvent> {
  const { rows } = await (store as Client).query<Row>(
    `SELECT * FROM recovery_event WHERE reference = $1 ${hold === 'hold' ? 'FOR UPDATE' : ''}`,
    [reference],
  )
  const row = rows[0]
  if (!row) throw no('EVENT_UNKNOWN')
  return {
    reference: row.reference,
    keyKind: row.key_kind,
    key: row.key,
    keyIds: row.key_ids,
    party: row.party ?? undefined,
    suspectedSince: row.suspected_since,
    notifiedAt: row.notified_at,
    notifiedBy: row.notified_by,
    state: row.state,
    means: row.means ?? undefined,
    procedure: row.procedure ?? undefined,
    wave: row.wave,
    pace: row.pace,
    frozen:
      row.frozen_at === null
        ? undefined
        : { at: row.frozen_at, devices: row.devices!, digest: row.devices_digest! },
    closedAt: row.closed_at ?? undefined,
  }
}

/** The same, held until the caller's transaction ends, in one of these states. @throws Refusal EVENT_UNKNOWN, EVENT_STATE */
export async function heldEvent(
  client: Client,
  reference: string,
  ...states: readonly EventState[]
): Promise<RecoveryEvent> {
  const event = await eventOf(client, reference, 'hold')
  if (states.length > 0 && !states.includes(event.state)) throw no('EVENT_STATE', event.state)
  return event
}
