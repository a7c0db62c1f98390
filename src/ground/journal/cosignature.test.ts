import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../bytes.ts'
import { openCheckpoint } from './checkpoint.ts'
import { cosign, cosignaturesOf, parseWitnessKey, witnessKey, witnessKeyText } from './cosignature.ts'
import { BadNote, parseVerifierKey } from './note.ts'
import { pkcs8, testKey } from './testing.ts'

// A checkpoint of a public Certificate Transparency log (arche2025h1, staging), with its own signature and those of four
// public witnesses, and the keys that their operators publish.
const real = `arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
`
const logKey = 'arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f'
const witnessKeys = [
  'transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM',
  'witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO',
  'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2',
  'witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv',
]
const witnesses = witnessKeys.map(text => parseWitnessKey(text))

const key = createPrivateKey({ key: testKey.pkcs8, format: 'der', type: 'pkcs8' })
const signer = {
  name: 'witness.example/w1',
  publicKey: testKey.publicKey,
  sign: (octets: Uint8Array) => sign(null, octets, key),
}
const ours = witnessKey(signer.name, signer.publicKey)
const text = 'smki.example/journal\n3\nhgI3THODi6NGB5LFYh5w/zy5zz1kvgxZScx6sI8F+mo=\n'

describe('a cosignature', () => {
  it('of four public witnesses under a checkpoint of a public log holds, with the instant that they name', () => {
    const { origin, size } = openCheckpoint(real, [parseVerifierKey(logKey)])
    assert.deepEqual([origin, size], ['arche2025h1.staging.ct.transparency.dev', 1432088532])
    const found = cosignaturesOf(real, witnesses)
    assert.deepEqual(
      found.map(one => witnessKeyText(one.key)),
      witnessKeys,
    )
    assert.deepEqual([...new Set(found.map(one => one.at.getTime()))], [0x6a122120 * 1000])
    for (const { line } of found) assert.ok(real.includes(`\n${line}`), 'the line is the one that stands there')
  })

  it('is read back as it was made, and is not a signature over the text itself', async () => {
    const line = await cosign(text, new Date('2026-11-20T08:00:00.999Z'), signer)
    const [only, ...others] = cosignaturesOf(`${text}\n${line}`, [ours, ...witnesses])
    assert.deepEqual([only?.at, only?.line, others], [new Date('2026-11-20T08:00:00Z'), line, []])
    assert.throws(() => openCheckpoint(`${text}\n${line}`, [parseVerifierKey(logKey)]), BadNote)
    assert.notEqual(toHex(ours.keyId), '88a6ac60')
  })

  it('is refused with any one octet of what it covers changed, its time included', async () => {
    const note = `${text}\n${await cosign(text, new Date(1_700_000_000_000), signer)}`
    const octets = Buffer.from(note)
    let refused = 0
    fc.assert(
      fc.property(fc.nat(octets.length - 1), fc.integer({ min: 1, max: 127 }), (at, change) => {
        const other = Buffer.from(octets)
        other[at]! ^= change
        try {
          // What names another key is passed over: nothing is claimed then.
          assert.deepEqual(cosignaturesOf(other.toString(), [ours]), [])
        } catch (cause) {
          assert.ok(cause instanceof BadNote, String(cause))
          refused += 1
        }
      }),
      { numRuns: 300 },
    )
    assert.ok(refused > 100, `${refused} refused`)
  })

  it('does not leave when the key that signs is another', async () => {
    const other = createPrivateKey({ key: pkcs8(Buffer.alloc(32, 7)), format: 'der', type: 'pkcs8' })
    const wrong = { ...signer, sign: (octets: Uint8Array) => sign(null, octets, other) }
    await assert.rejects(cosign(text, new Date(0), wrong), /does not hold the key/)
  })

  it('has keys of a type of their own: a log’s key is none, and a witness’s is none of a log', () => {
    assert.throws(() => parseWitnessKey(logKey), RangeError)
    for (const one of witnessKeys) assert.throws(() => parseVerifierKey(one), RangeError)
  })
})
