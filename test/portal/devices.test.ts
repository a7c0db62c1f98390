/** An officer compares Device Certificates with their requests and rejects one: in a browser, over a served environment. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ZipFile } from 'yazl'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { toHexUpper } from '../../src/ground/bytes.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { findByEui64, findBySerials } from '../../src/rooms/repository/find.ts'
import { hasBrowser, type Scene, scene, type Visitor } from './scene.ts'

const deviceId = (i: number) => (0x02d4000000000000n + BigInt(i)).toString(16).padStart(16, '0')
const pem = (csr: Uint8Array) => toPem('CERTIFICATE REQUEST', csr)

describe('a Device Certificate', { skip: !hasBrowser && 'no browser is installed' }, () => {
  let here: Scene
  let aro: Visitor
  let batch = ''
  const requests = Array.from({ length: 60 }, (_, i) =>
    makeDeviceCsr({ deviceId: deviceId(i), usage: 'digitalSignature' }),
  )

  before(async () => {
    // Portions of 25, so that the requests of one page come from several.
    here = await scene({ issuing: { portion: 25 } })
    aro = await here.visitor()
    await aro.enter('meter-maker')
  })
  after(() => here?.close())

  const press = (name: string) => aro.page.getByRole('button', { name, exact: true }).click()
  const rows = () => aro.page.locator('tbody tr').count()

  it('stands beside its request on a page of its own, whichever of the batch it is', async () => {
    const zip = new ZipFile()
    for (const [i, { csr }] of requests.entries()) zip.addBuffer(Buffer.from(pem(csr)), `meter-${i}.csr`)
    zip.addBuffer(Buffer.from('no request'), 'broken.csr')
    zip.end()
    const chunks: Buffer[] = []
    for await (const chunk of zip.outputStream as AsyncIterable<Buffer>) chunks.push(chunk)
    await aro.go('/officer/batches/new')
    await aro.page.setInputFiles('#zip', {
      name: 'a.zip',
      mimeType: 'application/zip',
      buffer: Buffer.concat(chunks),
    })
    await press('Submit batch')
    await aro.page.waitForURL(/\/officer\/batches\/\d+$/)
    batch = aro.page.url().split('/').at(-1)!
    assert.equal(
      (await aro.page.goto(`/officer/batches/${batch}/requests`))!.status(),
      404,
      'not before it is completed',
    )
    const clerk = await here.visitor()
    await clerk.enter('ra-clerk-1')
    await clerk.go(`/registration/batches/${batch}`)
    await clerk.page.getByRole('button', { name: 'Approve batch' }).click()
    await clerk.page.waitForURL('**/registration/batches')
    await aro.go(`/officer/batches/${batch}`)
    await aro.page.getByText('Completed', { exact: true }).first().waitFor({ timeout: 60_000 })
    await aro.page.getByRole('button', { name: 'Compare them with the requests' }).click()
    assert.equal(await rows(), 50)
    await aro.judge('requests of a batch')
    await aro.page.getByRole('button', { name: 'The next 50' }).click()
    assert.equal(await rows(), 11)
    assert.match(await aro.text(), /broken\s+Error/)
    await aro.judge('the last requests of a batch')

    await aro.page.getByRole('link', { name: 'broken' }).click()
    assert.match(await aro.text(), /Warning/)
    assert.doesNotMatch(await aro.text(), /Accept or reject/)
    await aro.judge('a request that led to no certificate')

    await aro.go(`/officer/batches/${batch}/requests`)
    await aro.page.getByLabel('Name of a request').fill('meter-31')
    await press('Find it')
    await aro.page.getByRole('link', { name: 'meter-31', exact: true }).click()
    const text = await aro.text()
    assert.match(text, /We have compared them: the Certificate is what was asked for/)
    assert.match(text, /Device ID\s+02-D4-00-00-00-00-00-1F\s+02-D4-00-00-00-00-00-1F/)
    await aro.judge('a Device Certificate beside its request')
    const [file] = await Promise.all([aro.page.waitForEvent('download'), press('Download the Certificate')])
    assert.equal(file.suggestedFilename(), 'meter-31.crt')
    await aro.go(`/officer/batches/${batch}/requests?name=no-such`)
    assert.match(await aro.text(), /No request of this batch has that name/)
    for (const path of ['3/0', '0/25', '0/99999', '-1/0', '0/x'])
      assert.equal((await aro.page.goto(`/officer/batches/${batch}/requests/${path}`))!.status(), 404, path)
  })

  it('is rejected with words, once; the Registration Authority investigates, and it is not revoked', async () => {
    await aro.go(`/officer/batches/${batch}/requests?name=meter-31`)
    await aro.page.getByRole('link', { name: 'meter-31', exact: true }).click()
    const address = aro.page.url()
    await press('Reject the Certificate')
    assert.match(await aro.text(), /There is a problem\s+Enter what is not as you asked for/)
    await aro.judge('a rejection without words')
    await aro.page.fill('#words', 'the meter has another key')
    await press('Reject the Certificate')
    await aro.page.waitForURL('**/officer/rejections')
    assert.match(await aro.text(), /Your rejection was logged as number \d+/)
    assert.match(await aro.text(), /the meter has another key[\s\S]*Under investigation/)
    await aro.judge('own rejections')
    await aro.page.goto(address)
    await aro.page.fill('#words', 'once more')
    await press('Reject the Certificate')
    assert.match(await aro.text(), /REJECTION_LOGGED/)

    const clerk = await here.visitor()
    await clerk.enter('ra-clerk-1')
    await clerk.go('/registration/anomalies')
    await clerk.page.getByLabel(/Finding on rejection/).fill('the label was exchanged')
    await clerk.page.getByRole('button', { name: /^Close \d+$/ }).click()
    await aro.go('/officer/rejections')
    assert.match(await aro.text(), /Closed\s+the label was exchanged/)
    await aro.page.locator('tbody a').first().click()
    assert.match(await aro.text(), /In use/)
    const noted = (await here.environment.acts()).filter(({ act }) => act === 'reject certificate')
    assert.equal(noted.length, 1)
    // Another organisation sees nothing of it.
    const other = await here.visitor()
    await other.enter('import-supplier')
    assert.equal((await other.page.goto(address))!.status(), 404)
    await other.go('/officer/rejections')
    assert.match(await other.text(), /rejected no Device Certificate/)
    await other.judge('no rejections')
  })

  it('is compared with a request that is pasted, and what differs is said first', async () => {
    const [mine] = await findByEui64(here.environment.store, Buffer.from(deviceId(3), 'hex'), 'device', new Date())
    const serial = toHexUpper(mine!.serial)
    await aro.go('/officer/rejections/new')
    await aro.judge('the page to compare')
    await press('Compare')
    assert.match(await aro.text(), /Enter the serial number[\s\S]*Paste the request/)
    await aro.judge('nothing to compare')
    const fill = async (number: string, request: string) => {
      await aro.go('/officer/rejections/new')
      await aro.page.fill('#serial', number)
      await aro.page.fill('#csr', request)
      await press('Compare')
    }
    await fill('0'.repeat(32), pem(requests[3]!.csr))
    assert.match(await aro.text(), /no Device Certificate of that number/)
    await fill(serial, 'AAAA')
    assert.match(await aro.text(), /There is a problem/)
    await fill(serial, pem(requests[3]!.csr))
    assert.match(await aro.text(), /the Certificate is what was asked for/)
    // Of another Device, with another key, for another purpose: each is said.
    await fill(serial, pem(makeDeviceCsr({ deviceId: deviceId(4), usage: 'keyAgreement' }).csr))
    const text = await aro.text()
    for (const said of [
      /the public key is not that of the CSR/,
      /the Device ID is 02d4000000000003, and 02d4000000000004 was asked for/,
      /keyUsage is digitalSignature, and keyAgreement was asked for/,
    ])
      assert.match(text, said)
    await aro.judge('a Certificate that differs')
    await press('Reject the Certificate')
    assert.match(await aro.text(), /Enter what is not as you asked for[\s\S]*the public key is not that of the CSR/)
    await aro.judge('a rejection of what differs, without words')
    await aro.page.fill('#words', 'key and Device differ')
    await press('Reject the Certificate')
    await aro.page.waitForURL('**/officer/rejections')
    assert.match(await aro.text(), /key and Device differ/)
    const narrow = await here.visitor({ viewport: { width: 360, height: 740 } })
    await narrow.enter('meter-maker')
    for (const path of [
      'rejections',
      'rejections/new',
      `batches/${batch}/requests`,
      `batches/${batch}/requests/0/0`,
      'dccki',
    ]) {
      await narrow.go(`/officer/${path}`)
      const wide = await narrow.page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      assert.ok((wide as number) <= 0, `${path} at 360 pixels`)
      await narrow.judge(`${path} at 360 pixels`)
    }
    const [still] = await findBySerials(here.environment.store, [mine!.serial], new Date())
    assert.equal(still!.status, 'I')
  })
})
