/** Revoking: constant work, whatever stands on the list. It marks the certificate, and the next list names it. */

import { equal, fromHex } from '../../ground/bytes.ts'
import { endStates } from '../../policy/registration/credentials.ts'
import { defaultGoesOn } from '../../policy/revocation/suspension.ts'
import { type AuthorityRecord, authorities } from '../authority/register.ts'
import { become, credentialRecord } from '../registration/life.ts'
import { markRevoked } from '../repository/lists.ts'
import { caseOf, type RevocationCase } from './case.ts'
import type { Doing, RevocationHands } from './hands.ts'
import { closeEntered } from './inside/below.ts'
import { asStore, issuerDigest, subjectOf } from './object.ts'
import { no } from './refusals.ts'

/**
 * Revokes the certificate of a case that was decided: marks it, ends the credential that it is, stops the authority that
 * it is of, in the caller's transaction. Its date is that of the decision, not of the list. No list is made here: it is
 * due within the hours of its schedule, and whoever renews lists finds that a revocation waits.
 * @throws Refusal ALREADY_REVOKED when it was revoked by another way
 */
export async function revokeCase(
  doing: Doing,
  hands: Pick<RevocationHands, 'schedules'>,
  one: RevocationCase,
): Promise<RevocationCase> {
  const { client, at, note } = doing
  const { certificate, reason, expiresAt } = one
  const known = await authorities(asStore(client))
  const authority = known.find(({ id }) => id === certificate.authority)!
  const due = dueBy(hands, authority, at)

  const revoked = { serial: fromHex(certificate.serial), at, reason, expiresAt }
  if (!(await markRevoked(client, authority.id, revoked))) throw no('ALREADY_REVOKED')
  await client.query(
    `UPDATE revocation_case SET state = 'revoked', approved_at = coalesce(approved_at, $2), revoked_at = $2,
       list_due_at = $3 WHERE id = $1`,
    [one.id, at, due],
  )
  await note('revoke', {
    case: one.id,
    certificate: subjectOf(certificate),
    sha256: one.sha256,
    ground: one.ground,
    reason,
    listDue: due.toISOString(),
    ...(one.party !== undefined && { party: one.party }),
    ...(one.decision !== undefined && { decision: one.decision }),
    ...(one.deferral !== undefined && { deferral: one.deferral }),
  })
  await endCredential(doing, authority, one)
  if (one.object === 'CA') await stopAuthority(doing, known, authority, one)
  return caseOf(client, one.id)
}

/** Until when the list with a revocation of that instant is lodged (CERT-A11). */
export function dueBy(
  { schedules }: Pick<RevocationHands, 'schedules'>,
  authority: Pick<AuthorityRecord, 'pki' | 'level'>,
  at: Date,
): Date {
  const hours = schedules(authority)?.afterRevocationHours
  if (hours === undefined) throw no('NOT_LISTED')
  return new Date(at.getTime() + hours * 3_600_000)
}

/** A credential whose certificate is revoked opens no door any more, from this commit on. */
async function endCredential(doing: Doing, authority: AuthorityRecord, one: RevocationCase): Promise<void> {
  const { client } = doing
  if (one.credential === undefined) {
    await closeEntered(client, issuerDigest(authority), one.certificate.serial)
    return
  }
  const { state } = await credentialRecord(client, one.credential)
  if (!endStates.includes(state)) await become(doing, one.credential, 'revoked', { case: one.id })
}

/** An authority whose own certificate is revoked issues nothing any more: it is suspended, for good; its lists go on. */
async function stopAuthority(
  { client, at, note }: Doing,
  known: readonly AuthorityRecord[],
  issuer: AuthorityRecord,
  one: RevocationCase,
): Promise<void> {
  const serial = fromHex(one.certificate.serial)
  const authority = known.find(
    ({ certificate }) =>
      equal(certificate.serial, serial) && equal(certificate.issuer.der, issuer.certificate.subject.der),
  )
  if (!authority) throw new Error(`no authority has the certificate of case ${one.id}`)
  const decision = one.decision ?? `case ${one.id}`
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO suspension (decision, scope, authority, stops, ground, goes_on, started_at, for_good)
     VALUES ($1, 'authority', $2, 'both', 'revoked', $3, $4, true) RETURNING id`,
    [decision, authority.id, defaultGoesOn, at],
  )
  const suspension = rows[0]!.id
  await note('suspend', { suspension, decision, scope: 'authority', authority: authority.id, forGood: true })
}
