/** Recovery files: what is written is read again, whatever stands in it, and what is not in the format is refused by record. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { noOpenssl, openssl } from '../../../test/outside.ts'
import { readKeyPair } from '../../ground/keystore/pair.ts'
import { Refusal } from '../../ground/refusal.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readPem } from '../../ground/x509/pem.ts'
import {
  fileNameOf,
  fileTypes,
  type RecoveryFile,
  readFile,
  requireFileSignature,
  signFile,
  writeFile,
} from './files.ts'

const type = 'OrganisationCompromiseNotification'
const record = (fill: string) => Object.fromEntries(fileTypes[type].map(column => [column, fill])) as never
const file = (...fills: string[]): RecoveryFile<typeof type> => ({
  fileType: type,
  version: '1.0',
  sender: '02D0-0000-0001-0000',
  createdAt: new Date('2026-11-20T10:00:00.000Z'),
  sequence: 3,
  records: fills.map(record),
})

describe('A recovery file', () => {
  it('is CSV as RFC 4180 has it, with a header record, and a name that says what it is', () => {
    assert.equal(
      writeFile(file('a,"b"')).toString(),
      'fileType,version,sender,createdAt,sequence,recordCount\r\n' +
        `${type},1.0,02D0-0000-0001-0000,2026-11-20T10:00:00.000Z,3,1\r\n` +
        `${fileTypes[type].join(',')}\r\n` +
        `${Array(10).fill('"a,""b"""').join(',')}\r\n`,
    )
    assert.equal(fileNameOf(type, 'SUP-1', 3), `${type}-SUP-1-3.csv`)
  })

  it('is read as it was written, whatever its fields hold', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }), fills => {
        const clean = fills.map(one => (one.isWellFormed() ? one.replaceAll('\uFEFF', '') : ''))
        assert.deepEqual(readFile(writeFile(file(...clean)), type), file(...clean))
      }),
    )
  })

  const good = writeFile(file('x', 'y')).toString()
  for (const [says, text, where] of [
    ['with a record too few', good.slice(0, good.lastIndexOf('y,')), /record 5/],
    ['that counts wrong', good.replace(',3,2\r\n', ',3,3\r\n'), /2 records, not 3/],
    ['with lines that end in LF alone', good.replaceAll('\r\n', '\n'), /RFC 4180/],
    ['with a quote within a field', good.replace('x,', 'x"x,'), /record 4/],
    [
      'of another type',
      good.replaceAll(type, 'OtherCompromiseNotification'),
      /no OrganisationCompromiseNotification/,
    ],
    ['with other columns', good.replace('deviceId', 'device'), /record 3/],
    ['with a time that is none', good.replace('10:00:00.000Z', '10:00'), /createdAt/],
    ['with sequence 0', good.replace(',3,2\r\n', ',0,2\r\n'), /sequence/],
    ['that is empty', '', /record 1/],
  ] as const) {
    it(`${says} is refused`, () => {
      assert.throws(
        () => readFile(Buffer.from(text), type),
        (cause: unknown) => {
          assert.ok(cause instanceof Refusal && cause.code === 'FILE_UNFIT')
          assert.match(cause.message, where)
          return true
        },
      )
    })
  }

  it('is signed by the holder of one of the certificates in force, and by nobody else', { skip: noOpenssl }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'opensmki-files-'))
    const made = (name: string) => {
      const out = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)]
      const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-days', '30']
      assert.ok(openssl([...request, ...out]).ok)
      const certificate = readCertificate(readPem(readFileSync(join(folder, `${name}.crt`), 'latin1'))[0]!.der)
      return { certificate, pair: readKeyPair(readFileSync(join(folder, `${name}.key`))) }
    }
    try {
      const [ours, other] = [made('ours'), made('other')]
      const octets = writeFile(file('x'))
      const sign = (of: Uint8Array) => ours.pair.sign(of)
      const signature = signFile(octets, {
        certificate: ours.certificate,
        sign,
        at: new Date('2026-11-20T10:00:00Z'),
      })
      const holders = [other.certificate.der, ours.certificate.der]
      assert.equal(requireFileSignature(octets, signature, holders).certificate.serial.length > 0, true)
      for (const [content, by, known] of [
        [octets, signature, [other.certificate.der]],
        [writeFile(file('y')), signature, holders],
        [octets, signature.subarray(1), holders],
      ] as const)
        assert.throws(() => requireFileSignature(content, by, known), { code: 'FILE_SIGNATURE' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('that is not UTF-8 is refused', () => {
    assert.throws(() => readFile(Buffer.from([0xff, 0xfe, 0x00]), type), { code: 'FILE_UNFIT' })
  })
})
