import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Plain, readPlain, writePlain } from './plain.ts'
import type { DlmsCode } from './refusals.ts'
import { noVectors, octets, refused, transcript, upper, vectors } from './testing.ts'

/** What `writePlain` makes of an APDU without an opened key in it. */
function written(apdu: Plain): string {
  const text = writePlain(apdu)
  return upper(text instanceof Uint8Array ? text : Buffer.concat(text as Uint8Array[]))
}

describe('A plain APDU', () => {
  it('is read into its parts, and written from them', () => {
    const cases: [string, Plain][] = [
      [
        'C0 01 C1 0001 00002B0100FF 02 00',
        { service: 'get-request', invoke: 0xc1, classId: 1, logicalName: '0.0.43.1.0.255', member: 2 },
      ],
      [
        'C4 01 C1 00 06 00000102',
        { service: 'get-response', invoke: 0xc1, data: { type: 'double-long-unsigned', value: 0x102 } },
      ],
      ['C4 01 C1 01 03', { service: 'get-response', invoke: 0xc1, error: 3 }],
      [
        'C1 01 C1 0008 0000010000FF 02 00 11 07',
        {
          service: 'set-request',
          invoke: 0xc1,
          classId: 8,
          logicalName: '0.0.1.0.0.255',
          member: 2,
          data: { type: 'unsigned', value: 7 },
        },
      ],
      ['C5 01 C1 00', { service: 'set-response', invoke: 0xc1, result: 0 }],
      [
        'C3 01 81 0040 00002B0000FF FF 00',
        { service: 'action-request', invoke: 0x81, classId: 64, logicalName: '0.0.43.0.0.255', member: -1 },
      ],
      ['C7 01 C1 00 00', { service: 'action-response', invoke: 0xc1, result: 0 }],
      ['C7 01 C1 FA 01 01 0B', { service: 'action-response', invoke: 0xc1, result: 250, returned: { error: 11 } }],
      [
        'C7 01 C1 00 01 00 16 03',
        { service: 'action-response', invoke: 0xc1, result: 0, returned: { data: { type: 'enum', value: 3 } } },
      ],
      [
        '01 00 00 00 06 5F1F0400 221E5D FFFF',
        { service: 'initiateRequest', conformance: 0x221e5d, maxPdu: 0xffff },
      ],
      [
        '01 01 10 00112233445566778899AABBCCDDEEFF 00 00 06 5F1F0400 007E1F 04B0',
        {
          service: 'initiateRequest',
          dedicatedKey: octets('00112233445566778899AABBCCDDEEFF'),
          conformance: 0x7e1f,
          maxPdu: 0x04b0,
        },
      ],
      [
        '08 00 06 5F1F0400 221E5D 0400 0007',
        { service: 'initiateResponse', conformance: 0x221e5d, maxPdu: 0x0400 },
      ],
      ['D8 01 05', { service: 'exception-response', stateError: 1, serviceError: 5 }],
      ['D8 01 06', { service: 'exception-response', stateError: 1, serviceError: 6 }],
      ['D8 01 06 00000010', { service: 'exception-response', stateError: 1, serviceError: 6, expectedCounter: 16 }],
    ]
    for (const [hex, apdu] of cases) {
      assert.deepEqual(readPlain(octets(hex)), apdu, hex)
      assert.equal(written(apdu), hex.replaceAll(' ', ''), hex)
      for (let end = 0; end < octets(hex).length; end++) {
        // The one optional end there is: the counter of an exception-response.
        if (hex.startsWith('D8 01 06') && end === 3) continue
        assert.throws(
          () => readPlain(octets(hex).subarray(0, end)),
          refused(end === 0 ? 'DLMS_NOT_USED' : 'DLMS_LENGTH'),
          `${hex} cut at ${end}`,
        )
      }
      assert.throws(() => readPlain(octets(`${hex} 00`)), refused('DLMS_LENGTH'), hex)
    }
  })

  it('stands in every vector and every frame of the recording, and comes back octet for octet', {
    skip: noVectors,
  }, () => {
    const found = [
      ...vectors('apdu').map(({ given }) => given.plain!),
      ...vectors('plain').map(({ expect }) => expect.plain!),
      ...transcript().frames.map(({ plain }) => plain),
    ]
    assert.equal(found.length, 13 + 3 + 12)
    for (const hex of found) {
      assert.equal(written(readPlain(octets(hex))), hex)
    }
  })

  it('is refused for its own reason', () => {
    const cases: [string, DlmsCode][] = [
      ['0E 01 06 01', 'DLMS_NOT_USED'],
      ['C2 00', 'DLMS_NOT_USED'],
      ['E0 00', 'DLMS_NOT_USED'],
      ['C0 02 C1 00000001', 'DLMS_NOT_USED'],
      ['C0 03 C1 01 0008 0000010000FF 02 00', 'DLMS_NOT_USED'],
      ['C0 01 C1 0007 0000630100FF 02 01 01 02', 'DLMS_NOT_USED'],
      ['C0 01 C1 0007 0000630100FF 02 02', 'DLMS_ENCODING'],
      ['C4 01 C1 02 00', 'DLMS_ENCODING'],
      ['C4 02 C1 01 00000001 00 00', 'DLMS_NOT_USED'],
      ['C3 01 C1 0040 00002B0000FF 02 02 00', 'DLMS_ENCODING'],
      ['01 00 01 00 06 5F1F0400 221E5D FFFF', 'DLMS_NOT_USED'],
      ['01 00 00 01 06 5F1F0400 221E5D FFFF', 'DLMS_NOT_USED'],
      ['01 00 00 00 05 5F1F0400 221E5D FFFF', 'DLMS_ENCODING'],
      ['01 00 00 00 06 5F1F0401 221E5D FFFF', 'DLMS_ENCODING'],
      ['01 01 0F 112233445566778899AABBCCDDEEFF 00 00 06 5F1F0400 007E1F 04B0', 'DLMS_LENGTH'],
      ['01 02 00 00 06 5F1F0400 221E5D FFFF', 'DLMS_ENCODING'],
      ['08 00 06 5F1F0400 221E5D 0400 FA00', 'DLMS_ENCODING'],
      ['D8 01 07', 'DLMS_NOT_USED'],
      ['D8 01 00', 'DLMS_NOT_USED'],
      ['D8 01 05 00000010', 'DLMS_LENGTH'],
      ['D8 01 06 000010', 'DLMS_LENGTH'],
    ]
    for (const [hex, code] of cases) assert.throws(() => readPlain(octets(hex)), refused(code), hex)
  })

  it('is not written with what does not fit', () => {
    const member = { classId: 8, logicalName: '0.0.1.0.0.255', member: 2 }
    const cases: Plain[] = [
      { service: 'get-request', invoke: 256, ...member },
      { service: 'get-request', invoke: 1, ...member, classId: 65536 },
      { service: 'get-request', invoke: 1, ...member, member: 128 },
      { service: 'get-request', invoke: 1, ...member, logicalName: '0.0.1.0.0' },
      { service: 'get-request', invoke: 1, ...member, logicalName: '0.0.1.0.0.256' },
      { service: 'get-request', invoke: 1, ...member, logicalName: '0.0.1.0.0.+1' },
      { service: 'get-request', invoke: 1, ...member, logicalName: '0.0.1.0.0.01' },
      { service: 'set-response', invoke: 1, result: 1.5 },
      { service: 'initiateRequest', conformance: 2 ** 24, maxPdu: 1 },
      { service: 'initiateResponse', conformance: 1, maxPdu: 65536 },
      { service: 'initiateRequest', conformance: 1, maxPdu: 1, dedicatedKey: Buffer.alloc(15) },
    ]
    for (const apdu of cases) assert.throws(() => writePlain(apdu), RangeError, JSON.stringify(apdu))
  })
})
