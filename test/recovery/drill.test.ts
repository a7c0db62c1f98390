/** Every procedure as a drill on mixed Devices with faults: each Device ends recovered and proven so, or listed with its reason. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { cellsOf } from '../../simulator/smets2/cells.ts'
import { toHex } from '../../src/ground/bytes.ts'
import { showCell } from '../../src/ground/gbcs/cell.ts'
import { readEntry } from '../../src/ground/journal/entry.ts'
import { testStore } from '../../src/ground/store/testing.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { type Drilled, drill } from '../../src/main/recovery-drill.ts'
import type { Field } from '../../src/main/recovery-field.ts'
import { Stopped } from '../../src/main/recovery-work.ts'
import { systemChance } from '../../src/main/world.ts'
import { type ProcedureName, procedureNames, procedures } from '../../src/policy/recovery/cases.ts'
import { defaultSteps, recoveryByItselfSteps } from '../../src/policy/recovery/steps.ts'
import { directionsOf } from '../../src/rooms/recovery/direction.ts'
import { eventOf, procedureIn } from '../../src/rooms/recovery/event.ts'
import { htmlOf, markdownOf, verdict } from '../../src/rooms/recovery/report-text.ts'
import { migrations } from '../registration/office.ts'
import { begins, drillSettings } from './stage.ts'

const count = process.env.LONG ? 1000 : 100

/** The process ends in the middle of sending, after some octets have left, and another goes on. */
function stopping(field: Field): Field {
  let sends = 0
  return {
    ...field,
    carrier: {
      received: () => field.carrier.received(),
      async send(messages) {
        const half = [1, 3, 6].includes(++sends) ? Math.floor(messages.length / 2) : messages.length
        await field.carrier.send(messages.slice(0, half))
        if (half < messages.length) throw new Stopped('killed while sending')
      },
    },
  }
}

describe('A drill', () => {
  for (const procedure of procedureNames) {
    it(`of ${procedure} on ${count} mixed Devices ends with each recovered and proven, or listed with its reason`, async () => {
      const { store, close } = await testStore({ migrations })
      const folder = mkdtempSync(join(tmpdir(), 'opensmki-drill-'))
      try {
        const settings = drillSettings()
        const plan = { procedure, devices: count, settings, store, folder, chance: systemChance, begins }
        const drilled = await drill({ ...plan, disturb: stopping })
        const { report, play } = drilled
        try {
          const { counts } = report
          const all = Object.values(counts).reduce((a, b) => a + b, 0)
          assert.equal(counts.proven + counts.listed, all)
          assert.ok(counts.proven >= all * 0.9, JSON.stringify(counts))
          assert.ok(counts.listed >= 1 && report.reasons.reduce((a, one) => a + one.devices, 0) === counts.listed)
          assert.ok(play.tally.stopped > 0, 'the process was stopped on the way')
          for (const code of ['ANSWER_REPLAYED', 'ANSWER_NOT_ITS_OWN'])
            assert.ok(report.refused[code]! > 0, `${code} ${JSON.stringify(report.refused)}`)
          const twice = [...play.field.seen].filter(([, times]) => times > 1)
          assert.deepEqual(twice, [], 'no counter was used twice')
          for (const { used, maximum } of report.directions) assert.ok(used <= maximum)
          await requireTruth(procedure, play.field, store)
          await requireOnRecord(store, procedure)
          requireSigned(drilled, folder)
          const heading = { drill: true, environment: 'drill', madeAt: begins }
          assert.match(markdownOf(report, heading), /^# Drill of the SMKI Recovery Procedure: DRILL-/)
          assert.ok(htmlOf(report, heading).includes('<svg'))
          assert.match(verdict(report), /are recovered, and each has shown that it is/)
        } finally {
          drilled.close()
        }
      } finally {
        await close()
        rmSync(folder, { recursive: true, force: true })
      }
    })
  }

  it('of recovery where the Recovery Private Key cures itself (REC-A02) needs no Contingency Private Key', async () => {
    const { store, close } = await testStore({ migrations })
    const folder = mkdtempSync(join(tmpdir(), 'opensmki-drill-'))
    const told: string[] = []
    try {
      const settings = drillSettings({ curesRecovery: 'recovery' })
      const plan = { procedure: 'recovery', devices: 20, settings, store, folder, chance: systemChance } as const
      const drilled = await drill({ ...plan, begins, faults: {}, tell: step => told.push(step) })
      drilled.close()
      assert.deepEqual(told, ['notify', ...recoveryByItselfSteps.map(one => one.action)])
      assert.ok(!told.includes('make root'))
      const { counts, directions, ceremonies } = drilled.report
      assert.deepEqual([counts.proven > 15, counts.listed], [true, 0])
      assert.deepEqual([directions[0]!.kind, ceremonies.map(one => one.thing)], ['furtherUse', ['recovery key']])
      await requireTruth('recovery', drilled.play.field, store)
      // An event keeps to what was set when its procedure was chosen.
      const event = await eventOf(store, drilled.play.event)
      assert.equal(procedureIn(event)!.waves[0].signer, 'recovery')
    } finally {
      await close()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('does its steps in another order when they are set in another, and nothing else is changed for it', async () => {
    const late = ['decide', 'convene custodians']
    const others = defaultSteps.root.filter(({ action }) => !late.includes(action))
    const at = others.findIndex(({ action }) => action === 'send commands')
    const order = others.toSpliced(at, 0, ...defaultSteps.root.filter(({ action }) => late.includes(action)))
    const { store, close } = await testStore({ migrations })
    const folder = mkdtempSync(join(tmpdir(), 'opensmki-drill-'))
    const told: string[] = []
    try {
      const drilled = await drill({
        procedure: 'root',
        devices: 20,
        settings: drillSettings({ steps: { root: order } }),
        store,
        folder,
        chance: systemChance,
        begins,
        faults: {},
        tell: step => told.push(step),
      })
      drilled.close()
      assert.deepEqual(told, ['notify', ...order.map(one => one.action)])
      assert.ok(told.indexOf('decide') > told.indexOf('issue certificates'))
      const { proven, listed } = drilled.report.counts
      assert.deepEqual([proven > 15, listed], [true, 0])
    } finally {
      await close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

/** Progress files stand on the drill's record, and another program finds their signatures good. */
function requireSigned({ files, chain, report }: Drilled, folder: string): void {
  const types = new Set(files.map(one => one.name.split('-')[0]))
  assert.ok(types.has('OtherCompromiseRecoveryProgress'))
  assert.equal(types.has('OrganisationCompromiseRecoveryProgress'), report.event.keyKind === 'organisation')
  const ca = join(folder, 'ikis.pem')
  writeFileSync(ca, chain.map(one => toPem('CERTIFICATE', one.der)).join(''))
  for (const { name, octets, signature } of [files[0]!, files.at(-1)!]) {
    const path = join(folder, name)
    writeFileSync(path, octets)
    writeFileSync(`${path}.p7s`, signature!)
    const verify = ['cms', '-verify', '-binary', '-inform', 'DER', '-in', `${path}.p7s`, '-content', path]
    const then = String(Math.ceil(report.event.closedAt!.getTime() / 1000))
    const rest = ['-CAfile', ca, '-purpose', 'any', '-attime', then, '-out', '/dev/null']
    execFileSync('openssl', [...verify, ...rest], { stdio: 'pipe' })
  }
}

/** What the Devices themselves hold is what the store says that they hold. */
async function requireTruth(
  procedure: ProcedureName,
  field: Field,
  store: Awaited<ReturnType<typeof testStore>>['store'],
): Promise<void> {
  const wave = procedures[procedure].waves.length
  const given = await store.query<{ cell: string; key_id: Buffer }>(
    'SELECT cell, key_id FROM recovery_replacement WHERE wave = $1',
    [wave],
  )
  const keys = new Set(given.rows.map(row => `${row.cell} ${toHex(row.key_id)}`))
  const cells = new Set(given.rows.map(row => row.cell))
  const { rows } = await store.query<{
    device: Buffer
    state: string
    cells: { cell: string; uniqueId: string }[]
  }>('SELECT device, state, cells FROM recovery_device')
  let looked = 0
  const proven = rows.filter(one => one.state === 'proven')
  for (const row of proven) {
    const { device } = field.devices.get(toHex(row.device))!
    const kind = device.state.kind
    for (const cell of cellsOf[kind].filter(one => cells.has(showCell(one)))) {
      const held = device.held(cell)!
      assert.ok(keys.has(`${showCell(cell)} ${toHex(held.keyId)}`), `${kind} ${showCell(cell)}`)
      looked++
    }
  }
  assert.ok(looked >= proven.length && looked > 0, `${looked} cells of ${proven.length} Devices`)
}

async function requireOnRecord(
  store: Awaited<ReturnType<typeof testStore>>['store'],
  procedure: ProcedureName,
): Promise<void> {
  const { rows } = await store.query<{ octets: Buffer }>('SELECT octets FROM journal_pending ORDER BY id')
  const acts = rows.map(row => readEntry(row.octets))
  const named = (name: string) => acts.filter(one => one.act === name)
  const needed = ['notify Compromise', 'confirm Compromise', 'freeze Relevant Devices', 'send recovery commands']
  for (const name of [...needed, 'answers', 'close recovery']) assert.ok(named(name).length > 0, name)
  const directed = procedures[procedure].dccKey !== undefined
  for (const name of ['open recovery direction', 'wake key', 'key asleep'])
    assert.equal(named(name).length, directed ? 1 : 0, name)
  assert.equal((await directionsOf(store, `DRILL-${procedure.toUpperCase()}`)).length, directed ? 1 : 0)
}
