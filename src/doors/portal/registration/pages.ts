/** The Registration Authority's pages, in the order in which its first page names them. */

import type { Page } from '../frame/page.ts'
import { anomalies } from './anomalies.ts'
import { batches } from './batches.ts'
import { bulkDecision } from './bulk.ts'
import { deferralPage } from './deferral.ts'
import { beginDeferralPage } from './deferral-begin.ts'
import { firstForm, nextForm } from './form.ts'
import { held } from './held.ts'
import { nominate } from './nominate.ts'
import { organisation } from './organisation.ts'
import { organisations, rangesCsv } from './organisations.ts'
import { newPerson, people } from './people.ts'
import { person } from './person.ts'
import { revocation, revocationRequest } from './revocation.ts'
import { revocations, revocationsCsv } from './revocations.ts'
import { search, searchCsv } from './search.ts'
import { task } from './task.ts'
import { tasks, tasksCsv } from './tasks.ts'

export const registrationPages: readonly Page[] = [
  tasks,
  tasksCsv,
  task,
  bulkDecision,
  batches,
  organisations,
  rangesCsv,
  firstForm,
  organisation,
  nextForm,
  people,
  newPerson,
  person,
  nominate,
  anomalies,
  held,
  revocations,
  revocationsCsv,
  revocationRequest,
  revocation,
  beginDeferralPage,
  deferralPage,
  search,
  searchCsv,
]
