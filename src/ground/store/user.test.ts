import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { dataArgument, runAs, serverUser } from './user.ts'

const isRoot = process.getuid?.() === 0
const rootOnly = { skip: isRoot ? false : 'only root starts PostgreSQL as another user' }

const folder = mkdtempSync(join(tmpdir(), 'user-'))
after(() => rmSync(folder, { recursive: true }))

function dataOf(uid: number, above: number): string {
  const home = mkdtempSync(join(folder, 'home-'))
  chmodSync(home, above)
  mkdirSync(join(home, 'data'), { mode: 0o700 })
  chownSync(join(home, 'data'), uid, uid)
  return join(home, 'data')
}

describe('the user that PostgreSQL runs as', () => {
  it('is the one that we are, unless we are root', () => {
    const user = serverUser(folder)
    if (isRoot) assert.ok(user && user.uid > 0 && user.gid > 0)
    else assert.equal(user, undefined)
  })

  it('is whoever owns the data, when root starts what another has made', rootOnly, () => {
    assert.deepEqual(serverUser(dataOf(1234, 0o755)), { uid: 1234, gid: 1234 })
    assert.notEqual(serverUser(dataOf(0, 0o755))?.uid, 0)
  })

  it('has no other groups, and nothing of our environment', rootOnly, () => {
    process.env.PGDATA = '/elsewhere'
    const { stdout } = runAs({ uid: 1234, gid: 1235 }, '/', '/bin/sh', ['-c', 'id -u; id -G; env'])
    delete process.env.PGDATA
    assert.match(stdout, /^1234\n1235\n/)
    assert.match(stdout, /LC_ALL=C/)
    assert.ok(!stdout.includes('elsewhere'))
  })

  it('enters its data by name where it can, and else by where it stands', rootOnly, () => {
    chmodSync(folder, 0o755)
    const [plain, closed] = [dataOf(1234, 0o755), dataOf(1234, 0o700)]
    assert.equal(dataArgument(plain, serverUser(plain)), plain)
    assert.equal(dataArgument(closed, serverUser(closed)), '/proc/self/cwd')
  })

  it('cannot enter data that is not its own', rootOnly, () => {
    assert.throws(() => dataArgument(dataOf(0, 0o755), { uid: 1234, gid: 1234 }), { code: 'STORE_UNREACHABLE' })
  })
})
