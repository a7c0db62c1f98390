/** What making the Repository's files needs, of an environment. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '../ground/bytes.ts'
import type { Clock } from '../ground/clock.ts'
import { signDigest } from '../ground/cms.ts'
import { readKeyPair } from '../ground/keystore/pair.ts'
import type { Store } from '../ground/store/store.ts'
import { readCertificate } from '../ground/x509/certificate.ts'
import { keyIdentifier } from '../ground/x509/key.ts'
import { readPemOrDer } from '../ground/x509/pem.ts'
import { dayIn } from '../policy/performance/zone.ts'
import type { PkiName } from '../policy/profile.ts'
import type { Settings } from '../policy/settings.ts'
import { authorities } from '../rooms/authority/register.ts'
import { operatorName } from '../rooms/registration/parties.ts'
import type { Making } from '../rooms/repository/files/make.ts'
import type { FileSchedule } from '../rooms/repository/files/schedule.ts'
import type { Home } from './home.ts'

/** Whose lists are lodged in the SMKI Repository (repository.md section 2). */
const lodging: readonly PkiName[] = ['smki-organisation', 'smki-device', 'iki']

export async function makingOf(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  home: Home,
  settings: Settings,
): Promise<Making> {
  const { zone } = settings.performance
  const known = (await authorities(store)).filter(({ pki }) => lodging.includes(pki))
  const issuers = new Map(
    known.map(({ id, certificate }) => [id, toHex(keyIdentifier(certificate.publicKey.key))] as const),
  )
  const dayOf = (at: Date) => dayIn(at, zone).replaceAll('-', '')
  return { store, clock, folder: home.files, dayOf, issuers, sign: await signerOf(store, clock, home) }
}

/** The operator's FILE_SIGN credential, if it lies where those of the Parties lie: `credentials/<operator>/file-sign.*`. */
async function signerOf(store: Store, clock: Clock, home: Home): Promise<Making['sign']> {
  const operator = await operatorName(store)
  if (operator === undefined) return undefined
  const file = join(home.credentials, operator, 'file-sign')
  if (!existsSync(`${file}.key.pem`)) return undefined
  const [first] = readPemOrDer(readFileSync(`${file}.crt.pem`), ['CERTIFICATE'])
  const certificate = readCertificate(first!)
  const pair = readKeyPair(readFileSync(`${file}.key.pem`))
  return sha256 => signDigest(sha256, { certificate, sign: octets => pair.sign(octets), at: clock() })
}

export function fileScheduleOf({ files, performance }: Settings): FileSchedule {
  const { at, fullOn, deltaDays, fullWeeks } = files
  return { at, fullOn, zone: performance.zone, kept: { DELTA: deltaDays, FULL: 7 * fullWeeks } }
}
