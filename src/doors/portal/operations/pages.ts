/** The pages of operations, in the order in which its first page names them; and the one that is for strangers. */

import type { Page } from '../frame/page.ts'
import { hierarchies } from './hierarchies.ts'
import { inclusion } from './inclusion.ts'
import { journal } from './journal.ts'
import { lists } from './lists.ts'
import { queue } from './queue.ts'
import { smets1 } from './smets1.ts'

export const operationsPages: readonly Page[] = [hierarchies, lists, queue, journal, smets1]

/** However people come in, and before they do. */
export const publicPages: readonly Page[] = [inclusion]
