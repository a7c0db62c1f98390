/** The Ad Hoc Device CSR Web Service: every status and code it has, reached through the door. */

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type Device, makeDeviceCsr, makeKeyPair } from '../../simulator/device.ts'
import { accepted } from '../../simulator/peculiar.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readGeneralNames } from '../../src/ground/x509/extensions.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { main } from '../../src/main/smki.ts'
import { hierarchies } from '../../src/policy/hierarchies.ts'
import { codes } from '../../src/policy/smki-device/codes.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { stockLevel } from '../../src/rooms/authority/stock.ts'
import { type Answer, adHocDocument, type Environment, serving, sleep } from './environment.ts'
import { beSubscriber, endSubscriber } from './officers.ts'
import { badRequests } from './requests.ts'

let smki: Environment

/** A Device that had its first certificate from the batch service. */
const known = { deviceId: '02e1000000000001', usage: 'digitalSignature' } as const
const firstKey = makeKeyPair()
const seen = new Set<string>()

before(async () => {
  smki = await serving({
    // Less in all than a thread of the signer sets aside: every certificate is counted.
    certificates: { issuingDcaCertificates: 14, issuingDcaStock: 3, issuingDcaStockWarning: 0 },
    issuing: { threads: 1, deviceThreshold: 12 },
  })
  const csrs = [
    { ...known, keyPair: firstKey },
    { ...known, deviceId: '02e1000000000002' },
    { ...known, deviceId: '02e1000000000003' },
  ].map((device, i) => ({ id: `d${i}`, csr: makeDeviceCsr(device).csr }))
  await smki.until(await smki.send(csrs), 'COMPLETED')
})
after(() => smki.close())

async function ask(csr: Uint8Array): Promise<Answer> {
  const answer = await smki.ask(csr)
  assert.equal(answer.status, 200)
  if (answer.fields.ErrorCode) seen.add(answer.fields.ErrorCode)
  return answer
}

const newCsr = (deviceId: string = known.deviceId, usage: Device['usage'] = 'keyAgreement') =>
  makeDeviceCsr({ deviceId, usage }).csr

function outcome({ fields }: Answer): string {
  return fields.Status === 'SUCCESS' ? 'SUCCESS' : `${fields.Status} ${fields.ErrorCode}`
}

describe('A Device CSR that is good', () => {
  it('is answered with its certificate: its key, its usage, its Device ID, from an Issuing DCA', async () => {
    const { csr, publicKey } = makeDeviceCsr({ ...known, usage: 'keyAgreement' })
    const answer = await ask(csr)
    assert.equal(answer.root, 'DeviceCertificateSigningResponse')
    assert.deepEqual(Object.keys(answer.fields), [
      'Version',
      'Build',
      'TransactionId',
      'Status',
      'Certificate',
      'DeviceCertificateSigningResponse',
    ])
    assert.equal(outcome(answer), 'SUCCESS')
    const der = Buffer.from(answer.fields.Certificate!, 'base64')
    const certificate = new X509Certificate(der)
    assert.ok(certificate.publicKey.equals(publicKey))
    const names = readCertificate(der).extensions.find(one => one.oid === oids.subjectAltName)!
    const [name] = readGeneralNames(names.value)
    assert.ok(name?.kind === 'hardwareModuleName')
    assert.equal(Buffer.from(name.hwSerialNum).toString('hex'), known.deviceId)
    const issuers = (await authorities(smki.store)).filter(one => one.part === 'Issuing DCA')
    assert.ok(issuers.some(one => certificate.verify(new X509Certificate(one.certificate.der).publicKey)))
  })

  it('has each its own transaction, a positive integer', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => smki.ask(Buffer.of(1))))
    const ids = answers.map(answer => answer.fields.TransactionId!)
    assert.equal(new Set(ids).size, 8)
    for (const id of ids) assert.match(id, /^[1-9]\d*$/)
  })
})

describe('The ID of a request', () => {
  for (const id of [
    'a',
    `x & <y> "z" 'w'`,
    ' two  spaces ',
    'line\nend\tand tab\r',
    'é 中 \u{10000} \u00a0 \u0085 \u2028',
    '32 characters, and not one more.',
    '\u{1f4a1}'.repeat(32),
    ']]>--&amp;',
  ]) {
    it(`comes back as it was given: ${JSON.stringify(id)}`, async () => {
      const answer = await smki.adHoc(adHocDocument(Buffer.of(1), id))
      assert.equal(answer.id, id)
      assert.equal(outcome(answer), 'CSR_ERROR CR:CC2')
    })
  }

  for (const id of ['', '33 characters, which is too many..', '\u{1f4a1}'.repeat(33)]) {
    it(`is refused, and not echoed, when it has ${[...id].length} characters`, async () => {
      const answer = await smki.adHoc(adHocDocument(newCsr(), id))
      assert.equal(answer.id, undefined)
      assert.equal(outcome(answer), 'FORMAT_ERROR FM:AA1')
      seen.add('FM:AA1')
    })
  }
})

describe('A Device CSR that is bad', () => {
  for (const { what, code, csr } of badRequests(known)) {
    it(`is refused with ${code}: ${what}`, async () => {
      assert.equal(outcome(await ask(csr)), `CSR_ERROR ${code}`)
    })
  }

  it('costs no certificate, and changes nothing for the Device', async () => {
    const { rows } = await smki.store.query<{ count: bigint }>(
      'SELECT count(*) AS count FROM certificate WHERE eui64 = $1',
      [Buffer.from(known.deviceId, 'hex')],
    )
    assert.equal(rows[0]!.count, 2n)
  })
})

describe('A Device CSR that differs, as those of real Devices do', () => {
  for (const [what, make] of Object.entries(accepted)) {
    it(`is taken: ${what}`, async () => {
      assert.equal(outcome(await ask(make({ ...known, deviceId: '02e1000000000002' }))), 'SUCCESS')
    })
  }
})

describe('A Device CSR of the right form', () => {
  it('for a Device without a certificate is answered with UNKNOWN_DEVICE', async () => {
    assert.equal(outcome(await ask(newCsr('02e10000000000ff'))), 'UNKNOWN_DEVICE UD:DD1')
  })

  it('for the same Device, key and usage is a duplicate; for the other usage it is not', async () => {
    const again = makeDeviceCsr({ ...known, keyPair: firstKey }).csr
    assert.equal(outcome(await ask(again)), 'CSR_ERROR CR:9999')
    const other = makeDeviceCsr({ ...known, usage: 'keyAgreement', keyPair: firstKey }).csr
    assert.equal(outcome(await ask(other)), 'SUCCESS')
    assert.equal(outcome(await ask(other)), 'CSR_ERROR CR:9999')
  })

  it('with the key of another Device is held for the Registration Authority', async () => {
    const stolen = makeDeviceCsr({ ...known, deviceId: '02e1000000000002', keyPair: firstKey }).csr
    assert.equal(outcome(await ask(stolen)), 'ISSUANCE_ANOMALY CA:EE2')
  })

  it('beyond the threshold of its Device ID is an anomaly, before it is a duplicate', async () => {
    const deviceId = '02e1000000000003'
    const eui64 = Buffer.from(deviceId, 'hex')
    const threshold = (value: number) =>
      smki.store.query(
        `INSERT INTO device_threshold VALUES ($1, $2, 'test', now())
         ON CONFLICT (eui64) DO UPDATE SET threshold = EXCLUDED.threshold`,
        [eui64, value],
      )
    await threshold(2)
    const csr = newCsr(deviceId)
    assert.equal(outcome(await ask(csr)), 'SUCCESS')
    assert.equal(outcome(await ask(newCsr(deviceId))), 'ISSUANCE_ANOMALY CA:EE1')
    assert.equal(outcome(await ask(csr)), 'ISSUANCE_ANOMALY CA:EE1')
    // The Registration Authority changes it for this Device ID alone.
    await threshold(3)
    assert.equal(outcome(await ask(csr)), 'CSR_ERROR CR:9999')
    assert.equal(outcome(await ask(newCsr(deviceId))), 'SUCCESS')
    assert.equal(outcome(await ask(newCsr(deviceId))), 'ISSUANCE_ANOMALY CA:EE1')
  })

  it('reaches the threshold of the environment where its Device ID has none of its own', async () => {
    const codes: string[] = []
    for (let i = 0; i < 13; i++) codes.push(outcome(await ask(newCsr())))
    const held = codes.indexOf('ISSUANCE_ANOMALY CA:EE1')
    assert.ok(held > 0)
    assert.ok(codes.slice(0, held).every(code => code === 'SUCCESS'))
    assert.ok(codes.slice(held).every(code => code === 'ISSUANCE_ANOMALY CA:EE1'))
    const { rows } = await smki.store.query<{ count: bigint }>(
      'SELECT count(*) AS count FROM certificate WHERE eui64 = $1',
      [Buffer.from(known.deviceId, 'hex')],
    )
    assert.equal(rows[0]!.count, 12n)
  })
})

describe('The stock of Issuing DCAs', () => {
  const dcas = async () => (await authorities(smki.store)).filter(one => one.part === 'Issuing DCA')
  const level = () => stockLevel(smki.store, hierarchies(smki.service.settings)['smki-device'].issuing.keyUse!)

  it('is used one key after the other; a used-up key is destroyed, and the journal has it', async () => {
    const [first] = await dcas()
    for (let look = 0; look < 600 && (await dcas())[0]!.state !== 'used-up'; look++) await sleep(50)
    assert.equal((await dcas())[0]!.state, 'used-up')
    smki.keys.reload()
    assert.ok(!smki.keys.has(first!.keyLabel), 'the key is gone from the key store')
    assert.ok((await dcas()).slice(1).every(one => smki.keys.has(one.keyLabel)))
    const destroyed = (await smki.acts()).filter(one => one.act === 'destroy key')
    assert.deepEqual(
      destroyed.map(({ body }) => [body.authority, body.name, body.keyStore]),
      [[first!.id, first!.name, smki.keys.identity]],
    )
    // Its certificate is as valid as before (CERT-A07), and it signed no more than it might.
    const { rows } = await smki.store.query<{ count: bigint }>(
      'SELECT count(*) AS count FROM certificate WHERE authority = $1',
      [first!.id],
    )
    assert.equal(rows[0]!.count, 14n)
    const { rowCount } = await smki.store.query('SELECT FROM revoked WHERE authority = $1', [first!.id])
    assert.equal(rowCount, 0)
  })

  it('when it is empty is a fault of the authority, and nothing else about the service is', async () => {
    await smki.store.query("INSERT INTO device_threshold VALUES ($1, 1000, 'test', now())", [
      Buffer.from(known.deviceId, 'hex'),
    ])
    const left = (await level()).left
    assert.ok(left > 0 && left < 42)
    for (let i = 0; i < left; i++) assert.equal(outcome(await ask(newCsr())), 'SUCCESS')
    assert.deepEqual((await level()).left, 0)
    const csr = newCsr()
    for (let i = 0; i < 3; i++) assert.equal(outcome(await ask(csr)), 'CA_ERROR CA:FF1')
    // What needs no key is answered as before.
    assert.equal(outcome(await ask(newCsr('02e10000000000ff'))), 'UNKNOWN_DEVICE UD:DD1')
    assert.equal(outcome(await ask(Buffer.of(1))), 'CSR_ERROR CR:CC2')
  })

  it('is filled up by a ceremony while the service runs', async () => {
    let out = ''
    const io = {
      out: (text: string) => {
        out += text
      },
      err: (text: string) => assert.fail(text),
      exit: () => {},
      clock: () => new Date(),
    }
    await main(['ceremony', 'issuing-dca', '--count', '2', '--home', smki.home.path], io)
    assert.match(out, /Issuing DCA: CN=D004 \(stock\)/)
    assert.equal((await level()).inStock, 2)
    const csr = newCsr()
    const answer = await ask(csr)
    assert.equal(outcome(answer), 'SUCCESS')
    const certificate = new X509Certificate(Buffer.from(answer.fields.Certificate!, 'base64'))
    assert.equal(certificate.issuer, 'CN=D004')
    const issuer = (await dcas()).find(one => one.name === 'D004')!
    assert.ok(certificate.verify(new X509Certificate(issuer.certificate.der).publicKey))
  })
})

describe('Where eligibility is checked on this channel too (SVC-A03)', () => {
  before(() => smki.restart({ issuing: { eligibilityOnAdHoc: true, deviceThreshold: 12, threads: 1 } }))

  it('a Party that is no Authorised Subscriber is held, for INELIGIBLE is no status of this service', async () => {
    await endSubscriber(smki, 'import-supplier', 'smki-device')
    await sleep(1100)
    assert.equal(outcome(await ask(newCsr())), 'ISSUANCE_ANOMALY CA:EE2')
    await beSubscriber(smki, 'import-supplier', 'smki-device')
    await sleep(1100)
    assert.equal(outcome(await ask(newCsr())), 'SUCCESS')
  })
})

describe('Of all codes', () => {
  it('this service has shown each that it has', () => {
    const other = /^(FM:AA[23]|WF:|IN:)/
    assert.deepEqual(
      [...seen].toSorted(),
      Object.keys(codes)
        .filter(code => !other.test(code))
        .toSorted(),
    )
  })
})
