import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { type Crowd, guard, networkOf } from './guard.ts'

let server: Server
const clients = new Set<Socket>()
let now = 0

async function guarded(crowd: Partial<Crowd>): Promise<number> {
  now = 0
  server = createServer((request, response) => {
    // `/stay` is answered when the test is over.
    if (request.url !== '/stay') response.end('here')
  })
  guard(server, { connections: 100, connectionsOfAddress: 100, newOfAddress: 1000, ...crowd }, () => now)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

afterEach(async () => {
  for (const client of clients) client.destroy()
  clients.clear()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** A connection of that address, from where the server has it. */
async function come(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const accepted = once(server, 'connection')
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => {})
  clients.add(socket)
  await Promise.all([once(socket, 'connect'), accepted])
  return socket
}

async function ask(socket: Socket, path = '/'): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: here\r\n\r\n`)
  const [octets] = (await once(socket, 'data')) as [Buffer]
  return octets.toString('latin1').slice(0, 15)
}

/** Ends by itself, that is, by the server. */
const ended = async (socket: Socket) => {
  socket.resume()
  if (!socket.destroyed) await once(socket, 'close')
  return true
}

/** A round through the server's loop. */
const settled = async (port: number) => {
  const probe = await come(port, '127.0.0.99')
  assert.equal(await ask(probe), 'HTTP/1.1 200 OK')
  probe.destroy()
}

describe('A guarded listener', () => {
  it('takes so many connections of one address, others as before, and one more when one has gone', async () => {
    const port = await guarded({ connectionsOfAddress: 2 })
    const [first] = [await come(port), await come(port)]
    assert.ok(await ended(await come(port)))
    assert.equal(await ask(await come(port, '127.0.0.2')), 'HTTP/1.1 200 OK')
    first!.destroy()
    await settled(port)
    assert.equal(await ask(await come(port)), 'HTTP/1.1 200 OK')
  })

  it('takes new connections of one address in a burst of five seconds’ worth, and then at the pace', async () => {
    const port = await guarded({ newOfAddress: 2 })
    for (let i = 0; i < 10; i++) (await come(port)).destroy()
    assert.ok(await ended(await come(port)))
    assert.equal(await ask(await come(port, '127.0.0.2')), 'HTTP/1.1 200 OK')
    now = 499
    assert.ok(await ended(await come(port)))
    now = 1000
    assert.equal(await ask(await come(port)), 'HTTP/1.1 200 OK')
    assert.equal(await ask(await come(port)), 'HTTP/1.1 200 OK')
    assert.ok(await ended(await come(port)))
  })

  it('gives a newcomer the place of whoever has been silent longest, not of one that was answered', async () => {
    const port = await guarded({ connections: 3 })
    const [asking, silent, later] = [await come(port), await come(port), await come(port)]
    assert.equal(await ask(asking!), 'HTTP/1.1 200 OK')
    assert.equal(await ask(await come(port)), 'HTTP/1.1 200 OK')
    assert.ok(await ended(silent!))
    assert.equal(later!.destroyed, false)
    assert.equal(await ask(asking!), 'HTTP/1.1 200 OK')
  })

  it('gives it the place of an idle one when nobody is silent, and turns it away when all are being answered', async () => {
    const port = await guarded({ connections: 2 })
    const [busy, idle] = [await come(port), await come(port)]
    const asked = once(server, 'request')
    busy!.write('GET /stay HTTP/1.1\r\nHost: here\r\n\r\n')
    await asked
    assert.equal(await ask(idle!), 'HTTP/1.1 200 OK')
    const third = await come(port)
    const stays = once(server, 'request')
    third.write('GET /stay HTTP/1.1\r\nHost: here\r\n\r\n')
    await stays
    assert.ok(await ended(idle!))
    assert.ok(await ended(await come(port)))
    assert.equal(busy!.destroyed, false)
  })

  it('answers some requests that come in one breath, and closes the connection of whoever sends a hundred', async () => {
    const port = await guarded({})
    const some = await come(port)
    let heard = ''
    some.on('data', octets => {
      heard += octets
    })
    some.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(4))
    while (heard.split('200 OK').length < 5) await once(some, 'data')
    const many = await come(port)
    many.write('GET /stay HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(100))
    assert.ok(await ended(many))
    assert.equal(await ask(some), 'HTTP/1.1 200 OK')
  })

  it('knows an IPv6 host by its network of 64 bits, and an IPv4 host by its address', () => {
    for (const [address, network] of [
      ['192.0.2.7', '192.0.2.7'],
      ['::ffff:192.0.2.7', '192.0.2.7'],
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
      ['2001:0db8:0001:0002::6', '2001:db8:1:2'],
      ['2001:db8::1', '2001:db8:0:0'],
      ['::1', '0:0:0:0'],
      ['fe80::1%eth0', 'fe80:0:0:0'],
    ] as const)
      assert.equal(networkOf(address), network)
  })
})
