/** What people approved and the signer issues: Organisation, IKI and S1SPKI Certificates. */

import assert from 'node:assert/strict'
import { makeKeyPair } from '../../../src/ground/keystore/pair.ts'
import { readCertificate } from '../../../src/ground/x509/certificate.ts'
import { toPem } from '../../../src/ground/x509/pem.ts'
import { ikiCsr } from '../../../src/main/csr.ts'
import { roomSigning } from '../../../src/main/signer-rooms.ts'
import { s1spkiPolicy } from '../../../src/policy/s1spki/policy.ts'
import { readIkiCsr } from '../../../src/rooms/issuance/iki-csr.ts'
import { unansweredCredentials } from '../../../src/rooms/issuance/iki-issue.ts'
import { unansweredSubmissions } from '../../../src/rooms/issuance/organisation-issue.ts'
import { type Shown, submitOrganisation } from '../../../src/rooms/issuance/organisation-submit.ts'
import { decideRequest } from '../../../src/rooms/issuance/profiled-decide.ts'
import { unansweredRequests } from '../../../src/rooms/issuance/profiled-issue.ts'
import { submitS1spki } from '../../../src/rooms/issuance/s1spki-submit.ts'
import type { RoomQuestion } from '../../../src/rooms/issuance/signing.ts'
import { requestCredential } from '../../../src/rooms/registration/credentials.ts'
import { opensslCsr } from '../../dccki/scene.ts'
import { csrFor } from '../../organisation/portal.ts'
import { evidence } from '../../registration/office.ts'
import { type Scenario, scenario } from '../scenario.ts'
import type { Acting, Stage } from '../stage.ts'

let nth = 0

const asker = ({ hands, keys, settings }: Acting) => roomSigning(hands, keys.issuing, settings)

/** What a signer does when it starts: it issues what was approved and not answered. */
async function start(acting: Acting): Promise<void> {
  const ask = asker(acting)
  const { store, clock } = acting.hands
  const before = new Date(clock().getTime() + 1)
  const waiting: RoomQuestion[] = [
    ...(await unansweredSubmissions(store, before)).map(
      submission => ({ ask: 'organisation', submission }) as const,
    ),
    ...(await unansweredCredentials(store, before)).map(one => ({ ask: 'iki', ...one }) as const),
    ...(await unansweredRequests(store, before)).map(request => ({ ask: 'profiled', request }) as const),
  ]
  for (const question of waiting) await ask(question)
}

/** One certificate exists for it, whatever was given up. */
async function one({ scene }: Stage, column: 'eui64' | 'key_id', value: Uint8Array): Promise<void> {
  const { rows } = await scene.store.query<{ count: bigint }>(
    `SELECT count(*) AS count FROM certificate c JOIN signing s ON s.id = c.signing
      WHERE c.${column} = $1 AND s.state = 'complete'`,
    [value],
  )
  assert.equal(rows[0]!.count, 1n, 'one certificate exists')
}

interface Submission {
  readonly shown: Shown
  readonly eui64: string
  readonly csr: string
  readonly reference: string
}

const organisation = scenario<Submission>({
  name: 'an Organisation CSR, submitted and issued',
  async prepare({ supplier }) {
    const eui64 = (BigInt(`0x${supplier.eui64}`) + BigInt(++nth)).toString(16).padStart(16, '0')
    const csr = toPem('CERTIFICATE REQUEST', csrFor(eui64, 0x02))
    return { shown: supplier.shown, eui64, csr, reference: `faults-${nth}` }
  },
  act: submitAndAsk,
  async finish(acting, given) {
    await start(acting)
    // Under its reference it is the same submission.
    const answer = await submitAndAsk(acting, given)
    assert.ok('certificate' in answer, JSON.stringify(answer))
  },
  check: (stage, { eui64 }) => one(stage, 'eui64', Buffer.from(eui64, 'hex')),
})

async function submitAndAsk(acting: Acting, { shown, csr, reference }: Submission) {
  const rules = {
    organisationNameCharacters: acting.settings.certificates.organisationNameCharacters,
    rejectionDays: acting.settings.issuing.rejectionDays,
  }
  const { id, state, refusal } = await submitOrganisation(acting.hands, rules, {
    credential: shown,
    csr,
    reference,
  })
  assert.ok(['approved', 'issued'].includes(state), `${state} ${refusal?.says}`)
  return asker(acting)({ ask: 'organisation', submission: id })
}

const rsa = makeKeyPair('RSA-2048')

const iki = scenario<{ credential: number; csr: Uint8Array }>({
  name: 'an IKI credential',
  async prepare({ scene, supplier }) {
    const asked = {
      kind: 'BATCH_WS',
      party: supplier.party,
      tradingName: 'supplier',
      role: 0x02,
      systemName: `faults ${++nth}`,
    } as const
    const csr = ikiCsr(rsa, asked)
    const digests = readIkiCsr(asked.kind, csr)
    const { kind, party, role, systemName } = asked
    const opened = await requestCredential(scene.hands, supplier.sro, {
      kind,
      party,
      role,
      systemName,
      csr: { sha256: digests.sha256, publicKeySha256: digests.publicKeySha256 },
    })
    await scene.decide(opened)
    return { credential: opened.credential, csr }
  },
  act: (acting, given) => asker(acting)({ ask: 'iki', ...given }),
  async finish(acting, given) {
    await start(acting)
    const answer = await asker(acting)({ ask: 'iki', ...given })
    assert.ok('certificate' in answer, JSON.stringify(answer))
  },
  async check({ scene }, { credential }) {
    const { rows } = await scene.store.query<{ count: bigint; complete: bigint }>(
      `SELECT count(*) AS count, count(*) FILTER (WHERE s.state = 'complete') AS complete
         FROM credential r JOIN certificate c ON c.serial = r.serial JOIN signing s ON s.id = c.signing
        WHERE r.life = $1`,
      [credential],
    )
    assert.deepEqual(rows[0], { count: 1n, complete: 1n })
  },
})

const s1spki = scenario<{ request: bigint }>({
  name: 'an S1SPKI request',
  async prepare({ scene, folder }) {
    const policy = s1spkiPolicy(scene.settings, 's1spki-foc')
    const { csr } = opensslCsr(folder, {
      key: 'P-256',
      subject: `/O=${scene.settings.names.focOperator}/OU=FOC/CN=hes-${++nth}.example`,
      usage: 'digitalSignature,keyAgreement',
      purposes: 'serverAuth,clientAuth',
    })
    const words = { evidence: evidence('request of the S1SP') }
    const entered = await submitS1spki(scene.hands, policy, scene.personnel[0], csr, words)
    assert.equal(entered.state, 'verified', String(entered.refusal?.says))
    const decision = { approve: true, words: 'checked with the S1SP' }
    await decideRequest(scene.hands, () => policy.procedures.approve, scene.managers[0], entered.id, decision)
    return { request: entered.id }
  },
  act: (acting, { request }) => asker(acting)({ ask: 'profiled', request }),
  async finish(acting, { request }) {
    await start(acting)
    const answer = await asker(acting)({ ask: 'profiled', request })
    assert.ok('certificate' in answer, JSON.stringify(answer))
    readCertificate(Buffer.from(answer.certificate))
  },
  async check({ scene }, { request }) {
    const { rows } = await scene.store.query<{ state: string; complete: bigint }>(
      `SELECT r.state, (SELECT count(*) FROM certificate c JOIN signing s ON s.id = c.signing
                         WHERE c.serial = r.serial AND s.state = 'complete') AS complete
         FROM profiled_request r WHERE r.id = $1`,
      [request],
    )
    assert.deepEqual(rows, [{ state: 'issued', complete: 1n }])
  },
})

export const approvedScenarios: readonly Scenario[] = [organisation, iki, s1spki]
