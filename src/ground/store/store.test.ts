import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { Refusal } from '../refusal.ts'
import { openStore, type Store } from './store.ts'
import { type TestStore, testStore } from './testing.ts'

let test: TestStore
let store: Store

before(async () => {
  test = await testStore()
  store = test.store
  await store.query('CREATE TABLE account (name text PRIMARY KEY, balance int NOT NULL)')
})

after(() => test.close())

const one = async (sql: string, values?: unknown[]): Promise<unknown> => {
  const { rows } = await store.query(`SELECT ${sql} AS value`, values)
  return rows[0]!.value
}

/** Lets as many callers on as it is told to expect, when all of them have come. */
function meeting(expected: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let come = 0
  return () => {
    if (++come === expected) resolve()
    return promise
  }
}

describe('a value from the store', () => {
  it('is a bigint where PostgreSQL has eight octets', async () => {
    assert.equal(await one('9223372036854775807::int8'), 9223372036854775807n)
    assert.equal(await one('count(*)'), 1n)
    assert.deepEqual(await one("'{1,NULL,-9223372036854775808}'::int8[]"), [1n, null, -9223372036854775808n])
    assert.equal(await one('$1::int8', [2n ** 62n]), 2n ** 62n)
    assert.deepEqual(await one('$1::int8[]', [[1n, 2n]]), [1n, 2n])
    assert.equal(await one('7::int4'), 7)
  })

  it('is a Buffer where PostgreSQL has octets', async () => {
    assert.deepEqual(await one('$1::bytea', [Uint8Array.of(0, 255, 92)]), Buffer.from([0, 255, 92]))
    assert.deepEqual(await one('$1::bytea', [new Uint8Array(0)]), Buffer.alloc(0))
  })

  it('is a Date where PostgreSQL has an instant, also at the end of all certificates', async () => {
    const end = new Date('9999-12-31T23:59:59Z')
    assert.deepEqual(await one("'9999-12-31 23:59:59+00'::timestamptz"), end)
    assert.deepEqual(await one('$1::timestamptz', [end]), end)
    assert.equal(await one("$1::timestamptz = '9999-12-31 23:59:59+00'", [end]), true)
  })
})

describe('a store', () => {
  it('prepares a named statement once for a connection', async () => {
    const hot = { name: 'hot', text: 'SELECT $1::int + 1 AS next' }
    const answers = await store.transaction(async client => {
      for (let value = 0; value < 3; value++) {
        const { rows } = await client.query<{ next: number }>({ ...hot, values: [value] })
        assert.equal(rows[0]!.next, value + 1)
      }
      return client.query(
        "SELECT generic_plans + custom_plans AS runs FROM pg_prepared_statements WHERE name = 'hot'",
      )
    })
    assert.deepEqual(answers.rows, [{ runs: 3n }])
    const { rows } = await store.query({ ...hot, values: [41] })
    assert.deepEqual(rows, [{ next: 42 }])
  })

  it('is reached by a URL too', async () => {
    const { host, user, database, passwordFile } = test.connection
    const password = await readFile(passwordFile!, 'utf8')
    const other = await openStore(`postgres://${user}:${password}@/${database}?host=${encodeURIComponent(host)}`)
    assert.equal((await other.query('SELECT current_database() AS name')).rows[0]!.name, database)
    await other.close()
  })

  it('lets in nobody who has no password or a wrong one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'password-'))
    await writeFile(join(folder, 'password'), 'wrong')
    const { passwordFile: _, ...none } = test.connection
    await assert.rejects(openStore({ ...none, passwordFile: join(folder, 'password') }), { code: '28P01' })
    await assert.rejects(openStore(none), /password/)
    await rm(folder, { recursive: true })
  })

  it('does not keep a process from ending that could not log in', async () => {
    const { passwordFile: _, ...none } = test.connection
    const source = `
      import { openStore } from ${JSON.stringify(import.meta.resolve('./store.ts'))}
      await openStore(${JSON.stringify(none)}).catch(error => console.log(error.message))`
    const program = ['--input-type=module', '-e', source]
    const { stdout } = await promisify(execFile)(process.execPath, program, { timeout: 10_000 })
    assert.match(stdout, /password/)
  })

  it('is not opened on a server that is older than the program needs', async () => {
    await assert.rejects(openStore(test.connection, { oldest: 990_000 }), (error: Refusal) => {
      assert.ok(error instanceof Refusal)
      assert.equal(error.code, 'STORE_TOO_OLD')
      assert.match(error.message, /PostgreSQL 18\.\d.*version 99 or later/)
      return true
    })
    await (await openStore(test.connection, { oldest: 180_000 })).close()
  })

  it('works on when its idle connections were cut', async () => {
    const other = await openStore(test.connection)
    await other.query("SET application_name = 'to be cut'")
    const cut = await store.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to be cut'",
    )
    assert.equal(cut.rowCount, 1)
    await new Promise(resolve => setTimeout(resolve, 50))
    assert.equal((await other.query('SELECT 1 AS one')).rows[0]!.one, 1)
    await other.close()
  })
})

describe('a transaction', () => {
  it('is kept when its work is done', async () => {
    const result = await store.transaction(async client => {
      await client.query("INSERT INTO account VALUES ('kept', 1)")
      return 'done'
    })
    assert.equal(result, 'done')
    assert.equal(await one("(SELECT balance FROM account WHERE name = 'kept')"), 1)
  })

  it('leaves nothing when its work throws, and passes on what was thrown', async () => {
    const reason = new Error('changed our mind')
    const work = store.transaction(async client => {
      await client.query("INSERT INTO account VALUES ('dropped', 1)")
      throw reason
    })
    await assert.rejects(work, error => error === reason)
    assert.equal(await one("(SELECT count(*) FROM account WHERE name = 'dropped')"), 0n)
  })

  it('does not pretend to be kept when its work ignored that a statement failed', async () => {
    const work = store.transaction(async client => {
      await client.query("INSERT INTO account VALUES ('ignored', 1)")
      await client.query('SELECT 1 / 0').catch(() => {})
    })
    await assert.rejects(work, /nothing was kept/)
    assert.equal(await one("(SELECT count(*) FROM account WHERE name = 'ignored')"), 0n)
  })

  it('is done again when PostgreSQL could not put it in an order with another', async () => {
    await store.query("INSERT INTO account VALUES ('serial', 0)")
    const bothHaveRead = meeting(2)
    let runs = 0
    const add = () =>
      store.transaction(
        async client => {
          runs++
          const { rows } = await client.query("SELECT balance FROM account WHERE name = 'serial'")
          await bothHaveRead()
          await client.query("UPDATE account SET balance = $1 WHERE name = 'serial'", [rows[0]!.balance + 1])
        },
        { isolation: 'SERIALIZABLE' },
      )
    await Promise.all([add(), add()])
    assert.equal(await one("(SELECT balance FROM account WHERE name = 'serial')"), 2)
    assert.equal(runs, 3)
  })

  it('is done again when it was in a deadlock', async () => {
    await store.query("INSERT INTO account VALUES ('first', 0), ('second', 0)")
    const bothHaveOne = meeting(2)
    let runs = 0
    const add = (names: string[]) =>
      store.transaction(async client => {
        runs++
        await client.query("SET LOCAL deadlock_timeout = '20ms'")
        for (const name of names) {
          await client.query('UPDATE account SET balance = balance + 1 WHERE name = $1', [name])
          await bothHaveOne()
        }
      })
    await Promise.all([add(['first', 'second']), add(['second', 'first'])])
    assert.equal(await one("(SELECT sum(balance) FROM account WHERE name IN ('first', 'second'))"), 4n)
    assert.equal(runs, 3)
  })

  it('is not done again for ever', async () => {
    let runs = 0
    const work = store.transaction(async client => {
      runs++
      await client.query("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
    })
    await assert.rejects(work, { code: '40001' })
    assert.equal(runs, 5)
  })

  it('fails, and nothing else does, when its connection is cut', async () => {
    let runs = 0
    const work = store.transaction(async client => {
      runs++
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
      await store.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid])
      await new Promise(resolve => setTimeout(resolve, 50))
      await client.query('SELECT 1')
    })
    await assert.rejects(work)
    assert.equal(runs, 1)
    assert.equal(await one('1'), 1)
  })
})
