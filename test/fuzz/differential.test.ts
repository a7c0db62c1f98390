/** Our verdicts on octets beside OpenSSL's: mutated certificates, requests and lists; each difference has a name, or fails. */

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { type DerFault, NotDer } from '../../src/ground/der/read.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { readList } from '../../src/ground/x509/list.ts'
import type { Name } from '../../src/ground/x509/name.ts'
import { readRequest } from '../../src/ground/x509/request.ts'
import { corpusFile, corpusIndex, noCorpus, noOpenssl, openssl } from '../outside.ts'
import { dice, spoil } from '../verify/mutants.ts'
import { ica, keys, leaf as leafOf, list, root } from '../verify/scene.ts'
import { mutate } from './mutate.ts'

/** `FUZZ_MUTANTS` for a longer run, `FUZZ_SEED` for another one. Requests and lists cost a process each. */
const count = Number(process.env.FUZZ_MUTANTS ?? 3000)
const seed = Number(process.env.FUZZ_SEED ?? 1)

/** What OpenSSL reads and we refuse: why we do. Nothing else may be refused alone. */
const stricter: Readonly<Partial<Record<DerFault, string>>> = {
  length: 'X.690 10.1: a length in its shortest form; OpenSSL reads BER, indefinite lengths too',
  trailing: 'RFC 5280 4.1: nothing follows the last field; OpenSSL leaves what follows the whole to its caller',
  boolean: 'X.690 11.1: TRUE is FF; OpenSSL takes any octet but zero',
  integer: 'X.690 8.3.2: the fewest octets; a version is small and not negative',
  bit_string: 'X.690 11.2.1: unused bits are zero; a signature and a key fill their octets',
  default: 'X.690 11.5: a DEFAULT value is left out',
  set_order: 'X.690 11.6: a SET OF in ascending order',
  empty: 'RFC 5280 4.2, 5.1.2.6; RFC 2986 4.1: a list that is there has an element',
  duplicate: 'RFC 5280 4.2: an extension stands there once',
  structure: 'RFC 5280 4.1.2.1, 5.1.2.1: extensions and unique identifiers belong to their versions',
  time: 'RFC 5280 4.1.2.5: whole seconds, in UTC, an instant that there is; OpenSSL looks when it compares',
  tag: 'X.690 8.9.1 and 10.2: strings are primitive, sequences constructed; a CHOICE of another type is not ours',
  oid: 'X.690 8.19.2, and at most 64 octets of arcs of at most 64 bits: no identifier of ours has more',
  null: 'X.690 8.8.2: a NULL has no content',
  truncated: 'a field is missing that OpenSSL has as optional',
}

/** What we read and OpenSSL refuses: what of it explains that. */
const looser: Readonly<Record<string, (names: readonly Name[]) => boolean>> = {
  // X.501 has ANY there, and so have we: names are compared octet for octet, or as text where they are text.
  'a value in a name is of a type that OpenSSL does not take as one of a name': names =>
    names.some(({ rdns }) => rdns.flat().some(({ tag }) => !printable.has(tag))),
  // Fixed widths of characters; our text of such a value is undefined, and it equals nothing but itself.
  'a BMPString or UniversalString whose octets are no whole characters': names =>
    names.some(({ rdns }) =>
      rdns
        .flat()
        .some(
          ({ tag, content }) =>
            (tag === 0x1e && content.length % 2 > 0) || (tag === 0x1c && content.length % 4 > 0),
        ),
    ),
  'a UTF8String that is no UTF-8': names =>
    names.some(({ rdns }) => rdns.flat().some(({ tag, content }) => tag === 0x0c && !isUtf8(content))),
}

/** B_ASN1_PRINTABLE of OpenSSL's asn1.h, and SEQUENCE, which it takes with it. */
const printable = new Set([0x03, 0x0c, 0x12, 0x13, 0x14, 0x16, 0x1c, 0x1e, 0x30])

function isUtf8(octets: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(octets)
    return true
  } catch {
    return false
  }
}

/** Holds verdicts against each other, counts, and reports. */
function tally() {
  const seen = { bothYes: 0, bothNo: 0 }
  const alone = new Map<string, number>()
  return {
    seen,
    hold(ours: DerFault | readonly Name[], theirs: boolean, octets: Buffer): void {
      const yes = typeof ours !== 'string'
      if (yes === theirs) {
        seen[yes ? 'bothYes' : 'bothNo']++
        return
      }
      const rule = yes
        ? Object.keys(looser).find(name => looser[name]!(ours))
        : stricter[ours] === undefined
          ? undefined
          : `we refuse: ${ours}`
      assert.ok(rule, `OpenSSL says ${theirs ? 'yes' : 'no'}, we ${yes ? 'yes' : ours}: ${octets.toString('hex')}`)
      alone.set(rule, (alone.get(rule) ?? 0) + 1)
    },
    report(t: TestContext): void {
      t.diagnostic(`both yes ${seen.bothYes}, both no ${seen.bothNo}`)
      t.diagnostic([...alone].map(([rule, times]) => `${rule} ${times}`).join('; ') || 'no difference')
    },
  }
}

/** Half with some octets spoilt, half with an element of their structure. */
const mutant = (roll: ReturnType<typeof dice>, from: readonly Buffer[], index: number): Buffer => {
  const one = from[roll(from.length)]!
  if (index % 2 === 0) return spoil(roll, one)
  return mutate(one, from[roll(from.length)]!, { form: 'der', longest: 4000, words: [] }, roll)
}

function reading(read: () => readonly Name[]): DerFault | readonly Name[] {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof NotDer)) throw cause
    return cause.fault
  }
}

/** Of an INTEGER's content, two's complement. */
function signed(content: Uint8Array): bigint {
  const value = BigInt(`0x${Buffer.from(content).toString('hex')}`)
  return content[0]! >= 0x80 ? value - (1n << BigInt(8 * content.length)) : value
}

function opensslReads(octets: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(octets)
  } catch {
    return undefined
  }
}

function sameCertificate(ours: Certificate, theirs: X509Certificate, octets: Buffer): void {
  const serial = theirs.serialNumber
  const value = serial.startsWith('-') ? -BigInt(`0x${serial.slice(1)}`) : BigInt(`0x${serial || '0'}`)
  const what = octets.toString('hex')
  assert.equal(signed(ours.serial), value, what)
  assert.equal(ours.notBefore.ms, theirs.validFromDate.getTime(), what)
  assert.equal(ours.notAfter.ms, theirs.validToDate.getTime(), what)
}

describe('Our reading and OpenSSL’s', () => {
  it('of mutated certificates that were published differ by named rules only, and have the same content', {
    skip: noCorpus,
  }, t => {
    const roll = dice(seed)
    const { seen, hold, report } = tally()
    const from = corpusIndex().certificates.map(({ file }) => corpusFile(file))
    for (let i = 0; i < count; i++) {
      const octets = mutant(roll, from, i)
      let read: Certificate | undefined
      const ours = reading(() => {
        read = readCertificate(octets)
        return [read.issuer, read.subject]
      })
      const theirs = opensslReads(octets)
      hold(ours, theirs !== undefined, octets)
      if (read && theirs) sameCertificate(read, theirs, octets)
    }
    report(t)
    assert.ok(seen.bothYes > count / 8 && seen.bothNo > count / 8, JSON.stringify(seen))
  })

  it('of mutated requests and lists differ by named rules only', { skip: noOpenssl }, t => {
    const roll = dice(seed + 1)
    const { seen, hold, report } = tally()
    const device = (usage: 'digitalSignature' | 'keyAgreement') =>
      makeDeviceCsr({ deviceId: '02e3000000000001', usage }).csr
    const requests = [
      device('digitalSignature'),
      device('keyAgreement'),
      ...(noCorpus ? [] : corpusIndex().requests.map(({ file }) => corpusFile(file))),
    ]
    const lists = [list(root), list(ica, { revoked: [{ serial: 5, reason: 1 }, { serial: 7 }] })]
    for (let i = 0; i < count / 25; i++) {
      const isList = i % 4 > 1
      const octets = mutant(roll, isList ? lists : requests, i)
      const ours = reading(() => [isList ? readList(octets).issuer : readRequest(octets).subject])
      const { ok } = openssl([isList ? 'crl' : 'req', '-inform', 'DER', '-noout'], octets)
      hold(ours, ok, octets)
    }
    report(t)
    assert.ok(seen.bothYes > count / 300 && seen.bothNo > count / 300, JSON.stringify(seen))
  })

  it('has content that is compared: a serial number that is another would be seen', () => {
    const octets = leafOf(keys.leaf, ica, { serial: 77 })
    const read = readCertificate(octets)
    const theirs = opensslReads(octets)!
    sameCertificate(read, theirs, octets)
    assert.throws(() => sameCertificate({ ...read, serial: Buffer.of(78) }, theirs, octets), /78n/)
  })
})
