/** Registers the Parties of a test environment by the procedures of the RAPP, by named test officers. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bytes, fromHex } from '../ground/bytes.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import { type KeyPair, makeKeyPair } from '../ground/keystore/pair.ts'
import { Refusal } from '../ground/refusal.ts'
import type { Certificate } from '../ground/x509/certificate.ts'
import { toPem } from '../ground/x509/pem.ts'
import type { CertificateKind } from '../policy/registration/credentials.ts'
import { roleName } from '../policy/roles.ts'
import type { Settings } from '../policy/settings.ts'
import type { Hands as AuthorityHands } from '../rooms/authority/issue-one.ts'
import { authorities } from '../rooms/authority/register.ts'
import { writeTestToken } from '../rooms/issuance/iki-token.ts'
import { submitOrganisation } from '../rooms/issuance/organisation-submit.ts'
import type { Officer } from '../rooms/registration/act.ts'
import { applyAsSubscriber } from '../rooms/registration/applications.ts'
import { handOver, requestCredential } from '../rooms/registration/credentials.ts'
import { giveApiKey } from '../rooms/registration/give.ts'
import { nominate } from '../rooms/registration/nominations.ts'
import { apply, submitForm } from '../rooms/registration/organisation.ts'
import { enterPerson } from '../rooms/registration/people.ts'
import { planOf, planSrept, recordResult, requestCompletion } from '../rooms/registration/srept.ts'
import { custodyLabels, newestNumber } from './ceremony.ts'
import { ikiCsr, organisationCsr } from './csr.ts'
import { type Home, privateFolder, writePrivate } from './home.ts'
import { certificateIn, type Office, openOffice, personsRole, type Sign } from './registration-office.ts'
import { roomSigning } from './signer-rooms.ts'
import { type TestParty, testParties } from './test-parties.ts'
import { tlsFiles } from './tls-ca.ts'
import { systemChance } from './world.ts'

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
  recovery?: KeyStore,
): Promise<void> {
  const sign = roomSigning({ ...hands, rules: settings.registration }, keys, settings)
  const office = await openTestOffice(hands, home, settings, sign, witness)
  await registerTestParties({ office, home, settings, sign, recovery }, witness)
}

interface Registering {
  readonly office: Office
  readonly home: Home
  readonly settings: Settings
  readonly sign: Sign
  /** The store of the Recovery Private Key, which has no file of its own then. */
  readonly recovery?: KeyStore | undefined
}

export async function registerTestParties(to: Registering, witness: Witness): Promise<void> {
  const chain = await ikiChain(to.office.hands)
  for (const party of testParties) await registerTestParty(to, party, chain, witness)
}

/** Opens the Registration Authority of a test environment; its people find their credentials in `credentials/<name>/`. */
export async function openTestOffice(
  hands: AuthorityHands,
  home: Home,
  settings: Settings,
  sign: Sign,
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
    sign,
  )
  const chain = await ikiChain(hands)
  for (const [name, certificate] of office.credentials) {
    const folder = privateFolder(join(home.credentials, name))
    const token = { folder, name: 'ra-staff', key: keys.get(name)!, certificate, chain }
    write(token)
    writeToken(settings, token, name)
    writePrivate(join(folder, 'server-ca.crt.pem'), readFileSync(tlsFiles(home).ca))
  }
  witness(`Registration Authority: ${officers.map(one => one.name).join(', ')}`)
  return office
}

/** A Party from its form to its credentials. What it needs lies in `credentials/<name>/`, keys readable by us alone. */
async function registerTestParty(
  to: Registering,
  party: TestParty,
  chain: readonly Certificate[],
  witness: Witness,
): Promise<void> {
  const { office, home, settings } = to
  const folder = privateFolder(join(home.credentials, party.name))
  const { number, aro } = await authorisedSubscriber(office, party)
  const portals = portalsOf(party)
  const held = new Map<CertificateKind, Certificate>()
  for (const kind of [...party.credentials, ...portals]) {
    const key = makeKeyPair(kind === 'FILE_SIGN' ? 'P-256' : 'RSA-2048')
    const systemName = `${party.name}-${fileOf(kind)}`
    const person = portals.includes(kind) ? aro.person : undefined
    const csr = ikiCsr(key, { tradingName: party.tradingName, role: party.role, systemName })
    const request = { kind, party: number, person, role: party.role, systemName }
    const certificate = await office.give(aro, request, csr)
    const token = { folder, name: fileOf(kind), key, certificate, chain }
    write(token)
    if (person !== undefined) writeToken(settings, token, person)
    held.set(kind, certificate)
  }
  for (const [i, wanted] of party.organisation.entries()) {
    const inCustody = wanted.role === recoveryRole && to.recovery ? newestRecoveryKey(to.recovery) : undefined
    const key = inCustody ? undefined : makeKeyPair('P-256')
    const csr = organisationCsr((inCustody ?? key)!, { ...wanted, eui64: fromHex(wanted.eui64) }, wanted.usage)
    const name = `organisation-${i + 1}-${roleName(wanted.role)}-${wanted.usage === 'keyAgreement' ? 'ka' : 'ds'}`
    write({ folder, name, key, certificate: await organisation(to, held.get('PORTAL_ORG')!, csr), chain: [] })
  }
  writePrivate(join(folder, 'repository-api-key'), `${await newApiKey(office, number, aro)}\n`)
  writePrivate(join(folder, 'server-ca.crt.pem'), readFileSync(tlsFiles(home).ca))
  const ranges = party.userRoles.map(({ userRole, first, last }) => `${userRole} ${first} to ${last}`)
  witness(`${party.name}: ${ranges.join(', ')}`)
}

/** As an ARO submits it in the portal, with the credential that opens it. */
async function organisation({ office, settings, sign }: Registering, shown: Certificate, csr: Bytes) {
  const rules = {
    organisationNameCharacters: settings.certificates.organisationNameCharacters,
    rejectionDays: settings.issuing.rejectionDays,
  }
  const submission = await submitOrganisation(office.hands, rules, {
    credential: { issuer: shown.issuer.der, serial: shown.serial },
    csr: toPem('CERTIFICATE REQUEST', csr),
  })
  if (submission.refusal) throw new Refusal(submission.refusal.code, submission.refusal.says)
  return certificateIn(await sign({ ask: 'organisation', submission: submission.id }))
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

/** Remote Party Role `recovery`. */
const recoveryRole = 0x01

function newestRecoveryKey(keys: KeyStore): Pick<KeyPair, 'publicKey' | 'sign'> {
  const label = `${custodyLabels.recovery}${newestNumber(keys.labels(), 'recovery')}`
  return { publicKey: keys.publicKey(label), sign: octets => keys.sign(label, octets) }
}

const fileOf = (kind: CertificateKind) => kind.toLowerCase().replace('_', '-')

/** What a server wants to see beside the certificate of a client: the Issuing ICA. */
async function ikiChain({ store }: Pick<AuthorityHands, 'store'>): Promise<Certificate[]> {
  const all = await authorities(store)
  return all.filter(one => one.pki === 'iki' && one.level === 'issuing').map(one => one.certificate)
}

interface Written {
  readonly folder: string
  readonly name: string
  /** Undefined of a key that lives in a key store. */
  readonly key: KeyPair | undefined
  readonly certificate: Certificate
  readonly chain: readonly Certificate[]
}

/** The key and its certificate, followed by the chain, in two files. */
export function write({ folder, name, key, certificate, chain }: Written): void {
  const pem = key?.pem()
  if (pem) writePrivate(join(folder, `${name}.key.pem`), pem)
  pem?.fill(0)
  const pems = [certificate, ...chain].map(one => toPem('CERTIFICATE', one.der))
  writePrivate(join(folder, `${name}.crt.pem`), pems.join(''))
}

/** For a browser: what stands in for a person's token, and its PIN. */
function writeToken(
  settings: Settings,
  { folder, name, key, certificate, chain }: Written & { readonly key: KeyPair },
  holder: string,
): void {
  const pin = Buffer.from(Buffer.from(systemChance(9)).toString('base64url'))
  const certificates = [certificate, ...chain].map(one => one.der)
  const token = writeTestToken(settings, systemChance, { pair: key, certificates, holder, pin })
  writePrivate(join(folder, `${name}.p12`), token)
  writePrivate(join(folder, `${name}.pin`), pin)
  pin.fill(0)
}
