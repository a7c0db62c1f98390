/** A store that was filled for the benchmarks is one that the product could have filled: it is held against the product's own checks. */

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { readGrown } from '../../bench/grown.ts'
import { keyPoints } from '../../bench/key-points.ts'
import { connectionOf } from '../../src/ground/store/embedded.ts'
import { openStore, type Store } from '../../src/ground/store/store.ts'
import { testStore } from '../../src/ground/store/testing.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { type Home, homeAt } from '../../src/main/home.ts'
import { openHomeStore } from '../../src/main/world.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { everyCertificate, type Lodged } from '../../src/rooms/repository/find.ts'
import { noOpenssl, openssl } from '../outside.ts'

const certificates = 21_000
const migrations = new URL('../../src/ground/store/migrations/', import.meta.url)
const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
let folder: string
let home: Home
let second: { written: number }
let all: Lodged[]

let command: string[]
const grow = async (): Promise<{ written: number }> => JSON.parse((await run(process.execPath, command)).stdout)

async function withStore<T>(
  work: (store: Awaited<ReturnType<typeof openHomeStore>>['store']) => Promise<T>,
): Promise<T> {
  const opened = await openHomeStore(home, { share: false, max: 2 })
  try {
    return await work(opened.store)
  } finally {
    await opened.close()
  }
}

async function indexes(store: Pick<Store, 'query'>): Promise<string[]> {
  const { rows } = await store.query<{ indexdef: string }>(
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
  )
  return rows.map(row => row.indexdef)
}

/** Begins, and is killed as soon as the first groups are written. */
async function growAndKill(): Promise<void> {
  const child = spawn(process.execPath, [...command, '--threads', '1'], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  try {
    while (readGrown(home) === undefined) {
      assert.equal(child.exitCode, null, 'it ended before it began')
      await sleep(20)
    }
    const { signing } = readGrown(home)!
    const store = await openStore((await connectionOf(home.store))!, { max: 1 })
    for (;;) {
      const { rowCount } = await store.query('SELECT FROM signing WHERE id >= $1', [signing])
      if (rowCount! > 0) break
    }
    child.kill('SIGKILL')
    await store.close().catch(() => {})
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'opensmki-grow-'))
  home = homeAt(join(folder, 'home'))
  const options = ['--home', home.path, '--certificates', String(certificates), '--months', '2', '--json']
  command = [join(root, 'bench/run.ts'), 'grow', ...options]
  await growAndKill()
  second = await grow()
  all = await withStore(async store => {
    const found = []
    for await (const one of everyCertificate(store, new Date())) if (one.family === 'device') found.push(one)
    return found
  })
})
after(() => rmSync(folder, { recursive: true, force: true }))

describe('a filled store', () => {
  it('has as many Device Certificates as were asked for, each with a serial number and a key of its own', () => {
    assert.equal(all.length, certificates)
    assert.equal(new Set(all.map(one => one.serial.toString('hex'))).size, certificates)
  })

  it('has a tenth of them replaced, and they are spread over the time since the ceremony', () => {
    // Two groups of a thousand were replaced, and one of each second group was withdrawn.
    const replaced = all.filter(one => one.status === 'N').length
    assert.ok(replaced >= 2000 && replaced <= 2010, `${replaced} are not in use`)
    const [oldest, newest] = [all[0]!.issuedAt.getTime(), all.at(-1)!.issuedAt.getTime()]
    assert.ok(newest - oldest > 45 * 86_400_000 && newest <= Date.now())
  })

  it('is borne out by its journal, as the program for auditors finds it', async () => {
    const { stdout } = await run(process.execPath, [
      join(root, 'src/main/smki.ts'),
      'journal',
      'verify',
      '--home',
      home.path,
    ])
    assert.match(stdout, /the journal holds/)
    assert.ok(Number(/([\d,]+) certificates against/.exec(stdout)![1]!.replaceAll(',', '')) >= certificates)
  })

  it('has certificates that OpenSSL takes, up to the root', async t => {
    if (noOpenssl) return t.skip('openssl is not here')
    const registered = await withStore(authorities)
    const rootDca = registered.find(one => one.pki === 'smki-device' && one.level === 'root')!
    const file = (name: string, der: Uint8Array) => {
      writeFileSync(join(folder, name), toPem('CERTIFICATE', der))
      return join(folder, name)
    }
    for (const [n, one] of [all[0]!, all[11_111]!, all.at(-1)!].entries()) {
      const issuer = registered.find(({ id }) => id === one.authority)!
      const chain = [
        ...['-CAfile', file('root.pem', rootDca.certificate.der)],
        ...['-untrusted', file('issuer.pem', issuer.certificate.der)],
      ]
      const verified = openssl(['verify', ...chain, '-ignore_critical', file(`${n}.pem`, one.der)])
      assert.ok(verified.ok, JSON.stringify(verified))
    }
  })

  it('goes on where it was killed, and has nothing twice', async () => {
    assert.ok(second.written > 0 && second.written < certificates, `${second.written} were left to write`)
    assert.equal((await grow()).written, 0)
  })

  it('has the indexes that the product has, by their definitions', async () => {
    const { store, close } = await testStore({ migrations })
    try {
      assert.deepEqual(await withStore(indexes), await indexes(store))
    } finally {
      await close()
    }
  })
})

describe('public keys by the million', () => {
  it('are points on the curve, and no two are the same', () => {
    const next = keyPoints()
    const keys = Array.from({ length: 200 }, () => next())
    assert.equal(new Set(keys.map(one => one.toString('hex'))).size, 200)
    const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
    const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn
    for (const key of keys) {
      assert.equal(key.length, 91)
      const x = BigInt(`0x${key.toString('hex', 27, 59)}`)
      const y = BigInt(`0x${key.toString('hex', 59)}`)
      // y² = x³ - 3x + b (SEC 2, 2.4.2).
      assert.equal((y * y) % p, (((x * x * x - 3n * x + b) % p) + p) % p)
    }
  })
})
