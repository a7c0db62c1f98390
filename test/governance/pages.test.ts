/** The pages on which documents are entered, decided on and downloaded, in a browser: without a fault that axe finds. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { documents } from '../../src/policy/documents/document-set.ts'
import { beginDevelopment, enterDevelopment } from '../../src/rooms/governance/developments.ts'
import { enterDocuments } from '../../src/rooms/governance/documents.ts'
import { type BackOffice, type Desk, openBackOffice } from '../portal/registration-scene.ts'
import { hasBrowser } from '../portal/scene.ts'
import { ckmp } from './fixtures/ckmp.ts'

describe('the pages of documents', { skip: !hasBrowser && 'no browser is installed' }, () => {
  let here: BackOffice
  let clerk: Desk
  let manager: Desk
  before(async () => {
    here = await openBackOffice()
    here.office.pass(10 * 60_000)
    await enterDocuments(here.hands, 'ceremony', documents)
    clerk = await here.enter('ra-clerk-1')
    manager = await here.enter('ra-manager-1')
  })
  after(() => here?.close())

  it('say plainly that there is no file, while there is none', async () => {
    await clerk.go('/governance/documents')
    assert.match(await clerk.text(), /Entered by title only; no file is kept\./)
    await clerk.judge('document sets of titles')
    await clerk.go('/governance/documents/Appendix%20A')
    assert.match(await clerk.text(), /Entered by title only; no file is kept\./)
    await clerk.judge('a document of which there is the title')
    await clerk.go('/repository/documents/Appendix%20A')
    assert.match(await clerk.text(), /Entered by title only; no file is kept\./)
    await clerk.judge('the same in the Repository')
  })

  it('take a file, show what is wrong beside its field, and hand it out as it was', async () => {
    await clerk.go('/governance/documents/Appendix%20A/enter')
    await clerk.judge('a version to be entered')
    await clerk.press('Enter the version')
    assert.match(
      await clerk.page.locator('.govuk-error-summary').innerText(),
      /Enter the version[\s\S]*Choose the file/,
    )
    await clerk.judge('a version with all that is missing')
    const buffer = Buffer.from('# The Device Certificate Policy\n')
    await clerk.page.getByLabel('Version', { exact: true }).fill('1.0')
    await clerk.page
      .getByLabel('The file', { exact: true })
      .setInputFiles({ name: 'policy.md', mimeType: 'text/markdown', buffer })
    await clerk.press('Enter the version')
    assert.match(await clerk.text(), /Appendix A 1\.0 is entered as a draft[\s\S]*You entered it/)
    await clerk.judge('a version that was entered')

    await manager.go('/governance/documents/Appendix%20A/versions/1.0')
    await manager.judge('a draft to be decided on')
    await manager.press('Enter the decision')
    assert.match(await manager.page.locator('.govuk-error-summary').innerText(), /Choose what was decided/)
    await manager.judge('a decision with all that is missing')
    await manager.page.getByLabel('Approved', { exact: true }).check()
    await manager.page.getByLabel('In force from').fill('2026-01-01')
    await manager.page.getByLabel('Basis, where another body approves').fill('MP173')
    await manager.press('Enter the decision')
    assert.match(await manager.text(), /Appendix A 1\.0 is approved/)
    await manager.judge('a version that was approved')

    const coming = manager.page.waitForEvent('download')
    await manager.page.getByRole('link', { name: 'Download 1.0' }).click()
    const download = await coming
    assert.equal(download.suggestedFilename(), 'Appendix-A-1.0.md')
    assert.ok(readFileSync(await download.path()).equals(buffer))
    await clerk.go('/repository/documents/Appendix%20A')
    assert.match(await clerk.text(), /In force[\s\S]*1 January 2026[\s\S]*Download 1\.0/)
    await clerk.judge('a document of the Repository with its file')
    await clerk.go('/repository/documents')
    await clerk.judge('documents of the Repository, one with its file')
  })

  it('give the report on a consultation with what was consulted on', async () => {
    const { person } = await here.officer('pma-member-1')
    for (const reference of ['PMA/CKMP/1', 'PMA/CKMP/2'])
      await here.decide({ reference, acts: ['approve document'], subjects: ['document:CKMP DLMS'] })
    const [draft, ...events] = ckmp
    await beginDevelopment(here.hands, person, 'CKMP', draft!)
    for (const event of events) await enterDevelopment(here.hands, person, 'CKMP', event)
    await manager.go('/governance/consultations/CKMP')
    await manager.judge('a consultation with its report')
    const coming = manager.page.waitForEvent('download')
    await manager.page.getByRole('link', { name: 'Download 1.0' }).click()
    const text = readFileSync(await (await coming).path(), 'utf8')
    assert.match(text, /DCC received one response to the consultation\./)
  })
})
