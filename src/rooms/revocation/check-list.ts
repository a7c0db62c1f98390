/** Reads a list back as a Relying Party would, before it is lodged: a wrong list never becomes current. */

import { equal, toBigInt, view } from '../../ground/bytes.ts'
import { verifier } from '../../ground/keystore/check.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import { readCrlNumber } from '../../ground/x509/extensions.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import { type ListHeading, readListHeading } from '../../ground/x509/list.ts'
import { oids } from '../../ground/x509/names.ts'
import type { AuthorityRecord } from '../authority/register.ts'
import type { ListInterval, LodgedList } from '../repository/lists.ts'

/** A list that is not what it should be is a fault of ours, and is not lodged. */
export class ListFault extends Error {
  override name = 'ListFault'
}

/**
 * Whether the key that is about to sign is the one that this environment's authority was certified for: authorities of
 * two environments have the same names and labels, and another's list would deceive whoever trusts ours (lessons, row 7).
 * @throws ListFault
 */
export function checkEnvironment(authority: AuthorityRecord, keys: KeyStore): void {
  if (!equal(keys.publicKey(authority.keyLabel), authority.certificate.publicKey.spki)) {
    throw new ListFault(
      `the key ${authority.keyLabel} in ${keys.identity} is that of another environment: nothing is signed with it`,
    )
  }
}

/**
 * Issuer, key identifier, number, dates, entries, signature; and what the list before it says of its number and of the
 * order of thisUpdate (lessons, row 7).
 * @throws ListFault; NotDer
 */
export function checkList(
  authority: AuthorityRecord,
  lodged: LodgedList,
  entries: number,
  before?: ListInterval,
  // Numbers of an epoch that is lost were skipped: then it follows the last of those, and not the list before.
  latest = before?.number ?? 0n,
): void {
  const list = readListHeading(lodged.der)
  const value = (oid: string) => list.extensions.find(one => one.oid === oid && !one.critical)?.value
  const aki = value(oids.authorityKeyIdentifier)
  const number = value(oids.crlNumber)
  const id = keyIdentifier(authority.certificate.publicKey.key)
  const broken = [
    list.version !== 2 && 'version',
    !equal(list.issuer.der, authority.certificate.subject.der) && 'issuer',
    !(aki && view(aki).subarray(-8).equals(id)) && 'authority key identifier',
    !(number && toBigInt(readCrlNumber(number)) === lodged.number) && 'number',
    list.extensions.length !== 2 && 'extensions',
    list.thisUpdate.ms !== lodged.thisUpdate.getTime() && 'thisUpdate',
    list.nextUpdate?.ms !== lodged.nextUpdate.getTime() && 'nextUpdate',
    lodged.nextUpdate <= lodged.thisUpdate && 'dates',
    lodged.number !== latest + 1n && 'order of numbers',
    before !== undefined && lodged.thisUpdate < before.thisUpdate && 'order of thisUpdate',
    before !== undefined && lodged.covers < before.covers && 'revocations covered',
    countEntries(list) !== entries && 'entries',
    !equal(list.innerAlgorithm.der, list.outerAlgorithm.der) && 'algorithms',
    !verifier(authority.certificate.publicKey.spki)(list.tbs, list.signature) && 'signature',
  ].filter(Boolean)
  if (broken.length > 0) throw new ListFault(`the ${lodged.name} is wrong in: ${broken.join(', ')}`)
}

const reasonHead = Buffer.from('300c300a0603551d1504030a01', 'hex')

/**
 * How many entries there are, each of the one form that ours have, serial numbers ascending, so that none stands there
 * twice; -1 when there is any other. Looks at octets in their places: a million entries are a tenth of a second.
 */
function countEntries({ der, entriesFrom, entriesTo }: ListHeading): number {
  const octets = view(der)
  let count = 0
  let before = -1
  for (let at = entriesFrom; at < entriesTo; count++) {
    const content = octets[at + 1]
    const end = at + 2 + content!
    const formed =
      octets[at] === 0x30 &&
      (content === 33 || content === 47) &&
      end <= entriesTo &&
      octets.readUInt16BE(at + 2) === 0x0210 &&
      octets.readUInt16BE(at + 20) === 0x170d &&
      octets[at + 34] === 0x5a &&
      areDigits(octets, at + 22, at + 34) &&
      (content === 33 || octets.compare(reasonHead, 0, reasonHead.length, at + 35, end - 1) === 0)
    if (!formed) return -1
    if (before >= 0 && octets.compare(octets, at + 4, at + 20, before + 4, before + 20) >= 0) return -1
    before = at
    at = end
  }
  return count
}

function areDigits(octets: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (octets[at]! < 0x30 || octets[at]! > 0x39) return false
  return true
}
