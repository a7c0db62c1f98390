/** Lessons, row 2: serial numbers are full of chance, and no two are alike, whoever draws them. */

import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { toHex } from '../../src/ground/bytes.ts'
import { serialNumbers } from '../../src/rooms/authority/serial.ts'

const chance = (length: number) => randomFillSync(new Uint8Array(length))

describe('A serial number', () => {
  it('has 16 octets, the first 01 to 7F, whatever chance gives', () => {
    const octets = fc.uint8Array({ minLength: 4096, maxLength: 4096 })
    // The octets that decide are drawn often.
    const first = fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0x81, 0xff)
    fc.assert(
      fc.property(octets, fc.array(first, { minLength: 256, maxLength: 256 }), (from, firsts) => {
        firsts.forEach((octet, i) => {
          from[i * 16] = octet
        })
        // One of them at least must do.
        from[4080] = 0x80 | 0x05
        const draw = serialNumbers(() => from.slice())
        for (let i = 0; i < 300; i++) {
          const serial = draw()
          assert.equal(serial.length, 16)
          assert.ok(serial[0]! >= 0x01 && serial[0]! <= 0x7f)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('takes every octet from chance, each once, and changes none but the sign bit', () => {
    let next = 0
    const counter = (length: number) => {
      const octets = new Uint8Array(length).fill(0x5a)
      for (let i = 0; i < length; i += 16) new DataView(octets.buffer).setUint32(i + 12, next++)
      // The first octets go through all values.
      for (let i = 0; i < length; i += 16) octets[i] = (next - 256 + i / 16) & 0xff
      return octets
    }
    const draw = serialNumbers(counter)
    const seen: string[] = []
    for (let i = 0; i < 1000; i++) seen.push(toHex(draw()))
    // Of each 256 draws two have nothing but zeros in the seven bits that are left.
    const drawn = Array.from({ length: next }, (_, i) => i)
      .filter(i => (i & 0x7f) !== 0)
      .map(i => `${toHex(Uint8Array.of(i & 0x7f))}${'5a'.repeat(11)}${i.toString(16).padStart(8, '0')}`)
    assert.deepEqual(seen, drawn.slice(0, 1000))
  })

  it('spreads evenly over 100,000 draws: every bit, and every first octet', () => {
    const draws = 100_000
    const draw = serialNumbers(chance)
    const ones = new Array<number>(128).fill(0)
    const firsts = new Array<number>(128).fill(0)
    const seen = new Set<string>()
    for (let i = 0; i < draws; i++) {
      const serial = draw()
      firsts[serial[0]!]!++
      seen.add(serial.toString('latin1'))
      for (let bit = 0; bit < 128; bit++) ones[bit]! += (serial[bit >> 3]! >> (7 - (bit & 7))) & 1
    }
    assert.equal(seen.size, draws)
    assert.equal(ones[0], 0)
    // Six standard deviations: once in five hundred million runs for one bit, and there are 127.
    const bound = 6 * Math.sqrt(draws / 4)
    ones.slice(1).forEach((count, i) => {
      // The seven bits of the first octet are never all zero: each is one in 64 of 127 values.
      const expected = i < 7 ? (draws * 64) / 127 : draws / 2
      assert.ok(Math.abs(count - expected) < bound, `bit ${i + 1} is set ${count} times`)
    })
    // Pearson's test over 127 values: 126 degrees of freedom, mean 126, standard deviation 15.9.
    assert.equal(firsts[0], 0)
    const expected = draws / 127
    const statistic = firsts.slice(1).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    assert.ok(statistic > 50 && statistic < 240, `${statistic}`)
  })

  it('is like no other, also where several threads draw at the same time', async () => {
    const each = 25_000
    const program = `
      const { workerData, parentPort } = require('node:worker_threads')
      Promise.all([import(workerData.serial), import(workerData.world)]).then(([{ serialNumbers }, { systemChance }]) => {
        const draw = serialNumbers(systemChance)
        parentPort.postMessage(Buffer.concat(Array.from({ length: workerData.each }, draw)))
      })`
    const at = (path: string) => new URL(`../../src/${path}`, import.meta.url).href
    const workerData = { each, serial: at('rooms/authority/serial.ts'), world: at('main/world.ts') }
    const drawn = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const worker = new Worker(program, { eval: true, workerData })
        const octets = await new Promise<Uint8Array>((resolve, reject) =>
          worker.once('message', resolve).once('error', reject),
        )
        await worker.terminate()
        return Buffer.from(octets)
      }),
    )
    const all = new Set<string>()
    for (const octets of drawn) {
      assert.equal(octets.length, each * 16)
      for (let at = 0; at < octets.length; at += 16) all.add(octets.toString('latin1', at, at + 16))
    }
    assert.equal(all.size, 4 * each)
  })
})
