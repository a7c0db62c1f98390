/** The messages of the Ad Hoc Device CSR Web Service (service-interface 5; schema/AdHocDeviceCSR-1.0.xsd). */

import { type Bytes, view } from '../../ground/bytes.ts'
import { expectAttributes, readTree, textsOf, type XmlElement } from '../../ground/xml/tree.ts'
import { NotValid } from '../../ground/xml/unreadable.ts'
import { base64Binary, hasLength } from '../../ground/xml/values.ts'
import { attribute, declaration, element } from '../../ground/xml/write.ts'
import type { Failure } from '../../policy/smki-device/codes.ts'
import { invalidXml } from './invalid-xml.ts'
import { positive } from './positive.ts'

export interface AdHocRequest {
  /** The client's reference, 1 to 32 characters, to be echoed. */
  readonly id: string
  /** What should be a PKCS#10; only its base64 has been read. */
  readonly csr: Buffer
}

/**
 * A DeviceCertificateSigningRequest.
 * @throws Refusal FM:AA1 unless it is valid against the schema, and free of what `XmlReader` refuses.
 */
export function readAdHocRequest(octets: Bytes): AdHocRequest {
  try {
    return request(readTree(octets))
  } catch (cause) {
    throw invalidXml(cause)
  }
}

function request(root: XmlElement): AdHocRequest {
  if (root.name !== 'DeviceCertificateSigningRequest') {
    throw new NotValid('the root is not DeviceCertificateSigningRequest', root.position)
  }
  expectAttributes(root, ['ID'])
  const id = root.attributes.ID!
  if (!hasLength(id, 1, 32)) throw new NotValid('the ID does not have 1 to 32 characters', root.position)
  const [version, text] = textsOf(root, ['Version', 'CertificateSigningRequest'])
  if (version !== '1.0') throw new NotValid('the Version is not 1.0', root.position)
  const csr = base64Binary(text!)
  if (!csr) throw new NotValid('the CertificateSigningRequest is not base64', root.children[1]!.position)
  return { id, csr }
}

export interface AdHocAnswer {
  /** The request's ID; undefined when the request could not be read. */
  readonly id: string | undefined
  /** Of the server's software. */
  readonly build: string
  /** Positive, unique for ever. */
  readonly transactionId: bigint | number | string
  /** The certificate in DER, or why there is none. */
  readonly outcome: { readonly certificate: Bytes } | Failure
}

/**
 * A DeviceCertificateSigningResponse.
 * @throws RangeError for a status that this message does not know (INELIGIBLE), and for what cannot be written.
 */
export function writeAdHocResponse({ id, build, transactionId, outcome }: AdHocAnswer): string {
  return (
    `${declaration}<DeviceCertificateSigningResponse${attribute('ID', id)}><Version>1.0</Version>` +
    element('Build', build) +
    element('TransactionId', positive(transactionId)) +
    ('certificate' in outcome
      ? `<Status>SUCCESS</Status><Certificate>${view(outcome.certificate).toString('base64')}</Certificate>`
      : failure(outcome)) +
    '</DeviceCertificateSigningResponse>\n'
  )
}

function failure({ status, code, text }: Failure): string {
  if (!failures.has(status)) throw new RangeError(`${status} is not a status of the Ad Hoc Device CSR Web Service`)
  return `<Status>${status}</Status><Error>${element('ErrorCode', code)}${element('ErrorText', text)}</Error>`
}

const failures = new Set<Failure['status']>([
  'ISSUANCE_ANOMALY',
  'UNKNOWN_DEVICE',
  'CA_ERROR',
  'CSR_ERROR',
  'FORMAT_ERROR',
  'WORKFLOW_ERROR',
])
