/** Uploads of a size that counts, against the limits as they are by default: the program of the Portal, and its memory. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { type Environment, serving } from '../service/environment.ts'
import { type Answer, type Client, client, said } from './door.ts'

const mebi = 1_048_576
const page = '/officer/batches/new'
const noProc = !existsSync('/proc/self/status') && 'this system does not say how much memory a program has'

describe('an upload to the Portal', { skip: noProc }, () => {
  let environment: Environment
  let aro: Client
  before(async () => {
    environment = await serving({ services: { portalPort: 0, testPortalPort: 0 } })
    aro = client({ port: environment.service.ports.testPortal! })
    await aro.enter('meter-maker')
  })
  after(() => environment?.close())

  /** Of the Portal's program, in MiB. */
  const resident = () => {
    const text = readFileSync(`/proc/${environment.service.processes.portal}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)![1]) / 1024
  }
  const batches = async () =>
    (
      await environment.store.query<{ n: bigint }>(
        'SELECT (SELECT count(*) FROM batch) + (SELECT count(*) FROM batch_part) AS n',
      )
    ).rows[0]!.n

  /** Sends so many MiB that are made as they are sent. @returns the answer, the seconds it took, and how memory grew */
  async function send(size: number, announce: boolean): Promise<{ answer: Answer; seconds: number; grew: number }> {
    await aro.get(page)
    const began = resident()
    let most = began
    async function* pieces() {
      const piece = Buffer.alloc(mebi)
      for (let i = 0; i < size; i++) {
        if (i % 10 === 0) most = Math.max(most, resident())
        yield piece
      }
    }
    const from = performance.now()
    const answer = await aro.upload(page, 'large.zip', pieces(), {}, announce ? size * mebi : undefined)
    most = Math.max(most, resident())
    return { answer, seconds: (performance.now() - from) / 1000, grew: most - began }
  }

  it('of 300 MB is refused with its sentence, nothing is kept of it, and memory stays as it was', async t => {
    const before = await batches()
    // As a browser sends it, it says first how long it is: not one octet of the file is held. In pieces of no known
    // number it is held up to the limit, and then thrown away.
    const sent = []
    for (const announce of [true, false, true, false]) {
      const { answer, ...figures } = await send(300, announce)
      assert.equal(answer.status, 413, said(answer))
      assert.match(said(answer), /The file is larger than the Portal takes: at most 64 MiB/)
      assert.match(answer.text, /id="zip"/, 'the form stands there once more')
      t.diagnostic(`${announce ? 'announced' : 'in pieces'}: ${JSON.stringify(figures)}`)
      sent.push(figures)
    }
    assert.ok(sent.every(one => one.seconds < 30))
    const [first, second, ...later] = sent
    assert.ok(first!.grew + second!.grew < 3 * 64, 'what is held, and what the collector has not taken away yet')
    assert.ok(
      later.every(one => one.grew < 64),
      'once it was warm, it is no more',
    )
    assert.equal(await batches(), before)
    assert.equal((await aro.get('/home')).status, 200)
  })

  it('of 50,001 requests is refused by its code before any of them is looked at', async () => {
    const before = await batches()
    await aro.get(page)
    const answer = await aro.upload(page, 'many.zip', emptyMembers(50_001))
    assert.equal(answer.status, 400)
    assert.match(
      said(answer),
      /has 50,001 members, and a batch may have 50,000\. Divide it into several batches\. \(FM:AA2\)/,
    )
    assert.equal(await batches(), before)
  })

  it('is not taken when its session ended, or its token was revoked, while it was on its way', async () => {
    const before = await batches()
    const leaving = client({ port: environment.service.ports.testPortal! })
    await leaving.enter('meter-maker')
    await leaving.get(page)
    async function* slowly() {
      yield Buffer.alloc(mebi)
      // The door has looked at the session by then.
      await new Promise(go => setTimeout(go, 300))
      const out = client({ port: environment.service.ports.testPortal! })
      out.cookie = leaving.cookie
      out.token = leaving.token
      assert.equal((await out.post('/sign-out', {})).status, 303)
      yield Buffer.alloc(mebi)
    }
    const late = await leaving.upload(page, 'late.zip', slowly())
    assert.equal(late.status, 403)
    assert.match(said(late), /Your session has ended: nothing was submitted/)

    await aro.get(page)
    async function* revokedMeanwhile() {
      yield Buffer.alloc(mebi)
      await new Promise(go => setTimeout(go, 300))
      await environment.store.query("UPDATE credential SET state = 'revoked' WHERE kind = 'PORTAL_DEVICE'")
      yield Buffer.alloc(mebi)
    }
    const revoked = await aro.upload(page, 'revoked.zip', revokedMeanwhile())
    assert.equal(revoked.status, 403)
    assert.match(said(revoked), /not in use any more: it is revoked/)
    assert.equal(await batches(), before)
  })
})

/** A zip of members `0.csr` … without content, stored (APPNOTE 4.3). */
function emptyMembers(count: number): Buffer {
  const [locals, directory]: [Buffer[], Buffer[]] = [[], []]
  let at = 0
  for (let i = 0; i < count; i++) {
    const name = Buffer.from(`${i}.csr`)
    const local = Buffer.alloc(30 + name.length)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    name.copy(local, 30)
    const entry = Buffer.alloc(46 + name.length)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(at, 42)
    name.copy(entry, 46)
    at += local.length
    locals.push(local)
    directory.push(entry)
  }
  const entries = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(entries.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, entries, end])
}
