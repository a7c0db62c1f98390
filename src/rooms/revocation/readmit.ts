/** After a restore: lists that were published since the copy was made are entered again, and what they name is revoked again. */

import { toBigInt, toHex } from '../../ground/bytes.ts'
import type { Clock } from '../../ground/clock.ts'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readCrlNumber, readReasonCode } from '../../ground/x509/extensions.ts'
import { type RevocationList, type RevokedEntry, readList } from '../../ground/x509/list.ts'
import { oids } from '../../ground/x509/names.ts'
import type { ListSchedule } from '../../policy/profile.ts'
import type { AuthorityRecord } from '../authority/register.ts'
import { findBySerials } from '../repository/find.ts'
import {
  currentIntervals,
  dropExpired,
  isWaiting,
  type LodgedList,
  latestNumber,
  lodgeList,
  markRevoked,
} from '../repository/lists.ts'
import { checkList, ListFault } from './check-list.ts'
import { newestRevocation, revokedBy } from './inside/below.ts'
import { asStore } from './object.ts'

/**
 * Enters a list that the world has and a restored store has not, so that the next one follows it without a gap, and no
 * revocation is forgotten. Lists are given in the order of their numbers; each is checked as when it was made.
 * @returns how many of its revocations were not known any more
 * @throws ListFault when it is not the next list of this authority; NotDer
 */
export async function readmitList(
  hands: { store: Store; clock: Clock },
  authority: AuthorityRecord,
  schedule: ListSchedule,
  der: Buffer,
): Promise<{ list: LodgedList; revoked: number }> {
  const read = readList(der)
  const number = numberOf(read)
  return hands.store.transaction(async client => {
    const latest = await latestNumber(client, authority.id)
    if (number !== latest + 1n) throw new ListFault(`list ${number} does not follow list ${latest}`)
    const before = (await currentIntervals(asStore(client))).find(one => one.authority === authority.id)
    // What was revoked here after the copy was made, and before this list is entered, stands on a list to come.
    if (before && (await isWaiting(asStore(client), before)))
      throw new ListFault('revocations wait already: lists are entered again before anything is revoked')

    const at = hands.clock()
    const known = await revokedBy(client, authority.id)
    let revoked = 0
    for (const one of read.entries()) {
      if (known.has(toHex(one.serial))) continue
      await markRevoked(client, authority.id, {
        ...revocationOf(one),
        expiresAt: await endOf(client, authority, one, at),
      })
      revoked++
    }
    const list = {
      authority: authority.id,
      number,
      name: schedule.name,
      thisUpdate: new Date(read.thisUpdate.ms),
      nextUpdate: new Date(read.nextUpdate?.ms ?? 0),
      covers: await newestRevocation(client, authority.id),
      der,
    }
    checkList(authority, list, read.count, before, latest)
    await lodgeList(client, list, at)
    await dropExpired(client, authority.id, number, list.thisUpdate)
    const says = {
      authority: authority.id,
      list: schedule.name,
      number: String(number),
      entries: read.count,
      revoked,
    }
    await append(client, entry('readmit list', at, says))
    return { list, revoked }
  })
}

function numberOf(list: RevocationList): bigint {
  const value = list.extensions.find(one => one.oid === oids.crlNumber)?.value
  if (!value) throw new ListFault('a list without a number')
  return toBigInt(readCrlNumber(value))
}

function revocationOf({ serial, revokedAt, extensions }: RevokedEntry) {
  const reason = extensions.find(one => one.oid === oids.reasonCode)?.value
  return { serial, at: new Date(revokedAt.ms), reason: reason ? readReasonCode(reason) : 0 }
}

/** Of a certificate that was issued after the copy was made nothing is known: it stays on the lists as long as can be. */
async function endOf(
  client: Client,
  authority: AuthorityRecord,
  { serial }: RevokedEntry,
  at: Date,
): Promise<Date> {
  const found = await findBySerials(asStore(client), [Buffer.from(serial)], at)
  const lodged = found.find(one => one.authority === authority.id)
  return new Date((lodged ? readCertificate(lodged.der) : authority.certificate).notAfter.ms)
}
