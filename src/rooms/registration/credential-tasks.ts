/** The tasks by which credentials are given and revoked, and how a credential ends within another act. */

import type { Client } from '../../ground/store/store.ts'
import { endStates } from '../../policy/registration/credentials.ts'
import { procedures } from '../../policy/registration/procedure.ts'
import type { Acting } from './act.ts'
import { requireEntitled } from './entitled.ts'
import type { RegistrationRules } from './form.ts'
import { become, type CredentialRecord, credentialRecord } from './life.ts'
import { type Kind, type Kinds, voidTask } from './tasks.ts'

/** Ends a credential within another act: its holder ceased, its Party ceased. What was only asked for is void. */
export async function endCredential(acting: Acting, record: CredentialRecord, why: string): Promise<void> {
  await voidTasks(acting, record.id)
  const { state } = await credentialRecord(acting.client, record.id)
  if (!endStates.includes(state)) await become(acting, record.id, 'revoked', { why })
}

/** What waits about a credential waits for nothing any more. */
export async function voidTasks(acting: Acting, id: number): Promise<void> {
  const kinds = credentialTasks(acting.hands.rules)
  for (const kind of Object.keys(kinds)) await voidTask(acting, kinds, kind, `credential ${id}`)
}

/** The kinds of tasks by which credentials are given and revoked. */
export function credentialTasks(rules: RegistrationRules): Kinds {
  const all = procedures(rules)
  return {
    credential: { procedure: all.credential!, ...giving },
    'RA credential': { procedure: all['RA credential']!, ...giving },
    'revoke credential': { procedure: all['revoke credential']!, ...revoking },
    'revoke RA credential': { procedure: all['revoke RA credential']!, ...revoking },
  }
}

const idOf = (subject: string) => Number(subject.slice('credential '.length))

const giving: Omit<Kind, 'procedure'> = {
  async describe(client, subject) {
    const { id, party, person, kind, role, systemName, replaces } = await credentialRecord(client, idOf(subject))
    const { rows } = await client.query<{ request: string | null; key: string | null }>(
      "SELECT encode(request_sha256, 'hex') AS request, encode(key_sha256, 'hex') AS key FROM credential_life WHERE id = $1",
      [id],
    )
    const { request, key } = rows[0]!
    const [holder, ou, former] = [person ?? null, role ?? null, replaces ?? null]
    return { credential: id, party, holder, kind, role: ou, systemName, replaces: former, request, key }
  },
  async verified(acting, task) {
    await become(acting, idOf(task.subject), 'verified', { task: task.id })
  },
  async approved(acting, task) {
    const { client, hands } = acting
    const record = await credentialRecord(client, idOf(task.subject))
    const person = record.person === undefined ? undefined : await holderOf(client, record.id)
    await requireEntitled(client, hands.rules.userRoles, { ...record, person })
    await become(acting, record.id, 'approved', { task: task.id })
    return { credential: record.id }
  },
  async otherwise(acting, task, state) {
    const record = await credentialRecord(acting.client, idOf(task.subject))
    if (state === 'open' && record.state === 'requested') return
    const next = { open: 'requested', void: 'withdrawn', refused: 'refused', withdrawn: 'withdrawn' } as const
    await become(acting, record.id, next[state], { task: task.id })
  },
}

const revoking: Omit<Kind, 'procedure'> = {
  async describe(client, subject) {
    const { id, party, person, kind, systemName, certificate } = await credentialRecord(client, idOf(subject))
    return { credential: id, party, holder: person ?? null, kind, systemName, certificate: certificate ?? null }
  },
  async approved(acting, task) {
    const { id, certificate } = await become(acting, idOf(task.subject), 'revoked', { task: task.id })
    // The certificate itself is revoked, and listed, by the room that does that.
    return { credential: id, certificate: certificate ?? null }
  },
}

/** The number of the holder. */
export async function holderOf(client: Client, id: number): Promise<number> {
  const { rows } = await client.query<{ person: number }>('SELECT person FROM credential_life WHERE id = $1', [id])
  return rows[0]!.person
}
