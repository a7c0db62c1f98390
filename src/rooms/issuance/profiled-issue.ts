/** Issues what was approved for the DCCKI or an S1SPKI: the signer's part. It may be asked again; one certificate comes. */

import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Profile } from '../../policy/profile.ts'
import { issueOne } from '../authority/issue-one.ts'
import type { AuthorityRecord } from '../authority/register.ts'
import { authority } from '../authority/sign.ts'
import type { Hands } from '../registration/act.ts'
import { answering } from './answering.ts'
import type { Refuse } from './hold.ts'
import { issuedDer } from './organisation-issue.ts'
import { orRefusal } from './organisation-judge.ts'
import { type AdmittedProfiled, admitProfiled } from './profiled-csr.ts'
import { type Decision, type ProfiledPki, type ProfiledRequest, requestOf } from './profiled-request.ts'

/** Who issues for one PKI: its authority, its key store, its profiles, and its policy's judgement as it is now. */
export interface ProfiledIssuing {
  readonly record: AuthorityRecord
  readonly keys: KeyStore
  readonly profiles: readonly Profile[]
  judge(request: ProfiledRequest, admitted: AdmittedProfiled | Refusal): Promise<Decision>
}

/**
 * Nothing of what was put on record is taken on trust: the CSR is read and proven again, and the right to the certificate
 * is judged as it is now. A fault is for whoever asks again.
 * @param issuing for the PKI of the request
 * @returns the certificate, DER, also when it was issued before; or why there is none
 * @throws Refusal REQUEST_UNKNOWN
 */
export async function issueProfiled(
  hands: Hands,
  issuing: (pki: ProfiledPki) => Promise<ProfiledIssuing>,
  id: bigint,
  stopped?: Refuse,
): Promise<Buffer | Refusal> {
  const request = await requestOf(hands.store, id)
  if (request.state !== 'approved') return answerOf(hands, request)
  try {
    return await issueApproved(hands, await issuing(request.pki), request, stopped)
  } catch (cause) {
    // It took effect, and its answer was lost; or another issued it meanwhile.
    const now = await requestOf(hands.store, id)
    if (now.state !== 'approved') return answerOf(hands, now)
    throw cause
  }
}

/** Approved and not answered, oldest first. */
export async function unansweredRequests(store: Pick<Store, 'query'>, before: Date): Promise<bigint[]> {
  const { rows } = await store.query<{ id: bigint }>({
    name: 'unanswered_requests',
    text: "SELECT id FROM profiled_request WHERE state = 'approved' AND approved_at <= $1 ORDER BY id",
    values: [before],
  })
  return rows.map(row => row.id)
}

async function answerOf(hands: Hands, { certificate, refusal, state }: ProfiledRequest): Promise<Buffer | Refusal> {
  if (certificate) return issuedDer(hands.store, certificate, hands.clock())
  return refusal ? new Refusal(refusal.code, refusal.says) : new Refusal('REQUEST_STATE', `the request is ${state}`)
}

async function issueApproved(
  hands: Hands,
  by: ProfiledIssuing,
  request: ProfiledRequest,
  stopped: Refuse | undefined,
): Promise<Buffer | Refusal> {
  const { id, pki, party } = request
  // 1. A service that is stopped answers so, and the request waits.
  const of = { ...(pki === 'dccki' && { interface: 'DCCKI' as const }), ...(party !== undefined && { party }) }
  const stop = await stopped?.(hands.store, { ...of, authority: by.record.id }, hands.clock())
  if (stop) return stop

  // 2. Read, prove and judge again.
  const admitted = await orRefusal(async () => admitProfiled(await csrOf(hands.store, id), by.profiles))
  const { state, refusal } = await by.judge(request, admitted)
  if (refusal) return refuseNow(hands, request, state as 'refused' | 'ineligible', refusal)

  // 3. Written down, signed and kept; the record goes along in both transactions.
  const { profile, subject, names, publicKey } = admitted as AdmittedProfiled
  const certificate = await issueOne(
    hands,
    authority(by.keys, by.record.keyLabel, by.record.certificate),
    { profile, subject: { ...subject }, publicKey, ...(names.length > 0 && { serverNames: names }) },
    { authority: by.record.id },
    { request: String(id), pki, ...(party !== undefined && { party }) },
    answering(hands, 'profiled_request', id, by.record.id),
  )
  return Buffer.from(certificate.der)
}

async function csrOf(store: Pick<Store, 'query'>, id: bigint): Promise<Buffer> {
  const { rows } = await store.query<{ csr: Buffer }>('SELECT csr FROM profiled_request WHERE id = $1', [id])
  return rows[0]!.csr
}

/** What was approved, and may not be issued any more. @returns the answer that stands on record */
async function refuseNow(
  hands: Hands,
  { id, pki }: ProfiledRequest,
  state: 'refused' | 'ineligible',
  { code, message }: Refusal,
): Promise<Refusal> {
  const at = hands.clock()
  await hands.store.transaction(async client => {
    const { rowCount } = await client.query(
      `UPDATE profiled_request SET state = $2, code = $3, says = $4, answered_at = $5
        WHERE id = $1 AND state = 'approved'`,
      [id, state, code, message, at],
    )
    if (rowCount === 1) await append(client, entry('refuse request', at, { request: String(id), pki, code }))
  })
  return new Refusal(code, message)
}
