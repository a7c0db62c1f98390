/** An S1SP's CSR through the operator API: entered by one officer, approved by another, issued by the signer, handed on. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { toPem } from '../../src/ground/x509/pem.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { opensslCsr, opensslIn } from '../dccki/scene.ts'
import { type OperatorOffice, openOperatorOffice, refusal } from '../operator/office.ts'
import { noOpenssl } from '../outside.ts'

interface Entered {
  request: string
  state: string
  refusal?: { code: string }
  certificate?: { authority: number; serial: string }
}

describe('an S1SP, through the operator API', { skip: noOpenssl }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-s1spki-api-'))
  let office: OperatorOffice
  before(async () => {
    // The office knows every PKI; its own tests need two.
    office = await openOperatorOffice({}, 's1spki-moc' as never)
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await office.close()
  })

  const path = '/s1spki/s1spki-moc/csrs'
  const given = { evidence: [{ kind: 'request of the S1SP', reference: 'letter 7' }] }
  const enter = (subject: string, as = 'ra-clerk-1') => {
    const usage = 'digitalSignature,keyAgreement'
    const { csr } = opensslCsr(folder, { key: 'P-256', subject, usage, purposes: 'clientAuth' })
    return office.as(as).ask<Entered>('POST', path, { csr: toPem('CERTIFICATE REQUEST', csr), ...given })
  }
  const decide = (request: string, as: string, approve = true) =>
    office.as(as).ask<Entered>('POST', `${path}/${request}/decision`, { approve, words: 'checked' })

  it('gets its certificate by two people, and OpenSSL trusts it', async () => {
    const entered = await enter('/O=MOC S1SP/OU=MOC/CN=90B3D51F30010000')
    assert.equal(entered.state, 'verified')
    await assert.rejects(decide(entered.request, 'ra-clerk-1'), refusal('NOT_FOR_THIS_OFFICE'))
    const issued = await decide(entered.request, 'ra-manager-1')
    assert.equal(issued.state, 'issued')
    const found = await office
      .as('ra-clerk-1')
      .ask<{ certificate: string }>('GET', `${path}/${issued.request}/certificate`)
    writeFileSync(join(folder, 'issued.pem'), found.certificate)
    const known = (await authorities(office.rooms.hands.store)).filter(one => one.pki === 's1spki-moc')
    for (const one of known)
      writeFileSync(join(folder, `${one.level}.pem`), toPem('CERTIFICATE', one.certificate.der))
    const chain = ['-x509_strict', '-purpose', 'sslclient', '-CAfile', 'root.pem', '-untrusted', 'issuing.pem']
    assert.match(opensslIn(folder, 'verify', ...chain, 'issued.pem'), /issued\.pem: OK/)
  })

  it('is refused in words, and a request of one PKI is not found under another', async () => {
    const other = await enter('/O=FOC S1SP/OU=MOC/CN=90B3D51F30010000')
    assert.deepEqual([other.state, other.refusal?.code], ['refused', 'CR:CC5'])
    const waiting = await enter('/O=MOC S1SP/OU=MOC/CN=90B3D51F30010001', 'ra-manager-1')
    await assert.rejects(decide(waiting.request, 'ra-manager-1'), refusal('TWO_PERSON_RULE'))
    const foreign = `/s1spki/s1spki-foc/csrs/${waiting.request}/decision`
    await assert.rejects(
      office.as('ra-manager-2').ask('POST', foreign, { approve: true }),
      refusal('REQUEST_UNKNOWN'),
    )
    await assert.rejects(
      office.as('ra-clerk-1').ask('GET', `${path}/${waiting.request}/certificate`),
      refusal('REQUEST_STATE'),
    )
    assert.equal((await decide(waiting.request, 'ra-manager-2', false)).refusal?.code, 'REFUSED_BY_RA')
    const { requests } = await office.as('pma-member-1').ask<{ requests: Entered[] }>('GET', path)
    assert.deepEqual(
      requests.map(one => one.state),
      ['refused', 'refused', 'issued'],
    )
  })
})
