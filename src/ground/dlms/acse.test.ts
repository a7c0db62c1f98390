import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readAare, writeAare } from './aare.ts'
import { readAarq, writeAarq } from './aarq.ts'
import type { DlmsCode } from './refusals.ts'
import { readRelease, releaseRequest, writeRelease } from './release.ts'
import { kindOf } from './services.ts'
import { noVectors, octets, refused, transcript, upper, vector } from './testing.ts'
import { readWrapped } from './wrapper.ts'

// As other implementations send and receive them, for an association without security.
const publicAarq = '60 1D A1 09 06 07 60857405080101 BE 10 04 0E 01000000065F1F040000301DFFFF'
const publicAare =
  '61 29 A1 09 06 07 60857405080101 A2 03 020100 A3 05 A1 03 020100 BE 10 04 0E 0800065F1F040000301D19000007'

describe('An AARQ', () => {
  it('is what V4a says, with the password of the published example', { skip: noVectors }, () => {
    const { given, expect } = vector('V4a')
    const aarq = {
      context: 'ciphered',
      title: octets(given.callingApTitle!),
      authentication: { mechanism: 1, value: octets(given.callingAuthenticationValue!) },
      userInformation: octets(given.userInformation!),
    } as const
    assert.ok(given.mechanism!.endsWith('.2.1') && given.applicationContext!.endsWith('.1.3'))
    assert.equal(upper(writeAarq(aarq)), expect.apdu)
    assert.deepEqual(readAarq(octets(expect.apdu!)), aarq)
  })

  it('of the Public client has neither title nor authentication', () => {
    const userInformation = octets('01000000065F1F040000301DFFFF')
    assert.deepEqual(readAarq(octets(publicAarq)), { context: 'plain', userInformation })
    assert.equal(upper(writeAarq({ context: 'plain', userInformation })), publicAarq.replaceAll(' ', ''))
  })

  it('with a long challenge has lengths of two octets', () => {
    const aarq = {
      context: 'ciphered',
      title: Buffer.alloc(8, 1),
      authentication: { mechanism: 5, value: Buffer.alloc(64, 2) },
      userInformation: Buffer.alloc(200, 3),
    } as const
    const written = writeAarq(aarq)
    assert.equal(upper(written.subarray(0, 3)), '608201')
    assert.deepEqual(readAarq(written), aarq)
  })

  it('is not written with what does not fit', () => {
    const userInformation = Buffer.alloc(1)
    const authentication = { mechanism: 5, value: Buffer.alloc(16) }
    for (const bad of [
      { title: Buffer.alloc(7) },
      { authentication: { ...authentication, mechanism: 8 } },
      { authentication: { ...authentication, mechanism: 0.5 } },
      { authentication: { ...authentication, value: Buffer.alloc(65) } },
    ]) {
      assert.throws(() => writeAarq({ context: 'ciphered', userInformation, ...bad }), RangeError)
    }
  })
})

describe('An AARE', () => {
  it('stands twice in the recording, and comes back octet for octet', { skip: noVectors }, () => {
    const found = transcript().frames.filter(({ n }) => n === 2 || n === 10)
    assert.equal(found.length, 2)
    for (const { frame, protected: userInformation, challenge } of found) {
      const { apdu } = readWrapped(octets(frame))
      const aare = readAare(apdu)
      assert.deepEqual(aare, {
        context: 'ciphered',
        result: 0,
        diagnostic: { source: 'user', value: 14 },
        title: octets('4D4D4D0000BC614E'),
        authentication: { mechanism: 5, value: octets(challenge!) },
        userInformation: octets(userInformation),
      })
      assert.equal(upper(writeAare(aare)), upper(apdu))
    }
  })

  it('to the Public client has neither title nor authentication', () => {
    const aare = readAare(octets(publicAare))
    assert.deepEqual(aare, {
      context: 'plain',
      result: 0,
      diagnostic: { source: 'user', value: 0 },
      userInformation: octets('0800065F1F040000301D19000007'),
    })
    assert.equal(upper(writeAare(aare)), publicAare.replaceAll(' ', ''))
  })

  it('that rejects is read too, with or without more', () => {
    const short = '61 1F A1 09 06 07 60857405080103 A2 03 020101 A3 05 A2 03 020102 BE 06 04 04 0E010601'
    const aare = readAare(octets(short))
    assert.deepEqual([aare.result, aare.diagnostic], [1, { source: 'provider', value: 2 }])
    assert.equal(upper(writeAare(aare)), short.replaceAll(' ', ''))
    const { userInformation: _, ...without } = aare
    assert.deepEqual(readAare(writeAare(without)), without)
  })
})

describe('What is no AARQ or AARE', () => {
  const rest = 'BE 10 04 0E 01000000065F1F040000301DFFFF'
  const context = 'A1 09 06 07 60857405080101'
  const element = (tag: string, content: string) => {
    const octetsOf = octets(content)
    return `${tag} ${octetsOf.length.toString(16).padStart(2, '0')} ${content}`
  }

  it('is refused for its own reason', () => {
    const cases: [string, DlmsCode][] = [
      ['', 'DLMS_FRAMING'],
      [publicAare, 'DLMS_FRAMING'],
      [`${publicAarq} 00`, 'DLMS_LENGTH'],
      [publicAarq.slice(0, -2), 'DLMS_LENGTH'],
      [publicAarq.replace('60 1D', '60 81 1D'), 'DLMS_LENGTH'],
      [publicAarq.replace('60 1D', '60 80'), 'DLMS_LENGTH'],
      [`${publicAarq.replace('60 1D', '60 80')} 00 00`, 'DLMS_LENGTH'],
      [element('60', `${context}`), 'DLMS_ENCODING'],
      [element('60', `${rest} ${context}`), 'DLMS_ENCODING'],
      [element('60', `A1 09 06 07 60857405080102 ${rest}`), 'DLMS_NOT_USED'],
      [element('60', `A1 09 06 07 608574050801FF ${rest}`), 'DLMS_ENCODING'],
      [element('60', `A1 0B 06 07 60857405080101 0500 ${rest}`), 'DLMS_LENGTH'],
      [element('60', `${context} A6 09 04 07 01020304050607 ${rest}`), 'DLMS_LENGTH'],
      [
        element('60', `${context} 8A 02 0740 8B 07 60857405080205 AC 0A 80 08 0102030405060708 ${rest}`),
        'DLMS_ENCODING',
      ],
      [element('60', `${context} 8A 02 0780 ${rest}`), 'DLMS_ENCODING'],
      [
        element('60', `${context} 8A 02 0780 8B 07 60857405080305 AC 0A 80 08 0102030405060708 ${rest}`),
        'DLMS_NOT_USED',
      ],
      [
        element('60', `${context} 8A 02 0780 8B 07 60857405080208 AC 0A 80 08 0102030405060708 ${rest}`),
        'DLMS_NOT_USED',
      ],
      [element('60', `${context} A6 0C 04 08 0102030405060708 0500 ${rest}`), 'DLMS_LENGTH'],
      [
        element('60', `${context} 8A 02 0780 8B 07 60857405080205 AC 43 80 41 ${'00'.repeat(65)} ${rest}`),
        'DLMS_LENGTH',
      ],
      [element('60', `${context} ${rest} ${rest}`), 'DLMS_LENGTH'],
      [element('60', `${context} BE 12 24 10 04 0E 01000000065F1F040000301DFFFF`), 'DLMS_ENCODING'],
    ]
    for (const [hex, code] of cases) assert.throws(() => readAarq(octets(hex)), refused(code), hex)
    const aares: [string, DlmsCode][] = [
      [publicAarq, 'DLMS_FRAMING'],
      [publicAare.replace('A2 03 020100', 'A2 03 020103'), 'DLMS_ENCODING'],
      [publicAare.replace('A2 03 020100', 'A2 03 0A0100'), 'DLMS_ENCODING'],
      [publicAare.replace('A1 03 020100', 'A4 03 020100'), 'DLMS_ENCODING'],
      [publicAare.replace('A1 03 020100', 'A1 03 0201FF'), 'DLMS_ENCODING'],
      [publicAare.replace('61 29', '61 2A').replace('A3 05 A1 03 020100', 'A3 06 A1 04 02020100'), 'DLMS_ENCODING'],
      [
        publicAare.replace('61 29', '61 2B').replace('A3 05 A1 03 020100', 'A3 07 A1 03 020100 0500'),
        'DLMS_LENGTH',
      ],
    ]
    for (const [hex, code] of aares) assert.throws(() => readAare(octets(hex)), refused(code), hex)
  })
})

describe('A release', () => {
  it('is what other implementations send', () => {
    assert.equal(upper(writeRelease(releaseRequest)), '6203800100')
    for (const [hex, release] of [
      ['6203800100', { kind: 'request', reason: 0 }],
      ['6303800100', { kind: 'response', reason: 0 }],
      ['620380011E', { kind: 'request', reason: 30 }],
      ['6200', { kind: 'request' }],
      ['6300', { kind: 'response' }],
    ] as const) {
      assert.deepEqual(readRelease(octets(hex)), release)
      assert.equal(upper(writeRelease(release)), hex)
    }
  })

  it('is refused for its own reason', () => {
    for (const [hex, code] of [
      ['', 'DLMS_FRAMING'],
      ['6103800100', 'DLMS_FRAMING'],
      ['6203800102', 'DLMS_NOT_USED'],
      ['620480020000', 'DLMS_ENCODING'],
      ['6203810100', 'DLMS_ENCODING'],
      ['62038001', 'DLMS_LENGTH'],
      ['620380010000', 'DLMS_LENGTH'],
      ['62068001008001 00', 'DLMS_LENGTH'],
    ] as const) {
      assert.throws(() => readRelease(octets(hex)), refused(code), hex)
    }
  })
})

describe('The kind of an APDU', () => {
  it('is known by its tag', () => {
    for (const [hex, kind] of [
      ['60', 'aarq'],
      ['61', 'aare'],
      ['62', 'release'],
      ['63', 'release'],
      ['D8', 'exception'],
      ['C8', 'protected'],
      ['DB', 'protected'],
      ['D0', 'protected'],
      ['C4', 'plain'],
      ['E0', undefined],
      ['', undefined],
    ] as const) {
      assert.equal(kindOf(octets(hex)), kind, hex)
    }
  })
})
