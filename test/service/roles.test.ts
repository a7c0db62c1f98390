/** What the programs of a running service may do in the store: each by its own login, and no more than its work needs. */

import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connectionOf } from '../../src/ground/store/embedded.ts'
import { openStore, type Store } from '../../src/ground/store/store.ts'
import { type Program, rights } from '../../src/main/database-roles.ts'
import { running } from '../../src/main/serve.ts'
import { type Environment, serving } from './environment.ts'

const programs = Object.keys(rights) as Program[]
let smki: Environment
const logins = new Map<Program, Store>()

before(async () => {
  smki = await serving({ issuing: { threads: 1 }, services: { sftpPort: 0, portalPort: 0 } })
  const connection = (await connectionOf(smki.home.store))!
  const { run } = running(smki.home)!
  for (const program of programs) {
    const user = `${connection.database}_${program}`
    const passwordFile = join(run, `${program}.password`)
    logins.set(program, await openStore({ ...connection, user, passwordFile }, { max: 1 }))
  }
})
after(async () => {
  for (const login of logins.values()) await login.close()
  await smki?.close()
})

/** No superuser, no owner of anything: what one of them would need more for is refused by the server. */
async function refused(program: Program, sql: string): Promise<void> {
  await assert.rejects(logins.get(program)!.query(sql), { code: '42501' }, `${program}: ${sql}`)
}

describe('A program of the service', () => {
  it('is in the store by a login of its own, which no other program uses', async () => {
    const { rows } = await smki.store.query<{ user: string }>(
      'SELECT DISTINCT usename::text AS user FROM pg_stat_activity WHERE datname = current_database()',
    )
    const seen = rows.map(row => row.user)
    for (const program of ['signer', 'device', 'repository', 'operator', 'portal'])
      assert.ok(seen.includes(`postgres_${program}`), `${program}: ${seen}`)
  })

  it('is no superuser, and can make, change or drop no table, and run or read nothing on the machine', async () => {
    for (const program of programs) {
      await refused(program, 'CREATE TABLE mine (id int)')
      await refused(program, 'DROP TABLE certificate')
      await refused(program, 'ALTER TABLE certificate ADD COLUMN mine int')
      await refused(program, `COPY (SELECT 1) TO PROGRAM 'true'`)
      await refused(program, `SELECT pg_read_file('/etc/hostname')`)
      await refused(program, 'CREATE ROLE mine')
      await refused(program, 'ALTER TABLE journal_entry DISABLE TRIGGER ALL')
    }
  })

  it('writes no certificate, list, authority or journal entry unless it is the signer', async () => {
    for (const program of programs.filter(one => one !== 'signer')) {
      for (const table of ['certificate', 'signing', 'list', 'authority', 'journal_entry', 'journal_checkpoint'])
        await refused(program, `DELETE FROM ${table} WHERE false`)
      await refused(program, 'DELETE FROM journal_pending WHERE false')
      await refused(program, `UPDATE authority SET key_label = 'another'`)
    }
    for (const table of ['certificate', 'signing', 'list', 'authority'])
      await logins.get('signer')!.query(`DELETE FROM ${table} WHERE false`)
  })

  it('that takes in CSRs, answers Relying Parties or hands out files changes nothing of people, decisions and credentials', async () => {
    for (const program of ['device', 'repository', 'sftp'] as const) {
      for (const table of [
        'credential',
        'person',
        'pma_decision',
        'api_key',
        'revoked',
        'revocation_case',
        'party',
      ])
        await refused(program, `DELETE FROM ${table} WHERE false`)
      await refused(program, 'SELECT * FROM person_data')
      await refused(program, 'SELECT * FROM recovery_custodian')
      await refused(program, 'SELECT * FROM document_file')
    }
    await logins.get('operator')!.query('SELECT count(*) FROM person_data')
  })

  it('has its password in a file that only the service’s user reads, which another start makes useless', async () => {
    const file = () => join(running(smki.home)!.run, 'device.password')
    const first = readFileSync(file(), 'utf8')
    assert.match(first, /^[0-9a-f]{64}$/)
    assert.equal(statSync(file()).mode & 0o777, 0o600)
    for (const login of logins.values()) await login.close()
    await smki.restart()
    const connection = { ...(await connectionOf(smki.home.store))!, user: 'postgres_device' }
    const passwordFile = join(smki.home.path, 'old.password')
    writeFileSync(passwordFile, first)
    await assert.rejects(openStore({ ...connection, passwordFile }), { code: '28P01' })
    await (await openStore({ ...connection, passwordFile: file() })).close()
    logins.clear()
  })
})
