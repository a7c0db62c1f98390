/** Bad input at the door: each has its own refusal, nothing is lost, and the service goes on answering. */

import assert from 'node:assert/strict'
import { createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { connect as connectTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { type ConnectionOptions, connect, getCiphers, type TLSSocket } from 'node:tls'
import { makeBatchXml, makeMany } from '../../simulator/batch.ts'
import { type Device, makeDeviceCsr } from '../../simulator/device.ts'
import { resultPath, submitPath } from '../../src/doors/device-csr/batch.ts'
import { BatchReader } from '../../src/doors/device-csr/batch-message.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import type { Certificate } from '../../src/ground/x509/certificate.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import { issuingAuthority } from '../../src/rooms/authority/register.ts'
import { issueIki } from '../../src/rooms/issuance/single.ts'
import { type CredentialKind, parties } from '../../src/rooms/registration/parties.ts'
import { markRevoked } from '../../src/rooms/repository/lists.ts'
import { publishList } from '../../src/rooms/revocation/list.ts'
import { extensions as ext, forgeCertificate, type Pair, rsa } from '../verify/forge.ts'
import { badDocuments } from './documents.ts'
import { adHocDocument, type Environment, serving, sleep } from './environment.ts'

let smki: Environment
const adHocPath = () => smki.service.settings.services.adHocPath
const port = () => smki.service.ports.device!

before(async () => {
  smki = await serving({
    issuing: { batchMaximum: 5, threads: 1, deviceThreshold: 100_000 },
    services: { bodySilenceSeconds: 1, headSeconds: 2, requestSeconds: 20 },
  })
  const first = makeDeviceCsr(known).csr
  await smki.until(await smki.send([{ id: 'first', csr: first }]), 'COMPLETED')
  expected = await held()
})
after(() => smki.close())

let devices = 0x02e3000000000000n
const known: Device = { deviceId: '02e3000000000000', usage: 'digitalSignature' }
const goodCsr = () => makeDeviceCsr({ ...known, usage: 'keyAgreement' }).csr
const newCsr = () =>
  makeDeviceCsr({ deviceId: (++devices).toString(16).padStart(16, '0'), usage: 'digitalSignature' }).csr
const goodBatch = async (count = 1): Promise<Buffer> => {
  const items = Array.from({ length: count }, (_, i) => ({ id: `i${i}`, csr: newCsr() }))
  return Buffer.concat(await Array.fromAsync(makeBatchXml(items, { id: 'batch' })))
}

/** All that the store holds of requests and what came of them. */
interface Held {
  readonly certificates: bigint
  readonly open: bigint
  readonly batches: bigint
  readonly parts: bigint
}

async function held(): Promise<Held> {
  const { rows } = await smki.store.query<{ [name in keyof Held]: bigint }>(
    `SELECT (SELECT coalesce(sum(count), 0)::int8 FROM signing WHERE state = 'complete') AS certificates,
            (SELECT count(*) FROM signing WHERE state = 'intended') AS open,
            (SELECT count(*) FROM batch) AS batches, (SELECT count(*) FROM batch_part) AS parts`,
  )
  return rows[0]!
}

/** Nothing was kept but what the good requests of the tests themselves brought. */
let expected: Held
const expectMore = (certificates: number, batches: number) => {
  expected = {
    ...expected,
    certificates: expected.certificates + BigInt(certificates),
    batches: expected.batches + BigInt(batches),
    parts: expected.parts + BigInt(batches),
  }
}

/** After each of them the service answers good requests on both channels, and the store holds what it should. */
afterEach(async () => {
  const answer = await smki.ask(goodCsr())
  assert.equal(answer.fields.Status, 'SUCCESS')
  expectMore(1, 0)
  let now = await held()
  // An upload that broke off is dropped when its end is noticed.
  for (let look = 0; look < 100 && now.parts !== expected.parts; look++) {
    await sleep(50)
    now = await held()
  }
  assert.deepEqual(now, expected)
  await smki.until(await smki.send([{ id: 'a', csr: newCsr() }]), 'COMPLETED')
  expectMore(1, 1)
  assert.deepEqual(await held(), expected)
})

interface Credential {
  readonly key: string | Buffer
  readonly cert: string | Buffer
}

function credential(party: string, name: string): Credential {
  const folder = join(smki.home.credentials, party)
  return {
    key: readFileSync(join(folder, `${name}.key.pem`)),
    cert: readFileSync(join(folder, `${name}.crt.pem`)),
  }
}
const adHoc = () => credential('import-supplier', 'adhoc-ws')
const batch = () => credential('meter-maker', 'batch-ws')
/** The two channels: where a document goes, and with which credential. */
const both = () =>
  [
    [adHocPath(), adHoc()],
    [submitPath, batch()],
  ] as const
const ca = () => readFileSync(join(smki.home.tls, 'ca.crt.pem'))

interface Heard {
  readonly status: number
  readonly text: string
}

/** One request on a connection of its own, sent to its end whatever is answered meanwhile. */
function send(
  tls: Partial<Credential>,
  path: string,
  body: string | Buffer | AsyncIterable<Buffer> | undefined,
  headers: Record<string, string> = { 'content-type': 'application/xml;charset=UTF-8' },
): Promise<Heard> {
  const agent = new Agent({ keepAlive: false })
  const method = body === undefined && path.startsWith(resultPath) ? 'GET' : 'POST'
  const { promise, resolve, reject } = Promise.withResolvers<Heard>()
  const sent = request({ host: '127.0.0.1', port: port(), ca: ca(), ...tls, method, path, headers, agent })
  sent.on('error', reject)
  sent.on('response', async answer => {
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    resolve({ status: answer.statusCode!, text: Buffer.concat(chunks).toString('utf8') })
  })
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) sent.end(body)
  else {
    void (async () => {
      for await (const chunk of body)
        if (!sent.write(chunk)) await new Promise(drained => sent.once('drain', drained))
      sent.end()
    })().catch(reject)
  }
  return promise.finally(() => agent.destroy())
}

const csr64 = () => goodCsr().toString('base64')
describe('A document that', () => {
  for (const [what, documents] of Object.entries(badDocuments)) {
    it(`${what} is FM:AA1, without an ID`, async () => {
      for (const [channel, document] of Object.entries(documents)) {
        const octets = Buffer.from(document.replaceAll(/(?<=>)CSR|-CSR-/g, csr64()), 'latin1')
        const answer = await (channel === 'adHoc' ? smki.adHoc(octets) : smki.submit(octets))
        assert.equal(answer.fields.ErrorCode, 'FM:AA1', `${channel}: ${answer.text}`)
        assert.equal(answer.fields.Status ?? answer.fields.BatchStatus, 'FORMAT_ERROR')
        assert.equal(answer.id, undefined)
      }
    })
  }

  it('is no document at all, but a request without a body, is FM:AA1', async () => {
    for (const headers of [{}, { 'content-type': 'application/xml' }]) {
      for (const [path, tls] of both()) {
        const { status, text } = await send(tls, path, undefined, headers)
        assert.equal(status, 200)
        assert.match(text, /<ErrorCode>FM:AA1</)
      }
    }
  })

  it('is of another media type is refused by HTTP', async () => {
    for (const [path, tls] of both()) {
      const { status } = await send(tls, path, '{}', { 'content-type': 'application/json' })
      assert.equal(status, 415)
    }
  })
})

describe('A batch', () => {
  it('of more CSRs than the limit is FM:AA2, with its ID; of as many it is taken', async () => {
    const over = await smki.submit(await goodBatch(6))
    assert.deepEqual([over.fields.BatchStatus, over.fields.ErrorCode, over.id], ['FORMAT_ERROR', 'FM:AA2', 'batch'])
    const just = await smki.submit(await goodBatch(5))
    assert.equal(just.fields.BatchStatus, 'PENDING')
    const result = await smki.until(BigInt(just.fields.BatchId!), 'COMPLETED')
    assert.equal(result.items.length, 5)
    expectMore(5, 1)
  })

  it('that is both malformed and too long is malformed', async () => {
    const over = await goodBatch(6)
    assert.equal((await smki.submit(over.subarray(0, -5))).fields.ErrorCode, 'FM:AA1')
  })

  it('of 50,001 real CSRs is refused by the reader of the door, and of 50,000 is read', async () => {
    const csrs: Buffer[] = []
    for await (const { csr } of makeMany({
      count: 500,
      firstDeviceId: '02e3000000100000',
      usages: ['keyAgreement'],
      threads: 1,
    }))
      csrs.push(csr)
    const read = async (count: number) => {
      let handed = 0
      const reader = new BatchReader(() => handed++, { limit: 50_000 })
      const items = (function* () {
        for (let i = 0; i < count; i++) yield { id: `i${i}`, csr: csrs[i % 500]! }
      })()
      for await (const chunk of makeBatchXml(items, { id: 'many' })) reader.write(chunk)
      try {
        return { ...reader.end(), handed }
      } catch (cause) {
        if (!(cause instanceof Refusal)) throw cause
        return { code: cause.code, id: reader.id, handed }
      }
    }
    assert.deepEqual(await read(50_000), { id: 'many', count: 50_000, handed: 50_000 })
    assert.deepEqual(await read(50_001), { code: 'FM:AA2', id: 'many', handed: 50_000 })
  })

  it('that breaks off leaves nothing', async () => {
    const document = await goodBatch(5)
    for (const length of [0, 1, 100, document.length - 1]) {
      const socket = await open(batch())
      socket.write(head(submitPath, document.length))
      socket.write(document.subarray(0, length))
      await sleep(20)
      socket.destroy()
    }
  })
})

const head = (path: string, length: number | 'chunked', method = 'POST') =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\n` +
  `${length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`}\r\n\r\n`

/** A connection past its handshake. */
function open(tls: Partial<Credential>, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const socket = connect({ host: '127.0.0.1', port: port(), ca: ca(), servername: 'localhost', ...tls, ...options })
  socket.once('secureConnect', () => resolve(socket))
  socket.on('error', reject)
  return promise
}

/** All that a connection says until it ends. */
async function untilEnd(socket: TLSSocket | Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let heard = ''
  socket.on('data', chunk => {
    heard += chunk
  })
  socket.once('close', () => resolve(heard))
  socket.on('error', () => {})
  return promise
}

describe('A body', () => {
  const mebi = 1024 * 1024
  /** Valid as far as it goes. */
  async function* endless(octets: number): AsyncGenerator<Buffer> {
    const start = Buffer.from(`<SubmitCSRBatch ID="a"><Version>1.0</Version>`)
    yield start
    const item = (i: number) => `<DeviceCSR ID="i${i}">${'QUJD'.repeat(4000)}</DeviceCSR>\n`
    for (let sent = start.length, i = 0; sent < octets; ) {
      const chunk = Buffer.from(Array.from({ length: 16 }, () => item(i++)).join('')).subarray(0, octets - sent)
      yield chunk
      sent += chunk.length
    }
  }

  it('of 65 MiB is refused with 413, and the client hears it, with its length told before and without', async () => {
    const told = { 'content-type': 'application/xml', 'content-length': String(65 * mebi) }
    const heard = await Promise.all([
      send(batch(), submitPath, endless(65 * mebi)),
      send(batch(), submitPath, endless(65 * mebi), told),
    ])
    assert.deepEqual(
      heard.map(one => [one.status, one.text]),
      [
        [413, ''],
        [413, ''],
      ],
    )
  })

  it('of 65 MiB for the Ad Hoc service is refused with 413 too, and so is one of 65,537 octets', async () => {
    assert.equal((await send(adHoc(), adHocPath(), endless(65 * mebi))).status, 413)
    const long = Buffer.alloc(65_537, ' ')
    assert.equal((await send(adHoc(), adHocPath(), long)).status, 413)
    assert.match((await send(adHoc(), adHocPath(), long.subarray(1))).text, /FM:AA1/)
  })

  it('that stops coming is given up with 408, on both channels', async () => {
    const silent = both().flatMap(([path, tls]) =>
      ([1000, 'chunked'] as const).map(async length => {
        const socket = await open(tls)
        socket.write(head(path, length))
        socket.write(length === 'chunked' ? '5\r\n<?xml\r\n' : '<?xml')
        return untilEnd(socket)
      }),
    )
    // The service answers others meanwhile.
    assert.equal((await smki.ask(goodCsr())).fields.Status, 'SUCCESS')
    expectMore(1, 0)
    for (const heard of await Promise.all(silent)) assert.match(heard, /^HTTP\/1\.1 408 .*connection: close/is)
  })

  it('that trickles is cut when the time for a whole request is over', async () => {
    await smki.restart({ services: { ...smki.service.settings.services, requestSeconds: 2 } })
    const trickling = both().map(async ([path, tls]) => {
      const socket = await open(tls)
      socket.write(head(path, 100_000))
      const trickle = setInterval(() => socket.write(' '), 100)
      return untilEnd(socket).finally(() => clearInterval(trickle))
    })
    for (const heard of await Promise.all(trickling)) assert.match(heard, /^(HTTP\/1\.1 408 .*)?$/s)
  })

  it('that is not HTTP, or tells two lengths, is refused', async () => {
    for (const octets of [
      'this is not HTTP\r\n\r\n',
      `POST ${submitPath} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`,
      `POST ${submitPath} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST ${submitPath} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ]) {
      const socket = await open(batch())
      socket.end(octets)
      assert.match(await untilEnd(socket), /^HTTP\/1\.1 4(00|31) /)
    }
  })
})

// ---- who may come in

/** A key that all our forgeries have: it is not the key that is wrong with them. */
const clientKey = makeKeyPair('RSA-2048')
const keyPem = () => Buffer.from(clientKey.pem())

async function issued(
  kind: CredentialKind,
  { party = 'import-supplier', at = new Date() }: { party?: string; at?: Date } = {},
): Promise<{ certificate: Certificate; tls: Credential }> {
  const all = await parties(smki.store)
  const record = await issuingAuthority(smki.store, 'iki')
  const by = { record, keys: smki.keys, profile: profileNamed(smki.service.settings, 'IKI Client Certificate') }
  const certificate = await issueIki({ ...smki.hands, clock: () => at }, by, {
    party: all.find(one => one.name === party)!.id,
    kind,
    role: 2,
    systemName: `system ${Math.random()}`,
    tradingName: 'Test',
    publicKey: clientKey.publicKey,
  })
  expectMore(1, 0)
  const cert = toPem('CERTIFICATE', certificate.der) + toPem('CERTIFICATE', record.certificate.der)
  return { certificate, tls: { key: keyPem(), cert } }
}

/** The connection is closed when the handshake is over, with an alert or without one. */
const noHandshake = /^(ECONNRESET|EPIPE|EPROTO|ERR_SSL_\w*ALERT\w*)$/

const turnedAway = (tls: Partial<Credential>) =>
  assert.rejects(send(tls, adHocPath(), adHocDocument(goodCsr())), (cause: NodeJS.ErrnoException) => {
    assert.match(`${cause.code}`, noHandshake)
    return true
  })

const refusedAtDoor = async (tls: Credential, path: string) => {
  const { status, text } = await send(tls, path, path.startsWith(resultPath) ? undefined : '<x/>')
  assert.deepEqual([status, text], [403, ''])
}

describe('A client', () => {
  it('without a certificate does not pass the handshake', async () => {
    await turnedAway({})
  })

  it('with a certificate that has expired does not pass the handshake', async () => {
    const { tls, certificate } = await issued('ADHOC_WS', { at: new Date(Date.now() - 11 * 366 * 86_400_000) })
    assert.ok(certificate.notAfter.ms < Date.now())
    await turnedAway(tls)
  })

  it('with a certificate that is not valid yet does not pass the handshake', async () => {
    const { tls } = await issued('ADHOC_WS', { at: new Date(Date.now() + 3_600_000) })
    await turnedAway(tls)
  })

  it('whose certificate stands on the IKI CRL does not pass the handshake', async () => {
    const { tls, certificate } = await issued('ADHOC_WS')
    assert.equal((await send(tls, adHocPath(), adHocDocument(Buffer.of(1)))).status, 200)
    const record = await issuingAuthority(smki.store, 'iki')
    await smki.store.transaction(client =>
      markRevoked(client, record.id, {
        serial: certificate.serial,
        at: new Date(),
        reason: 1,
        expiresAt: new Date(certificate.notAfter.ms),
      }),
    )
    const schedule = hierarchies(smki.service.settings).iki.issuing.list!
    await publishList(smki.hands, record, smki.keys, schedule)
    // The door looks for newer lists every few seconds.
    const refused = () =>
      send(tls, adHocPath(), '<x/>').then(
        () => undefined,
        (cause: Error) => cause,
      )
    let cause: Error | undefined
    for (let look = 0; look < 600 && !cause; look++) {
      await sleep(100)
      cause = await refused()
    }
    assert.match(`${(cause as NodeJS.ErrnoException).code}`, noHandshake)
  })

  it('whose record is revoked or suspended is refused with 403, on a connection that is open too', async () => {
    const { tls, certificate } = await issued('ADHOC_WS')
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ca(), ...tls })
    const ask = () =>
      new Promise<number>((resolve, reject) => {
        const headers = { 'content-type': 'application/xml' }
        const sent = request({ host: '127.0.0.1', port: port(), method: 'POST', path: adHocPath(), headers, agent })
        sent
          .on('error', reject)
          .on('response', answer => answer.resume().on('end', () => resolve(answer.statusCode!)))
        sent.end('<x/>')
      })
    assert.equal(await ask(), 200)
    for (const state of ['suspended', 'revoked']) {
      await smki.store.query('UPDATE credential SET state = $2 WHERE serial = $1', [certificate.serial, state])
      await sleep(1100)
      assert.equal(await ask(), 403, state)
    }
    agent.destroy()
  })

  it('with a certificate of ours that no record knows is refused with 403', async () => {
    const { tls, certificate } = await issued('ADHOC_WS')
    await smki.store.query('DELETE FROM credential WHERE serial = $1', [certificate.serial])
    await refusedAtDoor(tls, adHocPath())
  })

  it('with a credential of another kind is refused with 403 on every path but its own', async () => {
    for (const kind of ['PORTAL_ORG', 'PORTAL_DEVICE', 'FILE_SIGN', 'RA_STAFF'] as const) {
      const { tls } = await issued(kind)
      for (const path of [adHocPath(), submitPath, `${resultPath}?BatchId=1`]) await refusedAtDoor(tls, path)
    }
    await refusedAtDoor(batch(), adHocPath())
    await refusedAtDoor(adHoc(), submitPath)
    await refusedAtDoor(adHoc(), `${resultPath}?BatchId=1`)
  })

  it('finds nothing on any other path, and no other method on these', async () => {
    for (const path of ['/', '/1.0', '/1.0/PortalCSRBatch', `${submitPath}/x`, '/services/certificatesearch']) {
      assert.equal((await send(batch(), path, '<x/>')).status, 404, path)
    }
    for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE']) {
      const socket = await open(batch())
      socket.write(head(submitPath, 0, method).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
      assert.match(await untilEnd(socket), /^HTTP\/1\.1 404 /, method)
    }
  })

  it('does not see the batch of another Party', async () => {
    const { fields } = await smki.submit(await goodBatch(1))
    await smki.until(BigInt(fields.BatchId!), 'COMPLETED')
    expectMore(1, 1)
    for (const party of ['import-supplier', 'network-operator', 'dcc']) {
      const { text } = await smki.result(fields.BatchId!, party)
      assert.match(text, /<ErrorCode>FM:AA3</)
      assert.doesNotMatch(text, /DeviceCertificate/)
    }
  })

  describe('with a certificate from another authority does not pass the handshake:', () => {
    let other: Pair
    before(() => {
      other = rsa(2048)
    })

    it('one of the same name, made by a stranger', async () => {
      const { certificate } = await issued('ADHOC_WS')
      const ica = (await issuingAuthority(smki.store, 'iki')).certificate
      const forged = (name: typeof ica.subject.der, spki: typeof certificate.publicKey.spki, extra: Buffer[]) =>
        forgeCertificate({ issuer: ica.issuer.der, subject: name, spki, by: other, extensions: extra })
      const authority = forged(ica.subject.der, other.spki, [
        ext.constraints(true),
        ext.usage('keyCertSign'),
        ext.ski(other.id),
      ])
      const leaf = forgeCertificate({
        issuer: ica.subject.der,
        subject: certificate.subject.der,
        serial: certificate.serial,
        spki: certificate.publicKey.spki,
        by: other,
        extensions: [ext.usage('digitalSignature')],
      })
      const cert = toPem('CERTIFICATE', leaf) + toPem('CERTIFICATE', authority)
      await turnedAway({ key: keyPem(), cert })
    })

    it('one that a client made itself, or that a credential of ours "issued"', async () => {
      const { certificate, tls } = await issued('ADHOC_WS')
      const own = rsa(2048)
      const asOwn = forgeCertificate({
        issuer: certificate.subject.der,
        subject: certificate.subject.der,
        spki: own.spki,
        by: own,
      })
      const key = own.privateKey.export({ format: 'pem', type: 'pkcs8' })
      await turnedAway({ key, cert: toPem('CERTIFICATE', asOwn) })
      // The holder of a good credential plays authority with it.
      const holder = createPrivateKey(keyPem())
      const leaf = forgeCertificate({
        issuer: certificate.subject.der,
        subject: certificate.subject.der,
        spki: own.spki,
        by: { ...own, sign: octets => sign('sha256', octets, holder) },
      })
      await turnedAway({ key, cert: toPem('CERTIFICATE', leaf) + String(tls.cert) })
    })

    it('the server certificate of the test TLS authority, an Organisation Certificate, a Device Certificate', async () => {
      const server = {
        key: readFileSync(join(smki.home.tls, 'server.key.pem')),
        cert: readFileSync(join(smki.home.tls, 'server.crt.pem')),
      }
      await turnedAway(server)
      await turnedAway(credential('import-supplier', 'organisation-1-supplier-ds'))
      const { csr, privateKey } = makeDeviceCsr({ ...known, usage: 'digitalSignature' })
      const { fields } = await smki.ask(csr)
      expectMore(1, 0)
      const cert = toPem('CERTIFICATE', Buffer.from(fields.Certificate!, 'base64'))
      await turnedAway({ key: privateKey.export({ format: 'pem', type: 'pkcs8' }), cert })
    })
  })
})

describe('A handshake', () => {
  const handshake = async (options: ConnectionOptions) => {
    const socket = await open(batch(), options)
    const shown = `${socket.getProtocol()} ${socket.getCipher().name}`
    socket.destroy()
    return shown
  }

  it('takes TLS 1.2 and no other version', async () => {
    const anything = 'ALL:@SECLEVEL=0'
    assert.match(await handshake({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' }), /^TLSv1\.2 /)
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      await assert.rejects(handshake({ minVersion: version, maxVersion: version, ciphers: anything }), version)
    }
    await assert.rejects(handshake({ minVersion: 'TLSv1.3' }))
  })

  it('takes exactly the four suites of the specification, the strongest first', async () => {
    const taken: string[] = []
    const tried = getCiphers()
      .map(name => name.toUpperCase())
      .filter(name => !name.startsWith('TLS_'))
    assert.ok(tried.length > 30, `${tried.length} suites`)
    for (const name of tried) {
      const ciphers = `${name}:@SECLEVEL=0`
      await handshake({ ciphers, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }).then(
        shown => taken.push(shown),
        () => {},
      )
    }
    assert.deepEqual(taken.toSorted(), [
      'TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256',
      'TLSv1.2 ECDHE-RSA-AES128-SHA256',
      'TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384',
      'TLSv1.2 ECDHE-RSA-AES256-SHA384',
    ])
    const reversed = [
      'ECDHE-RSA-AES128-SHA256',
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES256-SHA384',
      'ECDHE-RSA-AES256-GCM-SHA384',
    ].join(':')
    assert.equal(await handshake({ ciphers: reversed }), 'TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384')
  })

  it('resumes no session: a certificate is looked at anew on each connection', async () => {
    const first = await open(batch())
    const session = first.getSession()!
    first.destroy()
    const second = await open(batch(), { session })
    assert.equal(second.isSessionReused(), false)
    second.destroy()
  })

  it('is with the server that the TLS authority names, with an RSA key of 2048 bits', async () => {
    const socket = await open(batch())
    const shown = socket.getPeerX509Certificate()!
    assert.ok(shown.verify(new X509Certificate(ca()).publicKey))
    assert.equal(shown.publicKey.asymmetricKeyDetails?.modulusLength, 2048)
    socket.destroy()
  })
})

describe('A connection', () => {
  it('in plain HTTP to the TLS port gets no answer', async () => {
    const cause = await new Promise<Error>((resolve, reject) => {
      const sent = plainRequest({ host: '127.0.0.1', port: port(), path: '/', agent: false }, answer =>
        reject(new Error(`answered ${answer.statusCode}`)),
      )
      sent.on('error', resolve).end()
    })
    assert.match(cause.message, /socket hang up|ECONNRESET|Parse Error/)
  })

  it('of two hundred that never go on does not keep others out, and each is closed in the end', async () => {
    const idle = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        // A third say nothing, a third begin a handshake, a third begin the head of a request.
        if (i % 3 === 2) {
          const socket = await open(batch())
          socket.write(`POST ${submitPath} HTTP/1.1\r\nHost: x\r\nX-Y`)
          return socket
        }
        const socket = connectTcp({ host: '127.0.0.1', port: port() })
        await new Promise(connected => socket.once('connect', connected))
        if (i % 3 === 1) socket.write(Buffer.from('16030100c8010000c40303', 'hex'))
        return socket
      }),
    )
    const ends = Promise.all(idle.map(untilEnd))
    for (let i = 0; i < 5; i++) {
      assert.equal((await smki.ask(goodCsr())).fields.Status, 'SUCCESS')
      expectMore(1, 0)
    }
    assert.ok(idle.filter(socket => !socket.destroyed).length > 100, 'they were there meanwhile')
    const heard = await ends
    assert.ok(heard.every(text => text === '' || /^HTTP\/1\.1 408 /.test(text) || text.charCodeAt(0) === 0x15))
  })
})
