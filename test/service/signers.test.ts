/** Several signer processes on one store: nothing twice, nothing lost, and whoever is killed is no loss for long. */

import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it, type TestContext } from 'node:test'
import type { BatchItem } from '../../simulator/batch.ts'
import { makeDeviceCsr, type Usage } from '../../simulator/device.ts'
import { toHex } from '../../src/ground/bytes.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readRequest } from '../../src/ground/x509/request.ts'
import { everyCertificate } from '../../src/rooms/repository/find.ts'
import { type Answer, type Environment, serving, sleep } from './environment.ts'

const parties = ['meter-maker', 'import-supplier', 'network-operator'] as const

let smki: Environment
/** Batches that were submitted and not checked yet. */
let submitted: { batch: bigint; party: string; items: BatchItem[] }[] = []

let devices = 0x02e5_0000_0000_0000n
const newDevice = () => (++devices).toString(16).padStart(16, '0')
const csrOf = (deviceId: string, usage: Usage = 'digitalSignature') => makeDeviceCsr({ deviceId, usage }).csr
const makeItems = (count: number): BatchItem[] =>
  Array.from({ length: count }, (_, i) => ({ id: `i${i}`, csr: csrOf(newDevice()) }))

/** One batch of each Party, all at once. */
async function submit(count: number): Promise<void> {
  const made = parties.map(party => ({ party, items: makeItems(count) }))
  const batches = await Promise.all(made.map(({ party, items }) => smki.send(items, party)))
  submitted = made.map((one, i) => ({ ...one, batch: batches[i]! }))
}

/** Waits for the end of what was submitted: each request has its certificate, once, and the store and the journal agree. */
async function whole(): Promise<void> {
  const answers: Answer[] = []
  for (const { batch, party } of submitted) answers.push(await smki.until(batch, 'COMPLETED', party))
  const register = new Map<string, Buffer>()
  for await (const one of everyCertificate(smki.store, new Date())) register.set(toHex(one.serial), one.der)
  const serials = new Set<string>()
  for (const [i, answer] of answers.entries()) {
    const { items } = submitted[i]!
    assert.deepEqual(
      answer.items.map(one => one.id),
      items.map(one => one.id),
    )
    for (const [n, item] of answer.items.entries()) {
      assert.equal(item.status, 'SUCCESS', `${item.id} ${item.code}`)
      const { serial, publicKey } = readCertificate(item.certificate!)
      assert.deepEqual(publicKey.spki, readRequest(Buffer.from(items[n]!.csr)).publicKey.spki)
      assert.deepEqual(register.get(toHex(serial)), item.certificate)
      serials.add(toHex(serial))
    }
  }
  assert.equal(
    serials.size,
    submitted.reduce((sum, { items }) => sum + items.length, 0),
  )
  await storeHolds()
  submitted = []
}

async function storeHolds(): Promise<void> {
  const { rows } = await smki.store.query<{ total: number; serials: number; complete: number; things: number }>(
    `SELECT count(*)::int AS total, count(DISTINCT c.serial)::int AS serials,
            (count(*) FILTER (WHERE s.state = 'complete'))::int AS complete,
            (count(DISTINCT (c.eui64, c.usage, c.key_id)) FILTER (WHERE s.state = 'complete'))::int AS things
       FROM certificate c JOIN signing s ON s.id = c.signing WHERE c.family = 1`,
  )
  const { total, serials, complete, things } = rows[0]!
  assert.ok(total > 0)
  assert.equal(serials, total, 'no serial number twice, also among those that were given up')
  assert.equal(complete, things, 'nothing was certified twice')
  const told = new Map<string, string[]>()
  for (const { act, body } of await smki.acts()) {
    if (body.signing === undefined) continue
    const signing = String(body.signing)
    told.set(signing, [...(told.get(signing) ?? []), act])
  }
  const { rows: signings } = await smki.store.query<{ id: bigint; state: string }>(
    "SELECT id, state FROM signing WHERE state <> 'intended'",
  )
  assert.ok(signings.length > 0)
  for (const { id, state } of signings)
    assert.deepEqual(told.get(String(id)), ['intend', state === 'complete' ? 'issue' : 'abandon'])
}

/** Each step of a portion takes so long, so that however busy the machine is we find the batches in their middle. */
async function brake(seconds: number): Promise<void> {
  await smki.store.query('DROP TRIGGER IF EXISTS brake ON portion')
  await smki.store.query(`CREATE OR REPLACE FUNCTION brake() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(${seconds}); RETURN NEW; END'`)
  await smki.store.query('CREATE TRIGGER brake BEFORE UPDATE ON portion FOR EACH ROW EXECUTE FUNCTION brake()')
}

/** Numbers of the processes that did portions of what was submitted, or have some in hand. */
async function whoWorked(state: 'done' | 'taken'): Promise<Map<number, number>> {
  const { rows } = await smki.store.query<{ number: number; portions: number }>(
    `SELECT s.number, count(*)::int AS portions FROM portion p JOIN signer s ON s.id::text = split_part(p.worker, '/', 1)
      WHERE p.batch = ANY($1) AND p.state = $2 GROUP BY 1`,
    [submitted.map(one => one.batch), state],
  )
  return new Map(rows.map(row => [row.number, row.portions]))
}

async function doneBy(worker: string): Promise<number> {
  const { rows } = await smki.store.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM portion WHERE state = 'done' AND worker ${worker}`,
  )
  return rows[0]!.n
}

async function eventually<T>(what: string, look: () => Promise<T | undefined | false>, seconds = 60): Promise<T> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    const found = await look()
    if (found) return found
    assert.ok(performance.now() < end, `${what}: not within ${seconds} seconds`)
    await sleep(20)
  }
}

/** The row of the living process of that number. */
async function living(number: number): Promise<{ id: number } | undefined> {
  const { rows } = await smki.store.query<{ id: number }>(
    'SELECT id FROM signer WHERE number = $1 AND gone_at IS NULL',
    [number],
  )
  return rows[0]
}

const skip = process.env.DATABASE_URL !== undefined && 'skipped: the store of DATABASE_URL is not ours to restart'

describe('Batches of three Parties at once', { skip }, () => {
  before(async () => {
    smki = await serving({ issuing: { signers: 1, threads: 1, portion: 5 }, certificates: { issuingDcaStock: 2 } })
  })
  after(() => smki.close())
  afterEach(() => {
    submitted = []
  })

  for (const signers of [1, 2, 3, 4]) {
    it(`are done by ${signers} signer process${signers > 1 ? 'es' : ''}, all of them, each request once`, async () => {
      if (signers > 1) await smki.restart({ issuing: { signers } })
      await brake(0.05)
      await submit(60)
      for (const { batch, party } of submitted) await smki.until(batch, 'COMPLETED', party)
      assert.deepEqual([...(await whoWorked('done')).keys()].sort(), [1, 2, 3, 4].slice(0, signers))
      await whole()
    })
  }

  it('lose nothing when a signer is killed: what it had in hand is done by others within seconds', async (t: TestContext) => {
    await brake(0.3)
    await submit(80)
    await eventually('the third has work', async () => (await whoWorked('taken')).get(3) === 2)
    const victim = (await living(3))!
    process.kill(smki.service.processes['signer 3']!, 'SIGKILL')
    const killed = performance.now()
    const { rows: had } = await smki.store.query<{ batch: bigint; number: number }>(
      "SELECT batch, number FROM portion WHERE state = 'taken' AND split_part(worker, '/', 1) = $1",
      [String(victim.id)],
    )
    assert.ok(had.length > 0, 'it had portions in hand')
    await eventually(
      'others have done them',
      async () => {
        const { rows } = await smki.store.query<{ open: number }>(
          `SELECT count(*)::int AS open FROM portion JOIN unnest($1::bigint[], $2::int[]) AS had (batch, number)
          USING (batch, number) WHERE state <> 'done' OR split_part(worker, '/', 1) = $3`,
          [had.map(one => one.batch), had.map(one => one.number), String(victim.id)],
        )
        return rows[0]!.open === 0
      },
      10,
    )
    t.diagnostic(
      `${had.length} portions were done by others ${Math.round(performance.now() - killed)} ms after the kill`,
    )
    await brake(0.01)
    await whole()
    const again = await eventually('it is started again', () => living(3))
    assert.notEqual(again.id, victim.id)
  })

  it('go on when the lead is killed, and single requests are answered; a new lead takes over', async (t: TestContext) => {
    await brake(0.1)
    const known = Array.from({ length: 4 }, newDevice)
    const first = await smki.send(known.map((deviceId, i) => ({ id: `i${i}`, csr: csrOf(deviceId) })))
    await smki.until(first, 'COMPLETED')
    await submit(100)
    await eventually('portions are taken', async () => (await whoWorked('taken')).size === 4)
    const before = (await living(1))!
    const pid = smki.service.processes.signer!
    let stop = false
    const asked: { csr: Buffer; answer: Answer; after: boolean }[] = []
    let killed = Number.POSITIVE_INFINITY
    const asking = known.map(async deviceId => {
      while (!stop) {
        const csr = csrOf(deviceId, 'keyAgreement')
        const answer = await smki.ask(csr)
        asked.push({ csr, answer, after: performance.now() > killed })
        // The threshold of a Device ID is far, and shall be.
        await sleep(150)
      }
    })
    await eventually('some were answered', async () => asked.length >= 8)
    process.kill(pid, 'SIGKILL')
    killed = performance.now()
    const others = `NOT LIKE '${before.id}/%'`
    const done = await doneBy(others)
    await eventually('others go on', async () => (await doneBy(others)) > done + 3)
    const sawNone = (await living(1))?.id === before.id || (await living(1)) === undefined
    await eventually('there is a new lead', async () => ((await living(1))?.id ?? before.id) !== before.id)
    const took = Math.round(performance.now() - killed)
    t.diagnostic(`a new lead was there ${took} ms after the kill; others went on before it: ${sawNone}`)
    assert.ok(took < 30_000)
    await eventually('single requests are answered', async () => asked.filter(one => one.after).length >= 8)
    stop = true
    await Promise.all(asking)
    await brake(0.01)
    await whole()
    assert.notEqual(smki.service.processes.signer, pid)

    const register = new Map<string, Buffer>()
    for await (const one of everyCertificate(smki.store, new Date())) register.set(toHex(one.serial), one.der)
    const codes = new Map<string, number>()
    for (const { csr, answer } of asked) {
      const { Status, ErrorCode } = answer.fields
      codes.set(ErrorCode ?? Status!, (codes.get(ErrorCode ?? Status!) ?? 0) + 1)
      if (Status === 'SUCCESS') {
        const der = Buffer.from(answer.fields.Certificate!, 'base64')
        assert.deepEqual(register.get(toHex(readCertificate(der).serial)), der)
      } else {
        assert.match(ErrorCode!, /^(CA:FF1|WF:BB2)$/)
        // Whoever asks again gets it, or is told that it was issued: nothing of the signer that ended is in the way.
        const again = await smki.ask(csr)
        if (again.fields.Status !== 'SUCCESS') {
          assert.equal(again.fields.ErrorCode, 'CR:9999', again.text)
          const { spki } = readRequest(csr).publicKey
          assert.ok(
            [...register.values()].some(der => Buffer.from(readCertificate(der).publicKey.spki).equals(spki)),
          )
        }
      }
    }
    t.diagnostic(`answers: ${JSON.stringify(Object.fromEntries(codes))}`)
    assert.ok(asked.some(one => one.after && one.answer.fields.Status === 'SUCCESS'))
    const { rows } = await smki.store.query("SELECT FROM signing WHERE state = 'intended'")
    assert.equal(rows.length, 0)
  })
})

describe('The key of a used-up Issuing DCA, with two signer processes', { skip }, () => {
  const limit = 100
  before(async () => {
    smki = await serving({
      issuing: { signers: 2, threads: 1, portion: 10, signerRestarts: 1 },
      certificates: { issuingDcaCertificates: limit, issuingDcaStock: 8, issuingDcaStockWarning: 0 },
    })
  })
  after(() => smki.close())

  const states = async () => {
    const { rows } = await smki.store.query<{ name: string; state: string }>(
      "SELECT name, state FROM authority WHERE pki = 'smki-device' AND level = 'issuing' ORDER BY id",
    )
    return rows.map(row => row.state)
  }
  const issueSome = async (count: number) => {
    const batch = await smki.send(makeItems(count))
    const answer = await smki.until(batch, 'COMPLETED')
    assert.ok(answer.items.every(one => one.status === 'SUCCESS'))
  }
  /** The lead holds nothing of it any more, and has had three turns to destroy it. */
  const leadWaits = async (authority: number) => {
    await eventually('the lead has given it up', async () => {
      const { rows } = await smki.store.query(
        `SELECT FROM signer, authority a WHERE number = 1 AND gone_at IS NULL AND a.id = ANY(given_up)
            AND a.id = (SELECT id FROM authority WHERE pki = 'smki-device' AND level = 'issuing'
                         ORDER BY id OFFSET $1 LIMIT 1)`,
        [authority],
      )
      return rows.length === 1
    })
    await sleep(3000)
  }

  it('is destroyed when both have given it up, and not while one has not said so', async () => {
    const second = smki.service.processes['signer 2']!
    process.kill(second, 'SIGSTOP')
    try {
      await issueSome(limit + 20)
      await eventually('the first is used up', async () => (await states())[0] === 'exhausted')
      await leadWaits(0)
      assert.equal((await states())[0], 'exhausted')
    } finally {
      process.kill(second, 'SIGCONT')
    }
    await eventually('it is destroyed', async () => (await states())[0] === 'used-up')
  })

  it('is destroyed when one gave it up and the other ended', async () => {
    const second = smki.service.processes['signer 2']!
    process.kill(second, 'SIGSTOP')
    await issueSome(limit + 20)
    await eventually('the second is used up', async () => (await states())[1] === 'exhausted')
    await leadWaits(1)
    assert.equal((await states())[1], 'exhausted')
    process.kill(second, 'SIGKILL')
    await eventually('it is destroyed', async () => (await states())[1] === 'used-up')
    // Allotments that a killed process took along may have used up one more key by now.
    const destroyed = (await smki.acts()).filter(one => one.act === 'destroy key').map(one => one.body.authority)
    assert.ok(destroyed.length >= 2, `${destroyed}`)
    assert.equal(new Set(destroyed).size, destroyed.length, 'each once')
    await issueSome(20)
  })

  it('ends the service, in order, when its process ends more often than it is started again', async () => {
    const exit = process.exitCode
    const { service } = smki
    await eventually('it runs again', () => living(2))
    process.kill(service.processes['signer 2']!, 'SIGKILL')
    await service.ended
    assert.equal(process.exitCode, 1)
    process.exitCode = exit
    await smki.start()
  })
})
