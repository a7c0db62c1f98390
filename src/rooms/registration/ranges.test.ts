import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '../../ground/refusal.ts'
import { checkRanges, common, contains, type Range, readEui64, type Shared, writeEui64 } from './ranges.ts'

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (cause) {
    if (cause instanceof Refusal) return cause.code
    throw cause
  }
}
const range = (userRole: string, first: bigint, last: bigint): Range => ({ userRole, first, last })
const top = 2n ** 64n - 1n

describe('an EUI-64 of a form', () => {
  it('is read from 16 digits or 8 pairs, and written as it was', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: top }), value => {
        const text = writeEui64(value)
        assert.equal(text.length, 16)
        assert.equal(readEui64(text), value)
        assert.equal(readEui64(text.toUpperCase().match(/../g)!.join('-')), value)
      }),
    )
  })

  it('has 64 bits: what has more is told apart from what is none', () => {
    assert.equal(
      codeOf(() => readEui64('10000000000000000')),
      'EUI64_BEYOND_64_BITS',
    )
    assert.equal(
      codeOf(() => readEui64('01-00-00-00-00-00-00-00-00')),
      'EUI64_BEYOND_64_BITS',
    )
    for (const text of [
      '',
      '1',
      '90b3d51f3001000',
      '90b3d51f3001000g',
      '0x90b3d51f30010000',
      ' 90b3d51f30010000',
    ]) {
      assert.equal(
        codeOf(() => readEui64(text)),
        'EUI64_UNREADABLE',
        text,
      )
    }
  })
})

describe('ranges of one organisation', () => {
  const check = (ranges: Range[], shared: Shared[] = [], pairs: [string, string][] = []) =>
    codeOf(() => checkRanges(ranges, shared, pairs))

  it('may touch, and may fill all 64 bits', () => {
    assert.equal(check([range('IS', 0n, 99n), range('GS', 100n, top)]), undefined)
  })

  it('begin with their lower end', () => {
    assert.equal(check([range('IS', 5n, 5n)]), undefined)
    assert.equal(check([range('IS', 6n, 5n)]), 'RANGE_REVERSED')
  })

  it('are one for each User Role', () => {
    assert.equal(check([range('IS', 1n, 2n), range('IS', 5n, 6n)]), 'ROLE_TWICE')
  })

  it('overlap nowhere, by one identifier or by all', () => {
    assert.equal(check([range('IS', 0n, 10n), range('GS', 10n, 20n)]), 'RANGES_OVERLAP')
    assert.equal(check([range('IS', 0n, top), range('GS', 0n, top)]), 'RANGES_OVERLAP')
    assert.equal(check([range('IS', 0n, 10n), range('GS', 4n, 5n)]), 'RANGES_OVERLAP')
  })

  it('share what H1.5 allows, when it is recorded whole', () => {
    const both = [range('IS', 0n, 10n), range('GS', 9n, 20n)]
    const share = (...ids: bigint[]): Shared[] => ids.map(eui64 => ({ eui64, userRoles: ['IS', 'GS'] }))
    const pairs: [string, string][] = [['GS', 'IS']]
    assert.equal(check(both, share(9n, 10n), pairs), undefined)
    assert.equal(check(both, share(9n), pairs), 'RANGES_OVERLAP')
    assert.equal(check(both, share(9n, 10n)), 'SHARED_PAIR_NOT_ALLOWED')
    assert.equal(check(both, share(9n, 10n), [['IS', 'ES']]), 'SHARED_PAIR_NOT_ALLOWED')
    assert.equal(check(both, share(9n, 10n, 11n), pairs), 'SHARED_OUTSIDE_RANGES')
    assert.equal(check(both, share(9n, 10n, 10n), pairs), 'SHARED_UNFIT')
    assert.equal(check(both, [{ eui64: 9n, userRoles: ['IS'] }], pairs), 'SHARED_UNFIT')
    assert.equal(check(both, [{ eui64: 9n, userRoles: ['IS', 'ED'] }], pairs), 'SHARED_OUTSIDE_RANGES')
  })

  it('are judged as counting identifier by identifier would, whatever they are', () => {
    const small = fc.bigInt({ min: 0n, max: 12n })
    const roles = fc.constantFrom('A', 'B', 'C')
    const ranges = fc.uniqueArray(fc.record({ userRole: roles, first: small, last: small }), {
      selector: one => one.userRole,
      maxLength: 3,
    })
    const shared = fc.uniqueArray(
      fc.record({ eui64: small, userRoles: fc.uniqueArray(roles, { minLength: 2, maxLength: 3 }) }),
      { selector: one => one.eui64, maxLength: 4 },
    )
    const seen = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(ranges, shared, (all, exempt) => {
        const every: [string, string][] = [
          ['A', 'B'],
          ['B', 'C'],
          ['A', 'C'],
        ]
        // The rule, one identifier after the other: who uses it, uses it alone or is recorded as sharing it.
        const right =
          all.every(one => one.first <= one.last) &&
          exempt.every(one =>
            one.userRoles.every(role => all.some(r => r.userRole === role && contains(r, one.eui64))),
          ) &&
          Array.from({ length: 13 }, (_, i) => BigInt(i)).every(id => {
            const users = all.filter(one => contains(one, id)).map(one => one.userRole)
            const sharing = exempt.find(one => one.eui64 === id)?.userRoles ?? []
            return users.length < 2 || users.every(user => sharing.includes(user))
          })
        const accepted = check(all, exempt, every) === undefined
        seen[accepted ? 'accepted' : 'refused']++
        assert.equal(accepted, right)
      }),
      { numRuns: 2000 },
    )
    assert.ok(seen.accepted > 20 && seen.refused > 20, JSON.stringify(seen))
  })

  it('have in common what both contain', () => {
    const small = fc.bigInt({ min: 0n, max: 9n })
    fc.assert(
      fc.property(small, small, small, small, small, (a, b, c, d, id) => {
        const [x, y] = [range('A', a, b), range('B', c, d)]
        const both = common(x, y)
        assert.equal(both !== undefined && contains(both, id), contains(x, id) && contains(y, id))
      }),
    )
  })
})
