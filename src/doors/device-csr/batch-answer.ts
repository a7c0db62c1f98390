/** The answers of the Batched Device CSR Web Service, in the table "Situation" of service-interface 6. */

import { type Bytes, view } from '../../ground/bytes.ts'
import { attribute, declaration, element } from '../../ground/xml/write.ts'
import type { Failure } from '../../policy/smki-device/codes.ts'
import { positive } from './positive.ts'

interface Server {
  /** Of the server's software. */
  readonly build: string
}

type BatchId = bigint | number | string

/** SubmitCSRBatchStatus: accepted. `id` is that of the submission. */
export function submitAccepted(answer: Server & { readonly id: string; readonly batchId: BatchId }): string {
  return submitStatus(answer, 'PENDING', element('BatchId', positive(answer.batchId)))
}

/**
 * SubmitCSRBatchStatus: refused. `id` is undefined for FM:AA1, and that of the submission for FM:AA2 and WF:BB2.
 * @throws RangeError for a status that is neither FORMAT_ERROR nor WORKFLOW_ERROR.
 */
export function submitRefused(
  answer: Server & { readonly id: string | undefined; readonly failure: Failure },
): string {
  expect(answer.failure, wholeBatch)
  return submitStatus(answer, answer.failure.status, error(answer.failure))
}

export type Unfinished = 'PENDING' | 'REJECTED' | 'PARSING' | 'QUEUED' | 'PROCESSING' | 'PAUSED' | 'TAMPERED'

/** CSRBatchResult: there is no result, or none yet. */
export function resultUnfinished(
  answer: Server & { readonly id: string; readonly batchId: BatchId; readonly batchStatus: Unfinished },
): string {
  return resultStart(answer, answer.batchStatus) + element('BatchId', positive(answer.batchId)) + resultEnd
}

/**
 * CSRBatchResult: the query failed (FM:AA3, WF:BB1); no ID is echoed.
 * @throws RangeError for a status that is neither FORMAT_ERROR nor WORKFLOW_ERROR.
 */
export function resultRefused(answer: Server & { readonly failure: Failure }): string {
  expect(answer.failure, wholeBatch)
  return (
    resultStart({ id: undefined, build: answer.build }, answer.failure.status) + error(answer.failure) + resultEnd
  )
}

/** CSRBatchResult, COMPLETED: head, then one `resultItem` for each submitted CSR in order, then `resultEnd`. */
export function resultHead(answer: Server & { readonly id: string; readonly batchId: BatchId }): string {
  return `${resultStart(answer, 'COMPLETED')}${element('BatchId', positive(answer.batchId))}\n`
}

export interface ResultItem {
  /** That of the DeviceCSR. */
  readonly id: string
  /** The certificate in DER, or why there is none. */
  readonly outcome: { readonly certificate: Bytes } | Failure
}

/** @throws RangeError for a status that an item cannot have (UNKNOWN_DEVICE, FORMAT_ERROR). */
export function resultItem({ id, outcome }: ResultItem): string {
  const start = `<DeviceCertificate${attribute('ID', id)}>`
  const end = '</DeviceCertificate>\n'
  if ('certificate' in outcome) {
    const body = view(outcome.certificate).toString('base64')
    return `${start}<Status>SUCCESS</Status><Certificate>${body}</Certificate>${end}`
  }
  expect(outcome, oneItem)
  return `${start}<Status>${outcome.status}</Status>${error(outcome)}${end}`
}

export const resultEnd = '</CSRBatchResult>\n'

function submitStatus(of: Server & { id: string | undefined }, batchStatus: string, content: string): string {
  return `${start('SubmitCSRBatchStatus', of, batchStatus)}${content}</SubmitCSRBatchStatus>\n`
}

function resultStart(of: Server & { id: string | undefined }, batchStatus: string): string {
  return start('CSRBatchResult', of, batchStatus)
}

function start(name: string, { id, build }: Server & { id: string | undefined }, batchStatus: string): string {
  const versions = `<Version>1.0</Version>${element('Build', build)}`
  return `${declaration}<${name}${attribute('ID', id)}>${versions}<BatchStatus>${batchStatus}</BatchStatus>`
}

function error({ code, text }: Failure): string {
  return `<Error>${element('ErrorCode', code)}${element('ErrorText', text)}</Error>`
}

const wholeBatch: readonly Failure['status'][] = ['FORMAT_ERROR', 'WORKFLOW_ERROR']
const oneItem: readonly Failure['status'][] = [
  'ISSUANCE_ANOMALY',
  'INELIGIBLE',
  'CSR_ERROR',
  'CA_ERROR',
  'WORKFLOW_ERROR',
]

function expect({ status }: Failure, known: readonly string[]): void {
  if (!known.includes(status)) throw new RangeError(`${status} is not a status of this message`)
}
