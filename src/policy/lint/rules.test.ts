import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bad } from '../../../test/lint/broken.ts'
import { boxedIssuer, cert, type File, good, idsOf, issuerOf, judged } from '../../../test/lint/files.ts'
import { issuingOca } from '../../../test/lint/forge.ts'
import { type Kind, knownKinds } from './kind.ts'
import { rules } from './rules.ts'

describe('every rule', () => {
  it('has a name of its own, and a file that breaks it', () => {
    const names = rules.map(rule => rule.id)
    assert.ok(names.length > 100, `${names.length} rules`)
    assert.equal(new Set(names).size, names.length)
    assert.deepEqual(Object.keys(bad).toSorted(), names.toSorted())
    for (const { id, says, clause, kinds } of rules) {
      assert.match(id, /^[a-z0-9]+(_[a-z0-9]+)*$/)
      assert.ok(kinds.length > 0 && !/[|\n]/.test(says + clause), id)
    }
  })

  for (const [rule, [make, ...also]] of Object.entries(bad)) {
    it(`${rule} is named where it is broken, and nothing is named beside it`, () => {
      assert.deepEqual(idsOf(make()).toSorted(), [rule, ...also].toSorted())
    })
  }

  it('holds on some good file, where it had something to look at', () => {
    const held = new Set<string>()
    const files: [Kind, File][] = knownKinds.map(kind => [kind, good(kind)])
    // With an issuer, and in the name of an organisation: rules that are silent on the rest.
    files.push(['organisation', cert('organisation', t => t, { issuer: issuerOf(issuingOca) })])
    files.push(['device', cert('device', t => ({ ...t, issuer: boxedIssuer }))])
    for (const [kind, file] of files) {
      for (const [rule, answer] of judged(file, kind)) if (answer === true) held.add(rule.id)
    }
    assert.deepEqual(
      rules.map(rule => rule.id).filter(id => !held.has(id)),
      [],
    )
  })
})
