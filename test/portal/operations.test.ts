/** The pages of operations, in a browser; and the page on which a stranger checks that a certificate is in the journal. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { checkBoundProof } from '../../src/ground/journal/bound.ts'
import { keepCosignature } from '../../src/ground/journal/cosigned.ts'
import { parseVerifierKey } from '../../src/ground/journal/note.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { decideBatch, parse } from '../../src/rooms/issuance/batch.ts'
import { takePortion } from '../../src/rooms/issuance/portion.ts'
import { beginUpload } from '../../src/rooms/issuance/upload.ts'
import { findBySerials, type Lodged } from '../../src/rooms/repository/find.ts'
import { listWatch } from '../../src/rooms/revocation/watch.ts'
import type { Summary } from '../../src/rooms/symmetric/s1sp/summary.ts'
import { issue, newCsr } from '../issuing/rooms.ts'
import { hasBrowser } from './browser.ts'
import { type BackOffice, type Desk, openBackOffice } from './registration-scene.ts'

const markup = `"><script>document.title='run'</script><img src=x onerror="document.title='run'">'&amp;`
const hourMs = 3_600_000

describe('the pages of operations', { skip: !hasBrowser && 'no browser is installed' }, () => {
  let here: BackOffice
  let desk: Desk
  before(async () => {
    here = await openBackOffice()
    desk = await here.enter('ra-manager-1')
  })
  after(() => here?.close())
  const summary = (of: Desk) => of.page.locator('.govuk-error-summary').innerText()

  it('draw the hierarchies with authority, key, module, validity and stock', async () => {
    await desk.go('/operations/hierarchies')
    const known = await authorities(here.hands.store)
    for (const { name, keyLabel, part } of known) {
      const row = await desk.page.locator('tr', { hasText: keyLabel }).innerText()
      assert.ok(row.includes(name) && row.includes(part), row)
      const drawn = desk.page.locator('svg text', { hasText: name })
      assert.ok((await drawn.count()) > 0, `${name} is in the picture`)
    }
    // OpenSSL's reading of a certificate, not ours.
    const ica = new X509Certificate(known.find(one => one.part === 'Issuing ICA')!.certificate.der)
    const until = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Europe/London',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
    }).format(new Date(ica.validTo))
    assert.ok((await desk.page.locator('tr', { hasText: 'Issuing ICA' }).innerText()).includes(until))
    assert.match(await desk.text(), /In stock\s+3[\s\S]*300,000 Device Certificates/)
    await desk.judge('hierarchies')
  })

  it('warn when no Issuing DCA is left behind the one in use', async () => {
    const { store } = here.hands
    const { rows } = await store.query<{ id: number; state: string }>(
      "SELECT id, state FROM authority WHERE pki = 'smki-device' AND level = 'issuing' ORDER BY id",
    )
    await store.query(
      "UPDATE authority SET state = CASE WHEN id = $1 THEN 'current' ELSE 'used-up' END WHERE pki = 'smki-device' AND level = 'issuing'",
      [rows[0]!.id],
    )
    await desk.go('/operations/hierarchies')
    assert.match(await desk.text(), /No Issuing DCA is in stock behind the one in use/)
    await desk.judge('hierarchies without stock')
    await store.query("UPDATE authority SET state = 'used-up' WHERE id = $1", [rows[0]!.id])
    await desk.go('/operations/hierarchies')
    assert.match(await desk.text(), /No Issuing DCA is left/)
    for (const { id, state } of rows)
      await store.query('UPDATE authority SET state = $2 WHERE id = $1', [id, state])
  })

  it('say of each list how old it is and how long it is good for, and which is late', async () => {
    await desk.go('/operations/lists')
    assert.match(await desk.page.locator('tr', { hasText: 'IKI CRL' }).innerText(), /In order[\s\S]*47 hours/)
    await desk.judge('lists in order')
    here.office.pass(20 * hourMs)
    desk = await here.enter('ra-manager-1')
    await desk.go('/operations/lists')
    const rows = await desk.page.locator('tbody tr').allInnerTexts()
    const watched = await listWatch(here.hands.store, here.hands.clock(), here.hands.schedules)
    const late = watched.filter(one => one.state === 'late').length
    assert.ok(late > 0 && rows.slice(0, late).every(row => row.includes('Late')), rows.join('\n'))
    assert.match(await desk.text(), new RegExp(`${late} lists are late`))
    await desk.judge('lists that are late')
    here.office.pass(40 * hourMs)
    desk = await here.enter('ra-manager-1')
    await desk.go('/operations/lists')
    assert.match(await desk.page.locator('tr', { hasText: 'IKI CRL' }).innerText(), /run out \d+ hours ago/)
    await here.office.publish()
    await desk.go('/operations/lists')
    assert.doesNotMatch(await desk.text(), /late/i)
  })

  it('show the queue, who works on it, who has fallen silent, and that the signer answers', async () => {
    const { hands } = here
    const upload = await beginUpload(hands, 1)
    for (const n of [1, 2]) upload.take({ id: String(n), csr: newCsr() })
    await upload.accept({ party: 2, reference: 'queue' })
    const { id } = upload
    await desk.go('/operations/queue')
    assert.match(await desk.page.locator('tr', { hasText: 'PENDING' }).innerText(), /wait for an approval\s+1/)
    assert.match(await desk.page.locator('tr', { hasText: 'Signer 1' }).innerText(), /Answers/)
    await desk.judge('a queue')
    await decideBatch(hands, id, { approve: true, by: (await here.officer('ra-clerk-1')).person })
    await parse(hands, id)
    await hands.store.query("UPDATE batch SET state = 'PROCESSING' WHERE id = $1", [id])
    await takePortion(hands, `worker ${markup}`)
    await desk.go('/operations/queue')
    assert.match(await desk.page.locator('tr', { hasText: 'worker "' }).innerText(), /1\s+1\s+At work/)
    assert.match(await desk.text(), /CSRs of batches that no worker has in hand\s+1/)
    assert.equal(await desk.page.locator('main script, main img').count(), 0)
    await desk.judge('a worker at work')
    here.office.pass(3 * hourMs)
    desk = await here.enter('ra-manager-1')
    await desk.go('/operations/queue')
    assert.match(await desk.page.locator('tr', { hasText: 'worker "' }).innerText(), /Silent/)
    await desk.judge('a worker that fell silent')
  })

  it('show the journal with its last checkpoint and its witnesses, and say when nobody integrates it', async () => {
    await desk.go('/operations/journal')
    assert.match(await desk.text(), /Last checkpoint\s+none yet/)
    assert.match(await desk.text(), /entries wait for a checkpoint/)
    await desk.judge('a journal without a checkpoint')
    await here.integrate()
    const { rows } = await here.hands.store.query<{ size: bigint; root: Buffer }>(
      'SELECT size, root FROM journal_checkpoint ORDER BY size DESC LIMIT 1',
    )
    const { size, root } = rows[0]!
    await keepCosignature(here.hands.store, {
      size: Number(size),
      witness: 'witness.example/one',
      line: '— witness.example/one AAAA\n',
      at: here.hands.clock(),
    })
    await desk.go('/operations/journal')
    const text = await desk.text()
    assert.match(text, new RegExp(`Entries signed for\\s+${Number(size).toLocaleString('en-GB')}`))
    assert.ok(
      text.replace(/\s/g, '').includes(root.toString('hex').toUpperCase()) ||
        text.replace(/\s/g, '').toLowerCase().includes(root.toString('hex')),
    )
    assert.match(await desk.page.locator('tr', { hasText: 'witness.example/one' }).innerText(), /\s0\s/)
    await desk.judge('a journal')
  })

  /** A certificate of the group, lodged. */
  async function issued(): Promise<Lodged> {
    await issue(here.office.rooms.devices(), [newCsr(), newCsr(), newCsr()])
    await here.integrate()
    const { rows } = await here.hands.store.query<{ serial: Buffer }>(
      'SELECT serial FROM certificate WHERE family = 1 ORDER BY signing DESC, position LIMIT 1 OFFSET 1',
    )
    return (await findBySerials(here.hands.store, [rows[0]!.serial], here.hands.clock()))[0]!
  }

  it('let a stranger check that a certificate is in the journal, and take away a proof that holds without us', async () => {
    const stranger = await here.stranger()
    const { der } = await issued()
    const pem = toPem('CERTIFICATE', der)
    const check = async (text: string) => {
      await stranger.go('/journal/check')
      await stranger.page.getByLabel('Certificate').fill(text)
      await stranger.press('Check it')
    }
    await stranger.go('/journal/check')
    await stranger.judge('the page for strangers')
    await check(pem)
    assert.equal(await stranger.heading(), 'The journal holds this certificate')
    await stranger.judge('a certificate that the journal holds')
    const block = (name: string) =>
      stranger.page.locator(`pre[aria-label="${name}"]`).evaluate(pre => pre.textContent!)
    const log = [parseVerifierKey((await block('Public key of the journal')).trim())]
    const proof = await block('Proof')
    assert.equal(checkBoundProof(proof, { log }, der).act.act, 'issue')
    assert.throws(() => checkBoundProof(proof, { log }, Buffer.from('another')))
    // The same as the base64 of the DER.
    await check(der.toString('base64'))
    assert.equal(await stranger.heading(), 'The journal holds this certificate')

    // One octet of its signature is another: it is not what was issued.
    const altered = Buffer.from(der)
    altered[altered.length - 1]! ^= 1
    await check(toPem('CERTIFICATE', altered))
    assert.match(await summary(stranger), /it was altered/)
    await stranger.judge('an altered certificate')
    for (const [text, says] of [
      ['', /Paste one certificate/],
      [markup, /Paste one certificate/],
      [der.subarray(0, 100).toString('base64'), /Paste one certificate/],
      ['A'.repeat(50_000), /Paste one certificate/],
      [`-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----`, /PRIVATE_KEY/],
    ] as const) {
      await check(text)
      assert.match(await summary(stranger), says)
      assert.equal(await stranger.page.locator('main script, main img').count(), 0)
    }
    await stranger.judge('what is no certificate')
    await stranger.context.close()
  })

  it('tell a stranger to wait while the journal has not taken an entry up, and raise an alarm when a row was altered', async () => {
    const stranger = await here.stranger()
    const { store } = here.hands
    await issue(here.office.rooms.devices(), [newCsr()])
    const { rows } = await store.query<{ serial: Buffer }>(
      'SELECT serial FROM certificate WHERE family = 1 ORDER BY signing DESC LIMIT 1',
    )
    const [young] = await findBySerials(store, [rows[0]!.serial], here.hands.clock())
    const check = async (der: Buffer) => {
      await stranger.go('/journal/check')
      await stranger.page.getByLabel('Certificate').fill(toPem('CERTIFICATE', der))
      await stranger.press('Check it')
    }
    await check(young!.der)
    assert.match(await summary(stranger), /NO_POSITION_YET/)
    await here.integrate()
    await check(young!.der)
    assert.equal(await stranger.heading(), 'The journal holds this certificate')
    // Whoever owns the database changes the certificate; the journal does not bear it out.
    const lodged = await issued()
    await store.query(
      'UPDATE certificate SET tbs = set_byte(tbs, octet_length(tbs) - 1, get_byte(tbs, octet_length(tbs) - 1) # 1) WHERE signing = $1 AND position = $2',
      [lodged.signing, lodged.position],
    )
    const [forged] = await findBySerials(store, [lodged.serial], here.hands.clock())
    await check(forged!.der)
    assert.match(await summary(stranger), /PROOF_FAILS/)
    await stranger.judge('a certificate that the journal does not bear out')
    await stranger.context.close()
  })

  it('show what an S1SP reports of campaigns, deadlines and meters, and keep none of it', async () => {
    await here.decide({ reference: 'PMA/ROT/1', acts: ['rotate symmetric keys'], subjects: ['*'] })
    await desk.go('/operations/smets1')
    assert.match(await desk.page.locator('tr', { hasText: 'PMA/ROT/1' }).innerText(), /In force/)
    await desk.judge('SMETS1 without a report')
    await desk.press('Show the report')
    assert.match(await summary(desk), /Choose the report file/)
    const at = here.hands.clock()
    const counts = { devices: 10, waiting: 1, done: 5, unresolved: 2, unreachable: 1, cannot: 1, open: 0 }
    const report: Summary = {
      at,
      campaigns: [
        {
          campaign: '1',
          decision: 'PMA/ROT/1',
          state: 'running',
          by: new Date(at.getTime() - hourMs),
          whyPaused: null,
          ...counts,
        },
      ],
      models: [
        {
          model: markup,
          devices: 10,
          rotated: 5,
          unresolved: 2,
          unreachable: 1,
          cannot: 1,
          open: 1,
          inherited: 5,
          nextDue: at,
        },
      ],
      overdue: [
        {
          device: '00db1234567890ab',
          due: new Date(at.getTime() - 50 * hourMs),
          state: 'unresolved',
          attempts: [{ at, code: 'NO_ANSWER' }],
        },
      ],
      cannot: [{ device: '00db1234567890ac', says: markup }],
      exceptions: [],
      review: { last: null, due: null, state: 'none' },
    }
    const upload = async (text: string) => {
      await desk.go('/operations/smets1')
      await desk.page.setInputFiles('#report', {
        name: 'report.json',
        mimeType: 'application/json',
        buffer: Buffer.from(text),
      })
      await desk.press('Show the report')
    }
    await upload(JSON.stringify(report))
    const text = await desk.text()
    assert.match(text, /1 meter is past the seven days/)
    assert.match(
      await desk.page.locator('tr', { hasText: 'Campaign 1' }).innerText(),
      /running[\s\S]*Overdue\s+10\s+5\s+2\s+1\s+1/,
    )
    assert.match(
      await desk.page.locator('tr', { hasText: '00db1234567890ab' }).innerText(),
      /Overdue by 2 days\s+unresolved\s+1[\s\S]*NO_ANSWER/,
    )
    assert.ok(text.includes(markup))
    assert.equal(await desk.page.locator('main script, main img').count(), 0)
    await desk.judge('a report of an S1SP')
    await desk.go('/operations/smets1')
    assert.doesNotMatch(await desk.text(), /00db1234567890ab/)
    for (const wrong of [
      '{}',
      'no JSON',
      JSON.stringify({ ...report, more: 1 }),
      JSON.stringify({ ...report, at: 'never' }),
      '\u0000',
    ]) {
      await upload(wrong)
      assert.match(await summary(desk), /Choose a report as an S1SP writes it/, wrong)
    }
    await desk.judge('a file that is no report')
  })

  it('are for the Registration Authority, the SMKI PMA and auditors', async () => {
    const paths = ['hierarchies', 'lists', 'queue', 'journal', 'smets1']
    const officer = await here.enter('import-supplier')
    for (const path of paths) assert.equal(await officer.go(`/operations/${path}`), 403, path)
    await officer.context.close()
    const narrow = await here.enter('auditor', { narrow: true })
    for (const path of paths) {
      assert.equal(await narrow.go(`/operations/${path}`), 200, path)
      await narrow.judge(`${path} at 360 pixels`)
    }
    await narrow.context.close()
    const plain = await here.enter('ra-clerk-1', { script: false })
    await plain.go('/operations')
    await plain.page.getByRole('link', { name: 'Lists', exact: true }).click()
    assert.equal(await plain.heading(), 'Lists')
    await plain.context.close()
  })

  it('have met no fault of ours', () => {
    assert.deepEqual(
      here.log.filter(line => line.includes('a page met a fault')),
      [],
    )
  })
})
