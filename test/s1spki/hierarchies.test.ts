/** S1SPKI FOC and MOC, each under its own policy: from OpenSSL's CSR to the certificate, the CRL and the ARL. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Refusal } from '../../src/ground/refusal.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { addOperatorAuthorities, renewRootLists } from '../../src/main/ceremony.ts'
import { profiledIssuing } from '../../src/main/profiled-issuing.ts'
import { main } from '../../src/main/smki.ts'
import { documents } from '../../src/policy/documents/document-set.ts'
import { lintCertificate, lintList } from '../../src/policy/lint/lint.ts'
import { type S1spki, s1spkiPolicy, s1spkis } from '../../src/policy/s1spki/policy.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { decideRequest } from '../../src/rooms/issuance/profiled-decide.ts'
import { issueProfiled } from '../../src/rooms/issuance/profiled-issue.ts'
import type { ProfiledRequest } from '../../src/rooms/issuance/profiled-request.ts'
import { submitS1spki } from '../../src/rooms/issuance/s1spki-submit.ts'
import { opensslCsr, opensslIn } from '../dccki/scene.ts'
import { noOpenssl } from '../outside.ts'
import { evidence, type Officers, refusal } from '../registration/office.ts'
import { openScene, type Scene } from '../revocation/scene.ts'

describe('the S1SPKIs', { skip: noOpenssl }, () => {
  let scene: Scene
  let acme: Officers & { party: number }
  let folder: string
  before(async () => {
    scene = await openScene(s1spkis, { names: { focOperator: 'Flame', mocOperator: 'Mercury' } })
    acme = await scene.subscriber('acme')
    folder = mkdtempSync(join(tmpdir(), 'opensmki-s1spki-'))
    await scene.renew()
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await scene.close()
  })

  const policyOf = (pki: S1spki) => s1spkiPolicy(scene.settings, pki)
  const asked = { evidence: evidence('request of the S1SP') }
  const enter = (pki: S1spki, csr: Buffer, by = scene.personnel[0]) =>
    submitS1spki(scene.hands, policyOf(pki), by, csr, asked)
  const deciders = (pki: string) => policyOf(pki as S1spki).procedures.approve
  const decide = ({ id }: ProfiledRequest, by = scene.managers[0], approve = true) =>
    decideRequest(scene.hands, deciders, by, id, { approve, words: 'checked with the S1SP' })
  const sign = async ({ id }: ProfiledRequest) => {
    const issuing = profiledIssuing(scene.hands, scene.keys.issuing, scene.settings)
    const issued = await issueProfiled(scene.hands, issuing, id)
    if (issued instanceof Refusal) throw issued
    return issued
  }
  const request = (operator: string, cohort: string, cn: string, purposes: string, again?: number) =>
    opensslCsr(folder, {
      key: 'P-256',
      subject: `/O=${operator}/OU=${cohort}/CN=${cn}`,
      usage: 'digitalSignature,keyAgreement',
      purposes,
      ...(again !== undefined && { again }),
    })
  const hub = '90B3D51F30010000'

  for (const [pki, operator, cohort] of [
    ['s1spki-foc', 'Flame', 'FOC'],
    ['s1spki-moc', 'Mercury', 'MOC'],
  ] as const) {
    it(`${cohort}: each kind is issued, lints clean, verifies with OpenSSL and smki verify, is revoked and listed`, async () => {
      const write = async () => {
        for (const level of ['root', 'issuing'] as const) {
          const list = (await scene.listed(pki, level)).list.der
          assert.deepEqual(
            lintList(list).map(one => one.rule),
            [],
          )
          writeFileSync(join(folder, `${level}.crl.pem`), toPem('X509 CRL', list))
          writeFileSync(
            join(folder, `${level}.pem`),
            toPem('CERTIFICATE', scene.authority(pki, level).certificate.der),
          )
        }
      }
      const chain = ['-x509_strict', '-CAfile', 'root.pem', '-untrusted', 'issuing.pem', '-crl_check_all']
      const verify = (purpose: string) =>
        opensslIn(
          folder,
          'verify',
          ...chain,
          '-attime',
          seconds(),
          '-purpose',
          purpose,
          '-CRLfile',
          'root.crl.pem',
          '-CRLfile',
          'issuing.crl.pem',
          'issued.pem',
        )
      const seconds = () => String(Math.floor(scene.hands.clock().getTime() / 1000))
      const smki = async () => {
        const at = (name: string) => join(folder, name)
        let code = 0
        const lists = ['--crl', at('issuing.crl.pem'), '--crl', at('root.crl.pem')]
        await main(
          [
            'verify',
            at('issued.pem'),
            '--trust',
            at('root.pem'),
            '--untrusted',
            at('issuing.pem'),
            ...lists,
            '--profile',
            'rfc5280',
          ],
          {
            out: () => {},
            err: () => {},
            exit: given => {
              code = given
            },
            clock: scene.hands.clock,
          },
        )
        return code
      }
      for (const [cn, purposes, purpose] of [
        ['hes.example', 'serverAuth,clientAuth', 'sslserver'],
        [hub, 'clientAuth', 'sslclient'],
      ] as const) {
        const entered = await enter(pki, request(operator, cohort, cn, purposes).csr)
        assert.equal(entered.state, 'verified', String(entered.refusal?.says))
        await decide(entered)
        const der = await sign(entered)
        assert.deepEqual(
          lintCertificate(der).map(one => one.rule),
          [],
        )
        writeFileSync(join(folder, 'issued.pem'), toPem('CERTIFICATE', der))
        await write()
        assert.match(verify(purpose), /issued\.pem: OK/)
        assert.equal(await smki(), 0)

        // The same certificate comes again, however often it is asked for.
        assert.ok((await sign(entered)).equals(der))
        const serial = opensslIn(folder, 'x509', '-in', 'issued.pem', '-noout', '-serial')
          .trim()
          .slice(7)
          .toLowerCase()
        const certificate = { authority: scene.authority(pki).id, serial }
        await assert.rejects(scene.ask(certificate, acme.aro), refusal('NOT_FOR_THIS_OFFICE'))
        const revoked = await scene.settle(await scene.ask(certificate))
        assert.equal(revoked.object, 'S1SPKI')
        const hours = scene.settings.lists.s1spkiCrl.afterRevocationHours
        assert.equal(revoked.listDueAt!.getTime() - revoked.revokedAt!.getTime(), hours * 3_600_000)
        scene.pass(2000)
        await scene.renew()
        await write()
        assert.throws(() => verify(purpose), /certificate revoked/)
        assert.equal(await smki(), 1)
      }
    })
  }

  it('each take what is their own, under their own names, and nothing of another', async () => {
    const made = request('Flame', 'FOC', 'hes.example', 'serverAuth,clientAuth')
    const refused = async (pki: S1spki, csr: Buffer, code: string) => {
      const { state, refusal: why } = await enter(pki, csr)
      assert.deepEqual([state, why?.code], ['refused', code], String(why?.says))
    }
    const { number } = made
    await refused('s1spki-moc', made.csr, 'CR:CC5')
    await refused(
      's1spki-foc',
      request('Mercury', 'FOC', 'hes.example', 'serverAuth,clientAuth', number).csr,
      'CR:CC5',
    )
    await refused(
      's1spki-foc',
      request('Flame', 'MOC', 'hes.example', 'serverAuth,clientAuth', number).csr,
      'CR:CC5',
    )
    await refused('s1spki-foc', request('Flame', 'FOC', hub.toLowerCase(), 'clientAuth', number).csr, 'CR:CC5')
    await refused('s1spki-foc', request('Flame', 'FOC', hub, 'serverAuth,clientAuth', number).csr, 'CR:CC5')
    await refused('s1spki-foc', request('Flame', 'FOC', hub, 'codeSigning', number).csr, 'CR:CC6')
    const rsa = { key: 'RSA', usage: 'digitalSignature,keyAgreement', purposes: 'clientAuth' } as const
    await refused('s1spki-foc', opensslCsr(folder, { ...rsa, subject: `/O=Flame/OU=FOC/CN=${hub}` }).csr, 'CR:CC1')
    // A key serves one name.
    const entered = await enter('s1spki-foc', made.csr)
    const other = request('Flame', 'FOC', 'hes2.example', 'serverAuth,clientAuth', number).csr
    await refused('s1spki-foc', other, 'KEY_OF_ANOTHER_SUBJECT')
    await decide(entered, scene.managers[1], false)
    assert.equal((await enter('s1spki-foc', other)).state, 'verified')
  })

  it('are entered with evidence by the Registration Authority, and approved by somebody else', async () => {
    const { csr } = request('Flame', 'FOC', hub, 'clientAuth')
    const bare = submitS1spki(scene.hands, policyOf('s1spki-foc'), scene.personnel[0], csr, {})
    await assert.rejects(bare, refusal('EVIDENCE_MISSING'))
    await assert.rejects(enter('s1spki-foc', csr, acme.aro), refusal('NOT_FOR_THIS_OFFICE'))
    const entered = await enter('s1spki-foc', csr, scene.managers[0])
    assert.equal((await enter('s1spki-foc', csr, scene.personnel[1])).id, entered.id)
    await assert.rejects(decide(entered, scene.managers[0]), refusal('TWO_PERSON_RULE'))
    await assert.rejects(decide(entered, scene.personnel[0]), refusal('NOT_FOR_THIS_OFFICE'))
    await assert.rejects(sign(entered), refusal('REQUEST_STATE'))
    await decide(entered, scene.managers[1])
    await assert.rejects(decide(entered, scene.managers[1]), refusal('REQUEST_STATE'))
    await sign(entered)
  })

  it('name documents of the register: a policy of the Code and a practice statement that is confidential', () => {
    for (const pki of s1spkis) {
      const { policy, practice } = policyOf(pki).documents
      const [one, other] = [policy, practice].map(ref => documents.find(row => row.ref === ref))
      assert.deepEqual([one?.kind, one?.confidential], ['CP', false])
      assert.deepEqual([other?.kind, other?.confidential, other?.approver], ['CPS', true, 'SMKI PMA'])
    }
  })

  it('may have several Operator Root CAs (SEED-001), each with its own issuing authority and lists', async () => {
    const lines: string[] = []
    await addOperatorAuthorities(scene.hands, scene.settings, scene.keys, 's1spki-foc', line => lines.push(line))
    const foc = (await authorities(scene.store)).filter(one => one.pki === 's1spki-foc')
    assert.deepEqual(
      foc.map(one => one.name),
      ['Operator Root CA 1', 'Operator Issuing CA 1', 'Operator Root CA 2', 'Operator Issuing CA 2'],
    )
    assert.match(lines.join('\n'), /CN=Operator Root CA 2/)
    const [, , root, issuing] = foc
    writeFileSync(join(folder, 'root-2.pem'), toPem('CERTIFICATE', root!.certificate.der))
    writeFileSync(join(folder, 'issuing-2.pem'), toPem('CERTIFICATE', issuing!.certificate.der))
    const at = String(Math.floor(scene.hands.clock().getTime() / 1000))
    assert.match(
      opensslIn(folder, 'verify', '-x509_strict', '-attime', at, '-CAfile', 'root-2.pem', 'issuing-2.pem'),
      /OK/,
    )
    // The newest issues; the lists of all go on.
    const { csr } = request('Flame', 'FOC', hub, 'clientAuth')
    const entered = await enter('s1spki-foc', csr)
    await decide(entered)
    const der = await sign(entered)
    writeFileSync(join(folder, 'second.pem'), toPem('CERTIFICATE', der))
    const path = ['-CAfile', 'root-2.pem', '-untrusted', 'issuing-2.pem', 'second.pem']
    assert.match(opensslIn(folder, 'verify', '-x509_strict', '-attime', at, ...path), /OK/)
    scene.pass(12 * 3_600_000)
    const renewed = (await scene.renew()).filter(list => foc.some(one => one.id === list.authority))
    assert.equal(renewed.length, 2)

    // An issuing authority that is revoked stands on the ARL of its own root.
    const old = { authority: foc[0]!.id, serial: Buffer.from(foc[1]!.certificate.serial).toString('hex') }
    const decision = await scene.decision(['revoke'], [`certificate:${old.authority}:${old.serial}`])
    await scene.settle(await scene.ask(old, scene.managers[0], { ground: 'direction', decision }))
    scene.pass(1000)
    await renewRootLists(scene.hands, scene.settings, scene.keys.root, () => {})
    assert.ok((await scene.listed('s1spki-foc', 'root')).entries.has(old.serial))
  })
})
