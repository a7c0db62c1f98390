import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { html, markdown } from '../../src/policy/documents/blocks.ts'
import { fromWords, inWords } from '../../src/policy/documents/day.ts'
import { findingsOf } from '../../src/policy/documents/development/checks.ts'
import type { NewDevelopmentEvent } from '../../src/policy/documents/development/events.ts'
import { conclusionsReport } from '../../src/policy/documents/development/report.ts'
import { documents } from '../../src/policy/documents/document-set.ts'
import { beginDevelopment, developmentFrom, enterDevelopment } from '../../src/rooms/governance/developments.ts'
import { addVersion, enterDocuments, versionsFor } from '../../src/rooms/governance/documents.ts'
import { type Board, openBoard, refusal, secretary } from './board.ts'
import { ckmp } from './fixtures/ckmp.ts'
import { foc } from './fixtures/foc.ts'

const seeds = new URL('../../../shared/seeds/', import.meta.url)
const skip = existsSync(seeds) ? false : 'the published reports are not at hand'
const seed = (name: string) => readFileSync(new URL(name, seeds), 'utf8').replace(/\s+/g, ' ')
const datesIn = (text: string) => {
  const found = [...text.matchAll(/\b\d{1,2} [A-Z][a-z]+ \d{4}\b/g)].map(([one]) => fromWords(one)!)
  return [...new Set(found)].toSorted()
}

describe('the development of a document', () => {
  let board: Board
  before(async () => {
    board = await openBoard('2022-03-01T09:00:00.000Z')
    await enterDocuments(board.hands, secretary, documents)
    for (const reference of ['PMA/CKMP/1', 'PMA/CKMP/2']) {
      await board.decide(reference, { acts: ['approve document'], subjects: ['document:CKMP DLMS'] })
    }
    for (const reference of ['PMA/FOC/1', 'PMA/FOC/2']) {
      await board.decide(reference, { acts: ['approve document'], subjects: ['document:S1SPKI CP FOC'] })
    }
    await run('CKMP', ckmp)
    await run('FOC', foc)
  })
  after(() => board.close())

  const begin = (ref: string, draft: NewDevelopmentEvent) => beginDevelopment(board.hands, secretary, ref, draft)
  const enter = (ref: string, event: NewDevelopmentEvent) => enterDevelopment(board.hands, secretary, ref, event)
  async function run(ref: string, [draft, ...events]: readonly NewDevelopmentEvent[]) {
    await begin(ref, draft!)
    for (const event of events) await enter(ref, event)
  }
  const reportOf = async (ref: string) => markdown(conclusionsReport((await developmentFrom(board.store, ref))!))
  const upTo = (events: readonly NewDevelopmentEvent[], step: string) =>
    events.slice(
      0,
      events.findIndex(one => one.step === step),
    )

  it('reports the facts of the conclusions on the CKMP', { skip }, async () => {
    const published = seed('000_f131ea14171e9cb0.txt')
    const report = await reportOf('CKMP')
    assert.deepEqual(datesIn(report), datesIn(published))
    const questions = [...published.matchAll(/(CKMP Q\d) (.+?\?(?: Please provide [^.]+\.)?)/g)]
    assert.equal(questions.length, 5)
    for (const [, id, text] of questions) assert.ok(report.includes(`| ${id} | ${text} |`), id!)
    assert.match(report, /DCC received one response to the consultation\./)
    assert.match(report, /four other Industry representatives/)
    assert.match(report, /No changes were made\./)
    const attached = [...published.matchAll(/(Attachment \d – .+?)(?= - Attachment|$)/g)].map(([, one]) =>
      one!.trim(),
    )
    assert.equal(attached.length, 3)
    for (const one of attached) assert.ok(report.includes(`- ${one}`), one)
  })

  it('reports the facts of the conclusions on the S1SPKI Certificate Policy for FOC', { skip }, async () => {
    const published = seed('001_fa1de81fbf25e491.txt')
    const report = await reportOf('FOC')
    assert.deepEqual(datesIn(report), datesIn(published))
    const questions = [...published.matchAll(/(PKI Question \d) (.+?\?)/g)]
    assert.equal(questions.length, 2)
    for (const [, id, text] of questions) assert.ok(report.includes(`| ${id} | ${text} |`), id!)
    assert.match(report, /DCC received three responses to the consultation\./)
    for (const one of [
      'Section 4.9.13: Typographical error in the Header',
      'Section 7.2.1',
      'Operator Root CA Certificate',
    ]) {
      assert.ok(report.includes(one), one)
    }
    assert.ok(report.includes('- Attachment 1 – SMKI PMA - FOC S1SP HES Certificate Policy'))
  })

  it('is found to have a date that cannot be right: the approval that was printed for December 2021', async () => {
    assert.deepEqual(findingsOf((await developmentFrom(board.store, 'FOC'))!), [
      {
        check: 'chronology',
        says: 'the SMKI PMA approved for consultation on 13 December 2021, but the consultation opened, which comes after it, on 8 January 2021',
      },
    ])
    assert.deepEqual(findingsOf((await developmentFrom(board.store, 'CKMP'))!), [])
  })

  it('counts confidential responses and publishes none of their words', async () => {
    const events = upTo(ckmp, 'respond')
    await run('secret', events)
    const answer = (words: string) => [{ question: 'CKMP Q1', stance: 'objects' as const, words }]
    await enter('secret', { step: 'respond', respondent: 'r-1', confidential: true, answers: answer('whispered') })
    await enter('secret', { step: 'respond', respondent: 'r-2', confidential: false, answers: answer('a | <b>') })
    for (const event of ckmp.slice(ckmp.findIndex(one => one.step === 'close'))) await enter('secret', event)
    const blocks = conclusionsReport((await developmentFrom(board.store, 'secret'))!)
    for (const text of [markdown(blocks), html(blocks)]) {
      assert.match(text, /DCC received two responses/)
      assert.match(text, /Of these, one is confidential/)
      assert.doesNotMatch(text, /whispered/)
    }
    assert.ok(markdown(blocks).includes('| r-2 | CKMP Q1 | a \\| \\<b\\> |'))
    assert.ok(html(blocks).includes('<td>a | &lt;b&gt;</td>'))
    assert.ok(markdown(blocks).includes('| CKMP Q1 | 0 | 1 | 0 | 0 | 1 | no change |'))
    // Nor does the journal, which everybody reads, let anybody find out by guessing.
    const { rows } = await board.store.query<{ event: string; salt: Buffer }>(
      "SELECT event, salt FROM development_event WHERE development = 'secret' AND event LIKE '%whispered%'",
    )
    const [{ event, salt }] = rows as [{ event: string; salt: Buffer }]
    const journal = JSON.stringify(await board.journal())
    assert.doesNotMatch(journal, /whispered/)
    assert.ok(!journal.includes(hash('sha256', event, 'hex')))
    assert.ok(journal.includes(hash('sha256', Buffer.concat([salt, Buffer.from(event)]), 'hex')))
  })

  it('takes no step before the one that it follows', async () => {
    const find = (step: string) => ckmp.find(one => one.step === step)!
    await begin('order', ckmp[0]!)
    for (const step of ['consult', 'respond', 'close', 'analyse', 'confirm', 'conclude']) {
      await assert.rejects(enter('order', find(step)), refusal('DEVELOPMENT_STEP'), step)
    }
    await enter('order', ckmp[1]!)
    // The SMKI PMA has only commented yet.
    await assert.rejects(enter('order', find('consult')), refusal('DEVELOPMENT_STEP'))
    await enter('order', ckmp[2]!)
    await enter('order', find('consult'))
    const stranger = { step: 'respond', respondent: 'r', confidential: false } as const
    const answers = [{ question: 'CKMP Q9', stance: 'agrees' as const }]
    await assert.rejects(enter('order', { ...stranger, answers }), refusal('DEVELOPMENT_STEP'))
    await enter('order', { ...stranger, answers: [] })
    await assert.rejects(enter('order', { ...stranger, answers: [] }), refusal('DEVELOPMENT_STEP'))
    await enter('order', find('close'))
    await assert.rejects(enter('order', find('change')), refusal('DEVELOPMENT_STEP'))
    const analysis = find('analyse') as Extract<NewDevelopmentEvent, { step: 'analyse' }>
    const partly = { ...analysis, conclusions: analysis.conclusions.slice(1) }
    await assert.rejects(enter('order', partly), refusal('DEVELOPMENT_STEP'))
    await enter('order', analysis)
    const found = findingsOf((await developmentFrom(board.store, 'order'))!)
    assert.deepEqual(
      found.map(one => one.says),
      ['the response of r is linked to no question'],
    )
    await assert.rejects(begin('order', ckmp[0]!), refusal('DEVELOPMENT_EXISTS'))
    await assert.rejects(enter('nowhere', find('close')), refusal('DEVELOPMENT_UNKNOWN'))
  })

  it('is satisfied and confirmed by a decision that covers its documents, and by no other', async () => {
    await begin('decided', foc[0]!)
    const review = { step: 'review', outcome: 'satisfied', words: 'Good.' } as const
    await assert.rejects(enter('decided', review), refusal('DEVELOPMENT_STEP'))
    const other = enter('decided', { ...review, decision: 'PMA/CKMP/1' })
    await assert.rejects(other, refusal('DECISION_NOT_COVERING'))
    assert.equal((await enter('decided', { ...review, decision: 'PMA/FOC/1' })).state, 'pmaReview')
  })

  it('consults again on a material change, and wants a reason for one that is not', async () => {
    const [before, from] = [upTo(foc, 'change'), foc.findIndex(one => one.step === 'change')]
    await run('material', before)
    const change = { document: 'S1SPKI CP FOC', where: 'Section 5', words: 'All of it.' }
    const settle = (kind: 'clarification' | 'material') =>
      enter('material', { step: 'change', summary: ['One change.'], changes: [{ ...change, class: kind }] })
    await assert.rejects(settle('clarification'), refusal('DEVELOPMENT_STEP'))
    await settle('material')
    const confirm = foc.find(one => one.step === 'confirm')!
    await assert.rejects(enter('material', confirm), refusal('DEVELOPMENT_STEP'))
    const again = { ...before.find(one => one.step === 'consult')!, on: '2021-03-01', closesOn: '2021-03-29' }
    await enter('material', again as NewDevelopmentEvent)
    for (const event of [...before, ...foc.slice(from)]) {
      if (['draft', 'review', 'consult'].includes(event.step)) continue
      await enter('material', event.step === 'close' ? { ...event, on: '2021-03-29' } : event)
    }
    const report = await reportOf('material')
    assert.match(report, /## 2\. Consultation 1/)
    assert.match(report, /## 3\. Consultation 2/)
    assert.match(report, /Changes of the class material:\n\n- S1SPKI CP FOC, Section 5: All of it\./)
    // It was confirmed before the second consultation: the dates say so.
    const found = findingsOf((await developmentFrom(board.store, 'material'))!)
    assert.ok(found.some(one => one.check === 'chronology' && one.says.includes('29 March 2021')))
  })

  it('puts in force what is designated, and asks why when it is later than was consulted on', async () => {
    const sha256 = hash('sha256', 'the policy', 'hex')
    const version = { document: 'CKMP DLMS', version: '1.0', sha256 }
    await addVersion(board.hands, secretary, {
      ...version,
      octets: 10,
      mediaType: 'text/plain',
      heldAt: 'archive/1',
    })
    await enter('CKMP', { step: 'submit', on: '2021-11-29' })
    const late = { step: 'designate', on: '2022-01-11' } as const
    const wrong = { ...version, sha256: hash('sha256', 'another', 'hex') }
    await assert.rejects(enter('CKMP', { ...late, versions: [wrong] }), refusal('VERSION_UNKNOWN'))
    const development = await enter('CKMP', { ...late, versions: [version] })
    assert.equal(development.state, 'designated')
    const [kept] = await versionsFor(board.store, 'public', 'CKMP DLMS')
    assert.deepEqual([kept!.state, kept!.from], ['approved', '2022-01-11'])
    assert.match(kept!.basis!, /development CKMP/)
    assert.deepEqual(
      findingsOf(development).map(one => one.check),
      ['tolerance'],
    )
    const explained = {
      ...development,
      designated: { ...development.designated!, explanation: 'A late signature.' },
    }
    assert.deepEqual(findingsOf(explained), [])
    const onTime = { ...development, designated: { ...development.designated!, on: '2022-01-10' } }
    assert.deepEqual(findingsOf(onTime), [])
    assert.match(await reportOf('CKMP'), new RegExp(`designated the .* on ${inWords('2022-01-11')}`))
  })

  it('refuses what is not whole', async () => {
    const [draft] = ckmp
    for (const wrong of [
      { ...draft, title: '' },
      { ...draft, title: 'a\u0007bell' },
      { ...draft, documents: [] },
      { ...draft, on: '2021-02-30' },
      { ...draft, extra: 1 },
      { step: 'nothing' },
    ]) {
      await assert.rejects(begin('unfit', wrong as NewDevelopmentEvent), refusal('DEVELOPMENT_UNFIT'))
    }
    assert.equal(await developmentFrom(board.store, 'unfit'), undefined)
  })
})
