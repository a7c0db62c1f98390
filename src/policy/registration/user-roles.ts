/** User Roles with the Remote Party Roles that stand in the OU of their Organisation Certificates (REG-A06). */

import { z } from 'zod'
import { roleOf } from '../roles.ts'

export interface UserRole {
  readonly title: string
  /** Remote Party Roles that an Organisation Certificate of this User Role may carry. */
  readonly ouRoles: readonly number[]
  /** The kind of organisation that alone may hold it; any Party where absent. */
  readonly onlyFor?: 'dcc' | undefined
}

export type UserRoles = Readonly<Record<string, UserRole>>

/** The codes of User Roles that rules of the Code speak of by name. */
export const importSupplier = 'IS'
export const gasSupplier = 'GS'
export const dcc = 'DCC'

/** registration-revocation.md section 3. 00 and 07 stand in certificates of authorities only, and in no row. */
export const defaultUserRoles = {
  IS: { title: 'Import Supplier', ouRoles: [0x02, 0x87] },
  GS: { title: 'Gas Supplier', ouRoles: [0x02, 0x87] },
  ES: { title: 'Export Supplier', ouRoles: [0x02, 0x87] },
  ED: { title: 'Electricity Distributor', ouRoles: [0x03, 0x87] },
  GT: { title: 'Gas Transporter', ouRoles: [0x03, 0x87] },
  OU: { title: 'Other User', ouRoles: [0x7f, 0x87] },
  RSA: { title: 'Registered Supplier Agent', ouRoles: [0x7f, 0x87] },
  MDR: { title: 'Meter Data Retriever', ouRoles: [0x7f, 0x87] },
  LC: { title: 'Load Controller', ouRoles: [0x08, 0x87] },
  DCC: {
    title: 'DCC',
    ouRoles: [0x01, 0x04, 0x05, 0x06, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x88, 0x89],
    onlyFor: 'dcc',
  },
} satisfies Record<string, { title: string; ouRoles: number[]; onlyFor?: 'dcc' }>

export const userRolesSchema = z.record(
  z.string().regex(/^[A-Z][A-Z0-9]{0,7}$/),
  z.strictObject({
    title: z.string().min(1).max(64),
    ouRoles: z.array(z.int().min(0).max(255)),
    onlyFor: z.literal('dcc').optional(),
  }),
)

/** Whether an Organisation Certificate of that User Role may carry the Remote Party Role; roles of authorities never. */
export function mayCarry(table: UserRoles, userRole: string, ouRole: number): boolean {
  return table[userRole]?.ouRoles.includes(ouRole) === true && roleOf(ouRole)?.endEntity === true
}
