/** `smki init`: the ceremony of an environment, from an empty folder to one that can be served. */

import { hash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { view } from '../ground/bytes.ts'
import type { Clock } from '../ground/clock.ts'
import { integrate } from '../ground/journal/journal.ts'
import { verifierKey, verifierKeyText } from '../ground/journal/note.ts'
import type { OpenKeyStore } from '../ground/keystore/attach.ts'
import { Refusal } from '../ground/refusal.ts'
import { documentsWith } from '../policy/documents/document-set.ts'
import { smkiPkis } from '../policy/hierarchies.ts'
import type { PkiName } from '../policy/profile.ts'
import { assumptions, type Settings } from '../policy/settings.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { authorities } from '../rooms/authority/register.ts'
import { enterDocuments } from '../rooms/governance/documents.ts'
import { ceremony, custodyLabels, journalKey, journalVerifier, type KeyStores, type Witness } from './ceremony.ts'
import { type Home, parseSettings, privateFolder, writePrivate } from './home.ts'
import { type CustodyName, custodyNames, type KeyStoreName, makeKeyStore, passphraseFile } from './key-stores.ts'
import { makeCustody } from './recovery-custody.ts'
import { sshHostKey } from './ssh-host-key.ts'
import { registerTestEnvironment } from './test-registration.ts'
import { makeTls } from './tls-ca.ts'
import { keepTranscript } from './transcript.ts'
import { type OpenedStore, openHomeStore, systemChance, systemClock } from './world.ts'

export interface InitOptions {
  readonly environment: string
  readonly kind: 'test' | 'production'
  readonly with: readonly Exclude<PkiName, 'test-tls'>[]
  /**
   * Of the key stores; a test environment without them makes its own, and keeps them beside the stores. What Key
   * Custodians will keep has a passphrase of its own in any case: where none is given here it lies beside its store, until
   * it is shared (`smki recovery custodian share`).
   */
  readonly passphrases?: { readonly root: Buffer; readonly issuing: Buffer } & Partial<Record<CustodyName, Buffer>>
  /** Cost of opening a key store, for tests. */
  readonly log2N?: number
  /** Changes to the defaults, as in the configuration file. */
  readonly settings?: Record<string, unknown>
  /** The system's, unless an environment is made that is to look older than it is. */
  readonly clock?: Clock
  readonly witness: Witness
}

/** @throws Refusal HOME_NOT_EMPTY, CONFIG_INVALID, PASSPHRASES_NEEDED */
export async function init(home: Home, options: InitOptions): Promise<Settings> {
  if (existsSync(home.path) && readdirSync(home.path).length > 0) {
    throw new Refusal('HOME_NOT_EMPTY', `${home.path} is not empty: an environment is made in a folder of its own`)
  }
  const chosen = withDefaults(options)
  const settings = parseSettings(JSON.stringify(chosen), 'the settings')
  privateFolder(home.path)
  const { custody, ...keys } = makeKeyStores(home, settings, options)
  const opened = await openHomeStore(home, { share: false })
  const hands: Hands = { store: opened.store, clock: options.clock ?? systemClock, chance: systemChance }
  await requireEmpty(opened)
  const lines: string[] = []
  const witness: Witness = line => {
    lines.push(line)
    options.witness(line)
  }
  try {
    witness(`# Key ceremony: environment ${settings.environment} (${settings.kind})`)
    const module = settings.keyStore.certificate === '' ? '' : `; module ${settings.keyStore.certificate}`
    const stores = `key stores ${keys.root.identity} and ${keys.issuing.identity}${module}`
    witness(`Held ${hands.clock().toISOString()}; ${stores}`)
    await ceremony(hands, settings, { ...keys, custody }, [...smkiPkis, ...options.with], witness)
    const { recovery } = custody
    const recoveryKey = recovery.generate(`${custodyLabels.recovery}1`, 'P-256')
    witness('')
    witness(
      `Recovery Key Pair made in ${recovery.identity}: public key ${hash('sha256', recoveryKey, 'hex').toUpperCase()}`,
    )
    witness(
      'These keys open no other way than their own; share each among Key Custodians: smki recovery custodian share',
    )
    const documents = await enterDocuments(hands, 'ceremony', documentsWith(settings.governance.documents))
    witness('')
    witness(`Register of documents: ${documents.length} entered, none of them with a version yet`)
    if (settings.kind === 'test') {
      witness('')
      witness('## Test environment')
      const tls = makeTls(hands, home, settings)
      witness(`Test TLS CA: ${tls.notBefore.text} to ${tls.notAfter.text}; its key was not kept`)
      await registerTestEnvironment(hands, home, settings, keys.issuing, witness, recovery)
    }
    tellAssumptions(settings, witness)
    const { name, publicKey } = journalVerifier(settings, keys.issuing)
    writePrivate(home.journalKey, `${verifierKeyText(verifierKey(name, publicKey))}\n`)
    await closeTranscript(hands, home, settings, lines)
    sshHostKey(home).fill(0)
    // What the ceremony did is signed for before the environment can be used.
    await integrate({
      store: hands.store,
      at: hands.clock(),
      name,
      publicKey,
      sign: octets => keys.issuing.sign(journalKey, octets),
    })
    // The configuration is written last: with it, the environment exists.
    writePrivate(home.config, `${JSON.stringify(chosen, null, 2)}\n`)
    return settings
  } finally {
    for (const store of [keys.root, keys.issuing, ...Object.values(custody)]) store.close()
    await opened.close()
  }
}

const productionPolicy = '1.2.826.0.1.8641679.1.2.1.2'

/** A database that `DATABASE_URL` names may hold an environment already. @throws Refusal STORE_NOT_EMPTY */
async function requireEmpty(opened: OpenedStore): Promise<void> {
  if ((await authorities(opened.store)).length === 0) return
  await opened.close()
  throw new Refusal(
    'STORE_NOT_EMPTY',
    'the database holds an environment already: give this one a database of its own',
  )
}

function withDefaults({ environment, kind, settings = {} }: InitOptions): Record<string, unknown> {
  const own =
    kind === 'test'
      ? { services: { plainRepositoryPort: 8083 } }
      : {
          issuing: { approval: 'manual', window: { from: '20:00', until: '08:00' } },
          // CERT-A12: the OIDs of production; those of the other PKIs are not known, and are warned about.
          certificates: { policyOrganisation: productionPolicy, policyDevice: productionPolicy },
        }
  const merged: Record<string, unknown> = { environment, kind, ...own }
  for (const [group, values] of Object.entries(settings)) {
    const before = merged[group]
    merged[group] = typeof before === 'object' && typeof values === 'object' ? { ...before, ...values } : values
  }
  return merged
}

function makeKeyStores(
  home: Home,
  settings: Settings,
  { kind, passphrases, log2N }: InitOptions,
): KeyStores & { readonly custody: Readonly<Record<CustodyName, OpenKeyStore>> } {
  if (kind === 'production' && !passphrases) {
    throw new Refusal(
      'PASSPHRASES_NEEDED',
      'a production environment is given the passphrases of its two key stores: --root-passphrase-file and --issuing-passphrase-file',
    )
  }
  const missing = (['root', 'issuing', ...custodyNames] as const).filter(name => !passphrases?.[name])
  if (settings.keyStore.kind === 'pkcs11' && missing.length > 0) {
    throw new Refusal(
      'PASSPHRASES_NEEDED',
      `the PINs of all tokens are needed: ${missing.map(name => `--${name}-passphrase-file`).join(', ')}`,
    )
  }
  const made: OpenKeyStore[] = []
  const make = (name: KeyStoreName | CustodyName) => {
    const given = passphrases?.[name]
    const passphrase = given ?? Buffer.from(view(systemChance(24)).toString('base64url'))
    const store = makeKeyStore(home, settings, name, passphrase, log2N)
    made.push(store)
    if (!given) {
      privateFolder(dirname(passphraseFile(home, name)))
      writePrivate(passphraseFile(home, name), passphrase)
    }
    return store
  }
  try {
    const [root, issuing] = [make('root'), make('issuing')]
    return { root, issuing, custody: makeCustody(home, make) }
  } catch (cause) {
    for (const store of made) store.close()
    throw cause
  }
}

function tellAssumptions(settings: Settings, witness: Witness): void {
  witness('')
  witness('## Assumed values (not found in any text available; register ID, confidence)')
  for (const { id, key, confidence, value, atDefault } of assumptions(settings)) {
    witness(`${id} (${confidence}) ${key} = ${JSON.stringify(value)}${atDefault ? ' (default)' : ''}`)
  }
}

async function closeTranscript(
  hands: Hands,
  home: Home,
  settings: Settings,
  lines: readonly string[],
): Promise<void> {
  await keepTranscript(hands, home, { name: 'ceremony', title: `key ceremony of ${settings.environment}`, lines })
}
