/** Remote Party Roles: a number in our code, two hexadecimal digits in an OU, decimal in the Repository's XML. */

/** 0 to 255. A number outside the table can be read and shown, but is never issued. */
export type RemotePartyRole = number

export interface Role {
  readonly code: RemotePartyRole
  readonly name: string
  /** False for the two codes that only certification authorities carry. */
  readonly endEntity: boolean
}

/**
 * The roles whose number is known (certificates.md section 14). Eight names are known without their number, which is
 * one of 128 to 134 and 136: see `unnumberedRoles`.
 */
export const roles: readonly Role[] = [
  { code: 0, name: 'root', endEntity: false },
  { code: 1, name: 'recovery', endEntity: true },
  { code: 2, name: 'supplier', endEntity: true },
  { code: 3, name: 'networkOperator', endEntity: true },
  { code: 4, name: 'accessControlBroker', endEntity: true },
  { code: 5, name: 'transitionalCoS', endEntity: true },
  { code: 6, name: 'wanProvider', endEntity: true },
  { code: 7, name: 'issuingAuthority', endEntity: false },
  { code: 8, name: 'loadController', endEntity: true },
  { code: 127, name: 'other', endEntity: true },
  { code: 135, name: 'xmlSign', endEntity: true },
  { code: 137, name: 'dspXmlSign', endEntity: true },
]

/** Names without a number. ASSUMED(M) CERT-A13: none of them is assigned until a text gives the numbers. */
export const unnumberedRoles: readonly string[] = [
  'coSPartyXmlSign',
  'pPXmlSign',
  'pPRDPFileSign',
  's1SPxmlSigning',
  's1SPMigrationSigning',
  'commissioningPartyFileSigning',
  'requestingPartyFileSigning',
  'commissioningPartyXmlSigning',
]

/** The role of that number; undefined when the table does not have it. */
export function roleOf(code: number, table: readonly Role[] = roles): Role | undefined {
  return table.find(role => role.code === code)
}

/** `supplier`; `unknown(9)` for a number outside the table. */
export function roleName(code: number, table: readonly Role[] = roles): string {
  return roleOf(code, table)?.name ?? `unknown(${code})`
}

/**
 * The role that an OU names. Undefined unless it is two hexadecimal digits, of either case, and in the table: the
 * decimal "137" is no role, and neither is the OU "09".
 */
export function roleFromOu(text: string, table: readonly Role[] = roles): RemotePartyRole | undefined {
  const code = numberFromOu(text)
  return code === undefined ? undefined : roleOf(code, table)?.code
}

/** The number that two hexadecimal digits give, in the table or not; for showing what foreign certificates hold. */
export function numberFromOu(text: string): number | undefined {
  return /^[0-9a-fA-F]{2}$/.test(text) ? Number.parseInt(text, 16) : undefined
}

/** Two upper-case hexadecimal digits, as they stand in an OU. @throws RangeError unless 0 to 255 */
export function ouOf(role: RemotePartyRole): string {
  if (!Number.isInteger(role) || role < 0 || role > 255) throw new RangeError(`no Remote Party Role: ${role}`)
  return role.toString(16).toUpperCase().padStart(2, '0')
}

/** Decimal without leading zeros, as it stands in the Repository's XML. */
export function decimalOf(role: RemotePartyRole): string {
  return String(role)
}

/** The role that a decimal text names; undefined unless it is 1 to 3 digits and in the table. */
export function roleFromDecimal(text: string, table: readonly Role[] = roles): RemotePartyRole | undefined {
  return /^\d{1,3}$/.test(text) ? roleOf(Number(text), table)?.code : undefined
}
