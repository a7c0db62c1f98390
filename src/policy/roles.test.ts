import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decimalOf, numberFromOu, ouOf, roleFromDecimal, roleFromOu, roleName, roles } from './roles.ts'

describe('a Remote Party Role', () => {
  it('has one number and one name', () => {
    assert.equal(roles.length, 12)
    assert.equal(new Set(roles.map(role => role.code)).size, roles.length)
    assert.equal(new Set(roles.map(role => role.name)).size, roles.length)
  })

  it('goes into an OU as two hexadecimal digits, into XML as decimal, and comes back', () => {
    for (const { code } of roles) {
      assert.match(ouOf(code), /^[0-9A-F]{2}$/)
      assert.equal(roleFromOu(ouOf(code)), code)
      assert.equal(roleFromOu(ouOf(code).toLowerCase()), code)
      assert.equal(roleFromDecimal(decimalOf(code)), code)
    }
    assert.equal(ouOf(137), '89')
    assert.equal(ouOf(8), '08')
  })

  it('is not read from a decimal OU, from one digit, or from a number outside the table', () => {
    for (const text of ['137', '2', '', '0x', ' 02', '02\n', '09', 'FF']) assert.equal(roleFromOu(text), undefined)
    assert.equal(roleFromDecimal('9'), undefined)
    assert.equal(roleFromDecimal('7F'), undefined)
  })

  it('is shown by its name, or as unknown with its number', () => {
    assert.equal(roleName(127), 'other')
    assert.equal(roleName(numberFromOu('80')!), 'unknown(128)')
  })

  it('is never a number that two digits cannot hold', () => {
    for (const code of [-1, 256, 1.5, Number.NaN]) assert.throws(() => ouOf(code), RangeError)
  })
})
