/** A software module for tests: SoftHSM2 with its tokens in a folder that goes when the tests end. */

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { openPkcs11KeyStore, type Pkcs11KeyStore } from '../pkcs11.ts'

const places = [
  process.env.SOFTHSM2_LIBRARY ?? '',
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
]

export const softHsmLibrary = places.find(place => place !== '' && existsSync(place)) ?? ''

/** For the `skip` of a test that needs the module. */
export const noSoftHsm = softHsmLibrary === '' && 'skipped: SoftHSM2 is not installed (apt install softhsm2)'

export interface SoftHsm {
  readonly library: string
  /** For child processes; this process has it already. */
  readonly env: { readonly SOFTHSM2_CONF: string }
  /** Makes a token with a user PIN. */
  token(label: string, pin?: string): void
  open(label: string, pin?: string, clock?: Clock): Pkcs11KeyStore
  /** Where the tokens lie: without it, the module has none. */
  readonly tokens: string
  remove(): void
}

export const testPin = '7-words-of-a-pin'

/** One to a process: the module reads its configuration when it is first used. */
export function softHsm(): SoftHsm {
  const home = mkdtempSync(join(tmpdir(), 'softhsm-'))
  const tokens = join(home, 'tokens')
  mkdirSync(tokens)
  const conf = join(home, 'softhsm2.conf')
  writeFileSync(conf, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`)
  process.env.SOFTHSM2_CONF = conf
  const env = { SOFTHSM2_CONF: conf }
  return {
    library: softHsmLibrary,
    env,
    token(label, pin = testPin) {
      const command = ['--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', 'security-officer']
      execFileSync('softhsm2-util', command, { env: { ...process.env, ...env }, stdio: 'pipe' })
    },
    tokens,
    open: (label, pin = testPin, clock = () => new Date()) =>
      openPkcs11KeyStore({
        library: softHsmLibrary,
        token: label,
        pin: Buffer.from(pin),
        chance: randomBytes,
        clock,
      }),
    remove: () => rmSync(home, { recursive: true, force: true }),
  }
}
