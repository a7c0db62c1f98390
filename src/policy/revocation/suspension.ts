/** Emergency suspension as data: what can be suspended, and what goes on meanwhile (L2.14; registration-revocation.md 7). */

/** REG-A11. */
export const suspensionScopes = ['service', 'interface', 'authority', 'party', 'certificates'] as const
export type SuspensionScope = (typeof suspensionScopes)[number]

/** What the SMKI PMA instructs the DCC to stop (L2.14): SMKI Services, the use of Certificates, or both. */
export const suspendedThings = ['services', 'certificates', 'both'] as const
export type SuspendedThing = (typeof suspendedThings)[number]

/** L2.14: what is in immediate danger of material compromise. */
export const suspensionGrounds = ['DCC Total System', 'User System', 'Smart Metering System', 'RDP System'] as const
export type SuspensionGround = (typeof suspensionGrounds)[number]

/** The interfaces by which a suspension knows the doors: those of the credentials, the back office, and the lists. */
export const interfaces = {
  PORTAL_ORG: 'SMKI Portal, Organisation CSRs',
  PORTAL_DEVICE: 'SMKI Portal, Device CSRs',
  ADHOC_WS: 'Ad Hoc Device CSR Web Service',
  BATCH_WS: 'Batched Device CSR Web Service',
  DCCKI: 'DCCKI Service Interface',
  REPO_PORTAL: 'SMKI Repository Portal',
  REPO_WS: 'SMKI Repository Web Service',
  REPO_SFTP: 'SMKI Repository, files',
  LISTS: 'publication of CRLs and ARLs',
} as const
export type Interface = keyof typeof interfaces
export const interfaceNames = Object.keys(interfaces) as [Interface, ...Interface[]]

/** REG-A11: these go on under every suspension that does not name them. DCK-A08: the DCCKI likewise. */
export const defaultGoesOn: Interface[] = ['LISTS', 'REPO_PORTAL', 'REPO_WS', 'REPO_SFTP']
