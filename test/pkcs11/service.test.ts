/** An environment whose authorities' keys live in a module: made by the command, served, its certificates good. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { makeBatchXml } from '../../simulator/batch.ts'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { fields, openClient, textOf } from '../../src/doors/cli/client.ts'
import { resultPath, submitPath } from '../../src/doors/device-csr/batch.ts'
import { readEntry } from '../../src/ground/journal/entry.ts'
import { noSoftHsm, softHsm, testPin } from '../../src/ground/keystore/pkcs11/testing.ts'
import { type Home, homeAt } from '../../src/main/home.ts'
import { init } from '../../src/main/init.ts'
import { openKeyStore } from '../../src/main/key-stores.ts'
import { serve } from '../../src/main/serve.ts'
import { openHomeStore } from '../../src/main/world.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { smki } from './command.ts'

const freePorts = { devicePort: 0, repositoryPort: 0, plainRepositoryPort: 0, journalPort: 0, operatorPort: 0 }
const refused = (code: string) => ({ name: 'Refusal', code })

describe('An environment with its keys in a module', { skip: noSoftHsm }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-pkcs11-'))
  const hsm = softHsm()
  const names = ['root', 'issuing', 'contingency', 'symmetric', 'recovery'] as const
  for (const name of names) for (const token of [`smki-${name}`, `${name} 2`, `${name} 3`]) hsm.token(token)
  const pin = Buffer.from(testPin)
  const pins = { root: pin, issuing: pin, contingency: pin, symmetric: pin, recovery: pin }
  const custodyTokens = (n: number) => ({
    contingencyToken: `contingency ${n}`,
    symmetricToken: `symmetric ${n}`,
    recoveryToken: `recovery ${n}`,
  })
  for (const name of names) writeFileSync(join(folder, name), `${testPin}\n`, { mode: 0o600 })
  const settingsFile = join(folder, 'settings.json')
  writeFileSync(settingsFile, JSON.stringify({ services: freePorts }))
  const home = homeAt(join(folder, 'home'))
  after(() => {
    rmSync(folder, { recursive: true, force: true })
    hsm.remove()
  })

  it('is made by smki init --keystore pkcs11, and every key of every authority is in it', async () => {
    const { said: out, code } = await smki(
      ...['--home', home.path, 'init', '--environment', 'modules', '--settings', settingsFile],
      ...['--keystore', 'pkcs11', '--pkcs11-library', hsm.library, '--module-certificate', 'SoftHSM2, for tests'],
      ...names.flatMap(name => [`--${name}-passphrase-file`, join(folder, name)]),
    )
    assert.equal(code, 0, out)
    assert.match(out, /key stores pkcs11:smki-root:[0-9a-f]+ and pkcs11:smki-issuing:[0-9a-f]+/)
    assert.match(out, /; module SoftHSM2, for tests/)
    assert.match(out, /Journal key \(Ed25519\) in pkcs11:smki-issuing/)
    assert.ok(!out.includes('software:'), 'nothing was made in software')
    assert.deepEqual(readdirSync(home.path).includes('issuing'), false, 'there is no file of keys')
    const { roots, issuing, bodies } = await told(home)
    assert.ok(roots.length >= 3 && issuing.length >= 3)
    const settings = JSON.parse(readFileSync(home.config, 'utf8'))
    assert.equal(settings.keyStore.kind, 'pkcs11')
    for (const [token, labels] of [
      ['smki-root', roots],
      ['smki-issuing', issuing],
    ] as const) {
      const objects = listed(token)
      for (const label of labels) {
        const object = objects.find(one => one.includes(`label:      ${label}\n`))
        assert.match(object ?? '', /sensitive, always sensitive, never extractable, local/, label)
      }
    }
    const makers = bodies.filter(body => body.includes('"keyStore"'))
    assert.ok(makers.length >= roots.length + issuing.length)
    for (const body of makers) assert.match(body, /"keyStore":"pkcs11:smki-(root|issuing):[0-9a-f]+"/)
  })

  it('issues certificates and signs its journal by the module, in all threads of the signer', async () => {
    const service = await serve(home, { passphrase: Buffer.from(testPin) })
    let made: string[] = []
    const client = openClient({
      folder: join(home.credentials, 'meter-maker'),
      credential: 'batch-ws',
      host: '127.0.0.1',
      port: service.ports.device!,
    })
    try {
      const items = Array.from({ length: 12 }, (_, i) => {
        const deviceId = (0x02e1000000001000n + BigInt(i)).toString(16).padStart(16, '0')
        return { id: `c${i}`, csr: makeDeviceCsr({ deviceId, usage: 'keyAgreement' }).csr }
      })
      const accepted = await textOf(await client.post(submitPath, makeBatchXml(items, { id: 'batch' })))
      const batch = fields(accepted).BatchId
      assert.match(batch ?? '', /^\d+$/, accepted)
      let answer = ''
      for (let look = 0; look < 1000; look++) {
        answer = await textOf(await client.get(`${resultPath}?BatchId=${batch}`))
        if (fields(answer).BatchStatus === 'COMPLETED') break
        await new Promise(done => setTimeout(done, 20))
      }
      made = [...answer.matchAll(/<Certificate>([^<]+)<\/Certificate>/g)].map(([, text]) => text!)
      assert.equal(made.length, 12, answer.slice(0, 500))
    } finally {
      client.close()
      await service.stop()
    }
    const { issuers, bodies } = await told(home)
    const acts = ['"lodged":true', '"list":'].map(part => bodies.filter(body => body.includes(part)))
    for (const some of acts) {
      assert.ok(some.length > 0)
      for (const body of some) assert.match(body, /"signedBy":"pkcs11:smki-(root|issuing):[0-9a-f]+"/)
    }
    for (const text of made) {
      const certificate = new X509Certificate(Buffer.from(text, 'base64'))
      assert.ok(issuers.some(issuer => certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)))
    }
  })

  it('is not served with a wrong PIN, and says so', async () => {
    await assert.rejects(
      serve(home, { passphrase: Buffer.from('not-the-pin') }),
      refused('KEYSTORE_WRONG_PASSPHRASE'),
    )
  })

  it('keeps the key of its journal in a file where the module is said not to do Ed25519', async () => {
    const other = homeAt(join(folder, 'split'))
    const lines: string[] = []
    const keyStore = {
      kind: 'pkcs11',
      library: hsm.library,
      rootToken: 'root 2',
      issuingToken: 'issuing 2',
      ...custodyTokens(2),
    }
    const settings = await init(other, {
      environment: 'split',
      kind: 'production',
      with: [],
      passphrases: pins,
      settings: { keyStore: { ...keyStore, certificate: 'SoftHSM2, for tests', journalKey: 'software' } },
      witness: line => lines.push(line),
    })
    assert.match(lines.join('\n'), /Journal key \(Ed25519\) in software:journal:/)
    const keys = openKeyStore(other, settings, 'issuing', pins.issuing)
    assert.ok(keys.has('journal') && keys.labels().includes('journal'))
    assert.equal(keys.kind('journal'), 'Ed25519')
    keys.close()
    const { bodies } = await told(other)
    assert.ok(bodies.length > 10, 'and the journal was signed')
    assert.ok(!listed('issuing 2').some(one => one.includes('label:      journal\n')))
  })

  it('is not made on a token that has something on it, nor in production on files', async () => {
    const keyStore = {
      kind: 'pkcs11',
      library: hsm.library,
      rootToken: 'root 3',
      issuingToken: 'issuing 3',
      ...custodyTokens(3),
    }
    const options = { environment: 'no', kind: 'test', with: [], passphrases: pins, witness: () => {} } as const
    const store = hsm.open('root 3')
    store.keepSecret('something', Buffer.of(1))
    store.close()
    await assert.rejects(
      init(homeAt(join(folder, 'no')), { ...options, settings: { keyStore } }),
      refused('KEYSTORE_EXISTS'),
    )
    const production = { ...options, kind: 'production' } as const
    for (const keyStore of [
      {},
      { kind: 'software' },
      { kind: 'pkcs11', library: hsm.library, certificate: '' },
      { kind: 'pkcs11', library: null, certificate: 'named' },
      { kind: 'pkcs11', library: hsm.library, certificate: 'named', rootToken: 'one', issuingToken: 'one' },
      { kind: 'pkcs11', library: hsm.library, certificate: 'named', contingencyToken: 'smki-root' },
    ]) {
      const made = init(homeAt(join(folder, 'production')), { ...production, settings: { keyStore } })
      await assert.rejects(made, refused('CONFIG_INVALID'), JSON.stringify(keyStore))
    }
    const config = JSON.parse(readFileSync(home.config, 'utf8'))
    writeFileSync(home.config, JSON.stringify({ ...config, keyStore: {}, kind: 'production' }))
    await assert.rejects(serve(home, { passphrase: Buffer.from(testPin) }), refused('CONFIG_INVALID'))
    writeFileSync(home.config, JSON.stringify(config))
  })

  /** Private keys on a token, as another tool lists them. */
  function listed(token: string): string[] {
    const command = ['--module', hsm.library, '--token-label', token, '--login', '--pin', testPin, '-O']
    const said = execFileSync('pkcs11-tool', [...command, '--type', 'privkey'], {
      encoding: 'utf8',
      env: { ...process.env, ...hsm.env },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return said.split(/^(?=Private Key Object)/m)
  }
})

/** Labels of the authorities' keys, and what the journal says. */
async function told(home: Home) {
  const opened = await openHomeStore(home, { share: false, max: 2 })
  try {
    const known = await authorities(opened.store)
    const of = (level: string) => known.filter(one => one.level === level).map(one => one.keyLabel)
    const { rows } = await opened.store.query<{ octets: Buffer }>('SELECT octets FROM journal_entry ORDER BY id')
    return {
      roots: of('root'),
      issuing: of('issuing'),
      issuers: known.map(one => new X509Certificate(one.certificate.der)),
      bodies: rows.map(row => JSON.stringify(readEntry(row.octets).body)),
    }
  } finally {
    await opened.close()
  }
}
