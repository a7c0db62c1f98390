/** An association as the DCO keeps it, and what each message in it brings along: its keys, as records. */

import { fromHex, toHex } from '../../../ground/bytes.ts'
import type { HlsKeys } from '../../../ground/dlms/hls.ts'
import type { Keys } from '../../../ground/dlms/protect.ts'
import type { ServiceName } from '../../../ground/dlms/services.ts'
import type { Client } from '../../../ground/store/store.ts'
import type { KeyedClient } from '../../../policy/symmetric/keys.ts'
import type { Question } from '../messages.ts'
import type { KeyRecord } from '../record.ts'
import { no } from '../refusals.ts'
import { type DeviceRow, deviceOf } from './devices.ts'
import { type Asking, Conflict } from './plan.ts'
import { admit } from './records.ts'

export type AssociationState = 'opened' | 'answered' | 'proven' | 'closed'

/** What was protected last, and so what may be answered now. */
export interface Awaiting {
  readonly service: ServiceName
  readonly invoke: number
  readonly what: 'command' | 'proof-read' | 'activation' | 'offer'
  /** Of an offer: the records of the keys. */
  readonly offered?: readonly string[]
}

export interface Association {
  readonly id: string
  readonly device: DeviceRow
  readonly client: KeyedClient
  readonly state: AssociationState
  readonly version: number
  /** Its place in the order of openings and offers. */
  readonly opened: number
  readonly akGeneration: number
  readonly guekGeneration: number
  readonly challenge: Buffer
  readonly title: Buffer | null
  readonly awaiting: Awaiting | null
}

/** An association with its keys open. `key` is the DK if there is one. */
export interface Session {
  readonly association: Association
  readonly hls: HlsKeys
  readonly keys: Keys
  readonly ak: KeyRecord
  readonly guek: KeyRecord
}

type InAssociation = Question<
  | 'answer-association'
  | 'finish-association'
  | 'protect-command'
  | 'protect-proof-read'
  | 'protect-activation'
  | 'offer-keys'
  | 'open-reply'
>

/**
 * Finds the association, and opens the records that came with the message: they are those that it was opened with.
 * @throws Refusal ASSOCIATION_UNKNOWN, ASSOCIATION_STATE, RECORD_…; DEVICE_NOT_YOURS
 */
export async function enter(asking: Asking & { question: InAssociation }, due: AssociationState): Promise<Session> {
  const { hands, module, s1sp, question, openings } = asking
  const row = await rowOf(asking, question.association)
  const device = await deviceOf(hands, s1sp.name, row.device)
  if (row.state === 'closed') throw no('ASSOCIATION_UNKNOWN')
  if (row.state !== due) throw no('ASSOCIATION_STATE', `it is ${row.state}`)
  const hours = hands.settings.symmetric.associationHours
  if (asking.now.getTime() - row.opened_at.getTime() > hours * 3_600_000) throw no('ASSOCIATION_UNKNOWN')

  const owner = { device: row.device, holder: row.client }
  const ak = await admit(hands, s1sp.name, question.ak, { types: ['AK'], ...owner })
  const guek = await admit(hands, s1sp.name, question.guek, { types: ['GUEK'], ...owner })
  const dk = question.dk && (await admit(hands, s1sp.name, question.dk, { types: ['DK'], ...owner }))
  if (dk && dk.record.association !== question.association)
    throw no('RECORD_WRONG_GENERATION', 'another association')
  const named = [ak.record.id, guek.record.id, dk?.record.id ?? null]
  if (named.some((id, i) => id !== [row.ak, row.guek, row.dk][i])) {
    throw no('RECORD_WRONG_GENERATION', 'the association was opened with other records')
  }
  const hls: HlsKeys = { cipher: module.cipher, key: openings.open(guek), ak: openings.open(ak) }
  const association: Association = {
    id: question.association,
    device,
    client: row.client,
    state: row.state,
    version: row.version,
    opened: row.opened,
    akGeneration: row.ak_generation,
    guekGeneration: row.guek_generation,
    challenge: row.challenge,
    title: row.title,
    awaiting: row.awaiting,
  }
  const keys: Keys = dk ? { ...hls, key: openings.open(dk) } : hls
  return { association, hls, keys, ak: ak.record, guek: guek.record }
}

/** Takes the next step, if nobody took it meanwhile. @throws Conflict */
export async function step(
  client: Client,
  { id, version }: Pick<Association, 'id' | 'version'>,
  change: {
    readonly state: AssociationState
    readonly title?: Uint8Array | null
    readonly awaiting: Awaiting | null
  },
): Promise<void> {
  const { rowCount } = await client.query({
    name: 'dco step',
    text: `UPDATE dco_association SET state = $3, version = version + 1, title = COALESCE($4, title), awaiting = $5
      WHERE id = $1 AND version = $2`,
    values: [
      fromHex(id),
      version,
      change.state,
      change.title ? Buffer.from(change.title) : null,
      change.awaiting && JSON.stringify(change.awaiting),
    ],
  })
  if (rowCount === 0) throw new Conflict('the association went on meanwhile')
}

/** What journal entries say of a message in an association. */
export function saysOf({ association, ak, guek }: Session) {
  return {
    device: association.device.device,
    client: association.client,
    association: association.id,
    ak: ak.id,
    guek: guek.id,
  }
}

interface Row {
  readonly device: string
  readonly client: KeyedClient
  readonly state: AssociationState
  readonly version: number
  readonly opened: number
  readonly opened_at: Date
  readonly ak: string
  readonly guek: string
  readonly dk: string | null
  readonly ak_generation: number
  readonly guek_generation: number
  readonly challenge: Buffer
  readonly title: Buffer | null
  readonly awaiting: Awaiting | null
}

async function rowOf({ hands }: Asking, id: string): Promise<Row> {
  const { rows } = await hands.store.query<
    Omit<Row, 'device' | 'ak' | 'guek' | 'dk'> & { device: Buffer; ak: Buffer; guek: Buffer; dk: Buffer | null }
  >({
    name: 'dco association',
    text: `SELECT device, client, state, version, opened::float8 AS opened, opened_at, ak, guek, dk, ak_generation,
      guek_generation, challenge, title, awaiting FROM dco_association WHERE id = $1`,
    values: [fromHex(id)],
  })
  const row = rows[0]
  if (!row) throw no('ASSOCIATION_UNKNOWN')
  const { device, ak, guek, dk } = row
  return { ...row, device: toHex(device), ak: toHex(ak), guek: toHex(guek), dk: dk && toHex(dk) }
}
