import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type DeviceFacts, defaultEligibility, defaultSmiStatuses, whyNotEligible } from './device-eligibility.ts'

const mine = '02a0000000010000'
const theirs = '02a0000000ff0000'

/** One identifier, `mine`, for each of these User Roles. */
const judge = (userRoles: string[], device: DeviceFacts | undefined, rows = defaultEligibility) =>
  whyNotEligible(
    rows,
    defaultSmiStatuses,
    { userRoles, owns: (role, id) => userRoles.includes(role) && id === mine },
    device,
  )

const device = (type: string, smiStatus: string, responsible: Record<string, string> = {}): DeviceFacts => ({
  type,
  smiStatus,
  responsible,
})
const closed = ['installed not commissioned', 'commissioned']

describe('eligibility for Device Certificates (L3.16)', () => {
  it('for a Communications Hub is the DCC’s alone, in any status', () => {
    for (const type of ['CHF', 'GPF']) {
      for (const status of defaultSmiStatuses) {
        assert.equal(judge(['DCC'], device(type, status)), undefined)
        assert.equal(judge(['IS', 'GS'], device(type, status, { IS: mine, GS: mine })), 'IN:GG4')
      }
    }
  })

  it('for a meter is its Responsible Supplier’s in any status', () => {
    for (const [type, role] of [
      ['ESME', 'IS'],
      ['GSME', 'GS'],
    ] as const) {
      for (const status of defaultSmiStatuses)
        assert.equal(judge([role], device(type, status, { [role]: mine })), undefined)
      assert.equal(judge([role], device(type, 'commissioned', { [role]: theirs })), 'IN:GG3')
      assert.equal(judge([role], device(type, 'commissioned')), 'IN:GG3')
    }
  })

  it('for a meter is not that of the supplier of the other fuel', () => {
    assert.equal(judge(['GS'], device('ESME', 'commissioned', { IS: theirs, GS: mine })), 'IN:GG2')
    assert.equal(judge(['IS', 'GS'], device('ESME', 'commissioned', { IS: theirs, GS: mine })), 'IN:GG3')
  })

  it('for a Type 1 Device is that of either supplier of its meters', () => {
    for (const type of ['PPMID', 'HCALCS']) {
      assert.equal(judge(['IS'], device(type, 'commissioned', { IS: mine, GS: theirs })), undefined)
      assert.equal(judge(['GS'], device(type, 'commissioned', { IS: theirs, GS: mine })), undefined)
      assert.equal(judge(['IS'], device(type, 'commissioned', { IS: theirs, GS: theirs })), 'IN:GG3')
    }
  })

  it('for any other Subscriber ends when the Device is installed', () => {
    for (const type of ['ESME', 'GSME', 'PPMID', 'HCALCS']) {
      for (const status of defaultSmiStatuses) {
        const expected = closed.includes(status) ? 'IN:GG2' : undefined
        assert.equal(judge(['OU'], device(type, status, { IS: theirs })), expected, `${type} ${status}`)
        assert.equal(judge([], device(type, status, { IS: theirs })), expected)
      }
    }
  })

  it('is open for a Device that the inventory does not know: it counts as not installed', () => {
    assert.equal(judge(['OU'], undefined), undefined)
    assert.equal(judge([], undefined), undefined)
  })

  it('is nobody’s for a type that no row names', () => {
    assert.equal(judge(['IS', 'DCC'], device('IHD', 'pending', { IS: mine })), 'IN:GG4')
  })

  it('is not opened by a status that is misspelt', () => {
    assert.equal(judge(['OU'], device('ESME', 'Commissioned')), 'IN:GG2')
  })

  it('follows the rows of an environment', () => {
    const rows = [{ deviceTypes: ['ESME'], userRoles: ['ES'] }]
    assert.equal(judge(['ES'], device('ESME', 'commissioned'), rows), undefined)
    assert.equal(judge(['IS'], device('ESME', 'commissioned', { IS: mine }), rows), 'IN:GG4')
  })
})
