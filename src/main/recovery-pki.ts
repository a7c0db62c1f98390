/** The keys and certificates of a recovery drill: real hierarchies, the keys of the DCC asleep, those of Parties at hand. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Bytes, fromHex, toHex } from '../ground/bytes.ts'
import { type Cell, showCell } from '../ground/gbcs/cell.ts'
import { agreementKey } from '../ground/keystore/agreement.ts'
import { type KeyPair, makeKeyPair } from '../ground/keystore/pair.ts'
import { type Envelope, unite } from '../ground/keystore/quorum.ts'
import { createSoftwareKeyStore, openSoftwareKeyStore, type SoftwareKeyStore } from '../ground/keystore/software.ts'
import { wrapContingencyKey, wrapLengths } from '../ground/keystore/wrap.ts'
import type { Certificate } from '../ground/x509/certificate.ts'
import { writeApexContingencyKey } from '../ground/x509/contingency.ts'
import { hierarchies, profileNamed } from '../policy/hierarchies.ts'
import type { AuthorityPlan } from '../policy/profile.ts'
import { linkProfile } from '../policy/recovery/link.ts'
import type { Settings } from '../policy/settings.ts'
import { issueOne } from '../rooms/authority/issue-one.ts'
import { makeAuthority } from '../rooms/authority/make.ts'
import type { AuthorityRecord } from '../rooms/authority/register.ts'
import { authority } from '../rooms/authority/sign.ts'
import { issueOrganisation } from '../rooms/issuance/single.ts'
import { heldAs } from '../rooms/recovery/cells.ts'
import { type Kept, quorumKept, shareAmongCustodians } from '../rooms/recovery/custodians.ts'
import type { SignFile } from '../rooms/recovery/exchange.ts'
import { signFile } from '../rooms/recovery/files.ts'
import type { RecoveryHands } from '../rooms/recovery/hands.ts'
import type { Broker, PartySigner } from '../rooms/recovery/signers.ts'
import { publishList } from '../rooms/revocation/list.ts'
import type { People } from './recovery-people.ts'

/** Who holds cells, and with which Remote Party Role. */
export const holders = {
  recovery: { role: 1, eui64: '90b3d51f50000001' },
  'supplier-a': { role: 2, eui64: '02d0000000010000' },
  'supplier-b': { role: 2, eui64: '02d0000000020000' },
  network: { role: 3, eui64: '90b3d51f50020000' },
  broker: { role: 4, eui64: '90b3d51f50000002' },
  'change of supplier': { role: 5, eui64: '90b3d51f50000004' },
  wan: { role: 6, eui64: '90b3d51f50000006' },
  'load controller': { role: 8, eui64: '90b3d51f50010008' },
} as const
export type HolderName = keyof typeof holders

/** The originator of contingency commands (recovery.md section 7, as observed). */
export const contingencyOriginator = fromHex('70b3d51f300017ff')

export interface Hierarchy {
  readonly root: AuthorityRecord
  readonly issuing: AuthorityRecord
}

/** The contingency key of one Root OCA Certificate. */
export interface Contingency {
  readonly label: string
  readonly publicKey: Bytes
  readonly symmetricKey: Buffer
  readonly wrapped: Buffer
}

export interface FileSigning {
  readonly sign: SignFile
  /** The authorities above it, the root first. */
  readonly chain: readonly Certificate[]
}

interface Held {
  readonly certificate: Certificate
  /** Undefined of the Recovery Private Key, which is in its store. */
  readonly pair: KeyPair | undefined
}

export interface RecoveryKey {
  readonly label: string
  readonly publicKey: Bytes
}

export interface DrillPki {
  readonly settings: Settings
  /** That Devices hold, and what took its place. */
  now: Hierarchy
  readonly keys: { readonly root: SoftwareKeyStore; readonly issuing: SoftwareKeyStore }
  /** By `holder {2,KA}`: what is in cells; by the step that issues anew, what comes into them. */
  readonly held: Map<string, Held>
  readonly envelopes: Map<Kept, readonly Envelope[]>
  readonly parties: Map<string, PartySigner>
  contingency: Contingency
  /** The newest Recovery Private Key, and the one whose certificate Devices hold when the drill begins. */
  recoveryKey: RecoveryKey
  recoveryKeyOfDevices: RecoveryKey
  broker: Broker
  /** Open while custodians stand by. */
  contingencyStore: SoftwareKeyStore | undefined
  /** How a key store that is asleep is opened with its passphrase. */
  open(kept: 'recovery key' | 'contingency key'): (passphrase: Bytes) => SoftwareKeyStore
  makeContingency(label: string): Contingency
  makeRoot(name: string, contingency: Contingency): Promise<AuthorityRecord>
  makeIssuing(name: string, root: AuthorityRecord): Promise<AuthorityRecord>
  /** A certificate of the new root's key by the old root (REC-A08: a normal root change is one that is linked). */
  link(from: AuthorityRecord, to: AuthorityRecord): Promise<Certificate>
  /** A certificate for that cell of that holder, with a new key, by that authority. */
  issue(holder: HolderName, cell: Cell, by: AuthorityRecord): Promise<Held>
  /** Shares what is newest among the Key Custodians. */
  share(kept: Kept): Promise<void>
  /** Signs files, by a FILE_SIGN certificate of an IKI of the drill's own, which is made when it is first asked for. */
  fileSigning(): Promise<FileSigning>
  /** Makes the newest broker's key for agreement the first. */
  renewBroker(held: Held): void
  close(): void
}

/** Labels of cells that only the DCC's recovery key signs for. */
const recoveryLabel = (number: number) => `recovery/${number}`

/** Makes the hierarchy, every holder's certificates, and puts the keys of the DCC to sleep. */
export async function makePki(
  hands: RecoveryHands,
  settings: Settings,
  people: People,
  folder: string,
): Promise<DrillPki> {
  const stores = new Map<string, { store: SoftwareKeyStore; passphrase: Buffer }>()
  const make = (name: string) => {
    const passphrase = Buffer.from(Buffer.from(hands.chance(24)).toString('base64url'))
    const path = join(folder, name, 'keys')
    const store = createSoftwareKeyStore({
      path,
      name,
      passphrase,
      chance: hands.chance,
      log2N: 10,
      allowWeak: true,
    })
    stores.set(name, { store, passphrase })
    return store
  }
  const keys = { root: make('root'), issuing: make('issuing') }
  const asleep = { 'recovery key': make('recovery'), 'contingency key': make('contingency') }
  const known = hierarchies(settings)['smki-organisation']
  const profile = profileNamed(settings, 'Organisation Certificate')
  let recoveries = 0
  let fileSigning: Promise<FileSigning> | undefined

  const nameOf = (kept: string) => kept.split(' ')[0]!
  const opened = (kept: 'recovery key' | 'contingency key') => (passphrase: Bytes) =>
    openSoftwareKeyStore({ path: asleep[kept].path, passphrase, chance: hands.chance, allowWeak: true })

  const pki: Omit<DrillPki, 'now' | 'contingency' | 'recoveryKey' | 'recoveryKeyOfDevices' | 'broker'> &
    Partial<DrillPki> = {
    settings,
    keys,
    held: new Map(),
    envelopes: new Map(),
    parties: new Map(),
    open: opened,
    contingencyStore: asleep['contingency key'],
    makeContingency(label) {
      const publicKey = pki.contingencyStore!.generate(label, 'P-256')
      const symmetricKey = Buffer.from(hands.chance(wrapLengths.key))
      const { nonce, octets } = wrapContingencyKey(publicKey, symmetricKey, hands.chance)
      return {
        label,
        publicKey,
        symmetricKey,
        wrapped: writeApexContingencyKey({ nonce, icvLength: wrapLengths.icv, octets }),
      }
    },
    async makeRoot(name, { wrapped }) {
      const plan = { ...known.root, subject: { ...known.root.subject, commonName: name } }
      const made = await makeAuthority(hands, { plan, keys: keys.root, state: 'offline', contingencyKey: wrapped })
      await publishList(hands, made, keys.root, plan.list!)
      return made
    },
    async makeIssuing(name, root) {
      const plan = { ...known.issuing, subject: { ...known.issuing.subject, commonName: name } }
      const by = { record: root, keys: keys.root }
      const made = await makeAuthority(hands, { plan, keys: keys.issuing, state: 'current', by })
      await publishList(hands, made, keys.issuing, plan.list!)
      return made
    },
    link(from, to) {
      return issueOne(
        hands,
        authority(keys.root, from.keyLabel, from.certificate),
        {
          profile: linkProfile(settings),
          subject: { organizationalUnitName: '00', commonName: to.name },
          publicKey: to.certificate.publicKey.spki,
        },
        { authority: from.id },
        { part: 'Root OCA link', name: to.name },
      )
    },
    async issue(name, cell, by) {
      const { role, eui64 } = holders[name]
      const usage = cell.keyUsage === 'keyAgreement' ? 'keyAgreement' : 'digitalSignature'
      const isRecovery = name === 'recovery'
      const label = recoveryLabel(recoveries + 1)
      const pair = isRecovery ? undefined : makeKeyPair('P-256')
      const publicKey = pair?.publicKey ?? (await withRecoveryStore(store => store.generate(label, 'P-256')))
      const certificate = await issueOrganisation(
        hands,
        { record: by, keys: keys.issuing, profile },
        { role, eui64, usage, publicKey },
        { cell: showCell(cell) },
      )
      if (isRecovery) {
        recoveries++
        pki.recoveryKey = { label, publicKey }
      }
      if (pair && usage === 'digitalSignature') {
        const keyId = toHex(heldAs(certificate.der).keyId)
        pki.parties.set(keyId, { originator: fromHex(eui64), sign: octets => pair.sign(octets) })
      }
      return { certificate, pair }
    },
    async share(kept) {
      const isKey = kept !== 'symmetric key'
      const one = isKey ? stores.get(nameOf(kept))! : undefined
      const secret = one?.passphrase ?? pki.contingency!.symmetricKey
      const envelopes = await shareAmongCustodians(hands, people.manager, {
        thing: kept,
        store: one?.store.identity ?? `symmetric key of ${pki.contingency!.label}`,
        secret,
        custodians: people.custodians[kept],
      })
      pki.envelopes.set(kept, envelopes)
      // From here on the custodians alone can open it.
      one?.store.close()
      secret.fill(0)
    },
    fileSigning() {
      fileSigning ??= makeFileSigning(hands, settings, keys)
      return fileSigning
    },
    renewBroker({ pair }) {
      const before = pki.broker!
      pki.broker = { ...before, agreement: [agreementKey(pair!), ...before.agreement] }
    },
    close() {
      for (const { store, passphrase } of stores.values()) {
        store.close()
        passphrase.fill(0)
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }

  /** The store of the Recovery Private Key: open while it is made, by its custodians afterwards. */
  async function withRecoveryStore<T>(work: (store: SoftwareKeyStore) => T): Promise<T> {
    const envelopes = pki.envelopes.get('recovery key')
    if (!envelopes) return work(asleep['recovery key'])
    const quorum = await hands.store.transaction(client => quorumKept(client, 'recovery key'))
    const passphrase = await unite(quorum, envelopes.slice(0, quorum.threshold))
    const store = opened('recovery key')(passphrase)
    passphrase.fill(0)
    try {
      return work(store)
    } finally {
      store.close()
    }
  }

  pki.contingency = pki.makeContingency('contingency/1')
  const root = await pki.makeRoot(settings.names.rootOca, pki.contingency)
  pki.now = { root, issuing: await pki.makeIssuing(settings.names.issuingOca, root) }
  for (const [name, cell] of cellsOfHolders()) {
    pki.held.set(`${name} ${showCell(cell)}`, await pki.issue(name, cell, pki.now.issuing))
  }
  const signing = pki.held.get('broker {4,DS}')!.pair!
  pki.broker = {
    originator: fromHex(holders.broker.eui64),
    sign: octets => signing.sign(octets),
    agreement: [agreementKey(pki.held.get('broker {4,KA}')!.pair!)],
  }
  pki.recoveryKeyOfDevices = pki.recoveryKey!
  pki.contingencyStore = undefined
  const whole = pki as DrillPki
  for (const kept of ['recovery key', 'contingency key', 'symmetric key'] as const) await whole.share(kept)
  return whole
}

/**
 * Root ICA, Issuing ICA and the certificate of whoever signs files. The keys of the two are P-256 and not RSA: making
 * those takes longer than the rest of the drill's hierarchies, and nothing of a recovery depends on it.
 */
async function makeFileSigning(
  hands: RecoveryHands,
  settings: Settings,
  keys: DrillPki['keys'],
): Promise<FileSigning> {
  const { root: rootPlan, issuing: issuingPlan } = hierarchies(settings).iki
  const quick = (plan: AuthorityPlan): AuthorityPlan => ({ ...plan, profile: { ...plan.profile, key: 'P-256' } })
  const root = await makeAuthority(hands, { plan: quick(rootPlan), keys: keys.root, state: 'offline' })
  const issuing = await makeAuthority(hands, {
    plan: quick(issuingPlan),
    keys: keys.issuing,
    state: 'current',
    by: { record: root, keys: keys.root },
  })
  const pair = makeKeyPair('P-256')
  const certificate = await issueOne(
    hands,
    authority(keys.issuing, issuing.keyLabel, issuing.certificate),
    {
      profile: profileNamed(settings, 'IKI File Signing Certificate'),
      subject: { organizationName: 'Drill DCC', organizationalUnitName: '01', commonName: 'drill-file-sign' },
      publicKey: pair.publicKey,
    },
    { authority: issuing.id },
    { part: 'FILE_SIGN of the drill' },
  )
  return {
    sign: octets => signFile(octets, { certificate, sign: of => pair.sign(of), at: hands.clock() }),
    chain: [root.certificate, issuing.certificate],
  }
}

const DS = 'digitalSignature'
const KA = 'keyAgreement'

/** Every cell of every holder, but for the root's. */
export function cellsOfHolders(): [HolderName, Cell][] {
  const cell = (role: number, keyUsage: Cell['keyUsage'], cellUsage: Cell['cellUsage'] = 'management'): Cell => ({
    role,
    keyUsage,
    cellUsage,
  })
  const both = (role: number) => [cell(role, DS), cell(role, KA)]
  const cells: Readonly<Record<HolderName, readonly Cell[]>> = {
    recovery: [cell(1, DS)],
    'supplier-a': [...both(2), cell(2, KA, 'prePaymentTopUp')],
    'supplier-b': [...both(2), cell(2, KA, 'prePaymentTopUp')],
    network: both(3),
    broker: both(4),
    'change of supplier': [cell(5, DS)],
    wan: [cell(6, DS)],
    'load controller': both(8),
  }
  return (Object.keys(cells) as HolderName[]).flatMap(name =>
    cells[name].map((one): [HolderName, Cell] => [name, one]),
  )
}
