import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { cease, ceaseOrganisation, withdrawCondition } from '../../src/rooms/registration/cease.ts'
import { requestCredential } from '../../src/rooms/registration/credentials.ts'
import { credentialRecords } from '../../src/rooms/registration/life.ts'
import { appointmentsOf, nominate } from '../../src/rooms/registration/nominations.ts'
import { noticesTo } from '../../src/rooms/registration/notices.ts'
import { apply, reportOutside, submitForm } from '../../src/rooms/registration/organisation.ts'
import { parties } from '../../src/rooms/registration/parties.ts'
import {
  formOf as formAt,
  organisationNamed,
  organisationOf,
  rangesInForce,
} from '../../src/rooms/registration/party.ts'
import { standingOf } from '../../src/rooms/registration/standing.ts'
import { taskOf, tasksOfParty } from '../../src/rooms/registration/task.ts'
import { approve, refuse } from '../../src/rooms/registration/tasks.ts'
import { csr, evidence, formOf, hex, type Office, openOffice, ranges, refusal } from './office.ts'

describe('an organisation', () => {
  let office: Office
  before(async () => {
    office = await openOffice()
  })
  after(() => office.close())

  const enter = (name: string, changes = {}) =>
    apply(office.hands, office.personnel[1], name, formOf(name, changes), { evidence: evidence('signed form') })
  const approveIt = ({ task, digest }: { task: number; digest: string }, manager = 0) =>
    approve(office.hands, office.kinds, office.managers[manager]!, task, {
      digest,
      evidence: evidence('verification record'),
    })

  it('is a Party with its form, and without any right, from the moment that it applies', async () => {
    const { party, version } = await enter('newcomer')
    assert.equal(version, 1)
    const known = await organisationOf(office.store, party)
    assert.deepEqual(
      [known.name, known.kind, known.formInForce, known.formSubmitted],
      ['newcomer', 'party', undefined, 1],
    )
    assert.equal((await organisationNamed(office.store, 'newcomer'))?.id, party)
    assert.deepEqual(await rangesInForce(office.store, party), [])
    assert.equal((await formAt(office.store, party, 1)).state, 'submitted')
    assert.equal((await standingOf(office.store, party)).state, 'applicant')
    assert.equal((await parties(office.store)).find(one => one.id === party)?.deviceSubscriber, false)
  })

  it('has a short name of its own, and an identifier of its own', async () => {
    await enter('own-name')
    await assert.rejects(enter('own-name'), refusal('PARTY_NAME_TAKEN'))
    await assert.rejects(enter('Upper'), refusal('PARTY_NAME_UNFIT'))
    await office.organisation('known')
    await assert.rejects(enter('unknown', { identifier: 'SEC-known' }), refusal('ORGANISATION_KNOWN'))
    assert.equal(await organisationNamed(office.store, 'unknown'), undefined)
  })

  it('is refused with the code of each fault of its form', async () => {
    const [is] = ranges('IS')
    const faults: [string, object][] = [
      ['FORM_INCOMPLETE', { legalName: undefined }],
      ['EUI64_UNREADABLE', { userRoles: [{ ...is!, first: 'x' }] }],
      ['EUI64_BEYOND_64_BITS', { userRoles: [{ ...is!, last: `1${is!.last}` }] }],
      ['RANGE_REVERSED', { userRoles: [{ ...is!, first: is!.last, last: is!.first }] }],
      ['ROLE_TWICE', { userRoles: [is!, ...ranges('IS')] }],
      ['ROLE_UNKNOWN', { userRoles: ranges('XX') }],
      ['ROLE_NOT_FOR_ORGANISATION', { userRoles: ranges('DCC') }],
      ['RANGES_OVERLAP', { userRoles: [is!, { ...is!, userRole: 'GS' }] }],
      [
        'SHARED_PAIR_NOT_ALLOWED',
        {
          userRoles: [is!, { ...is!, userRole: 'GS', last: is!.first }],
          shared: [{ eui64: is!.first, userRoles: ['IS', 'GS'] }],
        },
      ],
    ]
    for (const [code, changes] of faults) await assert.rejects(enter('faulty', changes), refusal(code), code)
    const said = (await office.journal()).filter(({ act }) => act === 'refused').slice(-faults.length)
    assert.deepEqual(
      said.map(({ body }) => body.code),
      faults.map(([code]) => code),
    )
  })

  it('has identifiers that are no other organisation’s, by one or by all', async () => {
    const userRoles = ranges('IS')
    await office.organisation('first-come', { userRoles })
    const { first, last } = userRoles[0]!
    const around = (from: bigint, to: bigint) => [
      { userRole: 'GS', first: hex(BigInt(`0x${first}`) + from), last: hex(BigInt(`0x${last}`) + to) },
    ]
    for (const [from, to] of [
      [0n, 0n],
      [1n, -1n],
      [-1n, 1n],
      [0xffffn, 9n],
    ] as const) {
      await assert.rejects(enter('second-come', { userRoles: around(from, to) }), refusal('RANGE_OF_ANOTHER'))
    }
    await enter('second-come', { userRoles: around(0x10000n, 0x10000n) })
  })

  it('takes identifiers in turn: of two that are approved at one moment one has them, and the other is told', async () => {
    for (let round = 0; round < 5; round++) {
      const userRoles = ranges('IS')
      const both = [
        await enter(`race-${round}-a`, { userRoles }),
        await enter(`race-${round}-b`, { userRoles: userRoles.map(one => ({ ...one, userRole: 'ED' })) }),
      ]
      for (const one of both) await office.check(one)
      const results = await Promise.allSettled(both.map((one, i) => approveIt(one, i)))
      assert.deepEqual(results.map(one => one.status).sort(), ['fulfilled', 'rejected'])
      const lost = results.findIndex(one => one.status === 'rejected')
      refusal('RANGE_OF_ANOTHER')((results[lost] as PromiseRejectedResult).reason)
      // Nothing of the refused approval was kept: the task waits for a person to decide.
      const { task } = both[lost]!
      const { state, steps } = await taskOf(office.store, task)
      assert.deepEqual([state, steps.length], ['open', 2])
      await refuse(office.hands, office.kinds, office.managers[0], task, { words: 'identifiers are taken' })
    }
  })

  it('may share identifiers where the environment says so (REG-A05)', async () => {
    const open = await openOffice({ oneOrganisation: false })
    const userRoles = ranges('IS')
    await open.organisation('one', { userRoles })
    await open.organisation('two', { userRoles })
    await open.close()
  })

  it('keeps its form in force until the next version is approved, and hears of certificates that this leaves outside', async () => {
    const [is] = ranges('IS')
    const party = await office.organisation('moving', { userRoles: [is!] })
    const half = hex(BigInt(`0x${is!.first}`) + 0x7fffn)
    const next = await submitForm(
      office.hands,
      office.personnel[1],
      party,
      formOf('moving', { userRoles: [{ ...is!, last: half }], tradingName: 'Moved' }),
      {},
    )
    assert.equal((await rangesInForce(office.store, party))[0]!.last, BigInt(`0x${is!.last}`))
    await office.decide(next)
    assert.equal((await rangesInForce(office.store, party))[0]!.last, BigInt(`0x${half}`))
    assert.equal((await organisationOf(office.store, party)).tradingName, 'Moved')
    assert.equal((await formAt(office.store, party, 1)).state, 'superseded')

    const held = [
      { issuer: 'CN=O1', serial: '01', eui64: is!.first },
      { issuer: 'CN=O1', serial: '02', eui64: is!.last },
    ]
    const outside = await reportOutside(office.hands, office.personnel[0], party, held)
    assert.deepEqual(outside, [held[1]])
    const said = (await office.journal()).at(-1)!
    assert.deepEqual(
      [said.act, said.body.version, said.body.count, said.body.looked],
      ['report certificates', 2, 1, 2],
    )
  })

  it('does not change its kind by a form', async () => {
    const party = await office.organisation('steady')
    const other = submitForm(office.hands, office.personnel[1], party, formOf('steady', { kind: 'rdp' }), {})
    await assert.rejects(other, refusal('FORM_UNFIT'))
    const none = submitForm(office.hands, office.personnel[1], 999_999, formOf('nobody'), {})
    await assert.rejects(none, refusal('PARTY_UNKNOWN'))
    await assert.rejects(formAt(office.store, party, 9), refusal('FORM_UNKNOWN'))
  })

  it('has its first form entered by the Registration Authority, later ones also by its own officers', async () => {
    const mine = await office.organisation('mine')
    const theirs = await office.organisation('theirs')
    const { no } = await office.officers(mine)
    await submitForm(office.hands, no, mine, formOf('mine'), {})
    await assert.rejects(submitForm(office.hands, no, theirs, formOf('theirs'), {}), refusal('OTHER_ORGANISATION'))
    await assert.rejects(
      submitForm(office.hands, office.pma[0], mine, formOf('mine'), {}),
      refusal('NOT_FOR_THIS_OFFICE'),
    )
  })

  it('is suspended when a condition is withdrawn, and authorised again when it is met anew', async () => {
    const { party } = await office.subscriber('careful')
    const standing = await withdrawCondition(
      office.hands,
      office.managers[0],
      party,
      { condition: 'identity' },
      { words: 'struck off the register' },
    )
    assert.deepEqual([standing.state, standing.missing], ['suspended', ['identity']])
    assert.deepEqual(await rangesInForce(office.store, party), [])
    assert.equal((await parties(office.store)).find(one => one.id === party)?.deviceSubscriber, false)
    const told = await noticesTo(office.store, 'Registration Authority')
    assert.equal(told.at(-1)?.about.party, party)
    // Its identifiers are nobody else's meanwhile.
    const { form } = await formAt(office.store, party, 1)
    await assert.rejects(enter('greedy', { userRoles: form.userRoles }), refusal('RANGE_OF_ANOTHER'))

    await office.decide(await submitForm(office.hands, office.personnel[1], party, form, {}))
    assert.equal((await standingOf(office.store, party)).state, 'authorised')
    assert.equal((await parties(office.store)).find(one => one.id === party)?.deviceSubscriber, true)

    // What the new version leaves out is free, though it stood on the one that was withdrawn.
    await withdrawCondition(office.hands, office.managers[0], party, { condition: 'identity' }, {})
    const smaller = { ...form, userRoles: ranges('IS') }
    await office.decide(await submitForm(office.hands, office.personnel[1], party, smaller, {}))
    await office.organisation('modest', { userRoles: form.userRoles })

    await withdrawCondition(office.hands, office.managers[0], party, { condition: 'SREPT' }, {})
    assert.deepEqual((await standingOf(office.store, party)).missing, ['SREPT'])
    await withdrawCondition(
      office.hands,
      office.managers[0],
      party,
      { condition: 'application', policy: 'smki-device' },
      {},
    )
    const again = withdrawCondition(
      office.hands,
      office.managers[0],
      party,
      { condition: 'application', policy: 'smki-device' },
      {},
    )
    await assert.rejects(again, refusal('CONDITION_NOT_MET'))
    const notManager = withdrawCondition(office.hands, office.personnel[0], party, { condition: 'SREPT' }, {})
    await assert.rejects(notManager, refusal('NOT_FOR_THIS_OFFICE'))
  })

  it('ends whole: officers, credentials, and what waited', async () => {
    const { party, no, sro, aro } = await office.subscriber('ending')
    const asked = await requestCredential(office.hands, sro, {
      kind: 'BATCH_WS',
      party,
      systemName: 'one',
      csr: csr('ending'),
    })
    const waiting = await nominate(
      office.hands,
      no,
      { person: aro.person, office: 'SRO', party },
      { evidence: evidence('signed form') },
    )
    const { standing } = await ceaseOrganisation(office.hands, office.managers[0], party, { words: 'dissolved' })
    assert.equal(standing?.state, 'ceased')
    assert.deepEqual(
      new Set((await appointmentsOf(office.store, party)).map(one => one.state)),
      new Set(['ceased', 'refused']),
    )
    assert.deepEqual(
      (await credentialRecords(office.store, party)).map(one => one.state),
      ['withdrawn'],
    )
    assert.deepEqual(
      (await tasksOfParty(office.store, party)).filter(one => one.state === 'open'),
      [],
    )
    assert.equal((await taskOf(office.store, asked.task)).state, 'void')
    assert.equal((await taskOf(office.store, waiting.task)).state, 'void')
    await assert.rejects(submitForm(office.hands, sro, party, formOf('ending'), {}), refusal('NOT_IN_OFFICE'))
    await assert.rejects(
      submitForm(office.hands, office.personnel[0], party, formOf('ending'), {}),
      refusal('PARTY_CEASED'),
    )
    await assert.rejects(ceaseOrganisation(office.hands, office.managers[0], party, {}), refusal('PARTY_CEASED'))
    await assert.rejects(
      cease(office.hands, office.managers[0], { person: sro.person, office: 'SRO', party }, {}),
      refusal('OFFICE_NOT_HELD'),
    )
  })
})
