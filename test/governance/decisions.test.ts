import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Client } from '../../src/ground/store/store.ts'
import {
  type Cited,
  citeDecision,
  decisionOf,
  decisions,
  type NewDecision,
  recordDecision,
  withdrawDecision,
} from '../../src/rooms/governance/decisions.ts'
import { no } from '../../src/rooms/governance/refusals.ts'
import { type Board, decisionOn, members, openBoard, refusal, secretary } from './board.ts'

describe('a decision of the SMKI PMA', () => {
  let board: Board
  before(async () => {
    board = await openBoard()
  })
  after(() => board.close())

  const cite = (cited: Partial<Cited> & { reference: string }) =>
    board.store.transaction(client =>
      citeDecision(client, { act: 'revoke', subjects: ['party:7'], at: board.hands.clock(), ...cited }),
    )
  const uses = async (reference: string) => (await decisionOf(board.store, reference))?.uses

  it('is kept as it was recorded, and journalled with who recorded it', async () => {
    const now = board.hands.clock()
    const given: NewDecision = decisionOn(now, 'PMA/1', {
      acts: ['revoke', 'suspend'],
      subjects: ['party:1', 'certificate:2:5f0c'],
      from: new Date('2026-11-21T00:00:00.000Z'),
      until: new Date('2026-12-21T00:00:00.000Z'),
      limit: 3,
      details: { purpose: 'method2', cells: [1, 2] },
    })
    const kept = await recordDecision(board.hands, secretary, given)
    assert.deepEqual(kept, { ...given, uses: 0, recordedAt: now, recordedBy: secretary })
    assert.deepEqual(await decisionOf(board.store, 'PMA/1'), kept)
    const written = (await board.journal()).find(({ body }) => body.reference === 'PMA/1')!
    assert.equal(written.act, 'record decision')
    assert.deepEqual(written.body, {
      ...given,
      decidedAt: now.toISOString(),
      from: '2026-11-21T00:00:00.000Z',
      until: '2026-12-21T00:00:00.000Z',
      by: secretary,
    })
  })

  it('takes no reference that was used before, also not of one that was withdrawn', async () => {
    await board.decide('PMA/2')
    await assert.rejects(board.decide('PMA/2', { text: 'Something else.' }), refusal('DECISION_EXISTS'))
    await withdrawDecision(board.hands, secretary, 'PMA/2', 'overtaken by events')
    await assert.rejects(board.decide('PMA/2'), refusal('DECISION_EXISTS'))
    assert.match((await decisionOf(board.store, 'PMA/2'))!.text, /shall be revoked/)
    const refused = (await board.journal()).filter(({ act }) => act === 'refused')
    assert.deepEqual(refused.at(-1)!.body, {
      attempt: 'record decision',
      code: 'DECISION_EXISTS',
      about: 'PMA/2',
      by: secretary,
    })
  })

  it('is not recorded unless it is whole', async () => {
    const now = board.hands.clock()
    const later = new Date(now.getTime() + 1)
    const wrong: Partial<NewDecision>[] = [
      { reference: '' },
      { reference: 'PMA\n3' },
      { acts: [] },
      { acts: ['forgive' as 'revoke'] },
      { subjects: [] },
      { subjects: [''] },
      { meeting: '' },
      { text: '' },
      { text: `\u001b[2J` },
      { members: [] },
      { members: ['A. Person'] },
      { members: [members[0], members[0]] },
      { decidedAt: later },
      { until: now },
      { limit: 0 },
      { limit: 1.5 },
      { details: { half: 0.5 } },
      { subjects: Array.from({ length: 9000 }, (_, i) => `device:${i}`) },
    ]
    for (const changes of wrong) {
      await assert.rejects(board.decide('PMA/3', changes), refusal('DECISION_UNFIT'), JSON.stringify(changes))
    }
    await assert.rejects(
      recordDecision(board.hands, 'A. Person', decisionOn(now, 'PMA/3')),
      refusal('DECISION_UNFIT'),
    )
    assert.equal(await decisionOf(board.store, 'PMA/3'), undefined)
    // A name that was claimed does not enter the journal by the refusal either.
    assert.doesNotMatch(JSON.stringify(await board.journal()), /A\. Person/)
  })

  it('is not recorded when the door finds that its members are none', async () => {
    const asked: unknown[] = []
    const requireMembers = async (_: Client, who: readonly string[], at: Date) => {
      asked.push(who, at)
      throw no('DECISION_UNFIT', 'not in office')
    }
    const decision = decisionOn(board.hands.clock(), 'PMA/4')
    await assert.rejects(
      recordDecision(board.hands, secretary, decision, requireMembers),
      refusal('DECISION_UNFIT'),
    )
    assert.deepEqual(asked, [members, decision.decidedAt])
    assert.equal(await decisionOf(board.store, 'PMA/4'), undefined)
  })

  it('cannot be edited or removed, even by one who writes SQL', async () => {
    await board.decide('PMA/5', { limit: 2 })
    await cite({ reference: 'PMA/5' })
    const attempts = [
      "UPDATE pma_decision SET subjects = '{*}' WHERE reference = 'PMA/5'",
      "UPDATE pma_decision SET uses = 0 WHERE reference = 'PMA/5'",
      "UPDATE pma_decision SET most_uses = 100 WHERE reference = 'PMA/5'",
      "DELETE FROM pma_decision WHERE reference = 'PMA/5'",
      "UPDATE pma_decision SET withdrawn_at = NULL, withdrawn_by = NULL, withdrawn_words = NULL WHERE reference = 'PMA/2'",
    ]
    for (const sql of attempts) await assert.rejects(board.store.query(sql), /never edited/, sql)
    assert.equal(await uses('PMA/5'), 1)
  })

  describe('when it is cited', () => {
    it('is refused when there is none of that reference', async () => {
      await assert.rejects(cite({ reference: 'PMA/none' }), refusal('DECISION_UNKNOWN'))
    })

    it('is in force from its beginning up to, and not at, its end', async () => {
      const from = new Date('2026-11-21T00:00:00.000Z')
      const until = new Date('2026-11-22T00:00:00.000Z')
      await board.decide('PMA/10', { from, until })
      for (const [at, inForce] of [
        ['2026-11-20T23:59:59.999Z', false],
        ['2026-11-21T00:00:00.000Z', true],
        ['2026-11-21T23:59:59.999Z', true],
        ['2026-11-22T00:00:00.000Z', false],
      ] as const) {
        const cited = cite({ reference: 'PMA/10', at: new Date(at) })
        if (inForce) assert.equal((await cited).reference, 'PMA/10')
        else await assert.rejects(cited, refusal('DECISION_NOT_IN_FORCE'), at)
      }
    })

    it('does not reach back before it was decided', async () => {
      await board.decide('PMA/11', { from: new Date(0) })
      const before = new Date(board.hands.clock().getTime() - 1)
      await assert.rejects(cite({ reference: 'PMA/11', at: before }), refusal('DECISION_NOT_IN_FORCE'))
      await cite({ reference: 'PMA/11' })
    })

    it('covers the acts and the subjects that it names, every one of them, and no other', async () => {
      await board.decide('PMA/12', { acts: ['suspend', 'resume'], subjects: ['party:7', 'service'] })
      await cite({ reference: 'PMA/12', act: 'resume', subjects: ['service', 'party:7'] })
      for (const wrong of [
        { act: 'revoke', subjects: ['party:7'] },
        { act: 'resume', subjects: ['party:70'] },
        { act: 'resume', subjects: ['party:7', 'party:8'] },
        { act: 'resume', subjects: ['*'] },
        { act: 'resume', subjects: [] },
      ] as const) {
        await assert.rejects(cite({ reference: 'PMA/12', ...wrong }), refusal('DECISION_NOT_COVERING'))
      }
      assert.equal(await uses('PMA/12'), 1)
    })

    it('covers everything when it says so, for its acts alone', async () => {
      await board.decide('PMA/13', { subjects: ['*'] })
      await cite({ reference: 'PMA/13', subjects: ['party:1', 'anything at all'] })
      await assert.rejects(cite({ reference: 'PMA/13', act: 'suspend' }), refusal('DECISION_NOT_COVERING'))
    })

    it('is refused once it was withdrawn, and withdrawn only once', async () => {
      await board.decide('PMA/14')
      await cite({ reference: 'PMA/14' })
      await withdrawDecision(board.hands, secretary, 'PMA/14', 'the ground has gone')
      await assert.rejects(cite({ reference: 'PMA/14' }), refusal('DECISION_NOT_IN_FORCE'))
      const again = withdrawDecision(board.hands, secretary, 'PMA/14', 'twice')
      await assert.rejects(again, refusal('DECISION_WITHDRAWN'))
      const none = withdrawDecision(board.hands, secretary, 'PMA/none', 'why not')
      await assert.rejects(none, refusal('DECISION_UNKNOWN'))
      const wordless = withdrawDecision(board.hands, secretary, 'PMA/13', '')
      await assert.rejects(wordless, refusal('DECISION_UNFIT'))
      const { withdrawn } = (await decisionOf(board.store, 'PMA/14'))!
      assert.deepEqual(withdrawn, { at: board.hands.clock(), by: secretary, words: 'the ground has gone' })
    })

    it('counts a use only when what was done under it is kept', async () => {
      await board.decide('PMA/15', { limit: 1 })
      const abandoned = board.store.transaction(async client => {
        await citeDecision(client, {
          reference: 'PMA/15',
          act: 'revoke',
          subjects: ['party:7'],
          at: board.hands.clock(),
        })
        throw new Error('the act failed')
      })
      await assert.rejects(abandoned, /the act failed/)
      assert.equal(await uses('PMA/15'), 0)
      assert.equal((await cite({ reference: 'PMA/15' })).uses, 1)
      await assert.rejects(cite({ reference: 'PMA/15' }), refusal('DECISION_USED_UP'))
    })

    it('is used no more often than it allows, however many ask at once, at every isolation', async () => {
      for (const isolation of ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const) {
        const reference = `PMA/16 ${isolation}`
        await board.decide(reference, { limit: 2 })
        const at = board.hands.clock()
        const asked = Array.from({ length: 6 }, () =>
          board.store.transaction(
            async client => {
              // The snapshot of the transaction is older than the lock.
              await client.query('SELECT 1')
              return citeDecision(client, { reference, act: 'revoke', subjects: ['party:7'], at })
            },
            { isolation },
          ),
        )
        const outcomes = await Promise.allSettled(asked)
        assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2, isolation)
        // The others are told why, and not by a constraint of the table.
        const refused = outcomes.flatMap(one => (one.status === 'rejected' ? [one.reason.code] : []))
        assert.deepEqual(refused, Array(4).fill('DECISION_USED_UP'), isolation)
        assert.equal(await uses(reference), 2)
      }
    })
  })

  it('is found by its act, by what it covers, and by when it is in force, the latest first', async () => {
    board.turnTo('2026-11-21T09:00:00.000Z')
    await board.decide('PMA/20', { acts: ['risk review'], subjects: ['dco'] })
    board.turnTo('2026-11-22T09:00:00.000Z')
    await board.decide('PMA/21', { acts: ['risk review', 'revoke'], subjects: ['*'] })
    await withdrawDecision(board.hands, secretary, 'PMA/20', 'made again')
    const found = async (filter: Parameters<typeof decisions>[1]) =>
      (await decisions(board.store, filter)).map(one => one.reference)
    assert.deepEqual(await found({ act: 'risk review' }), ['PMA/21', 'PMA/20'])
    assert.deepEqual(await found({ act: 'risk review', inForceAt: board.hands.clock() }), ['PMA/21'])
    assert.deepEqual(await found({ subject: 'dco' }), ['PMA/21', 'PMA/20', 'PMA/13'])
    assert.deepEqual(await found({ act: 's1spki approval' }), [])
    assert.ok((await found({})).length > 10)
  })
})
