/** The files of the Repository: what is in them, and that a chain of deltas on a full file is the next full file. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import yauzl from 'yauzl'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { toHex } from '../../src/ground/bytes.ts'
import { signDigest, verifyDetached } from '../../src/ground/cms.ts'
import { makeKeyPair, readKeyPair } from '../../src/ground/keystore/pair.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { keyIdentifier } from '../../src/ground/x509/key.ts'
import { readPem } from '../../src/ground/x509/pem.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import { authorities, issuingAuthority } from '../../src/rooms/authority/register.ts'
import { issueOrganisation } from '../../src/rooms/issuance/single.ts'
import {
  type FileKind,
  filesOf,
  type Making,
  makeFile,
  type RepositoryFile,
} from '../../src/rooms/repository/files/make.ts'
import { markRevoked } from '../../src/rooms/repository/lists.ts'
import { renewLists } from '../../src/rooms/revocation/schedule.ts'
import { issue, makeRooms, newDeviceId, type Rooms } from '../issuing/rooms.ts'
import { noOpenssl, openssl } from '../outside.ts'

let rooms: Rooms
let folder: string
let now = Date.parse('2026-11-20T00:00:00Z')
let making: Making
before(async () => {
  rooms = await makeRooms({ pkis: ['smki-device', 'smki-organisation', 'iki'], clock: () => new Date(now) })
  folder = mkdtempSync(join(tmpdir(), 'opensmki-files-'))
  const issuers = new Map(
    (await authorities(rooms.store))
      .filter(one => one.pki === 'smki-organisation' || one.pki === 'smki-device')
      .map(one => [one.id, toHex(keyIdentifier(one.certificate.publicKey.key))]),
  )
  const dayOf = (at: Date) => at.toISOString().slice(0, 10).replaceAll('-', '')
  making = { store: rooms.store, clock: rooms.hands.clock, folder, dayOf, issuers }
})
after(async () => {
  await rooms?.close()
  rmSync(folder, { recursive: true, force: true })
})

const day = 86_400_000
const pass = (ms: number) => {
  now += ms
}

async function devices(count: number, ids = Array.from({ length: count }, newDeviceId)): Promise<string[]> {
  const csrs = ids.map(deviceId => makeDeviceCsr({ deviceId, usage: 'digitalSignature' }).csr)
  for (const outcome of await issue(rooms.devices(), csrs)) assert.ok('der' in outcome)
  return ids
}

async function serialOf(eui64: string, ordinal: number): Promise<string> {
  const { rows } = await rooms.store.query<{ serial: Buffer }>(
    "SELECT serial FROM certificate WHERE eui64 = decode($1, 'hex') AND ordinal = $2",
    [eui64, ordinal],
  )
  return rows[0]!.serial.toString('hex').toUpperCase()
}

async function organisation(eui64 = '02a0000000010000'): Promise<Certificate> {
  const by = {
    record: await issuingAuthority(rooms.store, 'smki-organisation'),
    keys: rooms.keys.issuing,
    profile: profileNamed(rooms.settings, 'Organisation Certificate'),
  }
  const { publicKey } = makeKeyPair('P-256')
  return issueOrganisation(rooms.hands, by, { role: 2, eui64, usage: 'digitalSignature', publicKey })
}

async function revoke(certificate: Certificate): Promise<void> {
  const { id } = await issuingAuthority(rooms.store, 'smki-organisation')
  const { serial } = certificate
  await rooms.store.transaction(client =>
    markRevoked(client, id, { serial, at: new Date(now), reason: 1, expiresAt: new Date(certificate.notAfter.ms) }),
  )
  await renewLists(rooms.hands, rooms.keys.issuing, listSchedules(rooms.settings))
}

async function make(kind: FileKind): Promise<RepositoryFile> {
  pass(1000)
  const file = await makeFile(making, kind, new Date(now))
  assert.ok(file)
  return file
}

/** The members of a zip, read by another library. */
async function members({ kind, name }: RepositoryFile): Promise<Map<string, Buffer>> {
  const open = promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open)
  const zip = await open(join(folder, kind.toLowerCase(), name), { lazyEntries: true })
  const found = new Map<string, Buffer>()
  await new Promise<void>((done, fail) => {
    zip.on('entry', (entry: yauzl.Entry) => {
      zip.openReadStream(entry, (cause, stream) => {
        if (cause) return fail(cause)
        const parts: Buffer[] = []
        stream.on('data', part => parts.push(part))
        stream.on('end', () => {
          found.set(entry.fileName, Buffer.concat(parts))
          zip.readEntry()
        })
      })
    })
    zip.on('end', done)
    zip.on('error', fail)
    zip.readEntry()
  })
  return found
}

const rowsOf = (content: Map<string, Buffer>) => {
  const [head, ...rows] = content.get('certificates.csv')!.toString().trimEnd().split('\n')
  const names = head!.split(',')
  return rows.map(row => Object.fromEntries(row.split(',').map((value, i) => [names[i]!, value])))
}
type Table = Map<string, Record<string, string>>
const key = (row: Record<string, string>) => `${row.issuerKeyId} ${row.serial}`

/** What a Relying Party holds after the full file, and after each delta. */
function apply(table: Table, rows: readonly Record<string, string>[]): Table {
  for (const { change, changedAt, ...row } of rows) {
    const before = table.get(key(row))
    assert.ok(change === 'A' ? before === undefined : before !== undefined, `${change} ${key(row)}`)
    assert.equal(row.body === '', change === 'S')
    table.set(key(row), { ...row, body: row.body || before!.body! })
  }
  return table
}
const sorted = (table: Table) => [...table.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1))

describe('The files of the Repository', () => {
  let table: Table

  it('begin with everything: certificates with their statuses, the current lists, and a manifest that binds them', async () => {
    await devices(5)
    await organisation()
    pass(day)
    const full = await make('FULL')
    assert.match(full.name, /^SMKI-FULL-\d{8}-000001\.zip$/)
    const content = await members(full)
    const rows = rowsOf(content)
    assert.equal(rows.filter(row => row.kind === 'DEVICE').length, 5)
    assert.equal(rows.filter(row => row.kind === 'ORGANISATION').length, 1)
    assert.ok(rows.every(row => row.change === 'A'))
    assert.equal(rows.length, full.records)
    for (const row of rows) {
      const certificate = readCertificate(Buffer.from(row.body!, 'base64'))
      assert.equal(toHex(certificate.serial).toUpperCase().padStart(32, '0'), row.serial)
    }
    const device = rows.find(row => row.kind === 'DEVICE')!
    assert.match(device.eui64!, /^([0-9A-F]{2}-){7}[0-9A-F]{2}$/)
    assert.equal(device.notAfter, '9999-12-31T23:59:59Z')
    const manifest = JSON.parse(content.get('manifest.json')!.toString()) as {
      members: { name: string; sha256: string; octets: number }[]
    }
    assert.equal(manifest.members.length, content.size - 1)
    for (const { name, sha256, octets } of manifest.members) {
      const found = content.get(name)!
      assert.equal(found.length, octets, name)
      assert.equal(createHash('sha256').update(found).digest('hex'), sha256, name)
    }
    assert.equal([...content.keys()].filter(name => name.endsWith('.crl')).length, 3)
    const whole = readFileSync(join(folder, 'full', full.name))
    assert.equal(createHash('sha256').update(whole).digest('hex'), full.sha256)
    assert.ok(rows.every(row => row.kind !== 'IKI'))
    table = apply(new Map(), rows)
  })

  it('go on by deltas: what was added, what was replaced, revoked or has expired; their chain is the next full file', async () => {
    // The first delta has everything since the beginning: what the full file had is known to be there.
    const first = rowsOf(await members(await make('DELTA')))
    assert.deepEqual(sorted(apply(new Map(), first)), sorted(table))

    const [replaced] = await devices(1)
    const doomed = await organisation()
    apply(table, rowsOf(await members(await make('DELTA'))))

    pass(day)
    await devices(1, [replaced!])
    await revoke(doomed)
    await organisation('02a0000000010001')
    const second = rowsOf(await members(await make('DELTA')))
    assert.deepEqual(second.map(row => `${row.change} ${row.status}`).sort(), ['A I', 'A I', 'S N', 'S R'])
    apply(table, second)

    // Organisation Certificates end after ten years.
    pass(11 * 365 * day)
    const third = rowsOf(await members(await make('DELTA')))
    assert.deepEqual(
      third.map(row => `${row.change} ${row.kind} ${row.status}`),
      ['S ORGANISATION E', 'S ORGANISATION E'],
    )
    apply(table, third)

    const next = rowsOf(await members(await make('FULL')))
    assert.deepEqual(sorted(apply(new Map(), next)), sorted(table))
  })

  it('tell once of a certificate whose status changed twice, and not of one that was replaced before', async () => {
    const [twice, earlier] = await devices(2)
    pass(day)
    await devices(1, [earlier!])
    await make('DELTA')
    pass(day)
    await devices(1, [twice!])
    await devices(1, [earlier!])
    await rooms.store.query(
      `INSERT INTO not_in_use (signing, position, since)
       SELECT signing, position, $1 FROM certificate WHERE eui64 = decode($2, 'hex') AND ordinal = 1`,
      [new Date(now), twice],
    )
    const rows = rowsOf(await members(await make('DELTA')))
    const changed = rows.filter(row => row.change === 'S').map(row => `${row.serial} ${row.status}`)
    // Of the Device with three, the first was out of use already.
    const due = [await serialOf(twice!, 1), await serialOf(earlier!, 2)].map(serial => `${serial} N`)
    assert.deepEqual(changed.toSorted(), due.toSorted())
  })

  it('have a detached signature beside them where there is a credential to sign with, which OpenSSL verifies', async t => {
    if (noOpenssl) return t.skip('openssl is not here')
    const at = (name: string) => join(folder, name)
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '30',
    ]
    assert.ok(openssl([...request, '-subj', '/CN=files', '-keyout', at('key'), '-out', at('crt')]).ok)
    const certificate = readCertificate(readPem(readFileSync(at('crt'), 'latin1'))[0]!.der)
    const pair = readKeyPair(readFileSync(at('key')))
    const sign = (sha256: Buffer) =>
      signDigest(sha256, { certificate, sign: octets => pair.sign(octets), at: new Date() })
    pass(day)
    const file = (await makeFile({ ...making, sign }, 'DELTA', new Date(now)))!
    const archive = join(folder, 'delta', file.name)
    assert.equal(readFileSync(`${archive}.p7s`).length, file.signatureOctets)
    const verify = [
      'cms',
      '-verify',
      '-binary',
      '-inform',
      'DER',
      '-in',
      `${archive}.p7s`,
      '-noverify',
      '-out',
      at('out'),
    ]
    assert.ok(openssl([...verify, '-content', archive]).ok)
    assert.ok(!openssl([...verify, '-content', at('crt')]).ok)
    verifyDetached(readFileSync(`${archive}.p7s`), readFileSync(archive))
  })

  it('are made once for a time, one after another, also by two makers at once', async () => {
    pass(day)
    const until = new Date(now)
    const made = await Promise.allSettled([makeFile(making, 'DELTA', until), makeFile(making, 'DELTA', until)])
    const files = made.flatMap(one => (one.status === 'fulfilled' && one.value ? [one.value] : []))
    assert.equal(files.length, 1)
    assert.equal(await makeFile(making, 'DELTA', until), undefined)
    const sequences = (await filesOf(rooms.store)).filter(one => one.kind === 'DELTA').map(one => one.sequence)
    assert.deepEqual(
      sequences.toSorted((a, b) => a - b),
      sequences.map((_, i) => i + 1),
    )
  })

  it('are not there when their making failed, and the next try makes them whole', async () => {
    pass(day)
    await devices(2)
    pass(1000)
    await rooms.store.query('ALTER TABLE list RENAME TO list_gone')
    await assert.rejects(makeFile(making, 'DELTA', new Date(now)))
    await rooms.store.query('ALTER TABLE list_gone RENAME TO list')
    assert.deepEqual(
      readdirSync(join(folder, 'delta')).filter(name => name.endsWith('.part')),
      [],
    )
    const rows = rowsOf(await members(await make('DELTA')))
    assert.equal(rows.filter(row => row.change === 'A').length, 2)
  })

  it('tell of certificates that were unfinished when the delta was made in the next one', async () => {
    pass(day)
    await devices(1)
    const { rows } = await rooms.store.query<{ id: bigint; signatures: Buffer }>(
      'SELECT id, signatures FROM signing ORDER BY id DESC LIMIT 1',
    )
    const { id, signatures } = rows[0]!
    await rooms.store.query("UPDATE signing SET state = 'intended', signatures = NULL WHERE id = $1", [id])
    assert.equal(rowsOf(await members(await make('DELTA'))).length, 0)
    await rooms.store.query("UPDATE signing SET state = 'complete', signatures = $2 WHERE id = $1", [
      id,
      signatures,
    ])
    assert.equal(rowsOf(await members(await make('DELTA'))).length, 1)
    assert.ok(existsSync(folder))
  })
})
