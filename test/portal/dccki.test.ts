/** DCCKI requests through the Portal: an officer asks and collects, the Registration Authority decides; and what is refused. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toPem } from '../../src/ground/x509/pem.ts'
import { roomSigning } from '../../src/main/signer-rooms.ts'
import { requests } from '../../src/rooms/issuance/profiled-request.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { type Dccki, openDccki, opensslCsr, type Subscriber } from '../dccki/scene.ts'
import { noOpenssl } from '../outside.ts'
import { hasBrowser, openBrowser } from './browser.ts'
import { openRoomsPortal, type RoomsPortal } from './over-rooms.ts'
import type { Desk } from './registration-scene.ts'

const skip = (!hasBrowser && 'no browser is installed') || noOpenssl

describe('a DCCKI request', { skip }, () => {
  let dccki: Dccki
  let own: Subscriber
  let portal: RoomsPortal
  let window: Awaited<ReturnType<typeof openBrowser>>
  let aro: Desk
  let other: Desk
  let member: Desk
  let manager: Desk

  before(async () => {
    dccki = await openDccki({
      dccki: { port: 0, plainPort: 0, approval: { infrastructure: 'automatic', personnel: 'manual' } },
    })
    const { scene } = dccki
    own = await dccki.subscriber('acme')
    const stranger = await dccki.subscriber('other', [])
    const [, second] = scene.personnel
    const [boss] = scene.managers
    const staff = async (by: Officer, holder: Officer) =>
      (await dccki.credential(undefined, 'RA_STAFF', by, holder)).certificate
    const people = {
      acme: own.token.certificate,
      other: stranger.token.certificate,
      member: await staff(second, scene.pma[0]),
      manager: await staff(second, boss),
    }
    await scene.renew()
    const answer = roomSigning(scene.hands, scene.keys.issuing, scene.settings)
    portal = await openRoomsPortal(scene, answer, people)
    window = await openBrowser()
    aro = await portal.enter(window.browser, 'acme')
    other = await portal.enter(window.browser, 'other')
    member = await portal.enter(window.browser, 'member')
    manager = await portal.enter(window.browser, 'manager')
  })
  after(async () => {
    await window?.close()
    await portal?.close()
    await dccki?.close()
  })

  const summary = (desk: Desk) => desk.page.locator('.govuk-error-summary').innerText()
  const csr = (name: string, kind: 'infrastructure' | 'personnel', unit = own.unit) =>
    toPem(
      'CERTIFICATE REQUEST',
      opensslCsr(dccki.folder, {
        key: 'RSA',
        subject: `/O=acme/OU=${unit}/CN=${name}`,
        usage: kind === 'personnel' ? 'digitalSignature' : 'digitalSignature,keyEncipherment',
        purposes: kind === 'personnel' ? 'clientAuth' : 'serverAuth,clientAuth',
        ...(kind === 'infrastructure' && { hosts: [name] }),
      }).csr,
    )
  const submit = async (desk: Desk, text: string) => {
    await desk.go('/officer/dccki/new')
    await desk.page.fill('#csr', text)
    await desk.press('Submit request')
  }

  it('is submitted by an ARO, issued, and collected; what is refused says why', async () => {
    await aro.go('/officer/dccki')
    assert.match(await aro.text(), /gateway acme[\s\S]*acme\.example[\s\S]*asked for no DCCKI Certificate/)
    await aro.judge('no DCCKI requests')
    await aro.go('/officer/dccki/new')
    await aro.press('Submit request')
    assert.match(await summary(aro), /Paste the request/)
    await aro.judge('a DCCKI CSR that is missing')
    await submit(aro, 'no base64!')
    assert.match(await summary(aro), /The text is no CSR/)
    await aro.judge('what is no CSR')

    await submit(aro, csr('acme.example', 'infrastructure'))
    assert.match(await aro.text(), /was received as number \d+[\s\S]*Issued[\s\S]*in the Repository as/)
    await aro.judge('a DCCKI request that was issued')
    const [file] = await Promise.all([aro.page.waitForEvent('download'), aro.press('Download the Certificate')])
    assert.match(file.suggestedFilename(), /^dccki-\d+\.crt$/)
    const issued = new URL(aro.page.url()).pathname

    await submit(aro, csr('not-ours.example', 'infrastructure'))
    assert.match(await aro.text(), /Warning[\s\S]*(Refused|Ineligible)/)
    await aro.judge('a DCCKI request that was refused')
    await aro.go('/officer/dccki')
    assert.equal(await aro.page.locator('tbody tr').count(), 2)
    await aro.judge('DCCKI requests')
    assert.equal(await other.go(issued), 404, 'another Party’s is not there')
    assert.equal(await aro.go('/registration/dccki'), 403)
  })

  it('waits for a Manager where a person decides, and is decided on what was shown', async () => {
    await submit(aro, csr('person-17', 'personnel'))
    assert.match(await aro.text(), /Waits for approval/)
    const [waiting] = await requests(dccki.scene.store, { pki: 'dccki', state: 'verified' })
    const address = `/registration/dccki/${waiting!.id}`
    await member.go('/registration/dccki')
    assert.match(await member.text(), new RegExp(`Request ${waiting!.id}[\\s\\S]*Waits for approval`))
    await member.judge('DCCKI requests at the Registration Authority')
    await member.go(address)
    assert.match(await member.text(), /It waits for/)
    assert.equal(await member.page.locator('main form').count(), 0)
    await manager.go(address)
    await manager.press('Refuse it')
    assert.match(await summary(manager), /Say why/)
    await manager.judge('a DCCKI request to be decided')
    await manager.press('Approve it')
    assert.match(await manager.text(), /The request is approved. The Certificate is issued./)
    await manager.judge('a DCCKI request that was approved')
    assert.equal((await requests(dccki.scene.store, { pki: 'dccki', state: 'issued' })).length, 2)

    await submit(aro, csr('person-18', 'personnel'))
    const [next] = await requests(dccki.scene.store, { pki: 'dccki', state: 'verified' })
    await manager.go(`/registration/dccki/${next!.id}`)
    await manager.page.fill('#words', 'nobody knows that person')
    await manager.press('Refuse it')
    assert.match(await manager.text(), /The request is refused/)
    assert.equal(await manager.go('/registration/dccki/999'), 404)
  })

  it('names hosts that the Registration Authority has approved behind the connection', async () => {
    await aro.go('/officer/dccki/connection')
    assert.equal(await aro.page.inputValue('#hosts'), 'acme.example\ntest.acme.example')
    await aro.page.fill('#gateway', '')
    await aro.page.fill('#hosts', '')
    await aro.press('Send it to the Registration Authority')
    assert.match(await summary(aro), /Enter the connection\s+Enter the hosts/)
    await aro.judge('a connection with errors')
    await aro.page.fill('#gateway', 'gateway 2')
    await aro.page.fill('#hosts', '*.acme.example')
    await aro.press('Send it to the Registration Authority')
    assert.match(await summary(aro), /CONNECTION_UNFIT/)
    await aro.page.fill('#hosts', 'new.acme.example')
    await aro.press('Send it to the Registration Authority')
    assert.match(await aro.text(), /received as task \d+/)
    await member.go('/registration/tasks')
    assert.match(await member.text(), /DCCKI connection/)
  })

  it('is not for an ARO who is not authorised, and met no fault of ours', async () => {
    await other.go('/officer/dccki')
    await submit(other, csr('other.example', 'infrastructure'))
    assert.match(await other.text(), /Refused|Ineligible/)
    assert.deepEqual(
      portal.log.filter(line => line.includes('incident')),
      [],
    )
  })
})
