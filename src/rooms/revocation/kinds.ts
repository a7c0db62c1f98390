/** The kinds of task by which certificates are revoked, and what each step does to its case (section 6.3). */

import type { JsonValue } from '../../ground/journal/entry.ts'
import type { Client } from '../../ground/store/store.ts'
import { grounds } from '../../policy/revocation/grounds.ts'
import { revocationProcedures } from '../../policy/revocation/objects.ts'
import { citeDecision, decisionOf } from '../governance/decisions.ts'
import type { Kind, Kinds } from '../registration/tasks.ts'
import { caseNumber, caseOf, heldCase, type RevocationCase } from './case.ts'
import { coveringDeferral, deferred, join } from './covering.ts'
import type { RevocationHands } from './hands.ts'
import { subjectOf } from './object.ts'
import { revokeCase } from './revoke.ts'

/** Every kind of task of this room. A door puts those of other rooms beside them. */
export function revocationKinds(hands: Pick<RevocationHands, 'rules' | 'revocation' | 'schedules'>): Kinds {
  const { requesters, dcckiRequesters, authenticationEvidence } = hands.revocation
  const rules = { requesters: { ...requesters, DCCKI: dcckiRequesters }, authenticationEvidence }
  const all = revocationProcedures(rules, hands.rules.twoPersons)
  return Object.fromEntries(
    Object.entries(all).map(([name, procedure]) => [name, { procedure, ...revoking(hands) }]),
  )
}

function revoking(hands: Pick<RevocationHands, 'schedules'>): Omit<Kind, 'procedure'> {
  return {
    async describe(client, subject) {
      return describe(await caseOf(client, caseNumber(subject)))
    },

    async verified(acting, task) {
      const { client, at, note } = acting
      const before = await heldCase(client, caseNumber(task.subject))
      await client.query(
        "UPDATE revocation_case SET state = 'authenticated', authenticated_at = $2 WHERE id = $1",
        [before.id, at],
      )
      await note('authenticate request', { case: before.id, task: task.id })
      const one = await caseOf(client, before.id)
      const deferral = await coveringDeferral(client, one, at)
      if (deferral) await join(acting, one, deferral)
    },

    async approved(acting, task) {
      const { client, at } = acting
      const one = await heldCase(client, caseNumber(task.subject))
      const deferral = await coveringDeferral(client, one, at)
      if (deferral) throw deferred(deferral)
      if (one.decision !== undefined) await cite(client, one, one.decision, at)
      const revoked = await revokeCase(acting, hands, one)
      return {
        case: one.id,
        certificate: subjectOf(one.certificate),
        revokedAt: at.toISOString(),
        listDueAt: revoked.listDueAt!.toISOString(),
      }
    },

    async otherwise({ client, at, note }, task, state) {
      const one = await heldCase(client, caseNumber(task.subject))
      // What waits under a deferral is cancelled by the SMKI PMA alone (section 6.3).
      const deferral = one.state === 'deferred' ? await coveringDeferral(client, one, at) : undefined
      if (deferral && state !== 'open') throw deferred(deferral)
      if (state === 'void') return
      const next = state === 'open' ? 'received' : 'refused'
      await client.query(
        `UPDATE revocation_case SET state = $2, ended_at = CASE WHEN $2 = 'refused' THEN $3::timestamptz END
          WHERE id = $1`,
        [one.id, next, at],
      )
      await note('revocation case', { case: one.id, state: next, task: task.id })
    },
  }
}

/** What everybody who takes a step decides on: nothing in it changes while the case goes its way. */
function describe(one: RevocationCase): Readonly<Record<string, JsonValue>> {
  const { id, object, certificate, sha256, party, credential, origin, ground, reason, form, decision, urgent } = one
  return {
    case: id,
    object,
    issuer: certificate.authority,
    serial: certificate.serial,
    sha256,
    party: party ?? null,
    credential: credential ?? null,
    origin,
    ground,
    says: grounds[ground].says,
    reason,
    form: form ?? null,
    decision: decision ?? null,
    urgent,
  }
}

/** Counts one use of the direction: it names the certificate, or the Party whose certificate it is. */
export async function cite(client: Client, one: RevocationCase, reference: string, at: Date): Promise<void> {
  const subject = subjectOf(one.certificate)
  const party = one.party === undefined ? undefined : `party:${one.party}`
  const named = (await decisionOf(client, reference))?.subjects ?? []
  const subjects = party !== undefined && !named.includes(subject) && named.includes(party) ? [party] : [subject]
  await citeDecision(client, { reference, act: 'revoke', subjects, at })
}
