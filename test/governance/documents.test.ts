import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type DocumentDefinition, documents } from '../../src/policy/documents/document-set.ts'
import {
  addVersion,
  decideVersion,
  documentOf,
  documentsFor,
  enterDocuments,
  inForceForPublic,
  type VersionDecision,
  versionsFor,
} from '../../src/rooms/governance/documents.ts'
import { putUnderReview, recordReview, reviewsDue } from '../../src/rooms/governance/reviews.ts'
import { type Board, openBoard, refusal, secretary } from './board.ts'

describe('the register of documents', () => {
  let board: Board
  before(async () => {
    board = await openBoard()
    await enterDocuments(board.hands, secretary, documents)
  })
  after(() => board.close())

  const sha256 = (text: string) => hash('sha256', text, 'hex')
  const add = (document: string, version: string) =>
    addVersion(board.hands, secretary, {
      document,
      version,
      sha256: sha256(`${document} ${version}`),
      octets: 1000,
      mediaType: 'application/pdf',
      heldAt: `archive/${document}/${version}`,
    })
  const decide = (document: string, version: string, given: Partial<VersionDecision>) =>
    decideVersion(board.hands, secretary, {
      document,
      version,
      sha256: sha256(`${document} ${version}`),
      outcome: 'approved',
      under: { basis: 'SEC Release of 24 February 2022' },
      ...given,
    })

  it('holds every document of the table, and is not entered twice', async () => {
    assert.equal((await documentsFor(board.store, 'DCC')).length, documents.length)
    assert.deepEqual(await enterDocuments(board.hands, secretary, documents), [])
    const [first] = documents
    assert.deepEqual(await documentOf(board.store, first!.ref), first)
    const entries = (await board.journal()).filter(({ act }) => act === 'enter documents')
    assert.equal(entries.length, documents.length)
  })

  it('takes a document of a new cohort, and a change, but opens none that was confidential', async () => {
    const cps = documents.find(({ ref }) => ref === 'S1SPKI CPS FOC')!
    const added: DocumentDefinition = {
      ...cps,
      ref: 'S1SPKI CPS IOC',
      title: 'S1SPKI CPS for IOC',
      reviewMonths: 12,
    }
    assert.deepEqual(await enterDocuments(board.hands, secretary, [cps, added]), ['S1SPKI CPS IOC'])
    assert.deepEqual(await documentOf(board.store, 'S1SPKI CPS IOC'), added)
    const [due] = await reviewsDue(board.store, board.hands.clock)
    assert.deepEqual([due!.subject, due!.dueOn], ['document:S1SPKI CPS IOC', '2027-11-20'])
    const changed = { ...added, owner: 'SSC' as const }
    assert.deepEqual(await enterDocuments(board.hands, secretary, [changed]), ['S1SPKI CPS IOC'])
    const opened = enterDocuments(board.hands, secretary, [{ ...changed, kind: 'policy', confidential: false }])
    await assert.rejects(opened, refusal('DOCUMENT_STAYS_CONFIDENTIAL'))
    const open = enterDocuments(board.hands, secretary, [{ ...cps, ref: 'CPS new', confidential: false }])
    await assert.rejects(open, refusal('DOCUMENT_UNFIT'))
  })

  it('approves a CPS by a decision that covers it, and never without one', async () => {
    const draft = await add('Device CPS', '1.0')
    assert.equal(draft.state, 'draft')
    const from = '2026-12-01'
    await assert.rejects(decide('Device CPS', '1.0', { from }), refusal('APPROVAL_NEEDS_DECISION'))
    const none = decide('Device CPS', '1.0', { from, under: { decision: 'PMA/none' } })
    await assert.rejects(none, refusal('DECISION_UNKNOWN'))
    await board.decide('PMA/1', { acts: ['approve document'], subjects: ['document:IKI CPS'] })
    const other = decide('Device CPS', '1.0', { from, under: { decision: 'PMA/1' } })
    await assert.rejects(other, refusal('DECISION_NOT_COVERING'))
    await board.decide('PMA/2', { acts: ['approve document'], subjects: ['document:Device CPS'] })
    const approved = await decide('Device CPS', '1.0', { from, under: { decision: 'PMA/2' } })
    assert.deepEqual(
      [approved.state, approved.from, approved.until, approved.decision],
      ['approved', from, undefined, 'PMA/2'],
    )
    await assert.rejects(
      decide('Device CPS', '1.0', { from, under: { decision: 'PMA/2' } }),
      refusal('VERSION_DECIDED'),
    )
    const entry = (await board.journal()).findLast(({ act }) => act === 'decide version')!
    assert.deepEqual([entry.body.decision, entry.body.sha256], ['PMA/2', sha256('Device CPS 1.0')])
  })

  it('does not reject a CPS of an S1SPKI under an approval of its own kind, with the amendments directed', async () => {
    await add('S1SPKI CPS FOC', '2.0')
    await board.decide('PMA/3', { acts: ['approve document'], subjects: ['*'] })
    const given = { from: '2026-12-01', outcome: 'not rejected', amendments: 'Section 4.9.13: its header' } as const
    const wrong = decide('S1SPKI CPS FOC', '2.0', { ...given, under: { decision: 'PMA/3' } })
    await assert.rejects(wrong, refusal('DECISION_NOT_COVERING'))
    await board.decide('PMA/4', { acts: ['s1spki approval'], subjects: ['document:S1SPKI CPS FOC'] })
    const { state, amendments } = await decide('S1SPKI CPS FOC', '2.0', { ...given, under: { decision: 'PMA/4' } })
    assert.deepEqual([state, amendments], ['not rejected', given.amendments])
    // They may quote the CPS, and the journal is public.
    assert.doesNotMatch(JSON.stringify(await board.journal()), /4\.9\.13/)
  })

  it('decides on the octets that were looked at and no others', async () => {
    await add('Appendix C', '1')
    const given = decide('Appendix C', '1', { from: '2026-12-01', sha256: sha256('something else') })
    await assert.rejects(given, refusal('VERSION_UNKNOWN'))
    await assert.rejects(add('Appendix C', '1'), refusal('VERSION_EXISTS'))
    await assert.rejects(add('Appendix ZZ', '1'), refusal('DOCUMENT_UNKNOWN'))
  })

  it('ends a version where the next begins, and lets none go before another', async () => {
    for (const version of ['1', '2', '3', '4']) await add('Appendix A', version)
    await decide('Appendix A', '1', { from: '2022-02-24' })
    await decide('Appendix A', '2', { from: '2022-06-30' })
    await assert.rejects(decide('Appendix A', '3', { from: '2022-06-30' }), refusal('VERSION_ORDER'))
    await assert.rejects(decide('Appendix A', '3', { from: '2022-02-30' }), refusal('DOCUMENT_UNFIT'))
    await assert.rejects(decide('Appendix A', '3', {}), refusal('DOCUMENT_UNFIT'))
    await decide('Appendix A', '4', { outcome: 'rejected' })
    const versions = await versionsFor(board.store, 'public', 'Appendix A')
    assert.deepEqual(
      versions.map(one => [one.version, one.state, one.from, one.until]),
      [
        ['1', 'approved', '2022-02-24', '2022-06-30'],
        ['2', 'approved', '2022-06-30', undefined],
        ['3', 'draft', undefined, undefined],
        ['4', 'rejected', undefined, undefined],
      ],
    )
    const inForce = async (on: string) =>
      (await inForceForPublic(board.store, on)).find(one => one.document === 'Appendix A')?.version
    assert.equal(await inForce('2022-02-23'), undefined)
    assert.equal(await inForce('2022-06-29'), '1')
    assert.equal(await inForce('2022-06-30'), '2')
  })

  it('never shows the public a CPS, nor lets the Repository have one', async () => {
    const listed = await documentsFor(board.store, 'public')
    assert.ok(listed.length > 20)
    assert.deepEqual(
      listed.filter(one => one.kind === 'CPS' || one.confidential),
      [],
    )
    await assert.rejects(versionsFor(board.store, 'public', 'Device CPS'), refusal('DOCUMENT_CONFIDENTIAL'))
    assert.equal((await versionsFor(board.store, 'SMKI PMA', 'Device CPS')).length, 1)
    const lodged = await inForceForPublic(board.store, '2027-01-01')
    assert.ok(lodged.length > 0)
    assert.deepEqual(
      lodged.filter(one => one.document.includes('CPS')),
      [],
    )
  })
})

describe('the register of reviews', () => {
  let board: Board
  before(async () => {
    board = await openBoard('2021-12-10T09:00:00.000Z')
  })
  after(() => board.close())

  it('asks six months ahead for what is due, and counts from the last review', async () => {
    const { hands, store } = board
    await putUnderReview(hands, secretary, { subject: 'risk:DCO', everyMonths: 60, lastOn: '2021-12-10' })
    await putUnderReview(hands, secretary, {
      subject: 'document:Appendix A',
      everyMonths: 84,
      lastOn: '2021-12-10',
    })
    const states = async () =>
      (await reviewsDue(store, hands.clock)).map(one => `${one.subject} ${one.dueOn} ${one.state}`)
    assert.deepEqual(await states(), ['risk:DCO 2026-12-10 in time', 'document:Appendix A 2028-12-10 in time'])
    board.turnTo('2026-06-10T09:00:00.000Z')
    assert.equal((await states())[0], 'risk:DCO 2026-12-10 soon')
    await board.decide('PMA/7', { acts: ['risk review'], subjects: ['risk:DCO'] })
    await recordReview(hands, secretary, {
      subject: 'risk:DCO',
      on: '2026-06-09',
      words: 'The controls hold.',
      evidence: ['report 17'],
      decision: 'PMA/7',
    })
    assert.deepEqual(await states(), ['document:Appendix A 2028-12-10 in time', 'risk:DCO 2031-06-09 in time'])
    assert.equal((await board.journal()).at(-1)!.body.decision, 'PMA/7')
  })

  it('takes no review without evidence, of the future, or of what is not under review', async () => {
    const { hands } = board
    const review = { subject: 'risk:DCO', on: '2026-06-10', words: 'Seen.', evidence: ['report 18'] }
    await assert.rejects(recordReview(hands, secretary, { ...review, evidence: [] }), refusal('REVIEW_UNFIT'))
    await assert.rejects(recordReview(hands, secretary, { ...review, on: '2026-06-11' }), refusal('REVIEW_UNFIT'))
    const stranger = recordReview(hands, secretary, { ...review, subject: 'risk:nobody' })
    await assert.rejects(stranger, refusal('REVIEW_UNKNOWN'))
    const rare = putUnderReview(hands, secretary, { subject: 'risk:S1SP', everyMonths: 61, lastOn: '2026-01-01' })
    await assert.rejects(rare, refusal('REVIEW_UNFIT'))
  })
})
