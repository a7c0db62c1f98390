import assert from 'node:assert/strict'
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { socketFolder, socketName } from './socket.ts'

const home = realpathSync(mkdtempSync(join(tmpdir(), 'socket-')))
after(() => rmSync(home, { recursive: true }))

const deep = join(home, ...Array.from({ length: 12 }, () => 'a-folder-in-a-folder'))
const data = join(deep, 'data')
mkdirSync(data, { recursive: true })

describe('the folder of a socket', () => {
  it('is the data folder itself where its path is short enough', async () => {
    const socket = await socketFolder(home, join(home, 'data'))
    assert.equal(socket.path, join(home, 'data'))
    await socket.remove()
  })

  it('is a private link of a length that every client can use where the data folder lies deep', async () => {
    const socket = await socketFolder(deep, data)
    assert.ok(Buffer.byteLength(join(socket.path, socketName)) <= 103)
    assert.equal(realpathSync(socket.path), data)
    assert.equal(lstatSync(dirname(socket.path)).mode & 0o777, 0o700)

    // The server binds by a name relative to the folder, as PostgreSQL does; a client comes by the link.
    const here = process.cwd()
    process.chdir(data)
    const server = createServer(client => client.end('reached'))
    await new Promise<void>(resolve => server.listen(socketName, resolve))
    process.chdir(here)
    const words: Buffer[] = []
    for await (const octets of connect(join(socket.path, socketName))) words.push(octets)
    assert.equal(Buffer.concat(words).toString(), 'reached')
    // Node removes the socket by its relative name.
    process.chdir(data)
    await new Promise(resolve => server.close(resolve))
    process.chdir(here)
    await socket.remove()
    assert.ok(!existsSync(dirname(socket.path)))
  })

  it('is used again by the start after a kill, and is made anew when a cleaner took it', async () => {
    const killed = await socketFolder(deep, data)
    const next = await socketFolder(deep, data)
    assert.equal(next.path, killed.path)
    rmSync(dirname(next.path), { recursive: true })
    await next.renew()
    assert.equal(realpathSync(next.path), data)
    await next.remove()
  })

  it('is not one that others can enter', async () => {
    const first = await socketFolder(deep, data)
    chmodSync(dirname(first.path), 0o755)
    const second = await socketFolder(deep, data)
    assert.notEqual(second.path, first.path)
    await assert.rejects(first.renew(), /no longer ours alone/)
    await second.remove()
    rmSync(dirname(first.path), { recursive: true })
  })
})
