/** Certificate Revocation Requests: received, authenticated, approved by somebody else (RAPP 8; section 6.3). */

import { type Ground, groundRow, grounds, reasonCodes } from '../../policy/revocation/grounds.ts'
import { kindOfTask, requestRules } from '../../policy/revocation/objects.ts'
import { decisionOf } from '../governance/decisions.ts'
import { type Acting, type Actor, act, type Given, type InOffice, requireOffice } from '../registration/act.ts'
import { openTask } from '../registration/tasks.ts'
import { caseAbout, caseOf, type RevocationCase, taskSubject } from './case.ts'
import { coveringDeferral, type Deferral, join } from './covering.ts'
import type { Doing, RevocationHands } from './hands.ts'
import { holdParty } from './inside/below.ts'
import { revocationKinds } from './kinds.ts'
import { type CertificateRef, type Revocable, revocableAt, subjectOf } from './object.ts'
import { no } from './refusals.ts'

export interface RevocationRequest {
  readonly certificate: CertificateRef
  readonly ground: Ground
  /** A7, for the Registration Authority's own credentials. */
  readonly form?: string | undefined
  /** Reference of the direction of the SMKI PMA that it rests on. */
  readonly decision?: string | undefined
  readonly urgent?: boolean | undefined
}

export interface OpenedCase {
  readonly case: number
  readonly task: number
  /** Of what is to be verified and approved, hexadecimal. */
  readonly digest: string
  /** The deferral that it joined (L16). */
  readonly deferral: Deferral | undefined
}

/**
 * Receives a request. Whoever verifies it authenticates the requester; whoever approves it is somebody else, and revokes
 * by that. Under a deferral of the SMKI PMA it waits instead.
 * @throws Refusal those of `revocableAt`, GROUND_UNFIT, FORM_NEEDED, DIRECTION_NEEDED, NOT_OWN_CREDENTIAL, CASE_OPEN,
 * DECISION_UNKNOWN, and those of `openTask`: NOT_FOR_THIS_OFFICE, OTHER_ORGANISATION, OWN_AFFAIRS, …
 */
export function requestRevocation(
  hands: RevocationHands,
  by: Actor,
  request: RevocationRequest,
  given: Given,
): Promise<OpenedCase> {
  const { authority, serial } = request.certificate
  const says = { authority, serial, ground: String(request.ground).replaceAll(' ', '-') }
  return act(hands, by, { act: 'request revocation', says }, async acting => {
    const found = await revocableAt(acting.client, hands.schedules, request.certificate, acting.at)
    await requireRequest(acting, hands, found, request)
    return openCase(acting, hands, found, { ...request, origin: 'request' }, given)
  })
}

/** Opens a case with its task, within an act; the first step of it is the actor's. @throws Refusal CASE_OPEN, … */
export async function openCase(
  acting: Acting,
  hands: RevocationHands,
  found: Revocable,
  request: Omit<RevocationRequest, 'certificate'> & { readonly origin: RevocationCase['origin'] },
  given: Given,
): Promise<OpenedCase> {
  const { client, at } = acting
  await holdParty(client, found.party)
  const id = await enterCase(acting, hands, found, request, 'received')
  const about = { subject: taskSubject(id), party: partyOfTask(found), people: holders(found) }
  const opened = await openTask(acting, revocationKinds(hands), kindOfTask(found.object), about, given)
  await client.query('UPDATE revocation_case SET task = $2 WHERE id = $1', [id, opened.task])
  const one = await caseOf(client, id)
  const deferral = await coveringDeferral(client, one, at)
  if (deferral) await join(acting, one, deferral)
  return { case: id, ...opened, deferral }
}

/** Writes a case down; of two at once for one certificate the second is refused. */
export async function enterCase(
  { client, at, note }: Doing,
  hands: RevocationHands,
  { object, ref, sha256, expiresAt, party, credential }: Revocable,
  request: Omit<RevocationRequest, 'certificate'> & { readonly origin: RevocationCase['origin'] },
  state: 'received' | 'authenticated',
): Promise<number> {
  const { ground, form, decision, urgent = false, origin } = request
  const reason = reasonCodes[hands.revocation.reasons[ground]]
  const owner = object === 'RA staff' ? undefined : party
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO revocation_case (object, authority, serial, expires_at, sha256, party, credential, origin, ground, reason,
       form, decision, urgent, state, received_at, authenticated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
       CASE WHEN $14 = 'authenticated' THEN $15::timestamptz END)
     ON CONFLICT (authority, serial) WHERE state NOT IN ('refused', 'cancelled') DO NOTHING RETURNING id`,
    [
      object,
      ref.authority,
      Buffer.from(ref.serial, 'hex'),
      expiresAt,
      sha256,
      owner ?? null,
      credential ?? null,
      origin,
      ground,
      reason,
      form ?? null,
      decision ?? null,
      urgent,
      state,
      at,
    ],
  )
  if (!rows[0]) {
    const open = await caseAbout(client, ref)
    throw no('CASE_OPEN', open && `case ${open.id}, ${open.state}`)
  }
  const { id } = rows[0]
  await note('revocation case', {
    case: id,
    object,
    certificate: subjectOf(ref),
    origin,
    ground,
    reason,
    urgent,
    ...(owner !== undefined && { party: owner }),
    ...(form !== undefined && { form }),
    ...(decision !== undefined && { decision }),
  })
  return id
}

async function requireRequest(
  { client, by }: Acting,
  hands: RevocationHands,
  found: Revocable,
  { ground, form, decision }: RevocationRequest,
): Promise<void> {
  const kind = revocationKinds(hands)[kindOfTask(found.object)]!
  // Whose business it is comes first: who may not ask is told nothing else.
  requireOffice(by, kind.procedure.request.by, partyOfTask(found))
  const known = Object.hasOwn(grounds, ground) && ground !== 'rejected' ? groundRow(ground) : undefined
  if (!known?.of.includes(found.object)) throw no('GROUND_UNFIT')
  const rule = requestRules[found.object]
  if (rule.form !== undefined && form !== rule.form) throw no('FORM_NEEDED', rule.form)
  requireOwn(rule, found, by)
  const directed =
    rule.byDirection.includes(by.as) ||
    (rule.byDirectionUnlessCompromise.includes(by.as) && known.compromise !== true) ||
    ground === 'direction'
  if (directed && decision === undefined) throw no('DIRECTION_NEEDED')
  if (decision !== undefined && (await decisionOf(client, decision)) === undefined)
    throw no('DIRECTION_NEEDED', 'there is no decision of that reference')
}

function requireOwn(rule: { ownOnly: readonly string[] }, found: Revocable, by: InOffice): void {
  const anothers = found.holder !== undefined && found.holder !== by.person
  if (rule.ownOnly.includes(by.as) && anothers) throw no('NOT_OWN_CREDENTIAL')
}

/** The Registration Authority's own credentials are no Party's affair. */
function partyOfTask(found: Pick<Revocable, 'object' | 'party'>): number | undefined {
  return found.object === 'RA staff' ? undefined : found.party
}

function holders({ holder }: Revocable): number[] {
  return holder === undefined ? [] : [holder]
}

export { revocationKinds }
