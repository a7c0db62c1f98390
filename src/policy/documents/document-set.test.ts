import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { approvalAct, documents, documentsWith, mayRead } from './document-set.ts'
import { dueReviews } from './due.ts'

const seed = new URL('../../../../shared/seeds/003_b1fc8f731424428f.txt', import.meta.url)
const skip = existsSync(seed) ? false : 'the modification report is not at hand'

describe('the table of documents', () => {
  it('names each document once', () => {
    assert.ok(documents.length > 30)
    assert.equal(new Set(documents.map(({ ref }) => ref)).size, documents.length)
    assert.equal(new Set(documents.map(({ title }) => title)).size, documents.length)
  })

  it('has every part of the Code that the modification of the document sets touched, by its title', {
    skip,
  }, () => {
    const listed = [...readFileSync(seed, 'utf8').matchAll(/^- ((?:Section|Appendix) \w+) '(.+)'$/gm)]
    assert.equal(listed.length, 19)
    for (const [, ref, title] of listed) {
      const spelled = title!.replaceAll('CoCo', 'Code of Connection')
      assert.equal(documents.find(one => one.ref === ref)?.title, spelled)
    }
  })

  it('keeps every CPS from the public, and no environment can open one', () => {
    const statements = documents.filter(({ kind }) => kind === 'CPS')
    assert.equal(statements.length, 6)
    for (const one of statements) {
      assert.equal(mayRead('public', one), false)
      assert.equal(mayRead('Change Board', one), false)
      assert.equal(mayRead('DCC', one), true)
      assert.equal(mayRead('SMKI PMA', one), true)
    }
    assert.equal(mayRead('DCCKI PMA Functions', documents.find(({ ref }) => ref === 'DCCKI CPS')!), true)
    assert.equal(mayRead('public', documents.find(({ ref }) => ref === 'Appendix A')!), true)
  })

  it('has the SMKI PMA approve the CPSs of the SMKI and the S1SPKIs (L9, L14)', () => {
    const approved = documents.filter(({ approver, kind }) => approver === 'SMKI PMA' && kind === 'CPS')
    assert.deepEqual(
      approved.map(one => [one.ref, approvalAct(one)]),
      [
        ['Device CPS', 'approve document'],
        ['Organisation CPS', 'approve document'],
        ['IKI CPS', 'approve document'],
        ['S1SPKI CPS FOC', 's1spki approval'],
        ['S1SPKI CPS MOC', 's1spki approval'],
      ],
    )
  })

  it('may differ in an environment, in what is assumed', () => {
    const changed = documentsWith({ 'Appendix K': { sets: ['other'], approver: 'SMKI PMA', reviewMonths: 12 } })
    const { title, sets, approver, reviewMonths } = changed.find(({ ref }) => ref === 'Appendix K')!
    assert.deepEqual([title.slice(0, 4), sets, approver, reviewMonths], ['SMKI', ['other'], 'SMKI PMA', 12])
    assert.throws(() => documentsWith({ 'Appendix Z9': {} }), /no document Appendix Z9/)
  })
})

describe('a review', () => {
  const on = (day: string) => () => new Date(`${day}T12:00:00Z`)
  const risk = { subject: 'risk:DCO', everyMonths: 60, lastOn: '2021-12-10' }
  const state = (day: string) => dueReviews([risk], on(day))[0]!.state

  it('is asked for six months ahead, and overdue the day after it was due', () => {
    assert.equal(dueReviews([risk], on('2022-01-01'))[0]!.dueOn, '2026-12-10')
    assert.equal(state('2026-06-09'), 'in time')
    assert.equal(state('2026-06-10'), 'soon')
    assert.equal(state('2026-12-10'), 'soon')
    assert.equal(state('2026-12-11'), 'overdue')
  })

  it('of the risk of symmetric keys is due after five years at most, that of a document when it says', () => {
    const long = { everyMonths: 120, lastOn: '2021-12-10' }
    const due = dueReviews(
      [
        { ...long, subject: 'document:Appendix A' },
        { ...long, subject: 'risk:S1SP FOC' },
      ],
      on('2022-01-01'),
    )
    assert.deepEqual(
      due.map(({ subject, dueOn }) => [subject, dueOn]),
      [
        ['risk:S1SP FOC', '2026-12-10'],
        ['document:Appendix A', '2031-12-10'],
      ],
    )
  })
})
