/** Certificates on the Registration Authority’s pages: batches, held CSRs, rejections, and a search with many acts at once. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readPem } from '../../src/ground/x509/pem.ts'
import { submitOrganisation } from '../../src/rooms/issuance/organisation-submit.ts'
import { beginUpload } from '../../src/rooms/issuance/upload.ts'
import { findByEui64 } from '../../src/rooms/repository/find.ts'
import { certificatesOfParty } from '../../src/rooms/revocation/party.ts'
import { rejectDeviceCertificate } from '../../src/rooms/revocation/reject.ts'
import { requestRevocation } from '../../src/rooms/revocation/request.ts'
import { acts, issue, newCsr } from '../issuing/rooms.ts'
import { csrFor } from '../organisation/portal.ts'
import { hasBrowser } from './browser.ts'
import { type BackOffice, type Desk, openBackOffice } from './registration-scene.ts'

/** What somebody types who wants a page to run it, in every field that there is. */
const markup = `"><script>document.title='run'</script><img src=x onerror="document.title='run'">'&amp;{{1}}`

describe('certificates on the Registration Authority’s pages', {
  skip: !hasBrowser && 'no browser is installed',
}, () => {
  let here: BackOffice
  let clerk: Desk
  let other: Desk
  let manager: Desk
  before(async () => {
    here = await openBackOffice()
    clerk = await here.enter('ra-clerk-1')
    other = await here.enter('ra-clerk-2')
    manager = await here.enter('ra-manager-1')
  })
  after(() => here?.close())

  const fill = (desk: Desk, label: string, value: string) =>
    desk.page.getByLabel(label, { exact: false }).first().fill(value)
  const summary = (desk: Desk) => desk.page.locator('.govuk-error-summary').innerText()
  const aro = () => here.officer('import-supplier-portal-org')

  it('approve several batches on what was uploaded, and tell the second of two clerks', async () => {
    const party = await here.party('import-supplier')
    const upload = async (reference: string) => {
      const coming = await beginUpload(here.hands, 10)
      for (const n of [1, 2, 3]) coming.take({ id: String(n), csr: Buffer.from(reference) })
      await coming.accept({ party, reference })
      return coming.id
    }
    const ids = [await upload('one'), await upload(`two ${markup}`)]
    for (const desk of [clerk, other]) {
      await desk.go('/registration/batches-at-once')
      for (const id of ids) await desk.page.locator(`#batch-${id}`).check()
    }
    await clerk.judge('batches that wait')
    await clerk.press('Reject the chosen')
    assert.match(await summary(clerk), /Say why they are rejected/)
    for (const id of ids) await clerk.page.locator(`#batch-${id}`).check()
    await clerk.press('Approve the chosen')
    assert.match(await clerk.text(), /2 batches are approved/)
    await clerk.judge('batches, approved')
    // What was uploaded is not what was seen.
    const third = await upload('three')
    await clerk.go('/registration/batches-at-once')
    const box = clerk.page.locator(`#batch-${third}`)
    await box.check()
    await box.evaluate(one =>
      one.setAttribute(
        'value',
        one.getAttribute('value')!.replace(/.$/, (last: string) => (last === '0' ? '1' : '0')),
      ),
    )
    await clerk.press('Approve the chosen')
    assert.match(await clerk.text(), /0 of 1 batch decided[\s\S]*FORM_STALE/)
    await other.press('Approve the chosen')
    assert.match(await other.text(), /0 of 2 batches decided[\s\S]*BATCH_NOT_PENDING/)
    await other.judge('batches that somebody else has decided')
    assert.equal((await acts(here.hands.store)).filter(one => one.act === 'approve batch').length, 2)
  })

  it('let a Manager, and nobody else, decide of a CSR that was held', async () => {
    const { credentials } = here.office
    const own = readCertificate(
      readPem(readFileSync(join(credentials, 'import-supplier', 'portal-org.crt.pem'), 'utf8'))[0]!.der,
    )
    const credential = { issuer: own.issuer.der, serial: own.serial }
    const pair = makeKeyPair('P-256')
    const rule = { rejectionDays: 30, organisationNameCharacters: 16 }
    const submit = (eui64: string) =>
      submitOrganisation(here.hands, rule, {
        credential,
        csr: csrFor(eui64, 0x02, 'digitalSignature', { pair }).toString('base64'),
      })
    assert.equal((await submit('02a0000000010001')).state, 'approved')
    const { state, id } = await submit('02a0000000010002')
    assert.equal(state, 'held')
    await clerk.go('/registration/anomalies')
    assert.match(await clerk.text(), /KEY_OF_ANOTHER_SUBJECT/)
    await clerk.judge('anomalies')
    await clerk.go(`/registration/held/${id}`)
    assert.match(await clerk.text(), /Would be signed[\s\S]*Issuer[\s\S]*O1[\s\S]*Manager decides of it/)
    await manager.go(`/registration/held/${id}`)
    await manager.judge('a held CSR')
    await manager.press('Let it be issued')
    assert.match(await summary(manager), /Say why/)
    await manager.page.fill('#words', 'a test of both')
    await manager.press('Let it be issued')
    assert.match(await manager.text(), /is approved, and its Certificate is issued/)
    assert.equal(
      (
        await findByEui64(
          here.hands.store,
          Buffer.from('02a0000000010002', 'hex'),
          'organisation',
          here.hands.clock(),
        )
      ).length,
      1,
    )
    assert.equal(await manager.go(`/registration/held/${id}`), 404)
  })

  it('close the investigation of a rejected Device Certificate, which is never revoked', async () => {
    const [outcome] = await issue(here.office.rooms.devices(), [newCsr()])
    assert.ok(outcome)
    const { rows } = await here.hands.store.query<{ authority: number; serial: Buffer }>(
      'SELECT authority, serial FROM certificate WHERE family = 1 ORDER BY signing DESC LIMIT 1',
    )
    const { authority, serial } = rows[0]!
    const certificate = { authority, serial: serial.toString('hex') }
    const id = await rejectDeviceCertificate(here.hands, await aro(), certificate, { words: markup })
    await clerk.go('/registration/anomalies')
    await clerk.judge('a rejection under investigation')
    assert.ok((await clerk.text()).includes(markup))
    await clerk.press(`Close ${id}`)
    assert.match(await summary(clerk), /Say what the investigation has found/)
    await fill(clerk, `Finding on rejection ${id}`, 'the meter was exchanged')
    await clerk.press(`Close ${id}`)
    assert.match(await clerk.text(), /The investigation of rejection \d+ is closed/)
    await clerk.go('/registration/revocations/new')
    await fill(clerk, 'Serial number', certificate.serial)
    await clerk.press('Request the revocation')
    assert.match(await summary(clerk), /DEVICE_NEVER_REVOKED/)
    await clerk.judge('a refused request')
  })

  it('find certificates, and request the revocation of several at once, each with its result', async () => {
    const party = await here.party('import-supplier')
    const [certificate] = await certificatesOfParty(here.hands.store, party, here.hands.clock())
    const asker = await here.officer('ra-clerk-2')
    await requestRevocation(here.hands, asker, { certificate: certificate!, ground: 'not needed' }, {})
    await clerk.go(`/registration/search?party=${party}`)
    await clerk.judge('certificates that were found')
    const boxes = await clerk.page.locator('input[name="certificate"]').all()
    assert.ok(boxes.length >= 4, String(boxes.length))
    const named = `[value$="${certificate!.serial}"]`
    await clerk.page.locator(`input[name="certificate"]${named}`).check()
    const others = await clerk.page.locator(`input[name="certificate"]:not(${named})`).all()
    for (const box of others.slice(0, 2)) await box.check()
    await clerk.page.getByLabel('Ground of the revocation').selectOption('replaced')
    await clerk.page.fill('#words', 'replaced by newer ones')
    await clerk.press('Request the revocation of the chosen')
    const results = await clerk.page.locator('tbody tr').allInnerTexts()
    assert.equal(results.length, 3)
    assert.ok(
      results.some(row => /Requested\s+Case \d+/.test(row)),
      results.join('\n'),
    )
    // One of them is in a case since before.
    assert.ok(
      results.some(row => /Not requested[\s\S]*CASE_OPEN/.test(row)),
      results.join('\n'),
    )
    await clerk.judge('results of several requests')
    const csv = await (await clerk.page.request.get(`/registration/search.csv?party=${party}`)).text()
    assert.match(csv, /^\ufeffauthority,serial,family,usage,role,eui64,status,issued,not after\r\n/)
    await clerk.go('/registration/search?text=xyz')
    assert.match(await clerk.text(), /Enter an EUI-64 of 16 hexadecimal digits/)
    await clerk.judge('a search for what cannot be')
  })

  it('have met no fault of ours', () => {
    assert.deepEqual(
      here.log.filter(line => line.includes('a page met a fault')),
      [],
    )
  })
})
