/** `node test/portal/screenshots.ts`: remakes the pictures in docs/portal/ from a fresh environment, in a real browser. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromHex } from '../../src/ground/bytes.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { organisationCsr } from '../../src/main/csr.ts'
import { smaller } from './png.ts'
import { scene } from './scene.ts'

const folder = fileURLToPath(new URL('../../docs/portal/', import.meta.url))
mkdirSync(folder, { recursive: true })
const made = new Set<string>()
const kept = mkdtempSync(join(tmpdir(), 'opensmki-pictures-'))
const here = await scene()
try {
  const visitor = await here.visitor({ viewport: { width: 1000, height: 700 }, acceptDownloads: true })
  const { page } = visitor
  let number = 0
  const picture = async (name: string) => {
    const file = `${String(++number).padStart(2, '0')}-${name}.png`
    made.add(file)
    const path = join(folder, file)
    // The beginning of a long page says enough.
    const { height } = (await page.locator('html').boundingBox())!
    const clip = { x: 0, y: 0, width: page.viewportSize()!.width, height: Math.min(1400, Math.ceil(height)) }
    writeFileSync(path, smaller(await page.screenshot({ fullPage: true, clip })))
  }
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()

  await visitor.go('/')
  await picture('test-identities')
  const [sample] = await Promise.all([page.waitForEvent('download'), page.getByText('Download a zip file').click()])
  await sample.saveAs(join(kept, 'devices.zip'))

  await visitor.enter('meter-maker')
  await picture('officer')
  await visitor.go('/officer/batches/new')
  await press('Submit batch')
  await picture('batch-error')
  await page.setInputFiles('#zip', join(kept, 'devices.zip'))
  await press('Submit batch')
  await page.waitForURL(/batches\/\d+$/)
  const batch = page.url().split('/').at(-1)
  await picture('batch-waiting')

  await visitor.enter('ra-clerk-1')
  await visitor.go('/registration/batches')
  await picture('clerk')
  await visitor.go(`/registration/batches/${batch}`)
  await picture('decision')
  await press('Approve batch')
  await page.waitForURL('**/registration/batches')

  await visitor.enter('meter-maker')
  await visitor.go(`/officer/batches/${batch}`)
  await page.getByText('Completed', { exact: true }).first().waitFor({ timeout: 60_000 })
  await picture('batch-completed')
  await page.getByRole('button', { name: 'Compare them with the requests' }).click()
  await picture('requests')
  await page.locator('tbody a').first().click()
  await picture('compare-device')

  await visitor.go('/repository/certificates?family=organisation')
  await picture('search')
  await page.locator('tbody a').first().click()
  await picture('certificate')
  await visitor.go(`${new URL(page.url()).pathname}/journal`)
  await picture('journal')
  await visitor.go('/repository/lists')
  await picture('lists')
  await page.locator('tbody a').first().click()
  await picture('list')

  await visitor.enter('import-supplier')
  await visitor.go('/officer/organisation/new')
  const csr = organisationCsr(
    makeKeyPair('P-256'),
    { role: 0x02, eui64: fromHex('02a0000000010001') },
    'digitalSignature',
  )
  await page.fill('#csr', toPem('CERTIFICATE REQUEST', csr))
  await press('Submit request')
  await page.waitForURL(/organisation\/\d+$/)
  await picture('compare')
  await visitor.go('/account/credentials')
  await picture('credentials')

  await visitor.enter('ra-manager-1')
  await picture('office')
  await visitor.go('/registration/deferrals/new')
  await picture('deferral')
  await visitor.go('/operations/smets1')
  await picture('smets1')
  await visitor.enter('pma-member-1')
  await visitor.go('/governance/defaults/new')
  await press('Record the finding')
  await picture('finding')

  await visitor.enter('meter-maker')

  await page.setViewportSize({ width: 360, height: 740 })
  await visitor.go('/officer/batches/new')
  await picture('narrow')
  // Those of pages that there are no more.
  for (const file of readdirSync(folder)) if (file.endsWith('.png') && !made.has(file)) rmSync(join(folder, file))
} finally {
  await here.close()
  rmSync(kept, { recursive: true, force: true })
}
