/** The home of an environment: one folder, and what lies where in it. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Refusal } from '../ground/refusal.ts'
import { keyStoreFault } from '../policy/key-store.ts'
import { type Settings, settingsSchema } from '../policy/settings.ts'

export interface Home {
  readonly path: string
  /** The one configuration file; it is written last, so its presence says that the ceremony was completed. */
  readonly config: string
  readonly store: string
  /** Offline in production: only ceremonies open it. */
  readonly rootKeys: string
  readonly issuingKeys: string
  /** Of a module that does not do Ed25519: the journal's key, in a file under the PIN of the issuing token. */
  readonly journalKeys: string
  /** Keys that Key Custodians keep, each in a store of its own, and in which stores they are: no program opens them. */
  readonly custody: string
  readonly rootPassphrase: string
  readonly issuingPassphrase: string
  readonly tls: string
  readonly credentials: string
  readonly ceremony: string
  /** The host key of the SFTP server, and its public half beside it. */
  readonly sshHostKey: string
  /** The Repository's files for SFTP, in folders by kind. */
  readonly files: string
  /** The journal's verifier key, text: public; after a restore that lost something one line for each log. */
  readonly journalKey: string
  /** What the signer remembers of what it signed, beside its keys (epoch.ts). */
  readonly marks: string
}

export function homeAt(path: string): Home {
  const at = resolve(path)
  return {
    path: at,
    config: join(at, 'config.json'),
    store: join(at, 'store'),
    rootKeys: join(at, 'root', 'keys'),
    issuingKeys: join(at, 'issuing', 'keys'),
    journalKeys: join(at, 'issuing', 'journal-keys'),
    custody: join(at, 'custody'),
    rootPassphrase: join(at, 'root', 'passphrase'),
    issuingPassphrase: join(at, 'issuing', 'passphrase'),
    tls: join(at, 'tls'),
    credentials: join(at, 'credentials'),
    ceremony: join(at, 'ceremony'),
    sshHostKey: join(at, 'ssh', 'host_ed25519'),
    files: join(at, 'files'),
    journalKey: join(at, 'journal.vkey'),
    marks: join(at, 'issuing', 'marks'),
  }
}

export function isMade(home: Home): boolean {
  return existsSync(home.config)
}

/** @throws Refusal NO_ENVIRONMENT, CONFIG_INVALID (with every fault in it) */
export function loadSettings(home: Home): Settings {
  if (!isMade(home)) {
    const begun = existsSync(home.store)
    throw new Refusal(
      'NO_ENVIRONMENT',
      begun
        ? `the ceremony in ${home.path} was begun and not completed: remove that folder and run \`smki init\` again`
        : `there is no environment in ${home.path}: make one with \`smki init --home ${home.path} --environment NAME\``,
    )
  }
  return parseSettings(readFileSync(home.config, 'utf8'), home.config)
}

/** @throws Refusal CONFIG_INVALID */
export function parseSettings(text: string, where: string): Settings {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new Refusal('CONFIG_INVALID', `${where} is not JSON`, { cause })
  }
  const parsed = settingsSchema.safeParse(json)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(issue => `${issue.path.join('.') || '(top)'}: ${issue.message}`)
    throw new Refusal('CONFIG_INVALID', `${where} is not a configuration: ${faults.join('; ')}`)
  }
  const { kind, services, repository, keyStore } = parsed.data
  if (kind === 'production' && (services.plainRepositoryPort !== null || repository.testKeys.length > 0)) {
    throw new Refusal('CONFIG_INVALID', `${where}: a plain listener and test keys are for test environments only`)
  }
  if (services.testPortalPort !== null && (kind === 'production' || !isLoopback(services.host))) {
    throw new Refusal(
      'CONFIG_INVALID',
      `${where}: test identities are for test environments on a loopback address only`,
    )
  }
  const fault = keyStoreFault(kind, keyStore)
  if (fault !== undefined) throw new Refusal('CONFIG_INVALID', `${where}: ${fault}`)
  return parsed.data
}

function isLoopback(host: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host)
}

/** A folder for us alone. */
export function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}

export function writePrivate(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { mode: 0o600, flag: 'wx' })
}
