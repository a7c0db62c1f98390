/** Which list is about to be signed: issuer's key and number of octets that are a TBSCertList, read without its entries. */

import { type Bytes, toBigInt, toHex } from '../bytes.ts'
import { Der, NotDer, tag } from '../der/read.ts'
import { readTime } from '../der/time.ts'
import { readAuthorityKeyIdentifier, readCrlNumber, readExtensions } from './extensions.ts'
import { oids } from './names.ts'

export interface NumberedList {
  /** Key identifier of the issuer, hexadecimal. */
  readonly issuerKey: string
  readonly number: bigint
}

/** @returns undefined for octets that are no to-be-signed list of version 2 with a number and its issuer's key. */
export function numberedList(octets: Bytes): NumberedList | undefined {
  try {
    return read(octets)
  } catch (cause) {
    if (cause instanceof NotDer) return undefined
    throw cause
  }
}

function read(octets: Bytes): NumberedList | undefined {
  const list = new Der(octets).sequence('the to-be-signed list')
  // A certificate begins with its version in a tag of its own, a request with version 0.
  if (list.peek() !== tag.integer || list.small('the version') !== 1) return undefined
  list.skip(tag.sequence, 'the signature algorithm')
  list.skip(tag.sequence, 'the issuer')
  readTime(list, 'thisUpdate')
  if (list.peek() === tag.utcTime || list.peek() === tag.generalizedTime) readTime(list, 'nextUpdate')
  if (list.peek() === tag.sequence) list.skip(tag.sequence, 'the revoked certificates')
  const extensions = readExtensions(list.enter(0xa0, 'the list extensions'), 'the list extensions')
  const value = (oid: string) => extensions.find(one => one.oid === oid)?.value
  const [number, issuer] = [value(oids.crlNumber), value(oids.authorityKeyIdentifier)]
  const key = issuer && readAuthorityKeyIdentifier(issuer).keyIdentifier
  if (!number || !key) return undefined
  return { issuerKey: toHex(key), number: toBigInt(readCrlNumber(number)) }
}
