/** The files of the Repository by SFTP, as OpenSSH's client meets them. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import ssh2 from 'ssh2'
import { parseSettings } from '../../src/main/home.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import { recordDecision } from '../../src/rooms/governance/decisions.ts'
import { lockCredential, requestRevocation, unlockCredential } from '../../src/rooms/registration/credentials.ts'
import { downloads } from '../../src/rooms/repository/files/downloads.ts'
import { filesOf, folderOf, makeFile } from '../../src/rooms/repository/files/make.ts'
import { resume, suspend } from '../../src/rooms/revocation/suspension.ts'
import { evidence } from '../registration/office.ts'
import { noSftp, openScene, type Party, type Scene, until } from './scene.ts'

let scene: Scene
let acme: Party
let beta: Party
let key: string
let credential: number
let delta: { name: string; octets: Buffer }
let full: { name: string; octets: Buffer }

before(async () => {
  if (noSftp) return
  scene = await openScene()
  acme = await scene.office.subscriber('acme')
  beta = await scene.office.subscriber('beta')
  key = scene.key()
  credential = await scene.credential(acme, key)
  delta = await scene.lodge('DELTA', 1, 70_000)
  full = await scene.lodge('FULL', 1, 6_000_001)
})
after(() => scene?.close())

const here = (name: string) => join(scene.desk, name)
const good = async (commands: readonly string[], by = key) => {
  const said = await scene.sftp(by, commands)
  assert.equal(said.code, 0, `${said.out}${said.err}`)
  return said
}
const bad = async (commands: readonly string[], says: RegExp, by = key) => {
  const { code, out, err } = await scene.sftp(by, commands)
  assert.notEqual(code, 0, out)
  assert.match(out + err, says)
}

describe('a Party with its key', { skip: noSftp }, () => {
  it('sees two folders, and in them what is on record, with sizes and times', async () => {
    const { out } = await good(['pwd', 'ls -l', 'ls -la /delta', 'cd full', 'ls -1', 'ls -n'])
    assert.match(out, /Remote working directory: \/\n/)
    assert.match(out, /^dr-xr-xr-x .* delta$/m)
    assert.match(out, /^dr-xr-xr-x .* full$/m)
    assert.match(out, new RegExp(`^-r--r--r-- +1 smki +smki +70000 Nov 20 00:30 ${delta.name}$`, 'm'))
    assert.match(out, new RegExp(`^${full.name}$`, 'm'))
    assert.match(out, new RegExp(`^-r--r--r-- .* 6000001 .* ${full.name}$`, 'm'))
    assert.match(out, / \.$/m)
  })

  it('fetches a file, octet for octet, and the Repository knows who fetched how much', async () => {
    await good([`get /full/${full.name} whole`, `get -p delta/${delta.name} small`])
    assert.ok(readFileSync(here('whole')).equals(full.octets))
    assert.ok(readFileSync(here('small')).equals(delta.octets))
    await until('both are recorded', async () => (await downloads(scene.office.store, acme.party)).length === 2)
    const found = await downloads(scene.office.store, acme.party)
    assert.deepEqual(
      new Map(found.map(({ name, octets }) => [name, octets])),
      new Map([
        [full.name, 6_000_001],
        [delta.name, 70_000],
      ]),
    )
    assert.deepEqual(await downloads(scene.office.store, beta.party), [])
    assert.ok(scene.lines.some(one => one.says === 'a file was fetched' && one.file === full.name))
  })

  it('goes on where a download was cut', async () => {
    writeFileSync(here('half'), full.octets.subarray(0, 2_345_678))
    await good([`reget /full/${full.name} half`])
    assert.ok(readFileSync(here('half')).equals(full.octets))
    await until('the rest is recorded', async () =>
      (await downloads(scene.office.store, acme.party)).some(one => one.octets === 6_000_001 - 2_345_678),
    )
  })

  it('fetches the whole folder, and a file that the Repository made', async () => {
    const { store } = scene.office
    const making = {
      store,
      clock: () => new Date('2026-11-21T00:30:00Z'),
      folder: scene.needs.folder,
      dayOf: () => '20261121',
      issuers: new Map(),
    }
    const made = await makeFile(making, 'DELTA', new Date('2026-11-21T00:00:00Z'))
    assert.equal(made?.name, 'SMKI-DELTA-20261121-000002.zip')
    await good(['get -r /delta all'])
    assert.ok(readFileSync(here(`all/${delta.name}`)).equals(delta.octets))
    const zip = readFileSync(here(`all/${made.name}`))
    assert.equal(zip.length, made.octets)
    assert.equal(zip.subarray(0, 2).toString(), 'PK')
  })

  it('may not change anything', async () => {
    writeFileSync(here('mine'), 'mine')
    const name = `/delta/${delta.name}`
    for (const command of [
      `put mine ${name}`,
      'put mine /delta/mine',
      'put mine /mine',
      `rm ${name}`,
      `rename ${name} /delta/other`,
      'mkdir /other',
      'rmdir /delta',
      `chmod 600 ${name}`,
      `chown 1 ${name}`,
      `ln -s ${name} /delta/other`,
    ])
      await bad([command], /denied|Couldn't|read only/i)
    const { out } = await good(['ls -1 /', 'ls -1 /delta'])
    assert.doesNotMatch(out, /mine|other/)
    await good([`get ${name} still`])
    assert.ok(readFileSync(here('still')).equals(delta.octets))
  })

  it('finds nothing outside, however it is asked for, and no draft', async () => {
    writeFileSync(join(folderOf(scene.needs.folder, 'DELTA'), '.SMKI-DELTA-20261122-000003.zip.part'), 'half')
    writeFileSync(join(folderOf(scene.needs.folder, 'DELTA'), 'SMKI-DELTA-20261122-000003.zip'), 'unknown')
    for (const path of [
      '/etc/passwd',
      '../../../../etc/passwd',
      '/delta/../../etc/passwd',
      `//etc/passwd`,
      `/delta/${delta.name}/../../../etc/passwd`,
      `/delta/${delta.name}/`.replace(/\/$/, '/x'),
      `/full/${delta.name}`,
      `/delta/${delta.name.toLowerCase()}`,
      '/delta/.SMKI-DELTA-20261122-000003.zip.part',
      '/delta/SMKI-DELTA-20261122-000003.zip',
      '/delta/__proto__',
      '/constructor',
      `${scene.needs.folder}/delta/${delta.name}`,
    ]) {
      await bad([`get "${path}" outside`], /not found|No such file/)
    }
    const { out } = await good(['cd /delta', 'cd ../../..', 'pwd', 'cd delta/../full', 'pwd', 'ls -1a /delta'])
    assert.match(out, /Remote working directory: \/\n[\s\S]*Remote working directory: \/full\n/)
    assert.doesNotMatch(out, /part|000003/)
  })

  it('gets no file that is not as long as it was made, and the log says why', async () => {
    const short = await scene.lodge('FULL', 2, 100)
    truncateSync(join(folderOf(scene.needs.folder, 'FULL'), short.name), 99)
    await bad([`get /full/${short.name} short`], /Failure|fault/)
    const said = scene.lines.find(one => one.says === 'a request was not answered')
    assert.match(String(said?.fault), /99 octets, and 100 on record/)
  })

  it('gets no shell, no command, no forwarding and no other subsystem', async () => {
    const ssh = (...more: string[]) =>
      scene.run('ssh', ['-p', String(scene.door.port), ...scene.options(key), ...more])
    for (const said of await Promise.all([
      ssh('smki@127.0.0.1', 'id'),
      ssh('-T', 'smki@127.0.0.1'),
      ssh('-s', 'smki@127.0.0.1', 'netconf'),
      ssh('-W', `127.0.0.1:${scene.door.port}`, 'smki@127.0.0.1'),
    ])) {
      assert.notEqual(said.code, 0, said.out)
      assert.equal(said.out, '')
      assert.match(said.err, /request failed|prohibited|refused/)
    }
    const forwarded = await ssh('-o', 'ExitOnForwardFailure=yes', '-N', '-R', '0:127.0.0.1:1', 'smki@127.0.0.1')
    assert.notEqual(forwarded.code, 0)
    assert.match(forwarded.err, /forwarding failed/)
  })
})

describe('a login', { skip: noSftp }, () => {
  it('is refused to a foreign key, a password, and nobody', async () => {
    await bad(['ls'], /Permission denied \(publickey\)/, scene.key())
    const options = ['-o', 'PubkeyAuthentication=no', '-o', 'PreferredAuthentications=none,password']
    const { code, err } = await scene.run('ssh', [
      ...options,
      '-p',
      String(scene.door.port),
      ...scene.options(key),
      'smki@127.0.0.1',
    ])
    assert.notEqual(code, 0)
    assert.match(err, /Permission denied \(publickey\)/)
    assert.ok(scene.lines.some(one => one.says === 'a login was refused' && one.why === 'KEY_UNKNOWN'))
  })

  for (const [type, bits] of [
    ['ecdsa', 256],
    ['rsa', 3072],
  ] as const) {
    it(`works with a key of ${type}`, async () => {
      const other = scene.key(type, bits)
      await scene.credential(beta, other)
      await good([`get /delta/${delta.name} by-${type}`], other)
      assert.ok(readFileSync(here(`by-${type}`)).equals(delta.octets))
    })
  }

  it('says whose it is by the key, and not by the name', async () => {
    const theirs = scene.key()
    await scene.credential(beta, theirs)
    const before = (await downloads(scene.office.store, beta.party)).length
    const port = String(scene.door.port)
    const batch = join(scene.desk, 'batch')
    writeFileSync(batch, `get /delta/${delta.name} theirs\n`)
    const { code } = await scene.run('sftp', ['-b', batch, '-P', port, ...scene.options(theirs), 'acme@127.0.0.1'])
    assert.equal(code, 0)
    await until('it is theirs', async () => (await downloads(scene.office.store, beta.party)).length === before + 1)
  })

  it('is refused to whoever shows a key of another, and signs with its own', async () => {
    const own = ssh2.utils.parseKey(readFileSync(scene.key())) as ssh2.ParsedKey
    const shown = ssh2.utils.parseKey(readFileSync(`${key}.pub`)) as ssh2.ParsedKey
    class Impostor extends ssh2.BaseAgent<ssh2.ParsedKey> {
      override getIdentities(done: (cause?: Error | null, keys?: ssh2.ParsedKey[]) => void) {
        done(null, [shown])
      }
      override sign(_: unknown, data: Buffer, options: unknown, done?: unknown) {
        const answer = (done ?? options) as (cause: Error | null, signature: Buffer) => void
        answer(null, own.sign(data) as unknown as Buffer)
      }
    }
    const refused = () => scene.lines.filter(one => one.why === 'SIGNATURE').length
    const before = refused()
    const client = new ssh2.Client()
    const outcome = await new Promise<string>(resolve => {
      client.once('ready', () => resolve('came in'))
      client.once('error', cause => resolve(cause.message))
      client.connect({ host: '127.0.0.1', port: scene.door.port, username: 'acme', agent: new Impostor() })
    })
    client.destroy()
    assert.match(outcome, /authentication methods failed/)
    assert.equal(refused(), before + 1)
  })

  it('is refused with a signature over SHA-1', async () => {
    const old = scene.key('rsa', 3072)
    await scene.credential(beta, old)
    const options = ['-o', 'PubkeyAcceptedAlgorithms=ssh-rsa', '-p', String(scene.door.port), ...scene.options(old)]
    const { code, err } = await scene.run('ssh', [...options, 'smki@127.0.0.1'])
    assert.notEqual(code, 0)
    assert.match(err, /Permission denied/)
    assert.ok(scene.lines.filter(one => one.why === 'SIGNATURE').length >= 2)
  })

  it('speaks modern algorithms alone', async () => {
    const weak = [
      ['KexAlgorithms', 'diffie-hellman-group14-sha1'],
      ['Ciphers', 'aes128-cbc'],
      ['MACs', 'hmac-sha1', 'Ciphers', 'aes256-ctr'],
      ['HostKeyAlgorithms', 'ssh-rsa'],
    ]
    for (const [name, value, ...more] of weak) {
      const options = [
        '-o',
        `${name}=+${value}`.replace('+', ''),
        ...(more[0] ? ['-o', `${more[0]}=${more[1]}`] : []),
      ]
      const said = await scene.run('ssh', [
        ...options,
        '-p',
        String(scene.door.port),
        ...scene.options(key),
        'smki@127.0.0.1',
      ])
      assert.notEqual(said.code, 0)
      assert.match(said.err, /no matching/, `${name} ${value}`)
    }
  })

  it('is refused while REPO_SFTP is suspended, with the reason, and an open connection ends', async () => {
    const open = await interactive()
    const { settings, hands, managers } = suspending()
    const decision = await decided('suspend')
    const of = { scope: 'interface', interface: 'REPO_SFTP' } as const
    const ground = 'DCC Total System'
    const { id } = await suspend(hands, managers[0], { decision, of, stops: 'services', ground }, settings)
    await open.ended
    await bad(['ls'], /WF:SUSP[\s\S]*Permission denied/)
    scene.office.pass(1000)
    await resume(hands, managers[1], id, await decided('resume'), {})
    await until('the Party may come in again', async () => (await scene.sftp(key, ['ls'])).code === 0)
  })

  it('is refused once the credential is locked or revoked, and an open connection ends within seconds', async () => {
    const { hands, personnel } = scene.office
    let open = await interactive()
    await lockCredential(hands, acme.sro, credential, { words: 'lost laptop' })
    const began = Date.now()
    await open.ended
    assert.ok(Date.now() - began < 8000)
    await bad(['ls'], /Permission denied/)
    await unlockCredential(hands, personnel[0], credential, { evidence: evidence('call back') })
    open = await interactive()
    const asked = await requestRevocation(hands, acme.sro, credential, { words: 'key compromise' })
    await scene.office.decide(asked)
    await open.ended
    await bad(['ls'], /Permission denied/)
  })
})

function suspending() {
  const settings = parseSettings(JSON.stringify({ environment: 'sftp', kind: 'test' }), 'the test')
  const hands = { ...scene.office.hands, revocation: settings.revocation, schedules: listSchedules(settings) }
  return { hands, managers: scene.office.managers, settings: { words: 'immediate danger' } }
}

/** A decision of the SMKI PMA about this interface, in force. */
async function decided(act: 'suspend' | 'resume'): Promise<string> {
  const { hands, pma } = scene.office
  const now = hands.clock()
  const decision = { meeting: 'SMKI PMA 84', text: 'decided as proposed', members: pma.map(one => one.person) }
  const subjects = ['interface:REPO_SFTP']
  const reference = `PMA-${act}`
  await recordDecision(hands, pma[0].person, {
    ...decision,
    reference,
    acts: [act],
    subjects,
    decidedAt: now,
    from: now,
  })
  return reference
}

/** A user who has come in, and sits before the prompt. */
async function interactive(): Promise<{ ended: Promise<number | null> }> {
  const child = spawn('sftp', ['-P', String(scene.door.port), ...scene.options(key), 'smki@127.0.0.1'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 30_000,
  })
  let out = ''
  child.stdout.on('data', part => {
    out += part
  })
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  // The connection's end shows when something is asked.
  const asking = setInterval(() => child.stdin.writable && child.stdin.write('pwd\nls\n'), 200)
  child.stdin.on('error', () => {})
  void ended.then(() => clearInterval(asking))
  await until('the user is in', () => out.includes('Remote working directory'))
  return { ended }
}

describe('fifty users at once', { skip: noSftp }, () => {
  it('each get the whole file', async () => {
    const many = scene.key()
    await scene.credential(beta, many)
    const before = (await filesOf(scene.office.store)).length
    assert.ok(before >= 3)
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, i) => scene.sftp(many, [`get /delta/${delta.name} copy-${i}`])),
    )
    assert.deepEqual(
      all.filter(one => one.code !== 0).map(one => one.err),
      [],
    )
    for (let i = 0; i < 50; i++) assert.ok(readFileSync(here(`copy-${i}`)).equals(delta.octets))
  })
})
