/** Every case of the corpus gets its verdict, and for the reason that it is there for. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pathRefusals } from '../../src/ground/x509/path.ts'
import { allCases, corpus } from './cases.ts'
import { ask, codes } from './scene.ts'

for (const [about, cases] of Object.entries(corpus)) {
  describe(`path validation: ${about}`, () => {
    for (const one of cases) {
      it(`${one.says}: ${one.expect === 'valid' ? 'yes' : `no, ${one.expect.join(', ')}`}`, () => {
        const verdict = ask(one)
        assert.deepEqual(
          codes(verdict),
          one.expect === 'valid' ? [] : one.expect,
          JSON.stringify(verdict.refusals.map(r => r.sentence)),
        )
        assert.equal(verdict.valid, one.expect === 'valid')
      })
    }
  })
}

describe('the corpus of path validation', () => {
  it('is large, and says yes and no', () => {
    const yes = allCases.filter(({ expect }) => expect === 'valid').length
    assert.ok(allCases.length > 250, `${allCases.length} cases`)
    assert.ok(yes > 80 && allCases.length - yes > 150, `${yes} of ${allCases.length} are valid`)
    assert.equal(
      new Set(allCases.map(({ says }) => says)).size,
      allCases.length,
      'every sentence stands there once',
    )
  })

  it('meets every code but those of a target that is not read and of the linter', () => {
    const met = new Set(allCases.flatMap(({ expect }) => (expect === 'valid' ? [] : expect)))
    assert.deepEqual(
      Object.keys(pathRefusals).filter(code => !met.has(code as never)),
      ['MALFORMED', 'PROFILE'],
    )
  })
})
