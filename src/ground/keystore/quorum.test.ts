import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { digestOf, type Envelope, envelopeSchema, quorumSchema, share, unite, without } from './quorum.ts'

const refused = (code: string, says = /./) => ({ name: 'Refusal', code, message: says })
const passphrase = Buffer.from('correct horse battery staple')
const store = 'software:root:0123abcd'
const holders = ['acs-1', 'acs-2', 'acs-3', 'acs-4', 'acs-5']
const made = await share(passphrase, { store, threshold: 3, holders }, randomBytes)
const { quorum } = made
const [one, two, three, four, five] = made.envelopes as [Envelope, Envelope, Envelope, Envelope, Envelope]

describe('A shared passphrase', () => {
  it('is what any k of n holders give, in any order, and nothing that fewer give', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.integer({ min: 2, max: 7 }),
        fc.integer({ min: 0, max: 4 }),
        fc.infiniteStream(fc.nat(1000)),
        async (secret, threshold, more, order) => {
          const names = Array.from({ length: threshold + more }, (_, i) => `holder-${i}`)
          const { quorum, envelopes } = await share(secret, { store, threshold, holders: names }, randomBytes)
          const mixed = envelopes
            .map(envelope => ({ envelope, at: order.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ envelope }) => envelope)
          for (const count of [threshold, mixed.length]) {
            assert.deepEqual(await unite(quorum, mixed.slice(0, count)), Buffer.from(secret))
          }
          const few = unite(quorum, mixed.slice(0, threshold - 1))
          await assert.rejects(few, refused('QUORUM_TOO_FEW', new RegExp(`${threshold - 1} of ${threshold}`)))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is what Lagrange gives over the field of AES, as the scheme says', () => {
    const points = [two, four, five].map(({ share }) => {
      const octets = Buffer.from(share, 'hex')
      return { x: octets.at(-1)!, y: octets.subarray(0, -1) }
    })
    const secret = Buffer.alloc(points[0]!.y.length)
    for (const { x, y } of points) {
      const others = points.filter(point => point.x !== x)
      const factor = others.reduce((product, other) => times(product, times(other.x, inverse(other.x ^ x))), 1)
      for (let i = 0; i < secret.length; i++) secret[i]! ^= times(y[i]!, factor)
    }
    assert.deepEqual(secret.subarray(16), passphrase)
  })

  it('is not told by what everybody may know, nor by one share too few with one that was made up', async () => {
    const known = JSON.stringify(quorum)
    for (const { share } of made.envelopes) assert.ok(!known.includes(share))
    assert.ok(!known.includes(passphrase.toString('hex')) && !known.includes(passphrase.toString()))
    // The same passphrase, shared again, has nothing in common with it: a list of likely ones is of no help.
    const again = await share(passphrase, { store, threshold: 3, holders }, randomBytes)
    assert.notEqual(again.quorum.check, quorum.check)
    const forged = { ...three, share: randomBytes(three.share.length / 2).toString('hex') }
    await assert.rejects(unite(quorum, [one, two, forged]), refused('QUORUM_SHARE_CORRUPT', /acs-3, share 3/))
  })

  it('is refused with the holder’s name when a share was changed, whichever field and octet it was', async () => {
    let looked = 0
    for (let at = 0; at < one.share.length; at += 2) {
      const octet = (Number.parseInt(one.share.slice(at, at + 2), 16) ^ (1 << (at % 8))).toString(16)
      const share = one.share.slice(0, at) + octet.padStart(2, '0') + one.share.slice(at + 2)
      const bad = { ...one, share }
      await assert.rejects(unite(quorum, [bad, two, three]), refused('QUORUM_SHARE_CORRUPT', /acs-1, share 1/))
      looked += 1
    }
    assert.equal(looked, 16 + passphrase.length + 1)
    const changes: Partial<Envelope>[] = [{ store: 'software:other:0' }, { threshold: 2 }, { of: 4 }, { index: 2 }]
    for (const change of changes) {
      await assert.rejects(
        unite(quorum, [{ ...one, ...change }, two, three]),
        refused('QUORUM_SHARE_CORRUPT', /acs-1/),
      )
    }
    await assert.rejects(
      unite(quorum, [{ ...one, holder: 'acs-4' }, two, three]),
      refused('QUORUM_SHARE_CORRUPT', /acs-4/),
    )
    await assert.rejects(
      unite(quorum, [{ ...one, holder: 'nobody' }, two, three]),
      refused('QUORUM_HOLDER_UNKNOWN'),
    )
  })

  it('counts a holder once, also with two shares', async () => {
    await assert.rejects(unite(quorum, [one, one, two]), refused('QUORUM_HOLDER_TWICE', /acs-1/))
    const twice = share(passphrase, { store, threshold: 2, holders: ['a', 'b', 'a'] }, randomBytes)
    await assert.rejects(twice, refused('QUORUM_HOLDER_TWICE'))
  })

  it('does not open for a holder who left, and goes on while enough are left', async () => {
    const later = without(quorum, 'acs-2', new Date('2026-03-01T00:00:00Z'))
    await assert.rejects(unite(later, [one, two, three]), refused('QUORUM_HOLDER_LEFT', /acs-2/))
    assert.deepEqual(await unite(later, [one, three, four]), passphrase)
    assert.throws(() => without(later, 'acs-2', new Date()), refused('QUORUM_HOLDER_LEFT'))
    assert.throws(() => without(later, 'nobody', new Date()), refused('QUORUM_HOLDER_UNKNOWN'))
    const last = without(later, 'acs-5', new Date('2026-03-02T00:00:00Z'))
    assert.throws(() => without(last, 'acs-1', new Date()), refused('QUORUM_SIZE', /2 would be left/))
    assert.notEqual(digestOf(later), digestOf(quorum))
  })

  it('does not open with shares of another sharing, nor with a record that says otherwise than the shares', async () => {
    const other = await share(passphrase, { store, threshold: 3, holders }, randomBytes)
    await assert.rejects(unite(quorum, [one, two, other.envelopes[2]!]), refused('QUORUM_OTHER_CEREMONY', /acs-3/))
    const wrong = { ...quorum, check: other.quorum.check }
    await assert.rejects(unite(wrong, [one, two, three]), refused('QUORUM_CHECK_FAILED'))
  })

  it('is shared among 2 to 255, of whom at least 2 are needed', async () => {
    const many = Array.from({ length: 255 }, (_, i) => `h${i}`)
    const { quorum, envelopes } = await share(passphrase, { store, threshold: 2, holders: many }, randomBytes)
    assert.deepEqual(await unite(quorum, [envelopes[254]!, envelopes[17]!]), passphrase)
    for (const [threshold, holders] of [
      [1, many.slice(0, 3)],
      [4, many.slice(0, 3)],
      [2, many.slice(0, 1)],
      [2, [...many, 'one more']],
    ] as const) {
      await assert.rejects(share(passphrase, { store, threshold, holders }, randomBytes), refused('QUORUM_SIZE'))
    }
    await assert.rejects(
      share(Buffer.alloc(0), { store, threshold: 2, holders }, randomBytes),
      refused('QUORUM_SIZE'),
    )
  })

  it('travels as text that is read strictly', () => {
    assert.deepEqual(quorumSchema.parse(JSON.parse(JSON.stringify(quorum))), quorum)
    for (const envelope of made.envelopes) {
      const read = JSON.parse(JSON.stringify(envelope))
      assert.deepEqual(envelopeSchema.parse(read), envelope)
      assert.ok(!envelopeSchema.safeParse({ ...read, more: 1 }).success)
      assert.ok(!envelopeSchema.safeParse({ ...read, share: read.share.toUpperCase() }).success)
    }
  })
})

describe('The page about quorums', () => {
  it('has examples that are some, by its own rules', async () => {
    const page = readFileSync(new URL('../../../docs/formats/quorum.md', import.meta.url), 'utf8')
    const examples = (kind: string) =>
      [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n([^\`]+)\`\`\``, 'gm'))].map(([, text]) => JSON.parse(text!))
    const [quorum] = examples('quorum').map(one => quorumSchema.parse(one))
    const envelopes = examples('envelope').map(one => envelopeSchema.parse(one))
    assert.equal(envelopes.length, 2)
    assert.equal((await unite(quorum!, envelopes)).toString(), 'an example')
    for (const { ceremony, store, index, holder, share } of envelopes) {
      const parts = ['opensmki share v1', ceremony, store, `${index}`, holder].map(text => Buffer.from(text))
      const digest = createHash('sha256')
      for (const part of [...parts, Buffer.from(share, 'hex')]) {
        digest.update(Buffer.of(0, 0, part.length >> 8, part.length & 255)).update(part)
      }
      assert.equal(digest.digest('hex'), quorum!.holders[index - 1]!.commitment)
    }
    assert.equal(digestOf(quorum!), createHash('sha256').update(JSON.stringify(quorum)).digest('hex'))
  })
})

/** Multiplication in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197 section 4.2). */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = 0, power = a; bit < 8; bit++) {
    if (b & (1 << bit)) product ^= power
    power = power & 0x80 ? ((power << 1) ^ 0x11b) & 0xff : power << 1
  }
  return product
}

function inverse(a: number): number {
  for (let b = 1; b < 256; b++) if (times(a, b) === 1) return b
  throw new RangeError('zero has no inverse')
}
