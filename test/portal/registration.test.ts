/** The Registration Authority's pages, in a browser: tasks from request to effect, two people on one, and whatever people type. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { amendPerson } from '../../src/rooms/registration/people.ts'
import { taskOf } from '../../src/rooms/registration/task.ts'
import { beginDeferral } from '../../src/rooms/revocation/deferral.ts'
import { certificatesOfParty } from '../../src/rooms/revocation/party.ts'
import { requestRevocation } from '../../src/rooms/revocation/request.ts'
import { hasBrowser } from './browser.ts'
import { type BackOffice, type Desk, nomination, openBackOffice } from './registration-scene.ts'

/** What somebody types who wants a page to run it, in every field that there is. */
const markup = `"><script>document.title='run'</script><img src=x onerror="document.title='run'">'&amp;{{1}}`

describe('the Registration Authority’s pages', { skip: !hasBrowser && 'no browser is installed' }, () => {
  let here: BackOffice
  let clerk: Desk
  let other: Desk
  let manager: Desk
  before(async () => {
    here = await openBackOffice()
    clerk = await here.enter('ra-clerk-1')
    other = await here.enter('ra-clerk-2')
    manager = await here.enter('ra-manager-1')
  })
  after(() => here?.close())

  const summary = (desk: Desk) => desk.page.locator('.govuk-error-summary').innerText()

  it('are without a fault that axe finds while there is nothing to do', async () => {
    for (const path of [
      'tasks',
      'batches-at-once',
      'anomalies',
      'revocations',
      'search',
      'organisations',
      'people',
    ]) {
      assert.equal(await clerk.go(`/registration/${path}`), 200)
      await clerk.judge(`${path}, empty`)
    }
    await clerk.go('/registration/tasks')
    assert.match(await clerk.text(), /No task waits here/)
  })

  it('let one verify and another approve what both have seen, and say what became of it', async () => {
    const { task } = await nomination(here)
    await clerk.go(`/registration/tasks/${task}`)
    const { digest } = await taskOf(here.hands.store, task)
    const text = await clerk.text()
    assert.match(text, /Would be recorded/)
    assert.ok(text.includes(digest), 'the hash of exactly what is decided')
    await clerk.judge('a task to be verified')

    // What is missing is said beside each field and on top.
    await clerk.press('I have verified what is asked')
    assert.match(await summary(clerk), /Enter the reference of the evidence “identity”/)
    await clerk.judge('a task, with what is missing')

    await clerk.page.fill('#level', '3')
    for (const field of await clerk.page.locator('input[name^="evidence-"]').all()) await field.fill('file 17')
    await clerk.page.fill('#words', markup)
    await clerk.press('I have verified what is asked')
    assert.match(await clerk.text(), /Your verification of task \d+ is recorded/)
    assert.ok((await clerk.text()).includes(markup), 'what was typed is text')
    assert.notEqual(await clerk.page.title(), 'run')
    await clerk.judge('a task that was verified')

    // Who has verified does not approve (REG-A01).
    assert.match(await clerk.text(), /You cannot take the next step/)
    await manager.go(`/registration/tasks/${task}`)
    await manager.press('I approve exactly what is shown above')
    assert.match(await manager.text(), /Your approval of task \d+ is recorded/)
    assert.equal((await taskOf(here.hands.store, task)).state, 'approved')
    await manager.judge('a task that was approved')
  })

  it('tell the second of two clerks on one task that it is decided, and nothing happens twice', async () => {
    const { task } = await nomination(here)
    for (const desk of [clerk, other]) await desk.go(`/registration/tasks/${task}`)
    const verify = async (desk: Desk) => {
      await desk.page.fill('#level', '3')
      for (const field of await desk.page.locator('input[name^="evidence-"]').all()) await field.fill('file 18')
      await desk.press('I have verified what is asked')
    }
    await verify(clerk)
    await verify(other)
    assert.match(await summary(other), /STEP_NOT_DUE|TWO_PERSON_RULE/)
    await other.judge('a task that somebody else has verified meanwhile')
    const { steps } = await taskOf(here.hands.store, task)
    assert.equal(steps.filter(one => one.step === 'verify').length, 1)
  })

  it('refuse a form that was filled in on what has changed since', async () => {
    const { task, person } = await nomination(here)
    await clerk.go(`/registration/tasks/${task}`)
    await amendPerson(here.hands, await here.officer('ra-manager-2'), person, { name: 'Another Name' })
    await clerk.page.fill('#level', '3')
    for (const field of await clerk.page.locator('input[name^="evidence-"]').all()) await field.fill('file 19')
    await clerk.press('I have verified what is asked')
    assert.match(await summary(clerk), /TASK_CHANGED/)
    await clerk.judge('a stale form')
    assert.equal((await taskOf(here.hands.store, task)).steps.filter(one => one.step === 'verify').length, 0)
    // The page now shows what stands, and on that the same form goes through.
    await clerk.press('I have verified what is asked')
    assert.match(await clerk.text(), /Your verification of task \d+ is recorded/)
  })

  it('put a Compromise before everything else, and what ends before what begins', async () => {
    const by = await here.officer('ra-clerk-2')
    const party = await here.party('import-supplier')
    const [first, second] = await certificatesOfParty(here.hands.store, party, here.hands.clock())
    await requestRevocation(here.hands, by, { certificate: first!, ground: 'not needed' }, {})
    await requestRevocation(here.hands, by, { certificate: second!, ground: 'key compromise' }, {})
    await clerk.go('/registration/tasks')
    await clerk.judge('many tasks')
    const rows = await clerk.page.locator('tbody tr').allInnerTexts()
    assert.match(rows[0]!, /revocation of organisation[\s\S]*At once/)
    assert.match(rows[1]!, /revocation of organisation[\s\S]*Today/)
    assert.match(rows[2]!, /appoint ARO[\s\S]*In turn/)
    // What a search finds, and nothing else.
    await clerk.page.getByLabel('Kind', { exact: true }).selectOption('appoint ARO')
    await clerk.press('Search')
    const found = await clerk.page.locator('tbody tr').allInnerTexts()
    assert.ok(found.length > 0 && found.every(row => row.includes('appoint ARO')), found.join())
    const csv = await (await clerk.page.request.get('/registration/tasks.csv?kind=appoint+ARO')).text()
    assert.equal(csv.trimEnd().split('\r\n').length, found.length + 1)
  })

  it('decide of several tasks at once, each with a result of its own', async () => {
    await clerk.go('/registration/tasks?text=revocation')
    const boxes = await clerk.page.locator('input[name="chosen"]').all()
    assert.equal(boxes.length, 2)
    await clerk.press('Verify the chosen')
    assert.match(await summary(clerk), /Choose the tasks first/)
    await clerk.judge('nothing was chosen')
    await clerk.go('/registration/tasks?text=revocation')
    for (const box of await clerk.page.locator('input[name="chosen"]').all()) await box.check()
    const [one] = await clerk.page.locator('input[name="chosen"]').all()
    // One of them is no longer what was seen.
    const value = (await one!.getAttribute('value'))!
    await one!.evaluate(
      (box, changed) => box.setAttribute('value', changed),
      value.replace(/.$/, (last: string) => (last === '0' ? '1' : '0')),
    )
    await clerk.page.fill('#more', 'requester authenticated: call 7')
    await clerk.press('Verify the chosen')
    const results = await clerk.page.locator('tbody tr').allInnerTexts()
    assert.equal(results.length, 2)
    assert.match(results[0]!, /Not done[\s\S]*TASK_CHANGED/)
    await clerk.judge('results of several tasks')
    assert.match(results[1]!, /Done/)
  })

  it('show the clock of a case run from its revocation to its list, and say when it ran out', async () => {
    const { rows } = await here.hands.store.query<{ id: number; task: number }>(
      "SELECT id, task FROM revocation_case WHERE state = 'authenticated'",
    )
    const [{ id, task }] = rows as [{ id: number; task: number }]
    await manager.go(`/registration/tasks/${task}`)
    assert.match(await manager.text(), /Would stand on the list/)
    await manager.judge('a revocation to be approved')
    await manager.press('I approve exactly what is shown above')
    await clerk.go(`/registration/revocations/${id}`)
    assert.match(await clerk.text(), /the list is due within (59|60) minutes/)
    await clerk.judge('a case whose list is due')
    here.office.pass(2 * 3_600_000)
    clerk = await here.enter('ra-clerk-1')
    await clerk.go(`/registration/revocations/${id}`)
    assert.match(await clerk.text(), /Late[\s\S]*the list was due 60 minutes ago/)
    await clerk.go('/registration/revocations')
    await clerk.judge('cases')
    await here.office.publish()
    await clerk.go(`/registration/revocations/${id}`)
    assert.match(await clerk.text(), /Was late[\s\S]*on list \d+/)
    other = await here.enter('ra-clerk-2')
    manager = await here.enter('ra-manager-1')
  })

  it('show a deferral on the Party’s page and on its cases, with the decision and the day of its review', async () => {
    const party = await here.party('network-operator')
    await here.decide({ reference: 'PMA/L16/1', acts: ['defer revocation'], subjects: [`party:${party}`] })
    const reviewAt = new Date(here.hands.clock().getTime() + 30 * 86_400_000)
    await beginDeferral(
      here.hands,
      await here.officer('ra-manager-2'),
      { decision: 'PMA/L16/1', party, userIds: [], mpids: [], reviewAt },
      {},
    )
    await clerk.go(`/registration/organisations/${party}`)
    assert.match(
      await clerk.text(),
      /By decision PMA\/L16\/1 of the SMKI PMA its certificates are not revoked for now/,
    )
    await clerk.judge('a Party with a deferral')
  })

  it('end an office at once, with what was held in it', async () => {
    const by = await here.officer('network-operator-portal-org')
    await manager.go(`/registration/people/${by.person}`)
    await manager.judge('a person in office')
    // By what he came to it, although it was decided long ago.
    assert.match(await manager.page.locator('tr', { hasText: 'appoint ARO' }).first().innerText(), /Approved/)
    await manager.page.getByText('End an office of this person').click()
    await manager.page.locator('details[open] input[name="words"]').fill('left the organisation')
    await manager.press('End the office')
    assert.match(await manager.text(), /The office has ended, and with it \d+ credentials/)
    await manager.go(`/registration/organisations/${await here.party('network-operator')}`)
    assert.match(
      await manager.text(),
      /Suspended[\s\S]*Not yet: at least one Authorised Responsible Officer is in office/,
    )
    await manager.judge('a suspended Party')
  })

  it('work without script, and at 360 pixels', async () => {
    const { task } = await nomination(here)
    const plain = await here.enter('ra-clerk-1', { script: false })
    await plain.go('/registration/tasks?for=me')
    await plain.page.getByRole('link', { name: `${task}: appoint ARO` }).click()
    await plain.page.fill('#level', '3')
    for (const field of await plain.page.locator('input[name^="evidence-"]').all()) await field.fill('file 20')
    await plain.press('I have verified what is asked')
    assert.match(await plain.text(), /Your verification of task \d+ is recorded/)
    await plain.context.close()
    const narrow = await here.enter('ra-manager-1', { narrow: true })
    for (const path of [
      'tasks',
      `tasks/${task}`,
      'organisations',
      'revocations',
      'people',
      'batches-at-once',
      'anomalies',
      'organisations/new',
      'search',
    ]) {
      await narrow.go(`/registration/${path}`)
      await narrow.judge(`${path} at 360 pixels`)
    }
    await narrow.context.close()
  })

  it('show an auditor everything and let him do nothing', async () => {
    const auditor = await here.enter('auditor')
    for (const path of ['tasks', 'organisations', 'revocations', 'anomalies', 'people', 'search?party=2']) {
      assert.equal(await auditor.go(`/registration/${path}`), 200)
      assert.deepEqual(await auditor.page.locator('form[method="post"] button').allInnerTexts(), ['Sign out'], path)
    }
    // A form of his own making does nothing either.
    const { task } = await nomination(here)
    await auditor.go(`/registration/tasks/${task}`)
    const token = await auditor.page.locator('input[name="token"]').first().inputValue()
    const answer = await auditor.page.request.post(`/registration/tasks/${task}`, {
      form: { token, do: 'withdraw', why: 'x' },
    })
    assert.equal(answer.status(), 403)
    assert.equal((await taskOf(here.hands.store, task)).state, 'open')
    assert.equal(await auditor.go('/registration/nominate'), 403)
    await auditor.context.close()
    const officer = await here.enter('import-supplier')
    assert.equal(await officer.go('/registration/tasks'), 403)
    await officer.context.close()
  })

  it('have met no fault of ours', () => {
    assert.deepEqual(
      here.log.filter(line => line.includes('a page met a fault')),
      [],
    )
  })
})
