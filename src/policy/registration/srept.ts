/** The SMKI and Repository Entry Process Tests: what an organisation shows before its first live certificate (L7). */

/** What an organisation means to use; its plan names them, and they decide which scenarios it runs. */
export const sreptInterfaces = [
  'PORTAL_ORG',
  'PORTAL_DEVICE',
  'ADHOC_WS',
  'BATCH_WS',
  'REPO_PORTAL',
  'REPO_WS',
  'REPO_SFTP',
] as const
export type SreptInterface = (typeof sreptInterfaces)[number]

export interface Scenario {
  readonly id: string
  readonly interface: SreptInterface
  /** What must be seen to happen. */
  readonly says: string
}

const deviceItemStatuses = ['SUCCESS', 'ISSUANCE_ANOMALY', 'INELIGIBLE', 'CSR_ERROR', 'CA_ERROR', 'WORKFLOW_ERROR']
const adHocStatuses = [
  'SUCCESS',
  'UNKNOWN_DEVICE',
  'ISSUANCE_ANOMALY',
  'CSR_ERROR',
  'CA_ERROR',
  'FORMAT_ERROR',
  'WORKFLOW_ERROR',
]
const batchStatuses = [
  'PENDING',
  'REJECTED',
  'PARSING',
  'QUEUED',
  'PROCESSING',
  'PAUSED',
  'COMPLETED',
  'TAMPERED',
  'FORMAT_ERROR',
  'WORKFLOW_ERROR',
]

const scenario = (id: string, of: SreptInterface, says: string): Scenario => ({ id, interface: of, says })
const word = (status: string) => status.toLowerCase().replaceAll('_', '-')

/** registration-revocation.md section 5.1, derived from SEC Appendices M and P: Appendix K itself was not available. */
export const scenarios: readonly Scenario[] = [
  scenario('org-csr-accepted', 'PORTAL_ORG', 'an Organisation CSR becomes an Organisation Certificate'),
  scenario('org-csr-rejected', 'PORTAL_ORG', 'an Organisation CSR with a fault is refused, and its reason read'),
  scenario('org-download-rejected', 'PORTAL_ORG', 'a downloaded Organisation Certificate is rejected and revoked'),
  scenario('org-revocation', 'PORTAL_ORG', 'revocation of an Organisation Certificate is requested and listed'),
  scenario('portal-device-csr', 'PORTAL_DEVICE', 'a Device CSR becomes a Device Certificate'),
  scenario('portal-zip', 'PORTAL_DEVICE', 'a zip of Device CSRs is processed and its result downloaded'),
  scenario('portal-zip-too-many', 'PORTAL_DEVICE', 'a zip of more than 50,000 Device CSRs is refused'),
  scenario('portal-zip-malformed', 'PORTAL_DEVICE', 'a malformed zip is refused'),
  scenario('device-download-rejected', 'PORTAL_DEVICE', 'a downloaded Device Certificate is rejected and logged'),
  ...adHocStatuses.map(status => scenario(`adhoc-${word(status)}`, 'ADHOC_WS', `an answer ${status} is handled`)),
  ...batchStatuses.map(status => scenario(`batch-${word(status)}`, 'BATCH_WS', `BatchStatus ${status} is handled`)),
  ...deviceItemStatuses.map(status =>
    scenario(`batch-item-${word(status)}`, 'BATCH_WS', `a result item ${status} is handled`),
  ),
  scenario('repo-portal-search', 'REPO_PORTAL', 'a certificate, a list and a document are found and downloaded'),
  scenario('repo-portal-lock-out', 'REPO_PORTAL', 'five wrong passwords lock the account, and it is unlocked'),
  scenario('repo-ws-search', 'REPO_WS', 'a certificate is searched for and retrieved by the web service'),
  scenario('repo-sftp-download', 'REPO_SFTP', 'the files of the day are downloaded by SFTP'),
]

/** What a plan obliges to. */
export function scenariosFor(
  interfaces: readonly string[],
  table: readonly Scenario[] = scenarios,
): readonly Scenario[] {
  return table.filter(one => interfaces.includes(one.interface))
}
