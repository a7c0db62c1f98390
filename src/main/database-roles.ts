/** What each program of the service may do in the store: a login of its own for each, made anew at every start. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '../ground/bytes.ts'
import type { Chance } from '../ground/clock.ts'
import type { Client, Connection, Store } from '../ground/store/store.ts'

/** The programs that the supervisor starts. */
export type Program = 'signer' | 'device' | 'repository' | 'operator' | 'portal' | 'dccki' | 'sftp'

/** How each program reaches the store. */
export type Logins = Readonly<Record<Program, Connection | string>>

interface Rights {
  /** Tables whose rows it may add to, change and remove; `office` is every table that is not `sealed`. */
  readonly writes: readonly string[] | 'all' | 'office'
  /** Tables that it may add rows to, and cannot change: the journal's waiting entries, for every program that acts. */
  readonly adds?: readonly string[]
  /** Single columns of a table that it may change. */
  readonly changes?: Readonly<Record<string, readonly string[]>>
  /** It cannot read what is known of people, of plans for recovery, and of documents. */
  readonly blind?: true
}

/** Written by the signer alone: what is signed, who signs it, and what was put down about it. */
const sealed = ['authority', 'certificate', 'list', 'list_skipped', 'signer', 'signing', 'store_epoch']
const journal = ['journal_entry', 'journal_tile', 'journal_checkpoint', 'migration']

/** Read only by those who keep the offices. */
const kept = ['person_data', 'document_file']

const measured = ['response_group', 'response_breach', 'demand']
const office: Rights = {
  writes: 'office',
  adds: ['journal_pending'],
  // A compromise is noted by whoever keeps the Recovery Procedure.
  changes: { authority: ['compromised_at'] },
}

/** What each may do besides reading: no program is a superuser, or may make, change or drop a table. */
export const rights: Readonly<Record<Program, Rights>> = {
  signer: { writes: 'all' },
  device: {
    writes: ['batch', 'batch_part', 'portion', ...measured],
    adds: ['journal_pending'],
    blind: true,
  },
  repository: { writes: measured, adds: ['journal_pending', 'journal_cosignature'], blind: true },
  sftp: { writes: ['repository_file', 'repository_download'], adds: ['journal_pending'], blind: true },
  operator: office,
  portal: office,
  dccki: office,
}

/**
 * Makes the roles, with nothing but these rights and a new password each; a password of an earlier start opens nothing.
 * The commands beside the service go on as the owner of the store.
 *
 * @param folder where the password files go, and which others cannot read
 * @returns nothing when the owner may not make roles: then every program has the owner's rights, and this says so
 */
export async function programLogins(
  store: Store,
  target: Connection | string,
  { folder, chance }: { readonly folder: string; readonly chance: Chance },
): Promise<Logins | undefined> {
  const passwords = new Map((Object.keys(rights) as Program[]).map(program => [program, toHex(chance(32))]))
  const names = await store
    .transaction(client => makeRoles(client, passwords))
    .catch(cause => {
      if ((cause as { code?: string }).code !== '42501') throw cause
      console.error(
        'the user of the database may not make roles, so every program of the service has all its rights',
      )
    })
  if (!names) return undefined
  const logins = [...names].map(([program, user]) => {
    const password = passwords.get(program)!
    return [program, typeof target === 'string' ? inUrl(target, user, password) : inFile(target, user)] as const

    function inFile(of: Connection, as: string): Connection {
      const passwordFile = join(folder, `${program}.password`)
      writeFileSync(passwordFile, password, { mode: 0o600 })
      return { ...of, user: as, passwordFile }
    }
  })
  return Object.fromEntries(logins) as unknown as Logins
}

function inUrl(target: string, user: string, password: string): string {
  const url = new URL(target)
  url.username = encodeURIComponent(user)
  url.password = password
  return url.href
}

async function makeRoles(client: Client, passwords: Map<Program, string>): Promise<Map<Program, string>> {
  const { rows } = await client.query<{ database: string }>('SELECT current_database() AS database')
  const names = new Map<Program, string>()
  for (const program of Object.keys(rights) as Program[]) {
    const name = `${rows[0]!.database}_${program}`
    await makeRole(client, name, passwords.get(program)!)
    await grant(client, name, rights[program])
    names.set(program, name)
  }
  return names
}

async function makeRole(client: Client, name: string, password: string): Promise<void> {
  const role = client.escapeIdentifier(name)
  // The words of a statement that fails stand in the server's log, and these have a password in them.
  await client.query("SET LOCAL log_min_error_statement = 'panic'")
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name])
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER'
  await client.query(
    `${verb} ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
       PASSWORD ${client.escapeLiteral(password)}`,
  )
  await client.query(`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${role}`)
}

async function grant(client: Client, name: string, { writes, adds, changes, blind }: Rights): Promise<void> {
  const role = client.escapeIdentifier(name)
  const { rows } = await client.query<{ table: string }>(
    `SELECT tablename AS table FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
  )
  const all = rows.map(row => row.table)
  const closed = blind ? all.filter(table => kept.includes(table) || table.startsWith('recovery_')) : []
  const not = [...sealed, ...journal, 'journal_pending']
  const written =
    writes === 'all'
      ? all.filter(one => one !== 'migration')
      : writes === 'office'
        ? all.filter(one => !not.includes(one))
        : writes
  const on = (tables: readonly string[]) => tables.map(table => client.escapeIdentifier(table)).join(', ')
  await client.query(`GRANT SELECT ON ${on(all.filter(table => !closed.includes(table)))} TO ${role}`)
  await client.query(`GRANT INSERT, UPDATE, DELETE ON ${on(written)} TO ${role}`)
  if (adds) await client.query(`GRANT INSERT ON ${on(adds)} TO ${role}`)
  for (const [table, columns] of Object.entries(changes ?? {}))
    await client.query(`GRANT UPDATE (${on(columns)}) ON ${on([table])} TO ${role}`)
  await client.query(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`)
}
