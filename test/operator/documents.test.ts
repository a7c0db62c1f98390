/** Documents at the operator API: entered as files, decided on by another, fetched by whoever may; and the same by command. */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findCredential } from '../../src/doors/cli/operator-client.ts'
import { documents } from '../../src/policy/documents/document-set.ts'
import { enterDocuments } from '../../src/rooms/governance/documents.ts'
import { acts } from '../issuing/rooms.ts'
import { commandLine, type OperatorOffice, openOperatorOffice } from './office.ts'

const mebibyte = 1 << 20

describe('The operator API, where documents are concerned', () => {
  let office: OperatorOffice
  let run: ReturnType<typeof commandLine>
  let desk = ''
  before(async () => {
    office = await openOperatorOffice({ governance: { documentMiB: 1 } }, 'smki-device')
    await office.registerParties()
    await enterDocuments(office.rooms.hands, 'ceremony', documents)
    // The Members are in office for some minutes.
    office.pass(10 * 60_000)
    run = commandLine(office)
    desk = mkdtempSync(join(tmpdir(), 'opensmki-documents-'))
  })
  after(async () => {
    await office.close()
    rmSync(desk, { recursive: true, force: true })
  })

  const sha256 = (octets: Buffer | string) => hash('sha256', octets, 'hex')
  const path = (ref: string) => `/1.0/documents/${encodeURIComponent(ref)}`
  const send = (
    as: string,
    ref: string,
    version: string,
    body: Buffer | string,
    more: Record<string, string> = {},
  ) =>
    office.raw({
      as,
      method: 'POST',
      path: `${path(ref)}/versions?version=${version}&sha256=${more.sha256 ?? sha256(body)}`,
      headers: { 'content-type': more.type ?? 'text/markdown', ...(more.office && { 'acting-as': more.office }) },
      body,
    })
  const fetchFile = (as: string, ref: string, version: string, headers: Record<string, string> = {}) =>
    office.raw({ as, path: `${path(ref)}/versions/${version}/file`, headers })
  const code = ({ text }: { text: string }) => (JSON.parse(text) as { code: string }).code
  const person = async (name: string) => (await office.as(name).ask<{ person: string }>('GET', '/self')).person
  async function decide(reference: string, ref: string) {
    const members = [await person('pma-member-1'), await person('pma-member-2')]
    const at = new Date(office.rooms.hands.clock().getTime() - 1000).toISOString()
    await office.as('pma-member-1').ask('POST', '/decisions', {
      reference,
      acts: ['approve document'],
      subjects: [`document:${ref}`],
      meeting: 'SMKI PMA meeting 99',
      text: 'So it was decided.',
      members,
      decidedAt: at,
      from: at,
    })
  }

  /** Half of a file on its way, until it is told to go on. */
  function halfSent(as: string, to: string, body: Buffer) {
    const files = findCredential(as, office.credentials)
    const [key, cert, ca] = [files.key, files.certificate, files.ca].map(file => readFileSync(file))
    const headers = { 'content-type': 'text/plain', 'content-length': body.length }
    const sent = request({
      host: '127.0.0.1',
      port: office.port,
      agent: false,
      method: 'POST',
      path: to,
      key,
      cert,
      ca,
      headers,
    })
    const status = new Promise<number>((done, fail) => {
      sent.once('error', fail)
      sent.once('response', answer => {
        answer.resume()
        done(answer.statusCode!)
      })
    })
    const begun = new Promise<void>(done => sent.write(body.subarray(0, 500), () => done()))
    const finish = () => {
      sent.end(body.subarray(500))
      return status
    }
    return { begun, finish }
  }

  const policy = '# Appendix A\n\n1. Introduction\n'

  it('takes a file as it is, and gives it back with all that keeps a browser from running it', async () => {
    const entered = await send('ra-clerk-1', 'Appendix A', '1.0', policy)
    assert.equal(entered.status, 201, entered.text)
    const one = JSON.parse(entered.text) as Record<string, unknown>
    assert.deepEqual(
      [one.state, one.kept, one.sha256, one.enteredBy],
      ['draft', true, sha256(policy), await person('ra-clerk-1')],
    )
    const decided = await office.as('ra-manager-1').ask('POST', '/documents/Appendix%20A/versions/1.0/decision', {
      sha256: sha256(policy),
      outcome: 'approved',
      from: '2026-12-01',
      basis: 'MP173',
    })
    assert.equal(decided.state, 'approved')
    // An ARO reads what the public reads.
    const file = await fetchFile('import-supplier', 'Appendix A', '1.0')
    assert.deepEqual([file.status, file.text], [200, policy])
    const { headers } = file
    assert.equal(headers['content-type'], 'text/markdown; charset=utf-8')
    assert.equal(headers['content-disposition'], 'attachment; filename="Appendix-A-1.0.md"')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox")
    assert.equal(headers.etag, `"${sha256(policy)}"`)
    assert.equal(headers['content-length'], String(policy.length))
    const again = await fetchFile('import-supplier', 'Appendix A', '1.0', { 'if-none-match': String(headers.etag) })
    assert.deepEqual([again.status, again.text], [304, ''])
  })

  it('refuses what is no document, in words that help', async () => {
    for (const [sent, expected, status] of [
      [await send('ra-clerk-1', 'Appendix A', '2.0', '<html>', { type: 'text/html' }), 'FILE_TYPE_REFUSED', 415],
      [await send('ra-clerk-1', 'Appendix A', '2.0', '<html>'), 'FILE_ACTIVE', 400],
      [await send('ra-clerk-1', 'Appendix A', '2.0', 'x', { type: 'application/pdf' }), 'FILE_NOT_AS_SAID', 400],
      [await send('ra-clerk-1', 'Appendix A', '2.0', 'x', { sha256: 'ab'.repeat(32) }), 'FILE_HASH_WRONG', 409],
      [await send('ra-clerk-1', 'Appendix A', '2.0', 'x', { sha256: 'ab' }), 'REQUEST_UNFIT', 400],
      [await send('ra-clerk-1', 'Appendix A', '0.9', 'x'), 'VERSION_NOT_LATER', 409],
      [await send('ra-clerk-1', 'Appendix A', '1.0', 'x'), 'VERSION_EXISTS', 409],
      [await send('ra-clerk-1', 'Appendix ZZ', '1.0', 'x'), 'DOCUMENT_UNKNOWN', 404],
      [await send('ra-clerk-1', 'Appendix A', '2.0', Buffer.alloc(mebibyte + 1, 0x61)), 'FILE_TOO_LONG', 413],
      [await send('ra-clerk-1', 'Appendix A', '2.0', Buffer.alloc(6 * mebibyte, 0x61)), 'FILE_TOO_LONG', 413],
      [await send('import-supplier', 'Appendix A', '2.0', 'x'), 'NOT_THE_OWNER', 403],
      [await send('pma-member-1', 'Appendix A', '2.0', 'x'), 'NOT_THE_OWNER', 403],
    ] as const) {
      assert.deepEqual([code(sent), sent.status], [expected, status], sent.text)
    }
    // JSON is no document, and a document is no JSON.
    const json = await send('ra-clerk-1', 'Appendix A', '2.0', '{}', { type: 'application/json' })
    assert.deepEqual([json.status, code(json)], [400, 'REQUEST_UNFIT'])
    const type = { 'content-type': 'text/markdown' }
    const other = await office.raw({
      as: 'ra-clerk-1',
      method: 'POST',
      path: '/1.0/decisions',
      headers: type,
      body: 'x',
    })
    assert.deepEqual([other.status, code(other)], [415, 'REQUEST_NOT_JSON'])
    const none = await office.raw({
      as: 'ra-clerk-1',
      method: 'POST',
      path: `${path('Appendix A')}/versions?version=2.0&sha256=${sha256('')}`,
    })
    assert.deepEqual([none.status, code(none)], [400, 'REQUEST_UNFIT'])
    assert.equal((await send('ra-clerk-1', 'Appendix A', '2.0', Buffer.alloc(mebibyte, 0x61))).status, 201)
  })

  it('holds three files at a time, and tells whoever brings a fourth to come again', async () => {
    const body = Buffer.alloc(1000, 0x61)
    const slow = [1, 2, 3].map(() =>
      halfSent('ra-clerk-1', `${path('Appendix B')}/versions?version=1&sha256=${sha256(body)}`, body),
    )
    await Promise.all(slow.map(one => one.begun))
    let busy = await send('ra-clerk-1', 'Appendix C', '1', 'x')
    // The three were written; that they were read follows soon.
    for (let version = 2; busy.status === 201 && version < 50; version++)
      busy = await send('ra-clerk-1', 'Appendix C', `${version}`, `x${version}`)
    assert.deepEqual([busy.status, code(busy)], [503, 'UPLOADS_BUSY'])
    const statuses = await Promise.all(slow.map(one => one.finish()))
    assert.deepEqual(statuses.toSorted(), [201, 409, 409])
    assert.equal((await send('ra-clerk-1', 'Appendix C', '99', 'y')).status, 201)
  })

  it('gives a CPS to nobody but those whom the register names, and each of them is on record', async () => {
    const statement = 'How the keys are really kept.\n'
    assert.equal((await send('ra-clerk-1', 'Device CPS', '1.0', statement, { type: 'text/plain' })).status, 201)
    await decide('PMA/1', 'Device CPS')
    const given = { sha256: sha256(statement), outcome: 'approved', from: '2026-12-01', decision: 'PMA/1' }
    const to = '/documents/Device%20CPS/versions/1.0/decision'
    await assert.rejects(office.as('ra-manager-1').ask('POST', to, given), /NOT_THE_APPROVER|for whoever approves/)
    assert.equal((await office.as('pma-member-1').ask('POST', to, given)).state, 'approved')

    for (const [as, reader] of [
      ['ra-clerk-1', 'DCC'],
      ['pma-member-2', 'SMKI PMA'],
    ] as const) {
      const file = await fetchFile(as, 'Device CPS', '1.0')
      assert.deepEqual([file.status, file.text], [200, statement])
      const entry = (await acts(office.rooms.store)).findLast(({ act }) => act === 'read document')!
      assert.deepEqual(
        [entry.body.by, entry.body.reader, entry.body.document],
        [await person(as), reader, 'Device CPS'],
      )
    }
    for (const as of ['import-supplier', 'network-operator', 'dcc']) {
      const no = await fetchFile(as, 'Device CPS', '1.0')
      assert.deepEqual([no.status, code(no)], [403, 'DOCUMENT_CONFIDENTIAL'], as)
      const entry = (await acts(office.rooms.store)).findLast(({ act }) => act === 'refused')!
      assert.deepEqual([entry.body.code, entry.body.by], ['DOCUMENT_CONFIDENTIAL', await person(as)])
      const { documents: listed } = await office.as(as).ask<{ documents: { ref: string }[] }>('GET', '/documents')
      assert.ok(listed.length > 20 && !listed.some(one => one.ref.includes('CPS')))
      await assert.rejects(
        office.as(as).ask('GET', '/documents/Device%20CPS'),
        /for the DCC and for those who oversee it/,
      )
    }
    assert.ok(!office.log.join('').includes('really kept'))
    assert.ok(!JSON.stringify(await acts(office.rooms.store)).includes('really kept'))
  })

  it('shows a Party no draft, and gives it none', async () => {
    const of = await office
      .as('import-supplier')
      .ask<{ versions: { version: string }[] }>('GET', '/documents/Appendix%20A')
    assert.deepEqual(
      of.versions.map(one => one.version),
      ['1.0'],
    )
    const no = await fetchFile('import-supplier', 'Appendix A', '2.0')
    assert.deepEqual([no.status, code(no)], [403, 'VERSION_NOT_PUBLISHED'])
    assert.equal((await fetchFile('ra-clerk-2', 'Appendix A', '2.0')).status, 200)
  })

  it('describes files as files', async () => {
    const { paths } = await office.description()
    const enter = paths['/1.0/documents/{ref}/versions']!.post!
    assert.deepEqual(Object.keys(enter.requestBody!.content).includes('application/pdf'), true)
    const file = paths['/1.0/documents/{ref}/versions/{version}/file']!.get!
    assert.ok(file.responses['200']!.content['application/pdf'])
    assert.equal(file.responses['200']!.content['application/json'], undefined)
  })

  it('is spoken to by command, from the first draft to the file on somebody’s desk', async () => {
    const file = join(desk, 'rapp.md')
    writeFileSync(file, '# The RAPP\n')
    assert.match(
      await run('ra-clerk-1', 'documents', 'list'),
      /^Appendix D +- +- +Change Board +SMKI Registration/m,
    )
    assert.match(await run('ra-clerk-1', 'documents', 'show', 'Appendix D'), /No version was entered\.\n/)
    const entered = await run('ra-clerk-1', 'documents', 'enter', 'Appendix D', '4.0', file)
    assert.equal(run.code, 0, entered)
    assert.match(entered, /^Appendix D 4\.0 is entered as a draft of 11 octets\.\nNext, by another person/)
    const line = /^ {2}smki (documents decide .*)$/m.exec(entered)![1]!
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!)
    const told = words
      .map(word => (word === 'DAY' ? '2026-11-30' : word))
      .map(word => (word === '--decision' ? '--basis' : word))
      .map(word => (word === 'REFERENCE' ? 'MP173' : word))
    assert.match(await run('ra-clerk-1', ...told), /^NOT_THE_APPROVER: /)
    assert.equal(await run('ra-manager-1', ...told), 'Appendix D 4.0 is approved, in force from 2026-11-30.\n')
    assert.match(await run('ra-manager-1', ...told), /^VERSION_DECIDED: /)
    assert.match(
      await run('ra-manager-1', 'documents', 'show', 'Appendix D'),
      /^4\.0 +approved +2026-11-30 to … +MP173 +11 octets/m,
    )

    const out = join(desk, 'fetched.md')
    const fetched = await run('import-supplier', 'documents', 'fetch', 'Appendix D', '4.0', '--out', out)
    assert.equal(fetched, `${out}: 11 octets, SHA-256 ${sha256('# The RAPP\n')}\n`)
    assert.equal(readFileSync(out, 'utf8'), '# The RAPP\n')
    assert.match(
      await run('import-supplier', 'documents', 'fetch', 'Appendix D', '4.0', '--out', out),
      /^FILE_EXISTS: /,
    )
    assert.match(
      await run('import-supplier', 'documents', 'fetch', 'Device CPS', '1.0', '--out', join(desk, 'cps')),
      /^DOCUMENT_CONFIDENTIAL: /,
    )
    assert.equal(run.code, 1)
    writeFileSync(join(desk, 'page.html'), '<html>')
    assert.match(
      await run('ra-clerk-1', 'documents', 'enter', 'Appendix D', '5.0', join(desk, 'page.html')),
      /^FILE_TYPE_REFUSED: .*say --type/,
    )
    assert.match(
      await run('ra-clerk-1', 'documents', 'enter', 'Appendix D', '5.0', join(desk, 'none.md')),
      /^cannot be read/,
    )
  })
})
