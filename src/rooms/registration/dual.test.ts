import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Procedure, type StepName, stepOrder } from '../../policy/registration/procedure.ts'
import { type Candidate, type CountedStep, dueStep, whyNot } from './dual.ts'

const step = (count: number) => ({ by: ['RA_MANAGER', 'RA_PERSONNEL'] as const, count, evidence: [] })
const procedure = (counts: [number, number, number], apart: Procedure['apart']): Procedure => ({
  says: 'a thing is done',
  where: 'the test',
  request: step(counts[0]),
  verify: step(counts[1]),
  approve: step(counts[2]),
  apart,
})
const twoPersons: Procedure['apart'] = [
  ['request', 'approve'],
  ['verify', 'approve'],
]
const by = (person: number): Candidate => ({ person, through: undefined, as: 'RA_MANAGER', party: undefined })

describe('dual control', () => {
  it('asks for as many different people as the procedure says', () => {
    const two = procedure([1, 2, 1], twoPersons)
    const steps: CountedStep[] = [
      { step: 'request', people: [1] },
      { step: 'verify', people: [2] },
    ]
    const matter = { party: undefined, people: [], steps }
    assert.equal(dueStep(two, steps), 'verify')
    assert.equal(whyNot(two, matter, 'verify', by(2))?.code, 'TWO_PERSON_RULE')
    assert.equal(whyNot(two, matter, 'verify', by(3)), undefined)
    assert.equal(whyNot(two, matter, 'approve', by(3))?.code, 'STEP_NOT_DUE')
  })

  it('can be off (REG-A01), and then one person may do every step, but nothing about himself', () => {
    const off = procedure([1, 1, 1], [])
    const steps: CountedStep[] = [
      { step: 'request', people: [1] },
      { step: 'verify', people: [1] },
    ]
    assert.equal(whyNot(off, { party: undefined, people: [], steps }, 'approve', by(1)), undefined)
    assert.equal(whyNot(off, { party: undefined, people: [1], steps }, 'approve', by(1))?.code, 'OWN_AFFAIRS')
  })

  it('has verification and approval in person, and requests also on paper', () => {
    const rule = procedure([1, 1, 1], twoPersons)
    const recorded = { ...by(1), through: 9 }
    const matter = (...steps: CountedStep[]) => ({ party: undefined, people: [], steps })
    assert.equal(whyNot(rule, matter(), 'request', recorded), undefined)
    const requested: CountedStep = { step: 'request', people: [2] }
    assert.equal(whyNot(rule, matter(requested), 'verify', recorded)?.code, 'IN_PERSON')
    assert.equal(
      whyNot(rule, matter(requested, { step: 'verify', people: [3] }), 'approve', recorded)?.code,
      'IN_PERSON',
    )
    assert.equal(whyNot(rule, matter(requested), 'refuse', recorded)?.code, 'IN_PERSON')
  })

  it('never lets one person have a hand in two steps that are apart, nor anybody concerned in any, whoever tries what', () => {
    const attempt = fc.record({
      step: fc.constantFrom(...stepOrder),
      person: fc.nat(7),
      through: fc.oneof({ arbitrary: fc.constant(undefined), weight: 4 }, { arbitrary: fc.nat(7), weight: 1 }),
      as: fc.constantFrom('RA_MANAGER' as const, 'RA_PERSONNEL' as const, 'SRO' as const),
    })
    const count = fc.integer({ min: 1, max: 2 })
    let decided = 0
    fc.assert(
      fc.property(
        fc.tuple(count, count, count),
        fc.nat(7),
        fc.array(attempt, { minLength: 20, maxLength: 60, size: 'max' }),
        (counts, about, tries) => {
          const rule = procedure(counts, twoPersons)
          const withOrganisation: Procedure = {
            ...rule,
            request: { ...rule.request, by: [...rule.request.by, 'SRO'] },
          }
          const steps: CountedStep[] = []
          for (const one of tries) {
            const candidate: Candidate = { ...one, party: one.as === 'SRO' ? 1 : undefined }
            if (whyNot(withOrganisation, { party: 1, people: [about], steps }, one.step, candidate)) continue
            steps.push({
              step: one.step,
              people: [one.person, ...(one.through === undefined ? [] : [one.through])],
            })
          }
          const hands = (name: StepName) => steps.filter(one => one.step === name).flatMap(one => one.people)
          for (const person of [0, 1, 2, 3, 4, 5, 6, 7]) {
            const did = stepOrder.filter(name => hands(name).includes(person))
            if (did.includes('approve')) assert.deepEqual(did, ['approve'])
            assert.ok(person !== about || did.length === 0)
          }
          for (const name of stepOrder) {
            const taken = steps.filter(one => one.step === name)
            assert.ok(taken.length <= rule[name].count)
            const everyone = taken.flatMap(one => [...new Set(one.people)])
            assert.equal(new Set(everyone).size, everyone.length)
          }
          if (dueStep(rule, steps) === undefined) decided++
        },
      ),
      { numRuns: 500 },
    )
    assert.ok(decided > 5, `${decided} were decided`)
  })
})
