/** Every group of routes, in the order of the description: a new one is a file of its own and a line here. */

import type { Group } from './route.ts'
import { accounts } from './routes/accounts.ts'
import { credentials } from './routes/credentials.ts'
import { decisions } from './routes/decisions.ts'
import { defaults } from './routes/defaults.ts'
import { deferrals } from './routes/deferrals.ts'
import { developments } from './routes/developments.ts'
import { documents } from './routes/documents.ts'
import { duties } from './routes/duties.ts'
import { notices } from './routes/notices.ts'
import { officers } from './routes/officers.ts'
import { organisationCsrs } from './routes/organisation-csrs.ts'
import { organisations } from './routes/organisations.ts'
import { persons } from './routes/persons.ts'
import { recoveries } from './routes/recoveries.ts'
import { recoveryRecords } from './routes/recovery-records.ts'
import { rejections } from './routes/rejections.ts'
import { revocations } from './routes/revocations.ts'
import { s1spki } from './routes/s1spki.ts'
import { self } from './routes/self.ts'
import { srept } from './routes/srept.ts'
import { standing } from './routes/standing.ts'
import { suspensions } from './routes/suspensions.ts'
import { tasks } from './routes/tasks.ts'

export const groups: readonly Group[] = [
  self,
  tasks,
  organisations,
  persons,
  officers,
  srept,
  standing,
  credentials,
  accounts,
  organisationCsrs,
  s1spki,
  revocations,
  rejections,
  duties,
  deferrals,
  suspensions,
  defaults,
  decisions,
  documents,
  developments,
  recoveries,
  recoveryRecords,
  notices,
]
