/** A CSR of an S1SP through the Portal: entered by a clerk, decided by a Manager, the Certificate handed over. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readPem, toPem } from '../../src/ground/x509/pem.ts'
import { opensslCsr } from '../dccki/scene.ts'
import { noOpenssl } from '../outside.ts'
import { hasBrowser } from './browser.ts'
import { type BackOffice, type Desk, openBackOffice } from './registration-scene.ts'

const skip = (!hasBrowser && 'no browser is installed') || noOpenssl

describe('a CSR of an S1SP', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-s1spki-pages-'))
  let here: BackOffice
  let clerk: Desk
  let manager: Desk
  before(async () => {
    here = await openBackOffice({}, 's1spki-moc')
    clerk = await here.enter('ra-clerk-1')
    manager = await here.enter('ra-manager-1')
  })
  after(async () => {
    await here?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const summary = (desk: Desk) => desk.page.locator('.govuk-error-summary').innerText()
  const enter = async (cn: string) => {
    const { csr } = opensslCsr(folder, {
      key: 'P-256',
      subject: `/O=MOC S1SP/OU=MOC/CN=${cn}`,
      usage: 'digitalSignature,keyAgreement',
      purposes: 'clientAuth',
    })
    await clerk.go('/registration/s1spki/new')
    await clerk.page.getByLabel('S1SPKI MOC').check()
    await clerk.page.fill('#csr', toPem('CERTIFICATE REQUEST', csr))
    await clerk.page.fill('#evidence-0', 'letter 7')
    await clerk.press('Enter it')
  }

  it('is entered with its evidence, and approved by somebody else', async () => {
    await clerk.go('/registration/s1spki')
    assert.match(await clerk.text(), /There is no S1SPKI FOC in this environment/)
    assert.match(await clerk.text(), /No Certificate of S1SPKI MOC was asked for/)
    await clerk.judge('no S1SPKI requests')
    await clerk.press('Enter a CSR')
    await clerk.page.waitForURL('**/s1spki/new')
    await clerk.press('Enter it')
    assert.match(await summary(clerk), /Choose which S1SPKI/)
    await clerk.judge('the form of an S1SPKI CSR, with an error')
    await enter('90B3D51F30010000')
    assert.match(await clerk.text(), /is on record, and waits for its approval[\s\S]*Waits for approval/)
    assert.equal(await clerk.page.getByRole('button', { name: 'Approve it' }).count(), 0)
    await clerk.judge('an S1SPKI request that waits')
    const address = new URL(clerk.page.url()).pathname
    await manager.go(address)
    await manager.page.fill('#words', 'checked')
    await manager.press('Approve it')
    assert.match(await manager.text(), /The request is approved. The Certificate is issued./)
    await manager.judge('an S1SPKI request that was issued')
    const [file] = await Promise.all([
      manager.page.waitForEvent('download'),
      manager.press('Download the Certificate'),
    ])
    const [own] = readPem(readFileSync(await file.path(), 'utf8'))
    assert.ok(readCertificate(own!.der).serial.length === 16)
    await clerk.go('/registration/s1spki')
    assert.match(await clerk.text(), /90B3D51F30010000[\s\S]*Issued/)
    await clerk.judge('S1SPKI requests')
  })

  it('is refused in words, and never shown to an organisation', async () => {
    await enter('no EUI-64')
    assert.match(await clerk.text(), /is refused[\s\S]*CN is no EUI-64/)
    await enter('90B3D51F30010001')
    await manager.go(new URL(clerk.page.url()).pathname)
    await manager.page.fill('#words', 'nobody asked for it')
    await manager.press('Refuse it')
    assert.match(await manager.text(), /The request is refused/)
    const aro = await here.enter('import-supplier')
    assert.equal(await aro.go('/registration/s1spki'), 403)
    assert.equal(await manager.go('/registration/s1spki/777'), 404)
    assert.deepEqual(
      here.log.filter(line => line.includes('incident')),
      [],
    )
  })
})
