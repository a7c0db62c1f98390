/** An association as the DCO keeps it, and what each message in it brings along: its keys, as records. */

import { fromHex, toHex } from '../../../ground/bytes.ts'
import type { HlsKeys } from '../../../ground/dlms/hls.ts'
import type { Keys } from '../../../ground/dlms/protect.ts'
import type { ServiceName } from '../../../ground/dlms/services.ts'
import type { Client, Store } from '../../../ground/store/store.ts'
import type { KeyedClient } from '../../../policy/symmetric/keys.ts'
import { gathered } from '../gathered.ts'
import type { Question } from '../messages.ts'
import type { KeyRecord } from '../record.ts'
import { no } from '../refusals.ts'
import { type DeviceRow, deviceOf } from './devices.ts'
import { type Asking, Conflict } from './plan.ts'
import { admit } from './records.ts'

export type AssociationState = 'opened' | 'answered' | 'proven' | 'closed'

/**
 * The invoke-id of pass 3, and of nothing else: its reply carries f(CtoS), and whoever could have it deciphered as a reply
 * to a command would see a challenge answer. Id 15, confirmed, high priority.
 */
export const hlsInvoke = 0xcf

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
  const stepped = await taken(client, {
    id: fromHex(id),
    version,
    state: change.state,
    title: change.title ? Buffer.from(change.title) : null,
    awaiting: change.awaiting && JSON.stringify(change.awaiting),
  })
  if (!stepped) throw new Conflict('the association went on meanwhile')
}

interface Step {
  readonly id: Buffer
  readonly version: number
  readonly state: AssociationState
  readonly title: Buffer | null
  readonly awaiting: string | null
}

/** @returns of each whether the association still stood where it was read; of two steps of one association, neither */
const taken = gathered<Client, Step, boolean>(async (client, steps) => {
  const ids = steps.map(({ id }) => toHex(id))
  if (new Set(ids).size !== ids.length) return steps.map(() => false)
  const { rows } = await client.query<{ id: string }>({
    name: 'dco steps',
    text: `UPDATE dco_association a SET state = s.state, version = a.version + 1, title = coalesce(s.title, a.title),
        awaiting = s.awaiting
      FROM unnest($1::bytea[], $2::int[], $3::text[], $4::bytea[], $5::jsonb[]) AS s (id, version, state, title, awaiting)
      WHERE a.id = s.id AND a.version = s.version RETURNING encode(a.id, 'hex') AS id`,
    values: [
      steps.map(({ id }) => id),
      steps.map(({ version }) => version),
      steps.map(({ state }) => state),
      steps.map(({ title }) => title),
      steps.map(({ awaiting }) => awaiting),
    ],
  })
  const stepped = new Set(rows.map(({ id }) => id))
  return ids.map(id => stepped.has(id))
})

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
  const row = await storedAssociation(hands.store, id)
  if (!row) throw no('ASSOCIATION_UNKNOWN')
  return row
}

/** Undefined when there is none. */
export const storedAssociation = gathered<Pick<Store, 'query'>, string, Row | undefined>(async (store, ids) => {
  const { rows } = await store.query<Row & { id: string }>({
    name: 'dco associations',
    text: `SELECT encode(id, 'hex') AS id, encode(device, 'hex') AS device, client, state, version,
      opened::float8 AS opened, opened_at, encode(ak, 'hex') AS ak, encode(guek, 'hex') AS guek,
      encode(dk, 'hex') AS dk, ak_generation, guek_generation, challenge, title, awaiting
      FROM dco_association WHERE id = ANY ($1)`,
    values: [ids.map(fromHex)],
  })
  const found = new Map(rows.map(row => [row.id, row] as const))
  return ids.map(id => found.get(id))
})
