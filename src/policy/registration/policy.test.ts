import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { roles } from '../roles.ts'
import { assumptions, settingsSchema } from '../settings.ts'
import { credentialKinds, credentialLife, credentialStates, endStates } from './credentials.ts'
import { offices } from './offices.ts'
import { procedures, singleActs, stepOrder } from './procedure.ts'
import { scenarios, scenariosFor, sreptInterfaces } from './srept.ts'
import { defaultUserRoles, mayCarry } from './user-roles.ts'

const settings = (registration: Record<string, unknown> = {}) =>
  settingsSchema.parse({ environment: 'policy', kind: 'test', registration })

describe('the procedures of registration', () => {
  const all = procedures(settings().registration)

  it('each have somebody for every step, and two people for control', () => {
    assert.equal(Object.keys(all).length, 15)
    for (const [name, procedure] of Object.entries(all)) {
      for (const step of stepOrder) {
        assert.ok(procedure[step].by.length > 0 && procedure[step].count > 0, `${name} ${step}`)
      }
      assert.ok(
        procedure.apart.some(pair => pair.includes('verify') && pair.includes('approve')),
        name,
      )
      assert.equal(procedure.identityLevel !== undefined, name.startsWith('appoint '), name)
    }
    for (const office of Object.keys(offices)) assert.ok(all[`appoint ${office}`], office)
  })

  it('keep nobody apart when the two-person rule is off (REG-A01)', () => {
    const off = procedures(settings({ twoPersons: false }).registration)
    assert.ok(Object.values(off).every(procedure => procedure.apart.length === 0))
  })

  it('let an organisation decide nothing alone', () => {
    for (const [name, { verify, approve }] of Object.entries(all)) {
      assert.ok(
        [...verify.by, ...approve.by].every(office => offices[office].of !== 'organisation'),
        name,
      )
    }
  })

  it('name for every office who ends it', () => {
    for (const office of Object.keys(offices)) assert.ok(Object.hasOwn(singleActs, `cease ${office}`), office)
  })

  it('ask for the screening of those who will hold a token (G4.2, G4.3)', () => {
    for (const office of ['ARO', 'RA_MANAGER', 'RA_PERSONNEL']) {
      assert.ok(all[`appoint ${office}`]!.verify.evidence.includes('screening'), office)
    }
  })
})

describe('the User Roles', () => {
  it('carry no role of certification authorities, and none whose number is unknown', () => {
    for (const [name, { ouRoles }] of Object.entries(defaultUserRoles)) {
      for (const role of ouRoles) {
        const known = roles.find(one => one.code === role)
        assert.equal(mayCarry(defaultUserRoles, name, role), known?.endEntity === true, `${name} ${role}`)
      }
      for (const role of [0x00, 0x07]) assert.equal(mayCarry(defaultUserRoles, name, role), false)
    }
    assert.equal(mayCarry({ IS: { title: 'IS', ouRoles: [7] } }, 'IS', 7), false)
    assert.equal(mayCarry(defaultUserRoles, 'XX', 2), false)
  })
})

describe('the life of a credential', () => {
  it('goes on from every state but the last ones, and every state is reached', () => {
    for (const state of credentialStates)
      assert.equal(credentialLife[state].length === 0, endStates.includes(state), state)
    const reached = new Set(Object.values(credentialLife).flat())
    assert.deepEqual(
      [...credentialStates].filter(state => !reached.has(state)),
      [],
    )
  })

  it('leads to an open door by approval, issue and handing over alone', () => {
    const before = (state: string) =>
      credentialStates.filter(one => credentialLife[one].includes(state as 'active'))
    assert.deepEqual(before('issued'), ['approved'])
    assert.deepEqual(before('approved'), ['verified'])
    assert.deepEqual(before('active'), ['issued', 'locked'])
  })

  it('is held by people or by systems, kind by kind', () => {
    const byPeople = Object.entries(credentialKinds).filter(([, row]) => 'heldIn' in row)
    assert.deepEqual(
      byPeople.map(([kind]) => kind),
      ['PORTAL_ORG', 'PORTAL_DEVICE', 'REPO_PORTAL', 'RA_STAFF'],
    )
  })
})

describe('SREPT', () => {
  it('has scenarios for every interface, each with its own name', () => {
    assert.equal(new Set(scenarios.map(one => one.id)).size, scenarios.length)
    for (const one of sreptInterfaces) assert.ok(scenariosFor([one]).length > 0, one)
    assert.equal(scenariosFor(sreptInterfaces).length, scenarios.length)
    assert.deepEqual(scenariosFor([]), [])
  })
})

describe('the settings of registration', () => {
  it('list REG-A01 to REG-A08 among the ASSUMED values, at their defaults', () => {
    const own = assumptions(settings()).filter(one => one.key.startsWith('registration.'))
    assert.deepEqual(
      own.flatMap(one => (one.id.startsWith('REG-') ? [one.id] : [])),
      [1, 2, 3, 4, 5, 6, 7, 8].map(n => `REG-A0${n}`),
    )
    assert.ok(own.every(one => one.atDefault))
    const off = assumptions(settings({ twoPersons: false }))
    assert.equal(off.find(one => one.id === 'REG-A01')?.atDefault, false)
  })

  it('refuse a word that is in no table', () => {
    const wrong = (registration: Record<string, unknown>) =>
      !settingsSchema.safeParse({ environment: 'x', kind: 'test', registration }).success
    assert.ok(!wrong({}))
    assert.ok(!wrong({ sharedRoles: [['IS', 'GS']] }))
    assert.ok(wrong({ sharedRoles: [['IS', 'XX']] }))
    assert.ok(wrong({ deviceEligibility: [{ deviceTypes: ['ESME'], notIn: ['comissioned'] }] }))
    assert.ok(wrong({ deviceEligibility: [{ deviceTypes: ['ESME'], userRoles: ['XX'] }] }))
    assert.ok(wrong({ unknown: 1 }))
  })
})
