import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { eui64, eui64Of, hyphenated, serialFromText, serialText } from './identifiers.ts'

describe('an EUI-64', () => {
  it('is read with hyphens or without, in either case, into one form', () => {
    for (const text of [
      '90-B3-D5-1F-30-01-00-00',
      '90-b3-d5-1f-30-01-00-00',
      '90B3D51F30010000',
      '90b3d51f30010000',
    ])
      assert.equal(eui64(text), '90b3d51f30010000')
    assert.equal(hyphenated('90b3d51f30010000'), '90-B3-D5-1F-30-01-00-00')
  })

  it('is nothing else', () => {
    for (const text of [
      '',
      '90-B3',
      '90B3-D51F-3001-0000',
      '90:B3:D5:1F:30:01:00:00',
      '90B3D51F3001000G',
      '90B3D51F300100001',
    ])
      assert.equal(eui64(text), undefined)
    assert.throws(() => hyphenated('90B3'), RangeError)
    assert.throws(() => eui64Of(new Uint8Array(7)), RangeError)
  })

  it('goes through its text forms unchanged', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), octets => {
        const own = eui64Of(octets)
        assert.equal(eui64(hyphenated(own)), own)
        assert.deepEqual(Buffer.from(own, 'hex'), Buffer.from(octets))
      }),
    )
  })
})

describe('a serial number', () => {
  it('is shown as 32 upper-case digits and read back, also when a client lost its leading zeros', () => {
    const octets = Buffer.from('0f48000000000000000000000000abcd', 'hex')
    assert.equal(serialText(octets), '0F48000000000000000000000000ABCD')
    assert.deepEqual(serialFromText('f48000000000000000000000000abcd'), octets)
    assert.deepEqual(serialFromText(serialText(octets)), octets)
  })

  it('of a foreign length keeps its digits', () => {
    assert.equal(serialText(Buffer.of(1)), '1'.padStart(32, '0'))
    assert.equal(serialText(Buffer.concat([Buffer.of(0, 0x80), Buffer.alloc(15)])), `80${'00'.repeat(15)}`)
  })

  it('is not read from what is no number', () => {
    for (const text of ['', 'xyz', '0x1', '1'.repeat(33), '12 34', '-1'])
      assert.equal(serialFromText(text), undefined)
  })
})
