import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, it, mock } from 'node:test'
import { cutSlowBodies } from './slow.ts'
import { sparing } from './sparing.ts'

let server: Server
let client: Socket

afterEach(async () => {
  mock.timers.reset()
  client?.destroy()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** A body of 10,000 octets on its way; the service reads it as it comes, or leaves it where it is. */
async function sending(reads: boolean): Promise<void> {
  server = createServer((request, response) => {
    if (reads) request.resume()
    request.on('error', () => {})
    request.once('end', () => response.end('whole'))
  })
  mock.timers.enable({ apis: ['setInterval'] })
  cutSlowBodies(server, { graceSeconds: 10, octetsPerSecond: 100 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => {})
  const asked = once(server, 'request')
  client.write('POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10000\r\n\r\n')
  await asked
}

const taken = async (octets: number) => {
  client.write(Buffer.alloc(octets, 97))
  // Loopback is as good as at once; a few rounds of the loop, in which the server reads.
  for (let round = 0; round < 20; round++) await new Promise(go => setImmediate(go))
}

describe('A body that comes slowly', () => {
  it('is cut when it has brought less in the mean than is due, and not before its grace is over', async () => {
    await sending(true)
    mock.timers.tick(10_000)
    await taken(150)
    mock.timers.tick(1000)
    await taken(1)
    assert.equal(client.destroyed, false)
    mock.timers.tick(1000)
    await once(client, 'close')
  })

  it('is read to its end when it keeps the pace', async () => {
    await sending(true)
    const answer = once(client, 'data') as Promise<[Buffer]>
    mock.timers.tick(10_000)
    for (let second = 0; second < 10; second++) {
      await taken(1000)
      mock.timers.tick(1000)
    }
    assert.match((await answer)[0].toString('latin1'), /whole/)
  })

  it('is not cut for what we have not read', async () => {
    await sending(false)
    await taken(100)
    mock.timers.tick(100_000)
    await taken(1)
    assert.equal(client.destroyed, false)
  })
})

describe('A teller that is sparing', () => {
  it('tells so many a minute, and then how many it kept to itself', () => {
    let now = 0
    const told: string[] = []
    const tell = sparing(
      (fault, from) => told.push(`${fault} ${from}`.trim()),
      2,
      () => now,
    )
    for (let i = 0; i < 5; i++) tell(`fault ${i}`, 'there')
    assert.deepEqual(told, ['fault 0 there', 'fault 1 there'])
    now = 60_000
    tell('again', 'here')
    assert.deepEqual(told.slice(2), ['3 more like those before were not told', 'again here'])
  })
})
