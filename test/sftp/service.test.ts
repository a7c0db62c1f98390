/** The service with its files: made by themselves, fetched by SFTP, under one host key. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyDetached } from '../../src/ground/cms.ts'
import { showName } from '../../src/ground/x509/name.ts'
import { filesOf, type RepositoryFile } from '../../src/rooms/repository/files/make.ts'
import { type Environment, serving } from '../service/environment.ts'
import { smki as run } from '../smki.ts'
import { noSftp, until } from './scene.ts'

let smki: Environment
let desk: string
before(async () => {
  if (noSftp) return
  desk = mkdtempSync(join(tmpdir(), 'opensmki-desk-'))
  smki = await serving({ services: { sftpPort: 0 }, issuing: { threads: 1 } })
})
after(async () => {
  await smki?.close()
  if (desk) rmSync(desk, { recursive: true, force: true })
})

const say = (...words: string[]) => run([...words, '--home', smki.home.path])

const program = (name: string, ...words: string[]) =>
  new Promise<string>((resolve, reject) => {
    const child = spawn(name, words, { cwd: desk, timeout: 30_000 })
    let out = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', part => {
        out += part
      })
    child.once('error', reject)
    child.once('close', code => (code === 0 ? resolve(out) : reject(new Error(`${name}: ${code}: ${out}`))))
  })

describe('a service with files', { skip: noSftp }, () => {
  it('makes what is due by itself, and shows where it is and by what key it is known', async () => {
    await until('both are made', async () => (await filesOf(smki.store)).length === 2)
    const { out } = await say('status')
    assert.match(out, new RegExp(`sftp://127\\.0\\.0\\.1:${smki.service.ports.sftp}/`))
    const [fingerprint] = /SHA256:\S+/.exec(out)!
    const seen = await program('ssh-keyscan', '-t', 'ed25519', '-p', String(smki.service.ports.sftp), '127.0.0.1')
    writeFileSync(
      join(desk, 'known_hosts'),
      seen
        .split('\n')
        .filter(line => !line.startsWith('#'))
        .join('\n'),
    )
    assert.match(
      await program('ssh-keygen', '-lf', 'known_hosts'),
      new RegExp(fingerprint.replace(/[+/]/g, '\\$&')),
    )
    assert.equal(statSync(smki.home.sshHostKey).mode & 0o777, 0o600)
  })

  it('has its files listed, and another made, by a command', async () => {
    const listed = await say('files', 'list')
    assert.match(listed.out, /^FILE +FROM +UNTIL \(UTC\) +RECORDS +SIZE$/m)
    assert.match(listed.out, /^SMKI-DELTA-\d{8}-000001\.zip +the beginning +\d{4}-\d\d-\d\d \d\d:00 +\d+ +/m)
    const made = await say('files', 'make', '--full')
    assert.match(made.out, /^SMKI-FULL-\d{8}-000002\.zip: \S+ \S+, \d+ records\nSHA-256 [0-9a-f]{64}\n$/)
    const { code, err } = await say('files', 'make')
    assert.deepEqual([code, err], [1, 'FILE_KIND: say which file to make: --delta or --full\n'])
  })

  it('gives the file that the command said it made, and still does after it was started again', async () => {
    const file = JSON.parse((await say('files', 'make', '--full', '--json')).out) as RepositoryFile
    const key = join(desk, 'key')
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    const wire = Buffer.from(readFileSync(`${key}.pub`, 'utf8').split(' ')[1]!, 'base64')
    const sha256 = createHash('sha256').update(wire).digest()
    await smki.store.query(
      `WITH life AS (INSERT INTO credential_life (party, kind, system_name, key_sha256, ssh_key, state, requested_at, active_at)
         SELECT id, 'REPO_SFTP', 'files', $1, $2, 'active', now(), now() FROM party ORDER BY id LIMIT 1 RETURNING id)
       INSERT INTO ssh_key (sha256, life) SELECT $1, id FROM life`,
      [sha256, wire],
    )
    const get = () => {
      writeFileSync(join(desk, 'batch'), `get /full/${file.name} fetched\nget /full/${file.name}.p7s signature\n`)
      const options = ['IdentitiesOnly=yes', 'BatchMode=yes', 'HashKnownHosts=no']
        .concat(`UserKnownHostsFile=${join(desk, 'known_hosts')}`, 'StrictHostKeyChecking=no', 'LogLevel=INFO')
        .flatMap(one => ['-o', one])
      const port = String(smki.service.ports.sftp)
      return program('sftp', '-b', 'batch', '-F', '/dev/null', '-P', port, '-i', key, ...options, 'x@127.0.0.1')
    }
    await get()
    assert.equal(
      createHash('sha256')
        .update(readFileSync(join(desk, 'fetched')))
        .digest('hex'),
      file.sha256,
    )
    // By the operator's FILE_SIGN credential.
    const { certificate } = verifyDetached(
      readFileSync(join(desk, 'signature')),
      readFileSync(join(desk, 'fetched')),
    )
    assert.match(showName(certificate.subject), /CN=dcc-file-sign/)
    const before = readFileSync(smki.home.sshHostKey)
    await smki.restart()
    await get()
    assert.ok(readFileSync(smki.home.sshHostKey).equals(before))
    const log = readFileSync(join(smki.home.path, 'log', 'sftp.log'), 'utf8')
    assert.match(log, /a file was fetched/)
    assert.doesNotMatch(log, /PRIVATE KEY/)
    // Two files, twice. A download is on record soon after the client has it.
    let noted = 0n
    for (let look = 0; look < 100 && noted < 4n; look++) {
      const { rows } = await smki.store.query<{ count: bigint }>(
        'SELECT count(*) AS count FROM repository_download',
      )
      noted = rows[0]!.count
      if (noted < 4n) await sleep(50)
    }
    assert.equal(noted, 4n)
  })
})
