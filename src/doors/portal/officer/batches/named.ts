/** What a batch is called on the pages and in its files, and what its states and codes mean in words. */

import { codes, type DeviceCode } from '../../../../policy/smki-device/codes.ts'
import { type Batch, type BatchState, singleMark, zipMark } from '../../../../rooms/issuance/batch.ts'
import type { Html } from '../../frame/html.ts'
import { type Colour, tag } from '../../frame/pieces.ts'

/** `a.zip`, for a zip from the Portal; the ID that its client gave, for one from the web service. */
export function nameOf({ reference }: Pick<Batch, 'reference'>): string {
  if (reference.startsWith(zipMark)) return reference.slice(zipMark.length)
  return reference.startsWith(singleMark) ? reference.slice(singleMark.length) : reference
}

export function channelOf({ reference }: Pick<Batch, 'reference'>): string {
  if (reference.startsWith(zipMark)) return 'Portal, zip file'
  return reference.startsWith(singleMark) ? 'Portal, one request' : 'Batched web service'
}

/** Base name of the files on the pick-up page: `a` of `a.zip`; `batch-17` of one from the web service (SVC section 7). */
export function baseName(batch: Pick<Batch, 'reference' | 'id'>): string {
  if (!batch.reference.startsWith(zipMark) && !batch.reference.startsWith(singleMark)) return `batch-${batch.id}`
  return nameOf(batch).replace(/\.zip$/i, '')
}

const states: Readonly<Record<BatchState, readonly [words: string, colour: Colour, means: string]>> = {
  PENDING: [
    'Waiting for approval',
    'yellow',
    'The Registration Authority must approve it before anything is issued.',
  ],
  REJECTED: ['Rejected', 'red', 'The Registration Authority has refused it. Nothing was issued.'],
  PARSING: ['Approved', 'blue', 'It was approved, and is being read.'],
  TAMPERED: [
    'Damaged',
    'red',
    'What is stored is not what was uploaded. Nothing was issued: submit it again, and tell the Service Desk.',
  ],
  QUEUED: ['Queued', 'blue', 'It waits for its turn.'],
  PROCESSING: ['In progress', 'blue', 'Its requests are being processed.'],
  PAUSED: ['Paused', 'grey', 'It goes on when the next processing window opens.'],
  COMPLETED: ['Completed', 'green', 'Every request was processed.'],
}

export function stateTag(state: BatchState): Html {
  const [words, colour] = states[state]
  return tag(words, colour)
}

export const stateMeans = (state: BatchState): string => states[state][2]

export const isFinal = (state: BatchState): boolean => ['REJECTED', 'TAMPERED', 'COMPLETED'].includes(state)

/** The words of the report (service-interface.md section 7). */
export function reportStatus(outcome: 'SUCCESS' | DeviceCode): 'success' | 'error' | 'anomaly' | 'ineligible' {
  if (outcome === 'SUCCESS') return 'success'
  const { status } = codes[outcome]
  return status === 'ISSUANCE_ANOMALY' ? 'anomaly' : status === 'INELIGIBLE' ? 'ineligible' : 'error'
}
