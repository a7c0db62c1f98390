/** The names of the journal's logs: each epoch of the store has a log of its own, which begins with what is left of the one before. */

import { readFileSync } from 'node:fs'
import { writeWhole } from '../ground/journal/kept.ts'
import { parseVerifierKey, type VerifierKey, verifierKey, verifierKeyText } from '../ground/journal/note.ts'
import { laterEpochs } from '../ground/store/epoch.ts'
import type { Store } from '../ground/store/store.ts'
import type { Settings } from '../policy/settings.ts'
import { logName } from './ceremony.ts'
import type { Home } from './home.ts'

export interface EpochLog {
  readonly epoch: number
  readonly name: string
  /** Of the epochs before, the first one first. */
  readonly formerNames: readonly string[]
}

export async function epochLog(store: Pick<Store, 'query'>, settings: Settings): Promise<EpochLog> {
  const later = await laterEpochs(store)
  const names = [logName(settings), ...later.map(({ log }) => log!)]
  return { epoch: later.at(-1)?.number ?? 1, name: names.at(-1)!, formerNames: names.slice(0, -1) }
}

export function nameOfEpoch(settings: Settings, epoch: number): string {
  return `${logName(settings)}/epoch-${epoch}`
}

/** The environment's verifier keys, one for each log that it had. */
export function verifierKeysOf(home: Home): VerifierKey[] {
  return readFileSync(home.journalKey, 'utf8')
    .split('\n')
    .flatMap(line => (line.trim() === '' ? [] : [parseVerifierKey(line.trim())]))
}

/** Adds the key of an epoch's log to the file of verifier keys, unless it is there: the key is the same, the name another. */
export async function publishLogKey(home: Home, { epoch, name }: Pick<EpochLog, 'epoch' | 'name'>): Promise<void> {
  // That of the first is written by the ceremony.
  if (epoch === 1) return
  const known = verifierKeysOf(home)
  if (known.some(key => key.name === name)) return
  const next = [...known, verifierKey(name, known[0]!.publicKey)]
  await writeWhole(home.journalKey, `${next.map(key => verifierKeyText(key)).join('\n')}\n`)
}
