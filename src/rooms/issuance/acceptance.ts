/** What a Subscriber does with its Organisation Certificate: downloads it, accepts it, rejects it (L11.5 to L11.7). */

import { toHexUpper } from '../../ground/bytes.ts'
import type { Store } from '../../ground/store/store.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import {
  type Acting,
  type Actor,
  act,
  type Given,
  type Hands,
  readGiven,
  requireOffice,
} from '../registration/act.ts'
import { aroPolicies } from '../registration/eligible.ts'
import { notify } from '../registration/notices.ts'
import { no } from '../registration/refusals.ts'
import { markRevoked } from '../repository/lists.ts'
import { type SilenceRule, type Submission, submissionOf } from './organisation-csr.ts'
import { issuedDer } from './organisation-issue.ts'
import { refuse } from './refusals.ts'

export interface OwnSubmission {
  readonly party: number
  readonly id: bigint
}

export interface Rejected {
  readonly authority: number
  readonly serial: Buffer
  readonly party: number
  readonly expiresAt: Date
}

/**
 * How a certificate is revoked within the act of its rejection, with its entry in the journal. By default it is marked as
 * superseded, so that its authority's list is due; the room that revokes hands in its own way, which knows of deferrals.
 */
export type Revoke = (acting: Acting, rejected: Rejected) => Promise<unknown>

/** Rejected after download (registration-revocation.md section 6.4). */
const superseded = 4

/**
 * The certificate, DER, for an ARO of the Party. The first download is noted: from then on the Subscriber shall compare it
 * with its CSR (L11.5).
 * @throws Refusal SUBMISSION_UNKNOWN, SUBMISSION_STATE before it was issued, ARO_NOT_AUTHORISED, NOT_FOR_THIS_OFFICE,
 * OTHER_ORGANISATION, NOT_IN_OFFICE
 */
export function downloadOrganisation(
  hands: Hands,
  rule: SilenceRule,
  by: Actor,
  own: OwnSubmission,
): Promise<{ der: Buffer; submission: Submission }> {
  return ofSubscriber(hands, rule, by, own, 'download Organisation Certificate', async (acting, issued) => {
    const { client, at } = acting
    const { rowCount } = await client.query(
      'UPDATE organisation_csr SET downloaded_at = $2 WHERE id = $1 AND downloaded_at IS NULL',
      [own.id, at],
    )
    if (rowCount === 1) await acting.note('download Organisation Certificate', issued.says)
    const der = await issuedDer(client as Pick<Store, 'query'>, issued.certificate, at)
    return { der, submission: await submissionOf(client, own, rule, at) }
  })
}

/** It agrees with its CSR. @throws Refusal as `downloadOrganisation`, ACCEPTED_ALREADY, REJECTED_ALREADY */
export function acceptOrganisation(
  hands: Hands,
  rule: SilenceRule,
  by: Actor,
  own: OwnSubmission,
  given: Given = {},
): Promise<Submission> {
  return ofSubscriber(hands, rule, by, own, 'accept Organisation Certificate', async (acting, issued) => {
    requireOpen(issued.submission)
    await acting.client.query('UPDATE organisation_csr SET accepted_at = $2 WHERE id = $1', [own.id, acting.at])
    await acting.note('accept Organisation Certificate', { ...issued.says, ...readGiven(given) })
    return submissionOf(acting.client, own, rule, acting.at)
  })
}

/**
 * It does not agree with its CSR. In one transaction it is logged, revoked as superseded, due on its authority's list, and
 * the Registration Authority is told to investigate. What the Subscriber notified through the Service Desk is recorded by
 * the Registration Authority for it (`Officer.through`).
 * @throws Refusal as `acceptOrganisation`
 */
export function rejectOrganisation(
  hands: Hands,
  rule: SilenceRule,
  by: Actor,
  own: OwnSubmission,
  given: Given = {},
  revoke: Revoke = markSuperseded,
): Promise<Submission> {
  return ofSubscriber(hands, rule, by, own, 'reject Organisation Certificate', async (acting, issued) => {
    const { client, at } = acting
    requireOpen(issued.submission)
    const words = readGiven(given)
    await client.query('UPDATE organisation_csr SET rejected_at = $2 WHERE id = $1', [own.id, at])
    await acting.note('reject Organisation Certificate', { ...issued.says, ...words })

    const der = await issuedDer(client as Pick<Store, 'query'>, issued.certificate, at)
    const expiresAt = new Date(readCertificate(der).notAfter.ms)
    await revoke(acting, { ...issued.certificate, party: own.party, expiresAt })
    await notify(acting, 'Registration Authority', 'Organisation Certificate rejected: investigate', issued.says)
    return submissionOf(client, own, rule, at)
  })
}

async function markSuperseded(acting: Acting, { authority, serial, party, expiresAt }: Rejected): Promise<void> {
  const { client, at } = acting
  const isNew = await markRevoked(client, authority, { serial, at, reason: superseded, expiresAt })
  const says = { authority, serial: toHexUpper(serial), party, reason: superseded }
  if (isNew) await acting.note('revoke certificate', says)
}

function requireOpen({ acceptance }: Submission): void {
  if (acceptance === 'rejected') throw refuse('REJECTED_ALREADY')
  if (acceptance !== 'open') throw refuse('ACCEPTED_ALREADY')
}

interface Issued {
  readonly submission: Submission
  readonly certificate: { readonly authority: number; readonly serial: Buffer }
  /** As it stands on journal entries. */
  readonly says: { readonly submission: string; readonly party: number; readonly serial: string; authority: number }
}

/** An act of the Subscriber on a certificate of its own that was issued; the record is held until it is done. */
function ofSubscriber<T>(
  hands: Hands,
  rule: SilenceRule,
  by: Actor,
  own: OwnSubmission,
  name: string,
  work: (acting: Acting, issued: Issued) => Promise<T>,
): Promise<T> {
  return act(hands, by, { act: name, says: { party: own.party } }, async acting => {
    const { client, at } = acting
    requireOffice(acting.by, ['ARO', 'SRO'], own.party)
    if (acting.by.as === 'ARO') await requireForOrganisation(acting, own.party)
    await client.query('SELECT FROM organisation_csr WHERE id = $1 FOR UPDATE', [own.id])
    const submission = await submissionOf(client, own, rule, at)
    const { certificate } = submission
    if (!certificate) throw refuse('SUBMISSION_STATE', submission.state)
    const { authority, serial } = certificate
    const says = { submission: String(own.id), party: own.party, authority, serial: toHexUpper(serial) }
    return work(acting, { submission, certificate, says })
  })
}

/** An ARO for Device Certificates alone has no say in these. */
async function requireForOrganisation({ client, by, at }: Acting, party: number): Promise<void> {
  const policies = await aroPolicies(client as Pick<Store, 'query'>, String(by.says.person), party, at)
  if (!policies.includes('smki-organisation')) throw no('ARO_NOT_AUTHORISED')
}
