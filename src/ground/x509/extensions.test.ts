import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hardwareModuleName } from '../../../simulator/device.ts'
import { noOpenssl, openssl } from '../../../test/outside.ts'
import { fromHex, toHex } from '../bytes.ts'
import { Der, type DerFault } from '../der/read.ts'
import {
  bitString,
  boolean,
  element,
  enumerated,
  ia5String,
  integer,
  namedBits,
  nothing,
  octetString,
  oid,
  sequence,
  setOf,
  tagged,
  taggedPrimitive,
  utf8String,
} from '../der/write.ts'
import {
  keyUsageBits,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCertificatePolicies,
  readCrlNumber,
  readExtendedKeyUsage,
  readExtensions,
  readGeneralNames,
  readKeyUsage,
  readReasonCode,
  readSubjectKeyIdentifier,
  reasonCodes,
} from './extensions.ts'
import { oids } from './names.ts'

const hex = (text: string) => fromHex(text.replaceAll(' ', ''))

/** Each of these octets must be refused with that fault. */
function refuses(read: (value: Buffer) => unknown, bad: readonly (readonly [DerFault, Buffer | string])[]) {
  for (const [fault, value] of bad) {
    const octets = typeof value === 'string' ? hex(value) : value
    assert.throws(() => read(octets), { name: 'NotDer', fault }, `${fault}: ${toHex(octets)}`)
  }
}

const one = (type: string, ...rest: Buffer[]) => sequence(oid(type), ...rest)
const value = octetString(Buffer.of(5, 0))

describe('A list of extensions', () => {
  const read = (...content: Buffer[]) => readExtensions(new Der(sequence(...content)), 'the extensions')

  it('is read in the order in which it stands', () => {
    const found = read(one('1.2.4', boolean(true), value), one('1.2.3', value))
    assert.deepEqual(
      found.map(({ oid, critical, value }) => [oid, critical, toHex(value)]),
      [
        ['1.2.4', true, '0500'],
        ['1.2.3', false, '0500'],
      ],
    )
  })

  it('has at least one, none twice, and no value that is its default', () => {
    refuses(
      content => read(content),
      [
        ['default', one('1.2.3', boolean(false), value)],
        ['boolean', one('1.2.3', hex('010101'), value)],
        ['tag', one('1.2.3', boolean(true), boolean(true), value)],
        ['truncated', one('1.2.3', boolean(true))],
        ['truncated', one('1.2.3')],
        ['trailing', one('1.2.3', value, value)],
        ['tag', sequence(value, oid('1.2.3'))],
        ['tag', setOf(oid('1.2.3'), value)],
      ],
    )
    assert.throws(() => read(), { fault: 'empty' })
    assert.throws(() => read(one('1.2.3', value), one('1.2.4', value), one('1.2.3', value)), { fault: 'duplicate' })
  })

  it('of tens of thousands is read without comparing each with each', () => {
    const many = (n: number) => Buffer.concat(Array.from({ length: n }, (_, i) => one(`1.2.${i}`, value)))
    const octets = many(50_000)
    const start = process.cpuUsage()
    assert.equal(read(octets).length, 50_000)
    assert.ok(process.cpuUsage(start).user < 3_000_000) // each with each took six seconds
  })
})

describe('keyUsage', () => {
  it('is read from the encodings that real certificates have', () => {
    for (const [text, usages] of [
      ['03020780', ['digitalSignature']],
      ['03020308', ['keyAgreement']],
      ['03020106', ['keyCertSign', 'cRLSign']],
      ['03020204', ['keyCertSign']],
      ['03020640', ['nonRepudiation']],
      ['0303070080', ['decipherOnly']],
      ['03020001', ['encipherOnly']],
    ] as const) {
      assert.deepEqual(readKeyUsage(hex(text)), usages)
    }
  })

  it('comes back as it was written, for every set of usages', () => {
    for (let bits = 1; bits < 1 << keyUsageBits.length; bits++) {
      const wanted = keyUsageBits.filter((_, bit) => bits & (1 << bit))
      assert.deepEqual(readKeyUsage(namedBits(...wanted.map(usage => keyUsageBits.indexOf(usage)))), wanted)
    }
  })

  it('has one encoding for each set: every other octets of up to three are refused', () => {
    let accepted = 0
    for (let unused = 0; unused < 9; unused++) {
      for (let first = 0; first < 256; first++) {
        for (const second of [undefined, 0x00, 0x80, 0x40, 0xff]) {
          const content = Buffer.of(unused, first, ...(second === undefined ? [] : [second]))
          const octets = element(0x03, content)
          try {
            const usages = readKeyUsage(octets)
            accepted++
            assert.deepEqual(namedBits(...usages.map(usage => keyUsageBits.indexOf(usage))), octets)
          } catch (error) {
            if ((error as Error).name !== 'NotDer') throw error
          }
        }
      }
    }
    assert.equal(accepted, 511)
  })

  it('is refused without a usage, with bits that mean nothing, and with zeros behind the last (X.690 11.2.2)', () => {
    refuses(readKeyUsage, [
      ['empty', '030100'],
      ['empty', '03020000'],
      ['empty', '03020700'],
      ['bit_string', '03020080'],
      ['bit_string', '03020680'],
      ['bit_string', '0303078000'],
      ['bit_string', '0303068040'],
      ['bit_string', '030400800080'],
      ['bit_string', '03020781'],
      ['tag', '04020780'],
      ['trailing', '0302078000'],
      ['truncated', ''],
    ])
  })
})

describe('basicConstraints', () => {
  it('is read with and without its parts', () => {
    assert.deepEqual(readBasicConstraints(hex('3000')), { ca: false, pathLength: undefined })
    assert.deepEqual(readBasicConstraints(hex('30030101ff')), { ca: true, pathLength: undefined })
    assert.deepEqual(readBasicConstraints(hex('30060101ff020100')), { ca: true, pathLength: 0 })
    assert.deepEqual(readBasicConstraints(hex('30060101ff020101')), { ca: true, pathLength: 1 })
  })

  it('is refused when it is not DER', () => {
    refuses(readBasicConstraints, [
      ['default', '3003010100'],
      ['boolean', '3003010101'],
      ['integer', '30060101ff0201ff'],
      ['integer', '30070101ff02020001'],
      ['integer', '300a0101ff02050100000000'],
      ['trailing', '30090101ff020100020100'],
      ['trailing', '300000'],
      ['tag', '3003040100'],
    ])
  })
})

describe('Key identifiers', () => {
  it('are read', () => {
    assert.equal(toHex(readSubjectKeyIdentifier(hex('0408 4102030405060708'))), '4102030405060708')
    const only = readAuthorityKeyIdentifier(hex('300A 8008 4807060504030201'))
    assert.equal(toHex(only.keyIdentifier!), '4807060504030201')
    assert.deepEqual([only.issuer, only.serial], [undefined, undefined])
    const name = tagged(1, tagged(4, sequence()))
    const all = readAuthorityKeyIdentifier(
      sequence(taggedPrimitive(0, Buffer.of(1)), name, taggedPrimitive(2, Buffer.of(9))),
    )
    assert.deepEqual([all.issuer, toHex(all.serial!)], [name, '09'])
    assert.deepEqual(readAuthorityKeyIdentifier(sequence()).keyIdentifier, undefined)
  })

  it('are refused when they are not DER', () => {
    refuses(readSubjectKeyIdentifier, [
      ['tag', '0308 4102030405060708'],
      ['trailing', '0401 00 00'],
      ['tag', '2403 040100'],
      ['truncated', '0408 00'],
    ])
    refuses(readAuthorityKeyIdentifier, [
      ['trailing', '3003 800100 00'],
      ['trailing', sequence(taggedPrimitive(2, Buffer.of(9)), taggedPrimitive(0, Buffer.of(1)))],
      ['trailing', sequence(taggedPrimitive(0, Buffer.of(1)), taggedPrimitive(0, Buffer.of(1)))],
      ['trailing', sequence(tagged(0, octetString(Buffer.of(1))))],
      ['integer', sequence(taggedPrimitive(2, Buffer.of(0, 9)))],
    ])
  })
})

describe('certificatePolicies', () => {
  it('is read with and without qualifiers', () => {
    assert.deepEqual(readCertificatePolicies(hex('3011 300F 060D 2A863A0001848FB90F01020104')), [
      { oid: '1.2.826.0.1.8641679.1.2.1.4', qualifiers: undefined },
    ])
    const qualifiers = sequence(sequence(oid('1.3.6.1.5.5.7.2.1'), ia5String('https://a.example/')))
    const two = readCertificatePolicies(sequence(sequence(oid('1.2.3')), sequence(oid('1.2.4'), qualifiers)))
    assert.deepEqual(two, [
      { oid: '1.2.3', qualifiers: undefined },
      { oid: '1.2.4', qualifiers },
    ])
  })

  it('is refused empty, with a policy twice, or with more in one', () => {
    const policy = sequence(oid('1.2.3'))
    refuses(readCertificatePolicies, [
      ['empty', '3000'],
      ['duplicate', sequence(policy, sequence(oid('1.2.4')), policy)],
      ['tag', sequence(sequence(oid('1.2.3'), nothing()))],
      ['trailing', sequence(sequence(oid('1.2.3'), sequence(), sequence()))],
      ['truncated', sequence(sequence())],
      ['trailing', Buffer.concat([sequence(policy), Buffer.of(0)])],
    ])
  })
})

describe('extendedKeyUsage', () => {
  it('is read, and refused empty or when it holds something else', () => {
    assert.deepEqual(readExtendedKeyUsage(sequence(oid(oids.serverAuth), oid(oids.clientAuth))), [
      oids.serverAuth,
      oids.clientAuth,
    ])
    refuses(readExtendedKeyUsage, [
      ['empty', '3000'],
      ['tag', sequence(integer(1))],
      ['trailing', '3003 060129 00'],
      ['oid', '3002 0600'],
    ])
  })
})

describe('subjectAltName', () => {
  const other = (type: string, content: Buffer) => tagged(0, oid(type), tagged(0, content))

  it('is opened where it holds a hardwareModuleName (RFC 4108 5)', () => {
    const [name, ...more] = readGeneralNames(
      hex('3029 A027 06082B06010505070804 A01B 3019 060D2A863A0001848FB90F01020201 0408 A1B2C3D4E5F60718'),
    )
    assert.ok(name?.kind === 'hardwareModuleName')
    assert.deepEqual(
      [name.hwType, toHex(name.hwSerialNum), more.length],
      ['1.2.826.0.1.8641679.1.2.2.1', 'a1b2c3d4e5f60718', 0],
    )
  })

  it('comes back as it was written, for every type and serial number', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 5 }), (serial, arcs) => {
        const hwType = ['1.2', ...arcs].join('.')
        const der = hardwareModuleName({ deviceId: '0000000000000000', hwType }, serial)
        const [name] = readGeneralNames(sequence(der))
        assert.ok(name?.kind === 'hardwareModuleName')
        assert.deepEqual(
          [name.hwType, toHex(name.hwSerialNum), toHex(name.der)],
          [hwType, toHex(serial), toHex(der)],
        )
      }),
    )
  })

  it('keeps names of other kinds as they are', () => {
    const names = [
      other('1.2.3', utf8String('x')),
      ia5String('a@b', 0x81),
      ia5String('a.example', 0x82),
      tagged(3),
      tagged(4, sequence()),
      tagged(5, tagged(1, utf8String('x'))),
      ia5String('https://a.example/', 0x86),
      taggedPrimitive(7, Buffer.of(10, 0, 0, 1)),
      taggedPrimitive(8, Buffer.of(0x2a)),
    ]
    assert.deepEqual(
      readGeneralNames(sequence(...names)),
      names.map(der => ({ kind: 'other', tag: der[0], der })),
    )
  })

  it('is refused when it is not DER', () => {
    const module = (...content: Buffer[]) => sequence(other(oids.hardwareModuleName, sequence(...content)))
    const serial = octetString(Buffer.alloc(8))
    refuses(readGeneralNames, [
      ['empty', '3000'],
      ['tag', sequence(ia5String('a', 0x16))],
      ['tag', sequence(tagged(2, ia5String('a')))],
      ['tag', sequence(taggedPrimitive(4, Buffer.alloc(0)))],
      ['tag', sequence(taggedPrimitive(0, Buffer.alloc(0)))],
      ['tag', sequence(tagged(9))],
      ['truncated', sequence(tagged(0))],
      ['truncated', sequence(tagged(0, oid('1.2.3')))],
      ['tag', sequence(tagged(0, oid('1.2.3'), tagged(1, nothing())))],
      ['truncated', sequence(tagged(0, oid('1.2.3'), tagged(0)))],
      ['trailing', sequence(tagged(0, oid('1.2.3'), tagged(0, nothing(), nothing())))],
      ['trailing', sequence(tagged(0, oid('1.2.3'), tagged(0, nothing()), nothing()))],
      ['truncated', module(oid('1.2.3'))],
      ['tag', module(serial, oid('1.2.3'))],
      ['trailing', module(oid('1.2.3'), serial, serial)],
      ['tag', module(oid('1.2.3'), bitString(Buffer.alloc(8)))],
      [
        'trailing',
        sequence(other(oids.hardwareModuleName, Buffer.concat([sequence(oid('1.2.3'), serial), nothing()]))),
      ],
    ])
  })
})

describe('Extensions of lists', () => {
  it('are read', () => {
    assert.equal(toHex(readCrlNumber(integer(0x1000))), '1000')
    assert.equal(toHex(readCrlNumber(integer(0x80))), '0080')
    for (const code of Object.keys(reasonCodes).map(Number)) assert.equal(readReasonCode(enumerated(code)), code)
    assert.equal(Object.keys(reasonCodes).length, 10)
  })

  it('are refused when negative, unknown or not DER', () => {
    refuses(readCrlNumber, [
      ['integer', '020180'],
      ['integer', '02020001'],
      ['tag', '0a0101'],
      ['trailing', '02010100'],
    ])
    refuses(readReasonCode, [
      ['structure', enumerated(7)], // RFC 5280 5.3.1: value 7 is not used
      ['structure', enumerated(11)],
      ['integer', '0a01ff'],
      ['integer', '0a020001'],
      ['tag', '020101'],
      ['trailing', '0a010100'],
    ])
  })
})

describe('What OpenSSL makes of an extension', { skip: noOpenssl }, () => {
  it('is what we do: the usages by name, in the order of their bits', () => {
    const names: Record<string, string> = {
      digitalSignature: 'Digital Signature',
      nonRepudiation: 'Non Repudiation',
      keyEncipherment: 'Key Encipherment',
      dataEncipherment: 'Data Encipherment',
      keyAgreement: 'Key Agreement',
      keyCertSign: 'Certificate Sign',
      cRLSign: 'CRL Sign',
      encipherOnly: 'Encipher Only',
      decipherOnly: 'Decipher Only',
    }
    const run = [
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      '/dev/null',
    ]
    const { ok, says } = openssl([...run, '-subj', '/CN=x', '-addext', `keyUsage=${keyUsageBits.join()}`, '-text'])
    assert.ok(ok, says)
    assert.match(says, new RegExp(keyUsageBits.map(usage => names[usage]).join(', ')))
  })
})
