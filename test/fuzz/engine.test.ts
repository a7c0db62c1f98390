/** The fuzzer itself: what it makes, and that it sees what it was built to see. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Coverage } from './coverage.ts'
import { mutate } from './mutate.ts'
import { planted } from './planted.ts'
import { newOnes } from './seek.ts'
import { parse, written } from './tlv.ts'

/** Evenly from 0 up to a bound (xorshift32). */
function diceOf(seed: number) {
  let state = seed
  return (below: number) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

describe('The fuzzer', () => {
  it('writes a tree of DER as it was read, and with one element changed all lengths fit again', () => {
    const octets = Buffer.from('0101ff02020080050004020102', 'hex')
    const whole = Buffer.concat([Buffer.of(0x30, octets.length), octets])
    const tree = parse(whole)!
    assert.deepEqual(written(tree), whole)
    const inside = tree[0]!.content as { tag: number; content: Buffer }[]
    inside.push({ tag: 0x04, content: Buffer.alloc(200) })
    const again = written(tree)
    assert.equal(again.readUInt8(1), 0x81)
    assert.equal(again.length, 3 + again.readUInt8(2))
  })

  it('makes inputs no longer than it should, other than those before, and leaves those as they were', () => {
    const from = Buffer.from('300d0101ff0202008004030201053000', 'hex')
    const before = Buffer.from(from)
    for (const form of ['der', 'text', 'octets'] as const) {
      const dice = diceOf(7)
      const made = new Set<string>()
      for (let i = 0; i < 2000; i++) {
        const one = mutate(from, Buffer.from('31003000', 'hex'), { form, longest: 64, words: [Buffer.of(9)] }, dice)
        assert.ok(one.length <= 64)
        made.add(one.toString('hex'))
      }
      assert.ok(made.size > 1000, `${form}: ${made.size}`)
      assert.deepEqual(from, before)
    }
  })

  it('comes by what has run to a fault that lies behind four octets, each of which has a branch of its own', async () => {
    const coverage = new Coverage(/fuzz\/planted\.ts$/)
    try {
      const corpus: Buffer[] = [Buffer.alloc(8)]
      const dice = diceOf(11)
      const recipe = { form: 'octets', longest: 16, words: [] } as const
      let [found, tries] = [false, 0]
      const run = (input: Buffer) => {
        try {
          planted(input)
        } catch {
          found = true
        }
      }
      for (; !found && tries < 400; tries++) {
        const inputs = Array.from({ length: 500 }, () =>
          mutate(corpus[dice(corpus.length)]!, corpus[dice(corpus.length)]!, recipe, dice),
        )
        corpus.push(...(await newOnes(inputs, coverage, run)))
      }
      assert.ok(found, `not within ${tries * 500} inputs, ${corpus.length} in the corpus`)
      // Four branches one after another: by chance alone it would take four thousand million.
      assert.ok(corpus.length >= 4)
    } finally {
      coverage.close()
    }
  })
})
