/** A credential that ended otherwise than by a case: its certificate is found, revoked and listed all the same. */

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { cease } from '../../src/rooms/registration/cease.ts'
import { returnCredential } from '../../src/rooms/registration/credentials.ts'
import { taskOf } from '../../src/rooms/registration/task.ts'
import { caseOf } from '../../src/rooms/revocation/case.ts'
import { revokeReturned } from '../../src/rooms/revocation/returned.ts'
import type { Officers } from '../registration/office.ts'
import { openScene, type Scene } from './scene.ts'

let scene: Scene
let acme: Officers & { party: number }
before(async () => {
  scene = await openScene(['iki'])
  acme = await scene.subscriber('acme')
})
after(() => scene.close())

it('the certificates of an officer who ceased are on the list after the next minute, and once', async () => {
  const { party, aro, sro } = acme
  const second = await scene.appoint(sro, await scene.person('Bo'), 'ARO', party, ['smki-organisation'])
  const portal = await scene.credential({ kind: 'PORTAL_ORG', party, person: second.person, role: 2 }, sro)
  const system = await scene.credential({ kind: 'ADHOC_WS', party, role: 2 }, aro)
  const { ended } = await cease(scene.hands, sro, { person: second.person, office: 'ARO', party }, {})
  assert.deepEqual(
    ended.map(one => one.id),
    [portal.credential],
  )
  const [one, ...more] = await revokeReturned(scene.hands)
  assert.equal(more.length, 0)
  assert.deepEqual(
    [one!.certificate.serial, one!.state, one!.origin, one!.reason],
    [portal.serial, 'revoked', 'credential', 5],
  )
  assert.deepEqual(await revokeReturned(scene.hands), [])
  await scene.renew()
  const { entries } = await scene.listed('iki')
  assert.ok(entries.has(portal.serial) && !entries.has(system.serial))
})

it('a token that came back is revoked too, and decides a request that was under way', async () => {
  const certificate = await scene.credential({ kind: 'ADHOC_WS', party: acme.party, role: 2 }, acme.aro)
  const opened = await scene.ask(certificate, acme.aro)
  await returnCredential(scene.hands, scene.personnel[0], certificate.credential, {})
  assert.deepEqual(
    (await revokeReturned(scene.hands)).map(one => one.id),
    [opened.case],
  )
  assert.equal((await caseOf(scene.store, opened.case)).state, 'revoked')
  assert.equal((await taskOf(scene.store, opened.task)).state, 'void')
})

it('two runs at once revoke each certificate once', async () => {
  const certificates = []
  for (let i = 0; i < 3; i++) {
    const one = await scene.credential({ kind: 'BATCH_WS', party: acme.party, role: 2 }, acme.aro)
    await returnCredential(scene.hands, scene.personnel[0], one.credential, {})
    certificates.push(one.serial)
  }
  const runs = await Promise.all([revokeReturned(scene.hands), revokeReturned(scene.hands)])
  assert.deepEqual(
    runs
      .flat()
      .map(one => one.certificate.serial)
      .toSorted(),
    certificates.toSorted(),
  )
})
