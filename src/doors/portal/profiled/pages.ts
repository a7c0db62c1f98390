/** The pages for DCCKI and S1SPKI Certificates: of officers, and of the Registration Authority. */

import type { Page } from '../frame/page.ts'
import { dcckiOffice, dcckiRequest } from './dccki-office.ts'
import { dcckiConnection, dcckiList, dcckiNew, dcckiOne } from './dccki-officer.ts'
import { s1spkiList, s1spkiNew, s1spkiRequest } from './s1spki.ts'

export const profiledPages: readonly Page[] = [
  dcckiList,
  dcckiNew,
  dcckiConnection,
  dcckiOne,
  dcckiOffice,
  dcckiRequest,
  s1spkiList,
  s1spkiNew,
  s1spkiRequest,
]
