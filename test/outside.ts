/** What tests take from outside as their truth: published certificates, and OpenSSL. */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { readPem } from '../src/ground/x509/pem.ts'

const folder = new URL('../../shared/data/dcc-certs/', import.meta.url)

/** For the `skip` of a test: false, or why not. The data is not ours to ship, so its absence is no failure. */
export const noCorpus: string | false =
  !existsSync(folder) && 'skipped: ../shared/data/dcc-certs is not here (external test data)'

/** One certificate of the corpus as its index describes it. */
export interface Indexed {
  readonly file: string
  readonly kind: string
  readonly serial: string
  readonly issuer: string
  readonly subject: string
  readonly notBefore: string
  readonly notAfter: string
  readonly ski: string | null
  readonly aki: string | null
  readonly policy: string
  readonly policyCritical: boolean
  readonly hwType: string | null
  readonly eui: string | null
  readonly usage: string
  readonly extensions: readonly string[]
  readonly signature: 'good' | 'bad' | 'unverifiable'
  readonly signatureIsDer: boolean
  readonly issuerKey: string | null
  readonly sha256: string
}

export interface CorpusIndex {
  readonly certificates: readonly Indexed[]
  readonly requests: readonly {
    file: string
    eui: string
    keyIdentifier: string
    sha256: string
    certificates: string[]
  }[]
  readonly issuerKeys: readonly { file: string; keyIdentifier: string }[]
}

export function corpusIndex(): CorpusIndex {
  return JSON.parse(readFileSync(new URL('index.json', folder), 'utf8'))
}

/** The DER in a PEM file of the corpus. */
export function corpusFile(name: string): Buffer {
  return readPem(readFileSync(new URL(name, folder), 'latin1'))[0]!.der
}

/** For the `skip` of a test. Where everything must be installed, in CI, the test runs, and fails. */
export const noOpenssl: string | false =
  !process.env.CI && spawnSync('openssl', ['version']).status !== 0 && 'skipped: openssl is not installed'

/** Runs OpenSSL, in the folder `cwd` if it needs files; `says` is what it wrote, to whichever stream. */
export function openssl(
  args: readonly string[],
  input: Uint8Array | string = '',
  cwd?: string,
): { ok: boolean; says: string } {
  const options = { input, maxBuffer: 64 * 1024 * 1024, ...(cwd !== undefined && { cwd }) }
  const { status, stdout, stderr, error } = spawnSync('openssl', args, options)
  if (error) throw error
  return { ok: status === 0, says: `${stdout}${stderr}` }
}
