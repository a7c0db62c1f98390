import assert from 'node:assert/strict'
import { verify } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { noOpenssl, openssl } from '../../../test/outside.ts'
import { fromBigInt, toBigInt, toHex } from '../bytes.ts'
import { writeTime } from '../der/time.ts'
import {
  bitString,
  boolean,
  enumerated,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  tagged,
  utf8String,
} from '../der/write.ts'
import { extension, readCertificate } from './certificate.ts'
import { readAuthorityKeyIdentifier, readCrlNumber, readReasonCode, reasonCodes } from './extensions.ts'
import { entryOf, readList, readListHeading } from './list.ts'
import { showName } from './name.ts'
import { oids } from './names.ts'
import { readPem } from './pem.ts'

const algorithm = sequence(oid(oids.ecdsaWithSha256))
const issuer = sequence(setOf(sequence(oid(oids.commonName), utf8String('test'))))
const day = writeTime(new Date('2026-11-20T09:30:00Z'))
const v2 = integer(1)

/** A list of those parts between the issuer and the end, with a signature of nothing. */
const list = (parts: Buffer[], version: Buffer[] = [v2]) =>
  sequence(sequence(...version, algorithm, issuer, ...parts), algorithm, bitString(Buffer.alloc(8)))

const reason = (code: number) => sequence(sequence(oid(oids.reasonCode), octetString(enumerated(code))))
const number = tagged(0, sequence(sequence(oid(oids.crlNumber), octetString(integer(7)))))

/** Serial numbers of 16 octets that differ in their last four. */
const serial = (n: number) => fromBigInt((0x11n << 120n) + BigInt(n), 16)
const manyEntries = (count: number) =>
  sequence(Buffer.concat(Array.from({ length: count }, (_, n) => sequence(integer(serial(n)), day, reason(1)))))

describe('A list that OpenSSL makes', { skip: noOpenssl }, () => {
  let folder: string
  const config = `
[ca]
default_ca = it
[it]
database = index
crlnumber = number
default_md = sha256
default_crl_days = 30
private_key = key
certificate = certificate
crl_extensions = extensions
[extensions]
authorityKeyIdentifier = keyid:always
`
  const reasons = [
    ['keyCompromise', 1],
    ['CACompromise', 2],
    ['affiliationChanged', 3],
    ['superseded', 4],
    ['cessationOfOperation', 5],
    ['certificateHold', 6],
    ['removeFromCRL', 8],
    ['unspecified', 0],
  ] as const
  const serials = reasons.map((_, i) => ((0xa0n << 120n) + BigInt(i)).toString(16).toUpperCase())

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'lists-'))
    writeFileSync(join(folder, 'config'), config)
    writeFileSync(join(folder, 'number'), '1000')
    const subject = ['-subj', '/OU=07/CN=Z1', '-out', 'certificate', '-days', '10']
    for (const args of [
      ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'key'],
      ['req', '-x509', '-new', '-key', 'key', ...subject],
    ]) {
      assert.ok(openssl(args, '', folder).ok)
    }
  })
  after(() => rmSync(folder, { recursive: true }))

  function make(entries: string): Buffer {
    writeFileSync(join(folder, 'index'), entries)
    const { ok, says } = openssl(['ca', '-config', 'config', '-gencrl'], '', folder)
    assert.ok(ok, says)
    return readPem(says)[0]!.der
  }

  it('is read with each entry, its reason and its instant, and is signed over the octets that we name', () => {
    const der = make(
      reasons
        .map(([name], i) => `R\t300101000000Z\t26010100000${i}Z,${name}\t${serials[i]}\tunknown\t/CN=x${i}\n`)
        .join(''),
    )
    const read = readList(der)
    assert.deepEqual([read.version, read.count, showName(read.issuer)], [2, reasons.length, 'OU=07, CN=Z1'])
    assert.equal(read.innerAlgorithm.oid, oids.ecdsaWithSha256)
    assert.deepEqual(read.innerAlgorithm.der, read.outerAlgorithm.der)
    const days = (read.nextUpdate!.ms - read.thisUpdate.ms) / 86_400_000
    assert.equal(days, 30)

    const found = [...read.entries()].map(({ serial, revokedAt, extensions }) => [
      toHex(serial),
      revokedAt.text,
      extensions.map(one => readReasonCode(one.value)),
    ])
    assert.deepEqual(
      found,
      reasons.map(([, code], i) => [`00${serials[i]!.toLowerCase()}`, `26010100000${i}Z`, [code]]),
    )
    for (const [, code] of reasons) assert.ok(reasonCodes[code])

    const certificate = readCertificate(readPem(readFileSync(join(folder, 'certificate'), 'latin1'))[0]!.der)
    const aki = readAuthorityKeyIdentifier(extension(read, oids.authorityKeyIdentifier)!.value)
    assert.deepEqual(
      octetString(aki.keyIdentifier!),
      Buffer.from(extension(certificate, oids.subjectKeyIdentifier)!.value),
    )
    assert.equal(toBigInt(readCrlNumber(extension(read, oids.crlNumber)!.value)), 0x1000n)
    const key = { key: Buffer.from(certificate.publicKey.spki), format: 'der', type: 'spki' } as const
    assert.ok(verify('sha256', read.tbs, key, read.signature))
    assert.ok(!verify('sha256', read.tbs.subarray(1), key, read.signature))
  })

  it('is read when it lists nothing', () => {
    const read = readList(make(''))
    assert.deepEqual([read.count, [...read.entries()], entryOf(read, serial(0))], [0, [], undefined])
  })
})

describe('A list', () => {
  it('may be of version 1, which has neither nextUpdate nor extensions', () => {
    const read = readList(list([day, sequence(sequence(integer(5), day))], []))
    assert.deepEqual([read.version, read.nextUpdate, read.count, read.extensions], [1, undefined, 1, []])
    assert.throws(() => readList(list([day, day, number], [])), { fault: 'structure' })
    assert.throws(() => readList(list([day, sequence(sequence(integer(5), day, reason(1)))], [])), {
      fault: 'structure',
    })
  })

  it('is refused where the standard leaves no room', () => {
    const entry = sequence(integer(5), day)
    for (const [fault, octets] of [
      ['structure', list([day, day], [integer(0)])],
      ['structure', list([day, day], [integer(2)])],
      ['tag', list([integer(1)])],
      ['truncated', list([])],
      ['empty', list([day, day, sequence()])], // RFC 5280 5.1.2.6: absent when there are none
      ['empty', list([day, day, sequence(sequence(integer(5), day, sequence()))])],
      ['tag', list([day, day, sequence(sequence(day, integer(5)))])],
      ['trailing', list([day, day, sequence(sequence(integer(5), day, reason(1), day))])],
      ['tag', list([day, day, sequence(integer(5), day)])],
      ['empty', list([day, day, tagged(0, sequence())])],
      [
        'trailing',
        list([day, day, tagged(0, ...Array(2).fill(sequence(sequence(oid('1.2.3'), octetString(day)))))]),
      ],
      ['trailing', list([day, day, number, day])],
      ['trailing', list([day, day, number, sequence(entry)])],
      ['trailing', list([day, day, day])],
      ['trailing', Buffer.concat([list([day, day]), Buffer.of(0)])],
      [
        'default',
        list([
          day,
          day,
          sequence(sequence(integer(5), day, sequence(sequence(oid('1.2.3'), boolean(false), octetString(day))))),
        ]),
      ],
    ] as const) {
      assert.throws(() => readList(octets), { name: 'NotDer', fault }, `${fault}: ${toHex(octets)}`)
    }
  })

  it('is refused for a fault in its last entry, so that walking it cannot throw later', () => {
    const bad = sequence(integer(9), writeTime(new Date(0)).fill('x', 2))
    assert.throws(() => readList(list([day, day, sequence(sequence(integer(5), day), bad)])), { fault: 'time' })
  })

  it('has a heading that is read without looking at the entries, and is otherwise read as strictly', () => {
    const good = list([day, day, sequence(sequence(integer(5), day)), number])
    const { entries, count, ...whole } = readList(good)
    const heading = readListHeading(good)
    assert.deepEqual(heading, whole)
    assert.equal(toHex(good.subarray(heading.entriesFrom, heading.entriesTo)), toHex(sequence(integer(5), day)))

    const bad = list([day, day, sequence(octetString(Buffer.of(1))), number])
    assert.equal(toBigInt(readCrlNumber(extension(readListHeading(bad), oids.crlNumber)!.value)), 7n)
    assert.throws(() => readList(bad), { fault: 'tag' })
    assert.throws(() => readListHeading(list([day, day, sequence(), number])), { fault: 'empty' })
    assert.throws(() => readListHeading(Buffer.concat([good, Buffer.of(0)])), { fault: 'trailing' })
    const none = readListHeading(list([day, day]))
    assert.equal(none.entriesFrom, none.entriesTo)
  })

  it('finds an entry by its serial number, in the first place where it stands', () => {
    const entries = [serial(1), serial(2), serial(1)].map((one, i) => sequence(integer(one), day, reason(i + 1)))
    const read = readList(list([day, day, sequence(...entries), number]))
    assert.equal(readReasonCode(entryOf(read, serial(1))!.extensions[0]!.value), 1)
    assert.equal(readReasonCode(entryOf(read, serial(2))!.extensions[0]!.value), 2)
    assert.equal(entryOf(read, serial(3)), undefined)
    assert.equal(entryOf(read, serial(1).subarray(1)), undefined)
    assert.equal([...read.entries()].length, [...read.entries()].length)
  })

  it('of 100,000 entries is read in time that grows with their number, and keeps none of them', () => {
    const [some, many] = [10_000, 100_000].map(count => list([day, day, manyEntries(count), number])) as [
      Buffer,
      Buffer,
    ]
    // Processor time, since the machine has others to serve; the best of three.
    const cost = (read: () => void) =>
      Math.min(
        ...[1, 2, 3].map(() => {
          const start = process.cpuUsage()
          read()
          return process.cpuUsage(start).user
        }),
      )
    const tenTimes = cost(() => {
      for (let i = 0; i < 10; i++) assert.equal(readList(some).count, 10_000)
    })
    const once = cost(() => assert.equal(readList(many).count, 100_000))
    // As many entries in both; were the time quadratic, the one list would take ten times as long as the ten.
    assert.ok(once < 4 * tenTimes + 50_000, `${once} µs for one of 100,000, ${tenTimes} µs for ten of 10,000`)
    const all = readList(many)
    assert.equal(entryOf(all, serial(99_999))?.revokedAt.text, '261120093000Z')
    assert.equal(Object.values(all).filter(Array.isArray).flat().length, all.extensions.length)
  })
})
