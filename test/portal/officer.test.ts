/** An officer's main tasks and the Repository's pages, walked in a real browser: by sight, by keyboard, narrow, without script. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { fromHex } from '../../src/ground/bytes.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { organisationCsr } from '../../src/main/csr.ts'
import { hasBrowser, type Scene, scene, type Visitor } from './scene.ts'

const pem = (eui64: string, role = 0x02) =>
  toPem(
    'CERTIFICATE REQUEST',
    organisationCsr(makeKeyPair('P-256'), { role, eui64: fromHex(eui64) }, 'digitalSignature'),
  )

describe('an officer', { skip: !hasBrowser && 'no browser is installed' }, () => {
  let here: Scene
  let aro: Visitor
  before(async () => {
    here = await scene()
    // With the token itself, over mutual TLS.
    const at = (name: string) => readFileSync(join(here.environment.home.credentials, 'import-supplier', name))
    aro = await here.visitor({
      baseURL: here.address.officer,
      clientCertificates: [
        { origin: here.address.officer, cert: at('portal-org.crt.pem'), key: at('portal-org.key.pem') },
      ],
    })
  })
  after(() => here?.close())

  const press = (name: string) => aro.page.getByRole('button', { name, exact: true }).click()

  it('signs in with a token, by keyboard alone', async () => {
    await aro.go('/')
    await aro.judge('the sign-in page')
    assert.match(await aro.text(), /It opens the part for Organisation Certificates/)
    // The skip link first, then the name of the Portal, then the button.
    for (const expected of ['Skip to main content', 'SMKI Portal', 'Sign in']) {
      await aro.page.keyboard.press('Tab')
      assert.equal(await aro.page.evaluate('document.activeElement.textContent.trim()'), expected)
    }
    await aro.page.keyboard.press('Enter')
    await aro.page.waitForURL('**/home')
    await aro.judge('the first page')
  })

  it('is told beside the field what is wrong with a request, and keeps what was typed', async () => {
    await aro.go('/officer/organisation/new')
    await aro.judge('the page for a request')
    await press('Submit request')
    assert.match(await aro.text(), /There is a problem\s+Paste the request/)
    assert.match(await aro.page.title(), /^Error: /)
    await aro.judge('the page for a request, with an error')
    await aro.go('/officer/device/new').catch(() => {})
    assert.equal(await aro.heading(), 'You cannot do this')
    await aro.judge('a page of another part')
  })

  it('sees a request refused, with its reason', async () => {
    await aro.go('/officer/organisation')
    await aro.judge('no requests yet')
    await aro.go('/officer/organisation/new')
    await aro.page.fill('#csr', pem('02a0000000099999'))
    await press('Submit request')
    await aro.page.waitForURL(/organisation\/\d+$/)
    assert.match(await aro.text(), /Refused.*IN: .*\(EUI64_NOT_OWN\)/s)
    await aro.judge('a refused request')
  })

  it('compares a Certificate with its request, and accepts it', async () => {
    await aro.go('/officer/organisation/new')
    await aro.page.fill('#csr', pem('02a0000000010001'))
    await press('Submit request')
    await aro.page.waitForURL(/organisation\/\d+$/)
    assert.match(await aro.text(), /Issued.*We have compared them: the Certificate is what was asked for/s)
    await aro.judge('an issued request')
    const [file] = await Promise.all([aro.page.waitForEvent('download'), press('Download the Certificate')])
    assert.match(file.suggestedFilename(), /^organisation-\d+\.crt$/)
    await press('Accept the Certificate')
    await aro.page.getByText('You have accepted the Certificate').waitFor()
    assert.match(await aro.text(), /Your answer\s+accepted/)
    assert.equal(await aro.page.getByRole('button', { name: 'Reject and revoke it' }).count(), 0)
    await aro.judge('an accepted Certificate')
    // Its number, guessed by another organisation.
    const other = await here.visitor()
    await other.enter('network-operator')
    assert.equal((await other.page.goto(new URL(aro.page.url()).pathname))!.status(), 404)
    assert.doesNotMatch(await other.text(), /02-A0/)
    await other.judge('a CSR of another organisation')
  })

  it('rejects another, which is revoked by that', async () => {
    await aro.go('/officer/organisation/new')
    await aro.page.fill('#csr', pem('02a0000000010002'))
    await press('Submit request')
    await aro.page.waitForURL(/organisation\/\d+$/)
    await press('Reject and revoke it')
    assert.match(await aro.text(), /Enter what is not as you asked for/)
    await aro.judge('a rejection without words')
    await aro.page.fill('#words', 'the wrong identifier')
    await press('Reject and revoke it')
    await aro.page.getByText('You have rejected the Certificate').waitFor()
    await aro.page.getByRole('link', { name: /in the Repository/ }).click()
    assert.match(await aro.text(), /Revoked.*superseded/s)
    await aro.judge('a revoked Certificate')
    await aro.go('/officer/organisation')
    await aro.judge('several requests')
  })

  it('requests a revocation, and sees the case', async () => {
    await aro.go('/officer/organisation')
    await aro.page
      .getByRole('row', { name: /accepted/ })
      .getByRole('link')
      .click()
    await aro.page.getByRole('link', { name: /in the Repository/ }).click()
    const serial = aro.page.url().split('/').at(-1)!
    await aro.go(`/officer/revocations/new?serial=${serial}`)
    await aro.judge('the page for a revocation')
    await press('Request revocation')
    assert.match(await aro.text(), /Choose why the Certificate should be revoked/)
    await aro.judge('the page for a revocation, with an error')
    await aro.page.check('#ground-3')
    await press('Request revocation')
    await aro.page.waitForURL('**/officer/revocations')
    assert.match(await aro.text(), /was received as case \d+/)
    await aro.judge('revocation requests')
    await aro.go('/account/credentials')
    assert.match(
      await aro.text(),
      /import-supplier-portal-org.*Token for the Portal, Organisation Certificates.*active/s,
    )
    await aro.judge('credentials')
  })

  it('submits a forecast, each month of it', async () => {
    const maker = await here.visitor()
    await maker.enter('meter-maker')
    await maker.go('/officer/forecasts')
    assert.match(await maker.text(), /has not submitted a forecast yet/)
    await maker.judge('no forecasts yet')
    await maker.go('/officer/forecasts/new')
    await maker.page.getByRole('button', { name: 'Submit forecast' }).click()
    assert.match(await maker.text(), /Enter a number of single CSRs for \w+ \d{4}/)
    await maker.judge('a forecast with errors')
    for (const field of await maker.page.locator('input[type=text]').all()) await field.fill('1,200')
    await maker.page.getByRole('button', { name: 'Submit forecast' }).click()
    await maker.page.getByText('Your forecast was received').waitFor()
    assert.match(await maker.text(), /1,200\s+1,200/)
    await maker.judge('forecasts')
    assert.equal((await maker.page.goto('/officer/reports/2026-10.html'))!.status(), 404)
  })

  it('does all of it without script: one Device CSR, its certificate, and its error', async () => {
    const plain = await here.visitor({ javaScriptEnabled: false })
    await plain.enter('meter-maker')
    await plain.go('/officer/device/new')
    const request = toPem(
      'CERTIFICATE REQUEST',
      makeDeviceCsr({ deviceId: '02d3000000000001', usage: 'keyAgreement' }).csr,
    )
    for (const expected of [/Issued\s+1/, /Error\s+1.*CR:9999/s]) {
      await plain.go('/officer/device/new')
      await plain.page.fill('#csr', request)
      await plain.page.getByRole('button', { name: 'Submit request' }).click()
      await plain.page.waitForURL(/batches\/\d+$/)
      for (let look = 0; !/Completed/.test(await plain.text()); look++) {
        assert.ok(look < 200, 'it is done within seconds')
        await plain.page.getByRole('link', { name: 'Show the latest state' }).click()
      }
      assert.match(await plain.text(), expected)
    }
    await plain.go('/repository/certificates?eui64=02d3000000000001')
    assert.match(await plain.text(), /key agreement\s+In use/)
  })

  it('reads every page of the Repository, empty, with one and with many', async () => {
    const reader = await here.visitor()
    await reader.enter('auditor')
    await reader.judge('the first page of an auditor')
    const pages = [
      '/repository/certificates',
      '/repository/certificates?family=organisation',
      '/repository/certificates?eui64=02d9000000000000',
      '/repository/certificates?eui64=xyz&serial=1x&from=31/02/2026',
      '/repository/lists',
      '/repository/lists/2',
      '/repository/documents',
      '/repository',
      '/nothing-here',
      '/officer/batches',
    ]
    for (const path of pages) {
      await reader.go(path)
      await reader.judge(path)
    }
    await reader.go('/repository/certificates?eui64=xyz&serial=1x&from=31/02/2026')
    assert.match(await reader.text(), /Enter an EUI-64 of 16 hexadecimal digits/)
    assert.match(await reader.text(), /Enter the first day as a date/)
    await reader.go('/repository/certificates?family=organisation&from=1/1/2026&until=31/12/2099')
    assert.ok((await reader.page.locator('tbody tr').count()) >= 8)
    await reader.go('/repository/certificates?family=organisation&until=31/12/2025')
    assert.match(await reader.text(), /No Certificate was found/)
    // By state, and one part after another until every Certificate was shown once.
    await reader.go('/repository/certificates?status=R')
    assert.equal(await reader.page.locator('tbody tr').count(), 1)
    await reader.go('/repository/certificates?from=1/1/2020')
    const seen: string[] = []
    for (;;) {
      seen.push(...(await reader.page.locator('tbody a').allTextContents()))
      const older = reader.page.getByRole('link', { name: 'Older Certificates' })
      if ((await older.count()) === 0) break
      await older.click()
    }
    const { rows } = await here.environment.store.query<{ count: bigint }>(
      "SELECT sum(count)::int8 AS count FROM signing WHERE state = 'complete'",
    )
    assert.equal(new Set(seen).size, Number(rows[0]!.count))
    assert.equal(seen.length, Number(rows[0]!.count))
    for (const kind of ['ca', 'iki']) {
      await reader.go(`/repository/certificates?family=${kind}`)
      await reader.page.locator('tbody a').first().click()
      assert.match(await reader.text(), /What the linter found/)
      await reader.judge(`a certificate of kind ${kind}`)
    }
  })

  it('can read every page on 360 pixels and at 200 % zoom, without scrolling sideways', async () => {
    // 200 % on 720 pixels lays a page out on 360, with letters twice as large.
    const narrow = await here.visitor({ viewport: { width: 360, height: 740 } })
    const wide = async (path: string) => {
      await narrow.go(path)
      const width = (await narrow.page.evaluate('document.documentElement.scrollWidth')) as number
      assert.ok(width <= 360, `${path} is ${width} pixels wide`)
    }
    await wide('/')
    await narrow.enter('import-supplier')
    const paths = [
      '/home',
      '/officer/batches',
      '/officer/batches/new',
      '/officer/device/new',
      '/officer/organisation',
      '/officer/organisation/2',
      '/officer/revocations',
      '/officer/revocations/new',
      '/account/credentials',
      '/repository/certificates?family=organisation',
      '/repository/lists',
      '/repository/lists/2',
      '/repository/documents',
    ]
    for (const path of paths) await wide(path)
    await narrow.go('/repository/certificates?family=organisation')
    const first = await narrow.page.locator('tbody a').first().getAttribute('href')
    await wide(first!)
    await wide(`${first}/journal`)
    await narrow.judge('a certificate in the journal, narrow')
  })

  it('sees on every page that the service is suspended, and is refused with the direction', async () => {
    const { store } = here.environment
    await store.query(
      "INSERT INTO suspension (decision, scope, interface, stops, ground, goes_on, started_at) VALUES ('PMA-2026-7', 'interface', 'PORTAL_ORG', 'services', 'DCC Total System', '{}', now())",
    )
    await new Promise(go => setTimeout(go, 1100))
    await aro.go('/officer/organisation/new')
    assert.match(
      // biome-ignore lint/performance/useDomNodeTextContent: as a reader sees it
      await aro.page.locator('body').innerText(),
      /By direction PMA-2026-7 of the SMKI PMA, the interface PORTAL_ORG has been suspended/,
    )
    await aro.judge('a page while the service is suspended')
    await aro.page.fill('#csr', pem('02a0000000010003'))
    await press('Submit request')
    assert.match(await aro.text(), /WF:SUSP/)
    await aro.judge('a request while the service is suspended')
  })
})
