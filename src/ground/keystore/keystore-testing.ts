/** What every key store must do: one contract, run on each kind. */

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import { attachKeyStore, type OpenKeyStore } from './attach.ts'
import { verifySignature } from './check.ts'
import type { KeyKind } from './keystore.ts'

/** A way to have key stores: `make` an empty one, `open` the same one again, by another passphrase if one is given. */
export interface KeyStoresOfAKind {
  make(): OpenKeyStore
  open(store: OpenKeyStore, passphrase?: string): OpenKeyStore
}

const refused = (code: string) => ({ name: 'Refusal', code })
const octets = Buffer.from('to be signed')
const kinds: readonly KeyKind[] = ['P-256', 'RSA-2048', 'RSA-4096', 'Ed25519']

/** Declares the tests. `make` is called once for each `it`. */
export function keyStoreContract(name: string, { make, open }: KeyStoresOfAKind): void {
  describe(`${name}: a key store`, () => {
    const home = mkdtempSync(join(tmpdir(), 'contract-'))
    after(() => rmSync(home, { recursive: true }))

    it('has what was put into it when it is opened again', () => {
      const store = make()
      const key = store.generate('Issuing OCA Z1', 'P-256')
      store.keepSecret('a share', Buffer.from('0102030405', 'hex'))
      const again = open(store)
      assert.equal(again.identity, store.identity)
      assert.deepEqual(again.labels(), ['Issuing OCA Z1', 'a share'])
      assert.deepEqual(Buffer.from(again.publicKey('Issuing OCA Z1')), Buffer.from(key))
      assert.equal(again.kind('Issuing OCA Z1'), 'P-256')
      assert.equal(again.kind('a share'), 'secret')
      assert.equal(
        again.withSecret('a share', secret => Buffer.from(secret).toString('hex')),
        '0102030405',
      )
      const signature = again.sign('Issuing OCA Z1', octets)
      assert.ok(verifySignature({ spki: key, kind: 'P-256', octets, signature }))
      again.close()
      store.close()
    })

    it('refuses labels that are taken, unknown, of the wrong kind or not labels', () => {
      const store = make()
      store.generate('key', 'P-256')
      store.keepSecret('secret', octets)
      assert.throws(() => store.generate('key', 'P-256'), refused('KEY_EXISTS'))
      assert.throws(() => store.generate('secret', 'P-256'), refused('KEY_EXISTS'))
      assert.throws(() => store.keepSecret('key', octets), refused('KEY_EXISTS'))
      assert.throws(() => store.keepSecret('secret', octets), refused('KEY_EXISTS'))
      for (const call of [store.publicKey, store.kind, store.destroy]) {
        assert.throws(() => call.call(store, 'nobody'), refused('KEY_UNKNOWN'))
      }
      assert.throws(() => store.sign('nobody', octets), refused('KEY_UNKNOWN'))
      assert.throws(() => store.withSecret('nobody', () => 0), refused('KEY_UNKNOWN'))
      assert.throws(() => store.sign('secret', octets), refused('KEY_NOT_FOR_THIS'))
      assert.throws(() => store.publicKey('secret'), refused('KEY_NOT_FOR_THIS'))
      assert.throws(() => store.withSecret('key', () => 0), refused('KEY_NOT_FOR_THIS'))
      for (const label of ['', ' a', 'a ', 'a\nb', 'clé', 'x'.repeat(129)]) {
        assert.throws(() => store.generate(label, 'P-256'), refused('KEY_LABEL_INVALID'))
        assert.throws(() => store.keepSecret(label, octets), refused('KEY_LABEL_INVALID'))
      }
      store.keepSecret('x'.repeat(128), randomBytes(65_535))
      for (const length of [0, 65_536]) {
        assert.throws(() => store.keepSecret('length', Buffer.alloc(length)), refused('SECRET_LENGTH'))
      }
      assert.deepEqual(open(store).labels(), ['key', 'secret', 'x'.repeat(128)])
    })

    it('lends a secret for the moment, in a buffer that holds no other and is zeroed afterwards', () => {
      const store = make()
      const secret = randomBytes(16)
      store.keepSecret('secret', secret)
      let lent: Uint8Array = new Uint8Array(0)
      store.withSecret('secret', octets => {
        assert.deepEqual(Buffer.from(octets), secret)
        assert.equal(octets.buffer.byteLength, 16)
        lent = octets
      })
      assert.deepEqual(Buffer.from(lent), Buffer.alloc(16))
      const stumble = (octets: Uint8Array) => {
        lent = octets
        throw new Error('stumbled')
      }
      assert.throws(() => store.withSecret('secret', stumble), /stumbled/)
      assert.deepEqual(Buffer.from(lent), Buffer.alloc(16))
      assert.throws(() => store.withSecret('secret', async () => 0), TypeError)
      assert.notDeepEqual(secret, Buffer.alloc(16), 'what was given stays the giver’s')
    })

    it('does nothing any more once it is closed, and shows nothing of itself before', () => {
      const store = make()
      store.generate('key', 'P-256')
      store.sign('key', octets)
      const shown = inspect(store, { depth: 9, showHidden: true })
      assert.ok(!shown.includes('KeyObject'), shown)
      assert.ok(!inspect(store.grant(), { depth: 9, showHidden: true }).includes('pin-'), 'nor does a grant')
      store.close()
      const calls = [
        () => store.sign('key', octets),
        () => store.labels(),
        () => store.has('key'),
        () => store.reload(),
        () => store.publicKey('key'),
        () => store.generate('other', 'P-256'),
      ]
      for (const call of calls) assert.throws(call, /closed/)
    })

    it('is opened by its passphrase only, which can be changed', () => {
      const made = make()
      const key = made.generate('key', 'P-256')
      // A module logs a whole program in: another passphrase is looked at when nobody has the store open.
      made.close()
      assert.throws(() => open(made, 'pin-of another'), refused('KEYSTORE_WRONG_PASSPHRASE'))
      assert.throws(() => open(made, ''), refused('PASSPHRASE_EMPTY'))
      const store = open(made)
      store.changePassphrase(Buffer.from('pin-of another'))
      assert.throws(() => store.changePassphrase(Buffer.alloc(0)), refused('PASSPHRASE_EMPTY'))
      store.generate('later', 'P-256')
      store.close()
      assert.throws(() => open(made), refused('KEYSTORE_WRONG_PASSPHRASE'))
      const again = open(made, 'pin-of another')
      assert.deepEqual(Buffer.from(again.publicKey('key')), Buffer.from(key))
      assert.deepEqual(again.labels(), ['key', 'later'])
      again.sign('key', octets)
      again.close()
    })

    for (const kind of kinds) {
      it(`signs so that OpenSSL agrees: ${kind}`, () => {
        const store = make()
        const file = (name: string, content: Uint8Array | string) => {
          writeFileSync(join(home, `${kind}-${name}`), content)
          return join(home, `${kind}-${name}`)
        }
        const spki = store.generate('key', kind)
        const signature = open(store).sign('key', octets)
        const [key, data, sig] = [file('key', spki), file('data', octets), file('sig', signature)]
        const command =
          kind === 'Ed25519'
            ? [
                'pkeyutl',
                '-verify',
                '-pubin',
                '-keyform',
                'DER',
                '-inkey',
                key,
                '-rawin',
                '-in',
                data,
                '-sigfile',
                sig,
              ]
            : ['dgst', '-sha256', '-keyform', 'DER', '-verify', key, '-signature', sig, data]
        const said = execFileSync('openssl', command, { encoding: 'utf8' })
        assert.match(said, /Verified OK|Signature Verified Successfully/)
        file('data', 'other octets')
        assert.notEqual(spawnSync('openssl', command).status, 0)
        const lengths = { 'RSA-2048': 256, 'RSA-4096': 512, Ed25519: 64, 'P-256': signature.length }
        assert.equal(signature.length, lengths[kind])
        assert.equal(open(store).kind('key'), kind)
      })
    }

    it('signs with P-256 in DER with the shortest possible numbers, every time', () => {
      const store = make()
      store.generate('key', 'P-256')
      const lengths = new Set<number>()
      for (let i = 0; i < 400; i++) {
        const signature = Buffer.from(store.sign('key', Buffer.from(`${i}`)))
        lengths.add(signature.length)
        assert.deepEqual([signature[0], signature[1]], [0x30, signature.length - 2])
        assert.equal(integerRemoved(integerRemoved(signature.subarray(2))).length, 0)
      }
      // Numbers with and without their leading zero octet were among them, so the check has looked at both.
      assert.ok(lengths.size >= 3, `${[...lengths]}`)
    })

    it('destroys a key, another can follow under its label, and nobody signs with the old one after a reload', () => {
      const store = make()
      const other = open(store)
      const old = store.generate('key', 'P-256')
      store.keepSecret('secret', octets)
      other.reload()
      other.sign('key', octets)
      store.destroy('key')
      store.destroy('secret')
      assert.ok(!store.has('key') && !store.has('secret'))
      assert.throws(() => store.sign('key', octets), refused('KEY_UNKNOWN'))
      assert.deepEqual(open(store).labels(), [])
      const fresh = store.generate('key', 'P-256')
      other.reload()
      const signature = other.sign('key', octets)
      assert.ok(verifySignature({ spki: fresh, kind: 'P-256', octets, signature }))
      assert.ok(!verifySignature({ spki: old, kind: 'P-256', octets, signature }))
    })

    it('is opened by other threads of the program by a grant, and they work side by side', async () => {
      const store = make()
      const key = store.generate('key', 'P-256')
      const source = `
        const { workerData, parentPort } = require('node:worker_threads')
        const { randomBytes } = require('node:crypto')
        import(workerData.module).then(({ attachKeyStore }) => {
          const store = attachKeyStore(workerData.grant, n => randomBytes(n), () => new Date())
          store.generate('from ' + workerData.name, 'P-256')
          const signatures = Array.from({ length: 200 }, (_, i) => store.sign('key', Buffer.from('octets ' + i)))
          parentPort.postMessage({ identity: store.identity, signatures })
        })`
      const module = new URL('./attach.ts', import.meta.url).href
      const grant = store.grant()
      const heard = await Promise.all(
        ['a', 'b'].map(async name => {
          const worker = new Worker(source, { eval: true, workerData: { grant, module, name } })
          const said = await new Promise<{ identity: string; signatures: Uint8Array[] }>((done, fail) => {
            worker.once('message', done)
            worker.once('error', fail)
          })
          await worker.terminate()
          return said
        }),
      )
      for (const { identity, signatures } of heard) {
        assert.equal(identity, store.identity)
        assert.equal(signatures.length, 200)
        signatures.forEach((signature, i) => {
          const octets = Buffer.from(`octets ${i}`)
          assert.ok(verifySignature({ spki: key, kind: 'P-256', octets, signature }))
        })
      }
      store.reload()
      assert.deepEqual(store.labels(), ['from a', 'from b', 'key'])
      assert.ok(attachKeyStore(grant, randomBytes, () => new Date()).has('from b'))
      store.sign('key', octets)
    })
  })
}

function integerRemoved(der: Buffer): Buffer {
  const value = der.subarray(2, 2 + der[1]!)
  assert.equal(der[0], 0x02)
  assert.ok(value.length >= 1 && value.length <= 33 && value[0]! < 0x80)
  assert.ok(value.length === 1 || value[0] !== 0 || value[1]! >= 0x80, 'a needless leading zero octet')
  return der.subarray(2 + value.length)
}
