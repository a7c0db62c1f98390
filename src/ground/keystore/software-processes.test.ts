import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { verifySignature } from './check.ts'
import { attachSoftwareKeyStore, openSoftwareKeyStore } from './software.ts'
import { chance, cheap, create, octets, open, passphrase, readByThePage, refused } from './software-testing.ts'

/** A program of its own, with the modules of the key store at hand. */
function program(source: string, ...args: string[]) {
  const url = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
  const code = `
    import { randomBytes } from 'node:crypto'
    import { openSoftwareKeyStore } from ${url('./software.ts')}
    import { withLock } from ${url('./lock.ts')}
    const [path, name] = process.argv.slice(1)
    const open = () => openSoftwareKeyStore({
      path, passphrase: Buffer.from(${JSON.stringify(passphrase.toString())}), chance: n => randomBytes(n), allowWeak: true,
    })
    ${source}`
  return ['--input-type=module', '-e', code, ...args]
}

describe('Several processes with one key store', () => {
  it('lose no key when they add keys at once, and a reader never sees half a file', async () => {
    const store = create()
    const add = `const store = open(); for (let i = 0; i < 15; i++) store.generate(name + i, 'P-256')`
    const writers = ['a', 'b'].map(name =>
      spawn(process.execPath, program(add, store.path, name), { stdio: 'inherit' }),
    )
    let running = writers.length
    const ends = writers.map(
      writer =>
        new Promise<number | null>(done =>
          writer.on('exit', status => {
            running -= 1
            done(status)
          }),
        ),
    )
    let reloads = 0
    while (running > 0) {
      store.reload()
      reloads += 1
      await new Promise(done => setTimeout(done, 1))
    }
    assert.deepEqual(await Promise.all(ends), [0, 0])
    assert.ok(reloads > 30)
    store.reload()
    assert.equal(store.labels().length, 30)
    assert.equal(readByThePage(store.path).header.readBigUInt64BE(112), 31n)
    for (const label of store.labels()) {
      assert.ok(
        verifySignature({
          spki: store.publicKey(label),
          kind: 'P-256',
          octets,
          signature: store.sign(label, octets),
        }),
      )
    }
  })

  it('have every key that a killed one had reported, and go on', async () => {
    const store = create()
    for (let round = 0; round < 4; round++) {
      const source = `const store = open(); for (let i = 0; ; i++) { store.generate(name + i, 'P-256'); console.log(name + i) }`
      const child = spawn(process.execPath, program(source, store.path, `r${round}-`), {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let said = ''
      child.stdout.setEncoding('utf8')
      for await (const chunk of child.stdout) {
        said += chunk
        if (said.split('\n').length > 4 + round) child.kill('SIGKILL')
      }
      const reported = said.split('\n').slice(0, -1)
      assert.ok(reported.length >= 4)
      const again = open(store.path)
      for (const label of reported) assert.ok(again.has(label), label)
      again.generate(`after ${round}`, 'P-256')
      again.sign(`after ${round}`, octets)
    }
    assert.deepEqual(fs.readdirSync(join(store.path, '..')), ['issuing.keys'])
  })

  it('are told when one of them ignored the lock, before anything is lost', () => {
    const store = create()
    const other = open(store.path)
    let draws = 0
    const interfering = openSoftwareKeyStore({
      ...cheap,
      path: store.path,
      // The nonce is drawn between reading and writing: there the other comes in, without waiting for the lock.
      chance: length => {
        draws += 1
        fs.unlinkSync(`${store.path}.lock`)
        other.generate('theirs', 'P-256')
        return randomBytes(length)
      },
    })
    assert.throws(() => interfering.generate('ours', 'P-256'), refused('KEYSTORE_CHANGED'))
    assert.equal(draws, 1)
    assert.deepEqual(open(store.path).labels(), ['theirs'])
    assert.deepEqual(fs.readdirSync(join(store.path, '..')), ['issuing.keys'])
  })

  it('may be threads of one program, which open it by a grant', async () => {
    const store = create()
    const key = store.generate('key', 'P-256')
    const source = `
      const { workerData, parentPort } = require('node:worker_threads')
      const { randomBytes } = require('node:crypto')
      import(workerData.module).then(({ attachSoftwareKeyStore }) => {
        const store = attachSoftwareKeyStore(workerData.grant, n => randomBytes(n))
        store.generate('from the thread', 'P-256')
        parentPort.postMessage({ identity: store.identity, signature: store.sign('key', Buffer.from('to be signed')) })
      })`
    const module = new URL('./software.ts', import.meta.url).href
    const worker = new Worker(source, { eval: true, workerData: { grant: store.grant(), module } })
    const said = await new Promise<{ identity: string; signature: Uint8Array }>((done, fail) => {
      worker.once('message', done)
      worker.once('error', fail)
    })
    await worker.terminate()
    assert.equal(said.identity, store.identity)
    assert.ok(verifySignature({ spki: key, kind: 'P-256', octets, signature: said.signature }))
    store.reload()
    assert.ok(store.has('from the thread'))
    const grant = store.grant()
    assert.ok(attachSoftwareKeyStore(grant, chance).has('key'))
    store.changePassphrase(Buffer.from('another'))
    assert.throws(() => attachSoftwareKeyStore(grant, chance), refused('KEYSTORE_PASSPHRASE_CHANGED'))
  })
})
