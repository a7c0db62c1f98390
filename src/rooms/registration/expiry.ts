/** Credentials that come to their end: their holders are told in time, and the end is noted. A job; it may run twice. */

import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { Client } from '../../ground/store/store.ts'
import type { Acting, Hands } from './act.ts'
import { become, type CredentialRecord, credentialRecord, credentialsEnding, heldRecord } from './life.ts'
import { notify } from './notices.ts'

const dayMs = 86_400_000

export interface DueNotice {
  readonly credential: CredentialRecord
  /** The notice that is due: so many days before the end, or fewer. */
  readonly days: number
}

/** Gives the notices that are due, one for each credential and term, and ends what has expired. */
export async function keepCredentialTerms(
  hands: Omit<Hands, 'chance'>,
): Promise<{ noticed: DueNotice[]; expired: CredentialRecord[] }> {
  const at = hands.clock()
  const terms = [...hands.rules.expiryNoticeDays].sort((a, b) => a - b)
  const until = new Date(at.getTime() + terms.at(-1)! * dayMs)
  const noticed: DueNotice[] = []
  const expired: CredentialRecord[] = []
  for (const { id } of await credentialsEnding(hands.store, until)) {
    const happened = await hands.store.transaction(client => keepTerm(bySchedule(client, at), id, terms))
    if (happened === 'expired') expired.push(await credentialRecord(hands.store, id))
    else if (happened) noticed.push(happened)
  }
  return { noticed, expired }
}

async function keepTerm(
  acting: Pick<Acting, 'client' | 'at' | 'note'>,
  id: number,
  terms: readonly number[],
): Promise<DueNotice | 'expired' | undefined> {
  const { client, at } = acting
  const record = await heldRecord(client, id)
  // Another run may have ended it meanwhile.
  if (record.endedAt || !record.expiresAt) return undefined
  const left = record.expiresAt.getTime() - at.getTime()
  if (left <= 0) {
    await become(acting, id, 'expired')
    return 'expired'
  }
  // The shortest term that has begun: whoever runs late gives one notice, not all of them.
  const days = terms.find(term => left <= term * dayMs)
  if (days === undefined) return undefined
  const { rows } = await client.query(
    'UPDATE credential_life SET noticed = noticed || $2::int WHERE id = $1 AND $2 <> ALL(noticed) RETURNING id',
    [id, days],
  )
  if (rows.length === 0) return undefined
  const { kind, systemName, party, expiresAt } = record
  const about = { credential: id, kind, systemName, days, expires: expiresAt.toISOString() }
  await notify(acting, `party ${party}`, 'credential expires', about)
  return { credential: record, days }
}

function bySchedule(client: Client, at: Date): Pick<Acting, 'client' | 'at' | 'note'> {
  return {
    client,
    at,
    note: async (act, body) => {
      await append(client, entry(act, at, { ...body, by: 'schedule' }))
    },
  }
}
