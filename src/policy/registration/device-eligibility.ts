/** Who is Eligible for a Device Certificate (Section L3.16), as rows of a table (REG-A07, REG-A08). */

import { z } from 'zod'
import type { DeviceCode } from '../smki-device/codes.ts'

/** One way of being Eligible. Whoever fulfils all of one row is. */
export interface EligibilityRow {
  readonly deviceTypes: readonly string[]
  /** User Roles of which the requester holds one; any Authorised Subscriber for Device Certificates where absent. */
  readonly userRoles?: readonly string[] | undefined
  /** Whether the requester must be the Responsible Supplier in that User Role. */
  readonly responsible?: boolean | undefined
  /** SMI Statuses in which the row does not hold. */
  readonly notIn?: readonly string[] | undefined
}

/** Of Type 1 Devices those that hold certificates of their own. */
const type1 = ['PPMID', 'HCALCS']

/** registration-revocation.md section 5.2. */
export const defaultEligibility: {
  deviceTypes: string[]
  userRoles?: string[]
  responsible?: boolean
  notIn?: string[]
}[] = [
  { deviceTypes: ['CHF', 'GPF'], userRoles: ['DCC'] },
  { deviceTypes: ['ESME'], userRoles: ['IS'], responsible: true },
  { deviceTypes: ['GSME'], userRoles: ['GS'], responsible: true },
  { deviceTypes: type1, userRoles: ['IS', 'GS'], responsible: true },
  { deviceTypes: ['ESME', 'GSME', ...type1], notIn: ['installed not commissioned', 'commissioned'] },
]

export const eligibilitySchema = z.array(
  z.strictObject({
    deviceTypes: z.array(z.string().min(1)).min(1),
    userRoles: z.array(z.string()).min(1).optional(),
    responsible: z.boolean().optional(),
    notIn: z.array(z.string()).optional(),
  }),
)

/** The words of the Smart Metering Inventory for what became of a Device. */
export const defaultSmiStatuses = [
  'pending',
  'whitelisted',
  'installed not commissioned',
  'commissioned',
  'decommissioned',
  'withdrawn',
  'suspended',
  'recovery',
  'recovered',
]

/** What the Smart Metering Inventory says of a Device. */
export interface DeviceFacts {
  /** `ESME`, `GSME`, `CHF`, `GPF`, `PPMID`, … */
  readonly type: string
  readonly smiStatus: string
  /**
   * EUI-64 of the Responsible Supplier by its User Role, `IS` or `GS`; for a Type 1 Device those of the meters that it
   * is associated with.
   */
  readonly responsible: Readonly<Record<string, string>>
}

/** What the rows ask of the requester. */
export interface Requester {
  readonly userRoles: readonly string[]
  /** Whether the EUI-64, 16 hexadecimal digits, is the requester's own in that User Role. */
  owns(userRole: string, eui64: string): boolean
}

/**
 * The code that says why the requester is not Eligible; undefined when it is. A Device that the inventory does not know
 * counts as not installed, of whatever type (REG-A07). Of several reasons the one nearest to being Eligible is told: a
 * supplier that is not the Responsible one hears that, all others of the status.
 */
export function whyNotEligible(
  rows: readonly EligibilityRow[],
  smiStatuses: readonly string[],
  requester: Requester,
  device: DeviceFacts | undefined,
): Extract<DeviceCode, 'IN:GG2' | 'IN:GG3' | 'IN:GG4'> | undefined {
  if (device === undefined) return undefined
  const own = rows.filter(
    row => row.deviceTypes.includes(device.type) && (!row.userRoles || inOne(row.userRoles, requester)),
  )
  if (own.length === 0) return 'IN:GG4'
  // A word that is no status fits no row that asks for one: an inventory that spells otherwise opens nothing.
  const { smiStatus } = device
  const statusFits = (row: EligibilityRow) =>
    !row.notIn || (smiStatuses.includes(smiStatus) && !row.notIn.includes(smiStatus))
  const isTheirs = (row: EligibilityRow) => !row.responsible || isResponsible(row.userRoles, requester, device)
  if (own.some(row => statusFits(row) && isTheirs(row))) return undefined
  return own.some(row => statusFits(row)) ? 'IN:GG3' : 'IN:GG2'
}

function inOne(userRoles: readonly string[], requester: Requester): boolean {
  return userRoles.some(role => requester.userRoles.includes(role))
}

function isResponsible(
  userRoles: readonly string[] | undefined,
  requester: Requester,
  device: DeviceFacts,
): boolean {
  return Object.entries(device.responsible).some(
    ([role, eui64]) => (!userRoles || userRoles.includes(role)) && requester.owns(role, eui64),
  )
}
