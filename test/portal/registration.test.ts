/** The Registration Authority's pages, in a browser: tasks from request to effect, two people on one, and whatever people type. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readPem } from '../../src/ground/x509/pem.ts'
import { accept, beginUpload, keepPart } from '../../src/rooms/issuance/batch.ts'
import { submitOrganisation } from '../../src/rooms/issuance/organisation-submit.ts'
import { nominate } from '../../src/rooms/registration/nominations.ts'
import { submitForm } from '../../src/rooms/registration/organisation.ts'
import { formOf as formInForce } from '../../src/rooms/registration/party.ts'
import { amendPerson, enterPerson } from '../../src/rooms/registration/people.ts'
import { taskOf } from '../../src/rooms/registration/task.ts'
import { findByEui64 } from '../../src/rooms/repository/find.ts'
import { beginDeferral } from '../../src/rooms/revocation/deferral.ts'
import { certificatesOfParty } from '../../src/rooms/revocation/party.ts'
import { rejectDeviceCertificate } from '../../src/rooms/revocation/reject.ts'
import { requestRevocation } from '../../src/rooms/revocation/request.ts'
import { acts, issue, newCsr } from '../issuing/rooms.ts'
import { csrFor } from '../organisation/portal.ts'
import { evidence } from '../registration/office.ts'
import { type BackOffice, type Desk, openBackOffice } from './registration-scene.ts'
import { hasBrowser } from './scene.ts'

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

  const fill = (desk: Desk, label: string, value: string) =>
    desk.page.getByLabel(label, { exact: false }).first().fill(value)
  const summary = (desk: Desk) => desk.page.locator('.govuk-error-summary').innerText()
  const aro = () => here.officer('import-supplier-portal-org')

  /** A nomination of somebody new as ARO of the supplier, recorded by the second clerk. */
  async function nomination(): Promise<{ task: number; person: string }> {
    const by = await here.officer('ra-clerk-2')
    const person = await enterPerson(here.hands, by, { name: 'Ashley Officer' })
    const party = await here.party('import-supplier')
    const sro = (
      await here.office.rooms.store.query<{ reference: string }>(
        "SELECT p.reference FROM appointment a JOIN person p ON p.id = a.person WHERE a.party = $1 AND a.office = 'SRO'",
        [party],
      )
    ).rows[0]!.reference
    const opened = await nominate(
      here.hands,
      { person: sro, as: 'SRO', party, through: { person: by.person, as: 'RA_PERSONNEL' } },
      { person, office: 'ARO', party, policies: ['smki-organisation'] },
      { evidence: evidence('signed form') },
    )
    return { task: opened.task, person }
  }

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
    const { task } = await nomination()
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
    const { task } = await nomination()
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
    const { task, person } = await nomination()
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
    const { person } = await nomination()
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

  it('approve several batches on what was uploaded, and tell the second of two clerks', async () => {
    const party = await here.party('import-supplier')
    const upload = async (reference: string) => {
      const id = await beginUpload(here.hands.store)
      const octets = Buffer.from(`upload ${reference}`)
      await keepPart(here.hands, id, 0, octets)
      await accept(here.hands, {
        id,
        party,
        reference,
        sha256: createHash('sha256').update(octets).digest(),
        octets: octets.length,
        count: 3,
      })
      return id
    }
    const ids = [await upload('one'), await upload(`two ${markup}`)]
    for (const desk of [clerk, other]) {
      await desk.go('/registration/batches-at-once')
      for (const id of ids) await desk.page.locator(`#batch-${id}`).check()
    }
    await clerk.judge('batches that wait')
    await clerk.press('Reject the chosen')
    assert.match(await summary(clerk), /Say why they are rejected/)
    for (const id of ids) await clerk.page.locator(`#batch-${id}`).check()
    await clerk.press('Approve the chosen')
    assert.match(await clerk.text(), /2 batches are approved/)
    await clerk.judge('batches, approved')
    // What was uploaded is not what was seen.
    const third = await upload('three')
    await clerk.go('/registration/batches-at-once')
    const box = clerk.page.locator(`#batch-${third}`)
    await box.check()
    await box.evaluate(one =>
      one.setAttribute(
        'value',
        one.getAttribute('value')!.replace(/.$/, (last: string) => (last === '0' ? '1' : '0')),
      ),
    )
    await clerk.press('Approve the chosen')
    assert.match(await clerk.text(), /0 of 1 batch decided[\s\S]*FORM_STALE/)
    await other.press('Approve the chosen')
    assert.match(await other.text(), /0 of 2 batches decided[\s\S]*BATCH_NOT_PENDING/)
    await other.judge('batches that somebody else has decided')
    assert.equal((await acts(here.hands.store)).filter(one => one.act === 'approve batch').length, 2)
  })

  it('let a Manager, and nobody else, decide of a CSR that was held', async () => {
    const { credentials } = here.office
    const own = readCertificate(
      readPem(readFileSync(join(credentials, 'import-supplier', 'portal-org.crt.pem'), 'utf8'))[0]!.der,
    )
    const credential = { issuer: own.issuer.der, serial: own.serial }
    const pair = makeKeyPair('P-256')
    const rule = { rejectionDays: 30, organisationNameCharacters: 16 }
    const submit = (eui64: string) =>
      submitOrganisation(here.hands, rule, {
        credential,
        csr: csrFor(eui64, 0x02, 'digitalSignature', { pair }).toString('base64'),
      })
    assert.equal((await submit('02a0000000010001')).state, 'approved')
    const { state, id } = await submit('02a0000000010002')
    assert.equal(state, 'held')
    await clerk.go('/registration/anomalies')
    assert.match(await clerk.text(), /KEY_OF_ANOTHER_SUBJECT/)
    await clerk.judge('anomalies')
    await clerk.go(`/registration/held/${id}`)
    assert.match(await clerk.text(), /Would be signed[\s\S]*Issuer[\s\S]*O1[\s\S]*Manager decides of it/)
    await manager.go(`/registration/held/${id}`)
    await manager.judge('a held CSR')
    await manager.press('Let it be issued')
    assert.match(await summary(manager), /Say why/)
    await manager.page.fill('#words', 'a test of both')
    await manager.press('Let it be issued')
    assert.match(await manager.text(), /is approved, and its Certificate is issued/)
    assert.equal(
      (
        await findByEui64(
          here.hands.store,
          Buffer.from('02a0000000010002', 'hex'),
          'organisation',
          here.hands.clock(),
        )
      ).length,
      1,
    )
    assert.equal(await manager.go(`/registration/held/${id}`), 404)
  })

  it('close the investigation of a rejected Device Certificate, which is never revoked', async () => {
    const [outcome] = await issue(here.office.rooms.devices(), [newCsr()])
    assert.ok(outcome)
    const { rows } = await here.hands.store.query<{ authority: number; serial: Buffer }>(
      'SELECT authority, serial FROM certificate WHERE family = 1 ORDER BY signing DESC LIMIT 1',
    )
    const { authority, serial } = rows[0]!
    const certificate = { authority, serial: serial.toString('hex') }
    const id = await rejectDeviceCertificate(here.hands, await aro(), certificate, { words: markup })
    await clerk.go('/registration/anomalies')
    await clerk.judge('a rejection under investigation')
    assert.ok((await clerk.text()).includes(markup))
    await clerk.press(`Close ${id}`)
    assert.match(await summary(clerk), /Say what the investigation has found/)
    await fill(clerk, `Finding on rejection ${id}`, 'the meter was exchanged')
    await clerk.press(`Close ${id}`)
    assert.match(await clerk.text(), /The investigation of rejection \d+ is closed/)
    await clerk.go('/registration/revocations/new')
    await fill(clerk, 'Serial number', certificate.serial)
    await clerk.press('Request the revocation')
    assert.match(await summary(clerk), /DEVICE_NEVER_REVOKED/)
    await clerk.judge('a refused request')
  })

  it('find certificates, and request the revocation of several at once, each with its result', async () => {
    const party = await here.party('import-supplier')
    await clerk.go(`/registration/search?party=${party}`)
    await clerk.judge('certificates that were found')
    const boxes = await clerk.page.locator('input[name="certificate"]').all()
    assert.ok(boxes.length >= 4, String(boxes.length))
    for (const box of boxes.slice(0, 3)) await box.check()
    await clerk.page.getByLabel('Ground of the revocation').selectOption('replaced')
    await clerk.page.fill('#words', 'replaced by newer ones')
    await clerk.press('Request the revocation of the chosen')
    const results = await clerk.page.locator('tbody tr').allInnerTexts()
    assert.equal(results.length, 3)
    assert.ok(
      results.some(row => /Requested\s+Case \d+/.test(row)),
      results.join('\n'),
    )
    // One of them is in a case since before.
    assert.ok(
      results.some(row => /Not requested[\s\S]*CASE_OPEN/.test(row)),
      results.join('\n'),
    )
    await clerk.judge('results of several requests')
    const csv = await (await clerk.page.request.get(`/registration/search.csv?party=${party}`)).text()
    assert.match(csv, /^\ufeffauthority,serial,family,usage,role,eui64,status,issued,not after\r\n/)
    await clerk.go('/registration/search?text=xyz')
    assert.match(await clerk.text(), /Enter an EUI-64 of 16 hexadecimal digits/)
    await clerk.judge('a search for what cannot be')
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
    const { task } = await nomination()
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
    const { task } = await nomination()
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
