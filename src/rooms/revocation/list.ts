/** Makes the lists: complete, numbered without gap, checked before they are lodged. */

import { type Bytes, equal, toHexUpper, view } from '../../ground/bytes.ts'
import { type Clock, wholeSecond } from '../../ground/clock.ts'
import { writeTime } from '../../ground/der/time.ts'
import * as der from '../../ground/der/write.ts'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { verifier } from '../../ground/keystore/check.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import type { Store } from '../../ground/store/store.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import { readList } from '../../ground/x509/list.ts'
import { oids } from '../../ground/x509/names.ts'
import type { ListSchedule } from '../../policy/profile.ts'
import type { AuthorityRecord } from '../authority/register.ts'
import { type LodgedList, latestNumber, lodgeList, type Revoked, revokedBy } from '../repository/lists.ts'

/**
 * Makes, checks and lodges the next list of an authority. Its number follows the last one's without a gap: number and
 * list are one transaction, and schedulers take turns.
 */
export async function publishList(
  hands: { store: Store; clock: Clock },
  authority: AuthorityRecord,
  keys: KeyStore,
  schedule: ListSchedule,
): Promise<LodgedList> {
  return hands.store.transaction(async client => {
    const number = (await latestNumber(client, authority.id)) + 1n
    const revoked = await revokedBy(client, authority.id)
    const thisUpdate = wholeSecond(hands.clock())
    const nextUpdate = new Date(thisUpdate.getTime() + schedule.validHours * 3_600_000)
    const tbs = planList(authority, number, thisUpdate, nextUpdate, revoked)
    const list = signList(authority, keys, tbs)
    const lodged = { authority: authority.id, number, name: schedule.name, thisUpdate, nextUpdate, der: list }
    checkList(authority, lodged, revoked.length)
    await lodgeList(client, lodged, hands.clock())
    const says = { authority: authority.id, list: schedule.name, number: String(number), entries: revoked.length }
    await append(
      client,
      entry('publish list', hands.clock(), {
        ...says,
        issuerKey: toHexUpper(keyIdentifier(authority.certificate.publicKey.key)),
      }),
    )
    return lodged
  })
}

/** TBSCertList (RFC 5280 section 5.1), v2, complete for its issuer; entries ascend by serial number. */
function planList(
  authority: AuthorityRecord,
  number: bigint,
  thisUpdate: Date,
  nextUpdate: Date,
  revoked: readonly Revoked[],
): Buffer {
  const entries = revoked.toSorted((a, b) => Buffer.compare(a.serial, b.serial)).map(writeEntry)
  const id = keyIdentifier(authority.certificate.publicKey.key)
  return der.sequence(
    der.integer(1),
    algorithmOf(authority),
    authority.certificate.subject.der,
    writeTime(thisUpdate),
    writeTime(nextUpdate),
    // revokedCertificates is absent when there is none (RFC 5280 5.1.2.6).
    entries.length > 0 ? der.sequence(...entries) : Buffer.alloc(0),
    der.tagged(
      0,
      der.sequence(
        der.sequence(
          der.oid(oids.authorityKeyIdentifier),
          der.octetString(der.sequence(der.taggedPrimitive(0, id))),
        ),
        der.sequence(der.oid(oids.crlNumber), der.octetString(der.integer(number))),
      ),
    ),
  )
}

function writeEntry({ serial, at, reason }: Revoked): Buffer {
  const time = writeTime(wholeSecond(at))
  if (reason === 0) return der.sequence(der.integer(serial), time)
  const extension = der.sequence(der.oid(oids.reasonCode), der.octetString(der.enumerated(reason)))
  return der.sequence(der.integer(serial), time, der.sequence(extension))
}

function algorithmOf({ certificate }: AuthorityRecord): Buffer {
  return certificate.publicKey.kind === 'P-256'
    ? der.sequence(der.oid(oids.ecdsaWithSha256))
    : der.sequence(der.oid(oids.sha256WithRsa), der.nothing())
}

function signList(authority: AuthorityRecord, keys: KeyStore, tbs: Bytes): Buffer {
  return der.sequence(tbs, algorithmOf(authority), der.bitString(keys.sign(authority.keyLabel, tbs)))
}

/** A list that is not what it should be is a fault of ours, and is not lodged. */
export class ListFault extends Error {
  override name = 'ListFault'
}

/** Reads the list back as a Relying Party would (lessons, row 7). @throws ListFault */
export function checkList(authority: AuthorityRecord, lodged: LodgedList, entries: number): void {
  const list = readList(lodged.der)
  const number = list.extensions.find(one => one.oid === oids.crlNumber)?.value
  const aki = list.extensions.find(one => one.oid === oids.authorityKeyIdentifier)?.value
  const id = keyIdentifier(authority.certificate.publicKey.key)
  const broken = [
    !equal(list.issuer.der, authority.certificate.subject.der) && 'issuer',
    !(aki && view(aki).subarray(-8).equals(id)) && 'authority key identifier',
    !(number && BigInt(`0x${toHexUpper(number.subarray(2))}`) === lodged.number) && 'number',
    list.thisUpdate.ms !== lodged.thisUpdate.getTime() && 'thisUpdate',
    list.nextUpdate?.ms !== lodged.nextUpdate.getTime() && 'nextUpdate',
    list.count !== entries && 'entries',
    !verifier(authority.certificate.publicKey.spki)(list.tbs, list.signature) && 'signature',
  ].filter(Boolean)
  if (broken.length > 0) throw new ListFault(`the ${lodged.name} is wrong in: ${broken.join(', ')}`)
}
