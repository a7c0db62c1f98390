/** What every module for symmetric keys must do: one contract, run on each kind. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { memoryLedger, sendingCounters } from '../dlms/counter.ts'
import { example, noVectors, octets, upper, vectors } from '../dlms/testing.ts'
import { softwareDlmsCipher } from './dlms-cipher.ts'
import { type HsmKeyRole, roleOf, type SymmetricModule } from './symmetric.ts'
import { wrapToTransportKey } from './transport.ts'

/** Makes an empty module, and says how it is put away again. */
export type MakeModule = () => { module: SymmetricModule; remove(): void }

const types = ['MK', 'AK', 'GUEK', 'GBEK', 'DK'] as const
const refused = (code: string) => ({ name: 'Refusal', code })
const otherRole = { 'DCO Key': 'Shared Key', 'Shared Key': 'DCO Key' } as const
const text = octets('C001C1000100002B0100FF0200')

/** Declares the tests. Standards' vectors come in as inherited keys do: wrapped to a transport key. */
export function symmetricContract(name: string, make: MakeModule): void {
  describe(`${name}: a module for symmetric keys`, () => {
    let made: ReturnType<MakeModule>
    let module: SymmetricModule
    let transport: Uint8Array

    before(() => {
      made = make()
      module = made.module
      transport = module.makeTransportKey('import')
      module.makeHsmKey('dco', 'DCO Key')
      module.makeHsmKey('shared', 'Shared Key')
      module.makeHsmKey('seal', 'seal')
    })
    after(() => made.remove())

    const importHsmKey = (label: string, role: HsmKeyRole, key: Uint8Array) =>
      module.importHsmKey({ label, role, transport: 'import', wrapped: wrapToTransportKey(transport, key) })
    const importKey = <T extends (typeof types)[number]>(type: T, key: Uint8Array, hsmKey: string) =>
      module.importKey({ type, id: type, hsmKey, transport: 'import', wrapped: wrapToTransportKey(transport, key) })
    const labelFor = (type: (typeof types)[number]) => (roleOf[type] === 'DCO Key' ? 'dco' : 'shared')

    it('packages as FIPS 197 says (vector S1)', { skip: noVectors }, () => {
      const found = vectors('aes-block').filter(vector => vector.id === 'S1')
      assert.equal(found.length, 1)
      for (const { id, given, expect } of found) {
        importHsmKey(id, 'DCO Key', octets(given.key!))
        const { key, packaged } = importKey('AK', octets(given.block!), id)
        assert.equal(upper(packaged.octets), expect.block)
        const opened = module.openPackage('AK', 'opened', packaged)
        assert.ok(module.same(key, opened))
        key.close()
        opened.close()
      }
    })

    it('seals as RFC 4493 says (vectors S2 to S5)', { skip: noVectors }, () => {
      const found = vectors('aes-cmac')
      assert.equal(found.length, 4)
      importHsmKey('rfc4493', 'seal', octets(found[0]!.given.key!))
      for (const { id, given, expect } of found) {
        const seal = module.sealRecord('rfc4493', octets(given.message!))
        assert.equal(upper(seal), expect.mac, id)
        assert.ok(module.checkSeal('rfc4493', octets(given.message!), seal), id)
      }
    })

    it('finds every seal wrong that was changed, cut or made over something else', () => {
      const record = randomBytes(57)
      const seal = module.sealRecord('seal', record)
      assert.ok(module.checkSeal('seal', record, seal))
      for (let bit = 0; bit < 128; bit++) {
        const bad = Buffer.from(seal)
        bad[bit >> 3]! ^= 1 << (bit & 7)
        assert.ok(!module.checkSeal('seal', record, bad))
      }
      for (const length of [0, 4, 15]) assert.ok(!module.checkSeal('seal', record, seal.subarray(0, length)))
      assert.ok(!module.checkSeal('seal', record, Buffer.concat([seal, Buffer.of(0)])))
      assert.ok(!module.checkSeal('seal', record.subarray(1), seal))
    })

    it('makes keys that differ, and that open from their packages as the same', () => {
      for (const type of types) {
        const a = module.makeKey(type, `${type} 1`, labelFor(type))
        const b = module.makeKey(type, `${type} 2`, labelFor(type))
        const again = module.openPackage(type, `${type} again`, a.packaged)
        assert.deepEqual([again.type, again.id], [type, `${type} again`])
        assert.ok(module.same(a.key, again) && !module.same(a.key, b.key), type)
        assert.equal(a.packaged.octets.length, 16)
        assert.notDeepEqual(a.packaged.octets, b.packaged.octets)
        for (const key of [a.key, b.key, again]) key.close()
      }
    })

    it('tells that keys of two types are one key', () => {
      const octets = randomBytes(16)
      const ak = importKey('AK', octets, 'dco')
      const guek = importKey('GUEK', octets, 'shared')
      assert.ok(module.same(ak.key, guek.key))
      assert.notDeepEqual(ak.packaged.octets, guek.packaged.octets)
      ak.key.close()
      guek.key.close()
    })

    it('packages and opens each type under the role that follows from it, and refuses every other', () => {
      const labels = { 'DCO Key': 'dco', 'Shared Key': 'shared' }
      for (const type of types) {
        const made = module.makeKey(type, type, labelFor(type))
        made.key.close()
        const wrong = labels[otherRole[roleOf[type]]]
        const moved = { ...made.packaged, hsmKey: wrong }
        for (const hsmKey of [wrong, 'seal']) {
          assert.throws(() => module.makeKey(type, type, hsmKey), refused('HSM_KEY_ROLE'))
          assert.throws(() => importKey(type, randomBytes(16), hsmKey), refused('HSM_KEY_ROLE'))
          assert.throws(() => module.repackage(type, made.packaged, hsmKey), refused('HSM_KEY_ROLE'))
          assert.throws(() => module.openPackage(type, type, { ...made.packaged, hsmKey }), refused('HSM_KEY_ROLE'))
        }
        assert.throws(() => module.repackage(type, moved, labelFor(type)), refused('HSM_KEY_ROLE'))
      }
      for (const hsmKey of ['dco', 'shared']) {
        assert.throws(() => module.sealRecord(hsmKey, text), refused('HSM_KEY_ROLE'))
        assert.throws(() => module.checkSeal(hsmKey, text, randomBytes(16)), refused('HSM_KEY_ROLE'))
      }
      assert.throws(() => module.proveHsmKey('seal'), refused('HSM_KEY_ROLE'))
    })

    it('refuses packages of other lengths and kinds, and HSM Keys that it does not have', () => {
      const packaged = { hsmKey: 'dco', packaging: 'AES-128-ECB' as const, octets: randomBytes(16) }
      for (const length of [0, 15, 17, 24, 32]) {
        const bad = { ...packaged, octets: randomBytes(length) }
        assert.throws(() => module.openPackage('AK', 'ak', bad), refused('PACKAGE_UNKNOWN'))
      }
      const other = { ...packaged, packaging: 'AES-128-CBC' as never }
      assert.throws(() => module.openPackage('AK', 'ak', other), refused('PACKAGE_UNKNOWN'))
      for (const hsmKey of ['none', '', 'import']) {
        assert.throws(() => module.makeKey('AK', 'ak', hsmKey), refused('KEY_UNKNOWN'))
        assert.throws(() => module.openPackage('AK', 'ak', { ...packaged, hsmKey }), refused('KEY_UNKNOWN'))
        assert.throws(() => module.sealRecord(hsmKey, text), refused('KEY_UNKNOWN'))
      }
    })

    it('repackages under a newer key of the same role, and it is the same key', () => {
      module.makeHsmKey('dco 2', 'DCO Key')
      const { key, packaged } = module.makeKey('MK', 'mk', 'dco')
      const renewed = module.repackage('MK', packaged, 'dco 2')
      assert.equal(renewed.hsmKey, 'dco 2')
      assert.notDeepEqual(renewed.octets, packaged.octets)
      const opened = module.openPackage('MK', 'mk', renewed)
      assert.ok(module.same(key, opened))
      key.close()
      opened.close()
    })

    it('does the cipher of DLMS as the cipher in memory does, both ways', async () => {
      const software = softwareDlmsCipher()
      const counters = sendingCounters(memoryLedger(7))
      const keys = { guek: randomBytes(16), ak: randomBytes(16), dk: randomBytes(16) }
      const ours = {
        guek: importKey('GUEK', keys.guek, 'shared').key,
        ak: importKey('AK', keys.ak, 'dco').key,
        dk: importKey('DK', keys.dk, 'shared').key,
      }
      const theirs = {
        guek: software.hold('GUEK', 'GUEK', keys.guek),
        ak: software.hold('AK', 'AK', keys.ak),
        dk: software.hold('DK', 'DK', keys.dk),
      }
      const take = () => counters.take(ours.guek, example.client)
      const iv = (counter: { title: Uint8Array; value: number }) => {
        const octets = Buffer.alloc(12)
        octets.set(counter.title)
        octets.writeUInt32BE(counter.value, 8)
        return octets
      }
      const { cipher } = module
      let counter = await take()
      const sealed = cipher.seal(ours.guek, ours.ak, counter, 0x30, text)
      assert.deepEqual(software.open(theirs.guek, theirs.ak, iv(counter), 0x30, sealed), text)
      assert.deepEqual(cipher.open(ours.guek, ours.ak, iv(counter), 0x30, sealed), text)
      for (const at of [0, sealed.length - 1]) {
        const bad = Buffer.from(sealed)
        bad[at]! ^= 1
        assert.throws(() => cipher.open(ours.guek, ours.ak, iv(counter), 0x30, bad), refused('DLMS_TAG'))
      }
      assert.throws(() => cipher.open(ours.guek, ours.ak, iv(counter), 0x31, sealed), refused('DLMS_TAG'))
      assert.throws(
        () => cipher.open(ours.guek, ours.ak, iv(counter), 0x30, sealed.subarray(0, 11)),
        refused('DLMS_TAG'),
      )
      assert.throws(() => cipher.seal(ours.guek, ours.ak, counter, 0x30, text), /used twice/)

      counter = await take()
      const tag = cipher.authenticate(ours.guek, ours.ak, counter, 0x10, text)
      assert.equal(tag.length, 12)
      software.verify(theirs.guek, theirs.ak, iv(counter), 0x10, text, tag)
      cipher.verify(ours.guek, ours.ak, iv(counter), 0x10, text, tag)
      const bad = Buffer.from(tag)
      bad[11]! ^= 1
      assert.throws(() => cipher.verify(ours.guek, ours.ak, iv(counter), 0x10, text, bad), refused('DLMS_TAG'))
      assert.throws(
        () => cipher.verify(ours.guek, ours.ak, iv(counter), 0x10, text, tag.subarray(0, 8)),
        refused('DLMS_TAG'),
      )

      counter = await take()
      const enciphered = cipher.encipher(ours.guek, counter, text)
      assert.deepEqual(software.decipher(theirs.guek, iv(counter), enciphered), text)
      assert.deepEqual(cipher.decipher(ours.guek, iv(counter), enciphered), text)

      // A Dedicated Key travels inside a text without its octets being asked for.
      counter = await take()
      const carried = cipher.seal(ours.guek, ours.ak, counter, 0x30, [octets('0101'), ours.dk, octets('00')])
      assert.deepEqual(
        software.open(theirs.guek, theirs.ak, iv(counter), 0x30, carried),
        Buffer.concat([octets('0101'), keys.dk, octets('00')]),
      )
      const dedicated = await counters.take(ours.dk, example.client)
      const underDk = cipher.seal(ours.dk, ours.ak, dedicated, 0x30, text)
      assert.deepEqual(software.open(theirs.dk, theirs.ak, iv(dedicated), 0x30, underDk), text)
      for (const key of Object.values(ours)) key.close()
      assert.throws(() => cipher.decipher(ours.guek, iv(counter), enciphered), /closed/)
    })

    it('opens the published APDUs', { skip: noVectors }, () => {
      const found = vectors('apdu').filter(({ given }) => given.sc === '30' && given.framing === 'glo')
      assert.ok(found.length >= 5, `${found.length}`)
      for (const { id, given, expect } of found) {
        const { key } = importKey('GUEK', octets(given.key!), 'shared')
        const { key: ak } = importKey('AK', octets(given.ak!), 'dco')
        const plain = octets(given.plain!)
        const sealed = octets(expect.apdu!).subarray(-(plain.length + 12))
        const iv = octets(given.systemTitle! + given.ic!)
        assert.deepEqual(module.cipher.open(key, ak, iv, 0x30, sealed), plain, id)
        key.close()
        ak.close()
      }
    })

    it('wraps for the Device as RFC 3394 says (vectors V7 and W1)', { skip: noVectors }, () => {
      const found = vectors('key-wrap')
      assert.equal(found.length, 2)
      for (const { id, given, expect } of found) {
        const { key: mk } = importKey('MK', octets(given.kek!), 'dco')
        for (const type of ['MK', 'AK', 'GUEK', 'GBEK'] as const) {
          const { key } = importKey(type, octets(given.key!), labelFor(type))
          const wrapped = module.cipher.wrap(mk, key)
          assert.equal(upper(wrapped), expect.wrapped, `${id} ${type}`)
          const unwrapped = module.cipher.unwrap(mk, wrapped, type, 'unwrapped')
          assert.deepEqual(module.cipher.wrap(mk, unwrapped), wrapped)
          unwrapped.close()
          key.close()
        }
        const bad = octets(expect.wrapped!)
        bad[23]! ^= 1
        assert.throws(() => module.cipher.unwrap(mk, bad, 'AK', 'no'), refused('DLMS_WRAP'))
        assert.throws(() => module.cipher.unwrap(mk, bad.subarray(8), 'AK', 'no'), refused('DLMS_WRAP'))
        mk.close()
      }
    })

    it('takes a key where it is due and nowhere else', () => {
      const { key: mk } = module.makeKey('MK', 'mk', 'dco')
      const { key: ak } = module.makeKey('AK', 'ak', 'dco')
      const { key: guek } = module.makeKey('GUEK', 'guek', 'shared')
      const { key: dk } = module.makeKey('DK', 'dk', 'shared')
      const due = /a key of type \w+ where/
      assert.throws(() => module.cipher.decipher(mk as never, Buffer.alloc(12), text), due)
      assert.throws(() => module.cipher.decipher(ak as never, Buffer.alloc(12), text), due)
      assert.throws(() => module.cipher.wrap(guek as never, ak), due)
      assert.throws(() => module.cipher.wrap(mk, dk as never), due)
      assert.throws(() => module.cipher.open(guek, dk as never, Buffer.alloc(12), 0x30, Buffer.alloc(20)), due)
      for (const key of [mk, ak, guek, dk]) key.close()
    })

    it('hands an HSM Key to the module that was named when it was made, and that module proves it', () => {
      const other = make()
      try {
        const recipient = other.module.makeTransportKey('ours')
        assert.deepEqual(other.module.transportKey('ours'), recipient)
        const [wrapped] = module.makeHsmKey('shared 2', 'Shared Key', [recipient])
        const arrival = { label: 'shared 2', role: 'Shared Key' as const, transport: 'ours', wrapped: wrapped! }
        const bad = Buffer.from(wrapped!)
        bad[100]! ^= 1
        assert.throws(() => other.module.importHsmKey({ ...arrival, wrapped: bad }), refused('TRANSPORT_REFUSED'))
        other.module.importHsmKey(arrival)
        assert.throws(() => other.module.importHsmKey(arrival), refused('KEY_EXISTS'))
        const proof = other.module.proveHsmKey('shared 2')
        assert.ok(module.checkHsmKeyProof('shared 2', proof))
        assert.ok(!module.checkHsmKeyProof('shared', proof), 'another key does not prove it')
        const { key, packaged } = module.makeKey('GUEK', 'guek', 'shared 2')
        const there = other.module.openPackage('GUEK', 'guek', packaged)
        const { key: mk } = importKey('MK', example.guek, 'dco')
        other.module.makeHsmKey('dco', 'DCO Key')
        const theirMk = other.module.importKey({
          type: 'MK',
          id: 'mk',
          hsmKey: 'dco',
          transport: 'ours',
          wrapped: wrapToTransportKey(recipient, example.guek),
        }).key
        assert.deepEqual(other.module.cipher.wrap(theirMk, there), module.cipher.wrap(mk, key))
        assert.throws(() => module.same(key, there), /another module/)
      } finally {
        other.remove()
      }
    })

    it('lists its HSM Keys, keeps a label to one key, and is not misled by a recipient that is none', () => {
      const before = module.hsmKeys()
      assert.deepEqual(
        before.find(({ label }) => label === 'dco'),
        { label: 'dco', role: 'DCO Key' },
      )
      assert.deepEqual(
        before.map(({ label }) => label),
        before.map(({ label }) => label).toSorted(),
      )
      assert.throws(() => module.makeHsmKey('dco', 'Shared Key'), refused('KEY_EXISTS'))
      assert.throws(() => module.makeHsmKey('dco', 'DCO Key'), refused('KEY_EXISTS'))
      assert.throws(() => module.makeTransportKey('import'), refused('KEY_EXISTS'))
      assert.throws(() => module.makeHsmKey('new', 'DCO Key', [randomBytes(100)]), refused('KEY_UNUSABLE'))
      for (const label of ['', ' a', 'a ', 'x'.repeat(101)]) {
        assert.throws(() => module.makeHsmKey(label, 'seal'), refused('KEY_LABEL_INVALID'))
        assert.throws(() => module.makeTransportKey(label), refused('KEY_LABEL_INVALID'))
        assert.throws(() => importHsmKey(label, 'seal', randomBytes(16)), refused('KEY_LABEL_INVALID'))
      }
      assert.deepEqual(module.hsmKeys(), before)
      for (const wrapped of [randomBytes(384), randomBytes(16), wrapToTransportKey(transport, randomBytes(32))]) {
        const arrival = { type: 'AK' as const, id: 'ak', hsmKey: 'dco', transport: 'import', wrapped }
        assert.throws(() => module.importKey(arrival), refused('TRANSPORT_REFUSED'))
        const hsmKey = { label: 'arrives', role: 'DCO Key' as const, transport: 'import', wrapped }
        assert.throws(() => module.importHsmKey(hsmKey), refused('TRANSPORT_REFUSED'))
      }
    })
  })
}
