/** The pages of recovery. */

import type { Page } from '../frame/page.ts'
import { recovery } from './event.ts'
import { ownRecoveries, recoveries } from './events.ts'
import { notify } from './notify.ts'
import { recoveryReport } from './report.ts'

export const recoveryPages: readonly Page[] = [recoveries, ownRecoveries, notify, recovery, recoveryReport]
