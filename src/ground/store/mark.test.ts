import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { openMark } from './mark.ts'

const folder = mkdtempSync(join(tmpdir(), 'opensmki-mark-'))
after(() => rmSync(folder, { recursive: true }))
let names = 0
const path = () => join(folder, 'made', `mark-${++names}`)

describe('a mark', () => {
  it('is nothing before it was written, and then what was written last, for whoever opens it', () => {
    const at = path()
    const mark = openMark<{ n: number }>(at, 100)
    assert.equal(mark.read(), undefined)
    for (let n = 1; n < 6; n++) {
      mark.write({ n })
      assert.deepEqual(mark.read(), { n })
      assert.deepEqual(openMark(at, 100).read(), { n })
    }
    // Another writer goes on where the first was.
    openMark<{ n: number }>(at, 100).write({ n: 6 })
    openMark<{ n: number }>(at, 100).write({ n: 7 })
    assert.deepEqual(mark.read(), { n: 7 })
    mark.write({ n: 8 })
    assert.deepEqual(openMark(at, 100).read(), { n: 8 })
    assert.equal(statSync(at).mode & 0o077, 0, 'it is for its owner alone')
  })

  it('is the one before when the last write broke off, wherever it did', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 20 }),
        fc.string({ maxLength: 20 }),
        fc.nat(219),
        (first, second, from) => {
          const at = path()
          const mark = openMark<string>(at, 120)
          mark.write(first)
          const before = readFileSync(at)
          mark.write(second)
          const now = readFileSync(at)
          // Of the slot that was written now only the beginning came to the disk.
          const slot = now.subarray(0, 220).equals(before.subarray(0, 220)) ? 220 : 0
          const torn = Buffer.alloc(now.length)
          before.copy(torn)
          now.copy(torn, slot, slot, slot + from)
          writeFileSync(at, torn)
          const read = openMark<string>(at, 120).read()
          assert.ok(read === first || read === second)
          // The digest alone stands in 64 octets.
          if (from < 64) assert.equal(read, first)
          // It can be written on.
          openMark<string>(at, 120).write('next')
          assert.equal(openMark(at, 120).read(), 'next')
        },
      ),
      { numRuns: 100 },
    )
  })

  it('does not take what does not fit, and stays what it was', () => {
    const mark = openMark<string>(path(), 10)
    mark.write('fits')
    assert.throws(() => mark.write('does not fit here'), RangeError)
    assert.equal(mark.read(), 'fits')
  })

  it('that was changed by hand is not believed', () => {
    const at = path()
    openMark<string>(at, 50).write('abc')
    writeFileSync(at, readFileSync(at).toString().replace('abc', 'abd'))
    assert.equal(openMark(at, 50).read(), undefined)
  })
})
