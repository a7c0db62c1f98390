/** The Contingency Private Key wakes with the Symmetric Key that Devices will be shown, and with no other. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { equal } from '../../src/ground/bytes.ts'
import { readMessage } from '../../src/ground/gbcs/message.ts'
import { readUpdate } from '../../src/ground/gbcs/update.ts'
import type { Envelope } from '../../src/ground/keystore/quorum.ts'
import { playSteps } from '../../src/main/recovery-drill.ts'
import { contingencyOriginator } from '../../src/main/recovery-pki.ts'
import { layDownWave } from '../../src/main/recovery-work.ts'
import { beginWave, workRound } from '../../src/rooms/recovery/campaign.ts'
import { shareAmongCustodians } from '../../src/rooms/recovery/custodians.ts'
import { wake } from '../../src/rooms/recovery/custody.ts'
import { refusal } from '../registration/office.ts'
import { openStage, type Stage } from './stage.ts'

describe('The Contingency Private Key', () => {
  let stage: Stage
  before(async () => {
    stage = await openStage('root', 20, 'convene custodians')
  })
  after(() => stage.close())

  const waking = (symmetric: readonly Envelope[] | undefined, root = stage.play.pki.now.root.certificate.der) => {
    const { pki, event } = stage.play
    return {
      event,
      decision: `PMA-${event}`,
      envelopes: pki.envelopes.get('contingency key')!.slice(0, 3),
      open: pki.open('contingency key'),
      label: pki.contingency.label,
      originator: contingencyOriginator,
      ...(symmetric && { symmetric: { envelopes: symmetric, root } }),
    }
  }

  it('does not wake without the Symmetric Key, nor with one that opens no root that Devices hold', async () => {
    const { hands, people, pki, next } = stage.play
    const own = pki.envelopes.get('symmetric key')!.slice(0, 3)
    const tried = (what: ReturnType<typeof waking>) => wake(hands, people.manager, 'contingency', what)
    await assert.rejects(tried(waking(undefined)), refusal('SYMMETRIC_KEY_WRONG'))
    await assert.rejects(tried(waking(own.slice(1))), refusal('QUORUM_TOO_FEW'))
    // The new root carries the new pair's key under another Symmetric Key.
    await assert.rejects(tried(waking(own, next!.root.certificate.der)), refusal('SYMMETRIC_KEY_WRONG'))
    assert.equal((await stage.journal()).at(-1)!.body.code, 'SYMMETRIC_KEY_WRONG')
  })

  it('reveals the Symmetric Key in commands alone: before it signs, it stands nowhere in the store', async () => {
    const { hands, people, event, field } = stage.play
    await playSteps(stage.play, undefined, 'send commands')
    await layDownWave(stage.play, 1)
    await beginWave(hands, people.manager, event)
    const sent: Uint8Array[] = []
    const watched = {
      received: () => field.carrier.received(),
      send: async (messages: readonly { readonly octets: Uint8Array }[]) =>
        void sent.push(...messages.map(one => one.octets)),
    }
    await workRound(hands, event, stage.signers(), watched, 5)
    assert.equal(sent.length, 5)
    const keys = sent.map(octets => readUpdate(readMessage(octets).payload).symmetricKey!)
    assert.ok(keys.every(key => key.length === 16 && equal(key, keys[0]!)))
    const { rows } = await hands.store.query<{ signed_part: Buffer; octets: Buffer }>(
      "SELECT signed_part, octets FROM recovery_command WHERE kind = 'update'",
    )
    assert.equal(rows.filter(row => row.octets.includes(keys[0]!)).length, 5)
    assert.equal(rows.filter(row => row.signed_part.includes(keys[0]!)).length, 0)
    const inJournal = (await stage.journal()).filter(one =>
      JSON.stringify(one.body).includes(Buffer.from(keys[0]!).toString('hex')),
    )
    assert.deepEqual(inJournal, [])
  })

  it('is of no use with a wrong Symmetric Key among the custodians', async () => {
    const { hands, people } = stage.play
    await stage.play.awake!.sleep()
    const wrong = createHash('sha256').update('wrong').digest().subarray(0, 16)
    const envelopes = await shareAmongCustodians(hands, people.manager, {
      thing: 'symmetric key',
      store: 'a wrong one',
      secret: wrong,
      custodians: people.custodians['symmetric key'],
    })
    const what = waking(envelopes.slice(0, 3))
    await assert.rejects(wake(hands, people.manager, 'contingency', what), refusal('SYMMETRIC_KEY_WRONG'))
  })
})
