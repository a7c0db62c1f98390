/** Statuses and error codes of the Device CSR web services (service-interface.md section 4), one row each. */

export type DeviceStatus =
  | 'SUCCESS'
  | 'UNKNOWN_DEVICE'
  | 'ISSUANCE_ANOMALY'
  | 'INELIGIBLE'
  | 'CSR_ERROR'
  | 'CA_ERROR'
  | 'FORMAT_ERROR'
  | 'WORKFLOW_ERROR'

interface CodeRow {
  readonly status: Exclude<DeviceStatus, 'SUCCESS'>
  /** The ErrorText; where a check knows more, it says more. */
  readonly says: string
  readonly mark: 'APPM' | 'SVC-A06'
}

const row = (status: CodeRow['status'], says: string, mark: CodeRow['mark'] = 'SVC-A06'): CodeRow => ({
  status,
  says,
  mark,
})

export const deviceCodes = {
  'FM:AA1': row('FORMAT_ERROR', 'Invalid XML in request', 'APPM'),
  'FM:AA2': row('FORMAT_ERROR', 'Number of submitted CSRs exceeds maximum volume', 'APPM'),
  'FM:AA3': row('FORMAT_ERROR', 'Unknown BatchId', 'APPM'),
  'WF:BB1': row('WORKFLOW_ERROR', 'Internal error on result query', 'APPM'),
  'WF:BB2': row('WORKFLOW_ERROR', 'Internal error on submission', 'APPM'),
  'CR:CC1': row('CSR_ERROR', 'Wrong CSR OID', 'APPM'),
  'CR:9999': row('CSR_ERROR', 'Request for duplicate certificate not permitted', 'APPM'),
  'CR:CC2': row('CSR_ERROR', 'The CSR is not PKCS#10 in DER'),
  'CR:CC3': row('CSR_ERROR', 'The signature of the CSR does not verify'),
  'CR:CC4': row('CSR_ERROR', 'The version of the CSR is not 0'),
  'CR:CC5': row('CSR_ERROR', 'The subject of a Device CSR is empty'),
  'CR:CC6': row('CSR_ERROR', 'keyUsage is digitalSignature or keyAgreement, one of them'),
  'CR:CC7': row('CSR_ERROR', 'subjectAltName is one hardwareModuleName with the Device ID'),
  'CR:CC8': row('CSR_ERROR', 'The public key is not an uncompressed point of P-256'),
  'UD:DD1': row('UNKNOWN_DEVICE', 'No Device Certificate was issued before for this Device ID'),
  'CA:EE1': row('ISSUANCE_ANOMALY', 'The threshold of certificates for this Device ID is reached'),
  'CA:EE2': row('ISSUANCE_ANOMALY', 'Issuing is held until the Registration Authority has acted'),
  'CA:FF1': row('CA_ERROR', 'The certification authority could not sign; please try again'),
  'IN:GG1': row('INELIGIBLE', 'The role of the requester does not allow this request'),
  'IN:GG2': row('INELIGIBLE', 'The SMI Status of the Device does not allow this request'),
  'IN:GG3': row('INELIGIBLE', 'The requester is not the Responsible Supplier for the Device'),
  'IN:GG4': row('INELIGIBLE', 'The type of the Device does not allow this request'),
} as const satisfies Record<string, CodeRow>

export type DeviceCode = keyof typeof deviceCodes
