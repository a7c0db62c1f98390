import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { demo } from '../../../src/main/commands/smets1.ts'
import { initS1sp, loadConfig, openS1sp, s1spHomeAt } from '../../../src/main/s1sp.ts'
import { readPeer, s1spPeerSchema } from '../../../src/rooms/symmetric/peers.ts'

const refused = (code: string) => ({ name: 'Refusal', code })
const title = '4f534d4b00000001'

describe('The S1SP as a program', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 's1sp-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('is not set up in production on a software key store', async () => {
    const home = s1spHomeAt(join(folder, 'production'))
    await assert.rejects(
      initS1sp(home, { name: 'one', kind: 'production', title }),
      refused('SOFTWARE_KEYS_REFUSED'),
    )
  })

  it('says of itself what its DCO needs, and is set up once', async () => {
    const home = s1spHomeAt(join(folder, 'test'))
    const peer = await initS1sp(home, { name: 'one', kind: 'test', title, log2N: 10 })
    assert.deepEqual(readPeer(s1spPeerSchema, readFileSync(home.peer)), peer)
    assert.equal(loadConfig(home).work.atOnce, 128)
    await assert.rejects(initS1sp(home, { name: 'one', kind: 'test', title }), refused('S1SP_EXISTS'))
    await assert.rejects(openS1sp(s1spHomeAt(join(folder, 'nowhere')), { share: true }), refused('S1SP_MISSING'))
  })

  it('refuses a setting that it does not know', async () => {
    const home = s1spHomeAt(join(folder, 'unknown'))
    const settings = { work: { atOnec: 3 } }
    await assert.rejects(initS1sp(home, { name: 'one', kind: 'test', title, settings }), refused('CONFIG_INVALID'))
  })

  it('rotates meters of three models with a DCO beside it, and both journals agree', async () => {
    const lines: string[] = []
    const story = await demo(join(folder, 'demo'), 12, text => void lines.push(text))
    assert.equal(story.meters, 12)
    assert.deepEqual(
      story.models.map(({ model }) => model),
      ['master-key-meter', 'plain-meter', 'strict-hub'],
    )
    const sum = (name: 'rotated' | 'cannot' | 'unresolved' | 'unreachable' | 'open') =>
      story.models.reduce((all, row) => all + row[name], 0)
    assert.equal(sum('rotated') + sum('cannot') + sum('unresolved') + sum('unreachable') + sum('open'), 12)
    assert.ok(sum('rotated') >= 9, lines.join(''))
    const { inBoth, theirsOnly, oursOnly, otherType } = story.journals
    assert.deepEqual([theirsOnly, oursOnly, otherType], [[], [], []])
    assert.ok(inBoth > 0)
    await assert.rejects(
      demo(join(folder, 'demo'), 1, () => {}),
      refused('HOME_NOT_EMPTY'),
    )
  })
})
