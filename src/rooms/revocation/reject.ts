/** Rejection after download: an Organisation Certificate is revoked by it, a Device Certificate is looked into (L11.5, L11.6). */

import type { Client, Store } from '../../ground/store/store.ts'
import { type Acting, type Actor, type Evidence, type Given, readGiven } from '../registration/act.ts'
import { notify } from '../registration/notices.ts'
import { organisationOf } from '../registration/party.ts'
import { caseOf, heldCase, type RevocationCase } from './case.ts'
import { coveringDeferral, join } from './covering.ts'
import { actAlone, type Doing, type RevocationHands } from './hands.ts'
import { holdParty } from './inside/below.ts'
import { type CertificateRef, lodgedAt, revocableAt, subjectOf } from './object.ts'
import { no } from './refusals.ts'
import { enterCase } from './request.ts'
import { revokeCase } from './revoke.ts'

/**
 * An ARO rejects what his organisation downloaded: the certificate is revoked by that, as superseded, and the list is due
 * (SEC Appendix M). Under a deferral it waits.
 * @throws Refusal NOT_OF_PARTY, NOT_FOR_THIS_OFFICE, and those of `revocableAt`; CASE_OPEN
 */
export function rejectCertificate(
  hands: RevocationHands,
  by: Actor,
  certificate: CertificateRef,
  given: Given,
): Promise<RevocationCase> {
  const party = by === 'ceremony' ? undefined : by.party
  const says = { authority: certificate.authority }
  return actAlone(hands, by, 'reject certificate', says, party, async acting => {
    await acting.note('reject certificate', { certificate: subjectOf(certificate), ...readGiven(given) })
    return revokeRejected(acting, hands, certificate, party)
  })
}

/** The same within the act of another room that received the rejection. */
export async function revokeRejected(
  doing: Doing,
  hands: RevocationHands,
  certificate: CertificateRef,
  party: number | undefined,
): Promise<RevocationCase> {
  const { client, at } = doing
  const found = await revocableAt(client, hands.schedules, certificate, at)
  if (found.object !== 'organisation') throw no('GROUND_UNFIT')
  if (party === undefined || found.party !== party) throw no('NOT_OF_PARTY')
  await holdParty(client, party)
  const id = await enterCase(doing, hands, found, { ground: 'rejected', origin: 'rejection' }, 'authenticated')
  const one = await heldCase(client, id)
  const deferral = await coveringDeferral(client, one, at)
  if (!deferral) return revokeCase(doing, hands, one)
  await join(doing, one, deferral)
  return caseOf(client, id)
}

export interface DeviceRejection {
  readonly id: number
  readonly certificate: CertificateRef
  readonly party: number
  readonly words: string
  readonly evidence: readonly Evidence[]
  readonly loggedAt: Date
  readonly finding: string | undefined
  readonly investigatedAt: Date | undefined
}

/**
 * A Device Certificate is rejected: it stays what it is, and the Registration Authority investigates.
 * @returns the number of the record
 * @throws Refusal CERTIFICATE_UNKNOWN, GROUND_UNFIT for another certificate than a Device's, REJECTION_LOGGED
 */
export function rejectDeviceCertificate(
  hands: RevocationHands,
  by: Actor,
  certificate: CertificateRef,
  given: Given,
): Promise<number> {
  const party = by === 'ceremony' ? undefined : by.party
  const says = { authority: certificate.authority }
  return actAlone(hands, by, 'reject certificate', says, party, async acting => {
    const { client, at } = acting
    await organisationOf(client, party!)
    const lodged = await lodgedAt(client, certificate, at)
    if (lodged.family !== 'device') throw no('GROUND_UNFIT', 'it is no Device Certificate')
    const { words, evidence } = readGiven(given)
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO device_rejection (authority, serial, party, words, evidence, logged_at) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING RETURNING id`,
      [lodged.authority, lodged.serial, party, words, JSON.stringify(evidence), at],
    )
    if (!rows[0]) throw no('REJECTION_LOGGED')
    const { id } = rows[0]
    await tell(acting, 'reject certificate', {
      rejection: id,
      certificate: subjectOf(certificate),
      words,
      evidence,
    })
    return id
  })
}

/** What came of it; the certificate is not revoked, whatever it is. @throws Refusal REJECTION_UNKNOWN, WORDS_UNFIT */
export function closeInvestigation(
  hands: RevocationHands,
  by: Actor,
  id: number,
  finding: string,
  given: Given,
): Promise<void> {
  return actAlone(hands, by, 'investigate rejection', { rejection: id }, undefined, async acting => {
    const { client, at, note } = acting
    const { words } = readGiven({ words: finding })
    const { rowCount } = await client.query(
      'UPDATE device_rejection SET finding = $2, investigated_at = $3 WHERE id = $1 AND investigated_at IS NULL',
      [id, words, at],
    )
    if (rowCount !== 1) throw no('REJECTION_UNKNOWN', String(id))
    await note('investigate rejection', { rejection: id, finding: words, ...readGiven(given) })
  })
}

/** Those under investigation, or all; of one Party, or of everybody; oldest first. */
export async function deviceRejections(
  store: Pick<Store, 'query'> | Client,
  { open = false, party }: { readonly open?: boolean; readonly party?: number } = {},
): Promise<DeviceRejection[]> {
  const { rows } = await (store as Client).query<{
    id: number
    authority: number
    serial: Buffer
    party: number
    words: string
    evidence: Evidence[]
    logged_at: Date
    finding: string | null
    investigated_at: Date | null
  }>(
    `SELECT * FROM device_rejection
      WHERE (NOT $1 OR investigated_at IS NULL) AND ($2::int IS NULL OR party = $2) ORDER BY id`,
    [open, party ?? null],
  )
  return rows.map(row => ({
    id: row.id,
    certificate: { authority: row.authority, serial: row.serial.toString('hex') },
    party: row.party,
    words: row.words,
    evidence: row.evidence,
    loggedAt: row.logged_at,
    finding: row.finding ?? undefined,
    investigatedAt: row.investigated_at ?? undefined,
  }))
}

async function tell(
  acting: Acting,
  act: string,
  about: Parameters<Acting['note']>[1] & { readonly rejection: number; readonly certificate: string },
): Promise<void> {
  await acting.note(act, about)
  const { rejection, certificate } = about
  await notify(acting, 'Registration Authority', 'a Device Certificate was rejected: investigate', {
    rejection,
    certificate,
  })
}
