/** A CSR of an S1SP: entered by the Registration Authority as its policy's Annex E has it, and approved by another person. */

import { hash } from 'node:crypto'
import type { Bytes } from '../../ground/bytes.ts'
import { toHex } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import { isS1spkiName, type S1spkiPolicy } from '../../policy/s1spki/policy.ts'
import { type Actor, act, type Given, type Hands, readGiven, requireOffice } from '../registration/act.ts'
import { no } from '../registration/refusals.ts'
import { refuseCsr } from './csr.ts'
import { isOfAnother } from './dccki-judge.ts'
import type { Refuse } from './hold.ts'
import { orRefusal } from './organisation-judge.ts'
import { type AdmittedProfiled, admitProfiled } from './profiled-csr.ts'
import {
  asksSays,
  type Decision,
  keepRequest,
  type ProfiledRequest,
  type Reader,
  requestOf,
  sameRequest,
} from './profiled-request.ts'
import { refuse } from './refusals.ts'

/**
 * Puts it on record: `verified`, until somebody else approves it (`decideRequest`), or `refused`.
 * @param csr PKCS#10, DER
 * @param given names the S1SP's request as evidence
 * @throws Refusal NOT_FOR_THIS_OFFICE, NOT_IN_OFFICE, EVIDENCE_MISSING, and what `stopped` answers
 */
export function submitS1spki(
  hands: Hands,
  policy: S1spkiPolicy,
  by: Actor,
  csr: Bytes,
  given: Given,
  stopped?: Refuse,
): Promise<ProfiledRequest> {
  const { pki } = policy
  return act(hands, by, { act: 'submit S1SPKI CSR' }, async acting => {
    const { client, at, note } = acting
    requireOffice(acting.by, policy.procedures.request, undefined)
    const { words, evidence } = readGiven(given)
    const missing = policy.procedures.evidence.find(kind => !evidence.some(one => one.kind === kind))
    if (missing !== undefined) throw no('EVIDENCE_MISSING', missing)
    const stop = await stopped?.(client, {}, at)
    if (stop) throw stop
    const sha256 = hash('sha256', csr, 'buffer')
    const before = await sameRequest(client, pki, undefined, sha256)
    if (before) return before

    const admitted = await orRefusal(() => admitProfiled(csr, policy.profiles))
    const asks = admitted instanceof Refusal ? undefined : admitted
    // In turn with every other request for this key.
    if (asks) await client.query('SELECT pg_advisory_xact_lock($1)', [Buffer.from(asks.keyId).readBigInt64BE()])
    const decision = await judgeS1spki(client, policy, admitted)
    const person = String(acting.by.says.person)
    const kept = { pki, party: undefined, by: { person }, csr: csr.subarray(0, 4096), sha256 }
    const id = await keepRequest({ client, at }, kept, asks, decision)
    await note(decision.state === 'verified' ? 'verify S1SPKI CSR' : 'refuse S1SPKI CSR', {
      request: String(id),
      pki,
      csr: toHex(sha256),
      words,
      evidence,
      ...(asks && asksSays(asks)),
      ...(decision.refusal && { code: decision.refusal.code }),
    })
    return requestOf(client, id)
  })
}

/** The subject is the S1SP's, its CN what the profile says, and the key serves nothing else. */
export async function judgeS1spki(
  store: Reader,
  { operator, cohort, pki, commonName: formOf }: S1spkiPolicy,
  admitted: AdmittedProfiled | Refusal,
  except?: bigint,
): Promise<Decision> {
  if (!('subject' in admitted)) return { state: 'refused', refusal: admitted }
  const wrong = await orRefusal(() => {
    const { organizationName, organizationalUnitName, commonName } = admitted.subject
    if (organizationName !== operator) refuseCsr('CR:CC5', 'O is not the name of the S1SP')
    if (organizationalUnitName !== cohort) refuseCsr('CR:CC5', `OU is not ${cohort}`)
    const form = formOf(admitted.profile.name)
    if (!isS1spkiName(commonName, form)) refuseCsr('CR:CC5', `CN is no ${form}`)
  })
  if (wrong) return { state: 'refused', refusal: wrong }
  const isOther = await isOfAnother(store, pki, admitted, except)
  return isOther ? { state: 'refused', refusal: refuse('KEY_OF_ANOTHER_SUBJECT') } : { state: 'verified' }
}
