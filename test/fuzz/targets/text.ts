/** Smaller ways in: PEM, forms with a file, several CSRs in one message, and what an SFTP client says. */

import { readParts } from '../../../src/doors/dccki/multipart.ts'
import { readForm } from '../../../src/doors/portal/frame/form.ts'
import { readMultipart } from '../../../src/doors/portal/frame/multipart.ts'
import { NotSftp, packetReader, readInit, readRequest } from '../../../src/doors/sftp/packets.ts'
import { Refusal } from '../../../src/ground/refusal.ts'
import { NotPem, readPem, readPemOrDer, toPem } from '../../../src/ground/x509/pem.ts'
import { readPortalCsr } from '../../../src/rooms/issuance/organisation-input.ts'
import { Broken, same, type Target } from '../target.ts'

const parts = (type: string, body: string) =>
  Buffer.from(`--b\r\nContent-Type: ${type}\r\n\r\n${body}\r\n--b--\r\n`, 'latin1')
const field = (name: string, value: string, file?: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${file === undefined ? '' : `; filename="${file}"`}\r\n\r\n${value}\r\n`

export const text: Target = {
  name: 'text',
  says: 'PEM, a CSR as the Portal takes it, forms with and without a file, multipart messages, packets of SFTP',
  watches:
    /\/src\/(doors\/(dccki\/multipart|portal\/frame\/(form|multipart)|sftp\/packets)|ground\/x509\/pem|rooms\/issuance\/organisation-input)/,
  longest: 4096,
  form: 'text',
  words: [
    '\r\n\r\n',
    '--b',
    '--b--',
    '\r\n--b\r\n',
    '-----BEGIN CERTIFICATE-----\n',
    '-----END CERTIFICATE-----\n',
    'filename="a"',
    'name="n"',
    'Content-Type: application/pkcs10',
    'Content-Transfer-Encoding: binary',
    '\0\0\0',
    '\0\0\0\x05',
    '%',
    '&',
    '=',
    '\xff',
    '-----BEGIN ',
  ].map(text => Buffer.from(text, 'latin1')),
  seeds: () => [
    Buffer.from(toPem('CERTIFICATE', Buffer.alloc(70, 7)) + toPem('X509 CRL', Buffer.of(1))),
    Buffer.from(toPem('NEW CERTIFICATE REQUEST', Buffer.from('3003020100', 'hex'))),
    Buffer.from('3003020100', 'hex'),
    Buffer.from('a=b&c=%C3%A9&a=+'),
    Buffer.from(`${field('name', 'value')}${field('file', 'octets', 'a.csr')}--b--\r\n`),
    parts('application/pkcs10', 'octets'),
    Buffer.from(
      '000000050100000003' + '0000000d0b00000001000000042f612f62' + '0000000f0300000002000000012f0000000100000000',
      'hex',
    ),
  ],
  read: async octets => {
    const faults: unknown[] = []
    for (const read of readers) {
      try {
        await read(octets)
      } catch (cause) {
        if (refused(cause) === undefined) throw cause
        faults.push(cause)
      }
    }
    if (faults.length === readers.length) throw faults[octets.length % faults.length]
  },
  no: refused,
}

const readers: readonly ((octets: Buffer) => unknown)[] = [
  octets => {
    // What was read is written in one way, and that is read the same.
    const blocks = readPem(octets.toString('latin1'))
    const again = readPem(blocks.map(({ label, der }) => toPem(label, der)).join(''))
    if (again.length !== blocks.length) throw new Broken('PEM of another number of blocks')
    for (const [i, { der }] of again.entries()) same(der, blocks[i]!.der, 'a block')
  },
  octets => readPemOrDer(octets, ['CERTIFICATE', 'X509 CRL']),
  octets => readPortalCsr(octets.toString('latin1')),
  readForm,
  async octets => {
    const limits = { fileOctets: 200, onFields: () => {} }
    const said = async (pieces: Buffer[]) => {
      try {
        const form = await readMultipart(streamOf(pieces), 'multipart/form-data; boundary=b', limits)
        return JSON.stringify([form.given, form.file?.name, form.file?.octets.toString('hex')])
      } catch (cause) {
        if (refused(cause) === undefined) throw cause
        return 'refused'
      }
    }
    const at = octets.length === 0 ? 0 : (octets[octets.length >> 1]! * 5) % octets.length
    const [whole, pieces] = [await said([octets]), await said([octets.subarray(0, at), octets.subarray(at)])]
    if (whole !== pieces) throw new Broken(`a form in pieces: ${pieces}; whole: ${whole}`)
    if (whole === 'refused') throw new Refusal('FORM_UNFIT', 'the form')
  },
  octets => readParts('multipart/mixed; boundary=b', octets, 3),
  octets => {
    const packets = packetReader()(octets)
    for (const packet of packets) readRequest(packet)
    if (packets[0]) readInit(packets[0])
  },
]

async function* streamOf(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces
}

function refused(cause: unknown): string | undefined {
  if (cause instanceof NotPem || cause instanceof NotSftp) return cause.name
  const known = ['FORM_UNFIT', 'FORM_TOO_LONG', 'FILE_TOO_LONG', 'PRIVATE_KEY', 'MESSAGE_UNFIT', 'CR:CC2']
  return cause instanceof Refusal && known.includes(cause.code) ? cause.code : undefined
}
