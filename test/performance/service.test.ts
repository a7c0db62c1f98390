/** A whole service that is measured: its doors, `/metrics`, `/health`, the commands, and what a kill costs. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { main } from '../../src/main/smki.ts'
import { systemClock } from '../../src/main/world.ts'
import { hyphenated } from '../../src/policy/identifiers.ts'
import { horizonOf } from '../../src/policy/performance/rounds.ts'
import { monthIn } from '../../src/policy/performance/zone.ts'
import type { OwnReport, PanelReport } from '../../src/rooms/governance/performance/report.ts'
import { parties } from '../../src/rooms/registration/parties.ts'
import { type Environment, serving, sleep } from '../service/environment.ts'

let smki: Environment
let folder: string
const deviceId = '02e1000000000a01'
const month = monthIn(systemClock(), 'Europe/London')

before(async () => {
  smki = await serving({
    issuing: { threads: 1 },
    performance: { metricsPort: 0 },
    repository: { testKeys: ['a key of the tests'] },
  })
  folder = mkdtempSync(join(tmpdir(), 'opensmki-performance-'))
})
after(async () => {
  await smki.close()
  rmSync(folder, { recursive: true, force: true })
})

const get = async (path: string) => {
  const answer = await fetch(`http://127.0.0.1:${smki.service.ports.metrics}${path}`)
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
}
const health = async () => {
  const { status, text } = await get('/health')
  const { checks } = JSON.parse(text) as { checks: { check: string; ok: boolean; says: string }[] }
  return { status, failing: checks.filter(one => !one.ok).map(one => one.check), checks }
}
/** Values by name and labels, as Prometheus reads them. */
async function metrics(): Promise<Map<string, number>> {
  const { status, type, text } = await get('/metrics')
  assert.equal(status, 200)
  assert.match(type!, /^text\/plain; version=0\.0\.4/)
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => {
      const [, name, value] = /^(\w+(?:\{[^}]*\})?) (\S+)$/.exec(line)!
      return [name!, Number(value)]
    }),
  )
}
const smkiSays = async (...argv: string[]) => {
  let [out, err, code] = ['', '', 0]
  const io = {
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    exit: (exit: number) => {
      code = exit
    },
    clock: systemClock,
  }
  await main(['--home', smki.home.path, ...argv], io)
  return { out, err, code }
}
const until = async (holds: () => Promise<boolean>) => {
  for (let look = 0; !(await holds()); look++) {
    if (look === 200) throw new Error('it did not come to be')
    await sleep(50)
  }
}
const groups = async () =>
  (await smki.store.query<{ n: number }>('SELECT count(*)::int AS n FROM response_group')).rows[0]!.n

describe('a service that is measured', () => {
  it('keeps each single request within two seconds, and counts it for its Party', async () => {
    const csrs = [1, 2, 3].map(i => ({
      id: `d${i}`,
      csr: makeDeviceCsr({ deviceId, usage: 'digitalSignature' }).csr,
    }))
    await smki.until(await smki.send(csrs), 'COMPLETED')
    const good = await smki.ask(makeDeviceCsr({ deviceId, usage: 'keyAgreement' }).csr)
    assert.equal(good.fields.Status, 'SUCCESS')
    const stranger = makeDeviceCsr({ deviceId: '02e1000000000a99', usage: 'keyAgreement' })
    assert.equal((await smki.ask(stranger.csr)).fields.Status, 'UNKNOWN_DEVICE')
    // No CSR at all: it is neither measured nor counted.
    assert.equal((await smki.adHoc('<nonsense/>')).fields.ErrorCode, 'FM:AA1')
    const search = await fetch(
      `http://127.0.0.1:${smki.service.ports.plainRepository}/services/certificatesearch?apikey=a%20key%20of%20the%20tests`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/xml' },
        body: `<CertificateSearchRequest><CertificateSubjectAltName>${hyphenated(deviceId)}</CertificateSubjectAltName></CertificateSearchRequest>`,
      },
    )
    await search.text()
    assert.equal(search.status, 200)
    await until(async () => (await groups()) >= 2)
    const { rows } = await smki.store.query<{ channel: number; measured: number; within: number; octets: number }>(
      `SELECT channel, sum(measured)::int AS measured, sum(within)::int AS within,
              sum(octet_length(samples))::int AS octets FROM response_group GROUP BY channel ORDER BY channel`,
    )
    assert.deepEqual(rows, [
      { channel: 1, measured: 1, within: 1, octets: 26 },
      { channel: 5, measured: 1, within: 1, octets: 13 },
    ])
  })

  it('shows programs, queues, lists, stock, store and requests to Prometheus, and no secret', async () => {
    await until(async () =>
      (await metrics()).has('opensmki_requests_total{channel="ADHOC_WS",outcome="within",program="device"}'),
    )
    const found = await metrics()
    const is = (name: string, value: number) => assert.equal(found.get(name), value, name)
    is('opensmki_requests_total{channel="ADHOC_WS",outcome="within",program="device"}', 1)
    is('opensmki_requests_total{channel="ADHOC_WS",outcome="refused",program="device"}', 1)
    is('opensmki_response_seconds_count{channel="ADHOC_WS",program="device"}', 1)
    for (const part of ['signer', 'device', 'repository', 'operator', 'store']) is(`opensmki_up{part="${part}"}`, 1)
    is('opensmki_batches{state="PROCESSING"}', 0)
    is('opensmki_batch_csrs_waiting', 0)
    is('opensmki_issuing_dca_stock', smki.service.settings.certificates.issuingDcaStock - 1)
    const margins = [...found].filter(([name]) => name.startsWith('opensmki_list_margin_seconds'))
    assert.ok(margins.length >= 4 && margins.every(([, margin]) => margin > 0))
    assert.ok(found.get('opensmki_store_octets')! > 1e6)
    assert.ok(found.get('opensmki_process_resident_memory_bytes{program="signer"}')! > 1e6)
    const { text } = await get('/metrics')
    const passphrase = readFileSync(smki.home.issuingPassphrase, 'utf8').trim()
    for (const secret of [passphrase, 'a key of the tests', smki.home.path]) assert.ok(!text.includes(secret))
  })

  it('has every metric that the dashboard asks for', async () => {
    const found = new Set([...(await metrics()).keys()].map(name => name.replace(/\{.*/, '')))
    const dashboard = readFileSync(new URL('../../docs/operations/grafana.json', import.meta.url), 'utf8')
    const { panels } = JSON.parse(dashboard) as { panels: { title: string; targets: { expr: string }[] }[] }
    const asked = panels.flatMap(one => one.targets.flatMap(({ expr }) => expr.match(/opensmki_\w+/g) ?? []))
    assert.ok(panels.length >= 20 && asked.length >= panels.length)
    assert.deepEqual(
      asked.filter(name => !found.has(name)),
      [],
    )
  })

  it('takes forecasts and gives reports by its commands', async () => {
    const maker = (await parties(smki.store)).find(one => one.name === 'meter-maker')!
    const months = horizonOf(month, 8)
    const csv = join(folder, 'forecast.csv')
    writeFileSync(csv, ['month,single,batch', ...months.map(one => `${one},10,20`)].join('\r\n'))
    const party = ['--party', String(maker.id)]
    const entered = await smkiSays('forecast', 'submit', csv, ...party, '--by', 'p-00000000000a')
    assert.equal(entered.out, `Forecast 1 of party ${maker.id}: ${months[0]} to ${months[7]}.\n`, entered.err)
    assert.match((await smkiSays('forecast', 'show', ...party)).out, new RegExp(`${months[0]} +10 +20 +30\n`))
    assert.match((await smkiSays('forecast', 'due')).out, /PARTY +NAME +ROUND +DUE +STATE/)
    const nobody = await smkiSays('forecast', 'submit', csv, '--party', '999', '--by', 'p-00000000000a')
    assert.deepEqual([nobody.code, nobody.err.split(':')[0]], [1, 'NOT_A_SUBSCRIBER'])
    assert.equal((await smkiSays('forecast', 'submit', csv, ...party, '--by', 'Jo')).code, 2)

    const draft = await smkiSays('report', 'month', '--month', month, ...party)
    assert.match(draft.err, /draft/)
    const own = JSON.parse(draft.out) as OwnReport
    assert.deepEqual(own.sent, { single: 0, batch: 3, total: 3 })
    const panel = JSON.parse((await smkiSays('report', 'month', '--month', month)).out) as PanelReport
    const organisation = await smki.store.query<{ n: number }>(
      'SELECT count(approved_at)::int AS n FROM organisation_csr',
    )
    assert.deepEqual(
      panel.measures.map(one => [one.measure, one.measured, one.percent]),
      [
        ['single', 1 + organisation.rows[0]!.n, '100.00 %'],
        ['batch', 1, '100.00 %'],
        ['repository', 1, '100.00 %'],
      ],
    )
    assert.match((await smkiSays('report', 'month', '--month', month, '--format', 'csv')).out, /^Month,/)
    assert.match((await smkiSays('report', 'month', '--month', month, '--format', 'html')).out, /^<!doctype html>/)
    const early = await smkiSays('report', 'make', '--month', month, '--by', 'p-00000000000a')
    assert.equal(early.err.split(':')[0], 'MONTH_NOT_OVER')
    const times = ['--from', '2020-01-01T00:00:00Z', '--until', '2020-01-01T01:00:00Z']
    const why = ['--kind', 'planned maintenance', '--reference', 'notice 1', '--by', 'p-00000000000a']
    assert.equal((await smkiSays('report', 'exclude', ...times, ...why)).out, 'Exclusion 1 is recorded.\n')
    assert.match((await smkiSays('report', 'exclusions', ...times)).out, /planned maintenance .* notice 1/)
  })

  it('is well, and says what is not: a program that hangs, and one that goes on', async () => {
    await until(async () => (await health()).status === 200)
    const pid = smki.service.processes.signer!
    process.kill(pid, 'SIGSTOP')
    try {
      const { status, failing } = await health()
      assert.deepEqual([status, failing], [503, ['program signer']])
      assert.equal((await metrics()).get('opensmki_up{part="signer"}'), 0)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await until(async () => (await health()).status === 200)
  })

  it('says that a list is late, and that no key is left', async () => {
    const change = (sql: string) => smki.store.query(sql)
    await change("UPDATE list SET next_update = next_update - interval '100 years' WHERE name = 'Organisation ARL'")
    await change(
      "UPDATE authority SET state = 'used-up' WHERE pki = 'smki-device' AND level = 'issuing' AND state = 'stock'",
    )
    await change("UPDATE authority SET allotted = 1000000000 WHERE state = 'current'")
    const { status, failing, checks } = await health()
    assert.equal(status, 503)
    assert.ok(failing.includes('stock of Issuing DCAs'), String(failing))
    assert.ok(checks.some(one => /Organisation ARL/.test(one.check) && !one.ok && /rely/.test(one.says)))
  })

  it('keeps what it measured when it is stopped', async () => {
    const before = await groups()
    await smki.ask(makeDeviceCsr({ deviceId, usage: 'keyAgreement' }).csr)
    // At once: the second is not over.
    await smki.stop()
    const kept = await smki.onStore(async store => {
      const { rows } = await store.query<{ n: number }>('SELECT count(*)::int AS n FROM response_group')
      return rows[0]!.n
    })
    assert.equal(kept, before + 1)
    await smki.start()
  })
})
