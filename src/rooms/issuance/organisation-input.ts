/** The forms in which a CSR may come to the Portal (service-interface.md section 7), made into the octets of one PKCS#10. */

import { fromBase64, NotPem, readPem } from '../../ground/x509/pem.ts'
import { refuseCsr } from './csr.ts'

/** A CSR has some 400 octets, twice that as text; commentary may stand before it. Defends memory and the journal. */
const longest = 16_384

const labels = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST']

/**
 * With one of the two boundaries or without any, base64 in lines of any length, line ends LF or CRLF.
 * @throws Refusal CR:CC2
 */
export function readPortalCsr(text: string): Buffer {
  if (text.length > longest) refuseCsr('CR:CC2', `the text has more than ${longest} characters`)
  try {
    if (!text.includes('-----')) return octetsOf(fromBase64(text))
    const [block, ...more] = readPem(text.replaceAll('\r\n', '\n'))
    if (!block || more.length > 0) refuseCsr('CR:CC2', 'the text holds no CSR between boundary lines, or several')
    if (!labels.includes(block.label)) refuseCsr('CR:CC2', `the boundary lines say ${block.label}`)
    return octetsOf(block.der)
  } catch (cause) {
    if (cause instanceof NotPem) refuseCsr('CR:CC2', `the text is no CSR: ${cause.message}`, cause)
    throw cause
  }
}

function octetsOf(der: Buffer): Buffer {
  if (der.length === 0) refuseCsr('CR:CC2', 'the text holds nothing')
  return der
}
