import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { makeDeviceCsr } from '../../../simulator/device.ts'
import { noOpenssl, openssl } from '../../../test/outside.ts'
import { toHex } from '../bytes.ts'
import { octetString, sequence } from '../der/write.ts'
import { extension, readCertificate } from './certificate.ts'
import { readKeyUsage } from './extensions.ts'
import { readList } from './list.ts'
import { showName } from './name.ts'
import { oids } from './names.ts'
import { fromBase64, NotPem, readPem, readPemOrDer, toPem } from './pem.ts'
import { readRequest } from './request.ts'

/** RFC 7468 figure 7: a certificate with explanatory text before it. */
const explained = `Subject: CN=Atlantis
Issuer: CN=Atlantis
Validity: from 7/9/2012 3:10:38 AM UTC to 7/9/2013 3:10:37 AM UTC
-----BEGIN CERTIFICATE-----
MIIBmTCCAUegAwIBAgIBKjAJBgUrDgMCHQUAMBMxETAPBgNVBAMTCEF0bGFudGlz
MB4XDTEyMDcwOTAzMTAzOFoXDTEzMDcwOTAzMTAzN1owEzERMA8GA1UEAxMIQXRs
YW50aXMwXDANBgkqhkiG9w0BAQEFAANLADBIAkEAu+BXo+miabDIHHx+yquqzqNh
Ryn/XtkJIIHVcYtHvIX+S1x5ErgMoHehycpoxbErZmVR4GCq1S2diNmRFZCRtQID
AQABo4GJMIGGMAwGA1UdEwEB/wQCMAAwIAYDVR0EAQH/BBYwFDAOMAwGCisGAQQB
gjcCARUDAgeAMB0GA1UdJQQWMBQGCCsGAQUFBwMCBggrBgEFBQcDAzA1BgNVHQEE
LjAsgBA0jOnSSuIHYmnVryHAdywMoRUwEzERMA8GA1UEAxMIQXRsYW50aXOCASow
CQYFKw4DAh0FAANBAKi6HRBaNEL5R0n56nvfclQNaXiDT174uf+lojzA4lhVInc0
ILwpnZ1izL4MlI9eCSHhVQBHEp2uQdXJB+d5Byg=
-----END CERTIFICATE-----
`

/** RFC 7468 figure 8. */
const list = `-----BEGIN X509 CRL-----
MIIB9DCCAV8CAQEwCwYJKoZIhvcNAQEFMIIBCDEXMBUGA1UEChMOVmVyaVNpZ24s
IEluYy4xHzAdBgNVBAsTFlZlcmlTaWduIFRydXN0IE5ldHdvcmsxRjBEBgNVBAsT
PXd3dy52ZXJpc2lnbi5jb20vcmVwb3NpdG9yeS9SUEEgSW5jb3JwLiBieSBSZWYu
LExJQUIuTFREKGMpOTgxHjAcBgNVBAsTFVBlcnNvbmEgTm90IFZhbGlkYXRlZDEm
MCQGA1UECxMdRGlnaXRhbCBJRCBDbGFzcyAxIC0gTmV0c2NhcGUxGDAWBgNVBAMU
D1NpbW9uIEpvc2Vmc3NvbjEiMCAGCSqGSIb3DQEJARYTc2ltb25Aam9zZWZzc29u
Lm9yZxcNMDYxMjI3MDgwMjM0WhcNMDcwMjA3MDgwMjM1WjAjMCECEC4QNwPfRoWd
elUNpllhhTgXDTA2MTIyNzA4MDIzNFowCwYJKoZIhvcNAQEFA4GBAD0zX+J2hkcc
Nbrq1Dn5IKL8nXLgPGcHv1I/le1MNo9t1ohGQxB5HnFUkRPAY82fR6Epor4aHgVy
b+5y+neKN9Kn2mPF4iiun+a4o26CjJ0pArojCL1p8T0yyi9Xxvyc/ezaZ98HiIyP
c3DGMNR+oUmSjKZ0jIhAYmeLxaPHfQwR
-----END X509 CRL-----
`

/** RFC 7468 figure 9. */
const request = `-----BEGIN CERTIFICATE REQUEST-----
MIIBWDCCAQcCAQAwTjELMAkGA1UEBhMCU0UxJzAlBgNVBAoTHlNpbW9uIEpvc2Vm
c3NvbiBEYXRha29uc3VsdCBBQjEWMBQGA1UEAxMNam9zZWZzc29uLm9yZzBOMBAG
ByqGSM49AgEGBSuBBAAhAzoABLLPSkuXY0l66MbxVJ3Mot5FCFuqQfn6dTs+9/CM
EOlSwVej77tj56kj9R/j9Q+LfysX8FO9I5p3oGIwYAYJKoZIhvcNAQkOMVMwUTAY
BgNVHREEETAPgg1qb3NlZnNzb24ub3JnMAwGA1UdEwEB/wQCMAAwDwYDVR0PAQH/
BAUDAwegADAWBgNVHSUBAf8EDDAKBggrBgEFBQcDATAKBggqhkjOPQQDAgM/ADA8
AhxBvfhxPFfbBbsE1NoFmCUczOFApEuQVUw3ZP69AhwWXk3dgSUsKnuwL5g/ftAY
dEQc8B8jAcnuOrfU
-----END CERTIFICATE REQUEST-----
`

describe('PEM', () => {
  it('is read from the examples of RFC 7468, and their DER with it', () => {
    const [certificate, ...more] = readPem(explained)
    assert.deepEqual([certificate!.label, certificate!.der.length, more.length], ['CERTIFICATE', 413, 0])
    assert.equal(showName(readCertificate(certificate!.der).subject), 'CN=Atlantis')

    const [crl] = readPem(list)
    assert.equal(crl!.label, 'X509 CRL')
    const read = readList(crl!.der)
    assert.equal(read.count, 1)
    assert.equal(toHex([...read.entries()][0]!.serial), '2e103703df46859d7a550da659618538')
    assert.match(showName(read.issuer), /CN=Simon Josefsson/)

    const [csr] = readPem(request)
    const asked = readRequest(csr!.der)
    assert.match(showName(asked.subject), /^C=SE, O=Simon Josefsson Datakonsult AB, CN=josefsson\.org$/)
    assert.equal(asked.publicKey.kind, 'unknown') // P-224
    // The RFC's own example has zeros behind the last named bit (X.690 11.2.2): lessons, row 10.
    const usage = extension(asked, oids.keyUsage)!.value
    assert.equal(toHex(usage), '030307a000')
    assert.throws(() => readKeyUsage(usage), { fault: 'bit_string' })
  })

  it('is written as the RFC writes it: 64 columns, the last line as long as it is', () => {
    for (const text of [list, request]) {
      const [block] = readPem(text)
      assert.equal(toPem(block!.label, block!.der), text)
    }
    assert.equal(toPem('X', Buffer.alloc(48)).split('\n')[1]!.length, 64)
    assert.equal(toPem('X', Buffer.alloc(48)).split('\n').length, 4)
    assert.equal(toPem('X', Buffer.alloc(0)), '-----BEGIN X-----\n\n-----END X-----\n')
  })

  it('comes back as it was written, block by block, through any commentary and any ends of lines', () => {
    const block = fc.record({
      label: fc.constantFrom('CERTIFICATE', 'CERTIFICATE REQUEST', 'X509 CRL', 'A-B C'),
      der: fc.uint8Array({ maxLength: 200 }),
    })
    const comment = fc.constantFrom('', 'Subject: x\n', '# source: a-b\n\n', '-----\n', '----BEGIN X----\n')
    fc.assert(
      fc.property(fc.array(fc.tuple(comment, block)), fc.constantFrom('\n', '\r\n'), (blocks, eol) => {
        const text = blocks
          .map(([comment, { label, der }]) => comment + toPem(label, der))
          .join('')
          .replaceAll('\n', eol)
        assert.deepEqual(
          readPem(text).map(({ label, der }) => [label, toHex(der)]),
          blocks.map(([, { label, der }]) => [label, toHex(der)]),
        )
      }),
    )
  })

  it('is the same in OpenSSL', { skip: noOpenssl }, () => {
    const { csr } = makeDeviceCsr({ deviceId: 'a1b2c3d4e5f60718', usage: 'keyAgreement' })
    const { ok, says } = openssl(['req', '-verify'], toPem('CERTIFICATE REQUEST', csr))
    assert.ok(ok, says)
    assert.match(says, /verify OK/)
    assert.deepEqual(readPem(says)[0]!.der, csr)
  })

  it('is refused when a block does not end, or ends as another', () => {
    for (const text of [
      '-----BEGIN X-----\nAAAA\n',
      '-----BEGIN X-----\nAAAA\n-----END Y-----\n',
      '-----BEGIN X-----\nAAAA\n-----BEGIN X-----\nAAAA\n-----END X-----\n',
      '-----BEGIN X-----\nAAAA\n----END X-----\n',
    ]) {
      assert.throws(() => readPem(text), NotPem, text)
    }
    assert.deepEqual(readPem('no blocks at all'), [])
    assert.deepEqual(readPem('text -----BEGIN X-----\nAAAA\n-----END X-----'), [])
  })

  it('is refused when what it holds is not base64, or not the one base64 of its octets (RFC 4648 3.5)', () => {
    for (const text of [
      'A',
      'AA',
      'AAA',
      'AAAAA',
      'A===',
      'AA=A',
      '=AAA',
      'AA==AA==',
      'AAA_',
      'AA-A',
      'AAA\u00e9',
      'AB==',
      'AAB=',
    ])
      assert.throws(() => fromBase64(text), NotPem, text)
    assert.throws(() => readPem('-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----\n'), NotPem)
    assert.equal(toHex(fromBase64(' AA\t==\r\n')), '00')
    assert.equal(fromBase64('').length, 0)
    fc.assert(
      fc.property(fc.uint8Array(), octets => {
        assert.equal(toHex(fromBase64(Buffer.from(octets).toString('base64'))), toHex(octets))
      }),
    )
  })

  it('of megabytes is read in a moment, also when it is hostile', () => {
    const start = process.cpuUsage()
    const long = Buffer.alloc(8_000_000, 7)
    assert.deepEqual(readPem(toPem('X', long))[0]!.der, long)
    assert.throws(() => readPem('-----BEGIN X-----\n'.repeat(100_000)), NotPem)
    assert.throws(() => readPem(`-----BEGIN ${'-a'.repeat(1_000_000)}`.concat('\n-----BEGIN X-----')), NotPem)
    assert.deepEqual(readPem(`-----BEGIN ${'-a'.repeat(1_000_000)}`), [])
    assert.throws(() => fromBase64(`${'='.repeat(1_000_000)}A===`), NotPem)
    assert.ok(process.cpuUsage(start).user < 3_000_000)
  })
})

describe('A file', () => {
  const der = readPem(explained)[0]!.der

  it('may be DER, or PEM with one of the labels that are wanted', () => {
    assert.deepEqual(readPemOrDer(der, ['CERTIFICATE']), [der])
    assert.deepEqual(readPemOrDer(Buffer.from(explained), ['CERTIFICATE']), [der])
    assert.deepEqual(readPemOrDer(Buffer.from(explained + list + explained), ['CERTIFICATE']), [der, der])
    assert.throws(() => readPemOrDer(Buffer.from(list), ['CERTIFICATE']), NotPem)
    assert.throws(() => readPemOrDer(Buffer.alloc(0), ['CERTIFICATE']), NotPem)
    assert.throws(() => readPemOrDer(Buffer.from('nothing'), ['CERTIFICATE']), NotPem)
    assert.throws(() => readPemOrDer(Buffer.of(4, 1, 0), ['CERTIFICATE']), NotPem)
  })

  it('may be PEM whose commentary begins with a zero, which is the tag of a SEQUENCE', () => {
    for (const before of ['0\n', '01-ca.pem\n', '0é\n'])
      assert.deepEqual(readPemOrDer(Buffer.from(before + explained), ['CERTIFICATE']), [der])
  })

  it('of DER is itself, also when it carries the text of another certificate', () => {
    for (const filler of [0, 100, 70_000]) {
      const carrier = sequence(octetString(Buffer.from(`\n${'x'.repeat(filler)}\n${explained}`)))
      assert.deepEqual(readPemOrDer(carrier, ['CERTIFICATE']), [carrier])
    }
  })
})
