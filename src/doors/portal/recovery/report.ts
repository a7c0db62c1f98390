/** The report on a recovery for the SMKI PMA, as a page that one can hand on: nothing in it is loaded from elsewhere. */

import { reportOf } from '../../../rooms/recovery/report.ts'
import { htmlOf } from '../../../rooms/recovery/report-text.ts'
import { page } from '../frame/page.ts'
import { central, eventFor } from './who.ts'

export const recoveryReport = page({
  path: '/recoveries/:event/report',
  title: 'Report',
  who: central,
  section: 'operations',
  async show(visit) {
    const { reference } = await eventFor(visit)
    const report = await reportOf(visit.door.store, reference)
    const heading = { drill: false, environment: visit.door.settings.environment, madeAt: visit.at }
    return { name: `${reference}.html`, type: 'text/html; charset=utf-8', octets: htmlOf(report, heading) }
  },
})
