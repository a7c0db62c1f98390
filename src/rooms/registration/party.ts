/** Parties as the Registration Authority knows them: by number, with their form in force and its ranges. */

import type { Client, Store } from '../../ground/store/store.ts'
import type { OrganisationForm, PartyKind } from './form.ts'
import type { Range } from './ranges.ts'
import { no } from './refusals.ts'

export interface Organisation {
  readonly id: number
  readonly name: string
  readonly tradingName: string
  readonly kind: PartyKind
  readonly registeredAt: Date
  readonly ceasedAt: Date | undefined
  /** The version of its form that is in force, and of one that waits. */
  readonly formInForce: number | undefined
  readonly formSubmitted: number | undefined
}

type Reader = Pick<Store, 'query'> | Client

export function organisations(store: Reader): Promise<Organisation[]> {
  return list(store, 'true', [])
}

/** @throws Refusal PARTY_UNKNOWN */
export async function organisationOf(store: Reader, party: number): Promise<Organisation> {
  const [organisation] = await list(store, 'p.id = $1', [party])
  if (!organisation) throw no('PARTY_UNKNOWN')
  return organisation
}

/** By its short name. */
export async function organisationNamed(store: Reader, name: string): Promise<Organisation | undefined> {
  return (await list(store, 'p.name = $1', [name]))[0]
}

/**
 * Holds a Party's row until the end of the transaction: what is decided of one Party is decided in turn.
 * @throws Refusal PARTY_UNKNOWN, PARTY_CEASED
 */
export async function partyHeld(
  client: Client,
  party: number,
): Promise<{ kind: PartyKind; name: string; tradingName: string }> {
  const { rows } = await client.query<{
    kind: PartyKind
    name: string
    trading_name: string
    ceased_at: Date | null
  }>('SELECT kind, name, trading_name, ceased_at FROM party WHERE id = $1 FOR NO KEY UPDATE', [party])
  const row = rows[0]
  if (!row) throw no('PARTY_UNKNOWN')
  if (row.ceased_at) throw no('PARTY_CEASED')
  return { kind: row.kind, name: row.name, tradingName: row.trading_name }
}

/** One version of a form as it was received, identifiers in our own form. @throws Refusal FORM_UNKNOWN */
export async function formOf(
  store: Reader,
  party: number,
  version: number,
): Promise<{ form: OrganisationForm; state: string; submittedAt: Date }> {
  const [row] = await ask<{ form: OrganisationForm; state: string; submitted_at: Date }>(
    store,
    'SELECT form, state, submitted_at FROM organisation_form WHERE party = $1 AND version = $2',
    [party, version],
  )
  if (!row) throw no('FORM_UNKNOWN')
  return { form: row.form, state: row.state, submittedAt: row.submitted_at }
}

/** The ranges of a Party's form in force; none before its identity was verified, and none once that was withdrawn. */
export async function rangesInForce(store: Reader, party: number): Promise<Range[]> {
  const rows = await ask<{ user_role: string; first: string; last: string }>(
    store,
    `SELECT r.user_role, r.first, r.last FROM eui64_range r JOIN organisation_form f ON f.id = r.form
      WHERE f.party = $1 AND f.state = 'in force' ORDER BY r.user_role`,
    [party],
  )
  return rows.map(row => ({ userRole: row.user_role, first: BigInt(row.first), last: BigInt(row.last) }))
}

async function list(store: Reader, where: string, values: unknown[]): Promise<Organisation[]> {
  const rows = await ask<{
    id: number
    name: string
    trading_name: string
    kind: PartyKind
    registered_at: Date
    ceased_at: Date | null
    in_force: number | null
    submitted: number | null
  }>(
    store,
    `SELECT p.id, p.name, p.trading_name, p.kind, p.registered_at, p.ceased_at,
            max(f.version) FILTER (WHERE f.state = 'in force') AS in_force,
            max(f.version) FILTER (WHERE f.state = 'submitted') AS submitted
       FROM party p LEFT JOIN organisation_form f ON f.party = p.id WHERE ${where} GROUP BY p.id ORDER BY p.id`,
    values,
  )
  return rows.map(row => ({
    id: row.id,
    name: row.name,
    tradingName: row.trading_name,
    kind: row.kind,
    registeredAt: row.registered_at,
    ceasedAt: row.ceased_at ?? undefined,
    formInForce: row.in_force ?? undefined,
    formSubmitted: row.submitted ?? undefined,
  }))
}

async function ask<R extends object>(store: Reader, text: string, values: unknown[]): Promise<R[]> {
  const { rows } = await (store as Pick<Store, 'query'>).query<R & Record<string, unknown>>(text, values)
  return rows
}
