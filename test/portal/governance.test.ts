/** The pages of governance, in a browser: decisions and what is done under them, documents, consultations, suspensions. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { documents } from '../../src/policy/documents/document-set.ts'
import { decisionOf } from '../../src/rooms/governance/decisions.ts'
import { beginDevelopment, enterDevelopment } from '../../src/rooms/governance/developments.ts'
import { addVersion, decideVersion, enterDocuments } from '../../src/rooms/governance/documents.ts'
import { enterModification, raiseModification } from '../../src/rooms/governance/modifications.ts'
import { suspensions } from '../../src/rooms/revocation/suspended.ts'
import { ckmp } from '../governance/fixtures/ckmp.ts'
import { mp173 } from '../governance/fixtures/mp173.ts'
import { acts } from '../issuing/rooms.ts'
import { hasBrowser } from './browser.ts'
import { type BackOffice, type Desk, openBackOffice } from './registration-scene.ts'

const markup = `"><script>document.title='run'</script><img src=x onerror="document.title='run'">'&amp;`
/** Sessions last five minutes. */
const wholePages = [
  'decisions',
  'documents',
  'consultations',
  'performance',
  'forecasts',
  'panel-report',
  'reviews',
  'suspensions',
]

describe('the pages of governance', { skip: !hasBrowser && 'no browser is installed' }, () => {
  let here: BackOffice
  let member: Desk
  let manager: Desk
  before(async () => {
    here = await openBackOffice()
    // The Members are in office for some minutes.
    here.office.pass(10 * 60_000)
    await come()
  })
  after(() => here?.close())

  async function come(): Promise<void> {
    await member?.context.close()
    await manager?.context.close()
    member = await here.enter('pma-member-1')
    manager = await here.enter('ra-manager-1')
  }
  const summary = (desk: Desk) => desk.page.locator('.govuk-error-summary').innerText()
  const clean = async (desk: Desk) => {
    assert.equal(await desk.page.locator('main script, main img').count(), 0)
    assert.notEqual(await desk.page.title(), 'run')
  }

  it('are without a fault that axe finds while there is nothing on record', async () => {
    for (const path of wholePages) {
      assert.equal(await member.go(`/governance/${path}`), 200, path)
      await member.judge(`${path}, empty`)
    }
  })

  it('record a decision once, show it, and withdraw it', async () => {
    await member.go('/governance/decisions/new')
    await member.judge('a decision to be recorded')
    await member.press('Record the decision')
    assert.match(
      await summary(member),
      /Enter the reference[\s\S]*Choose what it allows[\s\S]*Choose the members who decided/,
    )
    await member.judge('a decision with all that is missing')
    const london = new Intl.DateTimeFormat('sv-SE', {
      timeZone: 'Europe/London',
      dateStyle: 'short',
      timeStyle: 'short',
    })
    const decidedAt = new Date(Math.floor((here.hands.clock().getTime() - 5 * 60_000) / 60_000) * 60_000)
    const send = async () => {
      await member.page.getByLabel('Reference', { exact: true }).fill('PMA/2026/1')
      await member.page.getByLabel('revoke', { exact: true }).check()
      await member.page.getByLabel('What it covers').fill('party:2\nparty:3')
      await member.page.getByLabel('Meeting or written procedure').fill(markup)
      await member.page.getByLabel('What was decided').fill(`First line\n${markup}`)
      for (const box of await member.page.locator('input[name="members"]').all()) await box.check()
      await member.page.getByLabel('When it was decided').fill(london.format(decidedAt))
      await member.page.getByLabel('In force from').fill(london.format(decidedAt))
      await member.page.getByLabel('How many times').fill('2')
      await member.press('Record the decision')
    }
    await member.page.getByLabel('In force from').fill('2026-02-30')
    await member.press('Record the decision')
    assert.match(await summary(member), /In force from: enter a day and a time/)
    await send()
    assert.match(await member.text(), /Decision PMA\/2026\/1 is recorded/)
    assert.ok((await member.text()).includes(markup))
    await clean(member)
    await member.judge('a decision')
    const kept = await decisionOf(here.hands.store, 'PMA/2026/1')
    assert.deepEqual(kept?.subjects, ['party:2', 'party:3'])
    assert.deepEqual(kept?.decidedAt, decidedAt)
    assert.equal(kept?.recordedBy, (await here.officer('pma-member-1')).person)

    // A reference is used once, for ever.
    await member.go('/governance/decisions/new')
    await send()
    assert.match(await summary(member), /DECISION_EXISTS/)
    await member.judge('a refused decision')

    // Two who look at it at the same time: the second is told.
    for (const desk of [member, manager]) {
      await desk.go('/governance/decisions/PMA%2F2026%2F1')
      await desk.page.getByText('Withdraw this decision').click()
      await desk.page.getByLabel('Why').fill('recorded by mistake')
    }
    await member.press('Withdraw it')
    assert.match(await member.text(), /Decision PMA\/2026\/1 is withdrawn/)
    await manager.press('Withdraw it')
    assert.match(await summary(manager), /DECISION_WITHDRAWN/)
    await manager.judge('a decision that was withdrawn meanwhile')
    await member.go('/governance/decisions')
    assert.match(await member.page.locator('tbody tr').first().innerText(), /Withdrawn/)
    await member.judge('decisions')
    assert.equal(await member.go('/governance/decisions?force=now'), 200)
    assert.match(await member.text(), /No decision is on record/)
  })

  it('let nobody record a decision whose office it is not', async () => {
    const clerk = await here.enter('ra-clerk-1')
    assert.equal(await clerk.go('/governance/decisions/new'), 403)
    await clerk.judge('a page that is for others')
    await clerk.go('/governance/reviews')
    const token = await clerk.page.locator('input[name="token"]').first().inputValue()
    const answer = await clerk.page.request.post('/governance/decisions/PMA%2F2026%2F1', {
      form: { token, words: 'no' },
    })
    assert.equal(answer.status(), 403)
    assert.match(await answer.text(), /NOT_IN_OFFICE/)
    // Nor is anybody named as a Member who is none.
    await member.go('/governance/decisions/new')
    const own = await member.page.locator('input[name="token"]').first().inputValue()
    const at = '2026-11-20 00:00'
    const form = {
      token: own,
      reference: 'PMA/NO',
      acts: 'revoke',
      subjects: '*',
      meeting: 'none',
      text: 'no',
      decidedAt: at,
      from: at,
    }
    const clerks = (await here.officer('ra-clerk-1')).person
    const forged = await member.page.request.post('/governance/decisions/new', {
      form: { ...form, members: clerks },
    })
    assert.equal(forged.status(), 403)
    assert.match(await forged.text(), /was no SMKI PMA Member then/)
    assert.equal(await decisionOf(here.hands.store, 'PMA/NO'), undefined)
    await clerk.context.close()
  })

  it('show a document set with the state of each document, and confidential ones to those who may', async () => {
    const by = (await here.officer('pma-member-1')).person
    await enterDocuments(here.hands, by, [
      ...documents.map(one => (one.ref === 'Appendix D' ? { ...one, reviewMonths: 12 } : one)),
      {
        ref: 'Odd',
        title: markup,
        kind: 'guidance',
        sets: ['other'],
        owner: 'DCC',
        approver: 'DCC',
        confidential: false,
      } as (typeof documents)[number],
    ])
    const version = async (document: string, number: string, text: string) => {
      const sha256 = createHash('sha256').update(text).digest('hex')
      await addVersion(here.hands, by, {
        document,
        version: number,
        sha256,
        octets: text.length,
        mediaType: 'text/plain',
        heldAt: 'archive 1',
      })
      return sha256
    }
    await here.decide({ reference: 'PMA/DOC/1', acts: ['approve document'], subjects: ['document:Device CPS'] })
    const sha256 = await version('Device CPS', '1.0', 'the first')
    await decideVersion(here.hands, by, {
      document: 'Device CPS',
      version: '1.0',
      sha256,
      outcome: 'approved',
      from: '2026-11-01',
      under: { decision: 'PMA/DOC/1' },
    })
    await version('Device CPS', '1.1', 'the second')
    await member.go('/governance/documents')
    const row = await member.page.locator('tr', { hasText: 'Device CPS' }).first().innerText()
    assert.match(row, /Confidential[\s\S]*SMKI PMA[\s\S]*In force 1\.0[\s\S]*Draft 1\.1/)
    assert.match(
      await member.page.locator('tr', { hasText: 'Appendix D' }).first().innerText(),
      /In time 20 November 2027/,
    )
    await member.judge('document sets')
    await clean(member)
    await member.go('/governance/documents/Device%20CPS')
    assert.ok((await member.text()).includes(sha256))
    await member.judge('a document')
    const auditor = await here.enter('auditor')
    await auditor.go('/governance/documents')
    assert.doesNotMatch(await auditor.text(), /Device CPS/)
    assert.equal(await auditor.go('/governance/documents/Device%20CPS'), 403)
    await auditor.context.close()
  })

  it('show consultations with questions and answers, counting what is confidential, and what does not add up', async () => {
    const by = (await here.officer('pma-member-1')).person
    for (const reference of ['PMA/CKMP/1', 'PMA/CKMP/2'])
      await here.decide({ reference, acts: ['approve document'], subjects: ['document:CKMP DLMS'] })
    const [draft, ...events] = ckmp
    await beginDevelopment(here.hands, by, 'CKMP', draft!)
    for (const event of events) await enterDevelopment(here.hands, by, 'CKMP', event)
    const [raised, ...later] = mp173
    await raiseModification(here.hands, by, 'MP173', raised as never)
    for (const event of later) await enterModification(here.hands, by, 'MP173', event as never)
    await member.go('/governance/consultations')
    assert.match(
      await member.page.locator('tr', { hasText: 'CKMP' }).first().innerText(),
      /Closed 22 October 2021 to 19 November 2021/,
    )
    await member.judge('consultations')
    await member.go('/governance/consultations/CKMP')
    assert.match(await member.text(), /CKMP Q1[\s\S]*CKMP Q5/)
    await member.judge('a development')
    await member.go('/governance/modifications/MP173')
    await member.judge('a modification')
    assert.equal(await member.go('/governance/consultations/none'), 404)
  })

  it('show a suspension on every page while it lasts, who was informed, and its end by a later direction', async () => {
    await here.decide({
      reference: 'PMA/SUSP/1',
      acts: ['suspend'],
      subjects: ['interface:ADHOC_WS'],
      text: markup,
    })
    await member.go('/governance/suspensions/new')
    await member.press('Suspend now')
    assert.match(
      await summary(member),
      /Enter the direction[\s\S]*Choose what is suspended[\s\S]*Choose what stops[\s\S]*Choose what is in danger/,
    )
    await member.judge('a suspension with all that is missing')
    await member.page.getByLabel('Direction of the SMKI PMA').fill('PMA/SUSP/1')
    await member.page.getByLabel('The whole service').check()
    await member.page.getByLabel('SMKI Services', { exact: true }).check()
    await member.page.getByLabel('Smart Metering System').check()
    await member.press('Suspend now')
    assert.match(await summary(member), /DECISION_NOT_COVERING/)
    await member.page.getByLabel('One interface').check()
    await member.page.getByLabel('Which interface').selectOption('ADHOC_WS')
    await member.press('Suspend now')
    assert.match(await member.text(), /Suspension \d+ is in force/)
    const [one] = await suspensions(here.hands.store)
    here.office.pass(2000)

    const stranger = await here.stranger()
    const officer = await here.enter('import-supplier')
    const everywhere: [Desk, string[]][] = [
      [
        member,
        [
          ...wholePages.map(path => `/governance/${path}`),
          '/registration/tasks',
          '/operations/lists',
          '/home',
          '/repository',
        ],
      ],
      [officer, ['/officer', '/home']],
      [stranger, ['/', '/journal/check', '/nowhere']],
    ]
    for (const [desk, paths] of everywhere) {
      for (const path of paths) {
        await desk.go(path)
        assert.match(await desk.text(), /By direction PMA\/SUSP\/1 of the SMKI PMA/, path)
        await desk.judge(`${path} while something is suspended`)
      }
    }
    await stranger.context.close()
    await officer.context.close()

    await member.go('/governance/suspensions')
    await member.page.getByText('Record who was informed of').click()
    await member.press('Record it')
    assert.match(await summary(member), /Enter who was informed/)
    await member.page.locator(`#who-${one!.id}`).fill('SEC Panel')
    await member.page.locator(`#how-${one!.id}`).fill(markup)
    await member.press('Record it')
    assert.ok((await member.text()).includes(markup))
    await member.judge('a suspension with who was informed')
    await here.decide({ reference: 'PMA/SUSP/2', acts: ['resume'], subjects: ['interface:ADHOC_WS'] })
    await member.page.getByText(`End suspension ${one!.id}`).click()
    await member.page.locator(`#decision-${one!.id}`).fill('PMA/SUSP/1')
    await member.press('End the suspension')
    assert.match(await summary(member), /DECISION_NOT_COVERING/)
    await member.page.locator(`#decision-${one!.id}`).fill('PMA/SUSP/2')
    await member.press('End the suspension')
    assert.match(await member.text(), /Suspension \d+ has ended/)
    here.office.pass(2000)
    await member.go('/governance/suspensions')
    assert.doesNotMatch(await member.text(), /By direction PMA/)
    await member.judge('a suspension that has ended')
    const said = (await acts(here.hands.store)).map(one => one.act)
    assert.ok(said.includes('suspend') && said.includes('resume from suspension'))
    await clean(member)
  })

  it('work without script, and at 360 pixels', async () => {
    const plain = await here.enter('ra-manager-1', { script: false })
    await plain.go('/governance/decisions')
    await plain.page.getByRole('link', { name: 'PMA/DOC/1' }).click()
    await plain.page.getByText('Withdraw this decision').click()
    await plain.page.getByLabel('Why').fill('for a test')
    await plain.press('Withdraw it')
    assert.match(await plain.text(), /Decision PMA\/DOC\/1 is withdrawn/)
    await plain.context.close()
    const narrow = await here.enter('pma-member-2', { narrow: true })
    for (const path of [
      ...wholePages,
      'decisions/new',
      'decisions/PMA%2FDOC%2F1',
      'documents/Device%20CPS',
      'consultations/CKMP',
      'suspensions/new',
    ]) {
      await narrow.go(`/governance/${path}`)
      await narrow.judge(`${path} at 360 pixels`)
    }
    await narrow.context.close()
  })

  it('have met no fault of ours', () => {
    assert.deepEqual(
      here.log.filter(line => line.includes('a page met a fault')),
      [],
    )
  })
})
