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

  it('are at most 64 in a group, and two groups are under way where as many wait as in the first', async () => {
    const sizes: number[] = []
    const under: number[] = []
    const release: (() => void)[] = []
    const ask = asTheyCome<number, number>(async group => {
      sizes.push(group.length)
      under.push(group.length)
      await new Promise<void>(resolve => release.push(resolve))
      under.splice(under.indexOf(group.length), 1)
      for (const { question, answer } of group) answer(question)
    })
    const turn = () => new Promise(resolve => setImmediate(resolve))
    const numbers = Array.from({ length: 150 }, (_, i) => i)
    const answers = Promise.all(numbers.map(ask))
    await turn()
    assert.deepEqual(under, [64, 64])
    release.shift()!()
    await turn()
    // Twenty-two wait beside sixty-four: they may become more.
    assert.deepEqual(under, [64])
    release.shift()!()
    await turn()
    assert.deepEqual(under, [22])
    release.shift()!()
    assert.deepEqual(await answers, numbers)
    assert.deepEqual(sizes, [64, 64, 22])
  })

  it('wait beside a small group until there are eight', async () => {
    const sizes: number[] = []
    const release: (() => void)[] = []
    const ask = asTheyCome<number, number>(async group => {
      sizes.push(group.length)
      await new Promise<void>(resolve => release.push(resolve))
      for (const { question, answer } of group) answer(question)
    })
    const turn = () => new Promise(resolve => setImmediate(resolve))
    const answers = [ask(0)]
    await turn()
    answers.push(...[1, 2, 3, 4, 5, 6, 7].map(ask))
    await turn()
    assert.deepEqual(sizes, [1])
    answers.push(ask(8))
    await turn()
    assert.deepEqual(sizes, [1, 8])
    answers.push(...[9, 10, 11].map(ask))
    for (let n = 0; n < 3; n++) {
      release.shift()!()
      await turn()
    }
    assert.deepEqual(await Promise.all(answers), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    assert.deepEqual(sizes, [1, 8, 3])
  })
})
