/** Decisions of the SMKI PMA, as a DCO's own people entered them: two persons, neither of whom can be the other. */

import { fromHex } from '../../../ground/bytes.ts'
import { no } from '../refusals.ts'
import type { Hands } from './hands.ts'
import { type Access, actOfPerson } from './people.ts'

export interface Decision {
  /** The SMKI PMA's reference. */
  readonly reference: string
  /** Devices that it is for, by EUI-64; undefined is all. */
  readonly devices?: readonly string[] | undefined
  /**
   * Whether MKs are thought compromised. A new key travels wrapped under the MK: rotation over the air shuts out those
   * who are not on the wire at the time, and no one else (section 6.4).
   */
  readonly mksInQuestion: boolean
}

/** By the first person. @throws Refusal REASON_MISSING, PERSON_NOT_ALLOWED */
export async function enterDecision(hands: Hands, by: Access, decision: Decision): Promise<void> {
  const { reference, devices, mksInQuestion } = decision
  await actOfPerson(
    hands,
    by,
    'campaign.entered',
    { reference, mksInQuestion, devices: devices?.length ?? 'all' },
    client =>
      client.query(
        `INSERT INTO dco_decision (reference, entered_at, entered_by, mks_in_question, devices)
       VALUES ($1, $2, $3, $4, $5)`,
        [reference, hands.clock(), by.person, mksInQuestion, devices?.map(fromHex) ?? null],
      ),
  )
}

/** By another. From now on keys are made on it. @throws Refusal PERSON_NOT_ALLOWED, GROUND_UNKNOWN, REASON_MISSING */
export async function confirmDecision(hands: Hands, by: Access, reference: string): Promise<void> {
  await actOfPerson(hands, by, 'campaign.approved', { reference }, async client => {
    const { rows } = await client.query<{ entered_by: string }>(
      'SELECT entered_by FROM dco_decision WHERE reference = $1 AND confirmed_at IS NULL FOR UPDATE',
      [reference],
    )
    if (!rows[0]) throw no('GROUND_UNKNOWN', reference)
    if (rows[0].entered_by === by.person) throw no('PERSON_NOT_ALLOWED', 'who entered it does not confirm it')
    await client.query('UPDATE dco_decision SET confirmed_at = $2, confirmed_by = $3 WHERE reference = $1', [
      reference,
      hands.clock(),
      by.person,
    ])
  })
}

/** That keys of a Device may be made on that decision (KEY-A06). @throws Refusal GROUND_UNKNOWN */
export async function requireDecision(hands: Hands, reference: string, device: string): Promise<void> {
  if (!hands.settings.symmetric.checks.decisionRegistered) return
  const { rowCount } = await hands.store.query(
    `SELECT FROM dco_decision WHERE reference = $1 AND confirmed_at IS NOT NULL
       AND (devices IS NULL OR $2 = ANY (devices))`,
    [reference, fromHex(device)],
  )
  if (rowCount === 0) throw no('GROUND_UNKNOWN', reference)
}
