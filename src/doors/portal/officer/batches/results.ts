/** The files of a completed batch: a zip of the certificates, and a report with one record for each request. */

import { Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import { toPem } from '../../../../ground/x509/pem.ts'
import { configuredCodes } from '../../../../policy/smki-device/codes.ts'
import type { Batch } from '../../../../rooms/issuance/batch.ts'
import { resultsOf } from '../../../../rooms/issuance/results.ts'
import type { PortalDoor } from '../../door.ts'
import type { Download } from '../../frame/page.ts'
import { baseName, reportStatus } from './named.ts'

/** `a-response.zip`: `<base name of the request>.crt`, PEM with boundary lines (SVC-A09), at the top. */
export function certificatesZip(door: PortalDoor, batch: Batch): Download {
  const zip = new ZipFile()
  const octets = Readable.from(zip.outputStream as AsyncIterable<Buffer>, { objectMode: false })
  const options = { mtime: batch.completedAt ?? batch.receivedAt, compress: false }
  const fill = async () => {
    for await (const results of resultsOf(door.store, batch)) {
      for (const one of results) {
        if ('certificate' in one)
          zip.addBuffer(Buffer.from(toPem('CERTIFICATE', one.certificate)), `${one.id}.crt`, options)
      }
    }
    zip.end()
  }
  // A zip that breaks off has no directory: nobody takes it for whole.
  fill().catch((cause: Error) => octets.destroy(cause))
  return { name: `${baseName(batch)}-response.zip`, type: 'application/zip', octets }
}

/** One record for each request: identifier, file name, status, and the code where there is no certificate (SVC-A10). */
export function report(door: PortalDoor, batch: Batch): Download {
  const codes = configuredCodes(door.settings.issuing.codes)
  async function* lines(): AsyncGenerator<string> {
    let number = 0
    for await (const results of resultsOf(door.store, batch)) {
      yield results
        .map(one => {
          const record = [String(++number), `${one.id}.csr`]
          const rest = 'certificate' in one ? ['success', ''] : [reportStatus(one.code), codes[one.code].code]
          return `${[...record, ...rest].map(quoted).join(',')}\r\n`
        })
        .join('')
    }
  }
  return {
    name: `${baseName(batch)}-response.txt`,
    type: 'text/plain; charset=utf-8',
    octets: Readable.from(lines(), { objectMode: false }),
  }
}

/** RFC 4180 section 2, rules 5 to 7. */
function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}
