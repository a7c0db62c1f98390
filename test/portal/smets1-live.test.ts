/** An S1SP serves its report, and the Portal shows it with its age: real programs over mutual TLS, read only. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makePeerTls, readPeerTls } from '../../src/main/peer-tls.ts'
import { initS1sp, type RunningS1sp, s1spHomeAt, serveS1sp } from '../../src/main/s1sp.ts'
import { main } from '../../src/main/smki.ts'
import { enterReview } from '../../src/rooms/symmetric/s1sp/review.ts'
import { hasBrowser } from './browser.ts'
import { type BackOffice, type Desk, openBackOffice } from './registration-scene.ts'

const minuteMs = 60_000

describe('the report of an S1SP', { skip: !hasBrowser && 'no browser is installed' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-report-'))
  const home = s1spHomeAt(join(folder, 's1sp'))
  let here: BackOffice
  let desk: Desk
  let s1sp: RunningS1sp | undefined
  let port = 0
  before(async () => {
    here = await openBackOffice()
    desk = await here.enter('ra-manager-1')
    await initS1sp(home, { name: 's1sp-1', kind: 'test', title: '4f534d4b00000001', log2N: 10 })
    port = await freePort()
    writeFileSync(join(here.office.home, 'config.json'), JSON.stringify({ environment: 'lab', kind: 'test' }))
  })
  after(async () => {
    await s1sp?.stop()
    await here?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const file = (name: string) => join(folder, name)
  const smki = async (...words: string[]): Promise<{ code: number; out: string; err: string }> => {
    const told = { code: 0, out: '', err: '' }
    await main(words, {
      out: text => {
        told.out += text
      },
      err: text => {
        told.err += text
      },
      exit: code => {
        told.code = code
      },
      clock: () => new Date(),
    })
    return told
  }
  const shown = async () => {
    await here.readReports()
    await desk.go('/operations/smets1')
    return desk.text()
  }

  it('is read once both sides know one another, and is not before', async () => {
    await desk.go('/operations/smets1')
    assert.doesNotMatch(await desk.text(), /S1SP s1sp-1/)
    const smkiHome = here.office.home
    assert.equal((await smki('s1sp-report', 'reader', '--home', smkiHome, '--out', file('reader.json'))).code, 0)
    const admit = [
      's1sp-report',
      'admit',
      '--home',
      home.path,
      '--reader',
      file('reader.json'),
      '--out',
      file('source.json'),
    ]
    const address = await smki(...admit, '--host', '127.0.0.1', '--port', String(port))
    assert.match(address.err, /REPORT_ADDRESS/)
    assert.equal((await smki(...admit, '--host', 'localhost', '--port', String(port))).code, 0)
    const wrong = await smki('s1sp-report', 'join', '--home', smkiHome, file('reader.json'))
    assert.match(wrong.err, /SOURCE_UNREADABLE/)
    assert.equal((await smki('s1sp-report', 'join', '--home', smkiHome, file('source.json'))).code, 0)

    assert.match(await shown(), /S1SP s1sp-1[\s\S]*was not read yet\. The last attempt failed/)
    await desk.judge('a report that was not read yet')
    assert.ok(here.log.some(line => line.includes('a report cannot be read')))

    s1sp = await serveS1sp(home)
    assert.match(await shown(), /S1SP s1sp-1\s+CURRENT Read from the S1SP, .* old\.[\s\S]*None on record/i)
    await desk.judge('a report that is current')
    await enterReview(s1sp.hands, s1sp.hands.clock(), 'archive 3', 'person-1')
    const { out } = await smki('s1sp-report', 'show', '--home', smkiHome)
    assert.equal(JSON.parse(out).name, 's1sp-1')
    // The page still offers the file, for an S1SP that lets nobody in.
    assert.match(await desk.text(), /Report of an S1SP as a file/)
  })

  it('is said to be stale when the S1SP is silent, with the last that was read', async () => {
    await s1sp!.stop()
    s1sp = undefined
    assert.match(await shown(), /CURRENT[\s\S]*The last attempt failed/i)
    here.office.pass(16 * minuteMs)
    desk = await here.enter('ra-manager-1')
    assert.match(
      await shown(),
      /Stale: this report is 1[67] minutes old[\s\S]*Campaigns of s1sp-1|There is no campaign/,
    )
    assert.match(await desk.text(), /Stale/)
    await desk.judge('a report that is stale')
  })

  it('is given to nobody who was not admitted, and holds nothing but the report', async () => {
    s1sp = await serveS1sp(home)
    makePeerTls(file('stranger'), 'stranger')
    const source = JSON.parse(readFileSync(file('source.json'), 'utf8')) as { authority: string }
    const reader = readPeerTls(join(here.office.home, 's1sp-reports', 'tls'))
    const get = (tls: { key?: Buffer; chain?: string }, path = '/report', method = 'GET') =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const agent = new Agent({ ca: source.authority, key: tls.key, cert: tls.chain })
        const sent = request({ host: 'localhost', port, path, method, agent }, async answer => {
          const text = Buffer.concat(await answer.toArray()).toString()
          agent.destroy()
          resolve({ status: answer.statusCode!, text })
        })
        sent.on('error', reject)
        sent.end()
      })
    await assert.rejects(get({}))
    await assert.rejects(get(readPeerTls(file('stranger'))))
    // Another certificate under an authority that was admitted is not the reader's.
    const good = await get(reader)
    assert.equal(good.status, 200)
    assert.deepEqual(Object.keys(JSON.parse(good.text)).toSorted(), [
      'at',
      'campaigns',
      'cannot',
      'exceptions',
      'models',
      'overdue',
      'review',
    ])
    assert.equal((await get(reader, '/')).status, 404)
    assert.equal((await get(reader, '/report', 'POST')).status, 404)
    for (
      let look = 0;
      !existsSync(home.environmentLog) || !/report\.refused/.test(readFileSync(home.environmentLog, 'utf8'));
      look++
    ) {
      assert.ok(look < 200, 'the environment log says who was refused')
      await new Promise(go => setTimeout(go, 20))
    }
    assert.deepEqual(
      here.log.filter(line => line.includes('incident')),
      [],
    )
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(go => server.once('listening', go))
  const { port } = server.address() as AddressInfo
  await new Promise(go => server.close(go))
  return port
}
