/** Who may enter the pages of operations. */

import type { Who } from '../frame/visitor.ts'

export const central: readonly Who[] = ['RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER', 'AUDITOR']
