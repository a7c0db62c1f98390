/** Issues what was approved: the signer's part of an Organisation CSR. It may be asked again at any time; one certificate comes. */

import type { Bytes } from '../../ground/bytes.ts'
import { toHexUpper } from '../../ground/bytes.ts'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Hands } from '../registration/act.ts'
import { findBySerials } from '../repository/find.ts'
import { type AdmittedOrganisation, admitOrganisation } from './admit-organisation.ts'
import { answering } from './answering.ts'
import type { Refuse } from './hold.ts'
import { orRefusal, whyAnomaly, whyNotEligible } from './organisation-judge.ts'
import { refuse } from './refusals.ts'
import { type By, issueOrganisation } from './single.ts'

/** From the settings: `certificates.organisationNameCharacters`. */
export interface OrganisationIssuing extends By {
  readonly organisationNameCharacters: number
}

/** As many as a Subscriber may ask for one EUI-64 at one moment: of those who try, one has it each time. */
const triesAtMost = 20

interface Row {
  id: bigint
  party: number
  csr: Buffer | null
  /** Its anomaly was looked into. */
  allowed: boolean
  state: 'refused' | 'held' | 'approved' | 'issued'
  code: string | null
  says: string | null
  authority: number | null
  serial: Buffer | null
}

/**
 * Nothing of what the door wrote is taken on trust: the CSR is read and proven again, and the right to the Certificate is
 * judged as it is now. A store or key store that fails is a fault; whoever asks again, or the next start, goes on.
 * @returns the certificate, DER, also when it was issued before; or why there is none
 * @throws Refusal SUBMISSION_UNKNOWN
 */
export async function issueSubmission(
  hands: Hands,
  by: OrganisationIssuing,
  id: bigint,
  stopped?: Refuse,
): Promise<Buffer | Refusal> {
  for (let attempt = 1; ; attempt++) {
    const row = await rowOf(hands.store, id)
    if (row.state !== 'approved') return answerOf(hands, row)
    try {
      return await issueApproved(hands, by, row, stopped)
    } catch (cause) {
      // It took effect, and its answer was lost; or another issued it meanwhile.
      const now = await rowOf(hands.store, id)
      if (now.state !== 'approved') return answerOf(hands, now)
      // Another certificate of that EUI-64 was written down at the same time, and took its ordinal.
      if (attempt === triesAtMost || (cause as { code?: string }).code !== '23505') throw cause
    }
  }
}

/** Approved and not answered, oldest first: after a start all of them, later those that wait since before that instant. */
export async function unansweredSubmissions(store: Pick<Store, 'query'>, before: Date): Promise<bigint[]> {
  const { rows } = await store.query<{ id: bigint }>({
    name: 'unanswered_submissions',
    text: "SELECT id FROM organisation_csr WHERE state = 'approved' AND approved_at <= $1 ORDER BY id",
    values: [before],
  })
  return rows.map(row => row.id)
}

async function rowOf(store: Pick<Store, 'query'>, id: bigint): Promise<Row> {
  const { rows } = await store.query<Row & Record<string, unknown>>(
    'SELECT id, party, csr, allowed, state, code, says, authority, serial FROM organisation_csr WHERE id = $1',
    [id],
  )
  if (!rows[0]) throw refuse('SUBMISSION_UNKNOWN')
  return rows[0]
}

async function answerOf({ store, clock }: Hands, row: Row): Promise<Buffer | Refusal> {
  if (row.state !== 'issued') return new Refusal(row.code!, row.says!)
  return issuedDer(store, { authority: row.authority!, serial: row.serial! }, clock())
}

/** The certificate of that authority and serial number, DER. */
export async function issuedDer(
  store: Pick<Store, 'query'>,
  { authority, serial }: { readonly authority: number; readonly serial: Bytes },
  now: Date,
): Promise<Buffer> {
  const found = (await findBySerials(store, [serial], now)).find(one => one.authority === authority)
  if (!found) throw new Error(`a certificate that was issued is not in the Repository: ${toHexUpper(serial)}`)
  return found.der
}

async function issueApproved(
  hands: Hands,
  by: OrganisationIssuing,
  row: Row,
  stopped: Refuse | undefined,
): Promise<Buffer | Refusal> {
  // 1. A service that is stopped answers so, and the CSR waits.
  const about = { interface: 'PORTAL_ORG', party: row.party, authority: by.record.id } as const
  const stop = await stopped?.(hands.store, about, hands.clock())
  if (stop) return stop

  // 2. Read, prove and judge again.
  const admitted = await orRefusal(() => admitOrganisation(row.csr!, by.organisationNameCharacters))
  const reason = admitted instanceof Refusal ? admitted : await whyNotNow(hands, row, admitted)
  if (reason) return refuseNow(hands, row, reason)

  // 3. Written down, signed and kept; the record goes along in both transactions.
  const asked = admitted as AdmittedOrganisation
  const { role, eui64, usage, publicKey, commonName } = asked
  const request = { role, eui64, usage, publicKey, ...(commonName !== undefined && { commonName }) }
  const says = { submission: String(row.id), party: row.party }
  const certificate = await issueOrganisation(
    hands,
    by,
    request,
    says,
    answering(hands, 'organisation_csr', row.id, by.record.id),
  )
  return Buffer.from(certificate.der)
}

async function whyNotNow(
  { store, rules }: Hands,
  { id, party, allowed }: Row,
  admitted: AdmittedOrganisation,
): Promise<Refusal | undefined> {
  // That its ARO might submit it was found when he did.
  const reason = await whyNotEligible(store, rules, party, admitted, ['smki-organisation'])
  return reason ?? (allowed ? undefined : whyAnomaly(store, admitted, id))
}

/** What was approved, and may not be issued any more. @returns the answer that stands on record */
async function refuseNow(hands: Hands, { id, party }: Row, { code, message }: Refusal): Promise<Refusal> {
  const at = hands.clock()
  await hands.store.transaction(async client => {
    const { rowCount } = await client.query(
      `UPDATE organisation_csr SET state = 'refused', code = $2, says = $3, answered_at = $4
        WHERE id = $1 AND state = 'approved'`,
      [id, code, message, at],
    )
    if (rowCount === 1) {
      await append(client, entry('refuse Organisation CSR', at, { submission: String(id), party, code }))
    }
  })
  return new Refusal(code, message)
}
