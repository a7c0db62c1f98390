import 'reflect-metadata'
import assert from 'node:assert/strict'
import { createHash, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import * as peculiar from '@peculiar/x509'
import fc from 'fast-check'
import { attribute, csrWith, extensionOf, makeDeviceCsr } from '../../../simulator/device.ts'
import { accepted, refused } from '../../../simulator/peculiar.ts'
import { corpusFile, corpusIndex, noCorpus, noOpenssl, openssl } from '../../../test/outside.ts'
import { type Bytes, equal, toHex } from '../bytes.ts'
import { Der, NotDer } from '../der/read.ts'
import { integer, octetString, oid, printableString, sequence, setOf, tagged, utf8String } from '../der/write.ts'
import { readCertificate } from './certificate.ts'
import { readGeneralNames, readKeyUsage } from './extensions.ts'
import { keyIdentifier, readRsaKey } from './key.ts'
import { showName } from './name.ts'
import { oids } from './names.ts'
import { readPem } from './pem.ts'
import { type CertificationRequest, readRequest } from './request.ts'

const device = { deviceId: 'a1b2c3d4e5f60718', usage: 'digitalSignature' } as const
const made = makeDeviceCsr(device)

/** Whether the request is signed, with ecdsa-with-SHA256 and nothing else, by the key in it. */
function provesPossession({ tbs, publicKey, signatureAlgorithm, signature }: CertificationRequest): boolean {
  if (toHex(signatureAlgorithm.der) !== '300a06082a8648ce3d040302') return false
  try {
    return verify('sha256', tbs, { key: Buffer.from(publicKey.spki), format: 'der', type: 'spki' }, signature)
  } catch {
    return false // no point of the curve
  }
}

function readOrRefuse(octets: Bytes): CertificationRequest | undefined {
  try {
    return readRequest(octets)
  } catch (error) {
    if (error instanceof NotDer) return undefined
    throw error
  }
}

describe('The published request of a Device', { skip: noCorpus }, () => {
  const [indexed] = noCorpus ? [] : corpusIndex().requests
  const golden = noCorpus ? Buffer.alloc(0) : corpusFile(indexed!.file)

  it('is read as it stands: version 0, no subject, P-256, keyUsage and subjectAltName', () => {
    assert.equal(golden.length, 279)
    assert.equal(createHash('sha256').update(golden).digest('hex'), indexed!.sha256)
    const request = readRequest(golden)
    assert.equal(request.version, 0)
    assert.equal(toHex(request.subject.der), '3000')
    assert.equal(request.publicKey.kind, 'P-256')
    assert.equal(toHex(keyIdentifier(request.publicKey.key)), indexed!.keyIdentifier)
    assert.deepEqual(request.attributes, [oids.extensionRequest])
    const [usage, name] = request.extensions
    assert.equal(request.extensions.length, 2)
    assert.deepEqual([usage!.oid, usage!.critical, toHex(usage!.value)], [oids.keyUsage, true, '03020780'])
    assert.deepEqual([name!.oid, name!.critical], [oids.subjectAltName, true])
    assert.deepEqual(readKeyUsage(usage!.value), ['digitalSignature'])
    const [module, ...others] = readGeneralNames(name!.value)
    assert.ok(module?.kind === 'hardwareModuleName')
    assert.equal(others.length, 0)
    assert.equal(toHex(module.hwSerialNum), indexed!.eui)
    assert.equal(module.hwType, '1.2.826.0.1.8641679.1.2.2.1')
    assert.ok(provesPossession(request))
  })

  it('carries the key of the certificates that were made from it', () => {
    assert.equal(indexed!.certificates.length, 2)
    for (const file of indexed!.certificates) {
      assert.deepEqual(readCertificate(corpusFile(file)).publicKey.spki, readRequest(golden).publicKey.spki)
    }
  })

  it('has the shape of a simulated one, octet for octet but for the key and the signature', () => {
    const ours = readRequest(makeDeviceCsr({ deviceId: indexed!.eui, usage: 'digitalSignature' }).csr)
    const theirs = readRequest(golden)
    const shape = ({ tbs, publicKey, signatureAlgorithm }: CertificationRequest) =>
      [toHex(tbs).replace(toHex(publicKey.key.subarray(1)), 'the point'), toHex(signatureAlgorithm.der)] as const
    assert.deepEqual(shape(ours), shape(theirs))
    assert.ok(shape(ours)[0].includes('the point'))
  })

  it('is refused, or no longer signed, whichever one octet of it was changed', () => {
    changeEachOctet(golden)
  })
})

/** Every octet, changed in each of its bits, to all zeros, all ones and its neighbours. */
function changeEachOctet(good: Bytes) {
  const outcomes = { refused: 0, unsigned: 0 }
  for (const [at, octet] of good.entries()) {
    const others = new Set([0x00, 0xff, (octet + 1) & 0xff, (octet - 1) & 0xff])
    for (let bit = 0; bit < 8; bit++) others.add(octet ^ (1 << bit))
    others.delete(octet)
    for (const other of others) {
      const changed = Uint8Array.from(good)
      changed[at] = other
      const request = readOrRefuse(changed)
      if (!request) outcomes.refused++
      else {
        assert.equal(provesPossession(request), false, `octet ${at} as ${other}`)
        outcomes.unsigned++
      }
    }
  }
  assert.ok(outcomes.refused > 500 && outcomes.unsigned > 500, JSON.stringify(outcomes))
}

describe('A request', () => {
  it('is what was asked for, signed by its key', () => {
    const request = readRequest(made.csr)
    assert.ok(provesPossession(request))
    assert.deepEqual(request.der, made.csr)
    assert.equal(request.tbs.buffer, made.csr.buffer)
  })

  it('is refused, or no longer signed, whichever one octet of it was changed', () => {
    changeEachOctet(made.csr)
  })

  it('is refused, no longer signed, or still the same when octets were changed, taken out or put in', () => {
    const good = readRequest(made.csr)
    const change = fc.tuple(fc.nat(made.csr.length - 1), fc.nat(255), fc.constantFrom('set', 'insert', 'remove'))
    let read = 0
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), changes => {
        const octets = [...made.csr]
        for (const [at, octet, how] of changes)
          octets.splice(at, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [octet]))
        const request = readOrRefuse(Uint8Array.from(octets))
        if (!request) return
        read++
        if (!provesPossession(request)) return
        assert.ok(equal(request.subject.der, good.subject.der))
        assert.ok(equal(request.publicKey.spki, good.publicKey.spki))
        assert.deepEqual(
          request.extensions.map(({ oid, critical, value }) => [oid, critical, toHex(value)]),
          good.extensions.map(({ oid, critical, value }) => [oid, critical, toHex(value)]),
        )
      }),
      { numRuns: 3000 },
    )
    assert.ok(read > 100)
  })

  it('is read by another implementation alike', () => {
    for (const csr of [made.csr, ...Object.values(accepted).map(make => make(device))]) {
      const ours = readRequest(csr)
      const theirs = new peculiar.Pkcs10CertificateRequest(csr)
      assert.equal(toHex(new Uint8Array(theirs.publicKey.rawData)), toHex(ours.publicKey.spki))
      assert.deepEqual(
        Array.from(theirs.attributes, ({ type }) => type),
        [...ours.attributes],
      )
      assert.deepEqual(
        Array.from(theirs.extensions, ({ type, critical, value }) => [
          type,
          critical,
          toHex(new Uint8Array(value)),
        ]),
        ours.extensions.map(({ oid, critical, value }) => [oid, critical, toHex(value)]),
      )
    }
  })

  it('that OpenSSL makes is read: RSA, a subject, and extensions among other attributes', {
    skip: noOpenssl,
  }, () => {
    const { ok, says } = openssl(
      ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null', '-sha256'].concat(
        ['-subj', '/O=Trading Name/OU=02/CN=system'],
        ['-addext', 'keyUsage=critical,digitalSignature'],
        ['-addext', 'subjectAltName=DNS:a.example'],
      ),
    )
    assert.ok(ok, says)
    const request = readRequest(readPem(says)[0]!.der)
    assert.equal(request.publicKey.kind, 'RSA')
    assert.equal(readRsaKey(new Der(request.publicKey.key)).bits, 2048)
    assert.equal(showName(request.subject), 'O=Trading Name, OU=02, CN=system')
    assert.deepEqual(
      request.extensions.map(one => [one.oid, one.critical]),
      [
        [oids.keyUsage, true],
        [oids.subjectAltName, false],
      ],
    )
    assert.equal(request.signatureAlgorithm.oid, oids.sha256WithRsa)
    const spki = { key: Buffer.from(request.publicKey.spki), format: 'der', type: 'spki' } as const
    assert.ok(verify('sha256', request.tbs, spki, request.signature))
  })

  it('has its attributes even if there are none (RFC 2986 4.1)', () => {
    assert.deepEqual(readRequest(csrWith({ ...device, extensions: [] })).attributes, [])
    const name = Buffer.from('3000', 'hex')
    const bare = sequence(integer(0), name, readRequest(made.csr).publicKey.spki)
    const whole = sequence(bare, sequence(oid(oids.ecdsaWithSha256)), Buffer.from('030100', 'hex'))
    assert.throws(() => readRequest(whole), { name: 'NotDer', fault: 'truncated' })
  })

  it('may have several attributes, in the order of a SET OF (X.690 11.6), none of them twice', () => {
    const password = attribute('1.2.840.113549.1.9.7', utf8String('x'))
    const both = csrWith({ ...device, attributes: [password] })
    assert.deepEqual(readRequest(both).attributes, ['1.2.840.113549.1.9.7', oids.extensionRequest])

    const asked = attribute(oids.extensionRequest, sequence(extensionOf('1.2.3', octetString(Buffer.alloc(0)))))
    const swapped = withAttributes(asked, password)
    assert.throws(() => readRequest(swapped), { fault: 'set_order' })
    // Not neighbours in the order: it goes by length first.
    const longer = attribute('1.2.840.113549.1.9.7', utf8String('x'.repeat(90)))
    assert.throws(() => readRequest(withAttributes(password, asked, longer)), { fault: 'duplicate' })
    assert.throws(() => readRequest(withAttributes(sequence(oid('1.2.3'), setOf()))), { fault: 'empty' })
    assert.throws(() => readRequest(withAttributes(sequence(oid('1.2.3')))), { fault: 'truncated' })
    const [a, b] = [printableString('a'), printableString('b')]
    assert.deepEqual(readRequest(withAttributes(attributeOf(a, b))).attributes, ['1.2.3'])
    assert.throws(() => readRequest(withAttributes(attributeOf(b, a))), { fault: 'set_order' })
    const extensions = sequence(extensionOf('1.2.3', octetString(Buffer.alloc(0))))
    const two = sequence(oid(oids.extensionRequest), setOf(extensions, extensions))
    assert.throws(() => readRequest(withAttributes(two)), { fault: 'trailing' })
  })

  it('is read or refused, by the name of its fault, for each peculiarity of the simulated Devices', () => {
    const faults: Partial<Record<keyof typeof refused, string>> = {
      'keyUsage stands there twice': 'duplicate',
      'the extensionRequest stands there twice': 'duplicate',
      'an octet follows the request': 'trailing',
      'the request is cut short': 'truncated',
      'the length is in the form of BER': 'length',
      'the length is longer than it needs to be': 'length',
      'there are no octets': 'truncated',
    }
    for (const [name, make] of Object.entries(refused)) {
      const fault = faults[name as keyof typeof refused]
      if (fault) assert.throws(() => readRequest(make(device)), { name: 'NotDer', fault }, name)
      else readRequest(make(device))
    }
    for (const make of Object.values(accepted)) assert.ok(provesPossession(readRequest(make(device))))
  })
})

/** Several values, in the order given. */
function attributeOf(...values: Buffer[]): Buffer {
  const set = setOf(...values)
  return sequence(oid('1.2.3'), Buffer.concat([set.subarray(0, 2), ...values]))
}

/** A request whose attributes stand in the order given. */
function withAttributes(...attributes: Buffer[]): Buffer {
  const information = sequence(
    integer(0),
    Buffer.from('3000', 'hex'),
    readRequest(made.csr).publicKey.spki,
    tagged(0, ...attributes),
  )
  return sequence(information, sequence(oid(oids.ecdsaWithSha256)), Buffer.from('030100', 'hex'))
}
