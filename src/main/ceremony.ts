/** The key ceremony: makes the authorities of an environment, their first lists, and a stock of Issuing DCAs. */

import { hash } from 'node:crypto'
import { type Bytes, toHexUpper } from '../ground/bytes.ts'
import { verifierKey, verifierKeyText } from '../ground/journal/note.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import { identityOf } from '../ground/keystore/split.ts'
import { wrapContingencyKey, wrapLengths } from '../ground/keystore/wrap.ts'
import type { Certificate } from '../ground/x509/certificate.ts'
import { writeApexContingencyKey } from '../ground/x509/contingency.ts'
import { readCertificatePolicies } from '../ground/x509/extensions.ts'
import { keyIdentifier } from '../ground/x509/key.ts'
import { showName } from '../ground/x509/name.ts'
import { oids } from '../ground/x509/names.ts'
import { hierarchies } from '../policy/hierarchies.ts'
import type { Hierarchy, PkiName } from '../policy/profile.ts'
import { linkProfile } from '../policy/recovery/link.ts'
import { s1spPki } from '../policy/s1spki/hierarchy.ts'
import { type S1spki, s1spkiPolicy } from '../policy/s1spki/policy.ts'
import type { Settings } from '../policy/settings.ts'
import { type Hands, issueOne } from '../rooms/authority/issue-one.ts'
import { makeAuthority } from '../rooms/authority/make.ts'
import { type AuthorityRecord, authorities, certifyingRoot } from '../rooms/authority/register.ts'
import { authority } from '../rooms/authority/sign.ts'
import { publishList } from '../rooms/revocation/list.ts'
import { journalKey } from './key-stores.ts'

export interface KeyStores {
  readonly root: KeyStore
  readonly issuing: KeyStore
}

/** Where the Contingency Key Pair and its Symmetric Key are made: two stores, neither that of a root (REC-A05). */
export interface ContingencyStores {
  readonly contingency: Pick<KeyStore, 'identity' | 'labels' | 'generate'>
  readonly symmetric: Pick<KeyStore, 'identity' | 'keepSecret'>
}

/** What the ceremony of a whole environment has before it. */
export interface CeremonyStores extends KeyStores {
  readonly custody: ContingencyStores
}

export type Witness = (line: string) => void

/** Labels of what belongs to no authority. */
export { journalKey } from './key-stores.ts'

/** Labels in the stores of Key Custodians, each with a number behind it: the highest is the newest. */
export const custodyLabels = {
  contingency: 'contingency/',
  symmetric: 'symmetric/',
  recovery: 'recovery/',
} as const

/** The highest number under which such a store has something; 0 where it has nothing. */
export function newestNumber(labels: readonly string[], name: keyof typeof custodyLabels): number {
  const numbers = labels.flatMap(label => {
    const rest = label.startsWith(custodyLabels[name]) ? label.slice(custodyLabels[name].length) : ''
    return /^[1-9]\d{0,5}$/.test(rest) ? [Number(rest)] : []
  })
  return Math.max(0, ...numbers)
}

/** The name of the journal's first log. */
export function logName({ environment }: Settings): string {
  return `opensmki/${environment.replace(/ /g, '-')}`
}

/** Name and key of the journal: the name is also the origin of its checkpoints. */
export function journalVerifier(settings: Settings, keys: KeyStore): { name: string; publicKey: Bytes } {
  // A checkpoint names the key's own 32 octets: the end of an Ed25519 SubjectPublicKeyInfo (RFC 8410 section 4).
  return {
    name: logName(settings),
    publicKey: keys.publicKey(journalKey).subarray(-32),
  }
}

/** Makes everything that an environment of these PKIs needs; each step is told to the witness as it is done. */
export async function ceremony(
  hands: Hands,
  settings: Settings,
  keys: CeremonyStores,
  pkis: readonly Exclude<PkiName, 'test-tls'>[],
  witness: Witness,
): Promise<void> {
  keys.issuing.generate(journalKey, 'Ed25519')
  const { name, publicKey } = journalVerifier(settings, keys.issuing)
  witness(
    `Journal key (Ed25519) in ${identityOf(keys.issuing, journalKey)}: ${verifierKeyText(verifierKey(name, publicKey))}`,
  )
  for (const pki of pkis) {
    const hierarchy = hierarchies(settings)[pki]
    witness('')
    witness(`## ${hierarchy.says}`)
    const contingency =
      pki === 'smki-organisation' ? makeContingency(hands, keys.custody, witness).wrapped : undefined
    const root = await makeRoot(hands, keys, hierarchy, settings, witness, contingency)
    await makeIssuing(hands, keys, hierarchy, root, hierarchy.issuing.keyUse?.stock ?? 1, witness)
  }
}

async function makeRoot(
  hands: Hands,
  keys: KeyStores,
  { root: plan }: Pick<Hierarchy, 'root'>,
  settings: Settings,
  witness: Witness,
  contingency?: Buffer,
) {
  const made = await makeAuthority(hands, {
    plan,
    keys: keys.root,
    state: 'offline',
    ...(contingency && { contingencyKey: contingency }),
  })
  describe(made, keys.root, witness)
  await lodgeNextList(hands, made, keys.root, plan.list!, witness)
  if (contingency)
    witness(`  carries WrappedApexContingencyKey (${settings.certificates.wrappedContingencyKeyOid})`)
  return made
}

/** Adds Issuing authorities under a root that exists: the first serves, the rest are stock. */
async function makeIssuing(
  hands: Hands,
  keys: KeyStores,
  hierarchy: Hierarchy,
  root: AuthorityRecord,
  count: number,
  witness: Witness,
) {
  const { issuing: plan, pki } = hierarchy
  const before = (await authorities(hands.store)).filter(one => one.pki === pki && one.level === 'issuing')
  const all: AuthorityRecord[] = []
  for (let i = 0; i < count; i++) {
    const running = (before.length + i + 1).toString(16).toUpperCase().padStart(3, '0')
    const state = plan.keyUse ? 'stock' : 'current'
    const made = await makeAuthority(hands, {
      plan,
      keys: keys.issuing,
      state,
      by: { record: root, keys: keys.root },
      running,
    })
    describe(made, keys.issuing, witness)
    if (plan.list) await lodgeNextList(hands, made, keys.issuing, plan.list, witness)
    all.push(made)
  }
  return all
}

/** `smki ceremony issuing-dca --count N`: more Issuing DCAs, certified by the Root DCA, whose key store must be present. */
export async function addIssuingDcas(
  hands: Hands,
  settings: Settings,
  keys: KeyStores,
  count: number,
  witness: Witness,
): Promise<void> {
  const root = await certifyingRoot(hands.store, 'smki-device', hands.clock())
  await makeIssuing(hands, keys, hierarchies(settings)['smki-device'], root, count, witness)
}

/**
 * `smki ceremony operator-root --pki s1spki-foc`: one more self-signed Operator Root CA (SEED-001) with an issuing
 * authority below it. From then on that one issues; the lists of those before it go on.
 */
export async function addOperatorAuthorities(
  hands: Hands,
  settings: Settings,
  keys: KeyStores,
  pki: S1spki,
  witness: Witness,
): Promise<void> {
  const roots = (await authorities(hands.store)).filter(one => one.pki === pki && one.level === 'root')
  const hierarchy = s1spPki(settings, s1spkiPolicy(settings, pki).cohort, roots.length + 1)
  const root = await makeRoot(hands, keys, hierarchy, settings, witness)
  await makeIssuing(hands, keys, hierarchy, root, 1, witness)
}

/**
 * `smki recovery make issuing-oca`: a new Issuing OCA below the newest root that may certify. From then on it issues.
 * @param name at most four characters, and no other authority's
 */
export async function replaceIssuingOca(
  hands: Hands,
  settings: Settings,
  keys: KeyStores,
  name: string,
  witness: Witness,
): Promise<AuthorityRecord> {
  const root = await certifyingRoot(hands.store, 'smki-organisation', hands.clock())
  const hierarchy = hierarchies(settings)['smki-organisation']
  const issuing = { ...hierarchy.issuing, subject: { ...hierarchy.issuing.subject, commonName: name } }
  const [made] = await makeIssuing(hands, keys, { ...hierarchy, issuing }, root, 1, witness)
  return made!
}

/**
 * `smki recovery make root`: a new Root OCA with a new contingency pair and Symmetric Key.
 * @param linked with a certificate of its key by the root before it, for a normal root change (REC-A08)
 */
export async function replaceRootOca(
  hands: Hands,
  settings: Settings,
  keys: CeremonyStores,
  { name, linked }: { readonly name: string; readonly linked: boolean },
  witness: Witness,
): Promise<{ readonly root: AuthorityRecord; readonly link: Certificate | undefined }> {
  const before = linked ? await certifyingRoot(hands.store, 'smki-organisation', hands.clock()) : undefined
  const { root: plan } = hierarchies(settings)['smki-organisation']
  const { wrapped } = makeContingency(hands, keys.custody, witness)
  const named = { ...plan, subject: { ...plan.subject, commonName: name } }
  const root = await makeRoot(hands, keys, { root: named }, settings, witness, wrapped)
  const link =
    before &&
    (await issueOne(
      hands,
      authority(keys.root, before.keyLabel, before.certificate),
      {
        profile: linkProfile(settings),
        subject: { organizationalUnitName: '00', commonName: name },
        publicKey: root.certificate.publicKey.spki,
      },
      { authority: before.id },
      { part: 'Root OCA link', name },
    ))
  if (link) witness(`  linked to ${before.name}: serial ${toHexUpper(link.serial)}`)
  return { root, link }
}

/** `smki ceremony lists`: the next list of every root, whose key store must be present; they are offline otherwise. */
export async function renewRootLists(
  hands: Hands,
  settings: Settings,
  root: KeyStore,
  witness: Witness,
): Promise<void> {
  const known = hierarchies(settings)
  for (const authority of await authorities(hands.store)) {
    const schedule = authority.pki === 'test-tls' ? undefined : known[authority.pki].root.list
    if (authority.level !== 'root' || !schedule) continue
    witness(`${authority.part}: ${showName(authority.certificate.subject)}`)
    await lodgeNextList(hands, authority, root, schedule, witness)
  }
}

/**
 * The Contingency Key Pair and the Symmetric Key that opens its public half (recovery.md section 8), each in a store of
 * its own, under the next number; only the wrapped public key leaves them.
 */
export function makeContingency(
  hands: Pick<Hands, 'chance'>,
  { contingency, symmetric }: ContingencyStores,
  witness: Witness,
): { readonly number: number; readonly publicKey: Bytes; readonly wrapped: Buffer } {
  const number = newestNumber(contingency.labels(), 'contingency') + 1
  const publicKey = contingency.generate(`${custodyLabels.contingency}${number}`, 'P-256')
  const symmetricKey = Buffer.from(hands.chance(wrapLengths.key))
  try {
    symmetric.keepSecret(`${custodyLabels.symmetric}${number}`, symmetricKey)
    const { nonce, octets } = wrapContingencyKey(publicKey, symmetricKey, hands.chance)
    witness(
      `Contingency Key Pair ${number} made in ${contingency.identity}; public key ${fingerprint(publicKey)}; its Symmetric Key lies apart from it, in ${symmetric.identity}`,
    )
    return { number, publicKey, wrapped: writeApexContingencyKey({ nonce, icvLength: wrapLengths.icv, octets }) }
  } finally {
    symmetricKey.fill(0)
  }
}

async function lodgeNextList(
  hands: Hands,
  made: AuthorityRecord,
  keys: KeyStore,
  schedule: NonNullable<Hierarchy['root']['list']>,
  witness: Witness,
) {
  const list = await publishList(hands, made, keys, schedule)
  witness(`  ${list.name} number ${list.number}, valid ${instant(list.thisUpdate)} to ${instant(list.nextUpdate)}`)
}

function describe(made: AuthorityRecord, keys: KeyStore, witness: Witness): void {
  const { certificate } = made
  const policies = certificate.extensions.find(one => one.oid === oids.certificatePolicies)
  witness(`${made.part}: ${showName(certificate.subject)}${made.state === 'stock' ? ' (stock)' : ''}`)
  witness(`  serial ${toHexUpper(certificate.serial)}`)
  witness(`  key identifier ${toHexUpper(keyIdentifier(certificate.publicKey.key))}, key in ${keys.identity}`)
  witness(`  SHA-256 ${fingerprint(certificate.der)}`)
  witness(`  valid ${instant(new Date(certificate.notBefore.ms))} to ${instant(new Date(certificate.notAfter.ms))}`)
  if (policies) witness(`  policy ${policyOf(policies.value)}`)
}

function policyOf(value: Bytes): string {
  return readCertificatePolicies(value)
    .map(policy => policy.oid)
    .join(', ')
}

function fingerprint(octets: Bytes): string {
  return hash('sha256', octets, 'hex').toUpperCase()
}

function instant(date: Date): string {
  return date.toISOString().replace('.000', '')
}
