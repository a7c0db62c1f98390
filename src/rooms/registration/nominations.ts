/** People in offices: nominated by one, verified by another, appointed by a third. */

import { toHex } from '../../ground/bytes.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import {
  type CertificatePolicy,
  certificatePolicies,
  isOfOrganisation,
  type Office,
  offices,
} from '../../policy/registration/offices.ts'
import { procedures } from '../../policy/registration/procedure.ts'
import { type Actor, act, type Given, type Hands } from './act.ts'
import type { RegistrationRules } from './form.ts'
import { partyHeld } from './party.ts'
import { personNumber } from './person.ts'
import { no } from './refusals.ts'
import { following } from './standing.ts'
import { type Kind, type Kinds, openTask } from './tasks.ts'

export interface Nomination {
  /** The nominee's reference. */
  readonly person: string
  readonly office: Office
  /** The organisation: of a Nominating Officer, an SRO and an ARO. */
  readonly party?: number | undefined
  /** What an ARO is to be authorised for. */
  readonly policies?: readonly CertificatePolicy[] | undefined
}

/**
 * Nominates a person; a task waits then for whoever verifies the person's identity.
 * @throws Refusal OWN_AFFAIRS (by the nominee), OFFICE_PARTY, POLICIES_UNFIT, OFFICE_HELD, SRO_NOT_ARO, PARTY_UNKNOWN,
 * PARTY_CEASED, PERSON_UNKNOWN, and those of `openTask`
 */
export function nominate(
  hands: Hands,
  by: Actor,
  nomination: Nomination,
  given: Given,
): Promise<{ appointment: number; task: number; digest: string }> {
  const { office, party } = nomination
  const says = { person: nomination.person, office, ...(party !== undefined && { party }) }
  return act(hands, by, { act: 'nominate', says }, async acting => {
    const { client, at } = acting
    checkNomination(nomination)
    if (party !== undefined) await partyHeld(client, party)
    const person = await personNumber(client, nomination.person)
    await checkFree(client, person, nomination, hands.rules)
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO appointment (person, office, party, policies, state, nominated_at)
       VALUES ($1, $2, $3, $4, 'nominated', $5) ON CONFLICT DO NOTHING RETURNING id`,
      [person, office, party ?? null, nomination.policies ?? [], at],
    )
    if (!rows[0]) throw no('OFFICE_HELD')
    const { id } = rows[0]
    const about = { subject: `appointment ${id}`, party, people: [person] }
    return {
      appointment: id,
      ...(await openTask(acting, nominations(hands.rules), `appoint ${office}`, about, given)),
    }
  })
}

/** The kinds of tasks by which people are appointed, `appoint ARO` and the like. */
export function nominations(rules: RegistrationRules): Kinds {
  const all = procedures(rules)
  return Object.fromEntries(
    Object.keys(offices).map(office => {
      const name = `appoint ${office}`
      return [name, { procedure: all[name]!, ...appointing }]
    }),
  )
}

const appointing: Omit<Kind, 'procedure'> = {
  async describe(client, subject) {
    const one = await appointmentAt(client, subject)
    return {
      person: one.reference,
      personal: one.commitment === null ? null : toHex(one.commitment),
      office: one.office,
      policies: one.policies,
      ...(one.party !== null && { party: one.party }),
    }
  },
  async approved(acting, task) {
    const { client, at, note, hands } = acting
    const { id, person, reference, office, party, policies } = await appointmentAt(client, task.subject)
    await partyIfAny(client, party)
    // Two nominations may have run side by side.
    await checkFree(client, person, { office, party: party ?? undefined }, hands.rules, id)
    const says = { appointment: id, person: reference, office, ...(party !== null && { party }) }
    await following(acting, party ?? undefined, async () => {
      await client.query("UPDATE appointment SET state = 'appointed', appointed_at = $2 WHERE id = $1", [id, at])
      await note('appoint', { ...says, policies, task: task.id })
    })
    return says
  },
  async otherwise({ client }, task, state) {
    if (state === 'open') return
    const { id } = await appointmentAt(client, task.subject)
    await client.query("UPDATE appointment SET state = 'refused' WHERE id = $1", [id])
  },
}

export interface Appointment {
  readonly id: number
  readonly person: string
  readonly office: Office
  readonly party: number | undefined
  readonly policies: readonly CertificatePolicy[]
  readonly state: 'nominated' | 'appointed' | 'refused' | 'ceased'
  readonly appointedAt: Date | undefined
  readonly ceasedAt: Date | undefined
}

/** Every appointment of a Party, or with `undefined` of the Registration Authority and the SMKI PMA, oldest first. */
export function appointmentsOf(store: Pick<Store, 'query'>, party: number | undefined): Promise<Appointment[]> {
  return list(store, 'a.party IS NOT DISTINCT FROM $1', [party ?? null])
}

/** The offices that a person holds at that instant: what a door makes an `Officer` of. */
export function officesOf(store: Pick<Store, 'query'>, person: string, at: Date): Promise<Appointment[]> {
  return list(store, "p.reference = $1 AND a.state = 'appointed' AND a.appointed_at <= $2", [person, at])
}

function checkNomination({ office, party, policies = [] }: Nomination): void {
  if (!Object.hasOwn(offices, office) || isOfOrganisation(office) !== (party !== undefined))
    throw no('OFFICE_PARTY')
  const known = policies.every(policy => certificatePolicies.includes(policy))
  const distinct = new Set(policies).size === policies.length
  if (!known || !distinct || policies.length > 0 !== (office === 'ARO')) throw no('POLICIES_UNFIT')
}

/** REG-A02, where an environment wants it otherwise. The Party's row is held, so that two do not pass side by side. */
async function checkFree(
  client: Client,
  person: number,
  { office, party }: Pick<Nomination, 'office' | 'party'>,
  rules: RegistrationRules,
  except = 0,
): Promise<void> {
  if (rules.sroMayBeAro || (office !== 'SRO' && office !== 'ARO')) return
  const { rows } = await client.query(
    `SELECT FROM appointment WHERE person = $1 AND party = $2 AND office = $3 AND id <> $4
        AND state IN ('nominated', 'appointed')`,
    [person, party, office === 'SRO' ? 'ARO' : 'SRO', except],
  )
  if (rows.length > 0) throw no('SRO_NOT_ARO', 'REG-A02')
}

async function partyIfAny(client: Client, party: number | null): Promise<void> {
  if (party !== null) await partyHeld(client, party)
}

interface AppointmentRow {
  id: number
  person: number
  reference: string
  commitment: Buffer | null
  office: Office
  party: number | null
  policies: CertificatePolicy[]
}

async function appointmentAt(client: Client, subject: string): Promise<AppointmentRow> {
  const { rows } = await client.query<AppointmentRow>(
    `SELECT a.id, a.person, p.reference, d.commitment, a.office, a.party, a.policies
       FROM appointment a JOIN person p ON p.id = a.person LEFT JOIN person_data d ON d.person = p.id WHERE a.id = $1`,
    [Number(subject.slice('appointment '.length))],
  )
  return rows[0]!
}

async function list(store: Pick<Store, 'query'>, where: string, values: unknown[]): Promise<Appointment[]> {
  const { rows } = await store.query<{
    id: number
    person: string
    office: Office
    party: number | null
    policies: CertificatePolicy[]
    state: Appointment['state']
    appointed_at: Date | null
    ceased_at: Date | null
  }>(
    `SELECT a.id, p.reference AS person, a.office, a.party, a.policies, a.state, a.appointed_at, a.ceased_at
       FROM appointment a JOIN person p ON p.id = a.person WHERE ${where} ORDER BY a.id`,
    values,
  )
  return rows.map(row => ({
    id: row.id,
    person: row.person,
    office: row.office,
    party: row.party ?? undefined,
    policies: row.policies,
    state: row.state,
    appointedAt: row.appointed_at ?? undefined,
    ceasedAt: row.ceased_at ?? undefined,
  }))
}
