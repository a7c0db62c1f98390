/** Officers who cease, conditions that fall away, organisations that end: at once, with what follows. */

import type { Client } from '../../ground/store/store.ts'
import {
  type CertificatePolicy,
  certificatePolicies,
  type Office,
  offices,
} from '../../policy/registration/offices.ts'
import { singleActs } from '../../policy/registration/procedure.ts'
import { type Acting, type Actor, act, actAlone, type Given, type Hands, readGiven, requireOffice } from './act.ts'
import { endCredential } from './credential-tasks.ts'
import { mayHold } from './entitled.ts'
import { registrationKinds } from './kinds.ts'
import { type CredentialRecord, credentialRecord, credentialRecords, credentialsHeldBy } from './life.ts'
import { partyHeld } from './party.ts'
import { personNumber } from './person.ts'
import { no } from './refusals.ts'
import { following, type Standing, standingOf } from './standing.ts'
import { voidTask } from './tasks.ts'

export interface Ceased {
  /** Credentials that ended with it. Those that are certificates are for the room that revokes to list. */
  readonly ended: readonly CredentialRecord[]
  readonly standing: Standing | undefined
}

/**
 * An officer ceases, from this moment: by the organisation's word, the Registration Authority's, or his own. The
 * credentials that he held in that office end in the same transaction.
 * @throws Refusal OFFICE_NOT_HELD, NOT_FOR_THIS_OFFICE, OTHER_ORGANISATION
 */
export function cease(
  hands: Hands,
  by: Actor,
  officer: { readonly person: string; readonly office: Office; readonly party?: number | undefined },
  given: Given,
): Promise<Ceased> {
  const { person, office, party } = officer
  const says = { person, office, ...(party !== undefined && { party }) }
  return act(hands, by, { act: 'cease', says }, async acting => {
    const { client, at } = acting
    if (!Object.hasOwn(offices, office)) throw no('OFFICE_NOT_HELD')
    const number = await personNumber(client, person)
    const resigns = acting.by.person === number && acting.by.as === office && acting.by.party === party
    if (!resigns) requireOffice(acting.by, singleActs[`cease ${office}`], party)
    if (party !== undefined) await holdParty(client, party)
    return following(acting, party, async () => {
      const { rows } = await client.query<{ id: number }>(
        `UPDATE appointment SET state = 'ceased', ceased_at = $4 WHERE person = $1 AND office = $2
            AND party IS NOT DISTINCT FROM $3 AND state = 'appointed' RETURNING id`,
        [number, office, party ?? null, at],
      )
      if (!rows[0]) throw no('OFFICE_NOT_HELD')
      await acting.note('cease', { appointment: rows[0].id, ...says, ...readGiven(given) })
      const ended = await endWhatIsNotHeld(acting, number)
      return { ended, standing: party === undefined ? undefined : await standingOf(client, party) }
    })
  })
}

export type Withdrawable =
  | { readonly condition: 'identity' | 'SREPT' }
  | { readonly condition: 'application'; readonly policy: CertificatePolicy }

/**
 * A condition of being an Authorised Subscriber is found to hold no more: the identity, the completion of SREPT, an
 * application. The Party is suspended by that, until it is met anew.
 * @throws Refusal CONDITION_NOT_MET, POLICY_UNKNOWN
 */
export function withdrawCondition(
  hands: Hands,
  by: Actor,
  party: number,
  what: Withdrawable,
  given: Given,
): Promise<Standing> {
  return actAlone(hands, by, 'withdraw condition', party, { condition: what.condition }, async acting => {
    const { client, at } = acting
    await partyHeld(client, party)
    return following(acting, party, async () => {
      const rowCount = await withdrawn(client, party, what, at)
      if (rowCount === 0) throw no('CONDITION_NOT_MET')
      await acting.note('withdraw condition', { party, ...what, ...readGiven(given) })
      return standingOf(client, party)
    })
  })
}

/**
 * An organisation ends: its officers cease, its credentials end, what waited for it is void. Its identifiers stay its
 * own: certificates name them.
 */
export function ceaseOrganisation(hands: Hands, by: Actor, party: number, given: Given): Promise<Ceased> {
  return actAlone(hands, by, 'cease organisation', party, {}, async acting => {
    const { client, at } = acting
    await partyHeld(client, party)
    return following(acting, party, async () => {
      await client.query('UPDATE party SET ceased_at = $2 WHERE id = $1', [party, at])
      await acting.note('cease organisation', { party, ...readGiven(given) })
      const kinds = registrationKinds(hands.rules)
      const { rows: tasks } = await client.query<{ kind: string; subject: string }>(
        "SELECT kind, subject FROM task WHERE party = $1 AND state = 'open' AND kind = ANY($2) ORDER BY id",
        [party, Object.keys(kinds)],
      )
      for (const { kind, subject } of tasks) await voidTask(acting, kinds, kind, subject)
      const { rows: officers } = await client.query<{ id: number }>(
        `UPDATE appointment SET state = 'ceased', ceased_at = $2 WHERE party = $1 AND state = 'appointed' RETURNING id`,
        [party, at],
      )
      await acting.note('cease', { party, appointments: officers.map(one => one.id) })
      const ended = await endAll(acting, await credentialRecords(client, party), 'the organisation ceased')
      // Those that were entered without the procedures.
      await client.query("UPDATE credential SET state = 'revoked' WHERE party = $1 AND life IS NULL", [party])
      await client.query("UPDATE api_key SET state = 'revoked' WHERE party = $1 AND life IS NULL", [party])
      return { ended, standing: await standingOf(client, party) }
    })
  })
}

/** A Party that ceased still has its records: this holds it whether it ceased or not. */
async function holdParty(client: Client, party: number): Promise<void> {
  await client.query('SELECT FROM party WHERE id = $1 FOR NO KEY UPDATE', [party])
}

async function withdrawn(client: Client, party: number, what: Withdrawable, at: Date): Promise<number> {
  const text = {
    identity:
      "UPDATE organisation_form SET state = 'withdrawn', ended_at = $2 WHERE party = $1 AND state = 'in force'",
    SREPT:
      'UPDATE srept SET withdrawn_at = $2 WHERE party = $1 AND completed_at IS NOT NULL AND withdrawn_at IS NULL',
    application:
      "UPDATE application SET state = 'ended', ended_at = $2 WHERE party = $1 AND state = 'accepted' AND policy = $3",
  }[what.condition]
  if (what.condition !== 'application') return (await client.query(text, [party, at])).rowCount ?? 0
  if (!certificatePolicies.includes(what.policy)) throw no('POLICY_UNKNOWN')
  return (await client.query(text, [party, at, what.policy])).rowCount ?? 0
}

/** Ends those credentials of a person that no office entitles him to any more. */
async function endWhatIsNotHeld(acting: Acting, person: number): Promise<CredentialRecord[]> {
  const ended: CredentialRecord[] = []
  for (const record of await credentialsHeldBy(acting.client, person)) {
    if (await mayHold(acting.client, { kind: record.kind, party: record.party, person })) continue
    await endCredential(acting, record, 'its holder ceased')
    ended.push(await credentialRecord(acting.client, record.id))
  }
  return ended
}

async function endAll(
  acting: Acting,
  records: readonly CredentialRecord[],
  why: string,
): Promise<CredentialRecord[]> {
  const ended: CredentialRecord[] = []
  for (const { id, endedAt } of records) {
    if (endedAt) continue
    const now = await credentialRecord(acting.client, id)
    // One that was only asked for has ended with its task.
    if (!now.endedAt) await endCredential(acting, now, why)
    ended.push(await credentialRecord(acting.client, id))
  }
  return ended
}
