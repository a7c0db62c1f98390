import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '../bytes.ts'
import { readAny } from './any.ts'
import { Der } from './read.ts'

const read = (hex: string) => readAny(new Der(fromHex(hex)), 'it')

describe('An element of any type', () => {
  it('is kept whole, and what follows it is left', () => {
    for (const hex of [
      '0500',
      '06082a8648ce3d030107',
      '0101ff',
      '02020080',
      '030204f0',
      '0403010203',
      '3003020200',
      '170d3235303630313030303030305a',
      '0c0161',
    ])
      assert.equal(toHex(read(hex)), hex)
    const der = new Der(fromHex('05000500'))
    readAny(der, 'it')
    assert.equal(der.at, 2)
  })

  it('is refused, with the octet where it stands, when its content is none of its type', () => {
    // X.690 8.8.2, 8.19.2, 11.1, 8.3.2, 11.2.1; RFC 5280 4.1.2.5. OpenSSL refuses them all but the last two.
    for (const [hex, fault] of [
      ['050100', 'null'],
      ['0600', 'oid'],
      ['01012a', 'boolean'],
      ['02020001', 'integer'],
      ['0a020001', 'integer'],
      ['030204ff', 'bit_string'],
      ['17023030', 'time'],
    ] as const)
      assert.throws(() => read(hex), { name: 'NotDer', fault, offset: 0 }, hex)
    assert.throws(() => read(''), { name: 'NotDer', fault: 'truncated' })
  })
})
