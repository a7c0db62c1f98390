/** The content of WrappedApexContingencyKey: ApexContingencyKey (RFC 5934 section 4.1) under id-aes128-GCM (RFC 5084). */

import type { Bytes } from '../bytes.ts'
import { readOid } from '../der/oid.ts'
import { Der, tag } from '../der/read.ts'
import { integer, octetString, oid, sequence } from '../der/write.ts'
import { oids } from './names.ts'

/** Lengths in octets; the wrapped octets are the ciphertext and, after it, the integrity check value. */
export interface ApexContingencyKey {
  readonly nonce: Bytes
  readonly icvLength: number
  readonly octets: Bytes
}

/** @throws NotDer, also for another algorithm */
export function readApexContingencyKey(value: Bytes): ApexContingencyKey {
  const der = new Der(value)
  const whole = der.sequence('the contingency key')
  der.finish('the contingency key')
  const algorithm = whole.sequence('the wrap algorithm')
  if (readOid(algorithm, 'the wrap algorithm') !== oids.aes128Gcm)
    algorithm.fail('structure', 'another wrap algorithm')
  const parameters = algorithm.sequence('the parameters')
  algorithm.finish('the parameters')
  const nonce = parameters.content(tag.octetString, 'the nonce')
  const icvLength = parameters.small('the length of the check value')
  parameters.finish('the parameters')
  const octets = whole.content(tag.octetString, 'the wrapped key')
  whole.finish('the wrapped key')
  return { nonce, icvLength, octets }
}

export function writeApexContingencyKey({ nonce, icvLength, octets }: ApexContingencyKey): Buffer {
  const parameters = sequence(octetString(nonce), integer(icvLength))
  return sequence(sequence(oid(oids.aes128Gcm), parameters), octetString(octets))
}
