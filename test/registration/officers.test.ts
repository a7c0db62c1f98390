import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { cease } from '../../src/rooms/registration/cease.ts'
import { makeFirstAppointments } from '../../src/rooms/registration/first.ts'
import { appointmentsOf, nominate, officesOf } from '../../src/rooms/registration/nominations.ts'
import { amendPerson, consultPerson, enterPerson, erasePerson } from '../../src/rooms/registration/people.ts'
import { people } from '../../src/rooms/registration/person.ts'
import { standingOf } from '../../src/rooms/registration/standing.ts'
import { emptyOffice, evidence, journalOf, type Office, openOffice, refusal } from './office.ts'

const given = { evidence: evidence('signed form', 'Panel decision') }

describe('an officer', () => {
  let office: Office
  let party: number
  let other: number
  before(async () => {
    office = await openOffice()
    party = await office.organisation('acme')
    other = await office.organisation('other')
  })
  after(() => office.close())

  it('is nominated for an office that fits: of an organisation, or of none; an ARO for certificates', async () => {
    const { hands, personnel, managers } = office
    const person = await office.person('Fit')
    const attempt = (nomination: object) => nominate(hands, personnel[0], { person, ...nomination } as never, given)
    await assert.rejects(attempt({ office: 'NO' }), refusal('OFFICE_PARTY'))
    await assert.rejects(attempt({ office: 'RA_PERSONNEL', party }), refusal('OFFICE_PARTY'))
    await assert.rejects(attempt({ office: 'KING', party }), refusal('OFFICE_PARTY'))
    await assert.rejects(attempt({ office: 'ARO', party }), refusal('POLICIES_UNFIT'))
    await assert.rejects(attempt({ office: 'ARO', party, policies: ['iki'] }), refusal('POLICIES_UNFIT'))
    await assert.rejects(attempt({ office: 'NO', party, policies: ['smki-device'] }), refusal('POLICIES_UNFIT'))
    await assert.rejects(attempt({ office: 'NO', party: 999_999 }), refusal('PARTY_UNKNOWN'))
    await assert.rejects(attempt({ office: 'NO', party, person: 'p-000000000000' }), refusal('PERSON_UNKNOWN'))
    // An SRO is nominated by a Nominating Officer, RA Personnel by an RA Manager.
    await assert.rejects(attempt({ office: 'SRO', party }), refusal('NOT_FOR_THIS_OFFICE'))
    await assert.rejects(attempt({ office: 'RA_PERSONNEL' }), refusal('NOT_FOR_THIS_OFFICE'))
    await nominate(hands, managers[0], { person, office: 'RA_PERSONNEL' }, given)
  })

  it('is not nominated by himself, nor with a form that he recorded himself', async () => {
    const { hands, managers, personnel } = office
    const himself = nominate(hands, managers[0], { person: managers[0].person, office: 'PMA_MEMBER' }, given)
    await assert.rejects(himself, refusal('OWN_AFFAIRS'))
    const no = await office.appoint(personnel[0], await office.person('Nina'), 'NO', party)
    const through = { person: personnel[0].person, as: 'RA_PERSONNEL' } as const
    const recorder = nominate(hands, { ...no, through }, { person: through.person, office: 'SRO', party }, given)
    await assert.rejects(recorder, refusal('OWN_AFFAIRS'))
  })

  it('holds an office once, and is nominated for it once', async () => {
    const { hands, personnel } = office
    const person = await office.person('Once')
    const nomination = { person, office: 'NO', party } as const
    const both = await Promise.allSettled([1, 2].map(() => nominate(hands, personnel[0], nomination, given)))
    assert.deepEqual(both.map(one => one.status).sort(), ['fulfilled', 'rejected'])
    refusal('OFFICE_HELD')((both.find(one => one.status === 'rejected') as PromiseRejectedResult).reason)
    // Elsewhere the same person may.
    await nominate(hands, personnel[0], { ...nomination, party: other }, given)
  })

  it('may be SRO and ARO, unless the environment wants two people (REG-A02)', async () => {
    const both = async (where: Office) => {
      const at = await where.organisation('both-offices')
      const no = await where.appoint(where.personnel[1], await where.person('Nina'), 'NO', at)
      const sro = await where.appoint(no, await where.person('Sam'), 'SRO', at)
      return where.appoint(no, sro.person, 'ARO', at, ['smki-organisation'])
    }
    await both(office)
    const strict = await openOffice({ sroMayBeAro: false })
    await assert.rejects(both(strict), refusal('SRO_NOT_ARO'))
    await strict.close()
  })

  it('acts for his own organisation, and in the office that he holds', async () => {
    const { hands } = office
    const { no, sro } = await office.officers(party)
    const person = await office.person('Target')
    const nomination = { person, office: 'SRO', party: other } as const
    await assert.rejects(nominate(hands, no, nomination, given), refusal('OTHER_ORGANISATION'))
    await assert.rejects(nominate(hands, { ...no, party: other }, nomination, given), refusal('NOT_IN_OFFICE'))
    await assert.rejects(nominate(hands, { ...sro, as: 'NO' }, nomination, given), refusal('NOT_IN_OFFICE'))
    await assert.rejects(nominate(hands, 'ceremony', nomination, given), refusal('CEREMONY_ONLY'))
    const stranger: Officer = { person: 'nobody', as: 'NO', party }
    await assert.rejects(nominate(hands, stranger, nomination, given), refusal('NOT_IN_OFFICE'))
    const said = (await office.journal()).at(-1)!
    assert.deepEqual(said.body.by, { person: '?', as: 'NO', party })
  })

  it('holds an office from the instant of his appointment, and not from one before it', async () => {
    const { hands, personnel } = office
    office.pass(60_000)
    const before = new Date(hands.clock().getTime() - 1)
    const no = await office.appoint(personnel[0], await office.person('Nel'), 'NO', other)
    assert.equal((await officesOf(office.store, no.person, hands.clock())).length, 1)
    assert.equal((await officesOf(office.store, no.person, before)).length, 0)
    const early = { ...hands, clock: () => before }
    await assert.rejects(
      nominate(early, no, { person: await office.person('X'), office: 'SRO', party: other }, given),
      refusal('NOT_IN_OFFICE'),
    )
  })

  it('ceases by the word of his organisation, of the Registration Authority, or his own', async () => {
    const { hands, personnel, managers } = office
    const one = await office.officers(party)
    const two = await office.officers(other)
    const whose = (officer: Officer) => ({ person: officer.person, office: officer.as, party: officer.party })
    await assert.rejects(cease(hands, one.sro, whose(two.aro), {}), refusal('OTHER_ORGANISATION'))
    await assert.rejects(cease(hands, one.aro, whose(one.sro), {}), refusal('NOT_FOR_THIS_OFFICE'))
    await cease(hands, one.sro, whose(one.aro), { words: 'moved on' })
    await assert.rejects(cease(hands, one.sro, whose(one.aro), {}), refusal('OFFICE_NOT_HELD'))
    await cease(hands, two.aro, whose(two.aro), { words: 'resigns' })
    await cease(hands, personnel[0], whose(one.sro), {})
    await assert.rejects(
      cease(hands, personnel[0], { person: personnel[1].person, office: 'RA_PERSONNEL' }, {}),
      refusal('NOT_FOR_THIS_OFFICE'),
    )
    const leaving = await office.appoint(managers[0], await office.person('Lea'), 'RA_PERSONNEL')
    await cease(hands, office.pma[0], whose(leaving), { words: 'unacceptable performance' })
    const ceased = (await appointmentsOf(office.store, party)).filter(each => each.state === 'ceased')
    assert.deepEqual(new Set(ceased.map(each => each.person)), new Set([one.aro.person, one.sro.person]))
  })

  it('may be replaced: an RA Manager by the SMKI PMA alone, when none is left', async () => {
    const own = await openOffice()
    for (const manager of own.managers) {
      await cease(own.hands, own.pma[0], { person: manager.person, office: 'RA_MANAGER' }, {})
    }
    const person = await own.person('New Manager')
    const manager = await own.appoint(own.pma[0], person, 'RA_MANAGER')
    assert.equal((await officesOf(own.store, manager.person, own.hands.clock()))[0]?.office, 'RA_MANAGER')
    await own.close()
  })

  it('leaves a Party suspended when he was the last SRO or ARO, and not before', async () => {
    const { party: at, sro, aro, no } = await office.subscriber('lasting')
    const second = await office.appoint(sro, await office.person('Second'), 'ARO', at, ['smki-organisation'])
    const leave = (officer: Officer) =>
      cease(office.hands, office.personnel[0], { person: officer.person, office: officer.as, party: at }, {})
    assert.equal((await leave(aro)).standing?.state, 'authorised')
    assert.equal((await leave(second)).standing?.state, 'suspended')
    assert.deepEqual((await leave(sro)).standing?.missing, ['SRO', 'ARO'])
    const standings = (await office.journal()).filter(({ act, body }) => act === 'standing' && body.party === at)
    assert.deepEqual(standings.at(-1)!.body.after, 'suspended')
    assert.equal((await standingOf(office.store, at)).policies['smki-device'].authorised, false)
    assert.equal(no.party, at)
  })
})

describe('what is known of a person', () => {
  let office: Office
  before(async () => {
    office = await openOffice()
  })
  after(() => office.close())
  const data = {
    name: 'Percival Private',
    email: 'percival@example.invalid',
    telephone: '+44 1632 960003',
    questions: [{ question: 'First pet', answer: 'Rosinante' }],
  }
  const secret = /Percival|percival|960003|Rosinante/

  it('stands in one table: not in the journal, and not in any other', async () => {
    const { hands, personnel, store } = office
    const reference = await enterPerson(hands, personnel[0], data)
    await amendPerson(hands, personnel[0], reference, { ...data, telephone: '+44 1632 960003' })
    assert.deepEqual(await consultPerson(hands, personnel[0], reference, { words: 'unlock call' }), {
      ...data,
      telephone: '+44 1632 960003',
    })
    const { rows } = await store.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
    )
    const holding = []
    for (const { name } of rows) {
      const { rows: all } = await store.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`)
      const octets = await store.query<{ octets: Buffer }>('SELECT octets FROM journal_pending')
      if (all.some(row => secret.test(row.text))) holding.push(name)
      if (octets.rows.some(row => secret.test(String(row.octets)))) holding.push('journal')
    }
    assert.deepEqual(holding, ['person_data'])
    assert.ok(
      (await office.journal()).some(({ act, body }) => act === 'consult person' && body.person === reference),
    )
  })

  it('is for the Registration Authority, and not about oneself', async () => {
    const { hands, pma, managers, personnel } = office
    await assert.rejects(consultPerson(hands, pma[0], managers[0].person), refusal('NOT_FOR_THIS_OFFICE'))
    await assert.rejects(amendPerson(hands, personnel[0], personnel[0].person, data), refusal('OWN_AFFAIRS'))
    await assert.rejects(erasePerson(hands, personnel[0], personnel[1].person), refusal('NOT_FOR_THIS_OFFICE'))
  })

  it('is erased when nobody needs it, and the acts stay', async () => {
    const { hands, personnel, managers, store } = office
    const party = await office.organisation('erasing')
    const no = await office.appoint(personnel[1], await enterPerson(hands, personnel[0], data), 'NO', party)
    await assert.rejects(erasePerson(hands, managers[0], no.person), refusal('PERSON_NEEDED'))
    await cease(hands, no, { person: no.person, office: 'NO', party }, {})
    await erasePerson(hands, managers[0], no.person, { words: 'seven years are over' })
    const { rows } = await store.query(
      'SELECT FROM person_data d JOIN person p ON p.id = d.person WHERE p.reference = $1',
      [no.person],
    )
    assert.equal(rows.length, 0)
    assert.equal((await people(store)).find(one => one.reference === no.person)?.erased, true)
    await assert.rejects(consultPerson(hands, personnel[0], no.person), refusal('PERSON_UNKNOWN'))
    await assert.rejects(
      nominate(hands, personnel[0], { person: no.person, office: 'NO', party }, given),
      refusal('PERSON_UNKNOWN'),
    )
    assert.equal((await appointmentsOf(store, party))[0]?.person, no.person)
  })

  it('is short text, with a name', async () => {
    const { hands, personnel } = office
    for (const wrong of [{ name: '' }, { name: 'x'.repeat(201) }, { name: 'A', telephone: '' }, { name: 7 }]) {
      await assert.rejects(enterPerson(hands, personnel[0], wrong as never), refusal('PERSON_UNFIT'))
    }
  })
})

describe('the first appointments', () => {
  const officer = (office: 'RA_MANAGER' | 'RA_PERSONNEL' | 'PMA_MEMBER', name: string = office) => ({
    data: { name },
    office,
    evidence: evidence('identity'),
  })
  const first = {
    operator: { name: 'dcc', tradingName: 'Test DCC' },
    people: [officer('RA_MANAGER'), officer('RA_PERSONNEL'), officer('PMA_MEMBER')],
    witnesses: ['w-1', 'w-2'],
    evidence: evidence('minutes'),
  }

  it('are made once, whole, and before witnesses; each attempt stands in the journal', async () => {
    const { hands, close } = await emptyOffice()
    const lacking = [
      { ...first, people: first.people.slice(1) },
      { ...first, people: first.people.map(one => ({ ...one, evidence: [] })) },
      { ...first, people: [...first.people, officer('ARO' as never)] },
      { ...first, witnesses: ['w-1', 'w-1'] },
      { ...first, evidence: [] },
    ]
    for (const one of lacking) {
      await assert.rejects(makeFirstAppointments(hands, one), refusal('CEREMONY_INCOMPLETE'))
    }
    // Connections for all of them are there, so that they meet.
    await Promise.all([1, 2, 3, 4].map(() => hands.store.query('SELECT pg_sleep(0.05)')))
    const names = ['dcc', 'dcc-2', 'dcc-3', 'dcc-4']
    const all = await Promise.allSettled(
      names.map(name => makeFirstAppointments(hands, { ...first, operator: { name, tradingName: 'Test DCC' } })),
    )
    assert.deepEqual(all.map(one => one.status).sort(), ['fulfilled', 'rejected', 'rejected', 'rejected'])
    for (const one of all) if (one.status === 'rejected') refusal('CEREMONY_OVER')(one.reason)

    const acts = await journalOf(hands.store)
    assert.deepEqual(
      acts.map(({ act, body }) => body.code ?? act),
      [...Array(5).fill('CEREMONY_INCOMPLETE'), 'first appointments', ...Array(3).fill('CEREMONY_OVER')],
    )
    const { body } = acts[5]!
    assert.deepEqual(body.witnesses, ['w-1', 'w-2'])
    assert.equal((body.appointed as unknown[]).length, 3)
    await close()
  })

  it('are never made again, even when everybody has ceased', async () => {
    const { hands, close } = await emptyOffice()
    const { people: references } = await makeFirstAppointments(hands, first)
    const pma = { person: references[2]!, as: 'PMA_MEMBER' } as const
    await cease(hands, pma, { person: references[0]!, office: 'RA_MANAGER' }, {})
    await cease(hands, pma, { person: references[1]!, office: 'RA_PERSONNEL' }, {})
    await cease(hands, pma, { person: references[2]!, office: 'PMA_MEMBER' }, {})
    await assert.rejects(
      makeFirstAppointments(hands, { ...first, operator: { name: 'again', tradingName: 'A' } }),
      refusal('CEREMONY_OVER'),
    )
    await close()
  })
})
