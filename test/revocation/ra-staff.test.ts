/** RAPP 8.3.3 and 8.3.4: any SMKI PMA Member asks for it on form A7, and nobody whose own credential it is takes part. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { credentialRecord } from '../../src/rooms/registration/life.ts'
import { approve } from '../../src/rooms/registration/tasks.ts'
import { refusal } from '../registration/office.ts'
import { openScene, type Scene } from './scene.ts'

let scene: Scene
before(async () => {
  scene = await openScene(['iki'])
})
after(() => scene.close())

const a7 = { form: 'A7', ground: 'unacceptable performance' }
const staffOf = (person: string) =>
  scene.credential({ kind: 'RA_STAFF', person }, scene.personnel.find(one => one.person !== person)!)

describe('the credential of an RA Manager', () => {
  it('is revoked on the request of any SMKI PMA Member, verified and approved by others (8.3.3, 8.3.4)', async () => {
    for (const [i, member] of scene.pma.entries()) {
      const certificate = await staffOf(scene.managers[0].person)
      const opened = await scene.ask(certificate, member, a7)
      // The other Member may verify: 8.3.4 keeps the references to the SMKI PMA Members.
      const verifier = scene.pma[1 - i]!
      const revoked = await scene.settle(opened, { verify: verifier, approve: scene.managers[1] })
      assert.deepEqual(
        [revoked.object, revoked.form, revoked.reason, revoked.state],
        ['RA staff', 'A7', 9, 'revoked'],
      )
      assert.equal((await credentialRecord(scene.store, certificate.credential)).state, 'revoked')
      await scene.renew()
      assert.ok((await scene.listed('iki')).entries.has(certificate.serial))
    }
  })

  it('is nothing that the Manager asks for, verifies or approves himself', async () => {
    const [manager] = scene.managers
    const certificate = await staffOf(manager.person)
    await assert.rejects(scene.ask(certificate, manager, a7), refusal('OWN_AFFAIRS'))
    const opened = await scene.ask(certificate, scene.pma[0], a7)
    await assert.rejects(scene.authenticate(opened, manager), refusal('OWN_AFFAIRS'))
    await scene.authenticate(opened)
    await assert.rejects(
      approve(scene.hands, scene.kinds, manager, opened.task, { digest: opened.digest }),
      refusal('OWN_AFFAIRS'),
    )
    // Nor is the Member who asked the one who approves.
    await assert.rejects(
      approve(scene.hands, scene.kinds, scene.pma[0], opened.task, { digest: opened.digest }),
      refusal('TWO_PERSON_RULE'),
    )
    await approve(scene.hands, scene.kinds, scene.pma[1], opened.task, { digest: opened.digest })
    const refused = (await scene.journal()).filter(({ body }) => body.code === 'OWN_AFFAIRS')
    assert.equal(refused.length, 3)
  })

  it('is asked for on form A7, and by nobody of an organisation', async () => {
    const certificate = await staffOf(scene.personnel[1].person)
    await assert.rejects(scene.ask(certificate, scene.pma[0], { ground: a7.ground }), refusal('FORM_NEEDED'))
    const party = await scene.organisation('acme')
    const { sro } = await scene.officers(party)
    await assert.rejects(scene.ask(certificate, sro, a7), refusal('NOT_FOR_THIS_OFFICE'))
    assert.equal((await credentialRecord(scene.store, certificate.credential)).state, 'active')
  })
})
