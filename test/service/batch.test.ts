/** The Batched Device CSR Web Service: every state a batch has, every status and code of its results. */

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { BatchItem } from '../../simulator/batch.ts'
import { makeBatchXml } from '../../simulator/batch.ts'
import { type Device, makeDeviceCsr, makeKeyPair } from '../../simulator/device.ts'
import { accepted } from '../../simulator/peculiar.ts'
import { codes } from '../../src/policy/smki-device/codes.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { batchOf, decideBatch, removeStale } from '../../src/rooms/issuance/batch.ts'
import { wallClock } from '../../src/rooms/issuance/window.ts'
import { type Answer, type Environment, serving, sleep } from './environment.ts'
import { endSubscriber } from './officers.ts'
import { badRequests } from './requests.ts'

let smki: Environment
const seen = new Set<string>()

before(async () => {
  smki = await serving({
    certificates: { issuingDcaCertificates: 60, issuingDcaStock: 8 },
    issuing: { approval: 'manual', portion: 7, threads: 2, deviceThreshold: 5 },
  })
})
after(() => smki.close())

let devices = 0x02e2000000000000n
const newDevice = (): Device => ({
  deviceId: (++devices).toString(16).padStart(16, '0'),
  usage: 'digitalSignature',
})
const good = (): Buffer => makeDeviceCsr(newDevice()).csr
const items = (...csrs: Uint8Array[]): BatchItem[] => csrs.map((csr, i) => ({ id: `i${i}`, csr }))

const decide = (batch: bigint, approve = true) =>
  decideBatch(smki.hands, batch, { approve, by: 'ra-1', reason: 'a test' })

/** Submits, approves, and waits for the end. */
async function completed(items: Iterable<BatchItem>, party?: string): Promise<Answer> {
  const batch = await smki.send(items, party)
  await decide(batch)
  return smki.until(batch, 'COMPLETED', party)
}

const outcomes = (answer: Answer) =>
  answer.items.map(({ status, code }) => {
    if (code !== undefined) seen.add(code)
    return code === undefined ? status : `${status} ${code}`
  })
const refused = ({ id, fields }: Answer) => {
  seen.add(fields.ErrorCode!)
  return { id, status: fields.BatchStatus, code: fields.ErrorCode }
}

/** Holds a table, so that whoever would write to it waits. */
async function hold(table: string, mode: 'EXCLUSIVE' | 'ACCESS EXCLUSIVE'): Promise<() => Promise<void>> {
  const held = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  const done = smki.store.transaction(async client => {
    await client.query(`LOCK TABLE ${table} IN ${mode} MODE`)
    held.resolve()
    await end.promise
  })
  await Promise.race([held.promise, done])
  return () => {
    end.resolve()
    return done
  }
}

describe('A submission', () => {
  for (const id of ['x', `a & <b> "c" 'd'\n\té \u{10000}`, '\u{1f4a1}'.repeat(256)]) {
    it(`is answered at once with PENDING, its BatchId, and its ID as it came (${[...id].length} characters)`, async () => {
      const answer = await smki.submit(makeBatchXml(items(good()), { id }))
      assert.equal(answer.root, 'SubmitCSRBatchStatus')
      assert.equal(answer.id, id)
      assert.equal(answer.fields.BatchStatus, 'PENDING')
      assert.match(answer.fields.BatchId!, /^[1-9]\d*$/)
      const result = await smki.result(answer.fields.BatchId!)
      assert.deepEqual([result.id, result.fields.BatchStatus], [id, 'PENDING'])
    })
  }

  it('that is not valid is refused without its ID, and leaves nothing', async () => {
    const parts = async () => (await smki.store.query('SELECT count(*) AS count FROM batch_part')).rows[0]!.count
    const before = await parts()
    const document = Buffer.concat(await Array.fromAsync(makeBatchXml(items(good()), { id: 'x' })))
    const answer = await smki.submit(document.subarray(0, -5))
    assert.deepEqual(refused(answer), { id: undefined, status: 'FORMAT_ERROR', code: 'FM:AA1' })
    assert.equal(await parts(), before)
  })

  it('that meets a fault of ours is told so, with its ID, and is good when it is sent again', async () => {
    const document = Buffer.concat(await Array.fromAsync(makeBatchXml(items(good()), { id: 'again' })))
    await smki.store.query('ALTER TABLE batch_part RENAME COLUMN at TO at_gone')
    const answer = await smki.submit(document)
    assert.deepEqual(refused(answer), { id: 'again', status: 'WORKFLOW_ERROR', code: 'WF:BB2' })
    await smki.store.query('ALTER TABLE batch_part RENAME COLUMN at_gone TO at')
    assert.equal((await smki.submit(document)).fields.BatchStatus, 'PENDING')
  })
})

describe('A batch', () => {
  it('goes from PENDING over PARSING, QUEUED and PROCESSING to COMPLETED', async () => {
    const batch = await smki.send(items(good(), good()), undefined, 'the states')
    const states: string[] = []
    const look = async (state: string) => {
      const { id, fields, items } = await smki.until(batch, state)
      assert.deepEqual([id, fields.BatchId, items.length], ['the states', String(batch), 0])
      states.push(state)
    }
    await look('PENDING')
    const parts = await hold('batch_part', 'ACCESS EXCLUSIVE')
    await decide(batch)
    await look('PARSING')
    const journal = await hold('journal_pending', 'EXCLUSIVE')
    await parts()
    await look('QUEUED')
    const signings = await hold('signing', 'EXCLUSIVE')
    await journal()
    await look('PROCESSING')
    await sleep(100)
    await look('PROCESSING')
    await signings()
    const end = await smki.until(batch, 'COMPLETED')
    assert.deepEqual(outcomes(end), ['SUCCESS', 'SUCCESS'])
    const told = (await smki.acts()).filter(one => one.body.batch === String(batch)).map(one => one.act)
    assert.deepEqual(told.toSorted(), [
      'approve batch',
      'batch completed',
      'batch processing',
      'intend',
      'issue',
      'submit batch',
    ])
  })

  it('that the Registration Authority refuses is REJECTED, for good, with who and why in the journal', async () => {
    const batch = await smki.send(items(good()))
    await decide(batch, false)
    assert.equal((await smki.result(batch)).fields.BatchStatus, 'REJECTED')
    await assert.rejects(decide(batch), { code: 'BATCH_NOT_PENDING' })
    assert.equal((await smki.result(batch)).fields.BatchStatus, 'REJECTED')
    const act = (await smki.acts()).find(one => one.act === 'reject batch')!
    assert.deepEqual(act.body, { batch: String(batch), by: 'ra-1', reason: 'a test' })
  })

  for (const [how, change] of Object.entries({
    'one octet of it is changed':
      'UPDATE batch_part SET octets = set_byte(octets, 100, get_byte(octets, 100) # 1) WHERE batch = $1',
    'a part of it is gone': 'DELETE FROM batch_part WHERE batch = $1',
    'something is put behind it':
      "INSERT INTO batch_part (batch, number, octets, at) VALUES ($1, 1, '\\x0a', now())",
  })) {
    it(`is TAMPERED when ${how} before it is parsed: nothing of it is issued`, async () => {
      const device = newDevice()
      const batch = await smki.send(items(makeDeviceCsr(device).csr))
      assert.equal((await smki.store.query(change, [batch])).rowCount, 1)
      await decide(batch)
      const { fields, items: none } = await smki.until(batch, 'TAMPERED')
      assert.deepEqual([fields.BatchId, none.length], [String(batch), 0])
      const { rowCount } = await smki.store.query('SELECT FROM certificate WHERE eui64 = $1', [
        Buffer.from(device.deviceId, 'hex'),
      ])
      assert.equal(rowCount, 0)
      assert.ok((await smki.acts()).some(one => one.act === 'batch tampered' && one.body.batch === String(batch)))
    })
  }

  it('keeps each part that a portion reads its requests from', async () => {
    const batch = await smki.send(items(good()))
    await decide(batch)
    await smki.until(batch, 'COMPLETED')
    const remove = smki.store.query('DELETE FROM batch_part WHERE batch = $1', [batch])
    await assert.rejects(remove, { code: '23503' })
  })

  it('that an earlier build stored as it came is REJECTED with what to do, and nothing of it is read', async () => {
    const batch = await smki.send(items(good()))
    const body = Buffer.concat(await Array.fromAsync(makeBatchXml(items(good()), { id: 'x' })))
    await smki.store.query('UPDATE batch_part SET octets = $2 WHERE batch = $1', [batch, body])
    await smki.store.query('UPDATE batch SET sha256 = sha256($2) WHERE id = $1', [batch, body])
    await decide(batch)
    await smki.until(batch, 'REJECTED')
    const told = (await smki.acts()).findLast(one => one.body.batch === String(batch))!
    assert.deepEqual([told.act, told.body.by], ['reject batch', 'the service'])
    assert.match(String(told.body.reason), /submit it again/)
  })
})

describe('A result', () => {
  it('has one answer for each request, in the order of submission, each with its own code', async () => {
    const device = newDevice()
    const [first, second] = [makeKeyPair(), makeKeyPair()]
    const csr = (more: Partial<Device>) => makeDeviceCsr({ ...device, ...more }).csr
    const expected: [Buffer, string][] = [
      [csr({ keyPair: first }), 'SUCCESS'],
      ...badRequests(newDevice()).map(({ csr, code }): [Buffer, string] => [csr, `CSR_ERROR ${code}`]),
      [csr({ keyPair: second }), 'SUCCESS'],
      [csr({ keyPair: first }), 'CSR_ERROR CR:9999'],
      [csr({ keyPair: first, usage: 'keyAgreement' }), 'SUCCESS'],
      [csr({ keyPair: second, ...newDevice() }), 'ISSUANCE_ANOMALY CA:EE2'],
      ...Object.values(accepted).map((make): [Buffer, string] => [make(newDevice()), 'SUCCESS']),
      // The fourth and fifth of this Device ID; its threshold is 5.
      [csr({}), 'SUCCESS'],
      [csr({}), 'SUCCESS'],
      [csr({}), 'ISSUANCE_ANOMALY CA:EE1'],
      [csr({ keyPair: first }), 'ISSUANCE_ANOMALY CA:EE1'],
      ...Array.from({ length: 20 }, (): [Buffer, string] => [good(), 'SUCCESS']),
    ]
    // One portion, so that what comes first is judged first; the IDs are in no order of their own.
    const ids = expected.map((_, i) => `${'zyxw'[i % 4]}-${(i * 7919) % 1009}`)
    const list = expected.map(([csr], i) => ({ id: ids[i]!, csr }))
    await smki.restart({ issuing: { portion: 2000, threads: 2, deviceThreshold: 5, approval: 'manual' } })
    const answer = await completed(list)
    assert.equal(answer.root, 'CSRBatchResult')
    assert.deepEqual(
      outcomes(answer),
      expected.map(([, outcome]) => outcome),
    )
    assert.deepEqual(
      answer.items.map(one => one.id),
      ids,
    )
    for (const { certificate, text } of answer.items) {
      assert.ok(certificate ? new X509Certificate(certificate) : text && text.length > 10)
    }
    // The same requests once more, in another batch: what was issued is a duplicate now.
    const again = outcomes(await completed(list.slice(-20)))
    assert.deepEqual(again, new Array(20).fill('CSR_ERROR CR:9999'))
  })

  it('of many portions is in the order of submission too; each key has its own certificate', async () => {
    await smki.restart({ issuing: { portion: 7, threads: 2, deviceThreshold: 5, approval: 'manual' } })
    const made = Array.from({ length: 100 }, () => makeDeviceCsr(newDevice()))
    const answer = await completed(made.map(({ csr }, i) => ({ id: `n${(i * 37) % 100}`, csr })))
    assert.equal(answer.items.length, 100)
    answer.items.forEach(({ id, certificate }, i) => {
      assert.equal(id, `n${(i * 37) % 100}`)
      assert.ok(new X509Certificate(certificate!).publicKey.equals(made[i]!.publicKey))
    })
    // An Issuing DCA signs 60: in mid-batch the next one took over.
    const all = (await authorities(smki.store)).filter(one => one.part === 'Issuing DCA')
    const issuers = answer.items.map(({ certificate }) => {
      const one = new X509Certificate(certificate!)
      const issuer = all.find(({ certificate }) => one.verify(new X509Certificate(certificate.der).publicKey))!
      assert.equal(one.issuer, `CN=${issuer.name}`)
      return issuer.id
    })
    assert.ok(new Set(issuers).size >= 2, `${new Set(issuers).size} authorities signed the batch`)
    const { rows } = await smki.store.query<{ authority: number; count: bigint }>(
      'SELECT authority, count(*) AS count FROM certificate WHERE family = 1 GROUP BY authority',
    )
    for (const { authority, count } of rows) assert.ok(count <= 60n, `authority ${authority} signed ${count}`)
  })

  it('takes the keys that were used up on the way out of the key store', async () => {
    const state = async () =>
      (await authorities(smki.store)).filter(one => one.part === 'Issuing DCA' && one.state === 'exhausted').length
    for (let look = 0; look < 600 && (await state()) > 0; look++) await sleep(50)
    const used = (await authorities(smki.store)).filter(one => one.state === 'used-up')
    assert.ok(used.length >= 2, `${used.length} keys`)
    smki.keys.reload()
    for (const { keyLabel } of used) assert.ok(!smki.keys.has(keyLabel))
    const destroyed = (await smki.acts()).filter(one => one.act === 'destroy key').map(one => one.body.name)
    assert.deepEqual(destroyed.toSorted(), used.map(one => one.name).toSorted())
  })

  it('for a Party that is no Authorised Subscriber is INELIGIBLE, for whatever is a CSR', async () => {
    const bad = badRequests(newDevice()).find(one => one.code === 'CR:CC3')!.csr
    await endSubscriber(smki, 'network-operator', 'smki-device')
    const answer = await completed(items(good(), bad, good()), 'network-operator')
    assert.deepEqual(outcomes(answer), ['INELIGIBLE IN:GG1', 'CSR_ERROR CR:CC3', 'INELIGIBLE IN:GG1'])
  })

  it('is INELIGIBLE where L3.16 says so of the Device, by the inventory in the home, with the reason', async () => {
    const devices = [newDevice(), newDevice(), newDevice()] as const
    const facts = [
      { type: 'ESME', smiStatus: 'commissioned', responsible: { IS: '02a0000000030000' } },
      { type: 'CHF', smiStatus: 'pending', responsible: {} },
      { type: 'ESME', smiStatus: 'commissioned', responsible: { IS: '02a0000000010000' } },
    ]
    const lines = devices.map(({ deviceId }, i) => `${JSON.stringify({ deviceId, ...facts[i] })}\n`)
    const file = join(smki.home.path, 'inventory.ndjson')
    writeFileSync(file, lines.join(''))
    const list = items(...devices.map(device => makeDeviceCsr(device).csr))
    const supplier = await completed(list, 'import-supplier')
    assert.deepEqual(outcomes(supplier), ['INELIGIBLE IN:GG3', 'INELIGIBLE IN:GG4', 'SUCCESS'])
    const maker = await completed(list, 'meter-maker')
    assert.deepEqual(outcomes(maker), ['INELIGIBLE IN:GG2', 'INELIGIBLE IN:GG4', 'INELIGIBLE IN:GG2'])
    rmSync(file)
  })

  it('that nobody could make, after some tries, says so for each request; asked again they are good', async () => {
    const list = items(good(), good())
    await smki.store.query('ALTER TABLE certificate RENAME TO certificate_gone')
    const answer = await completed(list)
    await smki.store.query('ALTER TABLE certificate_gone RENAME TO certificate')
    assert.deepEqual(outcomes(answer), ['CA_ERROR CA:FF1', 'CA_ERROR CA:FF1'])
    assert.deepEqual(outcomes(await completed(list)), ['SUCCESS', 'SUCCESS'])
  })
})

describe('A query', () => {
  it('of what is no batch, or not a batch of that Party, finds it unknown', async () => {
    const own = await smki.send(items(good()))
    const unknown = { id: undefined, status: 'FORMAT_ERROR', code: 'FM:AA3' }
    for (const id of [
      String(own + 1000n),
      '0',
      '-1',
      '+1',
      '1.0',
      '0x1',
      '01',
      '',
      'x',
      '9223372036854775807',
      '9223372036854775808',
      '9'.repeat(40),
      `${own}&BatchId=${own}`,
      `${own}%00`,
      `${own} `.replace(' ', '%20'),
    ]) {
      assert.deepEqual(refused(await smki.result(id)), unknown, id)
    }
    for (const party of ['import-supplier', 'network-operator', 'dcc']) {
      assert.deepEqual(refused(await smki.result(own, party)), unknown, party)
    }
    assert.equal((await smki.result(own)).fields.BatchStatus, 'PENDING')
  })

  it('that meets a fault of ours is told so, without an ID', async () => {
    const batch = await smki.send(items(good()))
    await smki.store.query('ALTER TABLE batch RENAME COLUMN reference TO reference_gone')
    const answer = await smki.result(batch)
    await smki.store.query('ALTER TABLE batch RENAME COLUMN reference_gone TO reference')
    assert.deepEqual(refused(answer), { id: undefined, status: 'WORKFLOW_ERROR', code: 'WF:BB1' })
    assert.equal((await smki.result(batch)).fields.BatchStatus, 'PENDING')
  })

  it('finds a result for thirty days, and then no more: by the clock that is handed in', async () => {
    const { items: before } = await completed(items(good()))
    const { rows } = await smki.store.query<{ id: bigint; party: number; completed_at: Date }>(
      "SELECT id, party, completed_at FROM batch WHERE state = 'COMPLETED' ORDER BY id DESC LIMIT 1",
    )
    const { id, party, completed_at: end } = rows[0]!
    const after = (ms: number) => new Date(end.getTime() + 30 * 86_400_000 + ms)
    const found = async (ms: number) => {
      const batch = await batchOf(smki.store, party, id, { now: after(ms), days: 30 })
      return typeof batch === 'object' ? batch.id : batch
    }
    assert.equal(await found(0), id)
    assert.equal(await found(1), 'past')
    assert.equal(await batchOf(smki.store, party + 1, id, { now: after(1), days: 30 }), undefined)

    // At the last moment it is all there; a moment later its results are removed, and its certificates are not.
    const portions = async () =>
      (
        await smki.store.query(
          'SELECT FROM portion WHERE batch = $1 UNION ALL SELECT FROM batch_part WHERE batch = $1',
          [id],
        )
      ).rowCount
    await removeStale(smki.store, { now: after(0), pickupDays: 30 })
    assert.equal(await portions(), 2)
    await removeStale(smki.store, { now: after(1), pickupDays: 30 })
    assert.equal(await portions(), 0)
    const serial = new X509Certificate(before[0]!.certificate!).serialNumber.padStart(32, '0')
    const { rowCount } = await smki.store.query('SELECT FROM certificate WHERE serial = $1', [
      Buffer.from(serial, 'hex'),
    ])
    assert.equal(rowCount, 1)

    // What is not all there is not handed out as if it were.
    await assert.rejects(smki.result(id))
    await smki.store.query(
      "UPDATE batch SET completed_at = completed_at - interval '30 days 1 second' WHERE id = $1",
      [id],
    )
    assert.deepEqual(refused(await smki.result(id)), { id: undefined, status: 'FORMAT_ERROR', code: 'FM:AA3' })
  })

  it('of a batch that was refused finds it so as long as there is the batch; its upload goes after thirty days', async () => {
    const batch = await smki.send(items(good()))
    await decide(batch, false)
    const parts = async () => (await smki.store.query('SELECT FROM batch_part WHERE batch = $1', [batch])).rowCount
    const now = Date.now()
    await removeStale(smki.store, { now: new Date(now + 29 * 86_400_000), pickupDays: 30 })
    assert.equal(await parts(), 1)
    await removeStale(smki.store, { now: new Date(now + 31 * 86_400_000), pickupDays: 30 })
    assert.equal(await parts(), 0)
    assert.equal((await smki.result(batch)).fields.BatchStatus, 'REJECTED')
  })
})

describe('The processing window', () => {
  it('closed keeps a batch PAUSED; open again it completes, also what was done when it closed', async () => {
    const zone = 'Europe/London'
    const at = (hours: number) => wallClock(new Date(Date.now() + hours * 3_600_000), zone)
    await smki.restart({ issuing: { approval: 'manual', portion: 7, window: { from: at(2), until: at(3), zone } } })
    const batch = await smki.send(items(good()))
    await decide(batch)
    const paused = await smki.until(batch, 'PAUSED')
    assert.deepEqual([paused.fields.BatchId, paused.items.length], [String(batch), 0])
    await sleep(300)
    assert.equal((await smki.result(batch)).fields.BatchStatus, 'PAUSED')
    const told = async () => (await smki.acts()).filter(one => one.body.batch === String(batch)).map(one => one.act)
    assert.ok((await told()).includes('batch paused'))

    await smki.restart({
      issuing: { approval: 'manual', portion: 7, window: { from: at(-1), until: at(1), zone } },
    })
    assert.deepEqual(outcomes(await smki.until(batch, 'COMPLETED')), ['SUCCESS'])
    assert.ok((await told()).includes('batch processing'))
  })
})

describe('A clock that stands before the newest certificate', () => {
  it('keeps the signer from starting, and the refusal says so', async () => {
    const { rows } = await smki.store.query<{ id: bigint; at: Date }>(
      'SELECT id, at FROM signing ORDER BY id DESC LIMIT 1',
    )
    const set = (at: Date) => smki.store.query('UPDATE signing SET at = $2 WHERE id = $1', [rows[0]!.id, at])
    await set(new Date(Date.now() + 3_600_000))
    await smki.stop()
    await assert.rejects(smki.start(), { code: 'CLOCK_BEHIND', message: /set the clock right/ })
    await smki.onStore(store => store.query('UPDATE signing SET at = $2 WHERE id = $1', [rows[0]!.id, rows[0]!.at]))
    await smki.start()
    assert.equal((await smki.submit(makeBatchXml(items(good()), { id: 'x' }))).fields.BatchStatus, 'PENDING')
  })
})

describe('Of all codes', () => {
  it('this service has shown each that it has', () => {
    const known = Object.keys(codes).filter(code => !/^(UD:DD1|FM:AA2|WF:SUSP)$/.test(code))
    assert.deepEqual([...seen].toSorted(), known.toSorted())
  })
})
