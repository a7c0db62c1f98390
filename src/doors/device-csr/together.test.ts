import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ChannelBroken, NobodyListens } from '../../ground/channel.ts'
import { together } from './together.ts'

/** Signers that answer when they are told to, with their own number; and what each was asked. */
function signers(count: number) {
  const all = Array.from({ length: count }, (_, place) => {
    const waiting: { resolve: (answer: number) => void; reject: (cause: Error) => void }[] = []
    return {
      waiting,
      ask: () => new Promise<number>((resolve, reject) => waiting.push({ resolve, reject })),
      answer: () => waiting.shift()!.resolve(place),
    }
  })
  return { all, open: () => all.map(one => one.waiting.length) }
}

describe('Single requests', () => {
  it('go to one signer as long as it can group them, then to the next, then to whoever has fewest', async () => {
    const { all, open } = signers(3)
    const { ask } = together(all, 4)
    const answers = Array.from({ length: 4 }, () => ask({}))
    assert.deepEqual(open(), [4, 0, 0])
    answers.push(ask({}), ask({}))
    assert.deepEqual(open(), [4, 2, 0])
    answers.push(...Array.from({ length: 6 }, () => ask({})))
    assert.deepEqual(open(), [4, 4, 4])
    all[2]!.answer()
    await turn()
    // Below its limit again, the third has room; then all are full, and each gets its share of what is too much.
    answers.push(ask({}), ...Array.from({ length: 3 }, () => ask({})))
    assert.deepEqual(open(), [5, 5, 5])
    for (const one of all) while (one.waiting.length > 0) one.answer()
    const by = await Promise.all(answers)
    assert.deepEqual(
      [0, 1, 2].map(place => by.filter(one => one === place).length),
      [5, 5, 6],
    )
  })

  it('come back to the first when it has answered', async () => {
    const { all, open } = signers(2)
    const { ask } = together(all, 1)
    const [a, b] = [ask({}), ask({})]
    assert.deepEqual(open(), [1, 1])
    all[0]!.answer()
    assert.equal(await a, 0)
    const c = ask({})
    assert.deepEqual(open(), [1, 1])
    all[0]!.answer()
    all[1]!.answer()
    assert.deepEqual(await Promise.all([b, c]), [1, 0])
  })

  it('go elsewhere when a signer went away; what was open there fails', async () => {
    const { all, open } = signers(2)
    const { ask } = together(all, 8)
    const lost = [ask({}), ask({})]
    for (const one of all[0]!.waiting.splice(0)) one.reject(new ChannelBroken('away'))
    for (const one of lost) await assert.rejects(one, ChannelBroken)
    const next = ask({})
    assert.deepEqual(open(), [0, 1])
    all[1]!.answer()
    assert.equal(await next, 1)
  })

  it('are asked elsewhere when nobody listened, and refused as not asked when nobody listens anywhere', async () => {
    const { all, open } = signers(3)
    const { ask } = together(all, 1)
    const one = ask({})
    all[0]!.waiting.shift()!.reject(new NobodyListens('not there'))
    await turn()
    assert.deepEqual(open(), [0, 1, 0])
    all[1]!.waiting.shift()!.reject(new NobodyListens('not there'))
    await turn()
    assert.deepEqual(open(), [0, 0, 1])
    all[2]!.answer()
    assert.equal(await one, 2)
    const nowhere = assert.rejects(ask({}), NobodyListens)
    for (let asked = 0; asked < 3; asked++) {
      const place = open().indexOf(1)
      all[place]!.waiting.shift()!.reject(new NobodyListens('not there'))
      await turn()
    }
    await nowhere
    assert.deepEqual(open(), [0, 0, 0])
  })

  it('stay where they are after a fault that is not of the channel', async () => {
    const { all, open } = signers(2)
    const { ask } = together(all, 8)
    const one = ask({})
    all[0]!.waiting.shift()!.reject(new Error('another fault'))
    await assert.rejects(one, /another fault/)
    void ask({})
    assert.deepEqual(open(), [1, 0])
  })
})
