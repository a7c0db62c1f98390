import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NotABundle, readBundle, writeBundle } from './bundle.ts'
import { pathOf, type Resource, resourceAt } from './paths.ts'

describe('a path of a log', () => {
  it('is that of the example of tlog-tiles', () => {
    const full: Resource = { level: 0, index: 1234067, width: 256 }
    assert.equal(pathOf(full), 'tile/0/x001/x234/067')
    assert.equal(pathOf({ level: 'entries', index: 0, width: 8 }), 'tile/entries/000.p/8')
    assert.deepEqual(resourceAt('tile/0/x001/x234/067'), full)
  })

  it('is read back as it was written', () => {
    const level = fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 }))
    const one = fc.record({ level, index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) })
    fc.assert(fc.property(one, resource => assert.deepEqual(resourceAt(pathOf(resource)), { ...resource })))
  })

  it('has one form only', () => {
    const bad = [
      '',
      'tile',
      'tile/0',
      'tile/0/',
      'tile/0/00',
      'tile/0/0000',
      'tile/0/x000/001',
      'tile/0/001/001',
      'tile/0/x001',
      'tile/00/001',
      'tile/64/001',
      'tile/-1/001',
      'tile/0/001.p/0',
      'tile/0/001.p/256',
      'tile/0/001.p/01',
      'tile/0/001.p/',
      'tile/0/001.p',
      '/tile/0/001',
      'tile/0/001/',
      'tile/0/001?x',
      'tile/0/%30%30%31',
      'tile/../0/001',
      'tile/entry/001',
      'tile/0/x999/x999/x999/x999/x999/999',
      'tile/0/x001/x999/x999/x999/x999/x999/999',
      'tile/0/001\n',
    ]
    for (const path of bad) assert.equal(resourceAt(path), undefined, JSON.stringify(path))
  })
})

describe('an entry bundle', () => {
  it('is lengths of 16 bits and entries, and is read back', () => {
    assert.equal(writeBundle([Buffer.from('one'), Buffer.alloc(0)]).toString('hex'), '00036f6e650000')
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), entries =>
        assert.deepEqual(
          readBundle(writeBundle(entries)).map(entry => [...entry]),
          entries.map(entry => [...entry]),
        ),
      ),
    )
    assert.equal(readBundle(writeBundle([Buffer.alloc(65_535, 1)]))[0]!.length, 65_535)
    assert.throws(() => writeBundle([Buffer.alloc(65_536)]), RangeError)
  })

  it('is refused when it is cut anywhere but between two entries', () => {
    const bundle = writeBundle([Buffer.from('one'), Buffer.from('three'), Buffer.from('x')])
    const whole = new Set([0, 5, 12, 15])
    for (let end = 0; end <= bundle.length; end++) {
      if (whole.has(end)) assert.equal(writeBundle(readBundle(bundle.subarray(0, end))).length, end)
      else assert.throws(() => readBundle(bundle.subarray(0, end)), NotABundle, `cut at ${end}`)
    }
  })
})
