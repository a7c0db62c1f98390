/** Programs that are killed while they rotate: S1SP, DCO and meters, each a process, each with its own data (section 7). */

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FieldReport } from '../../../simulator/meter/program.ts'
import { makeKeyPair } from '../../../src/ground/keystore/pair.ts'
import { openSoftwareKeyStore } from '../../../src/ground/keystore/software.ts'
import { withDco } from '../../../src/main/dco.ts'
import { dcoHomeAt } from '../../../src/main/dco-home.ts'
import { openS1sp, s1spHomeAt, withS1sp } from '../../../src/main/s1sp.ts'
import { field, finish, orderOf, program, setUp, takeAllOn } from '../../../src/main/smets1-stage.ts'
import { compareJournals } from '../../../src/rooms/symmetric/s1sp/compare.ts'
import { commissioned } from '../../../src/rooms/symmetric/s1sp/devices.ts'
import { standings } from '../../../src/rooms/symmetric/s1sp/report.ts'
import { openPackageForTest } from './opened.ts'
import { addressOf } from './rig.ts'

/** How many, and after how many milliseconds the next program is killed. */
const meters = 6
const pace = Number(process.env.SMKI_KILL_EVERY ?? 1500)

describe('S1SP, DCO and meters', () => {
  it('killed while they rotate, and started again, end with the same keys on all three sides', async () => {
    const path = mkdtempSync(join(tmpdir(), 'killed-'))
    const homes = { dco: dcoHomeAt(join(path, 'dco')), s1sp: s1spHomeAt(join(path, 's1sp')) }
    const holder = makeKeyPair('P-256')
    const running = new Map<string, ChildProcess>()
    const startDco = async () => void running.set('dco', await program(['dco', 'serve', '--home', homes.dco.path]))
    const startS1sp = async () =>
      void running.set('s1sp', await program(['s1sp', 'serve', '--home', homes.s1sp.path]))
    const kill = async (name: string) => {
      const child = running.get(name)!
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    try {
      const dco = await setUp(homes, holder)
      await startDco()
      const kinds = [
        { share: 60, model: ['master-key-meter'] as [string] },
        {
          share: 40,
          model: ['plain-meter', { dropReply: 'after commit', troubledTransfers: 1 }] as [string, object],
        },
      ]
      const order = orderOf(meters, kinds, join(path, 'meters'))
      const { child, notes } = await field(order)
      running.set('meters', child)
      const again = { ...order, ports: notes.map(({ port }) => port) }
      const startMeters = async () => void running.set('meters', (await field(again)).child)

      // The S1SP's own store is opened before its program is, and closed again.
      const opened = await openS1sp(homes.s1sp, { share: true })
      await opened.takeHsmKeys()
      await takeAllOn(opened, notes, order, dco, holder)
      await commissioned(
        opened.hands,
        notes.map(({ deviceId }) => deviceId),
        opened.hands.clock(),
      )
      await opened.close()
      await startS1sp()

      for (const [name, start] of [
        ['s1sp', startS1sp],
        ['dco', startDco],
        ['meters', startMeters],
        ['dco', startDco],
        ['s1sp', startS1sp],
        ['meters', startMeters],
      ] as const) {
        await sleep(pace)
        await kill(name)
        await start()
      }
      const closed = async () => {
        const rows = await withS1sp(homes.s1sp, ({ hands }) => standings(hands))
        return rows.reduce((sum, row) => sum + row.rotated, 0)
      }
      for (let waited = 0; (await closed()) < meters; waited++) {
        assert.ok(waited < 120, `${await closed()} of ${meters} are rotated`)
        await sleep(500)
      }
      const journals = await withS1sp(homes.s1sp, ({ hands }) =>
        compareJournals(hands, new Date(0), new Date(Date.now() - 1000)),
      )
      assert.ok(journals.inBoth > 60 * meters)
      assert.deepEqual([journals.theirsOnly, journals.otherType], [[], []])

      // What each side holds. The key store of the DCO is opened by the test alone.
      const fields = running.get('meters')!
      fields.send('keys')
      const [{ keys: held }] = (await once(fields, 'message')) as [Extract<FieldReport, { keys: unknown }>]
      const text =
        "SELECT encode(device, 'hex') AS device, holder, type, encode(record, 'hex') AS id FROM dco_key WHERE stage = 'active'"
      const theirs = await withDco(homes.dco, async ({ store }) => (await store.query(text)).rows as Active[])
      const ours = await withS1sp(
        homes.s1sp,
        async ({ hands }) =>
          (
            await hands.store.query(
              "SELECT device, holder, type, id, octets FROM key_record WHERE stage = 'active'",
            )
          ).rows as (Active & { octets: Buffer })[],
      )
      const name = ({ device, holder, type, id }: Active) => `${device}/${holder}/${type}/${id}`
      assert.deepEqual(ours.map(name).sort(), theirs.map(name).sort())
      assert.equal(ours.length, 9 * meters)
      const passphrase = readFileSync(homes.dco.passphrase)
      const dcoKeys = openSoftwareKeyStore({
        path: homes.dco.keys,
        passphrase,
        chance: randomBytes,
        allowWeak: true,
      })
      const numberOf = new Map(notes.map(({ deviceId, number }) => [deviceId, number]))
      for (const { device, holder, type, octets } of ours) {
        const meter = held[numberOf.get(device)!]!
        const due =
          holder === 'device'
            ? meter.mk
            : meter.clients[addressOf(holder as 'management')]![type === 'AK' ? 'ak' : 'guek']
        assert.equal(
          openPackageForTest({ keys: { dco: dcoKeys } }, octets).toString('hex'),
          due,
          `${device} ${holder}/${type}`,
        )
      }
      dcoKeys.close()
    } finally {
      for (const name of ['s1sp', 'dco', 'meters']) if (running.has(name)) await finish(running.get(name)!)
      rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    }
  })
})

interface Active {
  readonly device: string
  readonly holder: string
  readonly type: string
  readonly id: string
}
