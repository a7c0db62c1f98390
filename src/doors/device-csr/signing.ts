/** What the doors and the signer say to one another about single requests. */

import type { DeviceCode } from '../../policy/smki-device/codes.ts'

export interface SigningQuestion {
  readonly csr: Uint8Array
  readonly party: number
  readonly transaction: bigint
  /** Whether the Party is an Eligible Subscriber; asked for only where SVC-A03 is on. */
  readonly eligible: boolean
}

export type SigningAnswer =
  | { readonly certificate: Uint8Array }
  | { readonly code: DeviceCode; readonly text: string }
