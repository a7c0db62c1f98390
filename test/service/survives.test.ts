/** Kill -9, of whatever process, in the middle of a batch: after the next start it completes, once and whole. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeBatchXml, makeMany, type OneOfMany } from '../../simulator/batch.ts'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { openClient, type ResultItem, readResult, textOf } from '../../src/doors/cli/client.ts'
import { resultPath, submitPath } from '../../src/doors/device-csr/batch.ts'
import { toHex } from '../../src/ground/bytes.ts'
import { readEntry } from '../../src/ground/journal/entry.ts'
import type { Store } from '../../src/ground/store/store.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readRequest } from '../../src/ground/x509/request.ts'
import { type Home, loadSettings } from '../../src/main/home.ts'
import { running } from '../../src/main/serve.ts'
import { main } from '../../src/main/smki.ts'
import { type OpenedStore, openHomeStore } from '../../src/main/world.ts'
import { everyCertificate } from '../../src/rooms/repository/find.ts'
import { adHocDocument, makeHome, sleep } from './environment.ts'

const program = fileURLToPath(new URL('../../src/main/smki.ts', import.meta.url))
const count = 6000
const known = '02e4000000000000'
/** A single request that waits when the signer is killed. */
const waiting = makeDeviceCsr({ deviceId: known, usage: 'keyAgreement' }).csr

let home: Home
let remove: () => void
let service: ChildProcess
let said = ''
let opened: OpenedStore
let requests: OneOfMany[]
let batch: string

before(async () => {
  const making = Array.fromAsync(
    makeMany({
      count,
      firstDeviceId: '02e4000000000001',
      usages: ['digitalSignature', 'keyAgreement'],
      threads: 1,
    }),
  )
  ;({ home, remove } = await makeHome({ issuing: { portion: 25, threads: 2 } }))
  requests = await making
})
after(async () => {
  if (service?.exitCode === null && service.signalCode === null) await ended('SIGTERM')
  remove()
})

/** The service, as an operator starts it. What a killed one left behind may still be ending. */
async function start(): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    said = ''
    let ready = false
    service = spawn(process.execPath, [program, '--home', home.path, 'serve'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // What a killed process leaves behind goes with the home.
      env: { ...process.env, TMPDIR: dirname(home.path) },
    })
    service.stdout!.on('data', octets => {
      said += octets
      ready ||= said.includes('SMKI Repository')
    })
    service.stderr!.on('data', octets => {
      said += octets
    })
    const gone = once(service, 'exit').then(() => false)
    while (!ready && service.exitCode === null && service.signalCode === null) await Promise.race([gone, sleep(20)])
    if (ready) break
    assert.ok(attempt < 60 && /STORE_IN_USE|SIGNER_RUNS/.test(said), said)
    await sleep(500)
  }
  opened = await openHomeStore(home, { share: true, max: 3 })
}

const store = (): Store => opened.store

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Sends the signal to one of our processes, and waits until the service has ended, for whatever reason. */
async function ended(signal: NodeJS.Signals, pid: number = service.pid!): Promise<void> {
  const processes = Object.values(running(home)?.processes ?? {})
  const exit = service.exitCode === null && service.signalCode === null ? once(service, 'exit') : undefined
  process.kill(pid, signal)
  await exit
  for (const one of processes) {
    for (let look = 0; isAlive(one); look++) {
      assert.ok(look < 3000, `process ${one} does not end`)
      await sleep(20)
    }
  }
  await opened.close().catch(() => {})
}

async function done(): Promise<number> {
  const { rows } = await store().query<{ count: bigint; state: string }>(
    `SELECT (SELECT count(*) FROM portion WHERE batch = $1 AND portion.state = 'done') AS count, state
       FROM batch WHERE id = $1`,
    [batch],
  )
  assert.notEqual(rows[0]!.state, 'COMPLETED', 'this is still the middle of the batch')
  return Number(rows[0]!.count)
}

/** Waits until so many more portions are done. */
async function more(portions: number): Promise<void> {
  const from = await done()
  while ((await done()) < from + portions) await sleep(5)
}

/** Slows the batch down, so that however busy the machine is we find it in its middle. */
async function brake(): Promise<void> {
  await store().query(`CREATE FUNCTION brake() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END'`)
  await store().query('CREATE TRIGGER brake BEFORE UPDATE ON portion FOR EACH ROW EXECUTE FUNCTION brake()')
  // Through this gate goes what is signed and about to be kept.
  await store().query(`CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(${gate}); RETURN NEW; END'`)
  await store().query(`CREATE TRIGGER gate BEFORE UPDATE ON signing FOR EACH ROW
    WHEN (NEW.state = 'complete') EXECUTE FUNCTION gate()`)
}
const gate = 4711

function client(party: string, credential: string) {
  return openClient({
    folder: join(home.credentials, party),
    credential,
    host: '127.0.0.1',
    port: running(home)!.ports.device!,
  })
}

async function submit(items: Iterable<{ id: string; csr: Buffer }>): Promise<string> {
  const maker = client('meter-maker', 'batch-ws')
  const answer = await textOf(await maker.post(submitPath, makeBatchXml(items, { id: 'batch' })))
  maker.close()
  return /<BatchId>(\d+)</.exec(answer)![1]!
}

async function completed(id: string): Promise<ResultItem[]> {
  const maker = client('meter-maker', 'batch-ws')
  try {
    for (;;) {
      const items: ResultItem[] = []
      const { BatchStatus } = await readResult(await maker.get(`${resultPath}?BatchId=${id}`), one =>
        items.push(one),
      )
      if (BatchStatus === 'COMPLETED') return items
      assert.match(BatchStatus!, /^(PENDING|PARSING|QUEUED|PROCESSING)$/)
      await sleep(50)
    }
  } finally {
    maker.close()
  }
}

async function journalHolds(): Promise<void> {
  let out = ''
  let code: number | undefined
  await main(['journal', 'verify', '--json', '--home', home.path], {
    out: text => {
      out += text
    },
    err: text => assert.fail(text),
    exit: exit => {
      code = exit
    },
    clock: () => new Date(),
  })
  const { holds, faults } = JSON.parse(out) as { holds: boolean; faults: string[] }
  assert.deepEqual(faults, [])
  assert.ok(holds)
  assert.equal(code, 0)
}

describe('A batch of 6,000', {
  skip: process.env.DATABASE_URL !== undefined && 'skipped: the store of DATABASE_URL is not ours to kill',
}, () => {
  it('goes on where it was when the supervisor was killed', async () => {
    await start()
    const first = makeDeviceCsr({ deviceId: known, usage: 'digitalSignature' }).csr
    assert.equal((await completed(await submit([{ id: 'first', csr: first }])))[0]!.status, 'SUCCESS')
    await brake()
    batch = await submit(requests)
    while ((await done()) < 20) await sleep(5)
    await ended('SIGKILL')
    assert.equal(service.signalCode, 'SIGKILL')
    await start()
    assert.ok((await done()) >= 20, 'what was done is done')
  })

  it('goes on when the signer alone was killed: another is started, and who waited for it hears so', async () => {
    await more(5)
    // Nobody can keep what was signed; so a single request waits, and portions too.
    const held = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const holding = store().transaction(async client => {
      await client.query(`SELECT pg_advisory_xact_lock(${gate})`)
      held.resolve()
      await release.promise
    })
    holding.catch(() => {})
    await held.promise
    const supplier = client('import-supplier', 'adhoc-ws')
    const { adHocPath } = loadSettings(home).services
    const asked = supplier.post(adHocPath, adHocDocument(waiting, 'waiting')).then(textOf)
    for (let blocked = false; !blocked; await sleep(10)) {
      const { rows } = await store().query<{ blocked: boolean }>(
        "SELECT count(*) >= 5 AS blocked FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
      )
      blocked = rows[0]!.blocked
    }
    const { rows: open } = await store().query<{ id: bigint }>("SELECT id FROM signing WHERE state = 'intended'")
    assert.ok(open.length >= 5, `${open.length} signings were open`)
    const killed = running(home)!.processes.signer!
    process.kill(killed, 'SIGKILL')
    assert.match(await asked, /ID="waiting".*<Status>WORKFLOW_ERROR<\/Status>.*<ErrorCode>WF:BB2</s)
    supplier.close()
    while (running(home)!.processes.signer === killed) await sleep(20)
    assert.match(said, /the signer program ended; it is started again/)
    assert.equal(service.exitCode, null, 'the service went on')
    const { rows: now } = await store().query<{ state: string }>('SELECT state FROM signing WHERE id = ANY($1)', [
      open.map(one => one.id),
    ])
    release.resolve()
    await holding
    assert.deepEqual(new Set(now.map(one => one.state)), new Set(['abandoned']))
  })

  it('goes on when PostgreSQL was killed: what was acknowledged is there', async () => {
    await more(5)
    const before = await done()
    const [postmaster] = readFileSync(join(home.store, 'data', 'postmaster.pid'), 'utf8').split('\n')
    await ended('SIGKILL', Number(postmaster))
    await start()
    assert.ok((await done()) >= before)
    await store().query('DROP TRIGGER brake ON portion')
    await store().query('DROP TRIGGER gate ON signing')
  })

  it('is not in the way of a single request, which is as good as it was when its signer was killed', async () => {
    const again = client('import-supplier', 'adhoc-ws')
    const answer = await textOf(await again.post(loadSettings(home).services.adHocPath, adHocDocument(waiting)))
    assert.match(answer, /<Status>SUCCESS</)
    again.close()
  })

  it('completes: each request has its certificate, in order, and each certificate is in the register once', async () => {
    const items = await completed(batch)
    assert.deepEqual(
      items.map(one => one.id),
      requests.map(one => one.id),
    )
    const register = new Map<string, Buffer>()
    for await (const one of everyCertificate(store(), new Date())) register.set(toHex(one.serial), one.der)
    items.forEach((item, i) => {
      assert.equal(item.status, 'SUCCESS', `${item.id} ${item.code}`)
      const der = Buffer.from(item.certificate!, 'base64')
      const { serial, publicKey } = readCertificate(der)
      assert.deepEqual(publicKey.spki, readRequest(requests[i]!.csr).publicKey.spki)
      assert.deepEqual(register.get(toHex(serial)), der, `${item.id} is in the register`)
    })
    const { rows } = await store().query<{
      total: bigint
      serials: bigint
      complete: bigint
      things: bigint
      open: bigint
    }>(
      `SELECT count(*) AS total, count(DISTINCT c.serial) AS serials,
              count(*) FILTER (WHERE s.state = 'complete') AS complete,
              count(DISTINCT (c.eui64, c.usage, c.key_id)) FILTER (WHERE s.state = 'complete') AS things,
              count(*) FILTER (WHERE s.state = 'intended') AS open
         FROM certificate c JOIN signing s ON s.id = c.signing WHERE c.family = 1 AND c.eui64 > $1`,
      [Buffer.from(known, 'hex')],
    )
    const { total, serials, complete, things, open } = rows[0]!
    assert.equal(serials, total, 'no serial number twice, also among those that were given up')
    assert.deepEqual([complete, things, open], [BigInt(count), BigInt(count), 0n])
  })

  it('is journalled, every signing of it, what was kept and what was given up; and the journal holds', async () => {
    await journalHolds()
    const { rows: entries } = await store().query<{ octets: Buffer }>(
      'SELECT id, octets FROM journal_entry UNION ALL SELECT id, octets FROM journal_pending ORDER BY id',
    )
    const told = new Map<string, string[]>()
    for (const { act, body } of entries.map(one => readEntry(one.octets))) {
      if (body.signing === undefined) continue
      const signing = String(body.signing)
      told.set(signing, [...(told.get(signing) ?? []), act])
    }
    const { rows: signings } = await store().query<{ id: bigint; state: string }>('SELECT id, state FROM signing')
    assert.equal(told.size, signings.length)
    for (const { id, state } of signings) {
      assert.deepEqual(told.get(String(id)), ['intend', state === 'complete' ? 'issue' : 'abandon'])
    }
    await ended('SIGTERM')
    assert.equal(service.exitCode, 0)
    await journalHolds()
  })
})
