/** A Registration Authority with authorities that issue and sign lists, on one store and one clock that tests turn. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '../../src/ground/bytes.ts'
import type { KeyStore } from '../../src/ground/keystore/keystore.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { createSoftwareKeyStore } from '../../src/ground/keystore/software.ts'
import type { Certificate } from '../../src/ground/x509/certificate.ts'
import { readReasonCode } from '../../src/ground/x509/extensions.ts'
import { readList } from '../../src/ground/x509/list.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { ceremony } from '../../src/main/ceremony.ts'
import { parseSettings } from '../../src/main/home.ts'
import { systemChance } from '../../src/main/world.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import type { PkiName } from '../../src/policy/profile.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import type { Settings } from '../../src/policy/settings.ts'
import { type AuthorityRecord, authorities } from '../../src/rooms/authority/register.ts'
import { type DecidedAct, recordDecision } from '../../src/rooms/governance/decisions.ts'
import { issueIki, issueOrganisation } from '../../src/rooms/issuance/single.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { type CredentialRequest, handOver, requestCredential } from '../../src/rooms/registration/credentials.ts'
import { rangesInForce } from '../../src/rooms/registration/party.ts'
import { writeEui64 } from '../../src/rooms/registration/ranges.ts'
import { approve, type Kinds, verify } from '../../src/rooms/registration/tasks.ts'
import { currentLists, type LodgedList } from '../../src/rooms/repository/lists.ts'
import { caseOf, type RevocationCase } from '../../src/rooms/revocation/case.ts'
import type { RevocationHands } from '../../src/rooms/revocation/hands.ts'
import { revocationKinds } from '../../src/rooms/revocation/kinds.ts'
import type { CertificateRef } from '../../src/rooms/revocation/object.ts'
import { type OpenedCase, requestRevocation } from '../../src/rooms/revocation/request.ts'
import { renewLists } from '../../src/rooms/revocation/schedule.ts'
import { csr, evidence, type Office, openOffice } from '../registration/office.ts'

export type Pki = Exclude<PkiName, 'test-tls'>

export interface Scene extends Omit<Office, 'hands' | 'kinds'> {
  readonly settings: Settings
  readonly hands: RevocationHands
  /** Of this room. */
  readonly kinds: Kinds
  readonly keys: { readonly root: KeyStore; readonly issuing: KeyStore }
  authority(pki: Pki, level?: 'root' | 'issuing'): AuthorityRecord
  /** An Organisation Certificate of that Party, for the nth identifier of its first range. */
  organisationCertificate(party: number, nth?: number): Promise<CertificateRef & { der: Buffer }>
  /** A credential that is handed over, with its certificate. */
  credential(
    request: Omit<CredentialRequest, 'csr' | 'systemName'>,
    by: Officer,
  ): Promise<CertificateRef & { credential: number; der: Buffer }>
  /** A decision of the SMKI PMA, in force from now on. */
  decision(acts: readonly DecidedAct[], subjects: readonly string[], limit?: number): Promise<string>
  /** A request by the RA for that certificate, or by somebody else. */
  ask(certificate: CertificateRef, by?: Officer, more?: Record<string, unknown>): Promise<OpenedCase>
  /** Verified by the Personnel, approved by a Manager. */
  settle(opened: OpenedCase, by?: { verify?: Officer; approve?: Officer }): Promise<RevocationCase>
  authenticate(opened: OpenedCase, by?: Officer): Promise<RevocationCase>
  /** The current list, and what it names, by serial number. */
  listed(pki: Pki, level?: 'root' | 'issuing'): Promise<{ list: LodgedList; entries: Map<string, Entry> }>
  /** What the signer does each minute. */
  renew(): ReturnType<typeof renewLists>
}

export interface Entry {
  readonly at: Date
  /** 0 when there is none. */
  readonly reason: number
}

/** What a list names, read as anybody reads it. */
export function entriesOf(der: Uint8Array): Map<string, Entry> {
  return new Map(
    [...readList(der).entries()].map(({ serial, revokedAt, extensions }) => {
      const value = extensions.find(one => one.oid === oids.reasonCode)?.value
      return [toHex(serial), { at: new Date(revokedAt.ms), reason: value ? readReasonCode(value) : 0 }]
    }),
  )
}

let names = 0

export async function openScene(
  pkis: readonly Pki[] = ['smki-organisation'],
  changes: Record<string, unknown> = {},
  opened?: string,
): Promise<Scene> {
  const office = await openOffice({}, opened)
  const settings = parseSettings(JSON.stringify({ environment: 'scene', kind: 'test', ...changes }), 'the test')
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-revocation-'))
  const keys = { root: keyStore(folder, 'root'), issuing: keyStore(folder, 'issuing') }
  const custody = { contingency: keyStore(folder, 'contingency'), symmetric: keyStore(folder, 'symmetric') }
  await ceremony(office.hands, settings, { ...keys, custody }, pkis, () => {})
  for (const store of Object.values(custody)) store.close()
  const known = await authorities(office.store)
  const hands: RevocationHands = {
    ...office.hands,
    revocation: settings.revocation,
    schedules: listSchedules(settings),
  }
  const kinds = revocationKinds(hands)
  const authority: Scene['authority'] = (pki, level = 'issuing') =>
    known.find(one => one.pki === pki && one.level === level)!
  const by = (pki: Pki, profile: string) => ({
    record: authority(pki),
    keys: keys.issuing,
    profile: profileNamed(settings, profile),
  })
  const ref = (pki: Pki, certificate: Certificate) => ({
    authority: authority(pki).id,
    serial: toHex(certificate.serial),
    der: Buffer.from(certificate.der),
  })
  // One key of the tests stands in every IKI Certificate: to make another takes as long as all the rest.
  let ikiKey: Uint8Array | undefined
  const scene: Scene = {
    ...office,
    settings,
    hands,
    kinds,
    keys,
    authority,
    async organisationCertificate(party, nth = 0) {
      const [range] = await rangesInForce(office.store, party)
      const request = {
        role: 2,
        eui64: writeEui64(range!.first + BigInt(nth)),
        usage: 'digitalSignature',
        publicKey: makeKeyPair('P-256').publicKey,
      } as const
      const certificate = await issueOrganisation(
        hands,
        by('smki-organisation', 'Organisation Certificate'),
        request,
      )
      return ref('smki-organisation', certificate)
    },
    async credential(request, requester) {
      ikiKey ??= makeKeyPair('RSA-2048').publicKey
      const systemName = `system ${++names}`
      const asked = await requestCredential(hands, requester, { ...request, systemName, csr: csr(systemName) })
      await office.decide(asked)
      const { credential: life } = asked
      const party = request.kind === 'RA_STAFF' ? office.operator : request.party!
      const certificate = await issueIki(hands, by('iki', 'IKI Client Certificate'), {
        party,
        kind: request.kind as 'PORTAL_ORG',
        role: request.role,
        systemName,
        tradingName: 'Test',
        publicKey: ikiKey,
        life,
      })
      const other = request.person === office.personnel[0].person ? office.personnel[1] : office.personnel[0]
      await handOver(hands, other, life, { evidence: evidence('receipt') })
      return { ...ref('iki', certificate), credential: life }
    },
    async decision(acts, subjects, limit) {
      const reference = `PMA-${++names}`
      const now = hands.clock()
      await recordDecision(hands, office.pma[0].person, {
        reference,
        acts,
        subjects,
        meeting: 'SMKI PMA 84',
        text: 'decided as proposed',
        members: office.pma.map(one => one.person),
        decidedAt: now,
        from: now,
        ...(limit !== undefined && { limit }),
      })
      return reference
    },
    ask: (certificate, requester = office.personnel[1], more = {}) =>
      requestRevocation(
        hands,
        requester,
        { certificate, ground: 'key compromise', ...more },
        { words: 'seen on a public site', evidence: evidence('signed form') },
      ),
    async authenticate(opened, verifier = office.personnel[0]) {
      await verify(hands, kinds, verifier, opened.task, {
        digest: opened.digest,
        words: 'called back',
        evidence: evidence(...settings.revocation.authenticationEvidence),
      })
      return caseOf(office.store, opened.case)
    },
    async settle(opened, { verify: verifier, approve: approver } = {}) {
      await scene.authenticate(opened, verifier)
      await approve(hands, kinds, approver ?? office.managers[1], opened.task, {
        digest: opened.digest,
        words: 'approved',
      })
      return caseOf(office.store, opened.case)
    },
    async listed(pki, level = 'issuing') {
      const { id } = authority(pki, level)
      const list = (await currentLists(office.store)).find(one => one.authority === id)!
      return { list, entries: entriesOf(list.der) }
    },
    renew: () => renewLists(hands, keys.issuing, hands.schedules),
    async close() {
      keys.root.close()
      keys.issuing.close()
      await office.close()
      rmSync(folder, { recursive: true })
    },
  }
  return scene
}

function keyStore(folder: string, name: string): KeyStore {
  return createSoftwareKeyStore({
    path: join(folder, name, 'keys'),
    name,
    passphrase: Buffer.from('a passphrase of the tests'),
    chance: systemChance,
    log2N: 10,
    allowWeak: true,
  })
}

/** An instant so many hours after another. */
export const hours = (count: number): number => count * 3_600_000
