/** The operator door as a program of the running service, and entry process tests that a program runs against it. */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { organisationCsr } from '../../src/main/csr.ts'
import { main } from '../../src/main/smki.ts'
import { systemClock } from '../../src/main/world.ts'
import { type Environment, serving, sleep } from '../service/environment.ts'

describe('The service with its operator door', () => {
  let environment: Environment
  let code = 0
  before(async () => {
    environment = await serving()
  })
  after(() => environment.close())

  async function smki(as: string, ...argv: string[]): Promise<string> {
    let said = ''
    const say = (text: string) => {
      said += text
    }
    code = 0
    await main([...argv, '--as', as, '--home', environment.home.path], {
      out: say,
      err: say,
      exit: given => {
        code = given
      },
      clock: systemClock,
    })
    return said
  }
  const steps = async (said: string) => {
    for (const [as, verb] of [
      ['ra-clerk-1', 'verify'],
      ['ra-manager-1', 'approve'],
    ] as const) {
      const shown = await smki(as, 'tasks', 'show', /smki tasks show (\d+)/.exec(said)![1]!)
      const line = new RegExp(`^  smki (tasks ${verb} .*?) --as`, 'm').exec(shown)![1]!
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!)
      const done = await smki(as, ...words.map(word => word.replace('REFERENCE', 'case 1')))
      assert.equal(code, 0, done)
    }
  }

  it('is a process of its own, which commands find where it is', async () => {
    const { processes, ports } = environment.service
    assert.ok(processes.operator && processes.operator !== processes.supervisor)
    assert.ok(ports.operator)
    assert.match(await smki('import-supplier', 'whoami'), /offices +ARO\n/)
    assert.match(await smki('ra-manager-1', 'whoami'), /offices +RA_MANAGER\n/)
  })

  it('asks the signer, and the Certificate comes', async () => {
    const subject = { commonName: 'served', role: 0x02, eui64: Buffer.from('02a0000000010000', 'hex') }
    const csr = organisationCsr(makeKeyPair('P-256'), subject, 'keyAgreement')
    const file = join(environment.home.path, 'one.csr')
    writeFileSync(file, csr.toString('base64'))
    assert.match(await smki('import-supplier', 'organisation-csr', 'submit', file), /^\d+ is issued\./)
  })

  const form = {
    kind: 'party',
    legalName: 'Acme Limited',
    tradingName: 'Acme',
    identifier: 'SEC-0042',
    companyNumber: '01234567',
    address: '1 Test Street',
    contactNumber: '+44 1632 960001',
    userRoles: [{ userRole: 'IS', first: '02a1000000010000', last: '02a100000001ffff' }],
    declaration: { reference: 'form 42', signedOn: '2026-11-18' },
  }

  it('runs entry process tests with real requests, and the transcript is the evidence', async () => {
    const path = join(environment.home.path, 'form.json')
    writeFileSync(path, JSON.stringify(form))
    await steps(await smki('ra-clerk-1', 'organisation', 'apply', 'acme', path, '--evidence', 'signed form=1'))
    await smki('ra-clerk-1', 'srept', 'plan', 'acme', 'ADHOC_WS', 'BATCH_WS', 'REPO_WS')
    const run = ['srept', 'run', 'acme', '--test-home', environment.home.path, '--out', environment.home.path]
    const said = await smki('ra-clerk-1', ...run)
    assert.equal(code, 0, said)
    assert.equal(said.match(/^passed {2}[a-z]/gm)?.length, 24, said)
    const transcript = /The transcript is (.*)\n/.exec(said)![1]!
    const plan = JSON.parse(await smki('ra-clerk-1', 'srept', 'show', 'acme', '--json')) as {
      scenarios: { id: string; passed?: boolean; automatic?: boolean; evidence: { reference: string }[] }[]
    }
    const passed = plan.scenarios.filter(one => one.passed)
    assert.equal(passed.length, 12)
    const digest = hash('sha256', readFileSync(transcript))
    assert.ok(passed.every(one => one.automatic && one.evidence[0]!.reference.endsWith(`sha256:${digest}`)))
    assert.match(readFileSync(transcript, 'utf8'), /UNKNOWN_DEVICE/)
  })

  it('records as failed what did not go as it should', async () => {
    const run = ['srept', 'run', 'acme', '--subscriber', 'network-operator', '--out', environment.home.path]
    await smki('ra-clerk-1', 'srept', 'plan', 'acme', 'BATCH_WS')
    // It is no Authorised Subscriber any more, so nothing is issued to it.
    const withdrawn = await smki('ra-manager-1', 'organisation', 'withdraw-condition', 'network-operator', 'SREPT')
    assert.equal(withdrawn, 'It is now suspended, lacks SREPT\n')
    const said = await smki('ra-clerk-1', ...run, '--test-home', environment.home.path)
    assert.equal(code, 1)
    assert.match(said, /^FAILED {2}batch-item-success +INELIGIBLE$/m)
    assert.match(await smki('ra-clerk-1', 'srept', 'complete', 'acme'), /^SREPT_INCOMPLETE/)
  })

  it('tells the Panel when the completion is confirmed', async () => {
    await smki('ra-clerk-1', 'srept', 'plan', 'acme', 'REPO_WS')
    await steps(await smki('ra-clerk-1', 'srept', 'complete', 'acme'))
    assert.match(await smki('ra-manager-1', 'notices', '--to', 'SEC Panel'), /SREPT completed\n.*REPO_WS/)
    assert.match(await smki('ra-manager-1', 'srept', 'show', 'acme'), /^Completed /m)
  })

  it('finishes after a restart what cessation has left: the certificates of whoever ceased are revoked', async () => {
    const { person } = JSON.parse(await smki('import-supplier', 'whoami', '--json')) as { person: string }
    const said = await smki('import-supplier', 'cease', person, 'ARO', '--party', '2')
    assert.match(said, /^p-\w+ has ceased as ARO\. Credentials ended: \d+, \d+\./)
    assert.match(await smki('import-supplier', 'whoami'), /^CREDENTIAL_NOT_IN_USE/)
    await environment.restart()
    for (let look = 0; look < 200; look++) {
      const listed = (await smki('ra-clerk-1', 'revocation', 'list')).match(/\biki\b.*holder gone/g)?.length
      if (listed === 2) return
      await sleep(50)
    }
    assert.fail(await smki('ra-clerk-1', 'revocation', 'list'))
  })
})
