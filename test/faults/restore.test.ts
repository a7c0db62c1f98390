/** Backup under load, and back to an earlier moment: the system says what it lost, and never gives a number twice. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { lastCheckpoint } from '../../src/ground/journal/stored.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { logName } from '../../src/main/ceremony.ts'
import { counting, marksIn } from '../../src/main/epoch.ts'
import { loadSettings } from '../../src/main/home.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import type { LodgedList } from '../../src/rooms/repository/lists.ts'
import { publishList } from '../../src/rooms/revocation/list.ts'
import { type Environment, serving } from '../service/environment.ts'
import { smki as run } from '../smki.ts'

const folder = mkdtempSync(join(tmpdir(), 'opensmki-restore-'))
const archive = join(folder, 'archive')
let env: Environment
let next = 0n
/** Every list that left the program, by its number. */
const published = new Map<string, LodgedList>()
let newestBatch = 0n

const smki = (...words: string[]) => run(['--home', env.home.path, ...words])

/** Certificates for so many new Devices. */
async function load(count: number): Promise<void> {
  const items = Array.from({ length: count }, (_, i) => {
    const deviceId = (0x02e8_0000_0000_0000n + ++next).toString(16).padStart(16, '0')
    return { id: `i${i}`, csr: makeDeviceCsr({ deviceId, usage: 'digitalSignature' }).csr }
  })
  const batch = await env.send(items)
  assert.ok(batch > newestBatch, 'no BatchId is given twice')
  newestBatch = batch
  const { items: results } = await env.until(batch, 'COMPLETED')
  assert.deepEqual(new Set(results.map(one => one.status)), new Set(['SUCCESS']))
}

/** The next list of the Issuing OCA, made as the signer makes it, over the same marks. */
async function list(): Promise<LodgedList> {
  const authority = (await authorities(env.store)).find(
    one => one.pki === 'smki-organisation' && one.level === 'issuing',
  )!
  const schedule = listSchedules(loadSettings(env.home))(authority)!
  const keys = counting(env.keys, marksIn(env.home.marks))
  const made = await publishList(env.hands, authority, keys, schedule)
  const number = String(made.number)
  assert.ok(!published.has(number), `list number ${number} is given once`)
  published.set(number, made)
  writeFileSync(join(folder, 'ca.pem'), toPem('CERTIFICATE', authority.certificate.der))
  return made
}

/** What OpenSSL reads on a list that it verifies. */
function openssl(der: Uint8Array): bigint {
  writeFileSync(join(folder, 'list.der'), der)
  const words = ['crl', '-inform', 'DER', '-in', 'list.der', '-noout', '-crlnumber', '-CAfile', 'ca.pem']
  const said = execFileSync('openssl', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  return BigInt(/crlNumber=(0x[0-9A-F]+)/i.exec(said)![1]!)
}

async function moment(): Promise<string> {
  const { rows } = await env.store.query<{ now: Date }>('SELECT clock_timestamp() AS now')
  // To the millisecond after everything that was committed before.
  return new Date(rows[0]!.now.getTime() + 1).toISOString()
}

/** Everything that was issued, and how far the journal is. */
async function state(store: Environment['store']): Promise<Record<string, unknown>> {
  const { rows } = await store.query<Record<string, unknown>>(
    `SELECT (SELECT count(*) FROM certificate)::int AS certificates, (SELECT count(*) FROM signing)::int AS signings,
            (SELECT count(*) FROM batch)::int AS batches, (SELECT count(*) FROM list)::int AS lists,
            (SELECT max(size) FROM journal_checkpoint)::int AS signed,
            (SELECT encode(sha256(string_agg(serial, ''::bytea ORDER BY serial)), 'hex') FROM certificate) AS serials`,
  )
  return rows[0]!
}

describe('an environment that is put back', {
  skip: process.env.DATABASE_URL !== undefined && 'skipped: the store of DATABASE_URL is not ours to back up',
}, () => {
  before(async () => {
    env = await serving({ backup: { archive, everySeconds: 1 } })
  })
  after(async () => {
    await env?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  let then: string
  let lost: LodgedList
  let kept: string

  it('is backed up while it works', async () => {
    await load(5)
    await list()
    let loading = true
    const work = (async () => {
      while (loading) await load(5)
    })()
    const { out, code } = await smki('backup').finally(() => {
      loading = false
    })
    await work
    assert.equal(code, 0)
    const [path] = out.split('\n')
    assert.match(path!, /backup-/)
    assert.equal((await smki('backup', path!, '--check')).code, 0)
    const names = readdirSync(path!, { recursive: true, encoding: 'utf8' })
    assert.ok(
      names.includes(join('home', 'issuing', 'keys')) && names.includes(join('data', 'global', 'pg_control')),
    )
    assert.ok(!names.some(name => name.endsWith('passphrase')), 'no passphrase is in it')
  })

  it('goes back to a moment, and refuses to sign until somebody has acknowledged what is missing', async () => {
    await load(5)
    await list()
    await new Promise(resolve => setTimeout(resolve, 20))
    then = await moment()
    await new Promise(resolve => setTimeout(resolve, 20))
    lost = await list()
    await load(5)
    await until(async () => (await lastCheckpoint(env.store))!.size > 0 && (await pending()) === 0)
    kept = (await lastCheckpoint(env.store))!.note
    await env.stop()
    const { out, code } = await smki('restore', '--to', then)
    assert.equal(code, 0)
    assert.match(out, /The store is restored/)
    await assert.rejects(env.start(), (cause: Error & { code?: string }) => {
      assert.equal(cause.code, 'STORE_WENT_BACK')
      assert.match(cause.message, new RegExp(`Organisation CRL number ${lost.number} is missing`))
      assert.match(cause.message, /entries \d+ to \d+ of the journal opensmki\/service-tests are missing/)
      return true
    })
    const said = await smki('epoch')
    assert.equal(said.code, 1)
    assert.match(said.out, /STORE_WENT_BACK: it was restored to/)
  })

  it('does not forget a list that was published: it is entered again first', async () => {
    const begin = ['epoch', 'begin', '--by', 'person-1', '--words', 'the disk of the store was replaced']
    const refused = await smki(...begin)
    assert.match(refused.err, /^LISTS_MISSING/)
    writeFileSync(join(folder, 'lost.crl'), lost.der)
    const { code, out } = await smki('epoch', 'readmit', join(folder, 'lost.crl'))
    assert.equal(code, 0)
    assert.match(out, new RegExp(`Organisation CRL number ${lost.number} is entered again`))
    const begun = await smki(...begin)
    assert.equal(begun.code, 0, begun.err)
    assert.match(begun.out, /Epoch 2 has begun\. The journal goes on as opensmki\/service-tests\/epoch-2/)
    assert.equal((await smki('epoch')).code, 0)
    assert.match((await smki(...begin)).err, /^NOTHING_MISSING/)
  })

  it('goes on: it issues, its lists follow without a repeated number, and OpenSSL accepts them', async () => {
    await env.start()
    await load(5)
    const made = await list()
    assert.equal(made.number, lost.number + 1n)
    for (const [number, { der }] of published) assert.equal(openssl(der), BigInt(number))
    const acts = await env.acts()
    const [back] = acts.filter(one => one.act === 'store went back')
    assert.equal((back!.body.restored as { to: string }).to, then)
    assert.equal((back!.body.checkpoint as { log: string }).log, logName(loadSettings(env.home)))
  })

  it('has a journal that holds, and does not deny what was signed before: that is known to be lost', async () => {
    await until(async () => (await lastCheckpoint(env.store))!.note.startsWith('opensmki/service-tests/epoch-2\n'))
    const verified = await smki('journal', 'verify')
    assert.equal(verified.code, 0, verified.err)
    writeFileSync(join(folder, 'kept'), kept)
    const held = await smki('journal', 'verify', '--kept', join(folder, 'kept'))
    assert.equal(held.code, 1)
    assert.match(held.err, /CHECKPOINT_LOST|ROOT_DIFFERS/)
    assert.equal(readFileSync(env.home.journalKey, 'utf8').trim().split('\n').length, 2)
  })

  it('skips the numbers of lists that nobody has any more', async () => {
    const before = await list()
    await env.stop()
    // As when the world has two lists that the store has not.
    const key = [...marksIn(env.home.marks).lists()].find(([, number]) => number === before.number)![0]
    marksIn(env.home.marks)
      .list(key)
      .write(String(before.number + 3n))
    const begun = await smki('epoch', 'begin', '--by', 'person-1', '--words', 'they are lost', '--lists-are-lost')
    assert.equal(begun.code, 0, begun.err)
    await env.start()
    assert.equal((await list()).number, before.number + 4n)
  })

  it('loses nothing that was committed when it is restored to the latest moment', async () => {
    await load(5)
    await until(async () => (await pending()) === 0)
    const was = await state(env.store)
    await env.stop()
    const stood = await env.onStore(state)
    assert.deepEqual(stood, was)
    // The disk of the store is gone.
    rmSync(env.home.store, { recursive: true })
    const { code, out, err } = await smki('restore')
    assert.equal(code, 0, err)
    assert.match(out, /The store is restored/)
    assert.deepEqual(await env.onStore(state), was)
    assert.equal((await smki('epoch')).out.includes('Nothing is missing'), true)
    await env.start()
    await load(5)
    await list()
  })

  it('is found out when its files were put back by other means, too', async () => {
    await env.stop()
    const data = join(env.home.store, 'data')
    cpSync(data, `${data}.copy`, { recursive: true, preserveTimestamps: true })
    execFileSync('chown', ['--reference', data, '-R', `${data}.copy`])
    await env.start()
    await load(2)
    await until(async () => (await pending()) === 0)
    await env.stop()
    renameSync(data, `${data}.newer`)
    renameSync(`${data}.copy`, data)
    await assert.rejects(env.start(), { code: 'STORE_WENT_BACK' })
    rmSync(data, { recursive: true })
    renameSync(`${data}.newer`, data)
    await env.start()
  })

  it('is refused a backup that is not what it was, and a moment that no backup is older than', async () => {
    await env.stop()
    const path = join(archive, readdirSync(archive).find(name => name.startsWith('backup-'))!)
    const file = join(path, 'home', 'config.json')
    const was = readFileSync(file)
    writeFileSync(file, `${was} `)
    assert.match((await smki('restore', '--backup', path)).err, /^BACKUP_DAMAGED: .*config\.json/)
    writeFileSync(file, was)
    assert.match(
      (await smki('restore', '--to', '2020-01-01T00:00:00Z')).err,
      /^BACKUP_DAMAGED: .*no backup from before/,
    )
    assert.match((await smki('restore', '--to', '2999-01-01T00:00:00Z')).err, /^RESTORE_NOT_REACHED/)
    assert.ok(existsSync(join(env.home.store, 'data', 'PG_VERSION')), 'what was there is in its place again')
    assert.match((await smki('epoch')).out, /Nothing is missing/)
    await env.start()
    await load(1)
  })
})

async function pending(): Promise<number> {
  const { rows } = await env.store.query<{ count: bigint }>('SELECT count(*) AS count FROM journal_pending')
  return Number(rows[0]!.count)
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let look = 0; !(await holds()); look++) {
    assert.ok(look < 1000, 'it does not come to be')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
