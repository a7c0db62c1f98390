import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import * as client from '@smartdcc/dccboxed-keystore/dist/certificateSearch.js'
import fc from 'fast-check'
import { XmlDocument } from 'libxml2-wasm'
import { deliberatelyRefused, judge, mutated } from '../../../test/xsd.ts'
import { Refusal } from '../../ground/refusal.ts'
import {
  type Found,
  readDataRequest,
  readSearchRequest,
  writeDataResponse,
  writeNothing,
  writeSearchResponse,
} from './message.ts'

const libxml2 = judge(new URL('./schema/Repository-1.0.xsd', import.meta.url))
const eui64 = '90-B3-D5-1F-30-01-00-0A'

const search = (name: string, value: string) =>
  `<CertificateSearchRequest><${name}>${value}</${name}></CertificateSearchRequest>`
const bySubject = (value: string) => search('CertificateSubjectName', value)
const byAltName = (value: string) => search('CertificateSubjectAltName', value)
const bySerial = (value: string) =>
  `<CertificateDataRequest><CertificateSerial>${value}</CertificateSerial></CertificateDataRequest>`

const isData = (document: Uint8Array) => Buffer.from(document).includes('<CertificateDataRequest')

function refused(document: string | Uint8Array): string | undefined {
  const octets = Buffer.from(document)
  try {
    isData(octets) ? readDataRequest(octets) : readSearchRequest(octets)
    return undefined
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.code !== 'INVALID_SEARCH') throw cause
    return cause.message
  }
}

describe('a request to the Repository', () => {
  it('is read as the client of Smart DCC writes it', () => {
    const written = (name: string, body: Record<string, string>) => Buffer.from(client.prepareRequest(name, body))
    const asked = eui64.toLowerCase()
    assert.deepEqual(readSearchRequest(written('CertificateSearchRequest', { CertificateSubjectName: asked })), {
      subject: 'ORGANISATION',
      eui64,
    })
    assert.deepEqual(readSearchRequest(written('CertificateSearchRequest', { CertificateSubjectAltName: asked })), {
      subject: 'DEVICE',
      eui64,
    })
    for (const serial of ['1', 'abc', '0ABC', '2a'.padStart(32, '0'), 'f'.repeat(40)]) {
      const read = readDataRequest(written('CertificateDataRequest', { CertificateSerial: serial }))
      assert.equal(read, BigInt(`0x${serial}`))
    }
  })

  const good = [
    bySubject(eui64),
    byAltName(`\n  ${eui64.toLowerCase()}\n`),
    bySerial(' 0aBc '),
    bySerial('a'.repeat(40)),
  ]
  const bad = [
    ...[
      '',
      'x',
      eui64.replaceAll('-', ''),
      eui64.replaceAll('-', ':'),
      `${eui64}-00`,
      eui64.slice(3),
      'G'.repeat(16),
    ].flatMap(value => [bySubject(value), byAltName(value)]),
    ...['', ' ', 'x', '0x1', '-1', '1 2', 'a'.repeat(41), '１'].map(bySerial),
    search('CertificateSerial', 'abc'),
    search('CertificateRole', '2'),
    bySubject(eui64).replace('</CertificateSubjectName>', '$&<CertificateRole>2</CertificateRole>'),
    bySubject(eui64).replace(/<CertificateSubjectName>.*Name>/, '$&$&'),
    bySubject(eui64).replace(/(<CertificateSubject)(Name>.*Subject)(Name>)/, '$1$2$3$1Alt$2Alt$3'),
    bySubject(eui64).replace('<CertificateSubjectName', '$& a=""'),
    bySubject(eui64).replace('<CertificateSearchRequest', '$& ID=""'),
    bySubject(eui64).replace('<CertificateSearchRequest', '$& xmlns="urn:a"'),
    '<CertificateSearchRequest/>',
    '<CertificateDataRequest/>',
    '<CertificateSearchRequest>x</CertificateSearchRequest>',
    '',
    '{}',
  ]

  it('has the verdict of its schema', () => {
    for (const document of good) assert.deepEqual([refused(document), libxml2(document)], [undefined, undefined])
    for (const document of bad) {
      assert.match(refused(document)!, /^the request is not a valid search of the Repository: /, document)
      assert.ok(libxml2(document) !== undefined, document)
    }
    assert.throws(() => readDataRequest(Buffer.from(bySubject(eui64))), { code: 'INVALID_SEARCH' })
    assert.throws(() => readSearchRequest(Buffer.from(bySerial('1'))), { code: 'INVALID_SEARCH' })
  })

  it('has the verdict of its schema, whatever was changed', () => {
    let accepted = 0
    fc.assert(
      fc.property(mutated(good), document => {
        const verdict = libxml2(document)
        const ours = refused(document)
        if (ours === undefined) accepted++
        if (ours !== undefined && deliberatelyRefused(document) !== undefined) return
        assert.equal(ours === undefined, verdict === undefined, `${ours} / ${verdict}`)
      }),
      { numRuns: 3000 },
    )
    assert.ok(accepted > 300, `${accepted} accepted`)
  })

  it('is refused with a document type, an entity or a processing instruction, which its schema would allow', () => {
    for (const document of [
      `<!DOCTYPE CertificateSearchRequest [<!ENTITY e "${eui64}">]>${bySubject('&e;')}`,
      `<!DOCTYPE CertificateDataRequest>${bySerial('1')}`,
      `<?a b?>${bySerial('1')}`,
    ]) {
      assert.ok(refused(document))
    }
  })
})

const device: Found = {
  serial: 0x0an,
  eui64,
  status: 'I',
  role: undefined,
  usage: 'DS',
  manufacturingFlag: true,
}
const organisation: Found = { ...device, serial: 2n ** 127n, role: 135, usage: 'KA', manufacturingFlag: false }
const auditReference = '1234567890-abc123456'
const body = Uint8Array.of(0x30, 0x82, 1, 2, 3)

/** Valid, and then: every element without children below `path`, as name=text. */
function leaves(document: string, path: string): string[] {
  assert.equal(libxml2(document), undefined)
  using parsed = XmlDocument.fromString(document)
  return parsed.find(`${path}//*[not(*)]`).map(leaf => `${(leaf as { name?: string }).name}=${leaf.content}`)
}

describe('an answer of the Repository', () => {
  it('tells of every certificate that was found, in the order of the table', () => {
    const statuses = (['P', 'I', 'N', 'E', 'R'] as const).map(status => ({ ...device, status }))
    for (const results of [[], [device], [organisation, device], statuses]) {
      const document = writeSearchResponse({ auditReference, results })
      const found = leaves(document, '/CertificateSearchResponse')
      assert.deepEqual(found.slice(0, 3), [
        'ResponseCode=200',
        'ResponseMessage=Success',
        `AuditReference=${auditReference}`,
      ])
      assert.equal(found.filter(leaf => leaf.startsWith('CertificateSerial')).length, results.length)
    }
    const both = leaves(writeSearchResponse({ auditReference, results: [organisation, device] }), '//Result')
    assert.deepEqual(both, [
      'CertificateSerial=80000000000000000000000000000000',
      `CertificateSubjectName=${eui64}`,
      'CertificateStatus=I',
      'CertificateRole=135',
      'CertificateUsage=KA',
      'ManufacturingFlag=false',
      'CertificateSerial=0000000000000000000000000000000A',
      `CertificateSubjectAltName=${eui64}`,
      'CertificateStatus=I',
      'CertificateUsage=DS',
      'ManufacturingFlag=true',
    ])
  })

  it('has the certificate that was asked for', () => {
    const of = (found: Found) => leaves(writeDataResponse({ auditReference, found, body }), '//CertificateResponse')
    assert.deepEqual(of(device), [
      `CertificateSubjectAltName=${eui64}`,
      'CertificateSerial=0000000000000000000000000000000A',
      'CertificateStatus=I',
      'CertificateUsage=DS',
      'ManufacturingFlag=true',
      'CertificateBody=MIIBAgM=',
    ])
    assert.deepEqual(of({ ...organisation, role: 0, serial: 2n ** 140n }), [
      `CertificateSubjectName=${eui64}`,
      'CertificateSerial=100000000000000000000000000000000000',
      'CertificateStatus=I',
      'CertificateUsage=KA',
      'ManufacturingFlag=false',
      'CertificateRole=0',
      'CertificateBody=MIIBAgM=',
    ])
  })

  it('says that nothing was found, or that the search was invalid', () => {
    for (const to of ['search', 'retrieve'] as const) {
      const root = to === 'search' ? '/CertificateSearchResponse' : '/CertificateDataResponse'
      for (const code of [401, 402] as const) {
        const [first, , last, ...more] = leaves(writeNothing({ auditReference, to, code }), root)
        assert.deepEqual([first, last, more], [`ResponseCode=${code}`, `AuditReference=${auditReference}`, []])
      }
    }
  })
})

const data = new URL('../../../../shared/data/dcc-certs/', import.meta.url)
const skip = existsSync(data) ? false : 'skipped: ../shared/data/dcc-certs is not here (external test data)'

it('the client of Smart DCC finds and retrieves real certificates through these messages', { skip }, async () => {
  const pem = (folder: string) => readFileSync(new URL(`${folder}/${readdirSync(new URL(folder, data))[0]}`, data))
  const certificates = [
    { found: device, x509: new X509Certificate(pem('device-ds')) },
    { found: organisation, x509: new X509Certificate(pem('org-accessControlBroker-ds')) },
  ].map(({ found, x509 }) => ({ found: { ...found, serial: BigInt(`0x${x509.serialNumber}`) }, x509 }))

  const server = createServer(async (request, response) => {
    const octets = Buffer.concat(await request.toArray())
    const isSearch = request.url!.startsWith('/services/certificatesearch?')
    const serial = isSearch ? undefined : readDataRequest(octets)
    const one = certificates.find(({ found }) => found.serial === serial)
    const wanted = isSearch ? readSearchRequest(octets).subject : undefined
    const results = certificates
      .map(({ found }) => found)
      .filter(found => (found.role === undefined) === (wanted === 'DEVICE'))
    response.writeHead(isSearch || one ? 200 : 402, { 'content-type': 'application/xml;charset=UTF-8' })
    if (isSearch) response.end(writeSearchResponse({ auditReference, results }))
    else if (one) response.end(writeDataResponse({ auditReference, found: one.found, body: one.x509.raw }))
    else response.end(writeNothing({ auditReference, to: 'retrieve', code: 402 }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const asked = eui64.toLowerCase()
    const status = 'I' as client.CertificateStatus
    const usage = (word: 'DS' | 'KA') => word as client.CertificateUsage
    const devices = await client.search(
      { q: { CertificateSubjectAltName: asked }, CertificateUsage: usage('DS'), CertificateStatus: status },
      address,
    )
    assert.deepEqual(
      devices.map(({ x509 }) => x509.fingerprint256),
      [certificates[0]!.x509.fingerprint256],
    )
    const organisations = await client.search(
      {
        q: { CertificateSubjectName: asked },
        CertificateRole: '135' as client.CertificateRole,
        CertificateUsage: usage('KA'),
        CertificateStatus: status,
      },
      address,
    )
    assert.deepEqual(
      organisations.map(({ x509 }) => x509.fingerprint256),
      [certificates[1]!.x509.fingerprint256],
    )
    assert.ok('role' in organisations[0]!.meta)
    const serial = certificates[0]!.found.serial.toString(16)
    assert.equal((await client.query(serial, address))?.x509.fingerprint256, certificates[0]!.x509.fingerprint256)
    assert.equal(await client.query('1', address), null)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
