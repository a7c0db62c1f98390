import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Position, positionOf, wentOn } from './position.ts'
import { type TestStore, testStore } from './testing.ts'

describe('where a server is', () => {
  let test: TestStore
  before(async () => {
    test = await testStore()
  })
  after(() => test.close())

  it('goes on with what is written', async () => {
    const then = await positionOf(test.store)
    await test.store.query('CREATE TABLE t (n int); INSERT INTO t VALUES (1)')
    // What others write counts too: it is the server's place.
    await test.store.query('SELECT pg_switch_wal()')
    const now = await positionOf(test.store)
    assert.ok(wentOn(then, now))
    assert.ok(!wentOn(now, then), 'an earlier place is a way back')
    assert.match(now.timeline, /^[0-9A-F]{8}$/)
  })

  it('is another place in another cluster, and on another timeline, however far that is', () => {
    const then: Position = { cluster: '1', timeline: '00000001', octets: '10' }
    assert.ok(wentOn(then, then))
    assert.ok(wentOn(then, { ...then, octets: '10000000000000000000' }))
    assert.ok(!wentOn(then, { ...then, octets: '9' }))
    assert.ok(!wentOn(then, { ...then, timeline: '00000002', octets: '99' }))
    assert.ok(!wentOn(then, { ...then, cluster: '2', octets: '99' }))
  })
})
