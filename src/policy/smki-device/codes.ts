/** The status values and error codes of the Device CSR web services (service-interface 4). */

export type DeviceStatus =
  | 'SUCCESS'
  | 'UNKNOWN_DEVICE'
  | 'ISSUANCE_ANOMALY'
  | 'INELIGIBLE'
  | 'CSR_ERROR'
  | 'CA_ERROR'
  | 'FORMAT_ERROR'
  | 'WORKFLOW_ERROR'

/** What is written when there is no certificate. */
export interface Failure {
  readonly status: Exclude<DeviceStatus, 'SUCCESS'>
  /** `[A-Z]{2}:[A-Za-z0-9]+`, at most 10 characters. */
  readonly code: string
  /** English. */
  readonly text: string
}

interface Row extends Failure {
  /** The register ID of the assumption behind the row; absent where SEC Appendix M prints code and text. */
  readonly assumed?: string
}

/**
 * Each by the code that it has by default, which is its name in the program. Rows with `assumed` are configuration:
 * see `configuredCodes`.
 */
export const codes = {
  'FM:AA1': { status: 'FORMAT_ERROR', code: 'FM:AA1', text: 'Invalid XML in request' },
  'FM:AA2': {
    status: 'FORMAT_ERROR',
    code: 'FM:AA2',
    text: 'Number of submitted CSRs exceeds maximum volume',
  },
  'FM:AA3': { status: 'FORMAT_ERROR', code: 'FM:AA3', text: 'Unknown BatchId' },
  'WF:BB1': { status: 'WORKFLOW_ERROR', code: 'WF:BB1', text: 'Internal error on result query' },
  'WF:BB2': { status: 'WORKFLOW_ERROR', code: 'WF:BB2', text: 'Internal error on submission' },
  'WF:SUSP': assumed(
    'WORKFLOW_ERROR',
    'WF:SUSP',
    'Suspended by direction of the SMKI PMA: contact the Service Desk',
    'REG-A11',
  ),
  'CR:CC1': { status: 'CSR_ERROR', code: 'CR:CC1', text: 'Wrong CSR OID' },
  'CR:9999': {
    status: 'CSR_ERROR',
    code: 'CR:9999',
    text: 'Request for duplicate certificate not permitted',
  },
  'CR:CC2': assumed('CSR_ERROR', 'CR:CC2', 'The CSR is not a DER-encoded PKCS#10 request'),
  'CR:CC3': assumed('CSR_ERROR', 'CR:CC3', 'The signature of the CSR does not verify with its public key'),
  'CR:CC4': assumed('CSR_ERROR', 'CR:CC4', 'The version of the CSR is not 0'),
  'CR:CC5': assumed('CSR_ERROR', 'CR:CC5', 'The subject of the CSR is not empty'),
  'CR:CC6': assumed(
    'CSR_ERROR',
    'CR:CC6',
    'The keyUsage of the CSR is not exactly one of digitalSignature and keyAgreement',
  ),
  'CR:CC7': assumed(
    'CSR_ERROR',
    'CR:CC7',
    'The subjectAltName of the CSR is not one hardwareModuleName with a Device ID of 8 octets',
  ),
  'CR:CC8': assumed('CSR_ERROR', 'CR:CC8', 'The public key of the CSR is not an uncompressed point on P-256'),
  'UD:DD1': assumed('UNKNOWN_DEVICE', 'UD:DD1', 'No Device Certificate was issued for this Device ID before'),
  'CA:EE1': assumed(
    'ISSUANCE_ANOMALY',
    'CA:EE1',
    'The number of Device Certificates for this Device ID has reached its threshold: contact the Service Desk',
    'SVC-A05',
  ),
  'CA:EE2': assumed(
    'ISSUANCE_ANOMALY',
    'CA:EE2',
    'The Registration Authority holds this request: contact the Service Desk',
  ),
  'CA:FF1': assumed('CA_ERROR', 'CA:FF1', 'The Certification Authority could not sign: submit the CSR again'),
  'IN:GG1': assumed('INELIGIBLE', 'IN:GG1', 'The User Role of the Party may not request this Device Certificate'),
  'IN:GG2': assumed('INELIGIBLE', 'IN:GG2', 'The SMI Status of the Device does not allow this Party to request'),
  'IN:GG3': assumed('INELIGIBLE', 'IN:GG3', 'The Party is not the Responsible Supplier of the Device'),
  'IN:GG4': assumed('INELIGIBLE', 'IN:GG4', 'The Party may not request for a Device of this type'),
} as const satisfies Record<string, Row>

export type DeviceCode = keyof typeof codes

/** Every row with its assumption, for the list of ASSUMED values still at their defaults. */
export type Codes = Readonly<Record<DeviceCode, Row>>

/**
 * The table with an environment's own values in the ASSUMED rows.
 * @throws RangeError for a row that is unknown or printed in SEC Appendix M, and for a code that is none.
 */
export function configuredCodes(
  changes: Readonly<Record<string, { readonly [K in keyof Failure]?: Failure[K] | undefined }>> = {},
): Codes {
  const table: Record<DeviceCode, Row> = { ...codes }
  for (const [name, change] of Object.entries(changes)) {
    if (!isAssumed(name)) throw new RangeError(`${name} is not a code that may be configured`)
    const given = Object.fromEntries(
      Object.entries(change).filter(([, value]) => value !== undefined),
    ) as Partial<Failure>
    const row = { ...table[name], ...given }
    if (!/^[A-Z]{2}:[A-Za-z0-9]{1,7}$/.test(row.code)) throw new RangeError(`${name}: ${row.code} is not a code`)
    table[name] = row
  }
  return table
}

function isAssumed(name: string): name is DeviceCode {
  return Object.hasOwn(codes, name) && 'assumed' in codes[name as DeviceCode]
}

/** ASSUMED(L) SVC-A06 unless said otherwise: our own codes and texts. */
function assumed<S extends Failure['status'], C extends string>(status: S, code: C, text: string, id = 'SVC-A06') {
  return { status, code, text, assumed: id } as const
}
