/** A Compromise, or the suspicion of one: notified by whoever may, confirmed by somebody else, given its procedure. */

import { type Bytes, toHex } from '../../ground/bytes.ts'
import {
  decidedActOf,
  type KeyKind,
  keyKinds,
  type ProcedureName,
  procedureNames,
  procedureOf,
  procedures,
} from '../../policy/recovery/cases.ts'
import { stepsOf } from '../../policy/recovery/settings.ts'
import { markCompromised } from '../authority/register.ts'
import { type Acting, type Actor, act, type Given, readGiven, requireOffice } from '../registration/act.ts'
import { eventOf, heldEvent, type RecoveryEvent } from './event.ts'
import type { RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'

export interface Notification {
  /** `SUP-2026-004`: capital letters, digits, hyphens. */
  readonly reference: string
  readonly keyKind: KeyKind
  /** SHA-256 of the SubjectPublicKeyInfo of the key. */
  readonly key: Bytes
  /** Key identifiers (8 octets) of the certificates that are Compromised by it. */
  readonly keyIds: readonly Bytes[]
  /** Whose key it is, of an Organisation's. */
  readonly party?: number | undefined
  readonly suspectedSince: Date
  /** The procedure that the Subscriber asks for. */
  readonly asksFor?: ProcedureName | undefined
}

/**
 * Opens an event.
 * @throws Refusal EVENT_UNFIT, EVENT_EXISTS, KEY_NOT_RELEVANT, MAY_NOT_NOTIFY, NOT_IN_OFFICE
 */
export function notifyCompromise(
  hands: RecoveryHands,
  by: Actor,
  notification: Notification,
  given: Given = {},
): Promise<RecoveryEvent> {
  const { reference, keyKind, party } = notification
  const says = { keyKind: String(keyKind), ...(party !== undefined && { party }) }
  return act(hands, by, { act: 'notify Compromise', says }, async acting => {
    requireWhole(notification, acting.at)
    if (!hands.recovery.relevantKeys.includes(keyKind)) throw no('KEY_NOT_RELEVANT', keyKind)
    requireNotifier(hands, acting, notification)
    const { client, at, note } = acting
    const { rowCount } = await client.query(
      `INSERT INTO recovery_event (reference, key_kind, key, key_ids, party, suspected_since, notified_at, notified_by,
         asked_for, pace) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
      [
        reference,
        keyKind,
        notification.key,
        notification.keyIds,
        party ?? null,
        notification.suspectedSince,
        at,
        String(acting.by.says.person),
        notification.asksFor ?? null,
        hands.recovery.pace,
      ],
    )
    if (rowCount === 0) throw no('EVENT_EXISTS', reference)
    await note('notify Compromise', {
      event: reference,
      keyKind,
      key: toHex(notification.key),
      keyIds: notification.keyIds.map(toHex),
      suspectedSince: notification.suspectedSince.toISOString(),
      ...(party !== undefined && { party }),
      ...(notification.asksFor !== undefined && { asksFor: notification.asksFor }),
      ...readGiven(given),
    })
    return eventOf(client, reference)
  })
}

/**
 * Authenticates the notifier and confirms what was notified, by other means than it came; or rejects it.
 * @throws Refusal MEANS_NOT_PERMITTED, CONFIRMED_BY_NOTIFIER, EVENT_STATE, EVENT_UNKNOWN
 */
export function confirmCompromise(
  hands: RecoveryHands,
  by: Actor,
  reference: string,
  found: { readonly means: string; readonly confirmed: boolean },
  given: Given = {},
): Promise<RecoveryEvent> {
  return act(hands, by, { act: 'confirm Compromise' }, async acting => {
    const { client, at, note } = acting
    requireOffice(acting.by, ['RA_PERSONNEL', 'RA_MANAGER'], undefined)
    const event = await heldEvent(client, reference, 'notified')
    if (!hands.recovery.confirmationMeans.includes(found.means)) throw no('MEANS_NOT_PERMITTED')
    const person = String(acting.by.says.person)
    if (event.notifiedBy === person) throw no('CONFIRMED_BY_NOTIFIER')
    await client.query(
      'UPDATE recovery_event SET state = $2, confirmed_at = $3, confirmed_by = $4, means = $5 WHERE reference = $1',
      [reference, found.confirmed ? 'confirmed' : 'rejected', at, person, found.means],
    )
    // An authority whose key it is signs nothing from this commit on; its lists go on.
    const stopped = found.confirmed ? await markCompromised(client, event.key, at) : []
    const authorities = stopped.length > 0 ? { authorities: stopped } : {}
    await note('confirm Compromise', { event: reference, ...found, ...authorities, ...readGiven(given) })
    return eventOf(client, reference)
  })
}

/**
 * Chooses the procedure; its steps are laid down as they are set on that day.
 * @throws Refusal PROCEDURE_UNFIT, EVENT_STATE
 */
export function chooseProcedure(
  hands: RecoveryHands,
  by: Actor,
  reference: string,
  procedure: ProcedureName,
  given: Given = {},
): Promise<RecoveryEvent> {
  return act(hands, by, { act: 'choose recovery procedure' }, async acting => {
    const { client, note } = acting
    requireOffice(acting.by, ['RA_MANAGER', 'PMA_MEMBER'], undefined)
    const event = await heldEvent(client, reference, 'confirmed')
    const { curesRecovery } = hands.recovery
    const fits = procedureNames.includes(procedure) && procedures[procedure].of.includes(event.keyKind)
    if (!fits || event.procedure !== undefined) throw no('PROCEDURE_UNFIT', `${procedure} for ${event.keyKind}`)
    await client.query('UPDATE recovery_event SET procedure = $2, cured_by = $3 WHERE reference = $1', [
      reference,
      procedure,
      curesRecovery,
    ])
    const steps = stepsOf(hands.recovery, procedure)
    for (const [i, { phase, actor, action }] of steps.entries()) {
      await client.query(
        'INSERT INTO recovery_step (event, number, phase, actor, action) VALUES ($1, $2, $3, $4, $5)',
        [reference, i + 1, phase, actor, action],
      )
    }
    const { dccKey } = procedureOf(procedure, curesRecovery)
    await note('choose recovery procedure', {
      event: reference,
      procedure,
      steps: steps.map(one => one.action),
      ...(dccKey && { needs: decidedActOf[dccKey] }),
      ...readGiven(given),
    })
    return eventOf(client, reference)
  })
}

function requireWhole(one: Notification, at: Date): void {
  const { reference, keyKind, key, keyIds, party, suspectedSince, asksFor } = one
  const wrong =
    (!/^[A-Z][A-Z0-9-]{2,31}$/.test(reference) && 'its reference is 3 to 32 capital letters, digits and hyphens') ||
    (!keyKinds.includes(keyKind) && 'it names the kind of key') ||
    (key.length !== 32 && 'it names the key by its SHA-256') ||
    ((keyIds.length === 0 || keyIds.length > 1000 || keyIds.some(id => id.length !== 8)) &&
      'it names the certificates by their key identifiers, 8 octets each') ||
    ((keyKind === 'organisation') !== (party !== undefined) && 'the Party is that of an Organisation key') ||
    (!(suspectedSince.getTime() <= at.getTime()) && 'it is suspected since some time before') ||
    (asksFor !== undefined && !procedureNames.includes(asksFor) && 'it asks for a procedure that there is')
  if (wrong) throw no('EVENT_UNFIT', wrong)
}

/** Officers of a Party notify what is its own; the DCC and the SMKI PMA everything that is theirs to notify. */
function requireNotifier({ recovery }: RecoveryHands, { by }: Acting, { keyKind, party }: Notification): void {
  const isOrganisation = keyKind === 'organisation'
  const allowed = isOrganisation ? recovery.notifiersOfOrganisationKeys : recovery.notifiersOfDccKeys
  const isItsOwn = by.party === undefined || by.party === party
  if (!allowed.includes(by.as) || !isItsOwn) throw no('MAY_NOT_NOTIFY')
}
