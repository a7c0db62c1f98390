import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ChannelBroken, NobodyListens, openChannel, serveChannel } from './channel.ts'

const folder = mkdtempSync(join(tmpdir(), 'opensmki-channel-'))
after(() => rmSync(folder, { recursive: true }))

/** A process that answers each number with the next; and not at all to 0. */
const program = join(folder, 'answering.ts')
writeFileSync(
  program,
  `import { serveChannel } from ${JSON.stringify(new URL('./channel.ts', import.meta.url).pathname)}
   await serveChannel(process.argv[2], n => (n === 0 ? new Promise(() => {}) : Promise.resolve(n + 1)))
   process.send('listening')`,
)

async function answering(path: string) {
  const child = fork(program, [path])
  await once(child, 'message')
  return {
    async kill() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

describe('A channel', () => {
  it('finds the process that was started anew at the same path, where a killed one left its socket', async () => {
    const path = join(folder, 'anew.sock')
    const channel = openChannel<number, number>(path)
    const first = await answering(path)
    assert.equal(await channel.ask(1), 2)
    const open = assert.rejects(
      channel.ask(0),
      cause => cause instanceof ChannelBroken && !(cause instanceof NobodyListens),
    )
    // Answered on the same connection, so the question before it has arrived.
    assert.equal(await channel.ask(5), 6)
    await first.kill()
    await open
    assert.ok(existsSync(path), 'the killed one left it')
    await assert.rejects(channel.ask(2), NobodyListens)
    const second = await answering(path)
    assert.deepEqual(await Promise.all([channel.ask(3), channel.ask(4)]), [4, 5])
    channel.close()
    await second.kill()
  })

  it('says that a question was not asked where nothing is, and asks the next one', async () => {
    const path = join(folder, 'nothing.sock')
    const channel = openChannel<string, string>(path)
    await assert.rejects(channel.ask('before'), NobodyListens)
    const server = await serveChannel<string, string>(path, async question => `${question}!`)
    assert.equal(await channel.ask('now'), 'now!')
    channel.close()
    server.close()
  })

  it('tells the asker of a fault, and not what it was', async () => {
    const path = join(folder, 'fault.sock')
    const server = await serveChannel<number, number>(path, async () => {
      throw new Error('a secret')
    })
    const channel = openChannel<number, number>(path)
    await assert.rejects(channel.ask(1), cause => cause instanceof ChannelBroken && !/secret/.test(cause.message))
    channel.close()
    server.close()
  })
})
