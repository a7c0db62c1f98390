import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asTheyCome } from './as-they-come.ts'

describe('Requests that come singly', () => {
  it('are one group when they come together, and those that come meanwhile are the next', async () => {
    const groups: number[][] = []
    const ask = asTheyCome<number, string>(async group => {
      groups.push(group.map(one => one.question))
      if (groups.length === 1) later.push(ask(3), ask(4))
      await new Promise(resolve => setImmediate(resolve))
      for (const { question, answer } of group) answer(`to ${question}`)
    })
    const later: Promise<string>[] = []
    assert.deepEqual(await Promise.all([ask(1), ask(2)]), ['to 1', 'to 2'])
    assert.deepEqual(await Promise.all(later), ['to 3', 'to 4'])
    assert.deepEqual(groups, [
      [1, 2],
      [3, 4],
    ])
    assert.equal(await ask(5), 'to 5')
    assert.equal(groups.length, 3)
  })

  it('are at most 64 in a group, one group at a time', async () => {
    const sizes: number[] = []
    let working = 0
    const ask = asTheyCome<number, number>(async group => {
      assert.equal(++working, 1)
      sizes.push(group.length)
      await new Promise(resolve => setImmediate(resolve))
      working--
      for (const { question, answer } of group) answer(question)
    })
    const numbers = Array.from({ length: 150 }, (_, i) => i)
    assert.deepEqual(await Promise.all(numbers.map(ask)), numbers)
    assert.deepEqual(sizes, [64, 64, 22])
  })
})
