import assert from 'node:assert/strict'
import { hash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect } from 'node:tls'
import { BoxedKeyStore, KeyUsage } from '@smartdcc/dccboxed-keystore'
import * as client from '@smartdcc/dccboxed-keystore/dist/certificateSearch.js'
import { noOpenssl, openssl } from '../../test/outside.ts'
import {
  address,
  ask,
  clientKey,
  device,
  door,
  folder,
  home,
  issued,
  key,
  lines,
  log,
  opened,
  retrieve,
  search,
  serialOf,
  settings,
  supplier,
  texts,
  xmlSigner,
} from '../../test/repository/door.ts'
import { fromHex, toHex, toHexUpper } from '../ground/bytes.ts'
import { keyIdentifier } from '../ground/x509/key.ts'
import { hyphenated } from '../policy/identifiers.ts'
import { type AuthorityRecord, authorities } from '../rooms/authority/register.ts'
import { findBySerials } from '../rooms/repository/find.ts'
import { currentLists } from '../rooms/repository/lists.ts'
import { intend, keep } from '../rooms/repository/register.ts'
import { startRepositoryDoor } from './repository-door.ts'
import { testParties } from './test-parties.ts'

describe('the client of Smart DCC, pointed at the Repository', () => {
  const boxed = async () => {
    const store = await BoxedKeyStore.new(
      address(),
      join(folder, `${Math.random()}.json`),
      join(folder, 'nothing.json'),
    )
    return store
  }

  it('finds the one certificate of a Device and usage that is in use', async () => {
    const store = await boxed()
    for (const [usage, certificate] of [
      [KeyUsage.digitalSignature, issued[2]],
      [KeyUsage.keyAgreement, issued[1]],
    ] as const) {
      const found = await store.query({ eui: device, keyUsage: usage, lookup: 'certificate' })
      assert.deepEqual(
        found?.map(one => one.certificate.raw),
        [certificate!.raw],
      )
      assert.equal(found[0]!.serial, BigInt(`0x${certificate!.serialNumber}`))
    }
  })

  it('retrieves a certificate by its serial number, in use or not', async () => {
    const store = await boxed()
    for (const certificate of issued) {
      const found = await store.query({ serial: BigInt(`0x${certificate.serialNumber}`), lookup: 'certificate' })
      assert.deepEqual(found?.certificate.raw, certificate.raw)
    }
  })

  it('searches for the certificates of an organisation, by role in decimal, status and usage', async () => {
    const q = { CertificateSubjectName: hyphenated(supplier).toLowerCase() }
    const kind = { CertificateStatus: 'I', CertificateRole: '2', q } as const
    const counts = await Promise.all(
      (['DS', 'KA'] as const).map(
        async CertificateUsage => (await client.search({ ...kind, CertificateUsage } as never, address())).length,
      ),
    )
    assert.deepEqual(counts, [1, 2], 'one to sign, and two key agreements of which one is for prepayment')
    const none = await client.search({ ...kind, CertificateUsage: 'DS', CertificateRole: '3' } as never, address())
    assert.deepEqual(none, [])
  })

  it('hears that there is nothing, or that its search was none', async () => {
    const sr = { CertificateUsage: 'DS', CertificateStatus: 'I' }
    const nobody = { ...sr, q: { CertificateSubjectAltName: '02-A1-00-00-00-00-FF-FF' } }
    assert.deepEqual(await client.search(nobody as never, address()), [])
    assert.equal(await client.query('1', address()), null)
    const bad = { ...sr, q: { CertificateSubjectAltName: '02A1000000000001' } }
    await assert.rejects(client.search(bad as never, address()), /invalid search parameters/)
    await assert.rejects(client.query('not a serial', address()), /invalid search parameters/)
  })
})

describe('a search over TLS', () => {
  it('tells of every certificate of a Device: one in use of each usage, the first of each with the flag', async () => {
    const { status, xml } = await search('CertificateSubjectAltName', hyphenated(device).toLowerCase())
    assert.equal(status, 200)
    assert.deepEqual(texts(xml, 'ResponseCode'), ['200'])
    assert.deepEqual(texts(xml, 'ResponseMessage'), ['Success'])
    assert.deepEqual(texts(xml, 'CertificateSerial'), issued.map(serialOf))
    assert.deepEqual(
      texts(xml, 'CertificateSubjectAltName'),
      issued.map(() => hyphenated(device)),
    )
    assert.deepEqual(texts(xml, 'CertificateUsage'), ['DS', 'KA', 'DS'])
    assert.deepEqual(texts(xml, 'CertificateStatus'), ['N', 'I', 'I'])
    assert.deepEqual(texts(xml, 'ManufacturingFlag'), ['true', 'true', 'false'])
    assert.deepEqual(texts(xml, 'CertificateRole'), [])
    assert.equal((await search('CertificateSubjectName', hyphenated(device))).status, 402)
  })

  it('tells of an organisation with its role in decimal, and without the flag', async () => {
    const { xml } = await search('CertificateSubjectName', hyphenated(supplier))
    assert.deepEqual(texts(xml, 'CertificateRole'), ['2', '2', '2'])
    assert.deepEqual(texts(xml, 'CertificateStatus'), ['I', 'I', 'I'])
    assert.deepEqual(texts(xml, 'ManufacturingFlag'), ['false', 'false', 'false'])
    assert.equal((await search('CertificateSubjectAltName', hyphenated(supplier))).status, 402)
    const other = await search('CertificateSubjectName', hyphenated(xmlSigner))
    assert.deepEqual(texts(other.xml, 'CertificateRole'), ['135'])
    const [serial] = texts(other.xml, 'CertificateSerial')
    const { xml: retrieved } = await retrieve(serial!)
    assert.deepEqual(texts(retrieved, 'CertificateRole'), ['135'])
    const { subject } = new X509Certificate(Buffer.from(texts(retrieved, 'CertificateBody')[0]!, 'base64'))
    assert.match(subject, /OU=87/)
  })
})

describe('a retrieval over TLS', () => {
  it('gives the certificate octet for octet, however its serial number is written', async () => {
    const [first] = issued
    const digits = serialOf(first!)
    for (const written of [digits, digits.toLowerCase(), `000${digits}`, digits.replace(/^0+/, '').toLowerCase()]) {
      const { status, xml } = await retrieve(written)
      assert.equal(status, 200)
      assert.deepEqual(texts(xml, 'CertificateSerial'), [digits])
      assert.deepEqual(texts(xml, 'CertificateStatus'), ['N'])
      assert.deepEqual(texts(xml, 'ManufacturingFlag'), ['true'])
      assert.deepEqual(Buffer.from(texts(xml, 'CertificateBody')[0]!, 'base64'), first!.raw)
    }
  })

  it('finds a serial number that begins with zeros, which the client sends with an odd number of digits', async () => {
    const serial = fromHex(`000${'1'.repeat(29)}`)
    await lodgeAgain(issued[1]!, serial, 100)
    const { status, xml } = await retrieve('1'.repeat(29))
    assert.equal(status, 200)
    assert.deepEqual(texts(xml, 'CertificateSerial'), [`000${'1'.repeat(29)}`])
  })

  it('has no words for the certificates of authorities and of the IKI', async () => {
    const { rows } = await opened.store.query<{ serial: Buffer }>(
      'SELECT serial FROM certificate WHERE family IN (0, 3)',
    )
    assert.ok(rows.length > 8)
    for (const { serial } of rows) assert.equal((await retrieve(toHex(serial))).status, 402)
  })

  it('of a serial number that two issuers share raises an alarm', async () => {
    const certificate = issued[1]!
    const serial = fromHex(serialOf(certificate))
    const before = (await findBySerials(opened.store, [serial], new Date()))[0]!
    await lodgeAgain(certificate, serial, before.authority + 1)
    lines.length = 0
    const { xml } = await retrieve(toHex(serial))
    assert.deepEqual(
      Buffer.from(texts(xml, 'CertificateBody')[0]!, 'base64'),
      certificate.raw,
      'the newest is answered',
    )
    await retrieve(serialOf(issued[0]!))
    for (let look = 0; look < 100 && !lines.join('').includes('SERIAL_SHARED'); look++) await sleep(10)
    const alarms = lines.map(line => JSON.parse(line)).filter(line => line.alarm)
    assert.deepEqual(
      alarms.map(({ level, serial, authorities }) => ({ level, serial, authorities })),
      [{ level: 50, serial: toHexUpper(serial), authorities: [before.authority, before.authority + 1] }],
    )
  })
})

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** The same certificate under another serial number or of another authority, as a careless operator might bring about. */
async function lodgeAgain(certificate: X509Certificate, serial: Buffer, authority: number): Promise<void> {
  const as = { family: 'device', usage: 'KA', role: undefined, eui64: fromHex('02a10000000000ff') } as const
  const { rows } = await opened.store.query<{ tbs: Buffer }>('SELECT tbs FROM certificate WHERE serial = $1', [
    fromHex(serialOf(certificate)),
  ])
  await opened.store.transaction(async client => {
    const one = { authority, ...as, ordinal: authority, serial, keyId: Buffer.alloc(8), tbs: rows[0]!.tbs }
    await keep(client, await intend(client, new Date(0), 72, [one]), 72, [fromHex('3006020101020101')])
  })
}

describe('what a Relying Party fetches beside', () => {
  const keyId = (one: AuthorityRecord) => toHexUpper(keyIdentifier(one.certificate.publicKey.key))

  it('is each current list, in DER, as it was signed', { skip: noOpenssl }, async () => {
    const lists = await currentLists(opened.store)
    assert.ok(lists.length >= 5)
    const issuers = new Map((await authorities(opened.store)).map(one => [one.id, one]))
    for (const list of lists) {
      const issuer = issuers.get(list.authority)!
      const { status, type, body } = await ask('GET', `/lists/${keyId(issuer)}.crl`)
      assert.deepEqual([status, type], [200, 'application/pkix-crl'])
      assert.deepEqual(body, list.der)
      const file = join(folder, 'issuer.pem')
      const pem = openssl(
        ['x509', '-inform', 'DER', '-out', file],
        (await ask('GET', `/authorities/${keyId(issuer)}.crt`)).body,
      )
      assert.ok(pem.ok, pem.says)
      const read = openssl(['crl', '-inform', 'DER', '-noout', '-CAfile', file], body)
      assert.ok(read.ok && read.says.includes('verify OK'), read.says)
    }
  })

  it('is the certificate of each authority, in DER, up to the root that signed itself', {
    skip: noOpenssl,
  }, async () => {
    const all = await authorities(opened.store)
    assert.ok(all.length >= 6)
    for (const one of all) {
      const { status, type, body } = await ask('GET', `/authorities/${keyId(one).toLowerCase()}.crt`)
      assert.deepEqual([status, type], [200, 'application/pkix-cert'])
      const read = openssl(['x509', '-inform', 'DER', '-noout', '-fingerprint', '-sha256'], body)
      assert.equal(
        read.says.trim().split('=')[1]?.replaceAll(':', ''),
        hash('sha256', one.certificate.der, 'hex').toUpperCase(),
      )
    }
    const issuer = all.find(one => one.part === 'Issuing DCA' && one.state === 'current')!
    const root = all.find(one => one.part === 'Root DCA')!
    const [above, top] = await Promise.all(
      [issuer, root].map(
        async one => new X509Certificate((await ask('GET', `/authorities/${keyId(one)}.crt`)).body),
      ),
    )
    for (const certificate of issued) assert.ok(certificate.verify(above!.publicKey))
    assert.ok(above!.verify(top!.publicKey) && top!.verify(top!.publicKey))
  })

  it('needs the API key too, and is not there under any other name', async () => {
    const [one] = await authorities(opened.store)
    const url = `${address()}authorities/${keyId(one!)}.crt`
    assert.equal((await fetch(url)).status, 403)
    for (const path of [
      `/authorities/${keyId(one!)}.crl`,
      `/lists/${keyId(one!)}`,
      '/lists/0000000000000000.crl',
    ]) {
      assert.equal((await ask('GET', path)).status, 404, path)
    }
  })
})

describe('the listeners of the Repository', () => {
  const handshake = (options: object) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(
        { host: '127.0.0.1', port: door.ports.tls, ca: readFileSync(join(home.tls, 'ca.crt.pem')), ...options },
        () => {
          resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
          socket.destroy()
        },
      )
      socket.on('error', reject)
    })

  it('speak TLS 1.2 with the four suites, and ask for no client certificate', async () => {
    assert.equal(await handshake({}), 'TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384')
    for (const ciphers of ['ECDHE-RSA-AES128-SHA256', 'ECDHE-RSA-AES256-SHA384', 'ECDHE-RSA-AES128-GCM-SHA256']) {
      assert.equal(await handshake({ ciphers, maxVersion: 'TLSv1.2' }), `TLSv1.2 ${ciphers}`)
    }
    await assert.rejects(handshake({ ciphers: 'ECDHE-RSA-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' }))
    await assert.rejects(handshake({ minVersion: 'TLSv1.3' }))
  })

  it('are one in production, and where no port is set for plain HTTP', async () => {
    const services = { ...settings.services, plainRepositoryPort: null }
    for (const changed of [{ ...settings, kind: 'production' } as const, { ...settings, services }]) {
      const other = await startRepositoryDoor({ settings: changed, home, target: opened.target, log })
      await other.close()
      assert.equal(other.ports.plain, undefined)
    }
  })

  it('leave nothing open when one of them cannot be had', async () => {
    const sessions = async () => {
      const { rows } = await opened.store.query(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'",
      )
      return rows.length
    }
    const before = await sessions()
    const services = { ...settings.services, plainRepositoryPort: door.ports.tls }
    const starting = startRepositoryDoor({ settings: { ...settings, services }, home, target: opened.target, log })
    await assert.rejects(starting, { code: 'PORT_IN_USE' })
    for (let look = 0; look < 100 && (await sessions()) > before; look++) await sleep(10)
    assert.ok((await sessions()) <= before)
  })

  it('log every request, and never an API key', () => {
    assert.ok(lines.length > 10)
    const keys = testParties.map(({ name }) => key(name)).concat(clientKey)
    assert.equal(keys.length, 5)
    for (const one of keys) assert.ok(!lines.join('').includes(one))
  })
})
