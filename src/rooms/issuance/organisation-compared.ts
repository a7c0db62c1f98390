/** The CSR of a submission beside the Certificate that came of it, as its Subscriber compares them (L11.5). */

import type { Store } from '../../ground/store/store.ts'
import type { OwnSubmission } from './acceptance.ts'
import { inconsistencies } from './organisation-compare.ts'
import { issuedDer } from './organisation-issue.ts'
import { refuse } from './refusals.ts'

export interface Compared {
  /** DER. */
  readonly csr: Buffer
  readonly certificate: Buffer
  /** Each in words; none when the Certificate is what was asked for. */
  readonly inconsistencies: readonly string[]
}

/** Looks, and notes nothing: the download is `downloadOrganisation`. @throws Refusal SUBMISSION_UNKNOWN, SUBMISSION_STATE */
export async function comparedOf(
  store: Pick<Store, 'query'>,
  { party, id }: OwnSubmission,
  now: Date,
): Promise<Compared> {
  const { rows } = await store.query<{
    csr: Buffer | null
    authority: number | null
    serial: Buffer | null
    state: string
  }>('SELECT csr, authority, serial, state FROM organisation_csr WHERE id = $1 AND party = $2', [id, party])
  const row = rows[0]
  if (!row) throw refuse('SUBMISSION_UNKNOWN')
  const { csr, authority, serial, state } = row
  if (!csr || authority === null || !serial) throw refuse('SUBMISSION_STATE', state)
  const certificate = await issuedDer(store, { authority, serial }, now)
  return { csr, certificate, inconsistencies: inconsistencies(csr, certificate) }
}
