/** docs/clauses.md, held against the code and the tests: what holds a clause exists, and so does the test that shows it. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

const rows = readFileSync('docs/clauses.md', 'utf8')
  .split('\n')
  .filter(line => /^\| +(\([a-d]\)|b\()/.test(line))
  .map(line => line.split('|').map(cell => cell.trim()))

/** Every clause of the Policy. */
const clauses = [
  ...['(a)', '(b)(i)', '(b)(ii)', 'b(iii)', '(c)'],
  ...['i', 'ii', 'iii', 'iv', 'v', 'vi', 'vii', 'viii', 'ix', 'x', 'xi'].map(each => `(d)(${each})`),
]

describe('the table of clauses', () => {
  it('has every clause of the Policy', () => {
    assert.deepEqual([...new Set(clauses.filter(clause => !rows.some(([, name]) => name === clause)))], [])
  })

  it('names what holds each, and a test that shows it, and both are there', () => {
    for (const [, clause, , held, shown] of rows) {
      const [, file, name] = /^`(\S+) › (\w+)`$/.exec(held!) ?? []
      assert.ok(file && existsSync(file), `${clause}: ${held}`)
      assert.match(readFileSync(file, 'utf8'), new RegExp(`export [a-z ]*\\b${name}\\b`), `${clause}: ${held}`)
      const [, test, sentence] = /^`(\S+)`: (.+)$/.exec(shown!) ?? []
      assert.ok(test && existsSync(test), `${clause}: ${shown}`)
      assert.ok(readFileSync(test, 'utf8').includes(sentence!), `${clause}: ${shown}`)
    }
    assert.ok(rows.length >= clauses.length)
  })
})
