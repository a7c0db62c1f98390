/** The ciphered services: which outer tag stands for which plain APDU, and who sends it (dlms.md section 2). */

import type { Bytes } from '../bytes.ts'

export type Sender = 'client' | 'server'

export type ServiceName =
  | 'initiateRequest'
  | 'initiateResponse'
  | 'confirmedServiceError'
  | 'get-request'
  | 'get-response'
  | 'set-request'
  | 'set-response'
  | 'event-notification'
  | 'action-request'
  | 'action-response'

export interface Service {
  readonly name: ServiceName
  readonly from: Sender
  /** The tags: of the plain APDU, and of it under the GUEK (glo) and under a Dedicated Key (ded). */
  readonly plain: number
  readonly glo: number
  readonly ded: number
}

export const services: readonly Service[] = [
  { name: 'initiateRequest', from: 'client', plain: 0x01, glo: 0x21, ded: 0x41 },
  { name: 'initiateResponse', from: 'server', plain: 0x08, glo: 0x28, ded: 0x48 },
  { name: 'confirmedServiceError', from: 'server', plain: 0x0e, glo: 0x2e, ded: 0x4e },
  { name: 'get-request', from: 'client', plain: 0xc0, glo: 0xc8, ded: 0xd0 },
  { name: 'get-response', from: 'server', plain: 0xc4, glo: 0xcc, ded: 0xd4 },
  { name: 'set-request', from: 'client', plain: 0xc1, glo: 0xc9, ded: 0xd1 },
  { name: 'set-response', from: 'server', plain: 0xc5, glo: 0xcd, ded: 0xd5 },
  { name: 'event-notification', from: 'server', plain: 0xc2, glo: 0xca, ded: 0xd2 },
  { name: 'action-request', from: 'client', plain: 0xc3, glo: 0xcb, ded: 0xd3 },
  { name: 'action-response', from: 'server', plain: 0xc7, glo: 0xcf, ded: 0xd7 },
]

const by = (column: 'plain' | 'glo' | 'ded') => new Map(services.map(service => [service[column], service]))

export const byPlainTag: ReadonlyMap<number, Service> = by('plain')
export const byGloTag: ReadonlyMap<number, Service> = by('glo')
export const byDedTag: ReadonlyMap<number, Service> = by('ded')

/** The tags of APDUs that are not services, and are used here. */
export const otherTags = {
  aarq: 0x60,
  aare: 0x61,
  rlrq: 0x62,
  rlre: 0x63,
  exceptionResponse: 0xd8,
  generalGlo: 0xdb,
  generalDed: 0xdc,
} as const

/**
 * What an APDU is, by its tag alone, and so which reader is for it.
 * `protected` remove, `plain` and `exception` readPlain, `aarq`, `aare`, `release` the readers of those names.
 */
export function kindOf(octets: Bytes): ApduKind | undefined {
  const tag = octets[0]
  return tag === undefined ? undefined : kinds.get(tag)
}

export type ApduKind = 'protected' | 'plain' | 'exception' | 'aarq' | 'aare' | 'release'

/** general-ciphering, general-signing, general-block-transfer: refused as such (dlms.md section 2). */
export const unusedTags: ReadonlySet<number> = new Set([0xdd, 0xdf, 0xe0])

const kinds: ReadonlyMap<number, ApduKind> = new Map<number, ApduKind>([
  ...services.map(({ plain }) => [plain, 'plain'] as const),
  ...services.flatMap(({ glo, ded }) => [[glo, 'protected'] as const, [ded, 'protected'] as const]),
  [otherTags.generalGlo, 'protected'],
  [otherTags.generalDed, 'protected'],
  [otherTags.exceptionResponse, 'exception'],
  [otherTags.aarq, 'aarq'],
  [otherTags.aare, 'aare'],
  [otherTags.rlrq, 'release'],
  [otherTags.rlre, 'release'],
])
