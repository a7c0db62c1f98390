/** The reader of XML and the three messages over it; a batch is read whole, in pieces, and without its short cut. */

import { readAdHocRequest } from '../../../src/doors/device-csr/adhoc-message.ts'
import { BatchReader } from '../../../src/doors/device-csr/batch-message.ts'
import { readDataRequest, readSearchRequest } from '../../../src/doors/repository/message.ts'
import { Refusal } from '../../../src/ground/refusal.ts'
import { XmlReader } from '../../../src/ground/xml/read.ts'
import { Unreadable } from '../../../src/ground/xml/unreadable.ts'
import { badDocuments } from '../../service/documents.ts'
import { Broken, type Target } from '../target.ts'

const head = '<?xml version="1.0" encoding="UTF-8"?>\n'
const csr = Buffer.from('3003020100', 'hex').toString('base64')
const batch = `${head}<SubmitCSRBatch ID="b"><Version>1.0</Version><DeviceCSR ID="a">${csr}</DeviceCSR>
<DeviceCSR ID="b">${csr}</DeviceCSR></SubmitCSRBatch>`
const adHoc = `${head}<DeviceCertificateSigningRequest ID="r"><Version>1.0</Version><CertificateSigningRequest>${csr}</CertificateSigningRequest></DeviceCertificateSigningRequest>`
const xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

export const xml: Target = {
  name: 'xml',
  says: 'the XML reader whole and in pieces, and the messages of the Device CSR and Repository services',
  watches: /\/src\/(ground\/xml|doors\/(device-csr|repository))\/|node_modules\/saxes\//,
  longest: 4096,
  form: 'text',
  words: [
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<!DOCTYPE a [',
    ']>',
    '<!ENTITY a "b">',
    '&a;',
    '&lt;',
    '&#60;',
    '&#x0;',
    '&#xD800;',
    '&amp;',
    '<?',
    '?>',
    '</',
    '/>',
    'xmlns="',
    'xmlns:a="urn:a"',
    xsi,
    'xsi:noNamespaceSchemaLocation="a.xsd"',
    'ID="',
    '"',
    '<DeviceCSR ID="c">',
    '</DeviceCSR>',
    '<Version>1.0</Version>',
    '\u{FEFF}',
    '\u{10FFFF}',
    '\uFFFE',
    '\0',
    '\r\n',
    'é',
  ].map(text => Buffer.from(text)),
  seeds: () => [
    ...[
      batch,
      adHoc,
      batch.replace('<SubmitCSRBatch', `<SubmitCSRBatch ${xsi} xsi:noNamespaceSchemaLocation="x.xsd"`),
      adHoc.replace(csr, `<!-- c --><![CDATA[${csr}]]>`),
      '<CertificateSearchRequest><Version>1.0</Version></CertificateSearchRequest>',
    ].map(text => Buffer.from(text)),
    ...Object.values(badDocuments)
      .flatMap(({ adHoc, batch }) => [adHoc, batch])
      .filter(text => text !== undefined)
      .map(text => Buffer.from(text.replaceAll(/(?<=>)CSR|-CSR-/g, csr), 'latin1')),
  ],
  read: octets => {
    const cut = octets.length === 0 ? 0 : (octets[octets.length >> 1]! * 7) % octets.length
    const wholly = generic([octets])
    const pieces = generic([octets.subarray(0, cut), octets.subarray(cut)])
    if (wholly.said !== pieces.said) throw new Broken(`in pieces: ${pieces.said}, whole: ${wholly.said}`)
    const skimmed = batched([octets], true)
    const parsed = batched([octets], false)
    const cutUp = batched([octets.subarray(0, cut), octets.subarray(cut)], true)
    if (skimmed !== parsed || skimmed !== cutUp)
      throw new Broken(`a batch: ${skimmed}; parsed ${parsed}; cut ${cutUp}`)
    attempt(() => readAdHocRequest(octets))
    attempt(() => readSearchRequest(octets))
    attempt(() => readDataRequest(octets))
    if (wholly.fault) throw wholly.fault
    if (/^[A-Z]/.test(skimmed)) throw new Refusal('FM:AA1', skimmed)
  },
  no: refused,
}

function refused(cause: unknown): string | undefined {
  if (cause instanceof Unreadable) return cause.name
  return cause instanceof Refusal ? cause.code : undefined
}

function attempt(read: () => unknown): void {
  try {
    read()
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
  }
}

/** What is told of the document, and how it ends: the verdict, not its sentence, which names how far one had read. */
function generic(pieces: readonly Buffer[]): { said: string; fault?: unknown } {
  const said: string[] = []
  const reader = new XmlReader({
    open: (name, attributes) => said.push(`<${name} ${JSON.stringify(attributes)}`),
    close: (name, text) => said.push(`/${name} ${text}`),
  })
  try {
    for (const piece of pieces) reader.write(piece)
    reader.end()
    return { said: said.join('\n') }
  } catch (fault) {
    if (refused(fault) === undefined) throw fault
    return { said: 'refused', fault }
  }
}

/** The items, or the code. Items of a document that turns out to be none do not count. */
function batched(pieces: readonly Buffer[], skims: boolean): string {
  const items: string[] = []
  const reader = new BatchReader(
    ({ id, csr, position }) => items.push(`${position} ${id} ${csr.toString('hex')}`),
    {
      limit: 3,
      skims,
    },
  )
  try {
    for (const piece of pieces) reader.write(piece)
    const { id, count } = reader.end()
    return `${id} ${count} ${items.join()}`
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return cause.code
  }
}
