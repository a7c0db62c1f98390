/** A recovery event as it stands in the store. */

import type { Client, Store } from '../../ground/store/store.ts'
import {
  type KeyKind,
  type ProcedureName,
  procedureOf,
  type RecoveryCure,
  type RecoveryProcedure,
} from '../../policy/recovery/cases.ts'
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
  /** Which key cures a Compromised Recovery Private Key, as it was set when the procedure was chosen (REC-A02). */
  readonly curedBy: RecoveryCure
  /** The procedure that the Subscriber asked for. */
  readonly askedFor: string | undefined
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
  cured_by: RecoveryCure
  asked_for: string | null
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
  if (!rows[0]) throw no('EVENT_UNKNOWN')
  return read(rows[0])
}

/** Latest first; of one Party, those about its own keys. */
export async function events(
  store: Reader,
  { party, open }: { readonly party?: number | undefined; readonly open?: true } = {},
): Promise<RecoveryEvent[]> {
  const { rows } = await (store as Client).query<Row>(
    `SELECT * FROM recovery_event WHERE ($1::int IS NULL OR party = $1)
        AND (NOT $2 OR state NOT IN ('rejected', 'closed')) ORDER BY notified_at DESC, reference`,
    [party ?? null, open === true],
  )
  return rows.map(read)
}

/** What its procedure is, once it was chosen. */
export const procedureIn = ({
  procedure,
  curedBy,
}: Pick<RecoveryEvent, 'procedure' | 'curedBy'>): RecoveryProcedure | undefined =>
  procedure && procedureOf(procedure, curedBy)

function read(row: Row): RecoveryEvent {
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
    curedBy: row.cured_by,
    askedFor: row.asked_for ?? undefined,
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
