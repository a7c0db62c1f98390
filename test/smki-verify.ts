/** What `smki verify --json` says of certificates that lie in files, as an operator has them. */

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bytes } from '../src/ground/bytes.ts'
import { toPem } from '../src/ground/x509/pem.ts'
import { smki } from './smki.ts'

/** DER, one file each. */
export interface VerifiedFiles {
  readonly ends: readonly Bytes[]
  readonly trust: readonly Bytes[]
  readonly untrusted: readonly Bytes[]
  readonly lists: readonly Bytes[]
}

/** @param folder where the files are written, and stay. @returns the verdicts in the order of `ends`, and the exit code */
export async function smkiVerify(folder: string, files: VerifiedFiles, moment: Date) {
  const put = (name: string, label: string, ders: readonly Bytes[]) => {
    const place = join(folder, name)
    mkdirSync(place, { recursive: true })
    return ders.map((der, i) => {
      const path = join(place, `${i}.pem`)
      writeFileSync(path, toPem(label, der))
      return path
    })
  }
  put('trust', 'CERTIFICATE', files.trust)
  put('untrusted', 'CERTIFICATE', files.untrusted)
  put('lists', 'X509 CRL', files.lists)
  const ends = put('ends', 'CERTIFICATE', files.ends)
  const [trust, untrusted, lists] = ['trust', 'untrusted', 'lists'].map(name => join(folder, name))
  const flags = ['--trust', trust!, '--untrusted', untrusted!, '--crl', lists!, '--json']
  const { out, err, code } = await smki(['verify', ...ends, ...flags], () => moment)
  assert.equal(err, '')
  return { verdicts: JSON.parse(out) as { valid: boolean; revocation: string }[], code }
}
