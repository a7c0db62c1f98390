/** `smki ceremony officers`: a production environment gets its first people, from a file and before witnesses. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { homeAt } from '../../src/main/home.ts'
import { init } from '../../src/main/init.ts'
import { main } from '../../src/main/smki.ts'
import { systemClock } from '../../src/main/world.ts'

const people = [
  { name: 'manager', office: 'RA_MANAGER' },
  { name: 'clerk', office: 'RA_PERSONNEL' },
  { name: 'member', office: 'PMA_MEMBER' },
]

describe('The first appointments of a production environment', () => {
  let folder: string
  let out = ''
  let err = ''
  const smki = async (...args: string[]) => {
    out = ''
    err = ''
    let code = 0
    await main([...args, '--home', join(folder, 'home')], {
      out: text => {
        out += text
      },
      err: text => {
        err += text
      },
      exit: given => {
        code = given
      },
      clock: systemClock,
    })
    return code
  }
  const plan = (change: object = {}) => {
    const file = join(folder, 'officers.json')
    const whole = {
      operator: { name: 'dcc', tradingName: 'The Operator' },
      people: people.map(one => ({
        ...one,
        data: { name: `Person ${one.name}` },
        evidence: [{ kind: 'identity', reference: `hr/${one.name}` }],
        csr: `${one.name}.csr`,
      })),
      witnesses: ['auditor-1', 'auditor-2'],
      evidence: [{ kind: 'minutes', reference: 'meeting 1' }],
      ...change,
    }
    writeFileSync(file, JSON.stringify(whole))
    return file
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'opensmki-officers-'))
    const passphrase = 'a passphrase of a test that is long enough'
    for (const name of ['root', 'issuing']) writeFileSync(join(folder, name), `${passphrase}\n`, { mode: 0o600 })
    await init(homeAt(join(folder, 'home')), {
      environment: 'live',
      kind: 'production',
      with: [],
      passphrases: { root: Buffer.from(passphrase), issuing: Buffer.from(passphrase) },
      settings: { keyStore: { softwareInProduction: true } },
      witness: () => {},
    })
    for (const { name } of people) {
      const subject = `/O=The Operator/OU=7F/CN=${name}`
      const usage = 'keyUsage=critical,digitalSignature'
      const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.csr`)]
      execFileSync(
        'openssl',
        ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', subject, '-addext', usage, ...files],
        { stdio: 'ignore' },
      )
    }
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const ceremony = (file: string) =>
    smki('ceremony', 'officers', file, '--issuing-passphrase-file', join(folder, 'issuing'))

  it('are refused with every fault of a plan that is none', async () => {
    assert.notEqual(await ceremony(plan({ witnesses: ['one'], operator: { name: 'dcc' } })), 0)
    assert.match(err, /OFFICERS_UNREADABLE/)
    assert.match(err, /operator\.tradingName/)
    assert.match(err, /witnesses/)
  })

  it('are refused when a file holds no CSR', async () => {
    assert.notEqual(
      await ceremony(
        plan({
          people: [
            { ...people[0], data: { name: 'x' }, evidence: [{ kind: 'a', reference: 'b' }], csr: 'officers.json' },
          ],
        }),
      ),
      0,
    )
    assert.match(err, /OFFICERS_UNREADABLE.*holds no CSR/)
  })

  it('give each person an office and the IKI Certificate of the CSR, verified and approved by the others', async () => {
    assert.equal(await ceremony(plan()), 0, err)
    for (const { name } of people) {
      const file = join(folder, 'home', 'credentials', name, 'ra-staff.crt.pem')
      const text = execFileSync('openssl', ['x509', '-in', file, '-noout', '-subject', '-nameopt', 'RFC2253'])
      assert.equal(text.toString().trim(), `subject=CN=${name},OU=7F,O=The Operator`)
      const key = execFileSync('openssl', ['pkey', '-in', join(folder, `${name}.key`), '-pubout'])
      assert.deepEqual(execFileSync('openssl', ['x509', '-in', file, '-noout', '-pubkey']), key)
    }
    assert.match(out, /clerk: SMKI Registration Authority Personnel, person p-[0-9a-f]{12}/)
    assert.ok(!readFileSync(join(folder, 'officers.json'), 'utf8').includes('p-'))
  })

  it('happen once', async () => {
    assert.notEqual(await ceremony(plan()), 0)
    assert.match(err, /CEREMONY_OVER/)
  })
})
