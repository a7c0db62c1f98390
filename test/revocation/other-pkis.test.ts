/** DCCKI Certificates and those of an S1SPKI are revoked by the same machine, for whom their own rows of the table name. */

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import { issueOne } from '../../src/rooms/authority/issue-one.ts'
import { authority } from '../../src/rooms/authority/sign.ts'
import { rangesInForce } from '../../src/rooms/registration/party.ts'
import { writeEui64 } from '../../src/rooms/registration/ranges.ts'
import { beginDeferral } from '../../src/rooms/revocation/deferral.ts'
import type { CertificateRef } from '../../src/rooms/revocation/object.ts'
import { type Officers, refusal } from '../registration/office.ts'
import { hours, openScene, type Pki, type Scene } from './scene.ts'

let scene: Scene
let acme: Officers & { party: number }
let other: Officers & { party: number }
before(async () => {
  scene = await openScene(['dccki', 's1spki-foc'])
  acme = await scene.subscriber('acme')
  other = await scene.subscriber('other')
})
after(() => scene.close())

async function issue(pki: Pki, profile: string, subject: Record<string, string>): Promise<CertificateRef> {
  const record = scene.authority(pki)
  const certificate = await issueOne(
    scene.hands,
    authority(scene.keys.issuing, record.keyLabel, record.certificate),
    {
      profile: profileNamed(scene.settings, profile),
      subject,
      publicKey: makeKeyPair(pki === 'dccki' ? 'RSA-2048' : 'P-256').publicKey,
    },
    { authority: record.id },
    {},
  )
  return { authority: record.id, serial: Buffer.from(certificate.serial).toString('hex') }
}

async function personnel(party: number): Promise<CertificateRef> {
  const [range] = await rangesInForce(scene.store, party)
  const unit = writeEui64(range!.first).toUpperCase()
  return issue('dccki', 'Personnel Authentication Certificate', {
    organizationName: 'Test',
    organizationalUnitName: unit,
    commonName: 'person-1',
  })
}

it('a DCCKI Certificate is asked for by an officer of the Party whose EUI-64 it names, and listed', async () => {
  const certificate = await personnel(acme.party)
  await assert.rejects(scene.ask(certificate, other.aro), refusal('OTHER_ORGANISATION'))
  const opened = await scene.ask(certificate, acme.aro, { ground: 'holder gone' })
  const revoked = await scene.settle(opened)
  assert.deepEqual([revoked.object, revoked.party, revoked.reason], ['DCCKI', acme.party, 5])
  await scene.renew()
  assert.equal((await scene.listed('dccki')).entries.get(certificate.serial)?.reason, 5)
})

it('a deferral names DCCKI Certificates too, of that supplier alone (Appendix S)', async () => {
  const [own, strange] = [await personnel(acme.party), await personnel(other.party)]
  const begin = async (certificates: CertificateRef[]) =>
    beginDeferral(
      scene.hands,
      scene.managers[0],
      {
        decision: await scene.decision(['defer revocation'], [`party:${acme.party}`]),
        party: acme.party,
        userIds: [],
        mpids: [],
        certificates,
        reviewAt: new Date(scene.hands.clock().getTime() + hours(1)),
      },
      {},
    )
  await assert.rejects(begin([own, strange]), refusal('NOT_OF_PARTY'))
  const { id } = await begin([own])
  const opened = await scene.ask(own, acme.aro)
  assert.equal(opened.deferral?.id, id)
  await assert.rejects(scene.settle(opened), refusal('REVOCATION_DEFERRED'))
})

it('a certificate of an S1SPKI is asked for by the Registration Authority, not by an officer of a Party', async () => {
  const hes = { organizationName: 'S1SP', organizationalUnitName: 'FOC', commonName: '90B3D51F30010000' }
  const certificate = await issue('s1spki-foc', 'FOC Communications Hub Certificate', hes)
  await assert.rejects(scene.ask(certificate, acme.aro), refusal('NOT_FOR_THIS_OFFICE'))
  assert.equal((await scene.settle(await scene.ask(certificate))).state, 'revoked')
  await scene.renew()
  assert.ok((await scene.listed('s1spki-foc')).entries.has(certificate.serial))
})
