/** Every scenario that is tried. */

import type { Scenario } from './scenario.ts'
import { approvedScenarios } from './scenarios/approved.ts'
import { deviceScenarios } from './scenarios/devices.ts'
import { listScenarios } from './scenarios/lists.ts'

export const scenarios: readonly Scenario[] = [...deviceScenarios, ...approvedScenarios, ...listScenarios]
