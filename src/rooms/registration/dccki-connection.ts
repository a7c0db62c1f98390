/** DCC Gateway Connections with the host names behind them: what a DCCKI Infrastructure Certificate may name (dccki.md 3). */

import type { Client, Store } from '../../ground/store/store.ts'
import { connectionProcedure } from '../../policy/dccki/procedure.ts'
import { hostName } from '../../policy/dccki/requests.ts'
import { type Actor, act, type Given, type Hands } from './act.ts'
import type { RegistrationRules } from './form.ts'
import { partyHeld } from './party.ts'
import { no } from './refusals.ts'
import { type Kind, type Kinds, openTask } from './tasks.ts'
import { isPlainText } from './text.ts'

export interface Connection {
  readonly id: number
  readonly party: number
  /** How the DCC knows it. */
  readonly gateway: string
  /** Sorted, lower case. */
  readonly hosts: readonly string[]
  readonly state: 'requested' | 'in force' | 'superseded' | 'refused'
}

const taskKind = 'DCCKI connection'
const mostHosts = 200

/**
 * Requests that a connection with these host names takes the place of what the Party has on record.
 * @throws Refusal CONNECTION_UNFIT, PARTY_UNKNOWN, PARTY_CEASED, and those of `openTask`
 */
export function requestConnection(
  hands: Hands,
  by: Actor,
  party: number,
  asked: { readonly gateway: string; readonly hosts: readonly string[] },
  given: Given,
): Promise<{ connection: number; task: number; digest: string }> {
  return act(hands, by, { act: 'request DCCKI connection', says: { party } }, async acting => {
    const { client, at } = acting
    const hosts = [...new Set(asked.hosts)].toSorted()
    const misfit = hosts.find(host => !hostName.safeParse(host).success)
    if (misfit !== undefined)
      throw no('CONNECTION_UNFIT', 'a host name is lower case and whole, and has no wildcard')
    const fits = asked.gateway !== '' && isPlainText(asked.gateway, 200) && hosts.length > 0
    if (!fits || hosts.length > mostHosts) throw no('CONNECTION_UNFIT')
    await partyHeld(client, party)
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO dccki_connection (party, gateway, hosts, state, requested_at) VALUES ($1, $2, $3, 'requested', $4)
       RETURNING id`,
      [party, asked.gateway, hosts, at],
    )
    const { id } = rows[0]!
    const about = { subject: `connection ${id}`, party }
    return { connection: id, ...(await openTask(acting, connections(hands.rules), taskKind, about, given)) }
  })
}

/** The kind of task by which a connection takes effect. */
export function connections(rules: RegistrationRules): Kinds {
  return { [taskKind]: { procedure: connectionProcedure(rules.twoPersons), ...connecting } }
}

/** The connection of a Party that is in force. */
export async function connectionOf(
  store: Pick<Store, 'query'> | Client,
  party: number,
): Promise<Connection | undefined> {
  const { rows } = await (store as Client).query<Connection>(
    "SELECT id, party, gateway, hosts, state FROM dccki_connection WHERE party = $1 AND state = 'in force'",
    [party],
  )
  return rows[0]
}

const connecting: Omit<Kind, 'procedure'> = {
  async describe(client, subject) {
    const { party, gateway, hosts } = await connectionAt(client, subject)
    return { party, gateway, hosts }
  },
  async approved({ client, at, note }, task) {
    const { id, party, hosts } = await connectionAt(client, task.subject)
    await partyHeld(client, party)
    await client.query(
      "UPDATE dccki_connection SET state = 'superseded', ended_at = $2 WHERE party = $1 AND state = 'in force'",
      [party, at],
    )
    await client.query("UPDATE dccki_connection SET state = 'in force', in_force_at = $2 WHERE id = $1", [id, at])
    await note('DCCKI connection in force', { connection: id, party, hosts: hosts.length, task: task.id })
    return { connection: id, party }
  },
  async otherwise({ client, at }, task, state) {
    if (state === 'open') return
    const { id } = await connectionAt(client, task.subject)
    await client.query("UPDATE dccki_connection SET state = 'refused', ended_at = $2 WHERE id = $1", [id, at])
  },
}

async function connectionAt(client: Client, subject: string): Promise<Connection> {
  const { rows } = await client.query<Connection>(
    'SELECT id, party, gateway, hosts, state FROM dccki_connection WHERE id = $1',
    [Number(subject.slice('connection '.length))],
  )
  return rows[0]!
}
