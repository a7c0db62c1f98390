/** Developments and modifications by command, over the operator API: the published ones, from their first step to their report. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { documents } from '../../src/policy/documents/document-set.ts'
import { recordDecision } from '../../src/rooms/governance/decisions.ts'
import { documentOf, enterDocuments } from '../../src/rooms/governance/documents.ts'
import { ckmp } from '../governance/fixtures/ckmp.ts'
import { foc } from '../governance/fixtures/foc.ts'
import { mp173 } from '../governance/fixtures/mp173.ts'
import { commandLine, type OperatorOffice, openOperatorOffice, refusal } from './office.ts'

describe('developments and modifications, by command', () => {
  let office: OperatorOffice
  let run: ReturnType<typeof commandLine>
  let desk = ''
  before(async () => {
    office = await openOperatorOffice({}, 'smki-device')
    await office.registerParties()
    const { hands } = office.rooms
    await enterDocuments(hands, 'ceremony', documents)
    office.pass(10 * 60_000)
    run = commandLine(office)
    desk = mkdtempSync(join(tmpdir(), 'opensmki-developments-'))
    const person = async (name: string) => (await office.as(name).ask<{ person: string }>('GET', '/self')).person
    const members = [await person('pma-member-1'), await person('pma-member-2')]
    const now = hands.clock()
    const subjects = ['document:CKMP DLMS', 'document:S1SPKI CP FOC']
    for (const reference of ['PMA/CKMP/1', 'PMA/CKMP/2', 'PMA/FOC/1', 'PMA/FOC/2']) {
      const given = { reference, acts: ['approve document'] as const, subjects, members, decidedAt: now, from: now }
      await recordDecision(hands, members[0]!, { ...given, meeting: 'meeting 99', text: 'Approved.' })
    }
  })
  after(async () => {
    await office.close()
    rmSync(desk, { recursive: true, force: true })
  })

  const file = (name: string, what: unknown) => {
    const path = join(desk, name)
    writeFileSync(path, JSON.stringify(what))
    return path
  }
  async function enterAll(kind: string, ref: string, [first, ...rest]: readonly unknown[]) {
    const begun = await run('ra-manager-1', kind, 'begin', ref, file('first.json', first))
    assert.equal(run.code, 0, begun)
    const entered = await run('pma-member-1', kind, 'enter', ref, file('rest.json', rest))
    assert.equal(run.code, 0, entered)
    return entered
  }

  it('take the conclusions on the CKMP to their report, which is kept', async () => {
    const said = await enterAll('development', 'CKMP', ckmp)
    assert.match(said, /^State: concluded$/m)
    assert.match(said, /2021-10-22 +the consultation opened/)
    assert.match(said, /^Report: Conclusions report CKMP /m)
    assert.match(said, /^No findings\.$/m)
    const out = join(desk, 'ckmp.md')
    assert.match(
      await run('ra-clerk-1', 'development', 'report', 'CKMP', '--out', out),
      /^\S+: SHA-256 [0-9a-f]{64}\n$/,
    )
    assert.match(readFileSync(out, 'utf8'), /DCC received one response to the consultation\./)
    assert.match(await run('ra-clerk-1', 'development', 'report', 'CKMP', '--out', out), /^FILE_EXISTS: /)
    // The same octets as a document of the register, for a Party too.
    const same = join(desk, 'same.md')
    await run('import-supplier', 'documents', 'fetch', 'Conclusions report CKMP', '1.0', '--out', same)
    assert.ok(readFileSync(same).equals(readFileSync(out)))
  })

  it('say which date of the S1SPKI Certificate Policy cannot be right', async () => {
    const said = await enterAll('development', 'FOC', foc)
    assert.match(said, /^Findings:\n {2}the SMKI PMA approved for consultation on 13 December 2021, but/m)
    assert.match(await run('ra-clerk-1', 'development', 'list'), /^FOC +concluded +1 +/m)
  })

  it('take MP173 to its Modification Report', async () => {
    const said = await enterAll('modification', 'MP173', mp173)
    assert.match(said, /^Report: Modification Report MP173 /m)
    assert.match(await run('ra-clerk-1', 'modification', 'report', 'MP173'), /^# MP173 /)
    assert.match(await run('ra-clerk-1', 'modification', 'show', 'MP173'), /2022-01-20 +Change Board Vote/)
  })

  it('are entered by whoever records decisions, step after step, and seen by nobody of a Party', async () => {
    const step = { step: 'submit', on: '2021-11-29' }
    assert.match(
      await run('ra-clerk-1', 'development', 'enter', 'CKMP', file('a.json', step)),
      /^NOT_FOR_THIS_OFFICE: /,
    )
    assert.match(await run('import-supplier', 'development', 'list'), /^NOT_YOURS_TO_SEE: /)
    assert.match(await run('import-supplier', 'development', 'report', 'CKMP'), /^NOT_YOURS_TO_SEE: /)
    const wrong = { step: 'close', on: '2021-11-29' }
    assert.match(
      await run('ra-manager-1', 'development', 'enter', 'CKMP', file('b.json', wrong)),
      /^DEVELOPMENT_STEP: /,
    )
    assert.match(
      await run('ra-manager-1', 'development', 'enter', 'CKMP', file('c.json', { step: 'x' })),
      /^DEVELOPMENT_UNFIT: /,
    )
    assert.match(await run('ra-manager-1', 'development', 'show', 'none'), /^DEVELOPMENT_UNKNOWN: /)
    assert.match(await run('ra-manager-1', 'modification', 'show', 'none'), /^MODIFICATION_UNKNOWN: /)
    assert.match(
      await run('ra-manager-1', 'development', 'enter', 'CKMP', file('a.json', step)),
      /^State: submitted$/m,
    )
  })

  it('have no report before there is one', async () => {
    await run('ra-manager-1', 'development', 'begin', 'new', file('first.json', ckmp[0]))
    assert.match(await run('ra-manager-1', 'development', 'report', 'new'), /^FILE_NOT_KEPT: .*no report yet/)
  })

  it('may need a document that is not on the register yet: of another cohort', async () => {
    const ask = (as: string, body: object) => office.as(as).ask('POST', '/documents', body)
    const policy = {
      ref: 'S1SPKI CPS IOC',
      title: 'S1SPKI CPS for IOC',
      kind: 'CPS',
      sets: ['S1SPKI'],
      owner: 'DCC',
    }
    const whole = { ...policy, approver: 'SMKI PMA', confidential: true, reviewMonths: 12 }
    await assert.rejects(ask('import-supplier', whole), refusal('NOT_THE_OWNER'))
    await assert.rejects(ask('ra-manager-1', { ...whole, confidential: false }), refusal('DOCUMENT_UNFIT'))
    await assert.rejects(ask('ra-manager-1', { ...whole, approver: 'DCC' }), refusal('DOCUMENT_UNFIT'))
    await ask('ra-manager-1', whole)
    assert.deepEqual(await documentOf(office.rooms.store, 'S1SPKI CPS IOC'), whole)
    // Nobody makes himself the approver of what there is.
    const taken = { ...whole, ref: 'Device CPS', kind: 'policy', approver: 'DCC' }
    await assert.rejects(ask('ra-manager-1', taken), refusal('DOCUMENT_EXISTS'))
    assert.equal((await documentOf(office.rooms.store, 'Device CPS'))!.approver, 'SMKI PMA')
  })
})
