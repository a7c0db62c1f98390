import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { markdown } from '../../src/policy/documents/blocks.ts'
import { fromWords, inWords } from '../../src/policy/documents/day.ts'
import { modificationFindings } from '../../src/policy/documents/modification/checks.ts'
import type { NewModificationEvent } from '../../src/policy/documents/modification/events.ts'
import { cutOffOf, releaseFor } from '../../src/policy/documents/modification/release.ts'
import { modificationReport } from '../../src/policy/documents/modification/report.ts'
import { enterModification, modificationFrom, raiseModification } from '../../src/rooms/governance/modifications.ts'
import { type Board, openBoard, refusal, secretary } from './board.ts'
import { mp173 } from './fixtures/mp173.ts'

const seed = new URL('../../../shared/seeds/003_b1fc8f731424428f.txt', import.meta.url)
const skip = existsSync(seed) ? false : 'the modification report is not at hand'

describe('a release', () => {
  const releases = [
    { on: '2022-06-30', decidedBy: '2022-06-16' },
    { on: '2022-02-24', decidedBy: '2022-02-10' },
  ]

  it('is cut off ten Working Days before it, as both of MP173 are', () => {
    for (const { on, decidedBy } of releases) assert.equal(cutOffOf(on), decidedBy)
    assert.equal(cutOffOf('2022-06-10'), '2022-05-25', 'two bank holidays in June lie between')
  })

  it('is the earliest whose cut-off the decision meets', () => {
    assert.equal(releaseFor('2022-01-20', releases)?.on, '2022-02-24')
    assert.equal(releaseFor('2022-02-10', releases)?.on, '2022-02-24')
    assert.equal(releaseFor('2022-02-11', releases)?.on, '2022-06-30')
    assert.equal(releaseFor('2022-06-16', releases)?.on, '2022-06-30')
    assert.equal(releaseFor('2022-06-17', releases), undefined)
  })
})

describe('a modification', () => {
  let board: Board
  before(async () => {
    board = await openBoard('2022-03-01T09:00:00.000Z')
    await run('MP173', mp173)
  })
  after(() => board.close())

  const enter = (ref: string, event: NewModificationEvent) => enterModification(board.hands, secretary, ref, event)
  async function run(ref: string, [raised, ...events]: readonly NewModificationEvent[]) {
    await raiseModification(board.hands, secretary, ref, raised!)
    for (const event of events) await enter(ref, event)
  }
  const consult = { step: 'consultReport', on: '2021-12-06', closesOn: '2022-01-07' } as const
  const vote = { step: 'vote', on: '2022-01-20', outcome: 'approved', words: 'Self-Governance' } as const

  it('reports the facts of the Modification Report of MP173', { skip }, async () => {
    const published = readFileSync(seed, 'utf8')
    const report = markdown(modificationReport('MP173', (await modificationFrom(board.store, 'MP173'))!))

    const table = published.slice(published.indexOf('Event/Action'), published.lastIndexOf('Appendix 2: Glossary'))
    const dates = [...table.matchAll(/\d{1,2} [A-Z][a-z]{2} \d{4}/g)].map(([one]) => inWords(fromWords(one)!))
    assert.equal(dates.length, 9)
    for (const date of dates) assert.ok(report.includes(date), date)

    const documents = [...published.matchAll(/^- ((?:Section|Appendix) [A-Z]+) '/gm)].map(([, ref]) => ref!)
    assert.equal(documents.length, 19)
    for (const ref of documents) assert.ok(report.includes(`\n- ${ref}\n`), ref)

    const impacted = published.slice(published.indexOf('SEC Party Categories'), published.indexOf('DCC impacts'))
    assert.match(impacted, /✓\tDCC/)
    assert.ok(report.includes('| DCC | yes |') && report.includes('| Large Suppliers | no |'))
    assert.ok(published.includes('£1,200') && report.includes('£1,200'))
    assert.ok(
      report.includes('24 February 2022, if a decision to approve is received on or before 10 February 2022'),
    )
    assert.ok(report.includes('received after 10 February 2022 but on or before 16 June 2022'))
    assert.ok(report.includes("# MP173 'SMKI & DCCKI Document Set reviews' Modification Report"))
    assert.ok(report.includes('| Appendix D, 2 | inconsistency | drafting withdrawn |'))
    assert.equal(report.match(/\| neutral \|/g)?.length, 5)
  })

  it('is found to name documents that its issue does not, and to leave two observations unresolved', async () => {
    const findings = modificationFindings((await modificationFrom(board.store, 'MP173'))!)
    assert.deepEqual(
      findings.map(({ check, says }) => `${check}: ${says}`),
      [
        'documents: impacted, but not named by the issue: Section L, Appendix J, Appendix K, Appendix O, Appendix P, Appendix X',
        'observations: Appendix L, 5 is unresolved',
        'observations: Appendix L, 11 is unresolved',
      ],
    )
  })

  it('goes from vote to release, and is found to be in the wrong one', async () => {
    await run('MP174', mp173)
    for (const event of [consult, vote]) await enter('MP174', event)
    const released = await enter('MP174', { step: 'release', on: '2022-06-30', name: 'June 2022 SEC Release' })
    assert.equal(released.state, 'released')
    const wrong = modificationFindings(released).filter(({ check }) => check === 'release')
    assert.deepEqual(
      wrong.map(({ says }) => says),
      ['decided on 20 January 2022 it belongs to the release of 24 February 2022, not 30 June 2022'],
    )
    const inTime = { ...released, released: { ...released.released!, on: '2022-02-24' } }
    assert.ok(!modificationFindings(inTime).some(({ check }) => check === 'release'))
    assert.equal(modificationFindings(inTime, 5).filter(({ check }) => check === 'release').length, 2)
    const early = { ...inTime, vote: { ...vote, on: '2021-12-20' } }
    assert.match(
      modificationFindings(early)[0]!.says,
      /Change Board Vote on 20 December 2021, but .*Consultation closed/,
    )
  })

  it('is rejected for good', async () => {
    await run('MP175', mp173)
    await enter('MP175', consult)
    assert.equal((await enter('MP175', { ...vote, outcome: 'rejected' })).state, 'rejected')
    const release = enter('MP175', { step: 'release', on: '2022-02-24', name: 'February 2022 SEC Release' })
    await assert.rejects(release, refusal('MODIFICATION_STEP'))
  })

  it('takes no step before the one that it follows, and none that is not whole', async () => {
    const [raised, presented] = mp173
    const find = (step: string) => mp173.find(one => one.step === step)!
    await assert.rejects(
      raiseModification(board.hands, secretary, 'MP176', presented!),
      refusal('MODIFICATION_STEP'),
    )
    await raiseModification(board.hands, secretary, 'MP176', raised!)
    await assert.rejects(enter('MP176', find('convert')), refusal('MODIFICATION_STEP'))
    await assert.rejects(enter('MP176', find('respond')), refusal('MODIFICATION_STEP'))
    await enter('MP176', presented!)
    await enter('MP176', find('convert'))
    // The report lacks its parts.
    await assert.rejects(enter('MP176', find('approveReport')), refusal('MODIFICATION_STEP'))
    await assert.rejects(enter('MP176', vote), refusal('MODIFICATION_STEP'))
    const unfit = { ...find('consultText'), on: '2021-10-32' } as NewModificationEvent
    await assert.rejects(enter('MP176', unfit), refusal('MODIFICATION_UNFIT'))
    const again = raiseModification(board.hands, secretary, 'MP173', raised!)
    await assert.rejects(again, refusal('MODIFICATION_EXISTS'))
    await assert.rejects(enter('MP0', vote), refusal('MODIFICATION_UNKNOWN'))
  })
})
