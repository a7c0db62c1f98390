import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { longestPacket, NotSftp, packetReader, readInit, readRequest } from './packets.ts'
import { sftpSession } from './session.ts'
import { absolute } from './tree.ts'

const u32 = (value: number) => {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value)
  return octets
}
const text = (value: string) => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)])
const request = (type: number, id: number, ...fields: Buffer[]) =>
  Buffer.concat([Buffer.of(type), u32(id), ...fields])

describe('packets of SFTP', () => {
  it('come out whole, however the octets are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        (packets, cuts) => {
          const octets = Buffer.concat(packets.flatMap(one => [u32(one.length), Buffer.from(one)]))
          const read = packetReader()
          const found: Buffer[] = []
          for (let at = 0, i = 0; at < octets.length; i++) {
            const end = at + cuts[i % cuts.length]!
            found.push(...read(octets.subarray(at, end)))
            at = end
          }
          assert.deepEqual(
            found.map(one => [...one]),
            packets.map(one => [...one]),
          )
        },
      ),
    )
  })

  it('are refused where none can be: of no octets, and longer than any request is', () => {
    for (const length of [0, longestPacket + 1, 0xffff_ffff])
      assert.throws(() => packetReader()(u32(length)), NotSftp)
    assert.deepEqual(packetReader()(u32(longestPacket)), [])
  })

  it('begin with the version, and are requests after that', () => {
    assert.equal(readInit(Buffer.concat([Buffer.of(1), u32(3)])), 3)
    assert.throws(() => readInit(request(17, 1, text('/'))), NotSftp)
    assert.throws(() => readRequest(Buffer.concat([Buffer.of(1), u32(3)])), NotSftp)
    assert.throws(() => readRequest(Buffer.of(17, 0, 0, 0)), NotSftp)
  })

  it('ask for what the draft has them ask, and nothing that is cut short or longer', () => {
    const path = text('/delta')
    const large = Buffer.from('0000000100000002', 'hex')
    assert.deepEqual(readRequest(request(3, 7, path, u32(1), u32(0))), {
      id: 7,
      ask: 'open',
      path: '/delta',
      flags: 1,
    })
    assert.deepEqual(readRequest(request(5, 8, text('h'), large, u32(9))), {
      id: 8,
      ask: 'read',
      handle: 'h',
      offset: 0x1_0000_0002n,
      length: 9,
    })
    for (const [type, ask] of [
      [17, 'stat'],
      [7, 'stat'],
      [11, 'opendir'],
      [16, 'realpath'],
    ] as const)
      assert.deepEqual(readRequest(request(type, 9, path)), { id: 9, ask, path: '/delta' })
    for (const type of [6, 9, 10, 13, 14, 15, 18, 19, 20])
      assert.equal(readRequest(request(type, 1, path)).ask, 'change')
    assert.equal(readRequest(request(200, 1, text('statvfs@openssh.com'))).ask, 'unknown')
    for (const wrong of [
      request(17, 1),
      request(17, 1, path.subarray(0, -1)),
      request(17, 1, path, Buffer.of(0)),
      request(5, 1, text('h'), large),
      request(4, 1, u32(0xffff_ffff)),
    ])
      assert.equal(readRequest(wrong).ask, 'malformed')
  })
})

describe('a session', () => {
  const serving = {
    clock: () => new Date(0),
    files: async () => [],
    open: async () => undefined,
    fetched: () => {},
    fault: (cause: unknown) => assert.fail(cause as Error),
  }

  it('answers whatever has an identifier with that identifier, and ends at the rest', async () => {
    const type = fc.constantFrom(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 200, 201, 255)
    await fc.assert(
      fc.asyncProperty(type, fc.uint8Array({ maxLength: 60 }), async (type, rest) => {
        const session = sftpSession(serving)
        const hello = await session.answer(Buffer.concat([Buffer.of(1), u32(3)]))
        assert.deepEqual([...hello], [0, 0, 0, 5, 2, 0, 0, 0, 3])
        const packet = Buffer.concat([Buffer.of(type), rest])
        if (packet.length < 5) return assert.rejects(session.answer(packet), NotSftp)
        const answer = await session.answer(packet)
        assert.equal(answer.readUInt32BE(0), answer.length - 4)
        assert.equal(answer.readUInt32BE(5), packet.readUInt32BE(1))
        return undefined
      }),
    )
  })

  it('knows a path by what it comes to', () => {
    for (const [path, is] of [
      ['', '/'],
      ['.', '/'],
      ['..', '/'],
      ['../../x', '/x'],
      ['//x', '/x'],
      ['///', '/'],
      ['delta/', '/delta'],
      ['/delta/./../full', '/full'],
    ])
      assert.equal(absolute(path!), is)
  })
})
