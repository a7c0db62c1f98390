/** Clients that mean no good, or never end: what each may cost, and that nobody else is kept waiting. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import ssh2, { type ClientChannel } from 'ssh2'
import { mostHandles } from '../../src/doors/sftp/session.ts'
import { noSftp, openScene, type Party, type Scene, until } from './scene.ts'

let scene: Scene
let acme: Party
let key: string
let file: { name: string; octets: Buffer }
const clients: ssh2.Client[] = []

before(async () => {
  if (noSftp) return
  scene = await openScene({ connections: 12, connectionsOfParty: 3, loginSeconds: 3, idleSeconds: 4 })
  acme = await scene.office.subscriber('acme')
  key = scene.key()
  await scene.credential(acme, key)
  file = await scene.lodge('FULL', 1, 8_000_000)
})
after(async () => {
  for (const client of clients) client.destroy()
  await scene?.close()
})

/** A client that came in. @throws Error when it may not */
async function enter(): Promise<ssh2.Client & { closed: Promise<void> }> {
  const client = new ssh2.Client()
  clients.push(client)
  const closed = new Promise<void>(resolve => client.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve)
    client.once('error', reject)
    client.connect({
      host: '127.0.0.1',
      port: scene.door.port,
      username: 'anybody',
      privateKey: readFileSync(key),
      keepaliveInterval: 0,
    })
  })
  client.on('error', () => {})
  return Object.assign(client, { closed })
}

/** Of the library's client: what a client of another make could do as well. */
interface Inside {
  readonly _sock: { pause(): void; resume(): void }
  readonly _protocol: { channelWindowAdjust(channel: number, octets: number): void }
}

function raw(client: ssh2.Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.subsys('sftp', (cause, channel) => (cause ? reject(cause) : resolve(channel)))
  })
}

const u32 = (value: number) => {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value)
  return octets
}
const text = (value: string) => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)])
const packet = (type: number, ...fields: Buffer[]) => {
  const octets = Buffer.concat([Buffer.of(type), ...fields])
  return Buffer.concat([u32(octets.length), octets])
}
const init = packet(1, u32(3))
const openIt = (id: number) => packet(3, u32(id), text(`/full/${file.name}`), u32(1), u32(0))
const readIt = (id: number, handle: string, offset: bigint, length: number) => {
  const at = Buffer.alloc(8)
  at.writeBigUInt64BE(offset)
  return packet(5, u32(id), text(handle), at, u32(length))
}

/** The packets that come, one after another. */
function answers(channel: ClientChannel): () => Promise<Buffer> {
  let kept = Buffer.alloc(0)
  const iterator = channel.iterator({ destroyOnReturn: false })
  return async () => {
    for (;;) {
      if (kept.length >= 4 && kept.length >= 4 + kept.readUInt32BE()) {
        const one = kept.subarray(4, 4 + kept.readUInt32BE())
        kept = kept.subarray(4 + one.length)
        return one
      }
      const { value, done } = (await iterator.next()) as IteratorResult<Buffer>
      if (done) throw new Error('the channel ended')
      kept = Buffer.concat([kept, value])
    }
  }
}
const codeOf = (answer: Buffer) => (answer[0] === 101 ? answer.readUInt32BE(5) : undefined)

describe('a hostile client', { skip: noSftp }, () => {
  it('opens so many files and no more, reads none beyond its end, and no more at once than we give', async () => {
    const client = await enter()
    const channel = await raw(client)
    const next = answers(channel)
    channel.write(init)
    assert.equal((await next())[0], 2)
    let handle = ''
    for (let i = 0; i <= mostHandles; i++) {
      channel.write(openIt(i))
      const answer = await next()
      if (i < mostHandles) handle = answer.subarray(9).toString()
      assert.equal(codeOf(answer), i < mostHandles ? undefined : 4)
    }
    for (const offset of [8_000_000n, 8_000_001n, 2n ** 63n, 2n ** 64n - 1n]) {
      channel.write(readIt(1, handle, offset, 10))
      assert.equal(codeOf(await next()), 1)
    }
    channel.write(readIt(1, handle, 7_999_990n, 0xffff_ffff))
    assert.deepEqual((await next()).subarray(9), file.octets.subarray(-10))
    channel.write(readIt(1, handle, 0n, 0xffff_ffff))
    assert.equal((await next()).length, 9 + 65_536)
    channel.write(readIt(1, 'another', 0n, 1))
    assert.equal(codeOf(await next()), 4)
    client.destroy()
  })

  it('has its channel ended when what it says is not SFTP, and no other', async () => {
    const client = await enter()
    const [one, other] = [await raw(client), await raw(client)]
    const ended = new Promise(resolve => one.once('close', resolve))
    one.resume()
    one.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
    await ended
    const next = answers(other)
    other.write(init)
    assert.equal((await next())[0], 2)
    client.destroy()
  })

  // What the client has not taken waits with SSH, while its window is shut; or with TCP, which it does not read.
  for (const where of ['window', 'socket'] as const) {
    it(`that asks for much and takes nothing (${where}) is given little, and keeps nobody else waiting`, async () => {
      const asked = 1000
      const stuck = async () => {
        const client = await enter()
        const channel = await raw(client)
        const next = answers(channel)
        channel.write(Buffer.concat([init, openIt(1)]))
        await next()
        const handle = (await next()).subarray(9).toString()
        const { _sock: socket, _protocol: protocol } = client as unknown as Inside
        if (where === 'socket') {
          protocol.channelWindowAdjust((channel as unknown as { outgoing: { id: number } }).outgoing.id, 2 ** 30)
          socket.pause()
        }
        const many = Array.from({ length: asked }, (_, i) => readIt(i, handle, BigInt(i * 1000), 65_536))
        channel.write(Buffer.concat(many))
        return { client, socket, next }
      }
      const one = await stuck()
      const said = await scene.sftp(key, [`get /full/${file.name} other`])
      assert.equal(said.code, 0, said.err)
      const fetched = () => scene.lines.filter(line => line.says === 'a file was fetched')
      const before = fetched().length
      one.client.destroy()
      await until('it is noted what was read for it', () => fetched().length > before)
      // The client's window of 2 MiB, or what the system keeps between two sockets, and a quarter of a MiB of ours.
      const read = fetched().at(-1)!.octets as number
      assert.ok(read < 16_000_000, `${read} octets were read, of ${asked * 65_536} that were asked for`)
      // One that takes them after all gets each.
      const { client, socket, next } = await stuck()
      await new Promise(resolve => setTimeout(resolve, 100))
      socket.resume()
      for (let i = 0; i < asked; i++) assert.equal((await next()).readUInt32BE(1), i)
      client.destroy()
    })
  }

  it('has so many channels and no more', async () => {
    const client = await enter()
    const channels: ClientChannel[] = []
    for (let i = 0; i < 4; i++) channels.push(await raw(client))
    await assert.rejects(raw(client), /open failure/)
    channels[0]!.end()
    channels[0]!.resume()
    await new Promise(resolve => channels[0]!.once('close', resolve))
    await raw(client)
    client.destroy()
  })

  it('is cut when it does not come in, when it asks nothing, and after six keys that are not known', async () => {
    const earlier = scene.lines.length
    const silent = connect(scene.door.port, '127.0.0.1')
    silent.resume()
    const idle = await enter()
    await new Promise(resolve => silent.once('close', resolve))
    await idle.closed
    assert.deepEqual(
      scene.lines
        .slice(earlier)
        .filter(one => one.says === 'a connection was ended')
        .map(one => one.why),
      ['LOGIN_SLOW', 'IDLE'],
    )
    const keys = Array.from({ length: 7 }, () => scene.key())
    const options = keys.slice(1).flatMap(one => ['-i', one])
    const refused = () => scene.lines.filter(one => one.says === 'a login was refused').length
    const before = refused()
    const said = await scene.run('ssh', [
      ...['-p', String(scene.door.port), ...options],
      ...scene.options(keys[0]!),
      'smki@127.0.0.1',
    ])
    assert.notEqual(said.code, 0)
    assert.equal(refused() - before, 6)
  })

  it('takes the places of its Party alone', async () => {
    await until('the others are gone', () =>
      clients.every(one => !(one as { _sock?: { writable: boolean } })._sock?.writable),
    )
    await Promise.all([enter(), enter(), enter()])
    await assert.rejects(enter())
    const beta = await scene.office.subscriber('beta')
    const theirs = scene.key()
    await scene.credential(beta, theirs)
    const said = await scene.sftp(theirs, ['ls'])
    assert.equal(said.code, 0, said.err)
  })

  it('without a key takes a quarter of the places', async () => {
    const sockets = Array.from({ length: 8 }, () => connect(scene.door.port, '127.0.0.1'))
    let cut = 0
    for (const one of sockets) {
      one.on('error', () => {})
      one.resume()
      one.once('close', () => cut++)
    }
    await until('the others are cut at once', () => cut === 5)
    for (const one of sockets) one.destroy()
  })
})
