/** A module that loses sessions, restarts, goes away or answers wrongly (lessons, row 13). */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import pkcs11js from 'pkcs11js'
import { verifySignature } from '../../src/ground/keystore/check.ts'
import { findToken, isResult, library } from '../../src/ground/keystore/pkcs11/library.ts'
import { noSoftHsm, softHsm, testPin } from '../../src/ground/keystore/pkcs11/testing.ts'
import { openPkcs11SymmetricModule } from '../../src/ground/keystore/pkcs11-symmetric.ts'

const refused = (code: string) => ({ name: 'Refusal', code })
const octets = Buffer.from('to be signed')

describe('A module behind PKCS#11', { skip: noSoftHsm }, () => {
  const hsm = softHsm()
  after(() => hsm.remove())
  const labels = [
    'lost',
    'threads',
    'restart',
    'away',
    'replaced',
    'moved',
    'swapped',
    'shown',
    'symmetric',
    'twice',
  ]
  for (const label of labels) hsm.token(label)
  hsm.token('twice')

  const loseSessions = (token: string) => {
    const pkcs11 = library(hsm.library)
    pkcs11.C_CloseAllSessions(findToken(pkcs11, token).slot)
  }
  const restart = () => library(hsm.library).C_Finalize()
  const isGood = (spki: Uint8Array, signature: Uint8Array) =>
    verifySignature({ spki, kind: 'P-256', octets, signature })

  it('that lost every session answers the next request, and has lost none of its keys', () => {
    const store = hsm.open('lost')
    const key = store.generate('key', 'P-256')
    store.keepSecret('secret', octets)
    store.sign('key', octets)
    const calls: (() => unknown)[] = [
      () => assert.ok(isGood(key, store.sign('key', octets))),
      () => assert.deepEqual(store.labels(), ['key', 'secret']),
      () => assert.ok(store.has('secret')),
      () => store.withSecret('secret', secret => assert.deepEqual(Buffer.from(secret), octets)),
      () => store.generate('another', 'P-256'),
      () => store.keepSecret('another secret', octets),
      () => store.destroy('another secret'),
      () => store.destroy('another'),
    ]
    for (const call of calls) {
      loseSessions('lost')
      call()
    }
    assert.deepEqual(store.labels(), ['key', 'secret'])
    store.close()
  })

  it('that is restarted answers the next request: initialised, logged in and its keys found anew', () => {
    const store = hsm.open('restart')
    const key = store.generate('key', 'P-256')
    for (let i = 0; i < 5; i++) {
      restart()
      assert.ok(isGood(key, store.sign('key', octets)))
    }
    store.close()
  })

  it('that loses sessions between the requests of several threads answers every one of them', async () => {
    const store = hsm.open('threads')
    const key = store.generate('key', 'P-256')
    const source = `
      const { workerData, parentPort } = require('node:worker_threads')
      const { randomBytes } = require('node:crypto')
      import(workerData.module).then(({ attachKeyStore }) => {
        const store = attachKeyStore(workerData.grant, n => randomBytes(n), () => new Date())
        parentPort.on('message', () =>
          parentPort.postMessage(Array.from({ length: 20 }, () => store.sign('key', Buffer.from('to be signed')))))
        parentPort.postMessage([])
      })`
    const module = new URL('../../src/ground/keystore/attach.ts', import.meta.url).href
    const workers = ['a', 'b', 'c'].map(
      () => new Worker(source, { eval: true, workerData: { grant: store.grant(), module } }),
    )
    const next = async (worker: Worker): Promise<Uint8Array[]> => (await once(worker, 'message'))[0]
    after(() => Promise.all(workers.map(worker => worker.terminate())))
    await Promise.all(workers.map(next))
    let signatures = 0
    for (let round = 0; round < 20; round++) {
      // Not while a thread is at work: SoftHSM2 would free a session under its hands. All then log in at once.
      loseSessions('threads')
      const answers = workers.map(next)
      for (const worker of workers) worker.postMessage('begin')
      for (const signature of (await Promise.all(answers)).flat()) {
        assert.ok(isGood(key, signature))
        signatures += 1
      }
    }
    assert.equal(signatures, 20 * 3 * 20)
    assert.ok(isGood(key, store.sign('key', octets)))
    store.close()
  })

  it('that is away is left alone for a growing while, and works again when it is back', () => {
    let now = Date.UTC(2026, 0, 1)
    const store = hsm.open('away', testPin, () => new Date(now))
    const key = store.generate('key', 'P-256')
    const awayTo = `${hsm.tokens}-away`
    const leave = () => {
      renameSync(hsm.tokens, awayTo)
      restart()
    }
    const comeBack = () => {
      renameSync(awayTo, hsm.tokens)
      restart()
    }
    const unavailable = () => assert.throws(() => store.sign('key', octets), refused('MODULE_UNAVAILABLE'))
    leave()
    unavailable()
    comeBack()
    // It is there again, but nobody looks before 250 ms have passed: that is what shows that it is left alone.
    now += 249
    unavailable()
    now += 1
    assert.ok(isGood(key, store.sign('key', octets)))

    leave()
    for (const pause of [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      unavailable()
      now += pause - 1
      assert.throws(() => store.sign('key', octets), /until/, `a trial before ${pause} ms`)
      now += 1
    }
    comeBack()
    assert.ok(isGood(key, store.sign('key', octets)))
    leave()
    unavailable()
    comeBack()
    now += 250
    assert.ok(isGood(key, store.sign('key', octets)), 'the pauses begin anew once it worked')
    store.close()
  })

  it('whose token was exchanged for another of the same label is not taken for it', () => {
    const store = hsm.open('replaced')
    store.generate('key', 'P-256')
    const serial = store.identity.split(':')[2]!
    const of = (name: string) => execFileSync('grep', ['-lr', serial, name], { encoding: 'utf8' })
    const folder = readdirSync(hsm.tokens).find(name => {
      try {
        return of(join(hsm.tokens, name, 'token.object')) !== ''
      } catch {
        return false
      }
    })!
    rmSync(join(hsm.tokens, folder), { recursive: true })
    hsm.token('replaced')
    restart()
    assert.throws(() => store.sign('key', octets), refused('KEYSTORE_REPLACED'))
    store.close()
  })

  it('tells by its number what went wrong, also where the binding gives the error no type of its own', () => {
    const store = hsm.open('lost')
    const pkcs11 = library(hsm.library)
    const closed = pkcs11.C_OpenSession(findToken(pkcs11, 'lost').slot, pkcs11js.CKF_SERIAL_SESSION)
    pkcs11.C_CloseSession(closed)
    const calls = [
      () => pkcs11.C_FindObjects(closed, 1),
      () => pkcs11.C_GetSessionInfo(closed),
      () => pkcs11.C_SignFinal(closed, Buffer.alloc(16)),
    ]
    for (const call of calls) {
      assert.throws(call, cause => isResult(cause, pkcs11js.CKR_SESSION_HANDLE_INVALID))
    }
    assert.ok(!isResult(new Error('another'), 0) && !isResult('CKR_OK:0', 0))
    store.close()
  })

  it('with two tokens of one label, with none, without a library, or with a PIN that is wrong is not opened', () => {
    assert.throws(() => hsm.open('twice'), refused('MODULE_NO_TOKEN'))
    assert.throws(() => hsm.open('nobody'), refused('MODULE_NO_TOKEN'))
    assert.throws(() => hsm.open('lost', 'another-pin'), refused('KEYSTORE_WRONG_PASSPHRASE'))
    assert.throws(() => hsm.open('lost', ''), refused('PASSPHRASE_EMPTY'))
    const opening = { token: 'lost', pin: Buffer.from(testPin), chance: randomBytes, clock: () => new Date() }
    for (const path of [join(hsm.tokens, 'none.so'), new URL(import.meta.url).pathname]) {
      assert.throws(() => openPkcs11SymmetricModule({ ...opening, library: path }), refused('MODULE_MISSING'))
    }
  })

  it('signs with the key that was meant, never with one that came under its label since', () => {
    const store = hsm.open('moved')
    const other = hsm.open('moved')
    const key = store.generate('key', 'P-256')
    store.sign('key', octets)
    other.destroy('key')
    const fresh = other.generate('key', 'P-256')
    assert.throws(() => store.sign('key', octets), refused('KEY_UNKNOWN'))
    const signature = store.sign('key', octets)
    assert.ok(isGood(fresh, signature) && !isGood(key, signature))
    store.close()
    other.close()
  })

  it('gives out no signature that does not verify, even when another key has taken label and id', () => {
    const store = hsm.open('swapped')
    const key = store.generate('key', 'P-256')
    store.generate('intruder', 'P-256')
    assert.ok(isGood(key, store.sign('key', octets)))
    const pkcs11 = library(hsm.library)
    const session = pkcs11.C_OpenSession(
      findToken(pkcs11, 'swapped').slot,
      pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION,
    )
    const find = (label: string) => {
      pkcs11.C_FindObjectsInit(session, [
        { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
        { type: pkcs11js.CKA_LABEL, value: label },
      ])
      const [found] = pkcs11.C_FindObjects(session, 2)
      pkcs11.C_FindObjectsFinal(session)
      return found!
    }
    const [mine, intruder] = [find('key'), find('intruder')]
    const names = pkcs11.C_GetAttributeValue(session, mine, [
      { type: pkcs11js.CKA_LABEL },
      { type: pkcs11js.CKA_ID },
    ])
    pkcs11.C_DestroyObject(session, mine)
    pkcs11.C_SetAttributeValue(session, intruder, names)
    pkcs11.C_CloseSession(session)
    assert.throws(() => store.sign('key', octets), refused('MODULE_UNAVAILABLE'))
    store.close()
  })

  it('made keys that another tool finds sensitive, never extractable and local', { skip: noPkcs11Tool() }, () => {
    const store = hsm.open('shown')
    for (const kind of ['P-256', 'RSA-2048', 'Ed25519'] as const) store.generate(kind, kind)
    store.close()
    const dco = openPkcs11SymmetricModule({
      library: hsm.library,
      token: 'shown',
      pin: Buffer.from(testPin),
      chance: randomBytes,
      clock: () => new Date(),
    })
    dco.makeHsmKey('dco', 'DCO Key')
    dco.makeTransportKey('transport')
    dco.close()
    const command = ['--module', hsm.library, '--token-label', 'shown', '--login', '--pin', testPin, '-O']
    const said = execFileSync('pkcs11-tool', command, {
      encoding: 'utf8',
      env: { ...process.env, ...hsm.env },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const objects = said.split(/^(?=\S.* Object)/m).filter(one => /^(Private|Secret) Key Object/.test(one))
    assert.equal(objects.length, 5, said)
    for (const object of objects) {
      assert.match(object, /sensitive, always sensitive, never extractable, local/)
    }
  })

  it('goes on with Device keys that were opened before it lost its sessions', () => {
    const module = openPkcs11SymmetricModule({
      library: hsm.library,
      token: 'symmetric',
      pin: Buffer.from(testPin),
      chance: randomBytes,
      clock: () => new Date(),
    })
    module.makeHsmKey('dco', 'DCO Key')
    module.makeHsmKey('shared', 'Shared Key')
    const { key: mk } = module.makeKey('MK', 'mk', 'dco')
    const { key: ak } = module.makeKey('AK', 'ak', 'dco')
    const { key: guek } = module.makeKey('GUEK', 'guek', 'shared')
    const iv = randomBytes(12)
    const work = () => {
      const wrapped = module.cipher.wrap(mk, ak)
      const again = module.cipher.unwrap(mk, wrapped, 'AK', 'again')
      assert.ok(module.same(ak, again))
      again.close()
      return Buffer.concat([wrapped, module.cipher.decipher(guek, iv, octets)])
    }
    const before = work()
    loseSessions('symmetric')
    assert.deepEqual(work(), before)
    restart()
    assert.deepEqual(work(), before)
    for (const key of [mk, ak, guek]) key.close()
    module.close()
  })
})

function noPkcs11Tool(): string | false {
  const found = (process.env.PATH ?? '').split(':').some(folder => existsSync(join(folder, 'pkcs11-tool')))
  return found ? false : 'skipped: pkcs11-tool is not installed (apt install opensc)'
}
