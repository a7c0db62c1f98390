import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { signCheckpoint } from './checkpoint.ts'
import { entry, readEntry } from './entry.ts'
import { leafHash, rootOf } from './merkle.ts'
import { verifierKey, verifierKeyText } from './note.ts'
import { testKey } from './testing.ts'
import { verifyJournal } from './verify.ts'

const page = await readFile(new URL('../../../docs/formats/journal.md', import.meta.url), 'utf8')

/** What stands in the block of that name, each line with its end. */
function block(name: string): string {
  const found = page.match(new RegExp(`^\`\`\`\\w+ ${name}\n(.*?\n)\`\`\`$`, 'ms'))
  assert.ok(found, `the page has a block "${name}"`)
  return found[1]!
}

const lines = (name: string) => block(name).trimEnd().split('\n')

describe('the example of docs/formats/journal.md', () => {
  it('follows from its rules, in a few lines that share nothing with the journal', () => {
    const sha256 = (...parts: (string | Buffer)[]) =>
      createHash('sha256')
        .update(Buffer.concat(parts.map(part => Buffer.from(part))))
        .digest()
    const [zero, one] = [Buffer.of(0), Buffer.of(1)]
    const treeOfThree = ([a, b, c]: Buffer[]) => sha256(one, sha256(one, a!, b!), c!)

    const leaves = lines('entries').map(text => sha256(zero, text))
    assert.deepEqual(
      leaves.map(leaf => leaf.toString('hex')),
      lines('leaf hashes'),
    )
    const root = treeOfThree(leaves)
    assert.equal(root.toString('hex'), lines('root')[0])

    const [name, id, ...base64Of] = lines('verifier key')[0]!.split('+') as [string, string, ...string[]]
    const encoded = base64Of.join('+')
    const publicKey = Buffer.from(encoded, 'base64').subarray(1)
    assert.equal(sha256(name, '\n', one, publicKey).toString('hex').slice(0, 8), id)

    const [text, signatures] = block('checkpoint').split('\n\n') as [string, string]
    assert.equal(text, `${name}\n3\n${root.toString('base64')}`)
    const [dash, signed, base64] = signatures.trimEnd().split(' ') as [string, string, string]
    const signature = Buffer.from(base64, 'base64')
    assert.deepEqual([dash, signed, signature.subarray(0, 4).toString('hex')], ['\u2014', name, id])
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') }
    const ed25519 = createPublicKey({ key: jwk, format: 'jwk' })
    assert.ok(verify(null, Buffer.from(`${text}\n`), ed25519, signature.subarray(4)))

    const group = treeOfThree(['one', 'two', 'three'].map(octets => sha256(zero, octets)))
    assert.equal(JSON.parse(lines('entries')[1]!).certificatesRoot, group.toString('hex'))
  })

  it('is what the journal makes of it', async () => {
    const octets = lines('entries').map(text => Buffer.from(text))
    for (const [number, text] of octets.entries()) {
      const { act, at, body } = readEntry(text)
      assert.deepEqual(entry(act, at, body), text, `entry ${number}`)
    }
    const root = rootOf(octets.map(leafHash))
    const key = createPrivateKey({ key: testKey.pkcs8, format: 'der', type: 'pkcs8' })
    const note = await signCheckpoint(3, root, { ...testKey, sign: text => sign(null, text, key) })
    assert.equal(note, block('checkpoint'))
    const verifier = verifierKey(testKey.name, testKey.publicKey)
    assert.equal(verifierKeyText(verifier), lines('verifier key')[0])
    const entries = octets.map((octets, position) => ({ position, octets }))
    const report = await verifyJournal({ entries, checkpoints: [{ note }], verifierKeys: [verifier] })
    assert.deepEqual([report.holds, report.entries, report.checkpoints], [true, 3, 1])
  })
})
