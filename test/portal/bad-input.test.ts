/** What is wrong, hostile or late at the Portal: refused in words, and nothing is kept of it. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { ZipFile } from 'yazl'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { readZip } from '../../src/doors/portal/officer/batches/zip-request.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { loadSettings, parseSettings } from '../../src/main/home.ts'
import { testPortalOf } from '../../src/main/portal-door.ts'
import { type Client, client, said, type Turned, turned } from './door.ts'

const minute = 60_000
const page = '/officer/batches/new'
const csr = (deviceId = '02d2000000000001') =>
  toPem('CERTIFICATE REQUEST', makeDeviceCsr({ deviceId, usage: 'digitalSignature' }).csr)

/** Members in a zip, stored. */
async function zip(
  members: Iterable<readonly [name: string, content: string | Buffer]>,
  compress = false,
): Promise<Buffer> {
  const file = new ZipFile()
  for (const [name, content] of members) file.addBuffer(Buffer.from(content as string), name, { compress })
  file.end()
  const chunks: Buffer[] = []
  for await (const chunk of file.outputStream as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The same octets with every occurrence of a name replaced by another of its length: names that no honest writer makes. */
function renamed(octets: Buffer, from: string, to: string): Buffer {
  assert.equal(from.length, to.length)
  return Buffer.from(octets.toString('latin1').replaceAll(from, to), 'latin1')
}

describe('the Portal', () => {
  let here: Turned
  let aro: Client
  before(async () => {
    here = await turned()
    aro = client({ port: here.ports.testPortal! })
    await aro.enter('meter-maker')
  })
  after(() => here?.close())

  const kept = async () => {
    const { rows } = await here.environment.store.query<{ batches: bigint; parts: bigint }>(
      'SELECT (SELECT count(*) FROM batch) AS batches, (SELECT count(*) FROM batch_part) AS parts',
    )
    return rows[0]!
  }

  /** Uploads it, is refused, and nothing is kept. */
  async function refusedZip(octets: Buffer, words: RegExp, status = 400): Promise<void> {
    const before = await kept()
    await aro.get(page)
    const answer = await aro.upload(page, 'a.zip', octets)
    assert.equal(answer.status, status, said(answer))
    assert.match(said(answer), words)
    // Beside its field, and in the summary that leads there.
    assert.match(answer.text, /<a href="#zip">/)
    assert.match(answer.text, /id="zip-error"/)
    assert.deepEqual(await kept(), before)
  }

  it('refuses a zip for each thing that is wrong with it, and names the member', async () => {
    const good = csr()
    const one = await zip([['aaaa.csr', good]])
    await refusedZip(Buffer.from('no zip'), /cannot be read as a zip file/)
    await refusedZip(one.subarray(0, one.length - 30), /cannot be read as a zip file/)
    await refusedZip(await zip([]), /it has no members/)
    await refusedZip(renamed(one, 'aaaa.csr', '../a.csr'), /invalid relative path: \.\.\/a\.csr/)
    await refusedZip(renamed(one, 'aaaa.csr', '/aaa.csr'), /absolute path: \/aaa\.csr/)
    await refusedZip(renamed(one, 'aaaa.csr', 'a\\aa.csr'), /invalid characters in fileName: a\\aa\.csr/)
    await refusedZip(await zip([['f/a.csr', good]]), /“f\/a\.csr” lies in a folder/)
    await refusedZip(
      await zip([
        ['a.csr', good],
        ['b.txt', 'hello'],
      ]),
      /“b\.txt” does not end in “\.csr”/,
    )
    await refusedZip(await zip([['nested.zip', one]]), /“nested\.zip” does not end in “\.csr”/)
    await refusedZip(
      await zip([
        ['Same.csr', good],
        ['same.csr', good],
      ]),
      /“same\.csr” has the name of another member/,
    )
    await refusedZip(await zip([['.csr', good]]), /has no name/)
    await refusedZip(await zip([[`${'x'.repeat(201)}.csr`, good]]), /name of more than 200 characters/)
    await refusedZip(await zip([['long.csr', 'A'.repeat(16_385)]]), /“long\.csr” has more than 16,384 octets/)
  })

  it('refuses an encrypted member, a bomb, and a member that unpacks to more than it says', async () => {
    const one = await zip([['aaaa.csr', csr()]], true)
    const encrypted = Buffer.from(one)
    for (const at of [6, encrypted.indexOf(Buffer.from('504b0102', 'hex')) + 8]) encrypted[at] = encrypted[at]! | 1
    await refusedZip(encrypted, /“aaaa\.csr” is encrypted/)
    await refusedZip(bomb(1 << 20, 1 << 20), /“bomb\.csr” has more than 16,384 octets/)
    await refusedZip(bomb(1 << 20, 100), /“bomb\.csr” cannot be unpacked/)
    // Many small ones are a bomb too: together more than the Portal takes.
    const many = Array.from({ length: 140 }, (_, i) => [`m${i}.csr`, 'A'.repeat(16_000)] as const)
    await refusedZip(await zip(many, true), /more octets together than the Portal takes/)
  })

  it('refuses more members than a batch may have, by its own code', async () => {
    // The end of the directory says how many: no more is looked at.
    const octets = await zip([['a.csr', csr()]])
    for (const at of [octets.length - 14, octets.length - 12]) octets.writeUInt16LE(50_001, at)
    const items = readZip(octets, { members: 50_000, octets: 1 })
    await assert.rejects(async () => {
      for await (const _ of items);
    }, /50,001 members, and a batch may have 50,000/)
    await refusedZip(await zip(Array.from({ length: 201 }, (_, i) => [`${i}.csr`, ''] as const)), /FM:AA2/)
  })

  it('answers an upload that is too large when it has come to its end, and keeps nothing of it', async () => {
    const before = await kept()
    await aro.get(page)
    async function* endless() {
      for (let i = 0; i < 20; i++) yield Buffer.alloc(1 << 20)
    }
    const answer = await aro.upload(page, 'a.zip', endless())
    assert.equal(answer.status, 413)
    assert.match(said(answer), /larger than the Portal takes/)
    assert.deepEqual(await kept(), before)
  })

  it('never keeps or shows a private key, and tells whoever sent it to consider it compromised', async () => {
    const pair = makeKeyPair('P-256')
    const pem = pair.pem().toString()
    const body = pem
      .split('\n')
      .filter(line => !line.startsWith('-----'))
      .join('')
    const secret = body.slice(30, 70)
    await aro.get('/officer/device/new')
    for (const sent of [pem, body, `some words\n${pem}`, pem.replaceAll('PRIVATE KEY', 'EC PRIVATE KEY')]) {
      const answer = await aro.post('/officer/device/new', { csr: sent })
      assert.equal(answer.status, 400)
      assert.match(said(answer), /Consider it compromised/)
      assert.ok(!answer.text.includes(secret), 'the page does not show it')
    }
    await refusedZip(
      await zip([
        ['a.csr', csr()],
        ['b.csr', pem],
      ]),
      /Consider it compromised/,
    )
    assert.ok(!here.logged().includes(secret))
    const acts = await here.environment.acts()
    const noted = acts.filter(({ act, body: says }) => act === 'refused' && says.code === 'PRIVATE_KEY')
    assert.ok(noted.length >= 5)
    assert.ok(!JSON.stringify(acts).includes(secret))
    const { rows } = await here.environment.store.query<{ found: bigint }>(
      "SELECT count(*) AS found FROM batch_part WHERE position(convert_to($1, 'UTF8') IN octets) > 0",
      [secret],
    )
    assert.equal(rows[0]!.found, 0n)
  })

  it('shows markup as the text that it is, in every field that is shown once more', async () => {
    const markup = '"><script>alert(1)</script><b x=\''
    for (const [path, fields] of [
      ['/officer/device/new', { csr: markup }],
      ['/officer/revocations/new', { serial: markup, words: markup, ground: markup }],
    ] as const) {
      await aro.get(path)
      const answer = await aro.post(path, fields)
      assert.equal(answer.status, 400)
      assert.ok(!answer.text.includes('<script>alert') && !answer.text.includes('<b x='), path)
      assert.ok(answer.text.includes('&lt;script&gt;alert(1)'), path)
    }
    const query = new URLSearchParams(
      Object.fromEntries(
        ['eui64', 'serial', 'key', 'issuer', 'family', 'role', 'status', 'from', 'until', 'after'].map(name => [
          name,
          markup,
        ]),
      ),
    )
    const found = await aro.get(`/repository/certificates?${query}`)
    assert.equal(found.status, 200)
    assert.ok(!found.text.includes('<script>alert'))
    assert.equal((found.text.match(/govuk-error-message/g) ?? []).length, 9)
    const named = await zip([['<img src=x onerror=alert(1)>.csr', csr('02d2000000000099')]])
    await aro.get(page)
    const answer = await aro.upload(page, '<script>alert(1)<!--.zip', named)
    assert.equal(answer.status, 303, said(answer))
    const shown = await aro.get(String(answer.headers.location))
    assert.ok(shown.text.includes('&lt;script&gt;alert(1)&lt;!--.zip') && !shown.text.includes('<script>alert'))
  })

  it('refuses a form without its token, with another session’s, and one from another site', async () => {
    const other = client({ port: here.ports.testPortal! })
    await other.enter('import-supplier')
    await aro.get('/officer/device/new')
    const before = await kept()
    for (const token of ['', 'x'.repeat(22), other.token]) {
      const answer = await aro.post('/officer/device/new', { csr: csr(), token })
      assert.equal(answer.status, 409)
      assert.match(said(answer), /out of date/)
    }
    await aro.get('/officer/device/new')
    const foreign = await aro.post('/officer/device/new', { csr: csr() }, { origin: 'https://elsewhere.example' })
    assert.equal(foreign.status, 403)
    assert.match(said(foreign), /did not come from a page of the Portal/)
    assert.deepEqual(await kept(), before)
  })

  it('refuses the second of two decisions on one batch, in words', async () => {
    await aro.get(page)
    const taken = await aro.upload(page, 'two.zip', await zip([['a.csr', csr('02d2000000000007')]]))
    const id = String(taken.headers.location).split('/').at(-1)
    const [first, second] = [client({ port: here.ports.testPortal! }), client({ port: here.ports.testPortal! })]
    await first.enter('ra-clerk-1')
    await second.enter('ra-clerk-2')
    for (const clerk of [first, second]) await clerk.get(`/registration/batches/${id}`)
    assert.equal((await first.post(`/registration/batches/${id}`, { do: 'reject', reason: '' })).status, 400)
    assert.equal((await first.post(`/registration/batches/${id}`, { do: 'reject', reason: 'a test' })).status, 303)
    const late = await second.post(`/registration/batches/${id}`, { do: 'approve' })
    assert.equal(late.status, 409)
    assert.match(said(late), /not waiting for a decision/)
    const shown = await aro.get(`/officer/batches/${id}`)
    assert.match(said(shown), /Rejected .* a test/)
  })

  it('does not know another organisation’s batches, and shows nobody the pages of another role', async () => {
    await aro.get(page)
    const taken = await aro.upload(page, 'own.zip', await zip([['a.csr', csr('02d2000000000008')]]))
    const address = String(taken.headers.location)
    assert.equal((await aro.get(address)).status, 200)
    const other = client({ port: here.ports.testPortal! })
    await other.enter('import-supplier')
    for (const path of [address, `${address}/report.txt`, `${address}/certificates.zip`]) {
      const answer = await other.get(path)
      assert.equal(answer.status, 404, path)
      assert.ok(!answer.text.includes('own.zip'))
    }
    assert.equal((await aro.get('/registration/batches')).status, 403)
    // The meter manufacturer has no token for Organisation Certificates.
    assert.equal((await aro.get('/officer/organisation/new')).status, 403)
    assert.equal(
      (await aro.post(`/registration/batches/${address.split('/').at(-1)}`, { do: 'approve' })).status,
      403,
    )
    const nobody = client({ port: here.ports.testPortal! })
    const answer = await nobody.get('/officer/batches')
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.location, '/')
  })

  it('ends a session after five minutes of silence: what is submitted then is not taken, an upload under way is', async () => {
    await aro.get(page)
    here.pass(4 * minute)
    assert.equal((await aro.get(page)).status, 200)
    here.pass(4 * minute)
    assert.equal((await aro.get(page)).status, 200)

    // Six minutes go by while it is on its way: it was begun in time.
    const octets = await zip([['a.csr', csr('02d2000000000009')]])
    async function* slowly() {
      yield octets.subarray(0, 100)
      // The door has looked at the session by then.
      await new Promise(go => setTimeout(go, 300))
      here.pass(6 * minute)
      yield octets.subarray(100)
    }
    const late = await aro.upload(page, 'slow.zip', slowly())
    assert.equal(late.status, 303, said(late))
    assert.match(String(late.headers.location), /^\/officer\/batches\/\d+$/)

    const before = await kept()
    await aro.get(page)
    here.pass(5 * minute + 1000)
    const ended = await aro.upload(page, 'late.zip', octets)
    assert.equal(ended.status, 403)
    assert.match(said(ended), /Your session has ended.*nothing was submitted/)
    assert.deepEqual(await kept(), before)
    const next = await aro.get(page)
    assert.equal(next.headers.location, '/?ended')
    assert.match(said(await aro.get('/?ended')), /Your session has ended/)
    await aro.enter('meter-maker')
  })

  it('sends nothing that another site could use, and answers to no name but its own', async () => {
    const answer = await aro.get('/home')
    assert.match(String(answer.headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/)
    assert.equal(answer.headers['x-frame-options'], 'DENY')
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.ok(!/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/.test(answer.text), 'no inline script or style')
    const rebound = await aro.get('/', { host: 'rebound.example' })
    assert.equal(rebound.status, 403)
    assert.equal((await aro.get('/nothing-here')).status, 404)
    assert.equal((await aro.get('/%zz')).status, 400)
  })

  it('has no page of test identities but in a test environment on a loopback address', () => {
    const settings = (kind: string, host: string) =>
      JSON.stringify({ environment: 'x', kind, services: { host, testPortalPort: 8080 } })
    for (const [kind, host] of [
      ['production', '127.0.0.1'],
      ['test', '0.0.0.0'],
      ['test', '192.0.2.1'],
      ['test', 'portal.example'],
    ] as const) {
      assert.throws(
        () => parseSettings(settings(kind, host), 'here'),
        { code: 'CONFIG_INVALID' },
        `${kind} ${host}`,
      )
    }
    const fit = parseSettings(settings('test', '127.0.0.1'), 'here')
    assert.deepEqual(testPortalOf(fit), { host: '127.0.0.1', port: 8080 })
    // Should the settings be changed on the way, the program does not open it either.
    assert.equal(testPortalOf({ ...fit, kind: 'production' }), undefined)
    assert.ok(loadSettings(here.environment.home).services.testPortalPort === 0)
  })
})

/** One deflated member that is `octets` long and says that it is `says` long. */
function bomb(octets: number, says: number): Buffer {
  const name = Buffer.from('bomb.csr')
  const content = Buffer.alloc(octets, 65)
  const packed = deflateRawSync(content)
  const head = Buffer.alloc(30)
  head.writeUInt32LE(0x04034b50, 0)
  head.writeUInt16LE(20, 4)
  head.writeUInt16LE(8, 8)
  head.writeUInt32LE(packed.length, 18)
  head.writeUInt32LE(says, 22)
  head.writeUInt16LE(name.length, 26)
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(20, 4)
  entry.writeUInt16LE(20, 6)
  entry.writeUInt16LE(8, 10)
  entry.writeUInt32LE(packed.length, 20)
  entry.writeUInt32LE(says, 24)
  entry.writeUInt16LE(name.length, 28)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(46 + name.length, 12)
  end.writeUInt32LE(30 + name.length + packed.length, 16)
  return Buffer.concat([head, name, packed, entry, name, end])
}
