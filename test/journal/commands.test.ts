/** The commands of the journal as their users see them: proofs, witnesses, watching, and a log that was forked. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { foreign, noPython } from './foreign.ts'
import { makeScene, type Scene } from './scene.ts'

let scene: Scene
let group: Buffer[]
let certificate: string
let proof: string
const started: ChildProcess[] = []
const at = (name: string) => join(scene.folder, name)
const journal = (...args: string[]) => scene.smki('journal', ...args)

before(async () => {
  scene = await makeScene()
  group = await scene.issue(3)
  certificate = scene.file(group[1]!, 'certificate.pem')
  proof = at('certificate.tlog-proof')
})
after(async () => {
  for (const child of started) child.kill()
  await scene.close()
})

/** A witness as a process of its own; resolves with its address. */
async function startWitness(folder: string, ...more: string[]): Promise<string> {
  const passphrase = at('witness-passphrase')
  writeFileSync(passphrase, 'a passphrase of the tests\n', { mode: 0o600 })
  const args = [
    'journal',
    'witness',
    folder,
    '--log',
    scene.home.journalKey,
    '--port',
    '0',
    '--passphrase-file',
    passphrase,
  ]
  const child = spawn(process.execPath, ['src/main/smki.ts', ...args, ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  let said = ''
  for await (const chunk of child.stdout) {
    said += chunk
    const [, address] = /answers on (http:\S+)\/add-checkpoint/.exec(said) ?? []
    if (address !== undefined && said.includes('It knows: opensmki/service-tests\n')) return address
  }
  throw new Error(`the witness ended: ${said} ${await child.stderr.toArray()}`)
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

describe('a proof', () => {
  it('is written for a certificate, and checked with nothing but the key', async () => {
    const { code, out, err } = await journal('prove', '--certificate', certificate, '-o', proof)
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^The proof is in .*\n {2}smki journal check-proof .* --certificate .* --key .*\n$/)
    const checked = await journal(
      'check-proof',
      proof,
      '--certificate',
      certificate,
      '--key',
      scene.home.journalKey,
    )
    assert.deepEqual([checked.code, checked.err], [0, ''])
    assert.match(
      checked.out,
      /^the certificate [0-9A-F]{32} is in the journal opensmki\/service-tests\n {2}entry \d+ of \d+, of 2/,
    )
  })

  it('is refused for another certificate, and under another key', async () => {
    const other = scene.file(group[0]!, 'other.pem')
    const refused = await journal('check-proof', proof, '--certificate', other)
    assert.deepEqual([refused.code, refused.out], [1, ''])
    assert.match(refused.err, /^PROOF_FAILS: the proof is of another thing: entry \d+ does not bind this one\n$/)
    const key = at('another.vkey')
    writeFileSync(key, 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n')
    assert.match(
      (await journal('check-proof', proof, '--key', key)).err,
      /^PROOF_FAILS: no trusted key signed the note/,
    )
    assert.match(
      (await journal('prove', '--position', '0', '--key', key)).err,
      /^CHECKPOINT_FORGED: the checkpoint is not one/,
    )
    assert.match((await journal('export', at('nothing'), '--key', key)).err, /^CHECKPOINT_FORGED: /)
    writeFileSync(key, 'no key\n')
    assert.match((await journal('check-proof', proof, '--key', key)).err, /^NOT_A_KEY: /)
  })

  it('of what a record of another act binds is no proof that it was issued', async () => {
    const entry = Number(/index (\d+)/.exec(readFileSync(proof, 'utf8'))![1])
    await journal('prove', '--position', String(entry - 1), '-o', at('intend.tlog-proof'))
    const plain = await journal('check-proof', at('intend.tlog-proof'))
    assert.match(plain.out, /^the entry ‘intend’ is in the journal/)
    const claimed = await journal('check-proof', at('intend.tlog-proof'), '--certificate', certificate)
    assert.equal(claimed.code, 1)
  })

  it('is refused for what is not there, and says what to give', async () => {
    assert.match((await journal('prove')).err, /^NOTHING_TO_PROVE: say what to prove: --certificate FILE/)
    assert.match(
      (await journal('prove', '--position', '999999')).err,
      /^NO_SUCH_ENTRY: the journal has \d+ entries/,
    )
    const foreign = await makeForeign()
    assert.match((await journal('prove', '--certificate', foreign)).err, /^CERTIFICATE_UNKNOWN: /)
    assert.match(
      (await journal('prove', '--certificate', certificate, '--position', '3')).err,
      /cannot be used with/,
    )
    assert.match((await journal('verify', '--from', at('nowhere'))).err, /^NOT_A_LOG: there is no checkpoint in /)
    assert.match(
      (await journal('verify', '--from', 'http://127.0.0.1:1')).err,
      /^NO_ANSWER: http:\/\/127.0.0.1:1\/checkpoint does not answer/,
    )
  })
})

/** One of ours with an octet of its signature changed. */
async function makeForeign(): Promise<string> {
  const der = Buffer.from(group[0]!)
  der[der.length - 1]! ^= 1
  return scene.file(der, 'foreign.pem')
}

describe('witnesses and watchers', () => {
  let address: string
  const key = () => at('witness/witness.vkey')
  const cosign = () => journal('cosign', '--witness', address, '--witness-key', key())

  it('sign under the last checkpoint, also after a restart, and their signature is published', async () => {
    assert.match((await journal('prove', '--cosigned', '--certificate', certificate)).err, /^NOT_COSIGNED_YET: /)
    address = await startWitness(at('witness'), '--name', 'witness.example/w1')
    const first = await cosign()
    assert.deepEqual([first.code, first.err], [0, ''])
    assert.match(first.out, /^witness.example\/w1 signed under \d+ entries at 2/)
    await assert.rejects(startWitness(at('witness')), /WITNESS_RUNS/)

    await stop(started[0]!)
    await scene.issue(2)
    address = await startWitness(at('witness'))
    const second = await cosign()
    assert.deepEqual([second.code, second.err], [0, ''])
    await journal('export', at('published'))
    assert.match(
      readFileSync(at('published/checkpoint'), 'utf8'),
      /\n— opensmki\/service-tests \S+\n— witness.example\/w1 \S+\n$/,
    )
    assert.equal((await journal('verify', '--from', at('published'))).code, 0)
  })

  it('can be asked for in a proof', async () => {
    const { code } = await journal('prove', '--cosigned', '--certificate', certificate, '-o', proof)
    assert.equal(code, 0)
    const checked = await journal('check-proof', proof, '--certificate', certificate, '--witness', key())
    assert.match(checked.out, /\n {2}seen by the witness witness.example\/w1 at 2.*\n$/)
    writeFileSync(at('certificate.der'), group[1]!)
    const [log, witness] = [scene.home.journalKey, key()].map(file => readFileSync(file, 'utf8'))
    const found = foreign('proof', proof, log!, at('certificate.der'), witness!)
    assert.ok(noPython || (found.holds && found.witnessed! > 1_700_000_000), found.why ?? '')
    const bare = at('bare.tlog-proof')
    await scene.issue(1)
    await journal('prove', '--certificate', certificate, '-o', bare)
    const refused = await journal('check-proof', bare, '--certificate', certificate, '--witness', key())
    assert.match(refused.err, /^PROOF_FAILS: 0 of the 1 witnesses named signed the checkpoint, and 1 must\n$/)
    assert.equal((await journal('check-proof', bare, '--witness', key(), '--quorum', '0')).code, 0)
  })

  it('see the log grow', async () => {
    const watch = () => journal('watch', at('published'), '--state', at('seen'))
    assert.match((await watch()).out, /^\d+ entries: seen for the first time, and kept\n$/)
    assert.match((await watch()).out, /nothing new since the last look\n$/)
    await scene.issue(1)
    await journal('export', at('published'))
    const { code, out } = await watch()
    assert.deepEqual(
      [code, /^\d+ entries: the \d+ that were seen before are their beginning\n$/.test(out)],
      [0, true],
      out,
    )
  })

  it('refuse a journal that its own key has signed anew from the middle, which by itself holds', async () => {
    await cosign()
    cpSync(at('published/checkpoint'), at('kept'))
    // One who holds the database and the journal's key: the log is cut back, and goes on otherwise.
    const { rows } = await scene.store.query<{ size: bigint }>(
      'SELECT size FROM journal_checkpoint ORDER BY size DESC OFFSET 1 LIMIT 1',
    )
    const size = Number(rows[0]!.size)
    await scene.store.transaction(async client => {
      await client.query('SET LOCAL session_replication_role = replica')
      await client.query('DELETE FROM journal_cosignature WHERE size > $1', [size])
      await client.query('DELETE FROM journal_checkpoint WHERE size > $1', [size])
      await client.query('DELETE FROM journal_entry WHERE position >= $1', [size])
      await client.query('DELETE FROM journal_tile WHERE index * 256 * power(256, level) >= $1', [size])
      await client.query(
        'UPDATE journal_tile SET hashes = substr(hashes, 1, 32 * ($1 % 256)::int) WHERE level = 0 AND index = $1 / 256',
        [size],
      )
      await client.query('DELETE FROM signing WHERE id = (SELECT max(id) FROM signing)')
      await client.query('DELETE FROM certificate WHERE signing NOT IN (SELECT id FROM signing)')
    })
    await scene.issue(1)
    await scene.issue(1)
    const itself = await journal('verify')
    assert.deepEqual([itself.code, itself.err], [0, ''], 'nothing in the store shows it')

    const kept = await journal('verify', '--kept', at('kept'))
    assert.deepEqual(
      [kept.code, /^ROOT_DIFFERS at .*by a checkpoint that was kept/.test(kept.err)],
      [1, true],
      kept.err,
    )
    assert.match((await journal('export', at('published'))).err, /^JOURNAL_FORKED: .*nothing was written\n$/)
    assert.match((await journal('prove', '--since', at('kept'))).err, /^JOURNAL_FORKED: /)
    assert.match(
      (await cosign()).err,
      /^WITNESS_REFUSES: the witness witness.example\/w1 refuses \(422\): the proof does not show/,
    )

    await journal('export', at('forked'))
    const watched = await journal('watch', at('forked'), '--state', at('seen'))
    assert.deepEqual(
      [watched.code, /^JOURNAL_FORKED: the tree of size \d+ does not begin with/.test(watched.err)],
      [1, true],
    )
    const evidence = readdirSync(at('seen')).find(name => name.startsWith('fork-'))!
    const both = readFileSync(at(`seen/${evidence}`), 'utf8')
    assert.ok(
      both.includes(readFileSync(at('kept'), 'utf8').split('\n— witness')[0]!) &&
        both.includes(readFileSync(at('forked/checkpoint'), 'utf8')),
    )
    assert.ok(existsSync(at('seen/opensmki%2Fservice-tests.checkpoint')))
  })
})
