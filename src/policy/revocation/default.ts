/** Events of Default as data: the steps from a finding to its outcome (L2.5; registration-revocation.md section 7, REG-A12). */

import type { Office } from '../registration/offices.ts'

export interface DefaultStep {
  readonly step: string
  readonly by: readonly Office[]
  /** Who is told when it is taken. */
  readonly notice?: string | undefined
  /** Whether it cites a decision of the SMKI PMA. */
  readonly decision?: boolean | undefined
}

/** REG-A12: finding by the SMKI PMA, notice to the Panel, the Panel's process (M8), its outcome. */
export const defaultFlow: DefaultStep[] = [
  { step: 'finding', by: ['PMA_MEMBER'], decision: true },
  { step: 'notice to Panel', by: ['PMA_MEMBER', 'RA_MANAGER'], notice: 'SEC Panel' },
  { step: 'Panel process', by: ['PMA_MEMBER', 'RA_MANAGER'] },
  { step: 'outcome', by: ['PMA_MEMBER', 'RA_MANAGER'], notice: 'SMKI PMA' },
]
