/** Key Custodians: appointed, given one share each, and ceased; what the shares open is never in the store. */

import type { Bytes } from '../../ground/bytes.ts'
import { digestOf, type Envelope, type Quorum, quorumSchema, share, without } from '../../ground/keystore/quorum.ts'
import type { Client } from '../../ground/store/store.ts'
import { type Actor, act, type Given, readGiven, requireOffice } from '../registration/act.ts'
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
  { thing, store, secret, custodians }: Sharing,
  given: Given = {},
): Promise<readonly Envelope[]> {
  return act(hands, by, { act: 'appoint Key Custodians' }, async acting => {
    const { client, at, note } = acting
    requireOffice(acting.by, ['RA_MANAGER'], undefined)
    const { needed, of } = hands.recovery.custodians
    if (custodians.length !== of) throw no('CUSTODIANS_COUNT', `${custodians.length}, not ${of}`)
    for (const one of custodians) await personNumber(client, one)
    if (hands.recovery.symmetricKeyApart) await requireApart(client, thing, custodians)

    const { quorum, envelopes } = await share(
      secret,
      { store, threshold: needed, holders: custodians },
      hands.chance,
    )
    await client.query(
      `INSERT INTO recovery_custody (thing, quorum, since) VALUES ($1, $2, $3)
       ON CONFLICT (thing) DO UPDATE SET quorum = EXCLUDED.quorum, since = EXCLUDED.since`,
      [thing, JSON.stringify(quorum), at],
    )
    await client.query('UPDATE recovery_custodian SET until_at = $2 WHERE thing = $1 AND until_at IS NULL', [
      thing,
      at,
    ])
    for (const { holder, index } of envelopes) {
      await client.query(
        'INSERT INTO recovery_custodian (thing, sharing, share, person, from_at) VALUES ($1, $2, $3, $4, $5)',
        [thing, quorum.ceremony, index, holder, at],
      )
    }
    await note('appoint Key Custodians', {
      thing,
      sharing: quorum.ceremony,
      threshold: needed,
      custodians,
      record: digestOf(quorum),
      ...readGiven(given),
    })
    return envelopes
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

/** The record of what is shared, held until the caller's transaction ends. @throws Refusal CUSTODY_UNKNOWN */
export async function quorumKept(client: Client, thing: Kept): Promise<Quorum> {
  const { rows } = await client.query<{ quorum: string }>(
    'SELECT quorum FROM recovery_custody WHERE thing = $1 FOR UPDATE',
    [thing],
  )
  if (!rows[0]) throw no('CUSTODY_UNKNOWN', thing)
  return quorumSchema.parse(JSON.parse(rows[0].quorum))
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
