/** The inputs that fuzzing kept, read again: each is still read or refused by a known code, at once, and finds what it found. */

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { keptInputs } from './kept.ts'
import { Broken } from './target.ts'
import { targetNamed, targetNames } from './targets.ts'

/** Far above what any takes, and far below a hang: the machine may have other work. */
const longestMs = 5000

describe('A kept input', () => {
  it('belongs to a target', () => {
    const kept = readdirSync(new URL('corpus/', import.meta.url)).map(name => name.replace(/\.txt$/, ''))
    assert.deepEqual(kept.toSorted(), targetNames.toSorted())
  })

  for (const name of targetNames) {
    it(`of ${name} is read, or refused by a code that is known`, async () => {
      const target = await targetNamed(name)
      const inputs = [...keptInputs(name).map(text => Buffer.from(text, 'base64')), ...(await target.seeds())]
      const answers = new Map<string, number>()
      for (const input of inputs) {
        const before = performance.now()
        let answer = 'read'
        try {
          await target.read(Buffer.from(input))
        } catch (cause) {
          const code = target.no(cause)
          assert.ok(code !== undefined, `${name}: ${(cause as Error).stack}\n${input.toString('base64')}`)
          answer = code
        }
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
        const took = performance.now() - before
        assert.ok(took < longestMs, `${name}: ${took} ms for ${input.toString('base64')}`)
      }
      // Neither may be all there was.
      assert.ok(inputs.length > 20 && answers.has('read') && answers.size > 2, JSON.stringify([...answers]))
    })
  }

  it('that is broken would be seen: what comes back otherwise is no refusal of any target', async () => {
    for (const name of targetNames) assert.equal((await targetNamed(name)).no(new Broken('it')), undefined, name)
    for (const name of targetNames) assert.equal((await targetNamed(name)).no(new TypeError('it')), undefined, name)
  })
})
