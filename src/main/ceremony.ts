/** The key ceremony: makes the authorities of an environment, their first lists, and a stock of Issuing DCAs. */

import { hash } from 'node:crypto'
import { type Bytes, toHexUpper } from '../ground/bytes.ts'
import * as der from '../ground/der/write.ts'
import { entry } from '../ground/journal/entry.ts'
import { append } from '../ground/journal/journal.ts'
import { verifierKey, verifierKeyText } from '../ground/journal/note.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import { identityOf } from '../ground/keystore/split.ts'
import { wrapContingencyKey, wrapLengths } from '../ground/keystore/wrap.ts'
import { readCertificatePolicies } from '../ground/x509/extensions.ts'
import { keyIdentifier } from '../ground/x509/key.ts'
import { showName } from '../ground/x509/name.ts'
import { oids } from '../ground/x509/names.ts'
import { hierarchies } from '../policy/hierarchies.ts'
import type { Hierarchy, PkiName } from '../policy/profile.ts'
import { s1spPki } from '../policy/s1spki/hierarchy.ts'
import { type S1spki, s1spkiPolicy } from '../policy/s1spki/policy.ts'
import type { Settings } from '../policy/settings.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { makeAuthority } from '../rooms/authority/make.ts'
import { type AuthorityRecord, authorities } from '../rooms/authority/register.ts'
import { publishList } from '../rooms/revocation/list.ts'
import { journalKey } from './key-stores.ts'

export interface KeyStores {
  readonly root: KeyStore
  readonly issuing: KeyStore
}

export type Witness = (line: string) => void

/** Labels of what belongs to no authority. */
export { journalKey } from './key-stores.ts'

const contingencyKey = 'contingency'
const contingencySymmetricKey = 'contingency-symmetric-key'

/** Name and key of the journal: the name is also the origin of its checkpoints. */
export function journalVerifier(settings: Settings, keys: KeyStore): { name: string; publicKey: Bytes } {
  // A checkpoint names the key's own 32 octets: the end of an Ed25519 SubjectPublicKeyInfo (RFC 8410 section 4).
  return {
    name: `opensmki/${settings.environment.replace(/ /g, '-')}`,
    publicKey: keys.publicKey(journalKey).subarray(-32),
  }
}

/** Makes everything that an environment of these PKIs needs; each step is told to the witness as it is done. */
export async function ceremony(
  hands: Hands,
  settings: Settings,
  keys: KeyStores,
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
    const root = await makeRoot(hands, keys, hierarchy, settings, witness)
    await makeIssuing(hands, keys, hierarchy, root, hierarchy.issuing.keyUse?.stock ?? 1, witness)
  }
}

async function makeRoot(
  hands: Hands,
  keys: KeyStores,
  { pki, root: plan }: Hierarchy,
  settings: Settings,
  witness: Witness,
) {
  const contingency = pki === 'smki-organisation' ? makeContingency(hands, keys.root, witness) : undefined
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
  }
}

/** `smki ceremony issuing-dca --count N`: more Issuing DCAs, certified by the Root DCA, whose key store must be present. */
export async function addIssuingDcas(
  hands: Hands,
  settings: Settings,
  keys: KeyStores,
  count: number,
  witness: Witness,
): Promise<void> {
  const root = (await authorities(hands.store)).find(one => one.pki === 'smki-device' && one.level === 'root')!
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
 * The Contingency Key Pair and the Symmetric Key that opens its public half (recovery.md section 8). Both secrets stay
 * in the root store, each under a label of its own; only the wrapped public key leaves it.
 */
function makeContingency(hands: Hands, root: KeyStore, witness: Witness): Buffer {
  const spki = root.generate(contingencyKey, 'P-256')
  const symmetricKey = Buffer.from(hands.chance(wrapLengths.key))
  try {
    root.keepSecret(contingencySymmetricKey, symmetricKey)
    const { nonce, octets } = wrapContingencyKey(spki, symmetricKey, hands.chance)
    witness(
      `Contingency Key Pair made; public key ${fingerprint(spki)}; its Symmetric Key lies in the same store, under a label of its own`,
    )
    const parameters = der.sequence(der.octetString(nonce), der.integer(wrapLengths.icv))
    return der.sequence(der.sequence(der.oid(oids.aes128Gcm), parameters), der.octetString(octets))
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

/** Writes the transcript's hash into the journal: what the witness signed can be told from what was made later. */
export async function journalTranscript(hands: Hands, title: string, transcript: string): Promise<void> {
  await hands.store.transaction(async client => {
    await append(client, entry('ceremony', hands.clock(), { title, transcript: hash('sha256', transcript, 'hex') }))
  })
}

function fingerprint(octets: Bytes): string {
  return hash('sha256', octets, 'hex').toUpperCase()
}

function instant(date: Date): string {
  return date.toISOString().replace('.000', '')
}
