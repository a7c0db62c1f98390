/** The SMKI Portal's rooms with real parts: a Registration Authority, authorities, subscribers with their credentials. */

import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KeyPair, makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { createSoftwareKeyStore, type SoftwareKeyStore } from '../../src/ground/keystore/software.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { ceremony } from '../../src/main/ceremony.ts'
import { ikiCsr, organisationCsr } from '../../src/main/csr.ts'
import { parseSettings } from '../../src/main/home.ts'
import { roomSigning } from '../../src/main/signer-rooms.ts'
import { systemChance } from '../../src/main/world.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import type { PkiName } from '../../src/policy/profile.ts'
import type { CertificateKind } from '../../src/policy/registration/credentials.ts'
import type { Settings } from '../../src/policy/settings.ts'
import { issuingAuthority } from '../../src/rooms/authority/register.ts'
import { readIkiCsr } from '../../src/rooms/issuance/iki-csr.ts'
import type { Submission } from '../../src/rooms/issuance/organisation-csr.ts'
import { issueSubmission, type OrganisationIssuing } from '../../src/rooms/issuance/organisation-issue.ts'
import {
  type OrganisationRules,
  type Shown,
  submitOrganisation,
} from '../../src/rooms/issuance/organisation-submit.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { handOver, requestCredential } from '../../src/rooms/registration/credentials.ts'
import { recordCredential } from '../../src/rooms/registration/parties.ts'
import { evidence, type Office, openOffice } from '../registration/office.ts'

export interface Portal {
  readonly office: Office
  readonly settings: Settings
  readonly keys: { readonly root: SoftwareKeyStore; readonly issuing: SoftwareKeyStore }
  readonly rules: OrganisationRules
  /** Laid out as a home is, as far as a signer needs one. */
  readonly folder: string
  /** As the signer has it; over the key store of this environment. */
  issuing(): Promise<OrganisationIssuing>
  /** The signer in this process. */
  readonly ask: ReturnType<typeof roomSigning>
  /** What an ARO shows: an IKI Certificate of the kind, recorded and handed over, without an authority behind it. */
  shown(party: number, by: Officer, kind?: CertificateKind): Promise<Shown & { readonly credential: number }>
  submit(shown: Shown, csr: Uint8Array | string, reference?: string): Promise<Submission>
  /** Submits what must be approved, and has it issued. */
  issue(shown: Shown, csr: Uint8Array): Promise<{ submission: Submission; certificate: Certificate }>
  close(): Promise<void>
}

export async function openPortal({
  pkis = ['smki-organisation'],
  opened,
}: {
  pkis?: readonly Exclude<PkiName, 'test-tls'>[]
  opened?: string
} = {}): Promise<Portal> {
  const office = await openOffice({}, opened)
  const { hands } = office
  const settings = parseSettings(JSON.stringify({ environment: 'portal', kind: 'test' }), 'the test')
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-portal-'))
  const make = (name: string) =>
    createSoftwareKeyStore({
      path: join(folder, name, 'keys'),
      name,
      passphrase: Buffer.from(passphrase),
      chance: systemChance,
      log2N: 10,
      allowWeak: true,
    })
  const keys = { root: make('root'), issuing: make('issuing') }
  const custody = { contingency: make('contingency'), symmetric: make('symmetric') }
  await ceremony(hands, settings, { ...keys, custody }, pkis, () => {})
  for (const store of Object.values(custody)) store.close()
  const { organisationNameCharacters } = settings.certificates
  const rules = { organisationNameCharacters, rejectionDays: settings.issuing.rejectionDays }

  const issuing: Portal['issuing'] = async () => ({
    record: await issuingAuthority(hands.store, 'smki-organisation'),
    keys: keys.issuing,
    profile: profileNamed(settings, 'Organisation Certificate'),
    organisationNameCharacters,
  })
  let serial = 0
  const portal: Portal = {
    office,
    settings,
    keys,
    rules,
    folder,
    issuing,
    ask: roomSigning(hands, keys.issuing, settings),
    async shown(party, by, kind = 'PORTAL_ORG') {
      const systemName = `credential-${++serial}`
      const person = kind.startsWith('PORTAL') ? { person: by.person } : {}
      const digests = { sha256: digest(`csr ${systemName}`), publicKeySha256: digest(`key ${systemName}`) }
      const asked = await requestCredential(hands, by, { kind, party, systemName, csr: digests, ...person })
      await office.decide(asked)
      const issuer = Buffer.from(`an authority of credentials ${serial}`)
      const certificate = { issuer: { der: issuer }, serial: Buffer.alloc(16, serial) }
      await hands.store.transaction(client =>
        recordCredential(
          client,
          certificate,
          { party, kind, role: undefined, systemName, life: asked.credential },
          hands.clock(),
        ),
      )
      await handOver(hands, office.personnel[0], asked.credential, { evidence: evidence('receipt') })
      return { issuer, serial: certificate.serial, credential: asked.credential }
    },
    submit: (credential, csr, reference) =>
      submitOrganisation(hands, rules, {
        credential,
        csr: typeof csr === 'string' ? csr : toPem('CERTIFICATE REQUEST', csr),
        reference,
      }),
    async issue(shown, csr) {
      const submission = await portal.submit(shown, csr)
      if (submission.state !== 'approved')
        throw new Error(`${submission.refusal?.code} ${submission.refusal?.says}`)
      const issued = await issueSubmission(hands, await issuing(), submission.id)
      if (issued instanceof Refusal) throw issued
      return { submission, certificate: readCertificate(issued) }
    },
    async close() {
      keys.root.close()
      keys.issuing.close()
      await office.close()
      rmSync(folder, { recursive: true })
    },
  }
  return portal
}

export const passphrase = 'a passphrase of the tests'

export type Usage = 'digitalSignature' | 'keyAgreement'

/** A good Organisation CSR. */
export function csrFor(
  eui64: string,
  role: number,
  usage: Usage = 'digitalSignature',
  more: { readonly pair?: KeyPair; readonly commonName?: string } = {},
): Buffer {
  const { pair = makeKeyPair('P-256'), commonName } = more
  return organisationCsr(pair, { commonName, role, eui64: Buffer.from(eui64, 'hex') }, usage)
}

/** A request for an IKI credential with its CSR, taken through approval. */
export async function approvedIki(
  { office }: Portal,
  by: Officer,
  request: {
    readonly kind: CertificateKind
    readonly party: number
    readonly tradingName: string
    readonly role?: number
    readonly systemName: string
    readonly pair: KeyPair
    readonly person?: string
    readonly replaces?: number
  },
  csr = ikiCsr(request.pair, { role: 0x7f, ...request }),
): Promise<{ credential: number; csr: Buffer }> {
  const { kind, party, role, systemName, person, replaces } = request
  const { sha256, publicKeySha256 } = readIkiCsr(kind, csr)
  const asked = await requestCredential(office.hands, by, {
    kind,
    party,
    role,
    systemName,
    person,
    replaces,
    csr: { sha256, publicKeySha256 },
  })
  await office.decide(asked)
  return { credential: asked.credential, csr }
}

const digest = (text: string): string => hash('sha256', text, 'hex')
