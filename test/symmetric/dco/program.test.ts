/** The DCO as a program: its home, its door over mutual TLS, and a message that was cut off by the death of the process. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { dcoLine } from '../../../src/doors/dco/client.ts'
import { mediaType, messagesPath } from '../../../src/doors/dco/door.ts'
import { fromHex, toHex } from '../../../src/ground/bytes.ts'
import { makeKeyPair } from '../../../src/ground/keystore/pair.ts'
import { createSoftwareKeyStore } from '../../../src/ground/keystore/software.ts'
import { softwareSymmetricModule } from '../../../src/ground/keystore/symmetric-software.ts'
import { serveDco } from '../../../src/main/dco.ts'
import { type DcoHome, dcoHomeAt, loadDcoSettings } from '../../../src/main/dco-home.ts'
import { admitS1sp, initDco } from '../../../src/main/dco-init.ts'
import { makePeerTls, type PeerTls, readPeerTls } from '../../../src/main/peer-tls.ts'
import { systemChance } from '../../../src/main/world.ts'
import { sealMessage } from '../../../src/rooms/symmetric/envelope.ts'
import { fingerprintOf } from '../../../src/rooms/symmetric/hsm-package.ts'
import type { Message } from '../../../src/rooms/symmetric/messages.ts'
import { type DcoPeer, dcoPeerSchema, readPeer, s1spPeerSchema } from '../../../src/rooms/symmetric/peers.ts'
import { ceremony, refused } from './rooms.ts'

const folder = mkdtempSync(join(tmpdir(), 'opensmki-dco-program-'))
const home: DcoHome = dcoHomeAt(join(folder, 'dco'))
const s1sp = makeKeyPair('P-256')
const signer = { name: 's1sp-1', sign: (octets: Uint8Array) => s1sp.sign(octets) }
let peer: DcoPeer
let tls: PeerTls
let stranger: PeerTls
let unlisted: PeerTls
let child: { process: ChildProcess; port: number } | undefined

before(async () => {
  peer = await initDco(home, { name: 'dco-1', kind: 'test', ceremony, log2N: 10, settings: { door: { port: 0 } } })
  for (const name of ['s1sp-1', 'stranger', 'unlisted']) makePeerTls(join(folder, name), name)
  tls = readPeerTls(join(folder, 's1sp-1'))
  stranger = readPeerTls(join(folder, 'stranger'))
  unlisted = readPeerTls(join(folder, 'unlisted'))
  // Its authority is trusted, and yet no S1SP comes with that certificate.
  writeFileSync(join(home.peers, 'unlisted.pem'), unlisted.authority)
  const keys = createSoftwareKeyStore({
    path: join(folder, 's1sp-keys'),
    name: 's1sp',
    passphrase: Buffer.from('a passphrase of the tests'),
    chance: systemChance,
    log2N: 10,
    allowWeak: true,
  })
  const transportKey = softwareSymmetricModule(keys, systemChance).makeTransportKey('transport')
  keys.close()
  const description = {
    name: 's1sp-1',
    publicKey: toHex(s1sp.publicKey),
    title: '4f534d4b00000001',
    certificates: [tls.fingerprint],
    authority: tls.authority,
    transportKey: toHex(transportKey),
  }
  const known = readPeer(s1spPeerSchema, Buffer.from(JSON.stringify(description)))
  await admitS1sp(home, known, fingerprintOf(transportKey), ceremony)
  child = await start()
})
after(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

/** `smki dco serve`, as a process of its own. */
async function start(): Promise<{ process: ChildProcess; port: number }> {
  const program = new URL('../../../src/main/smki.ts', import.meta.url).pathname
  const started = spawn(process.execPath, [program, '--home', home.path, 'dco', 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await new Promise<string>((resolve, reject) => {
    started.stdout!.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    started.once('exit', code => reject(new Error(`it ended with ${code}`)))
  })
  return { process: started, port: Number(/:(\d+)\n/.exec(said)![1]) }
}

async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const running = child?.process
  child = undefined
  if (!running || running.exitCode !== null) return
  const gone = new Promise(resolve => running.once('exit', resolve))
  running.kill(signal)
  await gone
}

function line(shown: PeerTls = tls) {
  const dco = { ...peer, url: `https://127.0.0.1:${child!.port}`, publicKey: fromHex(peer.messages) }
  return dcoLine({ dco, signer, tls: shown, patienceMs: 20_000 })
}

function message<T extends object>(type: string, body: T) {
  return {
    type,
    id: toHex(randomBytes(16)),
    at: new Date().toISOString(),
    ...body,
  } as unknown as Message<'collect-hsm-keys'>
}

/** What the door says to whom, over TLS. */
function post(
  body: Buffer,
  shown?: PeerTls,
  path = messagesPath,
  type = mediaType,
): Promise<{ status: number; text: string }> {
  const credentials = shown ? { key: shown.key, cert: shown.chain } : {}
  return new Promise((resolve, reject) => {
    const options = {
      port: child!.port,
      host: '127.0.0.1',
      path,
      method: 'POST',
      ca: peer.authority,
      ...credentials,
    }
    const sent = request({ ...options, headers: { 'content-type': type } }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', chunk => chunks.push(chunk as Buffer))
      answer.on('end', () => resolve({ status: answer.statusCode!, text: Buffer.concat(chunks).toString() }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('the program', () => {
  it('tells others of itself what they need, and no more', () => {
    const told = readPeer(dcoPeerSchema, readFileSync(home.peer))
    assert.deepEqual(told, peer)
    assert.throws(() => readPeer(dcoPeerSchema, Buffer.from('{')), refused('PEER_UNREADABLE'))
  })

  it('answers an S1SP over mutual TLS, after a ceremony that was held while nobody served', async () => {
    const to = line()
    const { packages } = await to.ask(message('collect-hsm-keys', {}))
    assert.equal(packages.length, 1)
    await assert.rejects(to.ask(message('tell-device', { device: '00005e9010000001' })), refused('DEVICE_UNKNOWN'))
    to.close()
  })

  it('lets nobody in without a certificate, or with another, and takes nothing but a message', async () => {
    const envelope = sealMessage(message('collect-hsm-keys', {}), signer)
    await assert.rejects(post(envelope))
    await assert.rejects(post(envelope, stranger))
    await assert.rejects(line(stranger).ask(message('collect-hsm-keys', {})))
    assert.equal((await post(envelope, unlisted)).status, 403)
    assert.equal((await post(envelope, tls, '/')).status, 404)
    assert.equal((await post(envelope, tls, messagesPath, 'text/plain')).status, 415)
    const bad = await post(Buffer.from('{}'), tls)
    assert.deepEqual([bad.status, JSON.parse(bad.text).code], [400, 'MESSAGE_UNREADABLE'])
    const other = { name: 's1sp-2', sign: signer.sign }
    const unknown = await post(sealMessage(message('collect-hsm-keys', {}), other), tls)
    assert.deepEqual([unknown.status, JSON.parse(unknown.text).code], [403, 'SENDER_UNKNOWN'])
    const good = await post(envelope, tls)
    assert.equal(good.status, 200)
    // The same message, the same octets.
    assert.equal((await post(envelope, tls)).text, good.text)
    const log = readFileSync(home.environmentLog, 'utf8')
    assert.ok(log.includes('handshake.refused') && log.includes('program.started'))
  })

  it('takes several messages in one request, answers each for itself, and bounds how many', async () => {
    const good = [1, 2].map(() => sealMessage(message('collect-hsm-keys', {}), signer).toString())
    const forged = sealMessage(message('collect-hsm-keys', {}), { name: 's1sp-2', sign: signer.sign }).toString()
    const all = (each: readonly string[]) => Buffer.from(`[${each.join(',')}]`)
    const { status, text } = await post(all([good[0]!, forged, '{}', good[1]!]), tls)
    assert.equal(status, 200)
    const answers = JSON.parse(text) as Record<string, string>[]
    assert.deepEqual(
      answers.map(({ by, code }) => by ?? code),
      [peer.name, 'SENDER_UNKNOWN', 'MESSAGE_UNREADABLE', peer.name],
    )
    // One of them, sent again by itself, is answered octet for octet.
    assert.equal((await post(Buffer.from(good[0]!), tls)).text, JSON.stringify(answers[0]))
    const many = await post(all(new Array(101).fill(good[0])), tls)
    assert.deepEqual([many.status, JSON.parse(many.text).code], [400, 'MESSAGE_UNREADABLE'])
    const to = line()
    const asked = await Promise.allSettled([
      to.ask(message('collect-hsm-keys', {})),
      to.ask(message('tell-device', { device: '00005e9010000001' })),
      to.ask(message('collect-hsm-keys', {})),
    ])
    assert.deepEqual(
      asked.map(one => (one.status === 'fulfilled' ? 'answered' : one.reason.code)),
      ['answered', 'DEVICE_UNKNOWN', 'answered'],
    )
    to.close()
  })

  it('that was killed has acted on a message or not, and the same message tells which', async () => {
    const envelopes = Array.from({ length: 12 }, () => sealMessage(message('collect-hsm-keys', {}), signer))
    const answers = envelopes.map(each =>
      post(each, tls).then(
        ({ text }) => text,
        () => undefined,
      ),
    )
    await Promise.race(answers)
    await stop('SIGKILL')
    const before = await Promise.all(answers)
    assert.ok(before.some(each => each !== undefined))
    child = await start()
    for (const [i, each] of envelopes.entries()) {
      const { status, text } = await post(each, tls)
      assert.equal(status, 200)
      if (before[i] !== undefined) assert.equal(text, before[i])
    }
  })
})

describe('a DCO', () => {
  it('is not set up where one is, nor in production on a software key store', async () => {
    const options = { name: 'dco-1', kind: 'production', ceremony } as const
    await assert.rejects(initDco(home, { ...options, kind: 'test' }), refused('DCO_EXISTS'))
    const other = dcoHomeAt(join(folder, 'other'))
    await assert.rejects(initDco(other, options), refused('SOFTWARE_KEYS_REFUSED'))
    const pkcs11 = { kind: 'pkcs11', library: '/none.so', token: 'dco' }
    await assert.rejects(
      initDco(other, { ...options, settings: { module: pkcs11 } }),
      refused('SOFTWARE_KEYS_REFUSED'),
    )
    await assert.rejects(serveDco(other), refused('DCO_MISSING'))
    assert.throws(() => loadDcoSettings(other), refused('DCO_MISSING'))
    await assert.rejects(
      initDco(other, { ...options, kind: 'test', settings: { quorum: 3 } }),
      refused('PERSON_NOT_ALLOWED'),
    )
  })
})
