/** Devices of the S1SP: taken on with keys that others know, proven to be theirs, commissioned (sections 6.1, 6.2). */

import type { ClientBase } from 'pg'
import { type Bytes, fromHex, toHex } from '../../../ground/bytes.ts'
import { entry } from '../../../ground/journal/entry.ts'
import { append, appendMany } from '../../../ground/journal/journal.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { inherited, keyedClients } from '../../../policy/symmetric/keys.ts'
import type { Content } from '../messages.ts'
import { ask, newMessage } from './ask.ts'
import { release } from './associate.ts'
import type { S1spHands } from './hands.ts'
import type { Address } from './line.ts'
import { settle } from './probe.ts'
import { storeRecord } from './records.ts'
import { no } from './refusals.ts'
import { openRotation } from './rotation.ts'
import { proofRead } from './transfer.ts'
import { Work } from './work.ts'

export interface TakenOn {
  readonly device: string
  /** Why it was not taken on; or, of one that was, why it can never be re-keyed. */
  readonly refused?: { readonly code: string; readonly says: string }
  readonly cannot?: string
}

/**
 * Onboarding: a previous holder's file goes to the DCO unopened; the key records that come back, of generation 0, are
 * stored. For a Device that is commissioned already its seven days are running: its rotation is opened at once.
 */
export async function takeOn(hands: S1spHands, file: Bytes): Promise<TakenOn[]> {
  const message = newMessage(hands, 'import-keys', { file: toHex(file) })
  const { devices } = await ask(hands, message)
  const results: TakenOn[] = []
  for (const one of devices) {
    const { device, refused } = one
    if (refused !== null) results.push({ device, refused })
    else results.push(await keepDevice(hands, message.id, one))
  }
  return results
}

type Arrived = Content<'import-keys'>['devices'][number]

function keepDevice(hands: S1spHands, message: string, arrived: Arrived): Promise<TakenOn> {
  const { device, model, title, commissionedAt, records } = arrived
  return hands.store.transaction(async client => {
    const at = hands.clock()
    const { rowCount } = await client.query(
      `INSERT INTO device (device, model, title, taken_on) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
      [device, model, title === null ? null : fromHex(title), at],
    )
    // The same file, sent again after a stop: what it brought is here.
    if (rowCount !== 1) return { device }
    const entries = []
    let hasMk = false
    for (const octets of records) {
      const key = await storeRecord(client, hands, octets, { device, stage: 'active' })
      if (key.generation !== inherited) throw no('ANSWER_NOT_BELIEVED', 'an inherited key of a later generation')
      hasMk ||= key.type === 'MK'
      const { holder, type, id: record } = key
      entries.push(entry('key.inherited', at, { message, device, holder, type, record, generation: inherited }))
    }
    await appendMany(client, entries)
    const cannot = hasMk ? undefined : 'it was taken on without a Master Key: it can never be re-keyed'
    if (cannot) {
      await client.query('UPDATE device SET cannot = $1 WHERE device = $2', [cannot, device])
      await append(client, entry('device.cannot-be-re-keyed', at, { device }))
    }
    if (commissionedAt !== null) await keepCommissioned(client, hands, device, new Date(commissionedAt))
    return { device, ...(cannot && { cannot }) }
  })
}

/** Where Devices are reached. @throws Refusal DEVICE_NOT_TAKEN_ON, and then none is kept */
export async function keepAddresses(hands: S1spHands, addresses: ReadonlyMap<string, Address>): Promise<void> {
  const all = [...addresses]
  const { rowCount } = await hands.store.query(
    `UPDATE device SET host = a.host, port = a.port, server = a.server
     FROM unnest($1::text[], $2::text[], $3::int[], $4::int[]) AS a (device, host, port, server)
     WHERE device.device = a.device`,
    [
      all.map(([device]) => device),
      all.map(([, { host }]) => host),
      all.map(([, { port }]) => port),
      all.map(([, { server }]) => server),
    ],
  )
  if (rowCount !== all.length) throw no('DEVICE_NOT_TAKEN_ON', `${all.length - (rowCount ?? 0)} of ${all.length}`)
}

/**
 * A Device became Commissioned: its rotation opens with it, and no person is asked (Policy (d)(i)).
 * @param at when its status became so, as recorded: the seven days run from then
 * @throws Refusal DEVICE_NOT_TAKEN_ON
 */
export async function commissioned(hands: S1spHands, devices: readonly string[], at: Date): Promise<number> {
  let opened = 0
  for (const device of devices) {
    await hands.store.transaction(async client => {
      if (await keepCommissioned(client, hands, device, at)) opened++
    })
  }
  return opened
}

async function keepCommissioned(client: ClientBase, hands: S1spHands, device: string, at: Date): Promise<boolean> {
  const { rowCount } = await client.query(
    'UPDATE device SET commissioned = coalesce(commissioned, $1) WHERE device = $2',
    [at, device],
  )
  if (rowCount !== 1) throw no('DEVICE_NOT_TAKEN_ON', device)
  const { rows } = await client.query<{ commissioned: Date }>('SELECT commissioned FROM device WHERE device = $1', [
    device,
  ])
  const ground = { ground: 'commissioned', at: rows[0]!.commissioned.toISOString() } as const
  return (await openRotation(client, hands, { device, ground })) !== undefined
}

/**
 * For each client: associate and read. It proves that the keys are the Device's; a client that does not answer is
 * marked, not guessed at.
 * @throws Refusal DEVICE_UNREACHABLE, DCO_UNREACHABLE
 */
export async function proveInherited(hands: S1spHands, device: string): Promise<ReadonlyMap<string, boolean>> {
  const work = await Work.on(hands, device)
  const answered = new Map<string, boolean>()
  try {
    for (const client of keyedClients) answered.set(client, await answers(work, client))
  } finally {
    work.hangUp()
  }
  const at = hands.clock()
  await hands.store.transaction(async client => {
    for (const [name, did] of answered) {
      await client.query(
        `INSERT INTO client_answered (device, client, answered, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (device, client) DO UPDATE SET answered = $3, at = $4`,
        [device, name, did, at],
      )
    }
    await append(client, entry('device.proven', at, { device, answered: Object.fromEntries(answered) }))
  })
  return answered
}

async function answers(work: Work, client: (typeof keyedClients)[number]): Promise<boolean> {
  try {
    const standing = await settle(work, client)
    const read = await proofRead(work, standing)
    await release(work, standing)
    return read
  } catch (cause) {
    if (cause instanceof Refusal && marks.has(cause.code)) return false
    throw cause
  }
}

const marks: ReadonlySet<string> = new Set(['DEVICE_UNRESOLVED', 'KEY_LOST', 'COUNTER_JUMP'])
