import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { cease } from '../../src/rooms/registration/cease.ts'
import { nominate, officesOf } from '../../src/rooms/registration/nominations.ts'
import { apply, submitForm } from '../../src/rooms/registration/organisation.ts'
import { amendPerson } from '../../src/rooms/registration/people.ts'
import { openTasks, taskOf, waitingFor } from '../../src/rooms/registration/task.ts'
import { approve, lookAt, refuse, verify, withdraw } from '../../src/rooms/registration/tasks.ts'
import { evidence, formOf, type Office, openOffice, refusal } from './office.ts'

const given = { evidence: evidence('signed form') }
const seen = { evidence: evidence('identity', 'meeting', 'screening'), level: 3, words: 'passport seen' }

describe('a task', () => {
  let office: Office
  let party: number
  before(async () => {
    office = await openOffice()
    party = await office.organisation('acme')
  })
  after(() => office.close())

  const nominateSomeone = async () => {
    const person = await office.person('Nobody')
    return {
      person,
      ...(await nominate(office.hands, office.personnel[1], { person, office: 'NO', party }, given)),
    }
  }

  it('goes through request, verification and approval, and every step stands in it and in the journal', async () => {
    const { hands, kinds, personnel, managers } = office
    const { task, digest, person } = await nominateSomeone()
    const verified = await verify(hands, kinds, personnel[0], task, { digest, ...seen })
    assert.equal(verified.state, 'open')
    assert.deepEqual(await officesOf(office.store, person, hands.clock()), [])
    const done = await approve(hands, kinds, managers[0], task, { digest, words: 'as nominated' })
    assert.equal(done.task.state, 'approved')
    assert.deepEqual(
      done.task.steps.map(({ step, person: by, words, evidence: on }) => [step, by, words, on.length]),
      [
        ['request', personnel[1].person, '', 1],
        ['verify', personnel[0].person, 'passport seen', 3],
        ['approve', managers[0].person, 'as nominated', 0],
      ],
    )
    assert.equal((await officesOf(office.store, person, hands.clock()))[0]?.office, 'NO')
    const said = (await office.journal()).filter(({ body }) => body.task === task)
    assert.deepEqual(
      said.map(({ act }) => act),
      ['request', 'verify', 'approve', 'appoint'],
    )
    assert.deepEqual(said[2]!.body.by, { person: managers[0].person, as: 'RA_MANAGER', appointment: 1 })
    assert.equal(said[2]!.body.digest, digest)
    assert.equal(said[2]!.body.words, 'as nominated')
  })

  it('names the rule that two control roles are two people', async () => {
    const { hands, kinds, managers } = office
    const { task, digest } = await nominateSomeone()
    await verify(hands, kinds, managers[0], task, { digest, ...seen })
    await assert.rejects(approve(hands, kinds, managers[0], task, { digest }), cause => {
      assert.match((cause as Error).message, /REG-A01, verify and approve/)
      return refusal('TWO_PERSON_RULE')(cause)
    })
    await approve(hands, kinds, managers[1], task, { digest })
  })

  it('counts whoever recorded a signed request as having had a hand in it', async () => {
    const { hands, kinds, managers, personnel } = office
    const no = await office.appoint(personnel[1], await office.person('Nina'), 'NO', party)
    const person = await office.person('Sam')
    const through = { person: managers[0].person, as: 'RA_MANAGER' } as const
    const { task, digest } = await nominate(hands, { ...no, through }, { person, office: 'SRO', party }, given)
    assert.equal((await taskOf(office.store, task)).steps[0]!.through, managers[0].person)
    await verify(hands, kinds, personnel[0], task, { digest, ...seen })
    await assert.rejects(approve(hands, kinds, managers[0], task, { digest }), refusal('TWO_PERSON_RULE'))
    await approve(hands, kinds, managers[1], task, { digest })
  })

  it('is verified and approved in person', async () => {
    const { hands, kinds, personnel } = office
    const { task, digest } = await nominateSomeone()
    const through = { person: personnel[1].person, as: 'RA_PERSONNEL' } as const
    await assert.rejects(
      verify(hands, kinds, { ...personnel[0], through }, task, { digest, ...seen }),
      refusal('IN_PERSON'),
    )
    const himself = { person: personnel[0].person, as: 'RA_PERSONNEL' } as const
    await assert.rejects(
      verify(hands, kinds, { ...personnel[0], through: himself }, task, { digest, ...seen }),
      refusal('IN_PERSON'),
    )
  })

  it('is not recorded by whoever it is recorded for', async () => {
    const { hands, personnel } = office
    // Somebody of the Registration Authority who is also a Nominating Officer.
    const no = await office.appoint(personnel[0], personnel[1].person, 'NO', party)
    const through = { person: personnel[1].person, as: 'RA_PERSONNEL' } as const
    const person = await office.person('Sam')
    const attempt = (by: typeof through) =>
      nominate(hands, { ...no, through: by }, { person, office: 'SRO', party }, given)
    await assert.rejects(attempt(through), refusal('IN_PERSON'))
    await attempt({ ...through, person: personnel[0].person })
  })

  it('is not recorded for a Manager, nor without saying what was signed', async () => {
    const { hands, personnel, managers } = office
    const through = { person: personnel[0].person, as: 'RA_PERSONNEL' } as const
    const person = await office.person('Rae')
    await assert.rejects(
      nominate(hands, { ...managers[0], through }, { person, office: 'RA_PERSONNEL' }, given),
      refusal('IN_PERSON'),
    )
    await assert.rejects(
      cease(hands, { ...managers[0], through }, { person: personnel[1].person, office: 'RA_PERSONNEL' }, {}),
      refusal('IN_PERSON'),
    )
    const { no } = await office.officers(party)
    await assert.rejects(
      submitForm(hands, { ...no, through }, party, formOf('acme'), {}),
      refusal('EVIDENCE_MISSING'),
    )
  })

  it('is not approved before it is verified, nor verified twice', async () => {
    const { hands, kinds, personnel, managers } = office
    const { task, digest } = await nominateSomeone()
    await assert.rejects(approve(hands, kinds, managers[0], task, { digest }), refusal('STEP_NOT_DUE'))
    await verify(hands, kinds, personnel[0], task, { digest, ...seen })
    await assert.rejects(verify(hands, kinds, managers[0], task, { digest, ...seen }), refusal('STEP_NOT_DUE'))
  })

  it('is nothing for those whom it concerns', async () => {
    const { hands, kinds, managers, pma } = office
    const person = managers[0].person
    const { task, digest } = await nominate(
      hands,
      pma[0],
      { person, office: 'PMA_MEMBER' },
      {
        evidence: evidence('Panel decision'),
      },
    )
    await assert.rejects(verify(hands, kinds, managers[0], task, { digest, ...seen }), refusal('OWN_AFFAIRS'))
    await assert.rejects(refuse(hands, kinds, managers[0], task, {}), refusal('OWN_AFFAIRS'))
    assert.ok(!(await waitingFor(office.store, kinds, person, hands.clock())).some(one => one.task.id === task))
    await refuse(hands, kinds, managers[1], task, { words: 'not now' })
  })

  it('is decided once: of two approvals at one moment one wins, and the other is told', async () => {
    const { hands, kinds, managers } = office
    for (let round = 0; round < 5; round++) {
      const opened = await nominateSomeone()
      await office.check(opened)
      const both = await Promise.allSettled(
        managers.map(by => approve(hands, kinds, by, opened.task, { digest: opened.digest })),
      )
      assert.deepEqual(both.map(one => one.status).sort(), ['fulfilled', 'rejected'])
      const told = both.find(one => one.status === 'rejected')!
      refusal('TASK_DECIDED')(told.reason)
      const held = await officesOf(office.store, opened.person, hands.clock())
      assert.equal(held.length, 1)
    }
    // One that concerns no Party is held by nothing but itself.
    for (let round = 0; round < 5; round++) {
      const person = await office.person('Nobody')
      const opened = await nominate(hands, managers[0], { person, office: 'RA_PERSONNEL' }, given)
      await office.check(opened)
      const both = await Promise.allSettled(
        office.pma.map(by => approve(hands, kinds, by, opened.task, { digest: opened.digest })),
      )
      refusal('TASK_DECIDED')((both.find(one => one.status === 'rejected') as PromiseRejectedResult).reason)
    }
  })

  it('shows what is to be approved, and its digest is of that', async () => {
    const { hands, kinds } = office
    const opened = await nominateSomeone()
    const { task, subject } = await lookAt(hands, kinds, opened.task)
    assert.equal(subject.person, opened.person)
    assert.equal(subject.office, 'NO')
    // The members sorted, no blanks: enough for this one, which has no nested object.
    const members = Object.entries({ ...subject, act: task.kind, at: task.openedAt.toISOString() }).sort(
      ([a], [b]) => (a < b ? -1 : 1),
    )
    const digest = createHash('sha256')
      .update(JSON.stringify(Object.fromEntries(members)))
      .digest('hex')
    assert.equal(digest, opened.digest)
  })

  it('is approved on what the approver has seen, and on nothing else', async () => {
    const { hands, kinds, managers } = office
    const opened = await nominateSomeone()
    await office.check(opened)
    const other = opened.digest.replace(/^./, first => (first === '0' ? '1' : '0'))
    await assert.rejects(
      approve(hands, kinds, managers[0], opened.task, { digest: other }),
      refusal('TASK_CHANGED'),
    )
  })

  it('loses its verification when what it is about has changed', async () => {
    const { hands, kinds, managers, personnel } = office
    const opened = await nominateSomeone()
    await office.check(opened)
    await amendPerson(hands, personnel[1], opened.person, { name: 'Somebody else' })
    await assert.rejects(
      approve(hands, kinds, managers[0], opened.task, { digest: opened.digest }),
      refusal('STEP_NOT_DUE'),
    )
    const now = await taskOf(office.store, opened.task)
    assert.notEqual(now.digest, opened.digest)
    assert.deepEqual(
      now.steps.map(one => [one.step, one.void]),
      [
        ['request', false],
        ['verify', true],
      ],
    )
    await office.decide({ task: opened.task, digest: now.digest })
  })

  it('finds a change that nobody announced', async () => {
    const { hands, kinds, managers } = office
    const opened = await nominateSomeone()
    await office.check(opened)
    await office.store.query('UPDATE appointment SET office = $2, party = NULL WHERE id = $1', [
      opened.appointment,
      'RA_MANAGER',
    ])
    await assert.rejects(
      approve(hands, kinds, managers[0], opened.task, { digest: opened.digest }),
      refusal('TASK_CHANGED'),
    )
  })

  it('asks for every kind of evidence, and for the level of identity verification', async () => {
    const { hands, kinds, personnel } = office
    const { task, digest } = await nominateSomeone()
    const less = { ...seen, evidence: evidence('identity') }
    await assert.rejects(verify(hands, kinds, personnel[0], task, { digest, ...less }), refusal('EVIDENCE_MISSING'))
    await assert.rejects(
      verify(hands, kinds, personnel[0], task, { digest, ...seen, level: 2 }),
      refusal('IDENTITY_LEVEL'),
    )
    const many = { ...seen, words: 'x'.repeat(2001) }
    await assert.rejects(verify(hands, kinds, personnel[0], task, { digest, ...many }), refusal('WORDS_UNFIT'))
  })

  it('can be refused by one, and taken back by who may ask', async () => {
    const { hands, kinds, personnel } = office
    const one = await nominateSomeone()
    const refused = await refuse(hands, kinds, personnel[0], one.task, { words: 'the passport has expired' })
    assert.equal(refused.state, 'refused')
    const two = await nominateSomeone()
    assert.equal((await withdraw(hands, kinds, personnel[1], two.task)).state, 'withdrawn')
    await assert.rejects(withdraw(hands, kinds, personnel[1], two.task), refusal('TASK_DECIDED'))
    // The person may be nominated again.
    await nominate(hands, personnel[1], { person: two.person, office: 'NO', party }, given)
  })

  it('waits for those who may take its next step, and for nobody else', async () => {
    const { hands, kinds, personnel, managers, pma } = office
    const opened = await nominateSomeone()
    const waits = async (person: string) =>
      (await waitingFor(office.store, kinds, person, hands.clock())).find(one => one.task.id === opened.task)?.step
    assert.equal(await waits(personnel[0].person), 'verify')
    assert.equal(await waits(managers[0].person), 'verify')
    assert.equal(await waits(pma[0].person), undefined)
    assert.equal(await waits(opened.person), undefined)
    await office.check(opened)
    assert.equal(await waits(personnel[0].person), undefined)
    assert.equal(await waits(managers[0].person), 'approve')
  })

  it('of a form is void when another version comes', async () => {
    const { hands, personnel } = office
    const first = await apply(hands, personnel[1], 'two-versions', formOf('two-versions'), {})
    const second = await submitForm(hands, personnel[1], first.party, formOf('two-versions'), {})
    assert.equal((await taskOf(office.store, first.task)).state, 'void')
    assert.equal(second.version, 2)
    await office.decide(second)
  })

  it('is unknown under another number', async () => {
    const { hands, kinds, personnel } = office
    await assert.rejects(refuse(hands, kinds, personnel[0], 99_999, {}), refusal('TASK_UNKNOWN'))
  })

  it('is nothing for an officer from the moment that he ceases', async () => {
    const { hands, kinds, personnel, managers } = office
    const leaving = await office.appoint(managers[0], await office.person('Lea'), 'RA_PERSONNEL')
    const opened = await nominateSomeone()
    await cease(hands, managers[0], { person: leaving.person, office: 'RA_PERSONNEL' }, { words: 'leaves' })
    office.pass(1)
    await assert.rejects(
      verify(hands, kinds, leaving, opened.task, { digest: opened.digest, ...seen }),
      refusal('NOT_IN_OFFICE'),
    )
    assert.deepEqual(await waitingFor(office.store, kinds, leaving.person, hands.clock()), [])
    await verify(hands, kinds, personnel[0], opened.task, { digest: opened.digest, ...seen })
  })

  it('is not verified by an officer who ceases at that moment, or was before he did', async () => {
    const { hands, kinds, managers } = office
    for (let round = 0; round < 5; round++) {
      const leaving = await office.appoint(managers[0], await office.person('Leo'), 'RA_PERSONNEL')
      const { task, digest } = await nominateSomeone()
      const [verified] = await Promise.allSettled([
        verify(hands, kinds, leaving, task, { digest, ...seen }),
        cease(hands, managers[0], { person: leaving.person, office: 'RA_PERSONNEL' }, {}),
      ])
      if (verified.status === 'rejected') refusal('NOT_IN_OFFICE')(verified.reason)
      const entries = (await office.journal()).filter(
        ({ act, body }) =>
          (act === 'verify' && body.task === task) || (act === 'cease' && body.person === leaving.person),
      )
      // Whatever happened, nothing of his stands after the entry of his cessation.
      assert.equal(entries.at(-1)!.act, 'cease')
    }
  })

  it('leaves a trace of what was refused: who, what, and why', async () => {
    const before = (await office.journal()).length
    const { hands, kinds, managers } = office
    const { task, digest } = await nominateSomeone()
    await assert.rejects(approve(hands, kinds, managers[0], task, { digest }))
    const said = (await office.journal()).slice(before).at(-1)!
    assert.equal(said.act, 'refused')
    assert.deepEqual(said.body, {
      attempt: 'approve',
      task,
      code: 'STEP_NOT_DUE',
      by: { person: managers[0].person, as: 'RA_MANAGER' },
    })
    assert.ok((await openTasks(office.store)).some(one => one.id === task))
  })
})
