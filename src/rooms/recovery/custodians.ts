/** Key Custodians: appointed, given one share each, and ceased; what the shares open is never in the store. */

import type { Bytes } from '../../ground/bytes.ts'
import { digestOf, type Envelope, type Quorum, quorumSchema, share, without } from '../../ground/keystore/quorum.ts'
import type { Client } from '../../ground/store/store.ts'
import { type Acting, type Actor, act, type Given, readGiven, requireOffice } from '../registration/act.ts'
import { personNumber } from '../registration/person.ts'
import type { Reader } from './event.ts'
import type { RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'

export type Kept = 'recovery key' | 'contingency key' | 'symmetric key'

export interface Sharing {
  readonly thing: Kept
  /** The key store that the secret opens, or what else it is: stands in every envelope. */
  readonly store: string
  /** A passphrase, or the Symmetric Key itself; the caller's to zero. */
  readonly secret: Bytes
  /** References of people in the register, one share each. */
  readonly custodians: readonly string[]
}

/**
 * Shares a secret among Key Custodians, who are appointed by that; whoever held a share before holds a worthless one.
 * @returns the envelopes, one for each: they are handed over, and stay nowhere
 * @throws Refusal CUSTODIANS_COUNT, CUSTODIAN_OF_BOTH, PERSON_UNKNOWN, QUORUM_HOLDER_TWICE
 */
export function shareAmongCustodians(
  hands: RecoveryHands,
  by: Actor,
  sharing: Sharing,
  given: Given = {},
): Promise<readonly Envelope[]> {
  return act(hands, by, { act: 'appoint Key Custodians' }, async acting => {
    const made = await divide(hands, acting, sharing)
    await appoint(acting, sharing, made.quorum, given)
    return made.envelopes
  })
}

/**
 * As `shareAmongCustodians`, for a secret that something is changed to: `settle` is given the envelopes, hands them over,
 * and makes the store open with that secret alone. If we stop before it has, what opened the store before opens it still;
 * if we stop after it and before the appointments are on record, the new shares open it all the same, and sharing anew
 * ends what was left half done.
 */
export async function handOverShares(
  hands: RecoveryHands,
  by: Actor,
  sharing: Sharing,
  settle: (envelopes: readonly Envelope[], quorum: Quorum) => Promise<void>,
  given: Given = {},
): Promise<Quorum> {
  // 1. The record of the new sharing waits beside the one in force.
  const { quorum, envelopes } = await act(hands, by, { act: 'begin sharing' }, async acting => {
    const made = await divide(hands, acting, sharing)
    await acting.client.query(
      `INSERT INTO recovery_custody (thing, next, since) VALUES ($1, $2, $3)
       ON CONFLICT (thing) DO UPDATE SET next = EXCLUDED.next`,
      [sharing.thing, JSON.stringify(made.quorum), acting.at],
    )
    await acting.note('begin sharing', {
      thing: sharing.thing,
      sharing: made.quorum.ceremony,
      record: digestOf(made.quorum),
    })
    return made
  })
  // 2. Envelopes are out, and the secret is changed to what they open.
  await settle(envelopes, quorum)
  // 3. From here on they are the Key Custodians.
  await act(hands, by, { act: 'appoint Key Custodians' }, acting => appoint(acting, sharing, quorum, given))
  return quorum
}

async function divide(
  { recovery, chance }: RecoveryHands,
  { client, by }: Acting,
  { thing, store, secret, custodians }: Sharing,
): Promise<{ quorum: Quorum; envelopes: readonly Envelope[] }> {
  requireOffice(by, ['RA_MANAGER'], undefined)
  const { needed, of } = recovery.custodians
  if (custodians.length !== of) throw no('CUSTODIANS_COUNT', `${custodians.length}, not ${of}`)
  for (const one of custodians) await personNumber(client, one)
  if (recovery.symmetricKeyApart) await requireApart(client, thing, custodians)
  return share(secret, { store, threshold: needed, holders: custodians }, chance)
}

async function appoint(
  { client, at, note, by }: Acting,
  { thing, store, custodians }: Sharing,
  quorum: Quorum,
  given: Given,
): Promise<void> {
  requireOffice(by, ['RA_MANAGER'], undefined)
  await client.query(
    `INSERT INTO recovery_custody (thing, quorum, store, since) VALUES ($1, $2, $3, $4)
     ON CONFLICT (thing) DO UPDATE
        SET quorum = EXCLUDED.quorum, store = EXCLUDED.store, since = EXCLUDED.since, next = NULL`,
    [thing, JSON.stringify(quorum), store, at],
  )
  await client.query('UPDATE recovery_custodian SET until_at = $2 WHERE thing = $1 AND until_at IS NULL', [
    thing,
    at,
  ])
  for (const { holder, index } of quorum.holders) {
    await client.query(
      'INSERT INTO recovery_custodian (thing, sharing, share, person, from_at) VALUES ($1, $2, $3, $4, $5)',
      [thing, quorum.ceremony, index, holder, at],
    )
  }
  await note('appoint Key Custodians', {
    thing,
    sharing: quorum.ceremony,
    threshold: quorum.threshold,
    custodians,
    record: digestOf(quorum),
    ...readGiven(given),
  })
}

/** A Key Custodian leaves: the share counts no more from now on. @throws Refusal CUSTODY_UNKNOWN, QUORUM_… */
export function ceaseCustodian(
  hands: RecoveryHands,
  by: Actor,
  thing: Kept,
  person: string,
  given: Given = {},
): Promise<Quorum> {
  return act(hands, by, { act: 'cease Key Custodian', says: { person } }, async acting => {
    const { client, at, note } = acting
    requireOffice(acting.by, ['RA_MANAGER'], undefined)
    const left = without(await quorumKept(client, thing), person, at)
    await client.query('UPDATE recovery_custody SET quorum = $2 WHERE thing = $1', [thing, JSON.stringify(left)])
    await client.query(
      'UPDATE recovery_custodian SET until_at = $3 WHERE thing = $1 AND person = $2 AND until_at IS NULL',
      [thing, person, at],
    )
    await note('cease Key Custodian', { thing, person, record: digestOf(left), ...readGiven(given) })
    return left
  })
}

export interface Custodian {
  readonly thing: Kept
  readonly share: number
  readonly person: string
  readonly from: Date
  readonly until: Date | undefined
}

/** All that ever held a share, in the order of appointment. */
export async function custodians(store: Reader): Promise<Custodian[]> {
  const { rows } = await (store as Client).query<{
    thing: Kept
    share: number
    person: string
    from_at: Date
    until_at: Date | null
  }>('SELECT thing, share, person, from_at, until_at FROM recovery_custodian ORDER BY id')
  return rows.map(({ thing, share: index, person, from_at, until_at }) => ({
    thing,
    share: index,
    person,
    from: from_at,
    until: until_at ?? undefined,
  }))
}

/**
 * The record of what is shared, held until the caller's transaction ends.
 * @param sharing the one that the envelopes at hand are of; of a sharing that was begun, and stopped before its end, the
 *   record that waits
 * @throws Refusal CUSTODY_UNKNOWN
 */
export async function quorumKept(client: Client, thing: Kept, sharing?: string): Promise<Quorum> {
  const { rows } = await client.query<{ quorum: string | null; next: string | null }>(
    'SELECT quorum, next FROM recovery_custody WHERE thing = $1 FOR UPDATE',
    [thing],
  )
  const records = [rows[0]?.quorum, rows[0]?.next].flatMap(text =>
    text ? [quorumSchema.parse(JSON.parse(text))] : [],
  )
  const found = records.find(one => one.ceremony === sharing) ?? records[0]
  if (!found) throw no('CUSTODY_UNKNOWN', thing)
  return found
}

/** How a thing is kept, without anything that opens it. */
export interface Custody {
  readonly thing: Kept
  /** The identity of the key store that the shares open; of the Symmetric Key, whose it is. */
  readonly store: string | undefined
  /** How many shares open it, and who holds one now; undefined of a sharing that was never ended. */
  readonly quorum: { readonly needed: number; readonly holders: readonly string[] } | undefined
  readonly since: Date
}

/** Of everything that is shared. */
export async function custodyRecords(store: Reader): Promise<Custody[]> {
  const { rows } = await (store as Client).query<{
    thing: Kept
    quorum: string | null
    store: string | null
    since: Date
  }>('SELECT thing, quorum, store, since FROM recovery_custody ORDER BY thing')
  return rows.map(({ thing, quorum: text, store: where, since }) => {
    const quorum = text === null ? undefined : quorumSchema.parse(JSON.parse(text))
    const holders = quorum?.holders.filter(one => one.left === undefined).map(one => one.holder)
    return {
      thing,
      store: where ?? quorum?.store,
      quorum: quorum && { needed: quorum.threshold, holders: holders! },
      since,
    }
  })
}

/** Recovery.md section 4: the Symmetric Key is held apart from the key whose public half it opens. */
async function requireApart(client: Client, thing: Kept, people: readonly string[]): Promise<void> {
  const other = { 'contingency key': 'symmetric key', 'symmetric key': 'contingency key' }[thing as string]
  if (other === undefined) return
  const { rows } = await client.query(
    'SELECT FROM recovery_custodian WHERE thing = $1 AND person = ANY($2) AND until_at IS NULL LIMIT 1',
    [other, people],
  )
  if (rows.length > 0) throw no('CUSTODIAN_OF_BOTH')
}
