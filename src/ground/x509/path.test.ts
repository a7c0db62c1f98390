import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { allCases } from '../../../test/verify/cases.ts'
import { extensions as ext } from '../../../test/verify/forge.ts'
import { dice, scramble, spoil } from '../../../test/verify/mutants.ts'
import { ask, type Case, ca, ica, keys, leaf, list, root } from '../../../test/verify/scene.ts'
import { NotDer } from '../der/read.ts'
import { readCertificate } from './certificate.ts'
import { readList } from './list.ts'
import { type Finding, pathRefusals, type Reliance, relyingParty, validate } from './path.ts'

const at = new Date('2025-06-01T00:00:00Z')
const target = leaf(keys.leaf, ica)
const reliance: Reliance = {
  trust: [readCertificate(root.der)],
  untrusted: [readCertificate(ica.der)],
  profile: 'rfc5280',
}

/** What can be read of octets that may be anything. */
function readable<T>(reader: (octets: Uint8Array) => T, all: readonly Uint8Array[]): T[] {
  return all.flatMap(octets => {
    try {
      return [reader(octets)]
    } catch (cause) {
      if (cause instanceof NotDer) return []
      throw cause
    }
  })
}

describe('a verdict', () => {
  it('is yes exactly when there is no refusal, and then its path ends at an anchor', () => {
    for (const one of allCases) {
      const { valid, refusals, path } = ask(one)
      assert.equal(valid, refusals.length === 0, one.says)
      for (const { code, sentence } of refusals) {
        assert.ok(code in pathRefusals)
        assert.ok(sentence.length > 10)
      }
      if (!valid) continue
      assert.ok(
        one.trust.some(der => Buffer.from(der).equals(path.at(-1)!.der)),
        one.says,
      )
      assert.ok(Buffer.from(one.target).equals(path[0]!.der), one.says)
      assert.equal(new Set(path).size, path.length)
    }
  })

  it('does not depend on the order of what was given', () => {
    for (const one of allCases) {
      const turned: Case = {
        ...one,
        trust: one.trust.toReversed(),
        untrusted: (one.untrusted ?? []).toReversed(),
        ...(one.lists && { lists: one.lists.toReversed() }),
      }
      assert.equal(ask(turned).valid, ask(one).valid, one.says)
    }
  })

  it('does not become no by more certificates in between, or yes by fewer anchors', () => {
    const crowd = [
      ca('Issuing', keys.other, root),
      ca('Root', keys.other),
      ca('Issuing', keys.ica, root, { until: '2021-01-01' }),
    ]
    for (const one of allCases) {
      const { valid } = ask(one)
      const more = { ...one, untrusted: [...crowd.map(({ der }) => der), ...(one.untrusted ?? [])] }
      if (valid) assert.ok(ask(more).valid, one.says)
      assert.equal(ask({ ...one, trust: [] }).valid, false, one.says)
    }
  })

  it('never becomes yes because revocation is asked for', () => {
    for (const one of allCases) {
      const { lists: _, ...without } = one
      if (!ask(without).valid) assert.equal(ask(one).valid, false, one.says)
    }
  })

  it('says whether revocation was checked', () => {
    const lists = [root, ica].map(by => readList(list(by)))
    const state = (given: Reliance['lists']) => validate({ ...reliance, target, at, lists: given }).revocation
    assert.equal(state(undefined), 'not checked')
    assert.equal(state(lists), 'checked')
    assert.equal(state(lists.slice(1)), 'partly')
    assert.equal(state([]), 'partly')
  })

  it('names what is wrong with octets that are no certificate', () => {
    const { valid, refusals, path } = validate({ ...reliance, target: target.subarray(1), at })
    assert.deepEqual([valid, path], [false, []])
    assert.deepEqual(
      refusals.map(({ code }) => code),
      ['MALFORMED'],
    )
    assert.match(refusals[0]!.sentence, /the certificate has the tag 82, not 30 \(at octet 0\)/)
  })

  it('shows the path that came nearest', () => {
    const expired = readCertificate(ca('Issuing', keys.ica, root, { until: '2021-01-01' }).der)
    const other = readCertificate(ca('Issuing', keys.other, root).der)
    const { path, refusals } = validate({ ...reliance, untrusted: [other, expired], target, at })
    assert.deepEqual(path.slice(1), [expired, reliance.trust[0]])
    assert.deepEqual(
      refusals.map(({ code, certificate }) => [code, certificate]),
      [['EXPIRED', expired]],
    )
  })
})

describe('a refusal', () => {
  it('blames the certificate at which no policy is left', () => {
    const below = ca('Issuing', keys.ica, root, { extra: [ext.policies('1.2.3.2')] })
    const world = { ...reliance, untrusted: [readCertificate(below.der)], acceptedPolicies: ['1.2.3.1'] }
    const blamed = (policy: string) =>
      validate({ ...world, target: leaf(keys.leaf, below, { extra: [ext.policies(policy)] }), at }).refusals
    assert.deepEqual(
      blamed('1.2.3.2').map(({ certificate }) => certificate?.subject.der),
      [readCertificate(target).subject.der],
    )
    const none = validate({ ...reliance, target, at, acceptedPolicies: ['1.2.3.1'] }).refusals
    assert.deepEqual(
      none.map(({ certificate }) => certificate),
      [reliance.untrusted![0]],
    )
  })
})

describe('a moment', () => {
  it('is floored to the second, as certificates know seconds only', () => {
    const until = (ms: number) =>
      validate({
        ...reliance,
        target: leaf(keys.leaf, ica, { until: '2025-06-01' }),
        at: new Date(at.getTime() + ms),
      })
    assert.ok(until(999).valid)
    assert.ok(!until(1000).valid)
    const from = (ms: number) =>
      validate({
        ...reliance,
        target: leaf(keys.leaf, ica, { from: '2025-06-01T00:00:01' }),
        at: new Date(at.getTime() + ms),
      })
    assert.ok(!from(999).valid)
    assert.ok(from(1000).valid)
  })

  it('that is no date is a fault of the one who asks, not a yes', () => {
    assert.throws(() => validate({ ...reliance, target, at: new Date('never') }), RangeError)
  })
})

describe('the rules of a profile', () => {
  const finding = (severity: Finding['severity']): Finding => ({ rule: 'a_rule', severity, sentence: 'odd' })

  it('refuse by an error and note the rest, at every place of the path', () => {
    const asked: string[] = []
    const gb = (_: unknown, place: string) => {
      asked.push(place)
      return place === 'ca' ? [finding('error')] : [finding('warning')]
    }
    const { valid, refusals, notes } = validate({ ...reliance, profile: 'gb', gb, target, at })
    assert.deepEqual(asked.toSorted(), ['anchor', 'ca', 'target'])
    assert.equal(valid, false)
    assert.deepEqual(
      refusals.map(({ code, sentence }) => [code, sentence]),
      [['PROFILE', 'CN=Issuing: odd [a_rule]']],
    )
    assert.deepEqual(notes.slice(0, 2), ['CN=leaf: odd [a_rule]', 'CN=Root: odd [a_rule]'])
  })

  it('are not asked under rfc5280', () => {
    assert.ok(validate({ ...reliance, gb: () => [finding('error')], target, at }).valid)
  })
})

describe('a relying party', () => {
  it('answers the second time as the first', () => {
    const answer = relyingParty({ ...reliance, lists: [root, ica].map(by => readList(list(by))) })
    for (let i = 0; i < 3; i++) {
      assert.ok(answer(target, at).valid)
      assert.ok(!answer(leaf(keys.leaf, ica, { by: keys.other }), at).valid)
      assert.ok(!answer(target, new Date('2050-01-01')).valid)
    }
  })

  it('holds thousands of targets against a list of 50,000 entries in seconds', () => {
    const revoked = Array.from({ length: 50_000 }, (_, i) => ({ serial: 1_000_000 + i, reason: 1 }))
    const lists = [list(root), list(ica, { revoked })].map(readList)
    const answer = relyingParty({ ...reliance, lists })
    const begun = performance.now()
    const certificate = readCertificate(target)
    for (let i = 0; i < 3000; i++) assert.ok(answer(certificate, at).valid)
    assert.ok(performance.now() - begun < 20_000)
  })
})

describe('whatever the octets', () => {
  it('of the target are, there is a verdict', () => {
    const answer = relyingParty(reliance)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), octets => {
        assert.equal(answer(octets, at).valid, false)
      }),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(fc.nat(), seed => {
        const spoilt = spoil(dice(seed), target)
        assert.equal(answer(spoilt, 'ignore').valid, spoilt.equals(target))
      }),
      { numRuns: 2000 },
    )
  })

  it('of anchors, certificates between and lists are, there is a verdict', () => {
    fc.assert(
      fc.property(fc.nat(), seed => {
        const roll = dice(seed)
        const { setting, targets } = scramble(roll, 1)
        const some = (octets: Uint8Array) => (roll(2) === 0 ? octets : spoil(roll, octets))
        const { valid, refusals } = validate({
          target: some(targets[0]!),
          trust: readable(readCertificate, setting.trust.map(some)),
          untrusted: readable(readCertificate, (setting.untrusted ?? []).map(some)),
          lists: readable(readList, (setting.lists ?? [list(ica)]).map(some)),
          at: roll(2) === 0 ? at : 'ignore',
          profile: roll(2) === 0 ? 'gb' : 'rfc5280',
          acceptedPolicies: setting.policies,
        })
        assert.equal(valid, refusals.length === 0)
      }),
      { numRuns: 1000 },
    )
  })

  it('of any extension are, there is a verdict', () => {
    const values = fc.uint8Array({ maxLength: 40 })
    const known = ['14', '15', '17', '19', '30', '32', '33', '35', '36', '37', '54'].map(arc => `2.5.29.${arc}`)
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.boolean(), values, (id, critical, value) => {
        const odd = { extra: [ext.unknown(false)], extensions: [ext.any(id, critical, value)] }
        const below = ca('Issuing', keys.ica, root, odd)
        const { valid } = validate({ ...reliance, untrusted: [readCertificate(below.der)], target, at })
        assert.equal(valid, false)
        validate({ ...reliance, target: leaf(keys.leaf, ica, odd), at })
      }),
      { numRuns: 500 },
    )
  })
})
