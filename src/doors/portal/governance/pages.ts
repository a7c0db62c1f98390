/** The pages of governance, in the order in which its first page names them. */

import type { Page } from '../frame/page.ts'
import { consultations, development, modification } from './consultations.ts'
import { decision } from './decision.ts'
import { decisions } from './decisions.ts'
import { defaults, eventOfDefault, newDefault } from './defaults.ts'
import { documentFile, documentVersion } from './document-version.ts'
import { document, documents } from './documents.ts'
import { enterDocument } from './enter-document.ts'
import { forecasts } from './forecasts.ts'
import { panelReport, panelReportFile } from './panel-report.ts'
import { performance } from './performance.ts'
import { record } from './record.ts'
import { reviews } from './reviews.ts'
import { suspension } from './suspend.ts'
import { suspensions } from './suspensions.ts'

export const governancePages: readonly Page[] = [
  decisions,
  record,
  decision,
  documents,
  document,
  enterDocument,
  documentVersion,
  documentFile,
  consultations,
  development,
  modification,
  performance,
  forecasts,
  panelReport,
  panelReportFile,
  reviews,
  suspensions,
  suspension,
  defaults,
  newDefault,
  eventOfDefault,
]
