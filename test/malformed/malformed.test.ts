/** Every bad encoding of these folders is refused for the reason that its file names, and its good neighbour is read. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type Bytes, fromHex } from '../../src/ground/bytes.ts'
import { readOid } from '../../src/ground/der/oid.ts'
import { Der } from '../../src/ground/der/read.ts'
import { readTime } from '../../src/ground/der/time.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import {
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCertificatePolicies,
  readCrlNumber,
  readExtendedKeyUsage,
  readGeneralNames,
  readKeyUsage,
  readReasonCode,
  readSubjectKeyIdentifier,
} from '../../src/ground/x509/extensions.ts'
import { readEcdsaSignature, readRsaKey } from '../../src/ground/x509/key.ts'
import { readList } from '../../src/ground/x509/list.ts'
import { readName } from '../../src/ground/x509/name.ts'
import { readRequest } from '../../src/ground/x509/request.ts'

/** What reads the files of a folder. */
const readers: Readonly<Record<string, (octets: Bytes) => unknown>> = {
  certificate: readCertificate,
  request: readRequest,
  list: readList,
  name: octets => readName(new Der(octets), 'it'),
  'key-usage': readKeyUsage,
  'basic-constraints': readBasicConstraints,
  'subject-key-identifier': readSubjectKeyIdentifier,
  'authority-key-identifier': readAuthorityKeyIdentifier,
  'certificate-policies': readCertificatePolicies,
  'extended-key-usage': readExtendedKeyUsage,
  'subject-alt-name': octets => readGeneralNames(octets),
  'crl-number': readCrlNumber,
  'reason-code': readReasonCode,
  'ecdsa-signature': octets => readEcdsaSignature(new Der(octets)),
  'rsa-key': octets => readRsaKey(new Der(octets)),
  boolean: octets => new Der(octets).boolean('it'),
  integer: octets => new Der(octets).integer('it'),
  'bit-string': octets => new Der(octets).bits('it'),
  null: octets => new Der(octets).nothing('it'),
  'object-identifier': octets => readOid(new Der(octets), 'it'),
  time: octets => readTime(new Der(octets), 'it'),
}

const here = new URL('.', import.meta.url)
const files = Object.keys(readers).flatMap(folder =>
  readdirSync(new URL(folder, here)).map(name => {
    const [first, ...hex] = readFileSync(new URL(`${folder}/${name}`, here), 'utf8')
      .trimEnd()
      .split('\n')
    const [, fault, says] = /^# (\w+): (.+)$/.exec(first!)!
    return { folder, name, fault: fault!, says: says!, octets: fromHex(hex.join('')) }
  }),
)

describe('The malformed encodings', () => {
  it('are all read: no folder without a reader, none without a good file and a bad one', () => {
    const folders = readdirSync(here, { withFileTypes: true }).filter(entry => entry.isDirectory())
    assert.deepEqual(folders.map(({ name }) => name).sort(), Object.keys(readers).sort())
    for (const folder of Object.keys(readers)) {
      const good = files.filter(file => file.folder === folder && file.fault === 'none')
      assert.ok(good.length > 0 && good.every(({ name }) => name.startsWith('good')), folder)
      assert.ok(
        files.some(file => file.folder === folder && file.fault !== 'none'),
        folder,
      )
    }
    assert.ok(files.length > 150, `${files.length} files`)
  })

  it('show every fault there is but one, which is for those who judge strings', () => {
    const faults = new Set(files.map(({ fault }) => fault))
    assert.deepEqual([...faults].sort(), [
      'bit_string',
      'boolean',
      'default',
      'duplicate',
      'empty',
      'integer',
      'length',
      'none',
      'null',
      'oid',
      'set_order',
      'structure',
      'tag',
      'time',
      'trailing',
      'truncated',
    ])
  })

  it('name the clause that they break, unless the bound is ours', () => {
    for (const { folder, name, fault, says } of files) {
      const clause = /\((X\.690|RFC \d+) \S+\)$/.test(says) || /which we do not read$/.test(says)
      assert.ok(fault === 'none' || clause, `${folder}/${name}: ${says}`)
    }
  })

  for (const { folder, name, fault, says, octets } of files) {
    it(`${folder}/${name} › ${says}`, () => {
      if (fault === 'none') readers[folder]!(octets)
      else assert.throws(() => readers[folder]!(octets), { name: 'NotDer', fault })
    })
  }
})
