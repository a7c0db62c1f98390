import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codes, configuredCodes } from './codes.ts'

const prefixes: Record<string, string> = {
  UNKNOWN_DEVICE: 'UD:',
  ISSUANCE_ANOMALY: 'CA:',
  INELIGIBLE: 'IN:',
  CSR_ERROR: 'CR:',
  CA_ERROR: 'CA:',
  FORMAT_ERROR: 'FM:',
  WORKFLOW_ERROR: 'WF:',
}

describe('the table of error codes', () => {
  it('gives each row its own code, with the prefix of its status, in the form that the schema wants', () => {
    const rows = Object.entries(codes)
    assert.equal(rows.length, 23)
    for (const [name, { status, code, text }] of rows) {
      assert.equal(code, name)
      assert.match(code, /^[A-Z]{2}:[A-Za-z0-9]{1,7}$/)
      assert.ok(code.startsWith(prefixes[status]!), code)
      assert.match(text, /^[A-Z].*[^.]$/)
    }
  })

  it('marks as assumed what SEC Appendix M does not print', () => {
    const printed = Object.values(codes).filter(row => !('assumed' in row))
    assert.deepEqual(
      printed.map(({ code }) => code),
      ['FM:AA1', 'FM:AA2', 'FM:AA3', 'WF:BB1', 'WF:BB2', 'CR:CC1', 'CR:9999'],
    )
  })

  it('takes the values of an environment for assumed rows, and keeps the others', () => {
    const table = configuredCodes({
      'CA:EE1': { code: 'CA:0100', text: 'Too many' },
      'UD:DD1': { text: 'Unknown' },
    })
    assert.deepEqual(table['CA:EE1'], {
      status: 'ISSUANCE_ANOMALY',
      code: 'CA:0100',
      text: 'Too many',
      assumed: 'SVC-A05',
    })
    assert.equal(table['UD:DD1'].code, 'UD:DD1')
    assert.equal(table['CR:CC2'], codes['CR:CC2'])
    assert.deepEqual(configuredCodes(), codes)
  })

  it('refuses values for printed or unknown rows, and codes that the schema would refuse', () => {
    assert.throws(() => configuredCodes({ 'FM:AA1': { text: 'no' } }), RangeError)
    assert.throws(() => configuredCodes({ toString: { text: 'no' } }), RangeError)
    assert.throws(() => configuredCodes({ 'XX:11': { text: 'no' } }), RangeError)
    for (const code of ['', 'UD', 'ud:1', 'UD:', 'UD:12345678', 'UD:a-b']) {
      assert.throws(() => configuredCodes({ 'UD:DD1': { code } }), RangeError)
    }
  })
})
