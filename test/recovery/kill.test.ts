/** Killed between any two steps and begun again: no command leaves twice, none is forgotten, the count is never exceeded. */

import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { holders } from '../../src/main/recovery-pki.ts'
import { layDownWave } from '../../src/main/recovery-work.ts'
import { beginWave, countsOf } from '../../src/rooms/recovery/campaign.ts'
import { directionsOf } from '../../src/rooms/recovery/direction.ts'
import type { Begin, Question } from './kill.ts'
import { openStage, type Stage } from './stage.ts'

const devices = process.env.LONG ? 600 : 60
const program = fileURLToPath(new URL('kill.ts', import.meta.url))

describe('A recovery that is killed again and again', () => {
  let stage: Stage
  before(async () => {
    stage = await openStage('method3', devices, 'convene custodians')
    await layDownWave(stage.play, 1)
    await beginWave(stage.play.hands, stage.play.people.manager, stage.play.event)
  })
  after(() => stage.close())

  it('ends as if nothing had happened', { timeout: 240_000 }, async () => {
    const { play, test } = stage
    const { event, pki, people, field } = play
    let now = play.hands.clock().getTime()
    const base64 = (octets: Uint8Array) => Buffer.from(octets).toString('base64')
    const begin = (): Begin => ({
      connection: test.connection,
      event,
      now,
      manager: people.manager,
      decision: `PMA-${event}`,
      envelopes: pki.envelopes.get('recovery key')!.slice(0, 3),
      keys: join(stage.folder, 'keys', 'recovery', 'keys'),
      label: pki.recoveryKeyOfDevices.label,
      originator: base64(Buffer.from(holders.recovery.eui64, 'hex')),
      broker: {
        originator: base64(Buffer.from(holders.broker.eui64, 'hex')),
        agreement: base64(pki.held.get('broker {4,KA}')!.pair!.pkcs8()),
      },
    })

    /** @returns whether it came to its end before it was killed: after so many questions, or at any moment */
    async function life(child: ChildProcess, questions: number, ms: number): Promise<boolean> {
      let asked = 0
      let done = false
      const timer = setTimeout(() => child.kill('SIGKILL'), ms)
      child.on('message', async (question: Question) => {
        // Killed where it stands: what it asked may or may not have happened, and it never hears of it.
        const killed = ++asked > questions
        if (question.ask === 'done') done = true
        else if (question.ask === 'begin') child.send(begin())
        else if (question.ask === 'send') {
          await field.carrier.send([{ device: question.device, octets: Buffer.from(question.octets, 'base64') }])
          if (!killed) child.send(true)
        } else {
          now = Math.max(now, question.now)
          const come = await field.carrier.received()
          if (!killed) child.send(come.map(base64))
        }
        if (killed && !done) child.kill('SIGKILL')
      })
      await once(child, 'exit')
      clearTimeout(timer)
      return done
    }

    let lives = 0
    for (let questions = 5, done = false; !done; questions += 11) {
      assert.ok(++lives < 40, 'it does not come to an end')
      // Every second one falls somewhere in its work, within a transaction or between two.
      const ms = lives % 2 === 0 ? 600 + 150 * lives : 60_000
      done = await life(fork(program, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }), questions, ms)
    }
    assert.ok(lives >= 4, `${lives} lives`)

    const counts = await countsOf(test.store, event)
    assert.deepEqual([counts.proven, counts.listed], [Object.values(counts).reduce((a, b) => a + b, 0), 0])
    assert.ok(counts.proven >= devices / 3)
    assert.deepEqual(
      [...field.seen].filter(([, times]) => times > 1),
      [],
      'no counter left twice',
    )
    const [direction] = await directionsOf(test.store, event)
    const { rows } = await test.store.query<{ intended: bigint; open: bigint }>(
      `SELECT count(*) AS intended, count(*) FILTER (WHERE state IN ('intended', 'ready', 'sending')) AS open
         FROM recovery_command WHERE kind = 'update'`,
    )
    assert.equal(BigInt(direction!.used), rows[0]!.intended, 'each that was written down counts')
    assert.ok(direction!.used <= direction!.maximum)
    assert.equal(rows[0]!.open, 0n)
  })
})
