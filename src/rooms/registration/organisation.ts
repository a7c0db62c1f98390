/** An organisation on its form: received, its identity verified, in force; and what a new version leaves outside. */

import type { JsonValue } from '../../ground/journal/entry.ts'
import type { Client } from '../../ground/store/store.ts'
import { procedures } from '../../policy/registration/procedure.ts'
import { type Acting, type Actor, act, actAlone, type Given, type Hands, readGiven } from './act.ts'
import { type CheckedForm, checkForm, formBody, type OrganisationForm, type RegistrationRules } from './form.ts'
import { organisationOf, partyHeld, rangesInForce } from './party.ts'
import { contains, readEui64, writeEui64 } from './ranges.ts'
import { no } from './refusals.ts'
import { following } from './standing.ts'
import { type Kind, type Kinds, openTask, voidTask } from './tasks.ts'

export interface Submitted {
  readonly party: number
  readonly version: number
  readonly task: number
  /** Of what is to be verified and approved. */
  readonly digest: string
}

/**
 * Receives the first form of an applicant, who becomes a Party by it: one without any right.
 * @param name short, for folders and commands
 * @throws Refusal PARTY_NAME_UNFIT, PARTY_NAME_TAKEN, those of `checkForm`, of `openTask`, RANGE_OF_ANOTHER,
 * ORGANISATION_KNOWN
 */
export function apply(
  hands: Hands,
  by: Actor,
  name: string,
  form: OrganisationForm,
  given: Given,
): Promise<Submitted> {
  return act(hands, by, { act: 'receive form' }, async acting => {
    const checked = checkForm(form, hands.rules)
    if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) throw no('PARTY_NAME_UNFIT')
    const { rows } = await acting.client.query<{ id: number }>(
      `INSERT INTO party (name, trading_name, device_subscriber, kind, registered_at) VALUES ($1, $2, false, $3, $4)
       ON CONFLICT (name) DO NOTHING RETURNING id`,
      [name, checked.tradingName, checked.kind, acting.at],
    )
    if (!rows[0]) throw no('PARTY_NAME_TAKEN', name)
    await acting.note('enter applicant', { party: rows[0].id, name })
    return receive(acting, rows[0].id, checked, given)
  })
}

/**
 * Receives a new version of a Party's form. The version in force stays so until this one is approved; one that waited is
 * void.
 * @throws Refusal as `apply`; FORM_UNFIT when the kind of organisation is another
 */
export function submitForm(
  hands: Hands,
  by: Actor,
  party: number,
  form: OrganisationForm,
  given: Given,
): Promise<Submitted> {
  return act(hands, by, { act: 'receive form', says: { party } }, async acting => {
    const checked = checkForm(form, hands.rules)
    const { kind } = await partyHeld(acting.client, party)
    if (kind !== checked.kind) throw no('FORM_UNFIT', `kind: this Party is of the kind ${kind}`)
    const { rows } = await acting.client.query<{ id: number }>(
      "SELECT id FROM organisation_form WHERE party = $1 AND state = 'submitted'",
      [party],
    )
    for (const { id } of rows)
      await voidTask(acting, organisationForms(hands.rules), 'organisation form', `form ${id}`)
    return receive(acting, party, checked, given)
  })
}

/** The kind of task by which a form takes effect. */
export function organisationForms(rules: RegistrationRules): Kinds {
  return { 'organisation form': { procedure: procedures(rules)['organisation form']!, ...takingEffect } }
}

/** An Organisation Certificate, as the Repository knows it. */
export interface HeldCertificate {
  readonly issuer: string
  readonly serial: string
  /** 16 hexadecimal digits. */
  readonly eui64: string
}

/**
 * Reports those certificates of a Party that lie outside the ranges of its form in force. None is revoked by that
 * (registration-revocation.md section 3): whoever reads the report decides.
 * @param held the Party's certificates in use, from the Repository
 */
export function reportOutside(
  hands: Hands,
  by: Actor,
  party: number,
  held: readonly HeldCertificate[],
  given: Given = {},
): Promise<HeldCertificate[]> {
  return actAlone(hands, by, 'report certificates', party, {}, async acting => {
    const { formInForce } = await organisationOf(acting.client, party)
    const ranges = await rangesInForce(acting.client, party)
    const outside = held.filter(one => !ranges.some(range => contains(range, readEui64(one.eui64))))
    await acting.note('report certificates', {
      party,
      version: formInForce ?? null,
      looked: held.length,
      outside: outside.slice(0, 200).map(({ issuer, serial, eui64 }) => ({ issuer, serial, eui64 })),
      count: outside.length,
      ...readGiven(given),
    })
    return outside
  })
}

/** "eui-64s" in ASCII: forms take effect in turn, so that two organisations cannot take one identifier. */
const takingIdentifiers = 28_558_067_238_319_219n

async function receive(acting: Acting, party: number, form: CheckedForm, given: Given): Promise<Submitted> {
  const { client, at, hands } = acting
  await requireFree(client, party, form.ranges, form.identifier, hands.rules)
  const { rows } = await client.query<{ id: number; version: number }>(
    `INSERT INTO organisation_form (party, version, state, form, submitted_at)
     SELECT $1, coalesce(max(version), 0) + 1, 'submitted', $2, $3 FROM organisation_form WHERE party = $1
     RETURNING id, version`,
    [party, JSON.stringify(formBody(form)), at],
  )
  const { id, version } = rows[0]!
  for (const { userRole, first, last } of form.ranges) {
    await client.query('INSERT INTO eui64_range (form, user_role, first, last) VALUES ($1, $2, $3, $4)', [
      id,
      userRole,
      String(first),
      String(last),
    ])
  }
  const about = { subject: `form ${id}`, party }
  return {
    party,
    version,
    ...(await openTask(acting, organisationForms(hands.rules), 'organisation form', about, given)),
  }
}

const takingEffect: Omit<Kind, 'procedure'> = {
  async describe(client, subject) {
    const { party, version, form } = await formAt(client, subject)
    return { party, version, form }
  },
  async approved(acting, task) {
    const { client, at, note, hands } = acting
    const { id, party, version, form } = await formAt(client, task.subject)
    await partyHeld(client, party)
    await client.query('SELECT pg_advisory_xact_lock($1)', [takingIdentifiers])
    const ranges = form.userRoles.map(one => ({ first: readEui64(one.first), last: readEui64(one.last) }))
    await requireFree(client, party, ranges, form.identifier, hands.rules)
    await following(acting, party, async () => {
      await client.query(
        `UPDATE organisation_form SET state = 'superseded', ended_at = coalesce(ended_at, $2)
          WHERE party = $1 AND state IN ('in force', 'withdrawn')`,
        [party, at],
      )
      await client.query("UPDATE organisation_form SET state = 'in force', in_force_at = $2 WHERE id = $1", [
        id,
        at,
      ])
      await client.query('UPDATE party SET trading_name = $2 WHERE id = $1', [party, form.tradingName])
      await note('form in force', { party, version, task: task.id, digest: task.digest })
    })
    return { party, version }
  },
  async otherwise({ client, at }, task, state) {
    if (state === 'open') return
    const { id } = await formAt(client, task.subject)
    await client.query('UPDATE organisation_form SET state = $2, ended_at = $3 WHERE id = $1', [
      id,
      state === 'void' ? 'void' : 'refused',
      at,
    ])
  },
}

/** REG-A05, against every form in force; and no two Parties with one identifier of the Code. */
async function requireFree(
  client: Client,
  party: number,
  ranges: readonly { first: bigint; last: bigint }[],
  identifier: string | undefined,
  rules: RegistrationRules,
): Promise<void> {
  if (rules.oneOrganisation) {
    const { rows } = await client.query<{ first: string; last: string }>(
      `SELECT greatest(r.first, mine.first) AS first, least(r.last, mine.last) AS last
         FROM unnest($2::numeric[], $3::numeric[]) AS mine (first, last)
         JOIN eui64_range r ON r.first <= mine.last AND r.last >= mine.first
         JOIN organisation_form f ON f.id = r.form AND f.state IN ('in force', 'withdrawn') AND f.party <> $1 LIMIT 1`,
      [party, ranges.map(one => String(one.first)), ranges.map(one => String(one.last))],
    )
    // Whose it is, is none of the applicant's business.
    const [taken] = rows
    if (taken)
      throw no('RANGE_OF_ANOTHER', `${writeEui64(BigInt(taken.first))} to ${writeEui64(BigInt(taken.last))}`)
  }
  const { rows } = await client.query(
    `SELECT FROM organisation_form WHERE state = 'in force' AND party <> $1 AND form->>'identifier' = $2`,
    [party, identifier ?? null],
  )
  if (rows.length > 0) throw no('ORGANISATION_KNOWN', identifier)
}

interface FormRow {
  id: number
  party: number
  version: number
  form: Readonly<Record<string, JsonValue>> & {
    readonly tradingName: string
    readonly identifier?: string
    readonly userRoles: readonly { userRole: string; first: string; last: string }[]
  }
}

async function formAt(client: Client, subject: string): Promise<FormRow> {
  const { rows } = await client.query<FormRow>(
    'SELECT id, party, version, form FROM organisation_form WHERE id = $1',
    [Number(subject.slice('form '.length))],
  )
  return rows[0]!
}
