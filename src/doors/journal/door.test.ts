import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type Bytes, view } from '../../ground/bytes.ts'
import { listen, plainListener } from '../../ground/http/listen.ts'
import { askWitness } from '../../ground/journal/ask-witness.ts'
import { openCheckpoint } from '../../ground/journal/checkpoint.ts'
import { witnessKey } from '../../ground/journal/cosignature.ts'
import { entry } from '../../ground/journal/entry.ts'
import { checkpointIn, type LogFiles, tilesIn } from '../../ground/journal/files.ts'
import { type NoteSigner, verifierKey } from '../../ground/journal/note.ts'
import { remoteFiles } from '../../ground/journal/remote.ts'
import { MemoryLog, pkcs8, testKey } from '../../ground/journal/testing.ts'
import { hashesOf } from '../../ground/journal/tiles.ts'
import { verifyFiles } from '../../ground/journal/verify-files.ts'
import { type WitnessMemory, witness } from '../../ground/journal/witness.ts'
import { journalDoor } from './door.ts'
import { witnessDoor } from './witness.ts'

const key = createPrivateKey({ key: testKey.pkcs8, format: 'der', type: 'pkcs8' })
const signer: NoteSigner = { ...testKey, sign: text => sign(null, text, key) }
const verifierKeys = [verifierKey(testKey.name, testKey.publicKey)]
const limits = {
  idleSeconds: 5,
  headSeconds: 5,
  requestSeconds: 5,
  bodyOctets: 1024,
  connections: 200,
  tls13: false,
}
const acts = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => entry('issue', new Date(0), { number: from + n }))

const log = new MemoryLog()
let read: LogFiles = log.read
const logged: unknown[] = []
const app = plainListener(limits)
let port = 0

before(async () => {
  await log.grow(acts(0, 300), signer)
  const keep = (one: object) => void logged.push(one)
  journalDoor({
    app,
    files: path => read(path),
    chance: length => Buffer.alloc(length, 0xab),
    log: { info: keep, error: keep } as never,
  })
  port = await listen(app, '127.0.0.1', 0)
})
after(() => app.close())

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

/** The path goes as it is: no library makes it tidy. */
function ask(
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, async answer => {
      const body = Buffer.concat(await answer.toArray())
      resolve({ status: answer.statusCode!, headers: answer.headers, body })
    })
    sent.on('error', reject)
    // A request that is neither answered nor sent away is a failure, and no reason to wait for ever.
    sent.setTimeout(10_000, () => sent.destroy(new Error(`${path} is not answered`)))
    sent.end()
  })
}

describe('the journal’s door', () => {
  it('gives the files as they are, and says how long each may be kept', async () => {
    const checkpoint = await ask('/checkpoint')
    assert.deepEqual(
      [checkpoint.status, checkpoint.headers['content-type'], checkpoint.headers['cache-control']],
      [200, 'text/plain; charset=utf-8', 'public, max-age=1'],
    )
    assert.deepEqual(checkpoint.body, view(log.files.get('checkpoint')!))
    for (const path of [
      'tile/0/000',
      'tile/0/001.p/44',
      'tile/1/000.p/1',
      'tile/entries/000',
      'tile/entries/001.p/44',
    ]) {
      const { status, headers, body } = await ask(`/${path}`)
      assert.deepEqual(
        [status, headers['content-type'], headers['cache-control']],
        [200, 'application/octet-stream', 'public, max-age=31536000, immutable'],
        path,
      )
      assert.deepEqual(body, view(log.files.get(path)!))
    }
  })

  it('compresses bundles for who takes it, and for nobody else', async () => {
    for (const [accept, zipped] of Object.entries({
      gzip: true,
      'br, gzip;q=0.5': true,
      '*': false,
      'gzip;q=0': false,
      'gzip;q=0.0, br': false,
      identity: false,
    })) {
      const { headers, body } = await ask('/tile/entries/000', { headers: { 'accept-encoding': accept } })
      assert.deepEqual(
        [headers['content-encoding'], headers.vary],
        [zipped ? 'gzip' : undefined, 'accept-encoding'],
        accept,
      )
      assert.deepEqual(zipped ? gunzipSync(body) : body, view(log.files.get('tile/entries/000')!))
    }
    const { headers } = await ask('/tile/0/000', { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(headers['content-encoding'], undefined, 'hashes do not compress')
  })

  it('has nothing else, and nothing that may not be kept stays in a cache', async () => {
    const bad = [
      '/',
      '/tile',
      '/tile/0/002',
      '/tile/0/000.p/256',
      '/tile/2/000',
      '/tile/entries/002',
      '/journal.vkey',
      '/../checkpoint',
      '/%63heckpoint',
      '//checkpoint',
      '/checkpoint/',
      '/tile/entries/..%2f000',
      '/tile/0/000/../001.p/44',
      `/${'a'.repeat(10_000)}`,
    ]
    for (const path of bad) {
      const { status, headers } = await ask(path)
      assert.deepEqual([status, headers['cache-control']], [404, 'no-store'], path.slice(0, 60))
    }
    assert.equal((await ask('/checkpoint?apikey=secret')).status, 200, 'a question mark changes nothing')
    assert.ok(!JSON.stringify(logged).includes('secret'), 'and is not logged')
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
      const { status, headers } = await ask('/checkpoint', { method })
      assert.deepEqual([status, headers.allow], [405, 'GET'], method)
    }
  })

  it('does not show a fault of ours', async () => {
    read = async () => {
      throw new Error('password in the store')
    }
    const { status, body } = await ask('/checkpoint')
    read = log.read
    assert.deepEqual([status, body.toString()], [500, 'incident abababababababab\n'])
    assert.ok(logged.some(one => (one as { incident?: string }).incident === 'abababababababab'))
  })

  it('sends away a crowd, and answers again when it is gone', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const { promise: full, resolve: isFull } = Promise.withResolvers<void>()
    let waiting = 0
    read = async path => {
      waiting += 1
      if (waiting === 16) isFull()
      await gate
      return log.read(path)
    }
    const held = Array.from({ length: 16 }, () => ask('/checkpoint'))
    await full
    const { status, headers } = await ask('/tile/0/000')
    assert.deepEqual([status, headers['retry-after']], [503, '1'])
    open()
    assert.deepEqual(new Set((await Promise.all(held)).map(one => one.status)), new Set([200]))
    read = log.read
    assert.equal((await ask('/tile/0/000')).status, 200)
  })

  it('is enough to verify the whole log from afar', async () => {
    const files = remoteFiles(`http://127.0.0.1:${port}/`)
    const note = (await checkpointIn(files))!
    const { holds, entries } = await verifyFiles(files, note, { verifierKeys })
    assert.deepEqual([holds, entries], [true, 300])
    await log.grow(acts(300, 520), signer)
    // The partial rows of the checkpoint that we hold are gone by now: the full ones begin with them.
    for (const path of ['tile/0/001.p/44', 'tile/entries/001.p/44']) log.files.delete(path)
    assert.equal((await verifyFiles(files, note, { verifierKeys })).holds, true)
  })

  it('that does not answer, or too much, is said so', async () => {
    await assert.rejects(remoteFiles('http://127.0.0.1:1')('checkpoint'), { code: 'NO_ANSWER' })
    read = async () => Buffer.alloc(20_000_000)
    await assert.rejects(remoteFiles(`http://127.0.0.1:${port}`)('checkpoint'), { code: 'BAD_ANSWER' })
    read = () => new Promise(() => {})
    await assert.rejects(remoteFiles(`http://127.0.0.1:${port}`, { patienceMs: 50 })('checkpoint'), {
      code: 'NO_ANSWER',
    })
    read = log.read
  })
})

describe('a witness’s door', () => {
  const seed = createPrivateKey({ key: pkcs8(Buffer.alloc(32, 3)), format: 'der', type: 'pkcs8' })
  const publicKey = Buffer.from(seed.export({ format: 'jwk' }).x!, 'base64url')
  const self = { name: 'witness.example/w1', publicKey, sign: (text: Bytes) => sign(null, text, seed) }
  const kept = new Map<string, string>()
  let failing = false
  const memory: WitnessMemory = {
    last: async origin => kept.get(origin),
    async keep(origin, note) {
      if (failing) throw new Error('/secret/path is full')
      kept.set(origin, note)
    },
  }
  const door = plainListener(limits)
  let at: { prefix: string; key: ReturnType<typeof witnessKey> }
  const statuses: number[] = []
  const faults: string[] = []
  before(async () => {
    const asked = witness({ logs: verifierKeys, memory, signer: self, clock: () => new Date(1_700_000_000_000) })
    witnessDoor(
      door,
      asked,
      ({ status }) => void statuses.push(status),
      fault => void faults.push(fault.message),
    )
    at = { prefix: `http://127.0.0.1:${await listen(door, '127.0.0.1', 0)}`, key: witnessKey(self.name, publicKey) }
  })
  after(() => door.close())

  const submit = async (of: MemoryLog) => {
    const note = (await checkpointIn(of.read))!
    const checkpoint = openCheckpoint(note, verifierKeys)
    return askWitness(at, { note, checkpoint, hashAt: hashesOf(tilesIn(of.read, checkpoint.size)) })
  }

  it('signs for who tells it what it does not know, from wherever it was', async () => {
    const own = new MemoryLog()
    for (const size of [3, 300, 301]) {
      await own.grow(acts(own.size, size), signer)
      const { at: when, line } = await submit(own)
      assert.equal(when.getTime(), 1_700_000_000_000)
      assert.match(line, /^— witness\.example\/w1 \S+\n$/)
    }
    // The first knows nothing of the log; the others are asked from 0, and again from where they were.
    assert.deepEqual(statuses, [200, 409, 200, 409, 200])
  })

  it('is told apart when it refuses, is ahead, or is another', async () => {
    const short = new MemoryLog()
    await short.grow(acts(0, 20), signer)
    await assert.rejects(submit(short), { code: 'WITNESS_AHEAD' })
    const fork = new MemoryLog()
    await fork.grow([...acts(0, 300), entry('other', new Date(0), {})], signer)
    await assert.rejects(submit(fork), {
      code: 'WITNESS_REFUSES',
      message: /\(409\): it signed under another tree/,
    })
    await fork.grow(acts(0, 9), signer)
    await assert.rejects(submit(fork), { code: 'WITNESS_REFUSES', message: /\(422\)/ })
    const own = new MemoryLog()
    await own.grow(acts(0, 302), signer)
    const before_ = at
    at = { ...at, key: witnessKey(self.name, testKey.publicKey) }
    await assert.rejects(submit(own), { code: 'WITNESS_FORGES' })
    at = before_
  })

  it('does not show a fault of ours, and signs nothing then', async () => {
    const own = new MemoryLog()
    await own.grow(acts(0, 303), signer)
    failing = true
    await assert.rejects(submit(own), {
      code: 'BAD_ANSWER',
      message: /answers 500: a fault of the witness: nothing was signed$/,
    })
    failing = false
    assert.deepEqual(faults, ['/secret/path is full'])
  })

  it('reads no more than a submission has', async () => {
    const answer = await fetch(`${at.prefix}/add-checkpoint`, { method: 'POST', body: 'x'.repeat(40_000) })
    assert.equal(answer.status, 413)
    assert.equal((await fetch(`${at.prefix}/add-checkpoint`, { method: 'POST', body: 'x' })).status, 400)
    assert.equal((await fetch(`${at.prefix}/add-checkpoint`, { method: 'POST' })).status, 400)
    assert.equal((await fetch(`${at.prefix}/`)).status, 404)
  })
})
