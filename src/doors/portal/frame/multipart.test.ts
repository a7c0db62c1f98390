import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readMultipart } from './multipart.ts'

const boundary = 'frontier'
const type = `multipart/form-data; boundary=${boundary}`

/** As a browser writes it. */
function body(fields: Readonly<Record<string, string>>, file?: { name: string; octets: Buffer }): Buffer {
  const parts = Object.entries(fields).map(([name, value]) =>
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
  )
  const head =
    file &&
    `--${boundary}\r\nContent-Disposition: form-data; name="zip"; filename="${file.name}"\r\nContent-Type: application/zip\r\n\r\n`
  return Buffer.concat([
    ...parts,
    ...(file ? [Buffer.from(head!), file.octets, Buffer.from('\r\n')] : []),
    Buffer.from(`--${boundary}--\r\n`),
  ])
}

async function* cut(octets: Buffer, at: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0
  for (const to of [...at].sort((a, b) => a - b)) {
    yield octets.subarray(from, to)
    from = Math.max(from, to)
  }
  yield octets.subarray(from)
}

const read = (octets: Buffer, at: readonly number[] = [], fileOctets = 1 << 20, onFields = () => {}) =>
  readMultipart(cut(octets, at), type, { fileOctets, onFields })

describe('a form with a file', () => {
  it('is read as it was sent, however the network cuts it', async () => {
    const pieces = fc.array(fc.nat(3000), { maxLength: 12 })
    const content = fc.uint8Array({ maxLength: 2000 }).map(octets => Buffer.from(octets))
    const words = fc.string({ unit: 'grapheme-ascii', maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(content, words, pieces, async (octets, value, at) => {
        const whole = body({ token: value }, { name: 'a.zip', octets })
        const form = await read(
          whole,
          at.map(one => Math.min(one, whole.length)),
        )
        assert.equal(form.given.token, value)
        assert.equal(form.file?.name, 'a.zip')
        assert.ok(form.file?.octets.equals(octets))
      }),
    )
  })

  it('asks whether it may, with the fields, before it reads the file', async () => {
    const seen: string[] = []
    const refused = readMultipart(
      cut(body({ token: 't' }, { name: 'a.zip', octets: Buffer.alloc(100) }), []),
      type,
      {
        fileOctets: 50,
        onFields: form => {
          seen.push(form.text('token'))
          throw new Error('no')
        },
      },
    )
    await assert.rejects(refused, /^Error: no$/)
    assert.deepEqual(seen, ['t'])
  })

  it('is refused before any of the file is read when its length is announced and too long', async () => {
    const good = body({ token: 't' }, { name: 'a.zip', octets: Buffer.alloc(100) })
    const limits = { fileOctets: 1000, onFields() {} }
    const fields = 131_072
    assert.ok((await readMultipart(cut(good, []), type, { ...limits, announced: 1000 + fields })).file)
    await assert.rejects(readMultipart(cut(good, []), type, { ...limits, announced: 1001 + fields }), {
      code: 'FILE_TOO_LONG',
    })
  })

  it('is refused when it is too long, breaks off, or is none', async () => {
    const good = body({ token: 't' }, { name: 'a.zip', octets: Buffer.alloc(100) })
    await assert.rejects(read(good, [], 99), { code: 'FILE_TOO_LONG' })
    assert.equal((await read(good, [], 100)).file?.octets.length, 100)
    await assert.rejects(read(good.subarray(0, good.length - 10)), { code: 'FORM_UNFIT' })
    await assert.rejects(read(Buffer.from('hello, this is no form at all')), { code: 'FORM_UNFIT' })
    await assert.rejects(read(body({ a: 'x'.repeat(131_073) })), { code: 'FORM_TOO_LONG' })
    await assert.rejects(readMultipart(cut(good, []), 'multipart/form-data', { fileOctets: 1, onFields() {} }), {
      code: 'FORM_UNFIT',
    })
    const two = Buffer.concat([
      good.subarray(0, good.length - boundary.length - 6),
      body({}, { name: 'b', octets: Buffer.from('b') }),
    ])
    await assert.rejects(read(two), { code: 'FORM_UNFIT' })
  })

  it('never fails otherwise than by a refusal, whichever octet was changed', async () => {
    const good = body({ token: 't' }, { name: 'a.zip', octets: Buffer.from('content') })
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(good)
        changed[at] = changed[at]! ^ change
        await read(changed).catch((cause: { name: string }) => assert.equal(cause.name, 'Refusal'))
      }),
    )
  })
})
