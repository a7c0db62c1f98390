/** Commands are the octets that GBCS has them in, whichever of their parts were encoded before. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { equal } from '../../ground/bytes.ts'
import { octetString, sequence } from '../../ground/der/write.ts'
import { readMessage } from '../../ground/gbcs/message.ts'
import { readUpdate, writeUpdate } from '../../ground/gbcs/update.ts'
import { replacementModes } from '../../ground/gbcs/use-cases.ts'
import { draftOctets, revealed, signedMessage, updateOf } from './build.ts'
import { cellOf } from './cells.ts'

const cells = ['{0,keyCertSign}', '{1,DS}', '{2,DS}', '{2,KA}', '{2,KA,topUp}', '{3,KA}', '{4,KA}', '{8,DS}']
const draft = fc.record({
  mode: fc.constantFrom(...replacementModes.map(one => one.mode)),
  counter: fc.bigInt({ min: 1n, max: 2n ** 62n }),
  picked: fc.subarray(cells, { minLength: 1 }),
  fill: fc.integer({ min: 0, max: 400 }),
})
/** One path for all: what was encoded with it is met again. */
const path = [sequence(octetString(Buffer.alloc(150, 7)))]

describe('A command', () => {
  it('is written as the codec writes it, and read again as it was meant', () => {
    fc.assert(
      fc.property(draft, ({ mode, counter, picked, fill }) => {
        const targets = picked.map(text => ({
          cell: cellOf(text),
          becomes: { cell: text, uniqueId: '0'.repeat(16), keyId: fill.toString(16).padStart(16, '0') },
          certificate: sequence(octetString(Buffer.alloc(fill, 3))),
        }))
        const originator = Buffer.alloc(8, 1)
        const one = { device: '00db123456780000', mode, originator, counter, targets, path }
        const message = readMessage(signedMessage(draftOctets(one), Buffer.alloc(64)))
        assert.ok(equal(message.payload, writeUpdate(updateOf(one))))
        const read = readUpdate(message.payload)
        assert.deepEqual(
          [read.mode, read.authoriserCounter, read.replacements.length],
          [mode, counter, picked.length],
        )
        if (mode !== 9) return
        const key = Buffer.alloc(16, 0xab)
        const shown = readMessage(signedMessage(revealed(draftOctets(one), key), Buffer.alloc(64)))
        assert.ok(equal(readUpdate(shown.payload).symmetricKey!, key))
      }),
    )
  })

  it('that has no place for a Symmetric Key is given none', () => {
    assert.throws(() => revealed(Buffer.alloc(100), Buffer.alloc(16)), RangeError)
    assert.throws(() => revealed(Buffer.from('0201098010'.padEnd(42, '0'), 'hex'), Buffer.alloc(15)), RangeError)
  })
})
