/** Registers the Parties of a test environment by the procedures of the RAPP, by named test officers. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bytes, fromHex } from '../ground/bytes.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import { type KeyPair, makeKeyPair } from '../ground/keystore/pair.ts'
import type { Certificate } from '../ground/x509/certificate.ts'
import { toPem } from '../ground/x509/pem.ts'
import { profileNamed } from '../policy/hierarchies.ts'
import type { CertificateKind } from '../policy/registration/credentials.ts'
import { roleName } from '../policy/roles.ts'
import type { Settings } from '../policy/settings.ts'
import type { Hands as AuthorityHands } from '../rooms/authority/issue-one.ts'
import { authorities, issuingAuthority } from '../rooms/authority/register.ts'
import { admitOrganisation } from '../rooms/issuance/admit-organisation.ts'
import { issueOrganisation } from '../rooms/issuance/single.ts'
import type { Officer } from '../rooms/registration/act.ts'
import { applyAsSubscriber } from '../rooms/registration/applications.ts'
import { handOver, requestCredential } from '../rooms/registration/credentials.ts'
import { giveApiKey } from '../rooms/registration/give.ts'
import { nominate } from '../rooms/registration/nominations.ts'
import { apply, submitForm } from '../rooms/registration/organisation.ts'
import { enterPerson } from '../rooms/registration/people.ts'
import { planOf, planSrept, recordResult, requestCompletion } from '../rooms/registration/srept.ts'
import { ikiCsr, organisationCsr } from './csr.ts'
import { type Home, privateFolder, writePrivate } from './home.ts'
import { credentialIssuer } from './issue-credential.ts'
import { type IssueCredential, type Office, openOffice, personsRole } from './registration-office.ts'
import { type TestParty, testParties } from './test-parties.ts'
import { tlsFiles } from './tls-ca.ts'

/** Takes an Organisation CSR that an ARO submits through its checks, and issues it. */
export type IssueOrganisation = (aro: Officer, csr: Bytes) => Promise<Certificate>

type Witness = (line: string) => void

const minutes = [{ kind: 'minutes', reference: 'ceremony of the test environment' }]
const paper = [{ kind: 'signed form', reference: 'test environment' }]

const officers = [
  { name: 'ra-manager-1', person: 'Morgan Manager', office: 'RA_MANAGER' },
  { name: 'ra-manager-2', person: 'Robin Manager', office: 'RA_MANAGER' },
  { name: 'ra-clerk-1', person: 'Casey Clerk', office: 'RA_PERSONNEL' },
  { name: 'ra-clerk-2', person: 'Charlie Clerk', office: 'RA_PERSONNEL' },
  { name: 'pma-member-1', person: 'Pat Member', office: 'PMA_MEMBER' },
  { name: 'pma-member-2', person: 'Parker Member', office: 'PMA_MEMBER' },
] as const

/** The Registration Authority of a test environment, and its Parties. */
export async function registerTestEnvironment(
  hands: AuthorityHands,
  home: Home,
  settings: Settings,
  keys: KeyStore,
  witness: Witness,
): Promise<void> {
  const oca = {
    record: await issuingAuthority(hands.store, 'smki-organisation'),
    keys,
    profile: profileNamed(settings, 'Organisation Certificate'),
  }
  const office = await openTestOffice(hands, home, settings, await credentialIssuer(hands, settings, keys), witness)
  await registerTestParties(
    office,
    home,
    async (_, csr) => {
      const { commonName, ...admitted } = admitOrganisation(csr, settings.certificates.organisationNameCharacters)
      return issueOrganisation(hands, oca, { ...admitted, ...(commonName !== undefined && { commonName }) })
    },
    witness,
  )
}

/** Opens the Registration Authority of a test environment; its people find their credentials in `credentials/<name>/`. */
export async function openTestOffice(
  hands: AuthorityHands,
  home: Home,
  settings: Settings,
  issue: IssueCredential,
  witness: Witness,
): Promise<Office> {
  const operator = testParties.find(party => party.kind === 'dcc')!
  const keys = new Map(officers.map(({ name }) => [name as string, makeKeyPair('RSA-2048')]))
  const office = await openOffice(
    { ...hands, rules: settings.registration },
    {
      operator: { name: operator.name, tradingName: operator.tradingName },
      people: officers.map(({ name, person, office: of }) => ({
        name,
        data: { name: person },
        office: of,
        evidence: minutes,
        csr: ikiCsr(keys.get(name)!, {
          tradingName: operator.tradingName,
          role: personsRole,
          systemName: name,
        }),
      })),
      witnesses: ['test auditor 1', 'test auditor 2'],
      evidence: minutes,
      words: 'first appointments of a test environment',
    },
    issue,
  )
  const chain = await issuingIcas(hands)
  for (const [name, certificate] of office.credentials) {
    const folder = privateFolder(join(home.credentials, name))
    write(folder, 'ra-staff', keys.get(name)!, certificate, chain)
    writePrivate(join(folder, 'server-ca.crt.pem'), readFileSync(tlsFiles(home).ca))
  }
  witness(`Registration Authority: ${officers.map(one => one.name).join(', ')}`)
  return office
}

/** Each Party from its form to its credentials. What it needs lies in `credentials/<name>/`, keys readable by us alone. */
export async function registerTestParties(
  office: Office,
  home: Home,
  issue: IssueOrganisation,
  witness: Witness,
): Promise<void> {
  const chain = await issuingIcas(office.hands)
  for (const party of testParties) {
    const folder = privateFolder(join(home.credentials, party.name))
    const { number, aro } = await authorisedSubscriber(office, party)
    const portals = portalsOf(party)
    for (const kind of [...party.credentials, ...portals]) {
      const key = makeKeyPair('RSA-2048')
      const systemName = `${party.name}-${fileOf(kind)}`
      const person = portals.includes(kind) ? aro.person : undefined
      const csr = ikiCsr(key, { tradingName: party.tradingName, role: party.role, systemName })
      const request = { kind, party: number, person, role: party.role, systemName }
      const certificate = await office.give(aro, request, csr)
      write(folder, fileOf(kind), key, certificate, chain)
    }
    for (const [i, wanted] of party.organisation.entries()) {
      const key = makeKeyPair('P-256')
      const csr = organisationCsr(key, { ...wanted, eui64: fromHex(wanted.eui64) }, wanted.usage)
      const name = `organisation-${i + 1}-${roleName(wanted.role)}-${wanted.usage === 'keyAgreement' ? 'ka' : 'ds'}`
      write(folder, name, key, await issue(aro, csr), [])
    }
    writePrivate(join(folder, 'repository-api-key'), `${await newApiKey(office, number, aro)}\n`)
    writePrivate(join(folder, 'server-ca.crt.pem'), readFileSync(tlsFiles(home).ca))
    witness(
      `${party.name}: ${party.userRoles.map(({ userRole, first, last }) => `${userRole} ${first} to ${last}`).join(', ')}`,
    )
  }
}

interface Registered {
  readonly number: number
  readonly aro: Officer
}

/** Form, verification, officers, entry process tests, applications. */
async function authorisedSubscriber(office: Office, party: TestParty): Promise<Registered> {
  const { hands, clerk } = office
  const form = {
    kind: party.kind,
    legalName: party.legalName,
    tradingName: party.tradingName,
    identifier: `TEST-${party.name.toUpperCase()}`,
    companyNumber: '00000000',
    address: '1 Test Street, Testing TE5 7ST',
    contactNumber: '+44 1632 960001',
    userRoles: party.userRoles,
    declaration: { reference: 'test environment', signedOn: hands.clock().toISOString().slice(0, 10) },
  }
  const submitted =
    party.kind === 'dcc'
      ? await submitForm(hands, clerk, office.operator, form, { evidence: paper })
      : await apply(hands, clerk, party.name, form, { evidence: paper })
  const reference = `test environment, ${party.name}`
  await office.decide(submitted, reference)
  const number = submitted.party

  const appoint = async (by: Officer, office_: 'NO' | 'SRO' | 'ARO', name: string): Promise<Officer> => {
    const person = await enterPerson(hands, clerk, { name })
    const policies = office_ === 'ARO' ? party.policies : undefined
    const nomination = { person, office: office_, party: number, policies }
    await office.decide(await nominate(hands, by, nomination, { evidence: paper }), reference)
    return { person, as: office_, party: number }
  }
  const nominating = await appoint(clerk, 'NO', `Nominating Officer of ${party.name}`)
  const sro = await appoint(nominating, 'SRO', `Senior Responsible Officer of ${party.name}`)
  const aro = await appoint(sro, 'ARO', `Authorised Responsible Officer of ${party.name}`)

  await planSrept(hands, aro, number, party.interfaces)
  for (const { id } of (await planOf(hands.store, number))!.scenarios) {
    // Nothing was run: the Parties of a test environment are there so that others can run their tests.
    const declared = { words: 'declared by the ceremony of a test environment', evidence: minutes }
    await recordResult(hands, aro, number, { scenario: id, passed: true, automatic: false, ...declared })
  }
  await office.decide(await requestCompletion(hands, aro, number, {}), reference)
  for (const policy of party.policies) {
    await office.decide(await applyAsSubscriber(hands, sro, number, policy, { evidence: paper }), reference)
  }
  return { number, aro }
}

async function newApiKey(office: Office, party: number, aro: Officer): Promise<string> {
  const request = { kind: 'REPO_API_KEY', party, systemName: 'repository' } as const
  const asked = await requestCredential(office.hands, aro, request)
  await office.decide(asked, 'test environment')
  const key = await giveApiKey(office.hands, office.clerk, asked.credential)
  await handOver(office.hands, office.clerk, asked.credential, {
    evidence: [{ kind: 'receipt', reference: 'file' }],
  })
  return key
}

function portalsOf(party: TestParty): CertificateKind[] {
  return (['PORTAL_ORG', 'PORTAL_DEVICE'] as const).filter(portal => party.interfaces.includes(portal))
}

const fileOf = (kind: CertificateKind) => kind.toLowerCase().replace('_', '-')

async function issuingIcas({ store }: Pick<AuthorityHands, 'store'>): Promise<Certificate[]> {
  const all = await authorities(store)
  return all.filter(one => one.pki === 'iki' && one.level === 'issuing').map(one => one.certificate)
}

/** The key and its certificate, followed by the chain, in two files. */
export function write(
  folder: string,
  name: string,
  key: KeyPair,
  certificate: Certificate,
  chain: readonly Certificate[],
): void {
  const pem = key.pem()
  writePrivate(join(folder, `${name}.key.pem`), pem)
  pem.fill(0)
  writePrivate(
    join(folder, `${name}.crt.pem`),
    [certificate, ...chain].map(one => toPem('CERTIFICATE', one.der)).join(''),
  )
}
