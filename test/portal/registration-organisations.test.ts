/** Organisations and people on the Registration Authority’s pages: ranges on a line, forms, what is known of whom, nominations. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { submitForm } from '../../src/rooms/registration/organisation.ts'
import { formOf as formInForce } from '../../src/rooms/registration/party.ts'
import { acts } from '../issuing/rooms.ts'
import { hasBrowser } from './browser.ts'
import { type BackOffice, type Desk, nomination, openBackOffice } from './registration-scene.ts'

/** What somebody types who wants a page to run it, in every field that there is. */
const markup = `"><script>document.title='run'</script><img src=x onerror="document.title='run'">'&amp;{{1}}`

describe('organisations and people on the Registration Authority’s pages', {
  skip: !hasBrowser && 'no browser is installed',
}, () => {
  let here: BackOffice
  let clerk: Desk
  before(async () => {
    here = await openBackOffice()
    clerk = await here.enter('ra-clerk-1')
  })
  after(() => here?.close())

  const fill = (desk: Desk, label: string, value: string) =>
    desk.page.getByLabel(label, { exact: false }).first().fill(value)
  const summary = (desk: Desk) => desk.page.locator('.govuk-error-summary').innerText()

  it('draw the ranges on a line, and show where one that is asked for overlaps', async () => {
    const by = await here.officer('ra-clerk-2')
    // What is in force is no other's; two that wait may still want the same.
    const ask = async (name: string, tradingName: string, userRole: string, first: string, last: string) => {
      const party = await here.party(name)
      const { form } = await formInForce(here.hands.store, party, 1)
      return submitForm(here.hands, by, party, { ...form, tradingName, userRoles: [{ userRole, first, last }] }, {})
    }
    await ask('network-operator', 'Test Network Operator', 'ED', '02a0000000088000', '02a0000000097fff')
    const { task } = await ask('meter-maker', markup.slice(0, 60), 'OU', '02a0000000080000', '02a000000008ffff')
    await clerk.go('/registration/organisations')
    const text = await clerk.text()
    assert.match(text, /1 overlap: an identifier belongs to one organisation/)
    assert.match(text, /02-A0-00-00-00-08-80-00[\s\S]*02-A0-00-00-00-08-FF-FF/)
    assert.equal(await clerk.page.locator('svg rect[fill="url(#overlap)"]').count(), 2)
    await clerk.judge('ranges that overlap')
    // The form beside the one in force: what changes is said in words.
    await clerk.go(`/registration/tasks/${task}`)
    const changed = await clerk.page.locator('tr', { hasText: 'User roles 1, first' }).innerText()
    assert.match(changed, /02a0000000020000[\s\S]*02a0000000080000[\s\S]*Changed/)
    assert.match(await clerk.page.locator('tr', { hasText: 'Company number' }).innerText(), /Same/)
    await clerk.judge('a form beside the one in force')
  })

  it('receive a form as it was sent, and keep what was typed when something is missing', async () => {
    await clerk.go('/registration/organisations/new')
    await fill(clerk, 'Short name', 'new-supplier')
    await fill(clerk, 'Trading name', markup.slice(0, 80))
    await fill(clerk, 'User Roles and their ranges', 'IS 02-A0-00-00-00-09-00-00')
    await clerk.press('Receive the form')
    assert.match(await summary(clerk), /Enter each range as a User Role/)
    assert.equal(await clerk.page.getByLabel('Trading name').inputValue(), markup.slice(0, 80))
    assert.equal(await clerk.page.locator('main script, main img').count(), 0)
    await clerk.judge('a form with a fault')
    await fill(clerk, 'User Roles and their ranges', 'IS 02-A0-00-00-00-09-00-00 02-A0-00-00-00-09-FF-FF')
    await clerk.press('Receive the form')
    assert.match(await summary(clerk), /FORM_INCOMPLETE/)
    for (const [label, value] of [
      ['Legal name', markup.slice(0, 100)],
      ['SEC Party ID', 'SEC-NEW'],
      ['Company number', '00000009'],
      ['Address', markup.slice(0, 100)],
      ['Telephone number', '+44 1632 960009'],
      ['Reference of the signed declaration', 'form 9'],
      ['Day of its signature', '2026-11-19'],
    ] as const)
      await fill(clerk, label, value)
    await clerk.press('Receive the form')
    assert.match(await clerk.text(), /The form is received/)
    await clerk.judge('the task of a form that was received')
    assert.equal(await clerk.page.locator('main script, main img').count(), 0)
    for (const path of ['/registration/organisations', '/registration/tasks']) {
      await clerk.go(path)
      await clerk.judge(`${path} with markup in names`)
      assert.equal(await clerk.page.locator('main script, main img').count(), 0)
      assert.notEqual(await clerk.page.title(), 'run')
    }
  })

  it('show what is known of a person to whoever says why, and the journal says who looked', async () => {
    const { person } = await nomination(here)
    await clerk.go(`/registration/people/${person}`)
    assert.doesNotMatch(await clerk.text(), /Ashley Officer/)
    await clerk.page.getByText('Show what is known of this person').click()
    await clerk.press('Show it')
    assert.match(await summary(clerk), /Say why you look/)
    // It is open by itself where something in it is missing.
    await fill(clerk, 'Why you need it', markup)
    await clerk.press('Show it')
    assert.match(await clerk.text(), /Ashley Officer/)
    await clerk.judge('a person, consulted')
    const consulted = (await acts(here.hands.store)).filter(
      one => one.act === 'consult person' && one.body.person === person,
    )
    assert.equal(consulted.length, 1)
    assert.equal((consulted[0]!.body.by as { person: string }).person, (await here.officer('ra-clerk-1')).person)
    // Asked again by its address, the page shows nothing of it.
    await clerk.go(`/registration/people/${person}`)
    assert.doesNotMatch(await clerk.text(), /Ashley Officer/)
  })

  it('record a nomination that somebody of the organisation has signed, and no other', async () => {
    await clerk.go('/registration/people/new')
    await fill(clerk, 'Full name', `Blake ${markup.slice(0, 60)}`)
    await clerk.press('Enter the person')
    const reference = /p-[0-9a-f]{12}/.exec(await clerk.heading())![0]
    await clerk.go(`/registration/nominate?person=${reference}&party=${await here.party('import-supplier')}`)
    await clerk.judge('a nomination')
    await clerk.page.getByLabel('Office').selectOption('ARO')
    await clerk.press('Record the nomination')
    assert.match(await summary(clerk), /Choose what the ARO is authorised for/)
    await clerk.judge('a nomination with a fault')
    const send = async (signer: string) => {
      await clerk.page.getByLabel('Office').selectOption('ARO')
      await clerk.page.getByLabel('smki-device').check()
      await fill(clerk, 'Who signed it', signer)
      await fill(clerk, 'Evidence', 'signed form: post 21')
      await clerk.press('Record the nomination')
    }
    await send((await here.officer('ra-manager-2')).person)
    assert.match(await summary(clerk), /Nobody of that reference is in an office that nominates/)
    const { rows } = await here.hands.store.query<{ reference: string }>(
      "SELECT p.reference FROM appointment a JOIN person p ON p.id = a.person WHERE a.party = $1 AND a.office = 'SRO' AND a.state = 'appointed'",
      [await here.party('import-supplier')],
    )
    await send(rows[0]!.reference)
    assert.match(await clerk.text(), /The nomination is recorded/)
  })

  it('have met no fault of ours', () => {
    assert.deepEqual(
      here.log.filter(line => line.includes('a page met a fault')),
      [],
    )
  })
})
