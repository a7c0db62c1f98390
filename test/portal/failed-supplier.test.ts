/** Deferrals of a failed supplier and Events of Default through the Portal's forms: who may, what is refused, what happens. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { cases } from '../../src/rooms/revocation/case.ts'
import { deferrals } from '../../src/rooms/revocation/covering.ts'
import { eventsOfDefault } from '../../src/rooms/revocation/default.ts'
import { certificatesOfParty } from '../../src/rooms/revocation/party.ts'
import { requestRevocation } from '../../src/rooms/revocation/request.ts'
import { acts } from '../issuing/rooms.ts'
import { refusal } from '../operator/office.ts'
import { hasBrowser } from './browser.ts'
import { type BackOffice, type Desk, openBackOffice } from './registration-scene.ts'

const dayMs = 86_400_000
const markup = `"><script>document.title='run'</script>`

describe('a supplier that fails', { skip: !hasBrowser && 'no browser is installed' }, () => {
  let here: BackOffice
  let manager: Desk
  let member: Desk
  let party = 0
  before(async () => {
    here = await openBackOffice()
    manager = await here.enter('ra-manager-1')
    member = await here.enter('pma-member-1')
    party = await here.party('import-supplier')
  })
  after(() => here?.close())

  const summary = (desk: Desk) => desk.page.locator('.govuk-error-summary').innerText()
  /** As people enter it, so many days from now. */
  const inDays = (days: number) => new Date(here.hands.clock().getTime() + days * dayMs).toISOString().slice(0, 10)
  const deferral = async () => (await deferrals(here.hands.store, { party }))[0]!.id
  const decide = (
    reference: string,
    act: 'defer revocation' | 'extend deferral' | 'end deferral' | 'event of default' | 'revoke',
  ) => here.decide({ reference, acts: [act], subjects: [`party:${party}`] })
  const acted = async (name: string) => (await acts(here.hands.store)).filter(({ act }) => act === name).length

  it('has its revocations deferred under a decision, and not without one', async () => {
    await manager.go('/registration/deferrals/new')
    await manager.judge('the form of a deferral')
    await manager.press('Begin the deferral')
    assert.match(await summary(manager), /Choose the supplier\s+Enter the decision\s+To be reviewed: enter a day/)
    await manager.judge('the form of a deferral, with errors')
    const fill = async (decision: string, review: string) => {
      await manager.go(`/registration/deferrals/new?party=${party}`)
      await manager.page.fill('#decision', decision)
      await manager.page.fill('#review', review)
      await manager.page.fill('#mpids', 'ABCD\nEFGH')
      await manager.page.fill('#words', markup)
      await manager.press('Begin the deferral')
    }
    await fill('PMA/NONE', inDays(30))
    assert.match(await summary(manager), /DECISION_/)
    await decide('PMA/L16/1', 'defer revocation')
    await fill('PMA/L16/1', inDays(-1))
    assert.match(await summary(manager), /DEFERRAL_DATES/)
    assert.deepEqual(await deferrals(here.hands.store), [])
    await fill('PMA/L16/1', inDays(30))
    const [one] = await deferrals(here.hands.store, { party })
    assert.deepEqual([one!.decision, one!.mpids, one!.whole], ['PMA/L16/1', ['ABCD', 'EFGH'], true])
    assert.match(
      await manager.text(),
      /Deferral \d+ is in force[\s\S]*every certificate of the supplier, later ones too/,
    )
    assert.equal(await acted('begin deferral'), 1)
    await manager.judge('a deferral in force')
    await decide('PMA/L16/2', 'defer revocation')
    await fill('PMA/L16/2', inDays(30))
    assert.match(await summary(manager), /DEFERRAL_EXISTS/)
    const aro = await here.enter('import-supplier')
    await aro.go('/officer/revocations')
    assert.match(await aro.text(), /By decision PMA\/L16\/1 of the SMKI PMA revocations .* wait/)
    await aro.judge('own requests under a deferral')
    assert.equal(await aro.go(`/registration/deferrals/${one!.id}`), 403)
  })

  it('is shown to clerks and auditors without a form, and to whoever may act with one', async () => {
    const id = await deferral()
    for (const identity of ['ra-clerk-1', 'auditor']) {
      const desk = await here.enter(identity)
      await desk.go(`/registration/deferrals/${id}`)
      assert.equal(await desk.page.locator('main form').count(), 0, identity)
      assert.equal(await desk.go('/registration/deferrals/new'), 403)
      assert.equal(await desk.go('/governance/defaults/new'), 403)
      await desk.go('/registration/revocations')
      assert.equal(await desk.page.getByRole('button', { name: /Defer the revocations/ }).count(), 0)
    }
    await member.go('/registration/revocations')
    await member.page.getByRole('link', { name: `Deferral ${id}` }).click()
    assert.equal(await member.page.locator('main form').count(), 2)
    assert.equal(await member.go('/registration/deferrals/99'), 404)
    assert.equal(await member.go('/registration/deferrals/x'), 404)
  })

  it('is extended by a decision of its own, on what was shown', async () => {
    const id = await deferral()
    await decide('PMA/L16/3', 'extend deferral')
    const late = await here.enter('ra-manager-2')
    for (const desk of [member, late]) {
      await desk.go(`/registration/deferrals/${id}`)
      await desk.page.getByText('Extend it', { exact: true }).click()
    }
    await member.press('Extend the deferral')
    assert.match(await summary(member), /Enter the decision\s+To be reviewed next: enter a day/)
    await member.judge('an extension with errors')
    for (const desk of [member, late]) {
      await desk.page.fill('#extend-decision', 'PMA/L16/3')
      await desk.page.fill('#review', inDays(60))
      await desk.page.fill('#ends', inDays(90))
      await desk.press('Extend the deferral')
    }
    assert.match(await member.text(), /goes on/)
    // The second of two: what he saw has changed since.
    assert.match(await summary(late), /out of date/)
    const [one] = await deferrals(here.hands.store, { party })
    assert.deepEqual(
      one!.extensions.map(of => of.decision),
      ['PMA/L16/3'],
    )
  })

  it('has one certificate revoked in spite of it, and the others when it ends, but for what was decided otherwise', async () => {
    const { rooms } = here.office
    const id = await deferral()
    const found = await certificatesOfParty(rooms.store, party, here.hands.clock())
    assert.ok(found.length >= 3, `${found.length} certificates`)
    const clerk = await here.officer('ra-clerk-2')
    const opened: number[] = []
    for (const certificate of found.slice(0, 3)) {
      const { case: number, task } = await requestRevocation(
        here.hands,
        clerk,
        { certificate, ground: 'not needed' },
        {},
      )
      opened.push(number)
      // It is authenticated, and waits: to approve it is refused.
      await assert.rejects(here.office.decide(task), refusal('REVOCATION_DEFERRED'))
    }
    const [released, cancelled, ended] = opened as [number, number, number]
    await manager.go(`/registration/revocations/${released}`)
    assert.match(await manager.text(), /The certificate stays valid by decision/)
    await manager.page.getByText('Revoke it although the deferral goes on').click()
    await manager.judge('a deferred case')
    await manager.press('Revoke it now')
    assert.match(await summary(manager), /Enter the decision/)
    const [certificate] = found
    await here.decide({
      reference: 'PMA/L16/4',
      acts: ['revoke'],
      subjects: [`certificate:${certificate!.authority}:${certificate!.serial}`],
    })
    await manager.page.fill('#decision', 'PMA/L16/4')
    await manager.press('Revoke it now')
    assert.match(await manager.text(), /The certificate is revoked, and the list that names it is due/)
    await manager.judge('a released case')

    await manager.go(`/registration/deferrals/${id}`)
    assert.match(await manager.text(), new RegExp(`Case ${cancelled}[\\s\\S]*Case ${ended}`))
    await manager.page.getByText('End it', { exact: true }).click()
    await manager.press('End the deferral')
    assert.match(await summary(manager), /Enter the decision/)
    await manager.judge('the end of a deferral with an error')
    await decide('PMA/L16/5', 'end deferral')
    await manager.page.fill('#end-decision', 'PMA/L16/5')
    await manager.page.getByLabel(new RegExp(`^Case ${cancelled},`)).check()
    await manager.press('End the deferral')
    assert.match(await manager.text(), /has ended: 1 certificate is revoked, 1 case is cancelled/)
    assert.match(await manager.text(), /by decision PMA\/L16\/5/)
    assert.equal(await manager.page.locator('main form').count(), 0)
    await manager.judge('a deferral that has ended')
    const states = (await cases(rooms.store, { party }))
      .filter(one => opened.includes(one.id))
      .map(one => one.state)
    assert.deepEqual(states, ['revoked', 'cancelled', 'revoked'])
  })

  it('goes through an Event of Default step by step, each by whose it is', async () => {
    await member.go('/governance/defaults')
    assert.match(await member.text(), /No Event of Default is on record/)
    await member.judge('no Event of Default')
    await member.press('Record a finding')
    await member.page.waitForURL('**/defaults/new')
    await member.judge('the form of a finding')
    await member.press('Record the finding')
    assert.match(await summary(member), /Choose the Party\s+Enter the provision\s+Enter the decision/)
    await member.judge('the form of a finding, with errors')
    await decide('PMA/L2/1', 'event of default')
    const fill = async (desk: Desk) => {
      await desk.go('/governance/defaults/new')
      await desk.page.selectOption('#party', String(party))
      await desk.page.fill('#provision', `Appendix D 5.2 ${markup}`)
      await desk.page.fill('#decision', 'PMA/L2/1')
      await desk.page.fill('#words', 'what was found')
      await desk.press('Record the finding')
    }
    // The finding is the SMKI PMA's: a Manager's form is refused in words.
    await fill(manager)
    assert.match(await summary(manager), /NOT_FOR_THIS_OFFICE/)
    assert.equal((await eventsOfDefault(here.hands.store)).length, 0)
    await fill(member)
    assert.match(await member.text(), /Event of Default \d+ is on record[\s\S]*Next: notice to Panel/)
    assert.ok((await member.text()).includes(markup), 'what was typed is text')
    await member.judge('an Event of Default')
    const address = new URL(member.page.url()).pathname
    const clerk = await here.enter('ra-clerk-1')
    await clerk.go(address)
    assert.match(await clerk.text(), /The next step, notice to Panel, is for/)
    assert.equal(await clerk.page.locator('main form').count(), 0)
    await manager.go(address)
    await member.go(address)
    await manager.press('Record the notice to Panel')
    assert.match(await manager.text(), /Recorded. Next: Panel process/)
    // The second of two on one step.
    await member.press('Record the notice to Panel')
    assert.match(
      await summary(member),
      /Another step of the Event of Default comes next: Panel process.* \(DEFAULT_STEP\)/,
    )
    await manager.press('Record the Panel process')
    await manager.page.fill('#more', 'minutes: 2026/12')
    await manager.press('Record the outcome')
    assert.match(await manager.text(), /is closed[\s\S]*minutes: 2026\/12/)
    assert.equal(await manager.page.locator('main form').count(), 0)
    await manager.judge('an Event of Default that is closed')
    await manager.go('/governance/defaults')
    assert.match(await manager.text(), /Closed/)
    const [one] = await eventsOfDefault(here.hands.store)
    assert.equal(one!.steps.length, 4)
    assert.ok(one!.closedAt)
  })

  it('is told of on pages that fit a window of 360 pixels, and whose forms work without script', async () => {
    const narrow = await here.enter('pma-member-2', { narrow: true })
    const [event] = await eventsOfDefault(here.hands.store)
    for (const path of [
      'registration/revocations',
      'registration/revocations?show=ended',
      'registration/revocations?show=all&before=2',
      'registration/deferrals/new',
      `registration/deferrals/${await deferral()}`,
      'governance/defaults',
      'governance/defaults/new',
      `governance/defaults/${event!.id}`,
      'registration/dccki',
      'registration/s1spki',
      'operations/smets1',
    ]) {
      assert.equal(await narrow.go(`/${path}`), 200, path)
      await narrow.judge(`${path} at 360 pixels`)
    }
    await decide('PMA/L16/6', 'defer revocation')
    const plain = await here.enter('ra-manager-2', { script: false })
    await plain.go(`/registration/deferrals/new?party=${party}`)
    await plain.page.fill('#decision', 'PMA/L16/6')
    await plain.page.fill('#review', `${inDays(30)} 14:30`)
    await plain.press('Begin the deferral')
    assert.match(await plain.text(), /Deferral \d+ is in force[\s\S]*at 2:30pm/)
  })

  it('met no fault of ours', () => {
    assert.deepEqual(
      here.log.filter(line => line.includes('incident')),
      [],
    )
  })
})
