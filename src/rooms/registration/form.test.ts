import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { entry, readEntry } from '../../ground/journal/entry.ts'
import { Refusal } from '../../ground/refusal.ts'
import { settingsSchema } from '../../policy/settings.ts'
import { checkForm, formBody, type OrganisationForm } from './form.ts'

const rules = (changes: Record<string, unknown> = {}) =>
  settingsSchema.parse({ environment: 'form', kind: 'test', registration: changes }).registration

const form: OrganisationForm = {
  kind: 'party',
  legalName: 'Acme Limited',
  tradingName: 'Acme',
  identifier: 'SEC-1',
  companyNumber: '1',
  address: '1 Test Street',
  contactNumber: '+44 1632 960001',
  userRoles: [
    { userRole: 'IS', first: '02-A0-00-00-00-01-00-00', last: '02A000000001FFFF' },
    { userRole: 'GS', first: '02a0000000020000', last: '02a000000002ffff' },
  ],
  declaration: { reference: 'form 1', signedOn: '2026-11-18' },
}

const codeOf = (changes: Partial<OrganisationForm>, settings = rules()) => {
  try {
    checkForm({ ...form, ...changes }, settings)
    return undefined
  } catch (cause) {
    if (cause instanceof Refusal) return cause.code
    throw cause
  }
}

describe('an Organisation Information Form', () => {
  it('is kept with its identifiers in one form, and can stand in a journal entry', () => {
    const body = formBody(checkForm(form, rules()))
    assert.deepEqual(body.userRoles, [
      { userRole: 'IS', first: '02a0000000010000', last: '02a000000001ffff' },
      { userRole: 'GS', first: '02a0000000020000', last: '02a000000002ffff' },
    ])
    assert.deepEqual(readEntry(entry('form', new Date(0), { form: body })).body.form, body)
  })

  it('has the fields that the settings ask for (REG-A03), and a trading name always', () => {
    for (const field of [
      'legalName',
      'tradingName',
      'identifier',
      'companyNumber',
      'address',
      'contactNumber',
      'declaration',
    ]) {
      assert.equal(codeOf({ [field]: undefined }), 'FORM_INCOMPLETE', field)
    }
    const few = rules({ formFields: ['legalName'] })
    assert.equal(codeOf({ companyNumber: undefined, declaration: undefined }, few), undefined)
    assert.equal(codeOf({ tradingName: '' }, few), 'FORM_INCOMPLETE')
  })

  it('is short text of people', () => {
    assert.equal(codeOf({ address: 'x'.repeat(201) }), 'FORM_UNFIT')
    assert.equal(codeOf({ legalName: 'Acme\u001b[2J' }), 'FORM_UNFIT')
    assert.equal(codeOf({ legalName: '\ud800' }), 'FORM_UNFIT')
    assert.equal(codeOf({ legalName: 7 as unknown as string }), 'FORM_UNFIT')
    assert.equal(codeOf({ kind: 'other' as 'party' }), 'FORM_UNFIT')
    assert.equal(codeOf({ declaration: { reference: 'form 1', signedOn: '18/11/2026' } }), 'FORM_UNFIT')
  })

  it('names User Roles that there are, and that such an organisation may hold', () => {
    const one = (userRole: string) => ({ userRoles: [{ ...form.userRoles[0]!, userRole }] })
    assert.equal(codeOf(one('XX')), 'ROLE_UNKNOWN')
    assert.equal(codeOf(one('toString')), 'ROLE_UNKNOWN')
    assert.equal(codeOf(one('DCC')), 'ROLE_NOT_FOR_ORGANISATION')
    assert.equal(codeOf({ ...one('DCC'), kind: 'dcc' }), undefined)
    assert.equal(codeOf({ userRoles: [] }), undefined)
  })

  it('keeps the rules of ranges', () => {
    const [is, gs] = form.userRoles
    assert.equal(codeOf({ userRoles: [{ ...is!, first: is!.last, last: is!.first }] }), 'RANGE_REVERSED')
    assert.equal(codeOf({ userRoles: [is!, { ...gs!, userRole: 'IS' }] }), 'ROLE_TWICE')
    assert.equal(codeOf({ userRoles: [is!, { ...gs!, first: is!.last }] }), 'RANGES_OVERLAP')
    assert.equal(codeOf({ userRoles: [{ ...is!, last: '1'.padEnd(17, '0') }] }), 'EUI64_BEYOND_64_BITS')
    const shared = [{ eui64: is!.last, userRoles: ['IS', 'GS'] }]
    const both = { userRoles: [is!, { ...gs!, first: is!.last }], shared }
    assert.equal(codeOf(both), 'SHARED_PAIR_NOT_ALLOWED')
    assert.equal(codeOf(both, rules({ sharedRoles: [['IS', 'GS']] })), undefined)
  })
})
