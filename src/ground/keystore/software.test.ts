import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { verifySignature } from './check.ts'
import { createSoftwareKeyStore, openSoftwareKeyStore } from './software.ts'
import {
  chance,
  cheap,
  create,
  home,
  newPath,
  octets,
  open,
  passphrase,
  readByThePage,
  refused,
} from './software-testing.ts'

describe('A software key store', () => {
  it('has what was put into it when it is opened again', () => {
    const store = create()
    const key = store.generate('Issuing OCA Z1', 'P-256')
    store.keepSecret('a share', Buffer.from('0102030405', 'hex'))
    const again = open(store.path)
    assert.equal(again.identity, store.identity)
    assert.match(again.identity, /^software:issuing:[0-9a-f]{8}$/)
    assert.deepEqual(again.labels(), ['Issuing OCA Z1', 'a share'])
    assert.deepEqual(again.publicKey('Issuing OCA Z1'), key)
    assert.equal(again.kind('Issuing OCA Z1'), 'P-256')
    assert.equal(again.kind('a share'), 'secret')
    assert.equal(
      again.withSecret('a share', secret => Buffer.from(secret).toString('hex')),
      '0102030405',
    )
    const signature = again.sign('Issuing OCA Z1', octets)
    assert.ok(verifySignature({ spki: key, kind: 'P-256', octets, signature }))
  })

  it('is opened by its passphrase only, which can be changed', () => {
    const store = create()
    const key = store.generate('key', 'P-256')
    const attempt = (text: string) =>
      openSoftwareKeyStore({ ...cheap, path: store.path, passphrase: Buffer.from(text) })
    assert.throws(() => attempt('correct horse battery stapl'), refused('KEYSTORE_WRONG_PASSPHRASE'))
    assert.throws(() => attempt('correct horse battery staple '), refused('KEYSTORE_WRONG_PASSPHRASE'))
    assert.throws(() => attempt(''), refused('PASSPHRASE_EMPTY'))
    const other = open(store.path)
    store.changePassphrase(Buffer.from('another'))
    assert.throws(() => attempt(passphrase.toString()), refused('KEYSTORE_WRONG_PASSPHRASE'))
    assert.deepEqual(attempt('another').publicKey('key'), key)
    store.generate('later', 'P-256')
    assert.throws(() => other.reload(), refused('KEYSTORE_PASSPHRASE_CHANGED'))
    assert.throws(() => other.generate('lost', 'P-256'), refused('KEYSTORE_PASSPHRASE_CHANGED'))
    assert.deepEqual(attempt('another').labels(), ['key', 'later'])
  })

  it('costs a guesser N = 2^17 unless a test says otherwise', () => {
    const path = newPath()
    const dear = { path, name: 'root', passphrase, chance }
    assert.throws(() => createSoftwareKeyStore({ ...dear, log2N: 16 }), refused('KEYSTORE_WEAK'))
    createSoftwareKeyStore(dear).keepSecret('s', octets)
    assert.deepEqual([...readByThePage(path).header.subarray(9, 13)], [1, 17, 8, 1])
    assert.ok(openSoftwareKeyStore(dear).has('s'))
    assert.throws(() => openSoftwareKeyStore({ path: create().path, passphrase, chance }), refused('KEYSTORE_WEAK'))
  })

  it('is not made where something is already, nor under a name that is none, and is missed where there is nothing', () => {
    const { path } = create()
    const octetsBefore = fs.readFileSync(path)
    assert.throws(() => create(path), refused('KEYSTORE_EXISTS'))
    assert.deepEqual(fs.readFileSync(path), octetsBefore)
    for (const name of ['', 'Issuing', '1st', 'a b', 'x'.repeat(33)]) {
      assert.throws(
        () => createSoftwareKeyStore({ path: newPath(), name, ...cheap }),
        refused('KEYSTORE_NAME_INVALID'),
      )
    }
    assert.throws(() => open(newPath()), refused('KEYSTORE_MISSING'))
    assert.throws(() => open(join(path, 'below-a-file')), refused('KEYSTORE_MISSING'))
  })

  it('is the file that the page describes', () => {
    const store = create()
    const spki = store.generate('Issuing OCA Z1', 'P-256')
    store.keepSecret('a', Buffer.from('5ec4e7', 'hex'))
    const { plain, header } = readByThePage(store.path)
    assert.equal(header.readBigUInt64BE(112), 3n)
    assert.equal(store.identity, `software:issuing:${header.toString('hex', 16, 20)}`)
    assert.equal(header.toString('latin1', 32, 64), 'issuing'.padEnd(32, '\0'))
    const start = Buffer.concat([
      Buffer.from('00000002010e', 'hex'),
      Buffer.from('Issuing OCA Z1'),
      Buffer.of(0, 91),
      spki,
    ])
    assert.deepEqual(plain.subarray(0, start.length), start)
    assert.equal(plain.subarray(start.length, start.length + 2).readUInt16BE(), 138)
    assert.equal(plain.toString('hex', start.length + 2 + 138), '80016100000003' + '5ec4e7')
  })
})

describe('The page that describes the file', () => {
  const page = fs.readFileSync(new URL('../../../docs/formats/key-store.md', import.meta.url), 'utf8')
  const [file, contents] = [...page.matchAll(/```\n([^`]+)```/g)].map(([, block]) => {
    const lines = block!
      .split('\n')
      .map(line => /^(?:[0-9a-f]{3}| {3}) {2}([0-9a-f]+)(?: |$)/.exec(line)?.[1] ?? '')
    return Buffer.from(lines.join(''), 'hex')
  })

  it('has an example that opens', () => {
    const path = newPath()
    fs.mkdirSync(join(path, '..'), { mode: 0o700 })
    fs.writeFileSync(path, file!, { mode: 0o600 })
    assert.equal(file!.length, 235)
    assert.deepEqual(readByThePage(path).plain, contents)
    const store = open(path)
    assert.equal(store.identity, 'software:root:b9d234d9')
    assert.deepEqual(store.labels(), ['Contingency Symmetric Key'])
    const secret = store.withSecret('Contingency Symmetric Key', octets => Buffer.from(octets).toString('hex'))
    assert.equal(secret, '000102030405060708090a0b0c0d0e0f')
  })
})

describe('A key store file', () => {
  it('is open to its owner only, and so is the folder that is made for it', () => {
    const { path } = create()
    assert.equal(fs.statSync(path).mode & 0o777, 0o600)
    assert.equal(fs.statSync(join(path, '..')).mode & 0o777, 0o700)
    assert.deepEqual(fs.readdirSync(join(path, '..')), ['issuing.keys'])
  })

  it('is refused when anybody else may do anything with it or its folder', () => {
    const store = create()
    const folder = join(store.path, '..')
    for (const mode of [0o604, 0o602, 0o601, 0o640, 0o620, 0o666]) {
      fs.chmodSync(store.path, mode)
      assert.throws(() => open(store.path), refused('KEYSTORE_WORLD_READABLE'))
    }
    assert.throws(() => store.generate('key', 'P-256'), refused('KEYSTORE_WORLD_READABLE'))
    fs.chmodSync(store.path, 0o600)
    for (const mode of [0o704, 0o702, 0o701, 0o740, 0o720, 0o755]) {
      fs.chmodSync(folder, mode)
      assert.throws(() => open(store.path), refused('KEYSTORE_WORLD_READABLE'))
      assert.throws(() => create(join(folder, 'other.keys')), refused('KEYSTORE_WORLD_READABLE'))
    }
    fs.chmodSync(folder, 0o700)
    open(store.path)
  })

  it('is reached through a symbolic link, and stays where it is when it is changed', () => {
    const store = create()
    const link = join(home, 'link.keys')
    fs.symlinkSync(store.path, link)
    const throughLink = open(link)
    throughLink.generate('key', 'P-256')
    assert.equal(throughLink.path, fs.realpathSync(store.path))
    assert.ok(fs.lstatSync(link).isSymbolicLink())
    assert.ok(open(store.path).has('key'))
  })

  describe('changed by one octet', () => {
    let path: string
    let good: Buffer
    before(() => {
      const store = create()
      store.generate('key', 'P-256')
      path = store.path
      good = fs.readFileSync(path)
    })
    const withOctet = (at: number, change: number) => {
      const bad = Buffer.from(good)
      bad[at] = bad[at]! ^ change
      return bad
    }

    it('is damaged, whichever octet it was', () => {
      assert.ok(good.length > 400)
      for (let at = 0; at < good.length; at++) {
        fs.writeFileSync(path, withOctet(at, 1 << (at % 8)))
        assert.throws(() => open(path), refused('KEYSTORE_DAMAGED'), `octet ${at}`)
      }
      fs.writeFileSync(path, good)
      open(path)
    })

    it('is refused also when the checksum was made to fit', () => {
      const seen = new Map<string, number>()
      for (let at = 0; at < good.length - 32; at += at < 136 ? 1 : 3) {
        const bad = withOctet(at, 1 << (at % 8))
        createHash('sha256')
          .update(bad.subarray(0, -32))
          .digest()
          .copy(bad, bad.length - 32)
        fs.writeFileSync(path, bad)
        assert.throws(
          () => open(path),
          (cause: { name: string; code: string }) => {
            seen.set(cause.code, (seen.get(cause.code) ?? 0) + 1)
            return cause.name === 'Refusal'
          },
          `octet ${at}`,
        )
      }
      fs.writeFileSync(path, good)
      // The salt and the check; the version and the derivation; everything else.
      assert.deepEqual([...seen.keys()].sort(), [
        'KEYSTORE_DAMAGED',
        'KEYSTORE_FORMAT_UNKNOWN',
        'KEYSTORE_WRONG_PASSPHRASE',
      ])
      assert.ok(seen.get('KEYSTORE_DAMAGED')! > 100 && seen.get('KEYSTORE_WRONG_PASSPHRASE')! >= 48, inspect(seen))
    })

    it('is refused at every shorter and at a longer length', () => {
      for (let length = 0; length < good.length; length += 7) {
        fs.writeFileSync(path, good.subarray(0, length))
        assert.throws(() => open(path), refused('KEYSTORE_DAMAGED'))
      }
      fs.writeFileSync(path, Buffer.concat([good, Buffer.of(0)]))
      assert.throws(() => open(path), refused('KEYSTORE_DAMAGED'))
      fs.writeFileSync(path, Buffer.alloc(2 ** 24 + 1))
      assert.throws(() => open(path), refused('KEYSTORE_TOO_LARGE'))
      fs.writeFileSync(path, good)
    })
  })

  it('that is older than what was read, or another store’s, is not taken for this one', () => {
    const store = create()
    store.generate('key', 'P-256')
    const older = fs.readFileSync(store.path)
    store.destroy('key')
    fs.writeFileSync(store.path, older)
    assert.throws(() => store.reload(), refused('KEYSTORE_ROLLED_BACK'))
    assert.throws(() => store.generate('other', 'P-256'), refused('KEYSTORE_ROLLED_BACK'))
    fs.copyFileSync(create().path, store.path)
    assert.throws(() => store.reload(), refused('KEYSTORE_REPLACED'))
  })
})

describe('A destroyed key', () => {
  it('is gone from the file, its leftovers and the disk space of the file before, and stays gone', () => {
    const store = create()
    const folder = join(store.path, '..')
    store.generate('stays', 'P-256')
    store.generate('key', 'P-256')
    const { plain } = readByThePage(store.path)
    const secret = plain.subarray(plain.indexOf('key') + 3 + 2 + 91 + 2).subarray(0, 138)
    assert.equal(secret.toString('hex', 0, 2), '3081', 'this is a private key')
    // What a crash left behind, which has the key too; and the file as it lies on the disk now.
    fs.copyFileSync(store.path, `${store.path}.new`)
    const leftover = fs.openSync(`${store.path}.new`, 'r')
    const before = fs.openSync(store.path, 'r')
    const { size } = fs.fstatSync(before)

    store.destroy('key')

    assert.throws(() => store.sign('key', octets), refused('KEY_UNKNOWN'))
    assert.deepEqual(open(store.path).labels(), ['stays'])
    assert.ok(!readByThePage(store.path).plain.includes(secret))
    assert.ok(!readByThePage(store.path).plain.includes('key'))
    assert.deepEqual(fs.readdirSync(folder), ['issuing.keys'])
    for (const file of [leftover, before]) {
      const octets = Buffer.alloc(size, 1)
      assert.equal(fs.readSync(file, octets, 0, size, 0), size)
      assert.deepEqual(octets, Buffer.alloc(size))
      fs.closeSync(file)
    }
    assert.throws(() => store.destroy('key'), refused('KEY_UNKNOWN'))
  })

  it('can be followed by another under the same label, and nobody signs with the old one after a reload', () => {
    const store = create()
    const other = open(store.path)
    const old = store.generate('key', 'P-256')
    assert.ok(!other.has('key'))
    other.reload()
    other.sign('key', octets)
    store.destroy('key')
    const fresh = store.generate('key', 'P-256')
    other.reload()
    const signature = other.sign('key', octets)
    assert.ok(verifySignature({ spki: fresh, kind: 'P-256', octets, signature }))
    assert.ok(!verifySignature({ spki: old, kind: 'P-256', octets, signature }))
  })

  it('takes no copy with it that somebody made by a hard link', () => {
    const store = create()
    store.generate('key', 'P-256')
    const copy = join(store.path, '..', 'copy.keys')
    fs.linkSync(store.path, copy)
    store.destroy('key')
    assert.ok(open(copy).has('key'))
  })
})
