import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { together } from './together.ts'

/** A store in which every even number is, asked one statement at a time. */
function counting() {
  const asked: number[][] = []
  let under = 0
  const ask = together(async questions => {
    assert.equal(++under, 1, 'another statement is under way')
    await new Promise(resolve => setImmediate(resolve))
    under--
    const numbers = questions.map(one => one.readUInt32BE())
    asked.push(numbers)
    return new Map(numbers.filter(one => one % 2 === 0).map(one => [key(one).toString('hex'), one]))
  })
  return { asked, ask: (number: number) => ask(key(number)) }
}

function key(number: number): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(number)
  return octets
}

describe('questions put together', () => {
  it('are answered each with its own, one statement at a time, of 64 questions at most, none asked twice in one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(200), { minLength: 1, maxLength: 300, size: 'max' }), async numbers => {
        const { asked, ask } = counting()
        const answers = await Promise.all(numbers.map(ask))
        assert.deepEqual(
          answers,
          numbers.map(one => (one % 2 === 0 ? one : undefined)),
        )
        assert.equal(asked.flat().length, new Set(numbers).size)
        for (const statement of asked) assert.ok(statement.length <= 64)
        assert.equal(asked.length, Math.ceil(new Set(numbers).size / 64))
      }),
      { numRuns: 50 },
    )
  })

  it('fail together, and only those: whoever asks next is answered', async () => {
    let broken = true
    const ask = together(async questions => {
      if (broken) throw new Error('the store is away')
      return new Map(questions.map(one => [one.toString('hex'), 'here']))
    })
    const first = await Promise.allSettled([ask(key(1)), ask(key(2))])
    assert.deepEqual(
      first.map(one => one.status),
      ['rejected', 'rejected'],
    )
    broken = false
    assert.equal(await ask(key(1)), 'here')
  })
})
