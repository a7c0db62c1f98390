/** What the commands of a recovery that work here, beside the keys and the store, have in common. */

import type { Command } from 'commander'
import { findCredential } from '../../doors/cli/operator-client.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { RecoveryHands } from '../../rooms/recovery/hands.ts'
import type { Officer } from '../../rooms/registration/act.ts'
import { loadSettings } from '../home.ts'
import type { Custodial } from '../recovery-custody.ts'
import { officerHere } from '../recovery-officer.ts'
import { openHomeStore, systemChance, systemClock } from '../world.ts'
import { homeOf } from './context.ts'

/** Of every command that somebody answers for. */
export interface HereFlags {
  readonly as?: string
  readonly office?: string
}

export function asHere(command: Command): Command {
  return command
    .option('--as <credential>', "credential: a folder, or its name in the environment's (default: SMKI_AS)")
    .option('--office <office>', 'the office to act in, for whoever holds several')
}

/** Works beside a running service, or on a store that is started for as long as it takes. */
export async function recoveringHere<T>(command: Command, work: (here: Custodial) => Promise<T>): Promise<T> {
  const home = homeOf(command)
  const settings = loadSettings(home)
  const opened = await openHomeStore(home, { share: true, max: 4 })
  const hands: RecoveryHands = {
    store: opened.store,
    clock: systemClock,
    chance: systemChance,
    rules: settings.registration,
    recovery: settings.recovery,
  }
  try {
    return await work({ home, settings, hands })
  } finally {
    await opened.close()
  }
}

/** @throws Refusal CREDENTIAL_…, NOT_IN_OFFICE, OFFICE_UNCLEAR */
export function whoHere(
  { home, hands }: Custodial,
  { as = process.env.SMKI_AS, office }: HereFlags,
): Promise<Officer> {
  if (as === undefined || as === '')
    throw new Refusal('CREDENTIAL_MISSING', 'say who you are: --as FOLDER-OR-NAME of your credential, or SMKI_AS')
  return officerHere(hands, findCredential(as, home.credentials), office)
}
