import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { entry, readEntry } from '../../src/ground/journal/entry.ts'
import { developmentOf } from '../../src/policy/documents/development/development.ts'
import { eventSchema } from '../../src/policy/documents/development/events.ts'
import { modificationEventSchema } from '../../src/policy/documents/modification/events.ts'
import { modificationOf } from '../../src/policy/documents/modification/modification.ts'
import { recordDecision } from '../../src/rooms/governance/decisions.ts'
import { openBoard } from './board.ts'

const page = readFileSync(new URL('../../docs/formats/governance.md', import.meta.url), 'utf8')
const example = (name: string) => new RegExp(`\`\`\`${name}\\n(.*?)\`\`\``, 's').exec(page)![1]!
/** Objects one after another. */
const objects = (text: string) => text.split(/\n(?=\{)/).map(one => JSON.parse(one))

describe('the page on the format of governance', () => {
  it('shows events as they are read', () => {
    const events = objects(example('development')).map(one => eventSchema.parse(one))
    assert.equal(developmentOf(events)!.state, 'consultation')
    assert.deepEqual(
      events.map(one => JSON.parse(JSON.stringify(one))),
      objects(example('development')),
    )
    const changes = objects(example('modification')).map(one => modificationEventSchema.parse(one))
    assert.ok(modificationOf(changes)!.presented)
  })

  it('shows the journal entry that a decision leaves', async () => {
    const board = await openBoard()
    try {
      const { act, at, by, decidedAt, from, until, ...rest } = JSON.parse(example('decision'))
      await recordDecision(board.hands, by, {
        ...rest,
        decidedAt: new Date(decidedAt),
        from: new Date(from),
        until: new Date(until),
      })
      const [written] = await board.journal()
      assert.deepEqual(written, readEntry(entry(act, new Date(at), { by, decidedAt, from, until, ...rest })))
    } finally {
      await board.close()
    }
  })
})
