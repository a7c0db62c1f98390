/** Files of the DCCKI Document Set: the RAPP for every DCCKI Subscriber, the CPS for those who oversee it. */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { documents } from '../../src/policy/documents/document-set.ts'
import { enterDocuments } from '../../src/rooms/governance/documents.ts'
import { decideEntered, enterVersion } from '../../src/rooms/governance/entering.ts'
import { noOpenssl } from '../outside.ts'
import { type Credential, type Dccki, openDccki, type Subscriber } from './scene.ts'

describe('files of the DCCKI Document Set', { skip: noOpenssl }, () => {
  let dccki: Dccki
  let acme: Subscriber
  let manager: Credential
  before(async () => {
    dccki = await openDccki()
    acme = await dccki.subscriber('acme')
    const { personnel, managers } = dccki.scene
    manager = await dccki.credential(undefined, 'RA_STAFF', personnel[1], managers[0])
    await dccki.scene.renew()
    const { hands } = dccki.scene
    await enterDocuments(hands, personnel[0].person, documents)
    for (const document of ['Appendix W', 'DCCKI CPS', 'Appendix D']) await enter(document, '1.0')
    const from = '2026-01-01'
    for (const document of ['Appendix W', 'DCCKI CPS', 'Appendix D']) {
      const { sha256 } = text(document, '1.0')
      const given = { document, version: '1.0', sha256, outcome: 'approved', from } as const
      await decideEntered(hands, managers[0], { ...given, under: { basis: 'a test' } })
    }
    await enter('Appendix W', '1.1')
  })
  after(() => dccki.close())

  const text = (document: string, version: string) => {
    const octets = Buffer.from(`${document}, version ${version}\n`)
    return { octets, sha256: hash('sha256', octets, 'hex') }
  }
  const enter = (document: string, version: string) => {
    const given = { document, version, mediaType: 'text/plain', ...text(document, version) }
    return enterVersion(dccki.scene.hands, dccki.scene.personnel[0], given, 1 << 20)
  }
  const file = (by: Credential, document: string, version: string) =>
    dccki.ask(by, `/dccki/documents/${encodeURIComponent(document)}/versions/${version}/file`)

  it('are downloaded as they were entered, by a Subscriber too', async () => {
    const { status, body, headers } = await file(acme.token, 'Appendix W', '1.0')
    assert.deepEqual([status, body.toString()], [200, 'Appendix W, version 1.0\n'])
    assert.equal(headers['content-disposition'], 'attachment; filename="Appendix-W-1.0.txt"')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers.etag, `"${text('Appendix W', '1.0').sha256}"`)
    const [listed] = (await dccki.ask(acme.token, '/dccki/documents/Appendix%20W')).json.versions
    assert.deepEqual([listed.version, listed.kept], ['1.0', true])
  })

  it('are not, where they are confidential, a draft, or of another set', async () => {
    for (const [document, version, code] of [
      ['DCCKI CPS', '1.0', 'DOCUMENT_CONFIDENTIAL'],
      ['Appendix W', '1.1', 'VERSION_NOT_PUBLISHED'],
      ['Appendix W', '9', 'VERSION_UNKNOWN'],
      ['Appendix D', '1.0', 'DOCUMENT_UNKNOWN'],
    ] as const) {
      const { json, body } = await file(acme.token, document, version)
      assert.equal(json.code, code)
      assert.ok(!body.toString().includes('version 1.'), document)
    }
    assert.equal((await file(manager, 'DCCKI CPS', '1.0')).body.toString(), 'DCCKI CPS, version 1.0\n')
    const acts = await dccki.scene.journal()
    const read = acts.findLast(({ act }) => act === 'read document')!
    assert.deepEqual([read.body.document, read.body.reader], ['DCCKI CPS', 'DCC'])
    assert.ok(acts.some(({ act, body }) => act === 'refused' && body.code === 'DOCUMENT_CONFIDENTIAL'))
  })
})
