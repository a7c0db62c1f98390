/** The two readers of ZIP archives: of a batch at the Portal, and of a document that is reviewed. */

import { crc32, deflateRawSync } from 'node:zlib'
import { makeDeviceCsr } from '../../../simulator/device.ts'
import { readZip } from '../../../src/doors/portal/officer/batches/zip-request.ts'
import { Refusal } from '../../../src/ground/refusal.ts'
import { NotReadable } from '../../../src/policy/documents/review/not-readable.ts'
import { unzip } from '../../../src/policy/documents/review/zip.ts'
import { Broken, type Target } from '../target.ts'

const limits = { members: 20, octets: 40_000 }

export const zip: Target = {
  name: 'zip',
  says: 'a zip of CSRs as the Portal takes it, and the parts of a document',
  watches: /\/src\/(doors\/portal\/officer\/batches\/zip|policy\/documents\/review\/zip)|node_modules\/yauzl\//,
  longest: 6000,
  form: 'octets',
  words: [
    'PK\x01\x02',
    'PK\x03\x04',
    'PK\x05\x06',
    'PK\x06\x06',
    'PK\x06\x07',
    '../',
    'a/b',
    '\\',
    'c:',
    '/etc',
    '.csr',
    '\0',
    '\xff\xff',
    '\xff\xff\xff\xff',
    '\x01\0\x1c\0',
    'up\x0a\0',
    '\x08\0',
    '\x00\x08',
  ].map(text => Buffer.from(text, 'latin1')),
  seeds: () => {
    const csr = makeDeviceCsr({ deviceId: '02e3000000000001', usage: 'keyAgreement' }).csr
    return [
      archive([['a.csr', csr]]),
      archive(
        [
          ['a.csr', csr],
          ['b.CSR', Buffer.from(csr.toString('base64'))],
        ],
        true,
      ),
      archive(
        [
          ['word/document.xml', Buffer.from('<a/>')],
          ['word/styles.xml', Buffer.alloc(3000)],
        ],
        true,
      ),
      archive([['../a.csr', csr]]),
      archive([['a.csr', Buffer.alloc(20_000)]], true),
      archive([]),
    ]
  },
  read: async octets => {
    const members: string[] = []
    let fault: unknown
    try {
      let sum = 0
      for await (const { id, csr } of readZip(octets, limits)) {
        members.push(id)
        sum += csr.length
      }
      if (members.length > limits.members || sum > limits.octets) throw new Broken('more came out than was allowed')
      if (new Set(members.map(name => name.toLowerCase())).size < members.length)
        throw new Broken('a name came twice')
      if (members.some(name => /[/\\\0]/.test(name))) throw new Broken('a path came out')
    } catch (cause) {
      if (refused(cause) === undefined) throw cause
      fault = cause
    }
    try {
      const parts = await unzip(octets, ['word/document.xml', 'word/styles.xml'], { file: 8192, entries: 20 })
      for (const part of parts.values())
        if (part.length > 8192) throw new Broken('a part is longer than was allowed')
      if (parts.size > 0) return
    } catch (cause) {
      if (refused(cause) === undefined) throw cause
      fault ??= cause
    }
    if (fault !== undefined) throw fault
  },
  no: refused,
}

function refused(cause: unknown): string | undefined {
  if (cause instanceof NotReadable) return 'NotReadable'
  return cause instanceof Refusal && ['FM:ZIP', 'FM:AA2', 'PRIVATE_KEY'].includes(cause.code)
    ? cause.code
    : undefined
}

/** A ZIP archive of these members, written by hand (APPNOTE 4.3), so that it can be as wrong as one likes. */
export function archive(members: readonly (readonly [string, Buffer])[], deflated = false): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let at = 0
  for (const [name, content] of members) {
    const data = deflated ? deflateRawSync(content) : content
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(deflated ? 8 : 0, 4)
    fields.writeUInt32LE(crc32(content), 10)
    fields.writeUInt32LE(data.length, 14)
    fields.writeUInt32LE(content.length, 18)
    fields.writeUInt16LE(Buffer.byteLength(name), 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), data])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(at, 10)
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0', 'latin1'), fields, tail, Buffer.from(name)]))
    locals.push(local)
    at += local.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(members.length, 8)
  end.writeUInt16LE(members.length, 10)
  const directory = Buffer.concat(central)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, directory, end])
}
