/** Makes the lists: complete, numbered without gap, checked before they are lodged. */

import { hash } from 'node:crypto'
import { toHexUpper } from '../../ground/bytes.ts'
import { type Clock, wholeSecond } from '../../ground/clock.ts'
import { writeTime } from '../../ground/der/time.ts'
import * as der from '../../ground/der/write.ts'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import { oids } from '../../ground/x509/names.ts'
import type { ListSchedule } from '../../policy/profile.ts'
import type { AuthorityRecord } from '../authority/register.ts'
import {
  countListed,
  currentIntervals,
  dropExpired,
  eachListed,
  isWaiting,
  type ListInterval,
  type LodgedList,
  latestNumber,
  lodgeList,
} from '../repository/lists.ts'
import { checkEnvironment, checkList, ListFault } from './check-list.ts'
import { entryLength, entryWriter } from './entries.ts'
import { asStore } from './object.ts'

/** Whether a list is due, given the current one and whether a revocation waits for the next. */
export type IsDue = (current: ListInterval | undefined, waiting: boolean) => boolean

/**
 * Makes, checks and lodges the next list of an authority. Its number follows the last one's without a gap: number and
 * list are one transaction, and schedulers take turns. A million entries are one pass over the store, and one buffer.
 * @throws ListFault when the list would be wrong, or the clock has gone back; nothing is lodged then
 */
export async function publishList(
  hands: { store: Store; clock: Clock },
  authority: AuthorityRecord,
  keys: KeyStore,
  schedule: ListSchedule,
): Promise<LodgedList> {
  return (await publishListIf(hands, authority, keys, schedule, () => true))!
}

/** The same if it is due, asked when its turn has come: of two schedulers at once the second finds it done. */
export async function publishListIf(
  hands: { store: Store; clock: Clock },
  authority: AuthorityRecord,
  keys: KeyStore,
  schedule: ListSchedule,
  isDue: IsDue,
): Promise<LodgedList | undefined> {
  checkEnvironment(authority, keys)
  return hands.store.transaction(async client => {
    // 1. Our turn: nobody else numbers a list of this authority, and nothing is revoked, until we have committed.
    const number = (await latestNumber(client, authority.id)) + 1n
    const before = (await currentIntervals(asStore(client))).find(one => one.authority === authority.id)
    if (!isDue(before, before !== undefined && (await isWaiting(asStore(client), before)))) return undefined

    // 2. Make it, and read it back as whoever relies on it will.
    const thisUpdate = notBack(wholeSecond(hands.clock()), before, schedule.name)
    const nextUpdate = new Date(thisUpdate.getTime() + schedule.validHours * 3_600_000)
    const { octets, entries, covers } = await makeList(client, authority, keys, { number, thisUpdate, nextUpdate })
    const list = {
      authority: authority.id,
      number,
      name: schedule.name,
      thisUpdate,
      nextUpdate,
      covers,
      der: octets,
    }
    checkList(authority, list, entries, before, number - 1n)

    // 3. Lodge it: it is current from the commit on.
    await lodgeList(client, list, hands.clock())
    // What had expired stands on this list once more, and on no later one (RFC 5280 3.3).
    await dropExpired(client, authority.id, number, thisUpdate)
    await append(
      client,
      entry('publish list', hands.clock(), {
        authority: authority.id,
        list: schedule.name,
        number: String(number),
        entries,
        // With it the log binds the list itself, and not only that there was one.
        sha256: hash('sha256', octets, 'hex'),
        issuerKey: toHexUpper(keyIdentifier(authority.certificate.publicKey.key)),
        signedBy: keys.identity,
      }),
    )
    await closeCases(client, authority.id, number, hands.clock())
    return list
  })
}

/** Schedulers on two machines have two clocks; and a clock is set. A list is never dated before the one that it follows. */
const skewMs = 60_000

function notBack(now: Date, before: ListInterval | undefined, name: string): Date {
  if (!before || now >= before.thisUpdate) return now
  if (before.thisUpdate.getTime() - now.getTime() <= skewMs) return before.thisUpdate
  throw new ListFault(
    `the clock says ${now.toISOString()}, and the ${name} before is of ${before.thisUpdate.toISOString()}: set the clock right`,
  )
}

/** Cases whose revocation this list names have reached their end (section 6.3). An entry holds some thousand numbers. */
async function closeCases(client: Client, authority: number, number: bigint, at: Date): Promise<void> {
  const { rows } = await client.query<{ id: number }>(
    `UPDATE revocation_case SET state = 'listed', list_number = $2, listed_at = $3, ended_at = $3
      WHERE authority = $1 AND state = 'revoked' RETURNING id`,
    [authority, number, at],
  )
  const closed = rows.map(row => row.id).toSorted((a, b) => a - b)
  for (let from = 0; from < closed.length; from += 2000) {
    const some = closed.slice(from, from + 2000)
    await append(client, entry('list cases', at, { authority, number: String(number), cases: some }))
  }
}

interface Heading {
  readonly number: bigint
  readonly thisUpdate: Date
  readonly nextUpdate: Date
}

/** CertificateList (RFC 5280 section 5.1), v2, complete for its issuer; entries ascend by serial number. */
async function makeList(client: Client, authority: AuthorityRecord, keys: KeyStore, heading: Heading) {
  const { entries, withReason, covers } = await countListed(client, authority.id)
  const algorithm = algorithmOf(authority)
  const { certificate } = authority
  const times = [writeTime(heading.thisUpdate), writeTime(heading.nextUpdate)]
  const before = [der.integer(1), algorithm, certificate.subject.der, ...times]
  const after = extensions(authority, heading.number)

  // 1. Everything's length is known before anything is written: one buffer holds the list from beginning to end.
  const content = entries * entryLength.plain + withReason * (entryLength.withReason - entryLength.plain)
  // revokedCertificates is absent when there is none (RFC 5280 5.1.2.6).
  const revoked = entries === 0 ? 0 : headLength(content) + content
  const body = [...before, after].reduce((sum, part) => sum + part.length, revoked)
  const tbsLength = headLength(body) + body
  const whole = Buffer.allocUnsafeSlow(headAtMost + tbsLength + algorithm.length + signatureAtMost)
  const octets = whole.subarray(headAtMost)
  let at = writeHead(octets, 0, body)
  for (const part of before) {
    octets.set(part, at)
    at += part.length
  }
  if (entries > 0) {
    at = writeHead(octets, at, content)
    const writer = entryWriter(octets, at)
    await eachListed(client, authority.id, (serial, ms, reason) => writer.write(serial, ms, reason))
    at = writer.at()
  }
  at += after.copy(octets, at)
  if (at !== tbsLength) throw new RangeError('a list is not as long as was counted')

  // 2. Sign what was written, where it lies.
  const tbs = octets.subarray(0, tbsLength)
  const written = hash('sha256', tbs, 'hex')
  const signature = der.bitString(keys.sign(authority.keyLabel, tbs))
  // The one buffer was in the key store's hands: what it signed is what was written, or nothing is lodged.
  if (hash('sha256', tbs, 'hex') !== written)
    throw new ListFault('the key store changed the list that it was to sign')

  // 3. What goes round it is written round it.
  at += algorithm.copy(octets, at)
  at += signature.copy(octets, at)
  const from = headAtMost - headLength(at)
  writeHead(whole, from, at)
  return { octets: whole.subarray(from, headAtMost + at), entries, covers }
}

/** Octets of a SEQUENCE's tag and length, and of a BIT STRING with a signature of RSA-4096, at most. */
const headAtMost = 6
const signatureAtMost = 520

function extensions(authority: AuthorityRecord, number: bigint): Buffer {
  const id = keyIdentifier(authority.certificate.publicKey.key)
  const extension = (oid: string, value: Buffer) => der.sequence(der.oid(oid), der.octetString(value))
  return der.tagged(
    0,
    der.sequence(
      extension(oids.authorityKeyIdentifier, der.sequence(der.taggedPrimitive(0, id))),
      extension(oids.crlNumber, der.integer(number)),
    ),
  )
}

function algorithmOf({ certificate }: AuthorityRecord): Buffer {
  return certificate.publicKey.kind === 'P-256'
    ? der.sequence(der.oid(oids.ecdsaWithSha256))
    : der.sequence(der.oid(oids.sha256WithRsa), der.nothing())
}

function headLength(content: number): number {
  return content < 0x80 ? 2 : content < 0x100 ? 3 : content < 0x10000 ? 4 : content < 0x1000000 ? 5 : 6
}

/** Tag and length of a SEQUENCE. */
function writeHead(octets: Buffer, at: number, content: number): number {
  const length = headLength(content)
  octets[at] = 0x30
  if (length === 2) octets[at + 1] = content
  else {
    octets[at + 1] = 0x80 | (length - 2)
    octets.writeUIntBE(content, at + 2, length - 2)
  }
  return at + length
}
