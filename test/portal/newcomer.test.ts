/** The walk of a newcomer, who reads nothing but the pages: from one address to a certificate in the journal. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fromBuffer } from 'yauzl'
import { checkBoundProof } from '../../src/ground/journal/bound.ts'
import { parseVerifierKey } from '../../src/ground/journal/note.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readPem } from '../../src/ground/x509/pem.ts'
import { hasBrowser, type Scene, scene, type Visitor } from './scene.ts'

describe('a newcomer', { skip: !hasBrowser && 'no browser is installed' }, () => {
  let here: Scene
  let visitor: Visitor
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-walk-'))
  const kept = (name: string) => join(folder, name)

  before(async () => {
    here = await scene()
    visitor = await here.visitor({ acceptDownloads: true })
  })
  after(async () => {
    await here?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const download = async (link: string, name: string): Promise<void> => {
    const [file] = await Promise.all([
      visitor.page.waitForEvent('download'),
      visitor.page.getByText(link).first().click(),
    ])
    await file.saveAs(kept(name))
  }

  it('sees who may be tried, and downloads two thousand requests', async () => {
    await visitor.go('/')
    assert.equal(await visitor.heading(), 'Try the SMKI Portal')
    await visitor.judge('the page of test identities')
    await download('Download a zip file', 'devices.zip')
    assert.equal((await entriesIn(kept('devices.zip'))).length, 2000)
  })

  let batch = ''

  it('submits them as the officer of the meter manufacturer', async () => {
    await visitor.enter('meter-maker')
    await visitor.judge('the first page of an officer')
    await visitor.page.getByRole('link', { name: 'Submit a batch of Device CSRs' }).click()
    await visitor.judge('the page for a batch')
    await visitor.page.setInputFiles('#zip', kept('devices.zip'))
    await visitor.page.getByRole('button', { name: 'Submit batch' }).click()
    await visitor.page.waitForURL(/\/officer\/batches\/\d+$/)
    batch = visitor.page.url().split('/').at(-1)!
    const said = await visitor.text()
    assert.match(said, /accepted with 2,000 requests/)
    assert.match(said, /Waiting for approval/)
    await visitor.judge('a batch that waits')
  })

  it('approves the batch as the clerk', async () => {
    await visitor.enter('ra-clerk-1')
    await visitor.page.getByRole('link', { name: 'Batches awaiting approval' }).click()
    await visitor.judge('batches that wait')
    await visitor.page.getByRole('link', { name: batch, exact: true }).click()
    assert.match(await visitor.text(), /Test Meter Manufacturer/)
    await visitor.judge('a batch to be decided')
    await visitor.page.getByRole('button', { name: 'Approve batch' }).click()
    await visitor.page.waitForURL('**/registration/batches')
    assert.match(await visitor.text(), new RegExp(`Batch ${batch} was approved`))
  })

  it('watches it finish without loading the page again, and downloads the results', async () => {
    await visitor.enter('meter-maker')
    await visitor.go(`/officer/batches/${batch}`)
    await visitor.page.getByText('Completed', { exact: true }).first().waitFor({ timeout: 60_000 })
    assert.match(await visitor.text(), /Issued\s+2,000/)
    await visitor.judge('a batch that is completed')
    await download('Download the Certificates', 'certificates.zip')
    await download('Download the report', 'report.txt')
    const names = await entriesIn(kept('certificates.zip'))
    assert.equal(names.length, 2000)
    const lines = readFileSync(kept('report.txt'), 'utf8').split('\r\n').slice(0, -1)
    assert.equal(lines.length, 2000)
    assert.match(lines[0]!, /^1,02D1[0-9A-F]{12}-DS\.csr,success,$/)
    assert.deepEqual(new Set(names), new Set(lines.map(line => line.split(',')[1]!.replace(/csr$/, 'crt'))))
  })

  it('finds one of the Devices in the Repository, and its certificate in the journal', async () => {
    const device = (await entriesIn(kept('certificates.zip')))[7]!.slice(0, 16)
    await visitor.go('/home')
    await visitor.page.getByRole('link', { name: 'Search for Certificates' }).click()
    await visitor.page.getByLabel('EUI-64').fill(device.replace(/(..)(?=.)/g, '$1-'))
    await visitor.page.getByRole('button', { name: 'Search' }).click()
    const rows = visitor.page.locator('tbody tr')
    assert.equal(await rows.count(), 2)
    await visitor.judge('what a search found')
    await rows.first().getByRole('link').click()
    assert.match(await visitor.text(), /In use Device Certificate of the Device 02-D1-/i)
    await visitor.judge('a Device Certificate')
    await download('Download as PEM', 'one.pem')
    await visitor.page.getByText('Check it in the journal').click()
    assert.match(await visitor.text(), /Checked: the journal holds this Certificate/)
    await visitor.judge('a certificate in the journal')
    await download('Download the proof', 'proof.txt')
    await download('Download the journal’s key', 'journal.vkey')

    // What was downloaded holds without the Portal.
    const der = readPem(readFileSync(kept('one.pem'), 'utf8'))[0]!.der
    const keys = { log: [parseVerifierKey(readFileSync(kept('journal.vkey'), 'utf8').trim())] }
    const proven = checkBoundProof(readFileSync(kept('proof.txt'), 'utf8'), keys, der)
    assert.equal(proven.act.act, 'issue')
    assert.ok(readCertificate(der).serial.length > 0 && statSync(kept('proof.txt')).size > 500)
    assert.throws(() => checkBoundProof(readFileSync(kept('proof.txt'), 'utf8'), keys, der.subarray(1)))
  })
})

function entriesIn(path: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const names: string[] = []
    fromBuffer(readFileSync(path), { lazyEntries: false }, (cause, zip) => {
      if (cause) return reject(cause)
      zip.on('entry', one => names.push(one.fileName))
      zip.on('end', () => resolve(names))
      return undefined
    })
  })
}
