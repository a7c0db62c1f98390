/** What making the Repository's files needs, of an environment. */

import { toHex } from '../ground/bytes.ts'
import type { Clock } from '../ground/clock.ts'
import type { Store } from '../ground/store/store.ts'
import { keyIdentifier } from '../ground/x509/key.ts'
import { dayIn } from '../policy/performance/zone.ts'
import type { PkiName } from '../policy/profile.ts'
import type { Settings } from '../policy/settings.ts'
import { authorities } from '../rooms/authority/register.ts'
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
  return { store, clock, folder: home.files, dayOf, issuers }
}

export function fileScheduleOf({ files, performance }: Settings): FileSchedule {
  const { at, fullOn, deltaDays, fullWeeks } = files
  return { at, fullOn, zone: performance.zone, kept: { DELTA: deltaDays, FULL: 7 * fullWeeks } }
}
