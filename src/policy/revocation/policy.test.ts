import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isOfOrganisation } from '../registration/offices.ts'
import { assumptions, settingsSchema } from '../settings.ts'
import { defaultReasons, groundNames, groundRow, reasonCodes } from './grounds.ts'
import { kindOfTask, objectNames, revocationProcedures } from './objects.ts'
import { listSchedules } from './schedules.ts'

const parse = (revocation: Record<string, unknown> = {}) =>
  settingsSchema.safeParse({ environment: 'policy', kind: 'test', revocation })
const settings = parse().data!

describe('the table of grounds', () => {
  it('gives each a reason code that our lists may carry, and each object a ground', () => {
    for (const ground of groundNames) {
      const code = reasonCodes[defaultReasons[ground]]
      assert.ok(![6, 8].includes(code) && code <= 9, ground)
      assert.ok(groundRow(ground).of.length > 0, ground)
    }
    for (const object of objectNames) {
      assert.ok(groundNames.filter(one => groundRow(one).of.includes(object)).length >= 5, object)
    }
  })

  it('knows cACompromise for authorities alone, and keyCompromise for all others', () => {
    const of = (reason: string) => groundNames.filter(one => defaultReasons[one] === reason)
    assert.deepEqual(
      of('cACompromise').flatMap(one => [...groundRow(one).of]),
      ['CA'],
    )
    assert.ok(of('keyCompromise').every(one => !groundRow(one).of.includes('CA')))
  })
})

describe('the procedures of revocation', () => {
  const { requesters, dcckiRequesters, authenticationEvidence } = settings.revocation
  const rules = { requesters: { ...requesters, DCCKI: dcckiRequesters }, authenticationEvidence }

  it('are one for each object; nobody of an organisation verifies or approves, and two people do it', () => {
    const all = revocationProcedures(rules, true)
    assert.deepEqual(Object.keys(all), objectNames.map(kindOfTask))
    for (const [name, { verify, approve, apart }] of Object.entries(all)) {
      assert.ok(
        [...verify.by, ...approve.by].every(office => !isOfOrganisation(office)),
        name,
      )
      assert.ok(!approve.by.includes('RA_PERSONNEL'), name)
      assert.ok(
        apart.some(([a, b]) => a === 'verify' && b === 'approve'),
        name,
      )
      assert.deepEqual(verify.evidence, ['requester authenticated'], name)
    }
    assert.ok(Object.values(revocationProcedures(rules, false)).every(({ apart }) => apart.length === 0))
  })

  it("let any SMKI PMA Member ask for the RA's own credentials, which nobody asks for himself (8.3.3, 8.3.4)", () => {
    const ra = revocationProcedures(rules, true)[kindOfTask('RA staff')]!
    assert.ok(ra.request.by.includes('PMA_MEMBER') && ra.verify.by.includes('PMA_MEMBER'))
    assert.equal(ra.ownRequest, undefined)
  })
})

describe('the settings of revocation', () => {
  it('are ASSUMED with their IDs of the register, all at their defaults', () => {
    const found = assumptions(settings).filter(one => one.key.startsWith('revocation.'))
    assert.ok(found.every(one => one.atDefault))
    const ids = new Set(found.map(one => one.id))
    for (const id of ['REG-A09', 'REG-A10', 'REG-A11', 'REG-A12', 'DCK-A07', 'DCK-A08']) assert.ok(ids.has(id), id)
  })

  it('take nothing that the Code fixes', () => {
    const { requesters, reasons } = settings.revocation
    const bad: Record<string, unknown>[] = [
      { requesters: { ...requesters, 'RA staff': ['RA_MANAGER'] } },
      { requesters: { ...requesters, 'Device Certificate': ['ARO'] } },
      { requesters: { ...requesters, organisation: ['NOBODY'] } },
      { reasons: { ...reasons, rejected: 'keyCompromise' } },
      { reasons: { ...reasons, replaced: 'certificateHold' } },
      { reasons: { ...reasons, 'key compromise': 'cACompromise' } },
      { reasons: { ...reasons, direction: 'keyCompromise' } },
      { defaultFlow: [] },
      { goesOn: ['NONE'] },
      { unknown: true },
    ]
    for (const one of bad) assert.equal(parse(one).success, false, JSON.stringify(one))
    assert.ok(parse({ reasons: { ...reasons, 'not needed': 'unspecified' } }).success)
    assert.ok(parse({ goesOn: [] }).success)
  })
})

it('every authority that signs a list has a schedule, and an Issuing DCA has none', () => {
  const schedules = listSchedules(settings)
  assert.equal(schedules({ pki: 'smki-device', level: 'issuing' }), undefined)
  assert.equal(schedules({ pki: 'test-tls', level: 'root' }), undefined)
  for (const pki of ['smki-organisation', 'iki', 'dccki', 's1spki-foc', 's1spki-moc']) {
    assert.equal(schedules({ pki, level: 'issuing' })?.afterRevocationHours, 1, pki)
    assert.equal(schedules({ pki, level: 'root' })?.afterRevocationHours, 24, pki)
  }
})
