import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { noVectors, octets, refused, transcript, upper } from './testing.ts'
import { readWrapped, type Wrapped, wrapperReader, writeWrapped } from './wrapper.ts'

const plainly = ({ source, destination, apdu }: Wrapped) => [source, destination, upper(apdu)]

describe('The wrapper', () => {
  it('is what stands around the 12 recorded frames', { skip: noVectors }, () => {
    const { frames } = transcript()
    assert.equal(frames.length, 12)
    for (const { frame } of frames) {
      const wrapped = readWrapped(octets(frame))
      assert.deepEqual([wrapped.source, wrapped.destination], [1, 1])
      assert.equal(upper(writeWrapped(wrapped)), frame)
    }
  })

  it('has version, source, destination and length before the APDU', () => {
    const apdu = octets('C001C1000100002B0100FF0200')
    const made = writeWrapped({ source: 0x10, destination: 45, apdu })
    assert.equal(upper(made), '00010010002D000DC001C1000100002B0100FF0200')
    assert.deepEqual(plainly(readWrapped(made)), [0x10, 45, upper(apdu)])
  })

  it('gives the same APDUs however the connection cuts them', () => {
    const port = fc.nat(0xffff)
    const frame = fc.record({
      source: port,
      destination: port,
      apdu: fc.uint8Array({ minLength: 1, maxLength: 90 }),
    })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
        const all = Buffer.concat(frames.map(writeWrapped))
        const reader = wrapperReader()
        const found: Wrapped[] = []
        let at = 0
        for (const cut of [...cuts, all.length]) {
          const chunk = Buffer.from(all.subarray(at, at + cut))
          found.push(...reader.push(chunk))
          // The chunk belongs to the connection, which uses it again.
          chunk.fill(0xee)
          at += cut
        }
        assert.equal(reader.waiting, 0)
        assert.deepEqual(found.map(plainly), frames.map(plainly))
      }),
      { numRuns: 200 },
    )
  })

  it('is refused before it is waited for when it says too much, nothing, or another version', () => {
    const push = (hex: string) => () => wrapperReader(1070).push(octets(hex))
    assert.deepEqual(push('0001 0010 0001 042E')(), [])
    assert.throws(push('0001 0010 0001 042F'), refused('DLMS_TOO_LONG'))
    assert.throws(push('0001 0010 0001 0000'), refused('DLMS_LENGTH'))
    assert.throws(push('0002 0010 0001 0001'), refused('DLMS_WRAPPER'))
    assert.throws(push('0001 0010 0001 0001 00 0000 0010 0001 0001'), refused('DLMS_WRAPPER'))
  })

  it('is one, whole and alone, where one is read', () => {
    const one = '0001 0010 0001 0001 C8'
    readWrapped(octets(one))
    for (const hex of ['', '0001', '0001 0010 0001 0002 C8', `${one} 00`, `${one} ${one}`]) {
      assert.throws(() => readWrapped(octets(hex)), refused('DLMS_LENGTH'), hex)
    }
  })

  it('is not written around nothing, or too much', () => {
    const ports = { source: 1, destination: 1 }
    assert.throws(() => writeWrapped({ ...ports, apdu: Buffer.alloc(0) }), RangeError)
    assert.throws(() => writeWrapped({ ...ports, source: 65536, apdu: Buffer.alloc(1) }), RangeError)
    assert.equal(writeWrapped({ ...ports, apdu: Buffer.alloc(65535) }).length, 65543)
    assert.throws(() => writeWrapped({ ...ports, apdu: Buffer.alloc(65536) }), refused('DLMS_TOO_LONG'))
  })
})
