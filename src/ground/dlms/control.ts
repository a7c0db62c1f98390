/** The security control octet: what it says, and which are refused (dlms.md section 1). */

import { hex } from './cursor.ts'
import { type DlmsCode, refusal } from './refusals.ts'

/** 10, 20, 30 in the security control octet. */
export type Protection = 'authenticated' | 'encrypted' | 'both'

/** The only security control octets that we write: suite 0, unicast key, not compressed. */
export const controlOf = { authenticated: 0x10, encrypted: 0x20, both: 0x30 } as const satisfies Record<
  Protection,
  number
>

const suite = 0x0f
const broadcast = 0x40
const compressed = 0x80

export const isAuthenticated = (control: number): boolean => (control & 0x10) !== 0
export const isEncrypted = (control: number): boolean => (control & 0x20) !== 0

/**
 * Lets pass what we can read and what protects at least as `expected`.
 * @throws Refusal, the first that holds: DLMS_SUITE, DLMS_COMPRESSION (which the standard has in the general services
 * only, and we in none), DLMS_KEY_SET, DLMS_PROTECTION_TOO_WEAK
 */
export function checkControl(control: number, expected: Protection): void {
  const due = controlOf[expected]
  if (control === due) return
  if ((control & suite) !== 0) refuse('DLMS_SUITE', control)
  if ((control & compressed) !== 0) refuse('DLMS_COMPRESSION', control)
  if ((control & broadcast) !== 0) refuse('DLMS_KEY_SET', control)
  if ((control & due) !== due) refuse('DLMS_PROTECTION_TOO_WEAK', control)
}

function refuse(code: DlmsCode, control: number): never {
  throw refusal(code, `security control ${hex(control)}`)
}
