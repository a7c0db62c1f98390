/** The command line about certificates: an ARO's own, revocation, and what the SMKI PMA directs. */

import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fromHex } from '../../src/ground/bytes.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { organisationCsr } from '../../src/main/csr.ts'
import { commandLine, type OperatorOffice, openOperatorOffice, portalCsr } from './office.ts'

describe('The command line', () => {
  let office: OperatorOffice
  let smki: ReturnType<typeof commandLine>
  before(async () => {
    office = await openOperatorOffice()
    await office.registerParties()
    smki = commandLine(office)
  })
  after(() => office.close())

  const file = (name: string, content: object | string) => {
    const path = join(office.home, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const csrFile = (name: string) => {
    const subject = { commonName: name, role: 0x02, eui64: fromHex('02a0000000010000') }
    const csr = organisationCsr(makeKeyPair('P-256'), subject, 'digitalSignature')
    return file(`${name}.csr`, toPem('CERTIFICATE REQUEST', csr))
  }
  const step = async (said: string, as: string, verb: string) => {
    const task = /smki tasks show (\d+)/.exec(said)![1]!
    const shown = await smki(as, 'tasks', 'show', task)
    const line = new RegExp(`^  smki (tasks ${verb} .*)$`, 'm').exec(shown)![1]!
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!)
    return smki('', ...words.map(word => word.replace('REFERENCE', 'case 1')))
  }
  let serial: string

  it('takes an ARO from a CSR to a Certificate that he has accepted, a command after the other', async () => {
    const said = await smki('import-supplier', 'organisation-csr', 'submit', csrFile('one'))
    assert.match(
      said,
      /^(\d+) is issued\. Compare it with its CSR, and say so, until .* UTC:\n {2}smki organisation-csr download \1 --out FILE --as import-supplier\n/,
    )
    const number = /^\d+/.exec(said)![0]
    const out = join(office.home, 'one.pem')
    assert.match(await smki('import-supplier', 'organisation-csr', 'download', number, '--out', out), /^It is in /)
    assert.ok(existsSync(out))
    assert.match(await smki('import-supplier', 'organisation-csr', 'accept', number), /is accepted\.\n$/)
    const shown = await smki('import-supplier', 'organisation-csr', 'show', number)
    serial = /certificate serial +([0-9a-f]{32})/.exec(shown)![1]!
    assert.match(
      await smki('ra-clerk-1', 'organisation-csr', 'list', '--party', '2'),
      / 02 +digitalSignature +issued +accepted\n/,
    )
    assert.match(
      await smki('ra-clerk-1', 'organisation-csr', 'list'),
      /^NO_SUCH_PARTY: you act for no organisation/,
    )
    assert.equal(await smki('ra-manager-1', 'organisation-csr', 'held'), 'None.\n')
  })

  it('takes a revocation from the request to the list', async () => {
    const asked = await smki('import-supplier', 'revoke', serial, '--ground', 'replaced')
    assert.match(asked, /^Case 1 is received\. Task \d+ waits now for RA_MANAGER or RA_PERSONNEL to verify it: /)
    assert.match(await step(asked, 'ra-clerk-1', 'verify'), /waits now for RA_MANAGER to approve it/)
    assert.match(
      await step(asked, 'ra-manager-1', 'approve'),
      /^Approved\. It has its effect now: case 1, certificate certificate:\d+:/,
    )
    assert.match(await smki('ra-clerk-1', 'revocation', 'lists'), /Organisation CRL +1 .* WAITING REVOCATIONS\n/)
    await office.publish()
    assert.match(await smki('ra-clerk-1', 'revocation', 'list'), /\n1 +listed /)
    assert.match(await smki('ra-clerk-1', 'revocation', 'show', '1'), /list +2\n/)
    assert.match(await smki('import-supplier', 'revoke', serial, '--ground', 'replaced'), /^ALREADY_REVOKED/)
    assert.equal(await smki('ra-clerk-1', 'revocation', 'duties'), 'No revocation is due.\n')
  })

  it('records what the SMKI PMA directs, suspends by it, and resumes by a later one', async () => {
    const member = JSON.parse(await smki('pma-member-1', 'whoami', '--json')) as { person: string }
    const at = office.rooms.hands.clock().toISOString()
    const decision = {
      subjects: ['interface:BATCH_WS'],
      meeting: '12',
      members: [member.person],
      decidedAt: at,
      from: at,
    }
    const first = file('first.json', { ...decision, reference: 'PMA-1', acts: ['suspend'], text: 'stop' })
    assert.match(
      await smki('ra-manager-1', 'decision', 'record', first),
      /^PMA-1 is recorded: to suspend, about interface:BATCH_WS\.\n$/,
    )
    const begin = ['suspension', 'begin', 'interface:BATCH_WS', '--decision', 'PMA-1', '--ground', 'User System']
    const said = await smki('ra-clerk-1', ...begin)
    assert.match(
      said,
      /^Suspended: interface BATCH_WS, number 1\.[\s\S]*smki suspension end 1 --decision REFERENCE --as ra-clerk-1\n$/,
    )
    assert.match(
      await smki('ra-clerk-1', 'suspension', 'begin', 'moon', '--decision', 'x', '--ground', 'y'),
      /none of the scopes/,
    )
    assert.match(await smki('ra-clerk-1', 'suspension', 'informed', '1', 'SSC', 'telephone'), /^On record: SSC/)
    office.pass(1000)
    const later = office.rooms.hands.clock().toISOString()
    const second = file('second.json', {
      ...decision,
      reference: 'PMA-2',
      acts: ['resume'],
      text: 'go on',
      decidedAt: later,
      from: later,
    })
    await smki('ra-manager-1', 'decision', 'record', second)
    assert.match(
      await smki('ra-manager-1', 'suspension', 'end', '1', '--decision', 'PMA-2'),
      /\(interface BATCH_WS\) has ended/,
    )
    assert.match(await smki('ra-manager-1', 'suspension', 'list'), /Registration Authority, SEC Panel, SSC\n/)
    assert.match(
      await smki('ra-manager-1', 'decision', 'list'),
      /PMA-2 +.* resume +interface:BATCH_WS +1 +in force\n/,
    )
    assert.match(
      await smki('ra-manager-1', 'decision', 'withdraw', 'PMA-2', '--words', 'done'),
      /PMA-2 is withdrawn/,
    )
    assert.match(await smki('ra-manager-1', 'decision', 'show', 'PMA-2'), /notInForce +was withdrawn/)
  })

  it('defers the revocations of a failed supplier, and brings them back', async () => {
    const member = JSON.parse(await smki('pma-member-1', 'whoami', '--json')) as { person: string }
    const at = office.rooms.hands.clock().toISOString()
    const about = { subjects: ['party:2'], meeting: '13', members: [member.person], decidedAt: at, from: at }
    const defer = { ...about, reference: 'PMA-10', acts: ['defer revocation'], text: 'wait' }
    await smki('ra-manager-1', 'decision', 'record', file('defer.json', defer))
    const end = { ...about, reference: 'PMA-11', acts: ['end deferral'], text: 'no more' }
    await smki('ra-manager-1', 'decision', 'record', file('end.json', end))
    const review = new Date(Date.parse(at) + 86_400_000).toISOString()
    const deferral = file('deferral.json', { decision: 'PMA-10', party: 2, userIds: [], mpids: [], review })
    assert.match(await smki('ra-manager-1', 'deferral', 'begin', deferral), /^Deferral 1 is in force; review by /)
    const one = await smki('import-supplier', 'organisation-csr', 'submit', csrFile('two'), '--json')
    const { certificate } = JSON.parse(one) as { certificate: { serial: string } }
    const asked = await smki('import-supplier', 'revoke', certificate.serial, '--ground', 'not needed')
    assert.match(asked, /It waits under deferral 1 \(L16\)\./)
    await step(asked, 'ra-clerk-1', 'verify')
    assert.match(await smki('ra-manager-1', 'deferral', 'list'), /1 +Test Import Supplier +PMA-10 .*in force\n/)
    const ended = await smki('ra-manager-1', 'deferral', 'end', '1', '--decision', 'PMA-11')
    assert.equal(ended, 'Ended: 1 revoked, 0 cancelled. Their lists are due: smki revocation lists\n')
  })

  it('issues the certificate of an approved credential, and hands it over', async () => {
    const { pem } = portalCsr('Test Import Supplier', 'supplier-batch-2')
    const csr = file('batch.csr', pem)
    const asked = await smki('import-supplier', 'credential', 'request', 'BATCH_WS', '--party', '2', '--csr', csr)
    const number = /^Credential (\d+)/.exec(asked)![1]!
    await step(asked, 'ra-clerk-1', 'verify')
    await step(asked, 'ra-manager-1', 'approve')
    const out = join(office.home, 'batch.pem')
    const said = await smki('ra-clerk-1', 'credential', 'issue', number, '--csr', csr, '--out', out)
    assert.match(
      said,
      new RegExp(`smki credential hand-over ${number} --evidence 'receipt=REFERENCE' --as ra-clerk-1\n$`),
    )
    const other = file('other.csr', portalCsr('Test Import Supplier', 'supplier-batch-2').pem)
    assert.match(
      await smki('ra-clerk-1', 'credential', 'issue', number, '--csr', other),
      /^(CREDENTIAL_STATE|CSR_NOT_APPROVED)/,
    )
    assert.match(await smki('import-supplier', 'credential', 'issue', number, '--csr', csr), /^NOT_FOR_THIS_OFFICE/)
    assert.match(
      await smki('ra-clerk-1', 'credential', 'hand-over', number, '--evidence', 'receipt=1'),
      /is active now/,
    )
  })
})
