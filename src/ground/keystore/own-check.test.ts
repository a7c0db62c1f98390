import assert from 'node:assert/strict'
import { createECDH, hash, sign, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../bytes.ts'
import * as der from '../der/write.ts'
import { importPublic, makePair } from './kinds.ts'
import { ownCheck, scalarOf } from './own-check.ts'
import { create, octets, refused } from './software-testing.ts'

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const hex = (number: bigint) => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
/** By Fermat, so that it is not found as the code finds it. */
function inverse(number: bigint): bigint {
  let [result, base] = [1n, number % order]
  for (let e = order - 2n; e > 0n; e >>= 1n, base = (base * base) % order) {
    if (e & 1n) result = (result * base) % order
  }
  return result
}
const signatureOf = (r: bigint, s: bigint) => der.sequence(der.integer(r), der.integer(s))

/** A key with both ways of looking at its signatures. */
function key(scalar?: Buffer) {
  const curve = createECDH('prime256v1')
  if (scalar) curve.setPrivateKey(scalar)
  else curve.generateKeys()
  const spki = Buffer.concat([
    Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'),
    curve.getPublicKey(),
  ])
  const { key: publicKey } = importPublic(spki)
  const point = curve.getPublicKey()
  const [d, x, y] = [curve.getPrivateKey(), point.subarray(1, 33), point.subarray(33)].map(one =>
    Buffer.from(one.toString('latin1').padStart(32, '\0'), 'latin1').toString('base64url'),
  )
  const privateKey = { key: { kty: 'EC', crv: 'P-256', d: d!, x: x!, y: y! }, format: 'jwk' } as const
  return {
    spki,
    own: ownCheck(Buffer.from(d!, 'base64url'), spki),
    sign: (text: Uint8Array) => sign('sha256', text, privateKey),
    publicly: (text: Uint8Array, signature: Uint8Array) => verify('sha256', text, publicKey, signature),
  }
}

const some = key()

describe('A signature that is checked by the key that made it', () => {
  it('holds where RFC 6979 A.2.5 says so', () => {
    const scalar = Buffer.from('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721', 'hex')
    const { own, spki } = key(scalar)
    assert.equal(toHex(spki.subarray(27, 59)), '60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6')
    const sample = signatureOf(
      0xefd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716n,
      0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8n,
    )
    const test = signatureOf(
      0xf1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367n,
      0x019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083n,
    )
    const [one, other] = [Buffer.from('sample'), Buffer.from('test')]
    assert.deepEqual(
      own([
        [one, sample],
        [other, test],
        [other, sample],
        [one, test],
      ]),
      [true, true, false, false],
    )
  })

  it('holds as the public key says, for thousands of them, good and bad, in groups of every size', () => {
    let [looked, held] = [0, 0]
    for (let round = 0; round < 8; round++) {
      const { own, sign: signs, publicly } = key()
      const all = Array.from({ length: 300 }, (_, n) => {
        const text = hash('sha512', `${round} ${n}`, 'buffer')
        const signature = signs(text)
        // Every third is spoilt somewhere.
        if (n % 3 === 0) signature[n % signature.length]! ^= 1 << (n % 8)
        return [text, signature] as const
      })
      for (let at = 0, size = 0; at < all.length; at += size) {
        size = 1 + ((at + round) % 37)
        const group = all.slice(at, at + size)
        const verdicts = own(group)
        assert.deepEqual(
          verdicts,
          group.map(([text, signature]) => publicly(text, signature)),
        )
        looked += verdicts.length
        held += verdicts.filter(Boolean).length
      }
    }
    assert.deepEqual([looked, held], [2400, 1600])
  })

  it('holds no more when any one bit of it, or of what was signed, is changed', () => {
    const text = Buffer.from('to be signed, and rather short')
    const signature = some.sign(text)
    const flipped = (octets: Buffer) =>
      Array.from({ length: octets.length * 8 }, (_, bit) => {
        const changed = Buffer.from(octets)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        return changed
      })
    const signatures = flipped(signature).map(changed => [text, changed] as const)
    const texts = flipped(text).map(changed => [changed, signature] as const)
    for (const group of [signatures, texts]) {
      assert.ok(group.length >= 240)
      assert.deepEqual(some.own(group), Array(group.length).fill(false))
      // One bad one spoils none beside it.
      assert.deepEqual(some.own([[text, signature], ...group.slice(0, 5), [text, signature]]).filter(Boolean), [
        true,
        true,
      ])
    }
    assert.ok(signatures.every(([, changed]) => !some.publicly(text, changed)))
  })

  it('is judged as the public key judges it, whatever stands in its place', () => {
    const text = Buffer.from('any')
    const signature = some.sign(text)
    const spoilt = fc
      .tuple(fc.nat(signature.length), fc.nat(3), fc.uint8Array({ maxLength: 3 }))
      .map(([at, out, put]) => Buffer.concat([signature.subarray(0, at), put, signature.subarray(at + out)]))
    fc.assert(
      fc.property(fc.oneof(spoilt, fc.uint8Array({ maxLength: 80 })), candidate => {
        assert.deepEqual(some.own([[text, candidate]]), [some.publicly(text, candidate)])
      }),
    )
  })

  it('holds for numbers from 1 up to the order only', () => {
    const text = Buffer.from('ranges')
    const read = /^30..02(..)((?:..)*)$/.exec(toHex(some.sign(text)))!
    const r = BigInt(`0x${read[2]!.slice(0, Number.parseInt(read[1]!, 16) * 2)}`)
    const s = BigInt(`0x${read[2]!.slice(Number.parseInt(read[1]!, 16) * 2 + 4)}`)
    const cases: [r: bigint, s: bigint, holds: boolean][] = [
      [r, s, true],
      // ECDSA holds for the negative of s too.
      [r, order - s, true],
      [r, s + order, false],
      [r + order, s, false],
      [0n, s, false],
      [r, 0n, false],
      [order, s, false],
      [r, order, false],
      [0n, 0n, false],
    ]
    for (const [one, other, holds] of cases) {
      assert.deepEqual(some.own([[text, signatureOf(one, other)]]), [holds], `${one} ${other}`)
      assert.equal(some.publicly(text, signatureOf(one, other)), holds)
    }
  })

  it('holds for one s of those that are the same by the order, and in one encoding', () => {
    const text = Buffer.from('a key by which s is 5')
    const h = BigInt(`0x${hash('sha256', text, 'hex')}`)
    const curve = createECDH('prime256v1')
    curve.setPrivateKey(hex(0xabcdefn))
    const r = BigInt(`0x${toHex(curve.getPublicKey().subarray(1, 33))}`) % order
    // s = (h + r·d)/k, solved for d.
    const { own, publicly } = key(hex((((5n * 0xabcdefn + order - (h % order)) % order) * inverse(r)) % order))
    const more = der.sequence(der.integer(r), der.integer(5n), der.integer(1n))
    const cases = [
      [signatureOf(r, 5n), true],
      [signatureOf(r, 5n + order), false],
      [more, false],
      [Buffer.concat([signatureOf(r, 5n), Buffer.of(0)]), false],
    ] as const
    for (const [signature, holds] of cases) {
      assert.deepEqual(own([[text, signature]]), [holds], toHex(signature))
      assert.equal(publicly(text, signature), holds)
    }
  })

  it('does not hold when it leads to the point at infinity', () => {
    const text = Buffer.from('a key for this text alone')
    const h = BigInt(`0x${hash('sha256', text, 'hex')}`)
    // h + r·d = 0, by the choice of d.
    const r = 7n
    const { own, publicly } = key(hex((((order - (h % order)) % order) * inverse(r)) % order))
    assert.deepEqual(own([[text, signatureOf(r, 5n)]]), [false])
    assert.equal(publicly(text, signatureOf(r, 5n)), false)
  })

  it('does not hold for another key, either way round', () => {
    const [a, b] = [key(), key()]
    const text = Buffer.from('whose')
    assert.deepEqual(a.own([[text, b.sign(text)]]), [false])
    assert.deepEqual(b.own([[text, a.sign(text)]]), [false])
    assert.deepEqual(
      a.own([
        [text, a.sign(text)],
        [text, b.sign(text)],
      ]),
      [true, false],
    )
  })

  it('cannot be checked at all by a key that does not belong to the public one', () => {
    const [a, b] = [makePair('P-256'), makePair('P-256')]
    assert.doesNotThrow(() => ownCheck(scalarOf(a.pkcs8), a.spki))
    assert.throws(() => ownCheck(scalarOf(a.pkcs8), b.spki), refused('KEYSTORE_DAMAGED'))
  })

  it('is nothing in a group of none', () => assert.deepEqual(some.own([]), []))
})

describe('A software key store', () => {
  it('checks its own signatures, for the public key that the label has', () => {
    const store = create()
    const spki = store.generate('one', 'P-256')
    const other = store.generate('other', 'P-256')
    const good = [octets, store.sign('one', octets)] as const
    const bad = [octets, store.sign('other', octets)] as const
    assert.deepEqual(store.checkOwn!('one', spki, [good, bad, good]), [true, false, true])
    assert.deepEqual(store.checkOwn!('one', other, [good, bad]), [false, false])
    assert.deepEqual(store.checkOwn!('other', other, [good, bad]), [false, true])
    store.generate('ed', 'Ed25519')
    assert.equal(store.checkOwn!('ed', store.publicKey('ed'), [good]), undefined)
    store.keepSecret('secret', octets)
    assert.throws(() => store.checkOwn!('secret', spki, [good]), refused('KEY_NOT_FOR_THIS'))
    store.destroy('one')
    assert.throws(() => store.checkOwn!('one', spki, [good]), refused('KEY_UNKNOWN'))
  })

  it('is not misled by a label that is back with another key', () => {
    const store = create()
    const before = store.generate('one', 'P-256')
    const old = [octets, store.sign('one', octets)] as const
    store.destroy('one')
    const now = store.generate('one', 'P-256')
    assert.deepEqual(store.checkOwn!('one', before, [old]), [false])
    assert.deepEqual(store.checkOwn!('one', now, [old, [octets, store.sign('one', octets)]]), [false, true])
  })
})

it('The scalar of a P-256 key is found in its PKCS #8', () => {
  for (let n = 0; n < 50; n++) {
    const { spki, pkcs8 } = makePair('P-256')
    const { key: publicKey } = importPublic(spki)
    const text = Buffer.from(`${n}`)
    const own = ownCheck(scalarOf(pkcs8), spki)
    const signed = sign('sha256', text, { key: pkcs8, format: 'der', type: 'pkcs8' })
    assert.ok(verify('sha256', text, publicKey, signed))
    assert.deepEqual(own([[text, signed]]), [true])
  }
})
