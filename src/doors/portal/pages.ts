/** Every page of the Portal, by the way that people came in: a new one is a file of its own and a line here. */

import type { Entry } from './door.ts'
import { home, sectionPages } from './entry/home.ts'
import { changeOwnPassword, passwordSignIn } from './entry/password.ts'
import { certificateSignIn, sample, signOut, testSignIn } from './entry/sign-in.ts'
import type { Page } from './frame/page.ts'
import { governancePages } from './governance/pages.ts'
import { decidePendingBatch, pendingBatchList } from './officer/batches/decide.ts'
import { batchCertificates, batchList, batchReport, oneBatch } from './officer/batches/pages.ts'
import { batchRequest, batchRequests } from './officer/batches/requests.ts'
import { submitDeviceCsr } from './officer/batches/single.ts'
import { submitBatch } from './officer/batches/submit.ts'
import { newRejection, ownRejections } from './officer/devices/rejections.ts'
import { organisationCsr, organisationList } from './officer/organisation/pages.ts'
import { submitOrganisationCsr } from './officer/organisation/submit.ts'
import { credentialsPage } from './officer/own/credentials.ts'
import { newForecast, ownForecasts, ownReport } from './officer/own/forecasts.ts'
import { newRevocation, ownRevocations } from './officer/own/revocations.ts'
import { operationsPages, publicPages } from './operations/pages.ts'
import { profiledPages } from './profiled/pages.ts'
import { recoveryPages } from './recovery/pages.ts'
import { registrationPages } from './registration/pages.ts'
import {
  certificateDer,
  certificateJournal,
  certificatePage,
  certificatePem,
  certificateProof,
} from './repository/certificate.ts'
import { documentFilePage, documentPage, documentsPage } from './repository/documents.ts'
import { journalKey } from './repository/journal-key.ts'
import { listFile, listPage, listsPage } from './repository/lists.ts'
import { searchPage } from './repository/search.ts'

/** Of officers. */
const offices: readonly Page[] = [
  submitOrganisationCsr,
  organisationList,
  organisationCsr,
  submitDeviceCsr,
  submitBatch,
  batchList,
  oneBatch,
  batchCertificates,
  batchReport,
  batchRequests,
  batchRequest,
  ownRejections,
  newRejection,
  ownRevocations,
  newRevocation,
  ownForecasts,
  newForecast,
  ownReport,
  credentialsPage,
  pendingBatchList,
  decidePendingBatch,
  ...registrationPages,
  ...profiledPages,
  ...governancePages,
  ...operationsPages,
  ...recoveryPages,
]

/** The Repository Portal, which users of the Repository enter by user name and password. */
const repository: readonly Page[] = [
  searchPage,
  certificatePage,
  certificateJournal,
  certificateProof,
  certificatePem,
  certificateDer,
  listsPage,
  listPage,
  listFile,
  documentsPage,
  documentPage,
  documentFilePage,
  journalKey,
]

export function pagesFor(entry: Entry): readonly Page[] {
  const signIn =
    entry === 'certificate'
      ? [certificateSignIn]
      : entry === 'test'
        ? [testSignIn, sample]
        : [passwordSignIn, changeOwnPassword]
  const pages = [...signIn, signOut, home, ...(entry === 'password' ? [] : offices), ...repository, ...publicPages]
  return [...pages, ...sectionPages(pages)]
}
